#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A job that is saved into a stream goes on from it; what is not as it should
be is refused in one line, and nothing of it stays."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from bed import BUILD, PROGRAMS, UID, main, read, skip
from ckptbed import CRIU, CkptBed, wait_until

IMAGE = (BUILD / "../../discoveryd/slurm-volunteer-image").resolve()
JOB = 7
FAILED, UNMOVABLE, UNFIT = 1, 5, 6
OWN = {"/", "/dev", "/dev/pts", "/dev/shm", "/home", "/proc", "/run/scratch",
       "/tmp", "/var/tmp"}
FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8}
COUNT = """#!/bin/bash
echo "I am $$"
for i in $(seq 1 {n}); do
	echo $i
	sleep 0.02
done
echo "I am $$"
"""


class CarryBed(CkptBed):
    def __init__(self, name="carry"):
        super().__init__(name)
        self.stream = self.images / "stream"
        self.places = self.images / "places"
        self.device = self.images / "device"
        self.device.mkdir(mode=0o700)
        self.conf = self.images / "device.conf"
        self.conf.write_text(f"[device]\ncluster = lab\n"
                             f"state_dir = {self.device}\n")
        self.conf.chmod(0o600)

    def image(self, verb, *args):
        return [str(IMAGE), f"--conf={self.conf}", f"--criu={CRIU}",
                f"--programs={PROGRAMS}", f"--stream={self.stream}", verb,
                *args]

    def store(self, *options, what=None, job=JOB, **more):
        return subprocess.run(
            self.image("save", f"--job={job}", "--restarts=2", *options,
                       str(what or self.cgroup)), check=False,
            capture_output=True, text=True, timeout=120, **more)

    def fetch(self, folder, *options, job=JOB, uid=UID, gid=UID, places=None,
              walls=None):
        return subprocess.run(
            self.image("load", f"--job={job}", f"--uid={uid}", f"--gid={gid}",
                       f"--places={places or self.places}",
                       f"--walls={walls or self.walls}", *options,
                       str(folder)), check=False, capture_output=True,
            text=True, timeout=120)

    def sweep(self):
        for cgroup in self.cgroups:
            if cgroup.exists():
                (cgroup / "cgroup.kill").write_text("1")
        super().sweep()

    def left(self):
        folder = self.device / "images"
        return sorted(p.name for p in folder.iterdir()) \
            if folder.exists() else []

    def note_places(self, step):
        """What the step sees of the machine."""
        mounts = [line.split() for line in
                  read(f"/proc/{self.pid1(step)}/mountinfo").splitlines()]
        self.places.write_text("".join(
            f"{m[4]} {sum(FLAGS.get(w, 0) for w in m[5].split(','))}\n"
            for m in mounts
            if m[4] not in OWN and not m[4].startswith("/proc/")))

    def pid1(self, step):
        return read(f"/proc/{self.task(step)}/task/{self.task(step)}/"
                    "children").split()[0]

    def begin(self, n):
        # slurmstepd's number of a batch script is what is asked for.
        step = self.fresh(COUNT.replace("{n}", str(n)), "-j", str(JOB),
                          frozen=True)
        wait_until(lambda: len(read(self.out).splitlines()) > 5, "progress")
        return step

    def begin_and_save(self, n=100):
        step = self.begin(n)
        self.note_places(step)
        self.freeze()
        done = self.store()
        assert done.returncode == 0, done
        assert not self.left(), self.left()
        self.kill(step)
        return json.loads(done.stdout.splitlines()[-1])


def it_goes_on_from_the_stream(bed):
    n = 100
    said = bed.begin_and_save(n)
    assert said["memory"] > 100000 and 0 < said["bytes"] < said["memory"], said
    assert bed.stream.stat().st_size == said["bytes"], said
    folder = bed.folder()
    done = bed.fetch(folder)
    assert done.returncode == 0, done
    came = json.loads(done.stdout)
    assert came["restarts"] == 2 and abs(came["made_s"] - time.time()) < 60
    step = bed.restore(folder, "-j", str(JOB), frozen=True)
    lines = bed.finish(step, log=folder).splitlines()
    assert lines[0] == lines[-1] and lines[0].startswith("I am "), lines
    assert lines[1:-1] == [str(i) for i in range(1, n + 1)], lines


def stages_are_told(bed):
    step = bed.begin(100)
    bed.freeze()
    done = bed.store("--progress")
    stages = [json.loads(line).get("stage") for line in
              done.stdout.splitlines()]
    assert done.returncode == 0 and stages[0] == "dump" and \
        stages[-1] is None, done
    bed.kill(step)


def begin_before(bed):
    return subprocess.Popen(
        bed.image("save", f"--job={JOB}", "--restarts=2", "--progress",
                  "--cause=periodic", "--pre", str(bed.cgroup)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)


def until_stop(save):
    stages = [json.loads(save.stdout.readline())["stage"] for _ in range(2)]
    assert stages == ["pre", "stop"], stages


def it_says_when_the_job_is_to_stand_still(bed):
    """And is told when it does."""
    step = bed.begin(200)
    with begin_before(bed) as save:
        until_stop(save)
        before = read(bed.out)
        wait_until(lambda: len(read(bed.out)) > len(before), "it runs")
        assert save.poll() is None
        bed.freeze()
        out, err = save.communicate("\n", timeout=60)
    said = [json.loads(line) for line in out.splitlines()]
    assert save.returncode == 0 and said[0]["stage"] == "dump", (out, err)
    assert said[-1]["pre_ms"] > 0 and said[-1]["memory"] > 100000, said
    assert not bed.left(), bed.left()
    bed.kill(step)


def it_may_be_ended_before_the_job_stands_still(bed):
    step = bed.begin(100)
    with begin_before(bed) as save:
        until_stop(save)
        save.send_signal(signal.SIGTERM)
        _, err = save.communicate(timeout=30)
    assert save.returncode == FAILED and "told to stop" in err, err
    assert not bed.left(), bed.left()
    assert bed.finish(step).count("\n") == 102


def refused(_, done, reason, status=UNFIT):
    lines = done.stderr.splitlines()
    assert done.returncode == status and len(lines) == 1 and \
        reason in lines[0], (done, reason)
    if status == UNFIT:
        assert json.loads(done.stdout) == {"number": 0}, done
    assert lines[0].isprintable(), lines


def refused_and_gone(bed, reason, status=UNFIT, **more):
    folder = bed.folder()
    refused(bed, bed.fetch(folder, **more), reason, status)
    assert not list(folder.iterdir()), list(folder.iterdir())


def what_is_not_this_job_is_refused(bed):
    bed.begin_and_save()
    refused_and_gone(bed, "of step 7.", job=8)
    refused_and_gone(bed, "of user", uid=UID + 1)
    refused_and_gone(bed, "of user", gid=UID + 1)
    text = bed.conf.read_text()
    bed.conf.write_text(text.replace("lab", "bar"))
    try:
        refused_and_gone(bed, 'of cluster "lab"')
    finally:
        bed.conf.write_text(text)


def what_this_machine_has_not_is_refused(bed):
    bed.begin_and_save()
    lines = bed.places.read_text().splitlines(keepends=True)
    usr = next(i for i, line in enumerate(lines) if line.startswith("/usr "))
    other = bed.images / "other-places"
    other.write_text("".join(lines[:usr] + lines[usr + 1:]))
    refused_and_gone(bed, "/usr", places=other)
    other.write_text("".join(lines[:usr] + ["/usr 0\n"] + lines[usr + 1:]))
    refused_and_gone(bed, "/usr", places=other)
    other.write_text("".join(lines) + "usr 0\n")
    refused_and_gone(bed, f":{len(lines) + 1}: not ", FAILED, places=other)
    small = bed.images / "small-walls"
    for limit, reason in (("scratch=1048576", "options have"),
                          ("open_files=512", "limit 7"),
                          ("tasks=100", "limit 6")):
        key = limit.split("=", maxsplit=1)[0]
        small.write_text(re.sub(f"{key}=.*", limit, bed.walls.read_text()))
        refused_and_gone(bed, reason, walls=small)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def a_stream_that_was_changed_is_refused(bed):
    bed.begin_and_save()
    whole = bed.stream.read_bytes()
    folder = bed.folder()
    assert bed.fetch(folder).returncode == 0
    good = contents(folder)
    for torn in (0, 1, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        bed.stream.write_bytes(whole[:torn])
        refused_and_gone(bed, "no whole image")
    bed.stream.write_bytes(whole + b"x")
    refused_and_gone(bed, "behind its end")
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        bed.stream.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) +
                               whole[at + 1:])
        other = bed.folder()
        done = bed.fetch(other)
        # zstd has a bit here and there that means nothing.
        if done.returncode == 0:
            assert contents(other) == good, at
        else:
            refused(bed, done, "")
            assert not list(other.iterdir())
    bed.stream.write_bytes(whole)
    refused(bed, bed.fetch(folder), "is not empty", FAILED)
    assert contents(folder) == good
    folder = bed.folder()
    folder.chmod(0o755)
    refused(bed, bed.fetch(folder), "root's alone", FAILED)


def what_can_not_be_saved_is_named(bed):
    step = bed.fresh("#!/usr/bin/python3\nimport ctypes, os, time\n"
                     "m = ctypes.CDLL('librt.so.1')\n"
                     "assert m.mq_open(b'/q', os.O_CREAT | os.O_RDWR, 0o600, "
                     "None) >= 0\nprint('there', flush=True)\n"
                     "time.sleep(1)\nprint('end', flush=True)\n",
                     "-j", str(JOB), frozen=True)
    wait_until(lambda: "there" in read(bed.out), "progress")
    refused(bed, bed.store(), "message queue", UNMOVABLE)
    assert not bed.left() and bed.finish(step).endswith("end\n")


def it_must_be_the_job_that_was_meant(bed):
    step = bed.begin(60)
    refused(bed, bed.store(job=8), "has job 7, not 8", FAILED)
    refused(bed, bed.store(what="/sys/fs/cgroup/nothing"), "no process",
            FAILED)
    assert not bed.left()
    assert bed.finish(step).splitlines()[-2] == "60"


def what_a_killed_one_left_is_removed(bed):
    step = bed.begin(200)
    bed.freeze()
    with subprocess.Popen(bed.image("save", f"--job={JOB}", "--restarts=0",
                                    str(bed.cgroup)),
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as save:
        wait_until(lambda: bed.left() or save.poll() is not None, "a folder")
        save.kill()
    left = bed.left()
    done = bed.store()
    assert len(left) == 1 and done.returncode == 0, (left, done)
    assert not bed.left()
    with subprocess.Popen(bed.image("save", f"--job={JOB}", "--restarts=0",
                                    str(bed.cgroup)),
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as save:
        wait_until(lambda: bed.left() or save.poll() is not None, "a folder")
        save.send_signal(signal.SIGTERM)
        _, err = save.communicate(timeout=30)
    assert save.returncode in (0, FAILED), err
    assert not bed.left(), (bed.left(), err)
    bed.kill(step)


if __name__ == "__main__":
    if not pathlib.Path(IMAGE).exists() or not os.access(IMAGE, os.X_OK):
        skip("slurm-volunteer-image is not built")
    the_bed = CarryBed()
    if not the_bed.require():
        the_bed.close()
        skip("no ids of a job's own on this machine")
    the_bed.require_criu()
    main(the_bed, [it_goes_on_from_the_stream, stages_are_told,
                   it_says_when_the_job_is_to_stand_still,
                   it_may_be_ended_before_the_job_stands_still,
                   what_is_not_this_job_is_refused,
                   what_this_machine_has_not_is_refused,
                   a_stream_that_was_changed_is_refused,
                   what_can_not_be_saved_is_named,
                   it_must_be_the_job_that_was_meant,
                   what_a_killed_one_left_is_removed])
