# SPDX-License-Identifier: GPL-2.0-or-later
"""sim.py - what selection saves, on owners and jobs that are simulated

bench/sim on the week that was never used for tuning: each pattern, load and
policy; ratios of wasted work; calibration of the model; and the time that an
outlook and a score take.  The same figures on every machine, but for the last.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "bench")]

from figures import figure, progress  # noqa: E402

SUBJECTS = {"ours": "slurm-volunteer",
            "order-only": "slurm-volunteer-order-only"}


def simulate(*options):
    """The simulator's figures."""
    progress(f"bench/sim {' '.join(options)}")
    out = subprocess.run([str(TOP / "bench" / "sim"), "--json", *options],
                         check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in out.stdout.splitlines()]


def show(row):
    row = dict(row)
    row["subject"] = SUBJECTS.get(row["subject"], row["subject"])
    figure(**row)


def ratios(rows):
    """Ours by the others', per case and on average: the mean of the cases'
    ratios, and the ratio of the sums."""
    wasted = collections.defaultdict(dict)
    for row in rows:
        if row["metric"] == "wasted":
            wasted[row["load"], row["pattern"]][row["subject"]] = row["value"]
    for ours in SUBJECTS:
        for other in ("longest-idle", "oracle"):
            for load in sorted({load for load, _ in wasted}):
                cases = [case for key, case in wasted.items()
                         if key[0] == load]
                each = [case[ours] / case[other] for case in cases
                        if case[other] > 0]
                keys = {"to": other, "load_of_devices": load}
                if each:
                    figure("sim", SUBJECTS[ours], "ratio",
                           sum(each) / len(each), "", len(each),
                           pattern="mean", **keys)
                total = sum(case[other] for case in cases)
                if total > 0:
                    figure("sim", SUBJECTS[ours], "ratio",
                           sum(case[ours] for case in cases) / total, "",
                           len(cases), pattern="sum", **keys)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    seeds = ("--seeds", str(args.seeds))
    rows = simulate(*seeds)
    for row in rows:
        # figure() has a load of its own, that of the machine.
        show({("load_of_devices" if key == "load" else key): value
              for key, value in row.items()})
    ratios(rows)
    for row in simulate("--calibration", *seeds):
        show(row)
    for row in simulate("--speed"):
        show(row)


if __name__ == "__main__":
    main()
