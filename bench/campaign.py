# SPDX-License-Identifier: GPL-2.0-or-later
"""campaign.py - a campaign on devices whose owners come and go all the time

An array of tasks, each of which works in units and notes each one, with the CPU
time that it took, when it is done.  At first with jobs that are saved when they
have to leave, then the same without, with the same owners.

  right      results that are there exactly once, and are what they should be
  lost       CPU time of units that had to be done again
  wasted     that in relation to the units' that count
  moves      how often a task that had begun had to leave, goes_on: and went on
             where it was
  makespan   from the first task's start until the last one's end

An owner comes after a time that is random, exponentially distributed, and stays
for another such time.  Who stays for longer than --patience sends the jobs away.
"""
import argparse
import hashlib
import pathlib
import random
import re
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from figures import figure, progress  # noqa: E402
from lab import Lab  # noqa: E402
import migrating  # noqa: E402
import parked  # noqa: E402

FOLDER = "/campaign/alice/bench"
ROUNDS = 3000  # of SHA-256 in each unit: some milliseconds
TASK = """\
#!/bin/bash
echo starts
exec python3 -u - {units} {pause} <<'END'
import hashlib, os, sys, time
task, state = os.environ["SLURM_ARRAY_TASK_ID"], b""
with open("units." + task, "a", buffering=1) as units:
    for unit in range(int(sys.argv[1])):
        began = time.process_time()
        for _ in range(3000):
            state = hashlib.sha256(state + task.encode()).digest()
        units.write(f"{{unit}} {{time.process_time() - began:.6f}}\\n")
        time.sleep(float(sys.argv[2]))
print("result", task, state.hex())
END
"""


def expected(task, units):
    state = b""
    for _ in range(units * ROUNDS):
        state = hashlib.sha256(state + str(task).encode()).digest()
    return state.hex()


class Owners:
    """One thread for each device, until told to stop."""

    def __init__(self, lab, nodes, args):
        self.lab, self.args, self.arrivals = lab, args, 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.live, args=(n,))
                        for n in nodes]
        for thread in self.threads:
            thread.start()

    def live(self, node):
        """Of each device the same every time."""
        rng = random.Random(f"{self.args.seed} {node}")
        while not self.over.wait(rng.expovariate(1 / self.args.away)):
            parked.owner(self.lab, node, "present")
            self.arrivals += 1
            self.over.wait(rng.expovariate(1 / self.args.present))
            parked.owner(self.lab, node, "away")

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def run(lab, nodes, args, options):
    """The campaign, once; seconds, and how often an owner came."""
    lab.ctl(f"rm -rf {FOLDER} && install -d -o alice {FOLDER}")
    lab.wait_idle(nodes, 120)
    began = time.monotonic()
    lab.proc("controller", f"cd {FOLDER} && sbatch --parsable -p volunteer -c1 "
             f"--mem=60 --array=1-{args.tasks} -o out.%a --open-mode=append "
             f"{options}", user="alice",
             stdin=TASK.format(units=args.units, pause=args.pause))
    owners = Owners(lab, nodes, args)
    try:
        lab.wait("the end of the campaign", lambda: time.monotonic() >
                 began + args.seconds or not lab.jobs(), args.seconds + 60,
                 every=1)
    finally:
        owners.stop()
    if lab.jobs():
        progress(f"{len(lab.jobs())} tasks are left when owners stay away")
    lab.wait("the last task's end", lambda: not lab.jobs(), args.rest, every=1)
    return time.monotonic() - began, owners.arrivals


def judge(lab, args):
    """What is in the folder, as a dictionary."""
    out = lab.ctl(f"cd {FOLDER} && cat out.*", timeout=120)
    results = re.findall(r"^result (\d+) ([0-9a-f]{64})$", out, re.M)
    right = sum(results.count((str(task), expected(task, args.units))) == 1
                for task in range(1, args.tasks + 1))
    starts = len(re.findall("^starts$", out, re.M))
    goes_on = len(migrating.GOES_ON.findall(out))
    done, useful = 0.0, 0.0
    text = lab.ctl(f"cd {FOLDER} && for f in units.*; do echo \"task $f\"; "
                   "cat $f; done", timeout=120)
    for part in text.split("task ")[1:]:
        units = [line.split() for line in part.splitlines()[1:]]
        done += sum(float(cpu) for _, cpu in units)
        useful += sum({unit: float(cpu) for unit, cpu in units}.values())
    return {"right": right, "results": len(results), "done": done,
            "useful": useful,
            "moves": starts - args.tasks + goes_on, "goes_on": goes_on}


def measure(lab, nodes, args, subject, options):
    took, arrivals = run(lab, nodes, args, options)
    said = judge(lab, args)
    keys = {"devices": args.devices, "tasks": args.tasks,
            "owners_s": args.seconds, "arrivals": arrivals}
    lost = said["done"] - said["useful"]
    progress(f"{subject}: {took:.0f} s, {arrivals} arrivals, {said}")
    for metric, value, unit in (
            ("right", said["right"], "tasks"),
            ("useful", said["useful"], "s"), ("lost", lost, "s"),
            ("wasted", 100 * lost / said["useful"], "%"),
            ("moves", said["moves"], ""), ("goes_on", said["goes_on"], ""),
            ("makespan", took, "s")):
        figure("campaign", subject, metric, value, unit, args.tasks, **keys)
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--units", type=int, default=80, help="of each task")
    parser.add_argument("--pause", type=float, default=0.2,
                        help="seconds between two units, so that a machine can "
                        "play many")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=600,
                        help="in which owners come")
    parser.add_argument("--away", type=float, default=20, help="mean seconds")
    parser.add_argument("--present", type=float, default=8,
                        help="mean seconds")
    parser.add_argument("--patience", default="2s", help="parked_max")
    parser.add_argument("--rest", type=int, default=900,
                        help="seconds for what is left when owners stay away")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--project", default="volbench")
    parser.add_argument("--subnet", default="10.214.77")
    args = parser.parse_args()
    lab = Lab(args.project, args.subnet)
    nodes = [f"desk{i + 1}" for i in range(args.devices)]
    lab.cluster("down", timeout=120)
    progress(f"bringing up a controller and {args.devices} devices")
    try:
        lab.cluster("up", "--devices", str(args.devices), timeout=1500)
        lab.wait_idle(nodes, 120)
        for node in nodes:
            lab.run(node, "volunteer set interactive_max=0 && "
                    f"volunteer set parked_max={args.patience}")
        saved = measure(lab, nodes, args, "slurm-volunteer",
                        "--volunteer-checkpoint=on-evict")
        # One that has to leave between its last line and its end has said all
        # of it twice: that much is normal for jobs that begin anew.
        measure(lab, nodes, args, "slurm-volunteer, nothing saved", "")
        assert saved["right"] == saved["results"] == args.tasks, saved
    finally:
        lab.cluster("down", timeout=120)


if __name__ == "__main__":
    main()
