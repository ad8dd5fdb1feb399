# SPDX-License-Identifier: GPL-2.0-or-later
"""join.py - how long until a device is a node, and until it works

  cold               start of discoveryd, nothing remembered, controller found
                     by mDNS -> node idle in sinfo
  known              the same, controller remembered
  first_instruction  node idle -> first instruction of a job that was waiting

Beside it, in the same run and container, plain `slurmd -Z` started by hand,
with Slurm's default scheduler settings and with the packaged ones.

All clocks are CLOCK_REALTIME of one kernel.  The watcher on the controller
polls sinfo back to back, so "idle" is seen up to one sinfo (about 10 ms) late.
"""
import argparse
import pathlib
import shlex
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from extra import extra_device  # noqa: E402
from figures import percentiles, progress  # noqa: E402
from lab import Lab  # noqa: E402

STATE = "/var/lib/slurm-volunteer"
SEEN = "/campaign/alice/first"
FRAGMENT = "/etc/slurm/slurm-volunteer.conf"

# Says when a new node whose name begins with the argument is idle.
WATCH = r"""
while :; do
	sinfo -h -N -p volunteer -t idle -o '%N %T' |
		grep -q "^$0[^ ]* idle$" && break
done
date +%s.%N
"""


class Bench:
    """A lab with one device whose discoveryd we start and stop."""

    def __init__(self, lab):
        self.lab = lab

    def waiting_job(self):
        """A job that can only start on the device we are about to start."""
        self.lab.alice(f"rm -f {SEEN}; sbatch -p volunteer --mem=20 "
                       f"-o /dev/null --wrap 'date +%s.%N > {SEEN}'")

    def trial(self, name, start):
        """Run start in the device; -> (start to idle, idle to job)."""
        lab = self.lab
        self.waiting_job()
        # Into the host's own cgroup and its namespace first: docker exec
        # leaves us outside, where slurmd could not make its own.
        script = (f"date +%s.%N; {start} </dev/null "
                  ">>/var/log/testbed/bench.log 2>&1 & sleep 0.01")
        # The watcher polls before there is anything to see.
        with subprocess.Popen(
                ["docker", "exec", lab.container("controller"), "bash", "-c",
                 f"echo ready; exec timeout 60 bash -c '{self.watch()}' {name}"],
                stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout.readline() == "ready\n"
            began = float(lab.run(
                "bench", "echo $$ > /sys/fs/cgroup/init.scope/cgroup.procs; "
                "exec nsenter --cgroup --target 1 bash -c "
                f"{shlex.quote(script)}", timeout=60))
            idle = float(watcher.communicate(timeout=70)[0])
        first = float(lab.wait("the job's first instruction", lambda: lab.ctl(
            f"cat {SEEN} 2>/dev/null"), 120))
        lab.wait_no_jobs(60)
        # A job that began before sinfo was asked again shows as negative.
        return idle - began, max(0.0, first - idle)

    @staticmethod
    def watch():
        # "allocated" counts too: the job may start before sinfo looks.
        return (WATCH.replace("-t idle ", "-t idle,alloc,mixed ")
                .replace(" idle$", " [a-z]*$").replace("'", "'\\''").strip())

    def stop(self, name):
        """Stop the device's daemons and take its node out of Slurm."""
        lab = self.lab
        lab.run("bench", "pkill -TERM -x discoveryd; "
                "for i in $(seq 100); do pgrep -x discoveryd >/dev/null || "
                "break; sleep 0.1; done; pkill -x slurmd; pkill -x slurmd-wlm;"
                " sleep 0.2; true")
        for node in lab.nodes():
            if node.startswith(name):
                lab.ctl(f"scontrol update nodename={node} state=down "
                        f"reason=bench; scontrol delete nodename={node}; true")


def run_volunteer(bench, trials):
    """discoveryd, cold and known."""
    start = "discoveryd --role device"
    samples = {"cold": [], "known": [], "first_instruction": []}
    for case in ("cold", "known"):
        for i in range(trials):
            if case == "cold":
                bench.lab.run("bench", f"rm -rf {STATE}/*")
            idle, first = bench.trial("bench", start)
            samples[case].append(idle)
            samples["first_instruction"].append(first)
            bench.stop("bench")
            progress(f"discoveryd, {case}, {i + 1} of {trials}: idle after "
                     f"{idle:.3f} s, job {first:.3f} s later")
    for case, values in samples.items():
        percentiles("join", "slurm-volunteer", values, "s", case=case)


def run_plain(bench, trials, settings):
    """slurmd -Z by hand, as an admin would start it."""
    slurmd = bench.lab.run("bench", "sed -n 's/^slurmd *= *//p' "
                           "/etc/slurm-volunteer/device.conf") or "slurmd"
    start = (f"{slurmd} -D -Z -N plain --conf-server controller:6817 "
             "--conf 'CPUs=2 RealMemory=2000 Feature=volunteer'")
    idles, firsts = [], []
    for i in range(trials):
        idle, first = bench.trial("plain", start)
        idles.append(idle)
        firsts.append(first)
        bench.stop("plain")
        progress(f"slurmd -Z, {settings} scheduler, {i + 1} of {trials}: idle "
                 f"after {idle:.3f} s, job {first:.3f} s later")
    percentiles("join", "slurm", idles, "s", case="idle", scheduler=settings)
    percentiles("join", "slurm", firsts, "s", case="first_instruction",
                scheduler=settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--default-trials", type=int, default=3,
                        help="with default scheduler settings: 20 s each")
    args = parser.parse_args()
    lab = Lab("volbench", "10.214.77")
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and one device")
    lab.cluster("up", "--devices", "1", timeout=1500)
    try:
        with extra_device(lab, "bench", "bench", {"VOLUNTEER_HOLD": "yes"}):
            lab.ctl("scontrol update nodename=desk1 state=drain reason=bench")
            lab.wait("dbus and avahi are up", lambda: lab.run(
                "bench", "pgrep -x avahi-daemon"), 60)
            time.sleep(5)  # Avahi's own start-up is not the question here.
            # Nor is for how long an owner wants to be away before.
            lab.run("bench", "sed -i 's/^idle_after.*/idle_after = 0s/' "
                    "/etc/slurm-volunteer/device.conf")
            bench = Bench(lab)
            run_volunteer(bench, args.trials)
            run_plain(bench, args.trials, "packaged")
            lab.ctl(f"cp {FRAGMENT} /tmp/saved; "
                    f"sed -i '/^SchedulerParameters/d' {FRAGMENT}; "
                    "scontrol reconfigure")
            run_plain(bench, args.default_trials, "default")
    finally:
        lab.cluster("down", timeout=120)


if __name__ == "__main__":
    main()
