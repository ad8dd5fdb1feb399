# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel, its CRIU, and our units: an owner stays, and what ran goes
on when the machine is free again"""
import re

import stops
from guest import wait

OUTPUT = "/campaign/moved"
STEPS = 150
# Of which a window of one MiB is written to, and moves.
MEGABYTES = 200
STOPPED = re.compile(r"goes on, saved as image \d+ \(stopped for (\d+) ms\)")
GOES_ON = re.compile(r"^volunteer: goes on from image \d+, made \S+ ago on desk$",
                     re.M)


def output(bed, job):
    return bed.desk.run(f"cat {OUTPUT}.{job}")


def test_the_desktop_says_that_jobs_can_go_on(bed):
    wait("it is known", lambda: "can be saved and go on here" in bed.desk.run(
        "journalctl -o cat -u slurm-volunteer-device"), 90)


def test_a_job_goes_on_after_its_owner_has_gone(bed):
    bed.configure(parked_max="3s")
    job = bed.count(STEPS, "-w desk --volunteer-checkpoint=on-evict "
                    f"--open-mode=append -o {OUTPUT}.%j")
    bed.running(job)
    wait("it is under way", lambda: bed.ticks(job) > STEPS // 10, 60)
    with bed.typing():
        wait("it waits", lambda: bed.job(job)["JobState"] == "PENDING", 150)
        ticks = bed.ticks(job)
        assert STEPS // 10 < ticks < STEPS
        print(bed.head.run("volunteer checkpoints"))
    wait("it has ended", lambda: bed.job(job)["JobState"] not in (
        "PENDING", "RUNNING", "COMPLETING"), 300)
    said = output(bed, job)
    print(said)
    assert bed.job(job)["JobState"] == "COMPLETED", said
    assert GOES_ON.findall(said), said
    assert bed.job(job)["Restarts"] == "1"
    assert bed.result(job) == bed.counted(STEPS)
    # Nothing of it is left.
    assert bed.desk.run("pgrep -a criu || true") == ""


def test_a_large_job_stands_still_shortly(bed):
    """What was not written to since is written while it runs."""
    job = stops.submit(bed, MEGABYTES, 100000,
                       "--volunteer-checkpoint=on-evict")
    bed.running(job)
    whole = stops.measure(bed, job, before=False)
    rest = stops.measure(bed, job, before=True)
    print(whole, rest)
    assert rest["stop_ms"] < whole["stop_ms"] * 0.6, (whole, rest)
    assert rest["pre_ms"] < whole["stop_ms"] * 0.6, (whole, rest)


def test_a_large_job_that_was_saved_while_it_ran_goes_on(bed):
    """An image of it is made while nobody is there; then the owner comes."""
    megabytes, steps = 48, 4000
    bed.configure(parked_max="3s", checkpoint_every="5s", checkpoint_time="10m")
    bed.head.spawn(f"mkdir -p /tmp/alone && exec ballast {megabytes} {steps} "
                   "/tmp/alone")
    since = bed.desk.run("date '+%F %T'").strip()
    job = stops.submit(bed, megabytes, steps, "--volunteer-checkpoint=5s "
                       f"--open-mode=append -o {OUTPUT}.%j")
    bed.running(job)

    def saved():
        return STOPPED.findall(bed.desk.run(
            f"journalctl -o cat --since '{since}' -u slurm-volunteer-device"))
    wait("an image", saved, 240)
    print("stopped for", saved(), "ms; stood still for", stops.gaps(bed, job))
    assert bed.job(job)["JobState"] == "RUNNING"
    with bed.typing():
        wait("it waits", lambda: bed.job(job)["JobState"] == "PENDING", 240)
    wait("it has ended", lambda: bed.job(job)["JobState"] not in (
        "PENDING", "RUNNING", "COMPLETING"), 600)
    assert bed.job(job)["JobState"] == "COMPLETED", output(bed, job)
    assert GOES_ON.findall(output(bed, job)), output(bed, job)
    alone = wait("the same without all that", lambda: bed.head.run(
        "cat /tmp/alone/result 2> /dev/null || true").strip(), 120)
    assert bed.result(job) == alone
