# SPDX-License-Identifier: GPL-2.0-or-later
"""footprint.py - what the daemons cost a machine on which nothing happens

An idle lab: no job, the owner away, the device open.  Memory (PSS), CPU time
and wake-ups (voluntary context switches of all threads) over one minute, of
discoveryd in both roles and of the slurmd that it runs; beside them all of
HTCondor's daemons on an idle desktop.
"""
import argparse
import pathlib
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from figures import figure, progress  # noqa: E402
from lab import Lab  # noqa: E402
from peers import htcondor  # noqa: E402

# "PID pss KB", "PID ns on a CPU", "PID switches", for each process found.
PROBE = r"""
for pid in $(pgrep "$@"); do
	echo $pid pss $(awk '$1 == "Pss:" { print $2 }' /proc/$pid/smaps_rollup)
	echo $pid ns $(cat /proc/$pid/task/*/schedstat |
		awk '{ n += $1 } END { printf "%.0f", n }')
	echo $pid switches $(cat /proc/$pid/task/*/status |
		awk '$1 == "voluntary_ctxt_switches:" { n += $2 } END { print n }')
done
"""


class Daemons:
    """The processes in a container that pgrep finds."""

    def __init__(self, container, *pgrep):
        self.container = container
        self.pgrep = pgrep
        self.before = self.look()

    def look(self):
        out = htcondor.docker("exec", self.container, "bash", "-c", PROBE,
                              "probe", *self.pgrep)
        seen = {}
        for line in out.splitlines():
            pid, key, value = line.split()
            seen.setdefault(pid, {})[key] = int(value)
        if not seen:
            raise RuntimeError(f"no process {self.pgrep}")
        return seen

    def report(self, subject, seconds, **keys):
        """Figures of the time since we were made."""
        after = self.look()
        if after.keys() != self.before.keys():
            raise RuntimeError(f"{self.pgrep}: processes came or went")

        def used(key):
            return sum(after[pid][key] - self.before[pid][key]
                       for pid in after)
        n = len(after)
        figure("footprint", subject, "pss",
               sum(p["pss"] for p in after.values()) / 1024, "MB", n, **keys)
        figure("footprint", subject, "cpu", used("ns") / seconds / 1e7, "%",
               n, **keys)
        figure("footprint", subject, "wakeups", used("switches") / seconds,
               "1/s", n, **keys)


def idle(seconds, settle, groups):
    """groups: (subject, keys, container, pgrep arguments)."""
    progress(f"{settle} s for start-up to be over, then {seconds} s")
    time.sleep(settle)
    began = time.monotonic()
    watched = [(subject, keys, Daemons(container, *pgrep))
               for subject, keys, container, pgrep in groups]
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    for subject, keys, daemons in watched:
        daemons.report(subject, elapsed, **keys)


def ours(args):
    lab = Lab("volbench", "10.214.77")
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and one device")
    try:
        lab.cluster("up", "--devices", "1", timeout=1500)
        lab.wait_idle(["desk1"], 120)
        controller, desk = (lab.container(name)
                            for name in ("controller", "desk1"))
        idle(args.seconds, args.settle, [
            ("slurm-volunteer", {"role": "device"}, desk,
             ("-x", "discoveryd")),
            ("slurm-volunteer", {"role": "controller"}, controller,
             ("-x", "discoveryd")),
            ("slurm", {"role": "device"}, desk, ("-f", "[s]lurmd .*-Z"))])
        if lab.nodes().get("desk1") != "idle":
            raise RuntimeError("desk1 was not open all the time")
    finally:
        lab.cluster("down", timeout=120)


def peer(args):
    with htcondor.Pool() as pool:
        # Its minutes-long benchmarks are off (see desk.conf).
        idle(args.seconds, args.settle, [
            ("htcondor", {"role": "device"}, pool.desk, ("^condor_",))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--settle", type=int, default=15)
    parser.add_argument("--skip-peers", action="store_true")
    args = parser.parse_args()
    ours(args)
    if not args.skip_peers:
        peer(args)


if __name__ == "__main__":
    main()
