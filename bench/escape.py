#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""escape - the escape battery in our jobs, in plain Slurm's and in sandboxes
that others make: how many attempts of each group are blocked

One desktop of the test bed, one set of victims; see tests/cluster/escape.
"""
import argparse
import collections
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "cluster"))
sys.path.insert(0, str(TOP / "bench" / "peers"))

import attempts  # noqa: E402
from attempts import BLOCKED, REACHED  # noqa: E402
from battlefield import Battlefield, walls_down  # noqa: E402
from figures import figure, progress  # noqa: E402
from lab import Lab  # noqa: E402
import sandboxes  # noqa: E402

SUBMITTED = "slurm (submitted)"


def group_of(attempt):
    return SUBMITTED if attempt.where == "controller" else attempt.group


def tally(subject, chosen, results):
    """Figures of one subject; {group: (blocked, tried)}."""
    counts = collections.defaultdict(lambda: [0, 0])
    for attempt in chosen:
        result = results[attempt.name]
        if result.status not in (REACHED, BLOCKED):
            # Nothing is proven by what could not be made.
            progress(f"{subject}: {attempt.name}: {result}")
            continue
        counts[group_of(attempt)][0] += result.status == BLOCKED
        counts[group_of(attempt)][1] += 1
        if subject == "slurm-volunteer" and result.status == REACHED:
            progress(f"{subject}: {attempt.name}: {result}")
    for group, (blocked, tried) in sorted(counts.items()):
        figure("escape", subject, "blocked", blocked, "attempts", tried,
               group=group)
    return counts


def measure(field, wanted):
    """{subject: counts}"""
    everything = attempts.everything()
    in_job = [a for a in everything if a.where == "job"]
    bare = field.look(field.bare(in_job), in_job)
    # What the kernel blocks by itself says nothing of any sandbox.
    in_job = [a for a in in_job if bare[a.name].status == REACHED]
    field.clean()
    # Others start programs; only Slurm writes files and runs epilogs.
    submitted = [a for a in everything if a.where == "controller"]
    table = {}

    def slurm():
        return field.look(field.in_job(in_job), in_job) | \
            field.submit_all(submitted)

    if "slurm-volunteer" in wanted:
        table["slurm-volunteer"] = tally("slurm-volunteer",
                                         in_job + submitted, slurm())
    for peer in sandboxes.PEERS:
        if peer.name not in wanted:
            continue
        progress(f"{peer.name}: {peer.command}")
        results = field.look(peer.run(field, in_job), in_job)
        table[peer.name] = tally(peer.name, in_job, results)
        field.clean()
    if "slurm" in wanted:
        with walls_down(field.lab):
            table["slurm"] = tally("slurm", in_job + submitted, slurm())
    return table


def show(table):
    """The table of bench/README.md, to stderr."""
    groups = sorted({group for counts in table.values() for group in counts})
    progress("| blocked of tried | " + " | ".join(table) + " |")
    progress("|---|" + "---|" * len(table))
    for group in groups + ["all"]:
        cells = []
        for counts in table.values():
            if group == "all":
                blocked = sum(c[0] for c in counts.values())
                tried = sum(c[1] for c in counts.values())
            else:
                blocked, tried = counts.get(group, (0, 0))
            cells.append(f"{blocked} of {tried}" if tried else "")
        progress(f"| {group} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    subjects = ["slurm-volunteer", *(p.name for p in sandboxes.PEERS), "slurm"]
    parser.add_argument("--subjects", default=",".join(subjects),
                        help="of " + ", ".join(subjects))
    args = parser.parse_args()
    lab = Lab("volbench", "10.214.77")
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and two devices")
    lab.cluster("up", "--devices", "2", timeout=1500)
    field = Battlefield(lab)
    try:
        field.up()
        sandboxes.install(field)
        show(measure(field, args.subjects.split(",")))
    finally:
        lab.cluster("down", timeout=120)


if __name__ == "__main__":
    main()
