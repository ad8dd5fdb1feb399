# SPDX-License-Identifier: GPL-2.0-or-later
"""sandbox.py - what the walls around a task cost

Steps of one allocation on two devices that are alike, in turn: the walls of one
are up, those of the other down, and after half of the rounds the other way
round.  start: from before srun until the task's first instruction; whole: until
srun has ended.  ratio: run time of a program with walls, divided by without.

--try FILE: also tests/sandbox/sandbox-try of a built tree, which builds the same
walls without Slurm, beside the program alone.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from figures import figure, percentiles, progress  # noqa: E402
from lab import Lab  # noqa: E402
import native  # noqa: E402
import walls  # noqa: E402

NODES = ("desk1", "desk2")
WORK = "/campaign/alice/work"
KINDS = {"cpu": "CPU-bound", "files": "syscall-bound", "io": "I/O-bound",
         "null": "empty system calls"}
# What each node's tasks took, a line a round: node, start and whole in us, or
# node and seconds.
STEP = "srun --jobid={} --overlap -N1 -n1"
STARTS = """\
for i in $(seq {n}); do
	for node in {nodes}; do
		s=${{EPOCHREALTIME/./}}
		t=$({step} -w $node {work} now)
		e=${{EPOCHREALTIME/./}}
		echo $node $((${{t/./}} - s)) $((e - s))
	done
done
"""
RUNS = """\
for i in $(seq {n}); do
	for node in {nodes}; do
		echo $node $({step} -w $node {work} {kind})
	done
done
"""


def turns(lab, job, script, rounds, **words):
    """Both ways round: what the script says of a task with walls, and of one
    without; two lists of lists."""
    step = STEP.format(job)
    up, down = [], []
    for bare in NODES:
        with walls.down(lab, bare):
            # The first step of a node makes what all need.
            for node in NODES:
                lab.alice(f"{step} -w {node} true")
            said = lab.alice(script.format(
                n=-(-rounds // 2), nodes=" ".join(NODES), step=step, work=WORK,
                **words), timeout=1200)
        for line in said.splitlines():
            node, *values = line.split()
            (down if node == bare else up).append([float(v) for v in values])
    return up, down


def allocation(lab):
    """One job on both devices, for all steps."""
    done = lab.proc("controller", "cd /campaign/alice && salloc --no-shell -N2 "
                    f"-p volunteer -w {','.join(NODES)} --mem=200", user="alice")
    return done.stderr.split("allocation ")[-1].split()[0]


def added(metric, up, down, how, bare):
    """Figures of times in ms, and what the walls add."""
    percentiles("sandbox", "slurm-volunteer", up, "ms", of=metric, how=how)
    percentiles("sandbox", bare, down, "ms", of=metric, how=how)
    figure("sandbox", "slurm-volunteer", f"{metric}_added_p50",
           statistics.median(up) - statistics.median(down), "ms", len(up),
           how=how)


def in_slurm(args):
    lab = Lab("volbench", "10.214.77")
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and two devices")
    try:
        lab.cluster("up", "--devices", "2", timeout=1500)
        lab.wait_idle(NODES, 120)
        lab.host("docker", "cp", str(native.build("work")),
                 f"{lab.container('controller')}:{WORK}")
        job = allocation(lab)
        progress(f"{args.starts} starts on each side")
        up, down = turns(lab, job, STARTS, args.starts)
        for column, metric in enumerate(("start", "whole")):
            added(metric, *([line[column] / 1e3 for line in side]
                            for side in (up, down)), "srun", "slurm")
        for kind, name in KINDS.items():
            progress(f"{args.rounds} runs of a program: {name}")
            sides = [[line[0] for line in side] for side in
                     turns(lab, job, RUNS, args.rounds, kind=kind)]
            # The least of many is what disturbed a run least.
            for metric, pick in (("runtime_ratio", statistics.median),
                                  ("runtime_ratio_of_minima", min)):
                up, down = map(pick, sides)
                figure("sandbox", "slurm-volunteer", metric, up / down, "",
                       args.rounds, of=name, seconds=round(up, 3),
                       bare_seconds=round(down, 3))
    finally:
        lab.cluster("down", timeout=120)


def without_slurm(program, n):
    """The walls alone, around a program that says when it began."""
    date = ["date", "+%s.%6N"]
    commands = [[str(program), "-", "--", *date], date]
    times = [([], []), ([], [])]
    for _ in range(n):
        for command, (begun, ended) in zip(commands, times):
            start = time.time()
            said = subprocess.run(command, check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            ended.append(1e3 * (time.time() - start))
            begun.append(1e3 * (float(said) - start))
    for metric, up, down in zip(("start", "whole"), *times):
        added(metric, up, down, "sandbox-try", "bare")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--try", dest="program", type=pathlib.Path,
                        help="sandbox-try of a built tree")
    parser.add_argument("--skip-slurm", action="store_true")
    args = parser.parse_args()
    if args.program:
        progress(f"{args.starts} starts without Slurm")
        without_slurm(args.program, args.starts)
    if not args.skip_slurm:
        in_slurm(args)


if __name__ == "__main__":
    main()
