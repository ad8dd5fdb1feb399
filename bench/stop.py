# SPDX-License-Identifier: GPL-2.0-or-later
"""stop.py - for how long a job stands still when it is saved and goes on

In the emulated desktop, whose kernel tells what memory was written since: a job
with --megabytes of memory, of which it changes little, is saved in turns with
all of it written in the stop, and with most written before.  The job says
itself for how long it did not run.
"""
import argparse
import pathlib
import statistics
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "desktop"), str(TOP / "bench")]

from figures import figure, percentiles, progress  # noqa: E402

# With most written before, of the whole; and that takes hold of memory, too.
ALLOWED = 0.3


def measure(megabytes, rounds):
    """Two lists of stops, ms: of the whole, and of the rest; a third one: while
    the pages are taken hold of that are written before."""
    from bed import Bed  # here: it needs QEMU, others do not
    import stops
    whole, rest, before = [], [], []
    with Bed() as bed:
        job = stops.submit(bed, megabytes, 1000000,
                           "--volunteer-checkpoint=on-evict")
        bed.running(job)
        for i in range(rounds):
            whole.append(stops.measure(bed, job, before=False)["stop_ms"])
            both = stops.measure(bed, job, before=True)
            rest.append(both["stop_ms"])
            before.append(both["pre_ms"])
            progress(f"round {i}: {whole[-1]} {both}")
        bed.head.run(f"scancel {job}")
    return whole, rest, before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    try:
        whole, rest, before = measure(args.megabytes, args.rounds)
    except ImportError as error:
        sys.exit(f"stop: no emulated machine here: {error}")
    keys = {"megabytes": args.megabytes, "where": "guest"}
    for case, samples in (("whole", whole), ("rest", rest),
                          ("before", before)):
        percentiles("stop", "slurm-volunteer", samples, "ms", case=case,
                    **keys)
    figure("stop", "slurm-volunteer", "ratio",
           statistics.median(rest) / statistics.median(whole), "",
           args.rounds, allowed=ALLOWED, **keys)


if __name__ == "__main__":
    main()
