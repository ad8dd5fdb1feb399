# SPDX-License-Identifier: GPL-2.0-or-later
"""stops.py - for how long a job stands still when it is saved and goes on

The job says so itself (ballast.c); slurm-volunteer-checkpoint is asked in
slurmd's domain, as discoveryd does.
"""
import shlex

from guest import wait

SOCKET = "/run/slurm-volunteer/checkpoint"
# Words in, the answer out; its status is the command's.
ASK = """\
use Socket;
socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die $!;
connect($s, sockaddr_un(shift)) or die $!;
send($s, join("", map { "$_\\0" } @ARGV), 0) or die $!;
recv($s, my $said, 2048, 0);
print substr($said, 1);
exit ord $said;
"""
BALLAST = """\
#!/bin/bash
mkdir -p /campaign/$SLURM_JOB_ID
exec ballast {megabytes} {steps} /campaign/$SLURM_JOB_ID
"""


def submit(bed, megabytes, steps, options):
    """A job with so much memory that goes so many steps; its id."""
    return bed.submit(BALLAST.format(megabytes=megabytes, steps=steps),
                      f"-w desk {options}")


def ask(bed, *words):
    words = " ".join(map(shlex.quote, words))
    return bed.desk.run(f"perl -e {shlex.quote(ASK)} {SOCKET} {words}",
                        timeout=300)


def gaps(bed, job):
    """Milliseconds of each time that it did not run, so far."""
    text = bed.desk.run(f"cat /campaign/{job}/gaps 2> /dev/null || true")
    return [int(line.split()[1]) for line in text.splitlines()]


def longest(bed, job, command):
    """The longest of them during a command, ms."""
    before = len(gaps(bed, job))
    command()
    ticks = bed.ticks(job)
    wait("it goes on", lambda: bed.ticks(job) > ticks + 3, 120)
    return max(gaps(bed, job)[before:], default=0)


def measure(bed, job, before):
    """Have it saved; what was written before that, if anything, and for how
    long it stood still: {"pre_ms":, "stop_ms":}."""
    folder = bed.desk.run(
        "mktemp -d /var/lib/slurm-volunteer/stop.XXXXXX").strip()
    task = bed.desk.run("pgrep -x vol-supervise").strip()
    try:
        pre_ms = longest(bed, job, lambda: ask(bed, "pre", task, folder)) \
            if before else 0
        there = bed.desk.run(f"ls {folder}").split()
        assert there == (["pre"] if before else []), there
        stop_ms = longest(bed, job,
                          lambda: ask(bed, "-p", "dump", task, folder))
        assert bed.desk.run(f"ls {folder}").split() == ["img", "step"]
    finally:
        bed.desk.run(f"rm -rf {folder}")
    return {"pre_ms": pre_ms, "stop_ms": stop_ms}
