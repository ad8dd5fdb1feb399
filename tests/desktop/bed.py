# SPDX-License-Identifier: GPL-2.0-or-later
"""bed.py - a site with one volunteer: the guests "head" and "desk"

head runs slurmctld, the controller role and a node that takes what has to
leave the desktop.  desk is the desktop of ann: systemd, logind, keyboard and
mouse, and the device role.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time

import image
from guest import Guest, wait

# The keyboard can be unplugged, and another one plugged in.
DEVICES = ("-device", "pcie-root-port,id=port0,chassis=1",
           "-device", "pcie-root-port,id=port1,chassis=2",
           "-device", "virtio-keyboard-pci,id=keyboard,bus=port0",
           "-device", "virtio-mouse-pci,id=mouse")
UNITS = {"head": ("munge", "slurmctld", "slurmd",
                  "slurm-volunteer-controller"),
         "desk": ("munge", "slurm-volunteer-device")}
CONF = "/etc/slurm-volunteer/device.conf"
# An owner who comes back soon and is patient.
OWNER = {"idle_after": "3s", "parked_max": "1h", "interactive_max": "1h",
         "max_load": "100", "max_pressure": "100"}
# A job that counts, with a result that shows each lost or doubled step; it
# says at each step that it is alive.
COUNTER = """\
#!/bin/bash
mkdir -p /campaign/$SLURM_JOB_ID && cd /campaign/$SLURM_JOB_ID
for ((i = 1; i <= {steps}; i++)); do
	sum=$((sum + i * i))
	echo $i > ticks
	sleep 0.1
done
echo $sum > result
"""


def remove_orphans():
    """Remove what tests that were killed have left; their QEMUs are gone."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob("desktop.*.*"):
        pid = folder.name.split(".")[1]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(folder, ignore_errors=True)


class Bed:
    """Both guests; a context manager."""

    def __init__(self):
        remove_orphans()
        self.folder = pathlib.Path(tempfile.mkdtemp(
            prefix=f"desktop.{os.getpid()}."))
        self.head = self.desk = None
        self.image_s = None

    def __enter__(self):
        try:
            start = time.monotonic()
            disk, kernel = image.build(self.folder)
            self.image_s = time.monotonic() - start
            wires = [str(self.folder / f"{name}.wire")
                     for name in ("head", "desk")]
            # One after the other: two at once are slower.
            self.head = Guest("head", disk, kernel, self.folder, cpus=2,
                              units=UNITS["head"], wire=wires).boot()
            self.desk = Guest("desk", disk, kernel, self.folder, cpus=2,
                              memory=1536, units=UNITS["desk"],
                              wire=wires[::-1], devices=DEVICES).boot()
            self.leave_console()
            self.configure()
            self.wait_open()
        except BaseException:
            print(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Nothing is left of it."""
        for guest in (self.head, self.desk):
            if guest is not None:
                guest.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        """All that helps to understand a failure."""
        return "\n".join(guest.journal()
                         for guest in (self.head, self.desk) if guest)

    # -- what Slurm says -------------------------------------------------

    def state(self, node):
        """Long state of a node, "" while there is no such node."""
        return self.head.run(f"sinfo -h -N -n {node} -p volunteer "
                             "-o %T").strip()

    def wait_state(self, node, state, timeout=60):
        wait(f"{node} is {state}", lambda: self.state(node) == state, timeout)

    def wait_open(self):
        """Until the desktop takes jobs.  Slurm hears of an owner who is there
        for a moment only after some seconds, so its word is not enough."""
        wait("desk is open", lambda: self.status()["harvest"] == "open", 60)
        self.wait_state("desk", "idle")

    def reason(self, node):
        """Why it is drained, as sinfo -R tells."""
        return self.head.run(f"sinfo -h -R -n {node} -o %E").strip()

    def job(self, job):
        """scontrol show job as a dictionary."""
        text = self.head.run(f"scontrol -o show job {job}")
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def submit(self, body, options=""):
        """sbatch as alice; its folder on its node is
        /campaign/JOB."""
        self.head.put("/tmp/job.sh", body)
        return self.head.run(
            "su alice -c 'cd /campaign && sbatch --parsable -p volunteer "
            f"-o /dev/null {options} /tmp/job.sh'").strip()

    def count(self, steps, options=""):
        """A job that counts; its id."""
        return self.submit(COUNTER.format(steps=steps), options)

    @staticmethod
    def counted(steps):
        """What it must come to."""
        return str(steps * (steps + 1) * (2 * steps + 1) // 6)

    def result(self, job, guest=None):
        """What it has come to."""
        return (guest or self.desk).run(f"cat /campaign/{job}/result").strip()

    def reset(self):
        """No job, an idle desktop."""
        self.head.run("scancel --user=alice")
        wait("no job", lambda: not self.head.run("squeue -h").strip(), 60)
        self.wait_open()

    def tasks(self, job):
        """The cgroups of a job's tasks on the desktop, at least one."""
        return wait(f"tasks of job {job}", lambda: self.desk.run(
            f"find /sys/fs/cgroup -type d -path '*/job_{job}/step_*/user/"
            "task_*' -prune").split(), 30)

    def running(self, job):
        """Wait until a job has begun to count; the cgroups of its tasks."""
        wait(f"job {job} counts", lambda: self.ticks(job) > 0, 60)
        return self.tasks(job)

    def ticks(self, job, guest=None):
        """How far a job has counted."""
        text = (guest or self.desk).run(
            f"cat /campaign/{job}/ticks 2> /dev/null || true").strip()
        return int(text or 0)

    @staticmethod
    def job_of(folders):
        """The job whose tasks are in these cgroups."""
        return re.search(r"/job_(\d+)/", folders[0])[1]

    def frozen(self, folders):
        """Are all of these cgroups frozen?"""
        files = " ".join(f"{folder}/cgroup.events" for folder in folders)
        out = self.desk.run(f"grep -h frozen {files} 2> /dev/null || true")
        return out.split() == ["frozen", "1"] * len(folders)

    def stopped(self, job, seconds=1):
        """Does a job not count (any more)?"""
        before = self.ticks(job)
        time.sleep(seconds)
        return self.ticks(job) == before

    # -- the owner -------------------------------------------------------

    def leave_console(self):
        """To a screen without a shell, as on most desktops: what a shell
        reads claims the machine for another 16 s, and tests would wait."""
        self.desk.run("busctl call org.freedesktop.login1 "
                      "/org/freedesktop/login1/seat/seat0 "
                      "org.freedesktop.login1.Seat SwitchTo u 7")

    def configure(self, **keys):
        """Write [owner] of device.conf, other than OWNER where said."""
        lines = [f"{k} = {v}" for k, v in {**OWNER, **keys}.items()]
        conf = self.desk.run(f"sed '/^\\[owner\\]/,$d' {CONF}")
        new = conf + "[owner]\n" + "\n".join(lines) + "\n"
        if new != self.desk.run(f"cat {CONF}"):
            self.desk.put(CONF, new)
            self.desk.run("systemctl reload slurm-volunteer-device")

    def status(self):
        """What discoveryd says of the owner's side."""
        return json.loads(self.desk.run("volunteer status --json"))["owner"]

    def sensor(self, name):
        """What one sensor says."""
        return next(s for s in self.status()["sensors"]
                    if s["sensor"] == name)

    @contextlib.contextmanager
    def typing(self, every=1.0):
        """The owner presses a key every so often."""
        done, failed = threading.Event(), []

        def press():
            try:
                while not done.is_set():
                    self.desk.key()
                    done.wait(every)
            except Exception as error:  # of another thread: show it there
                failed.append(error)
        thread = threading.Thread(target=press)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        if failed:
            raise failed[0]
