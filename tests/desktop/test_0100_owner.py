# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody touches the keyboard while a job runs"""
import re
import time

import pytest

from guest import wait


def minutes(limit):
    """Slurm's "HH:MM:SS" in minutes."""
    hours, mins, _ = limit.split(":")
    return int(hours) * 60 + int(mins)


def test_key_parks_the_job_until_nobody_is_there(bed):
    job = bed.count(60, "--time=2")
    folders = bed.running(job)
    assert not bed.frozen(folders)
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        start = time.monotonic()
        assert bed.stopped(job, 3)
        assert bed.status()["harvest"] == "parked"
        parked = time.monotonic() - start
    wait("thawed", lambda: not bed.frozen(folders), 30)
    wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED", 120)
    assert bed.result(job) == bed.counted(60)
    shown = bed.job(job)
    assert (shown["Restarts"], shown["NodeList"]) == ("0", "desk")
    # Its time limit has whole minutes, so it may gain a little.
    wait("time given back", lambda: minutes(bed.job(job)["TimeLimit"])
         >= 2 + parked / 60, 60)
    assert minutes(bed.job(job)["TimeLimit"]) == 3


def test_present_owner_sends_the_job_elsewhere(bed):
    bed.configure(parked_max="15s")
    job = bed.count(40)
    folders = bed.running(job)
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        ticks = bed.ticks(job)
        reason = wait("drained", lambda: bed.reason("desk"), 30)
        assert re.match(r"volunteer: owner present since \d\d:\d\d$", reason)
        assert bed.state("desk") in ("draining", "drained")
        wait("requeued and running elsewhere",
             lambda: bed.job(job).get("BatchHost") == "head"
             and bed.job(job)["JobState"] == "RUNNING", 60)
        # Not one step more was done under the owner's fingers.
        assert bed.ticks(job) == ticks
        wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED",
             120)
        assert bed.job(job)["Restarts"] == "1"
        assert bed.result(job, bed.head) == bed.counted(40)
        assert bed.ticks(job) == ticks
        # Its last word on the job that left is slurmd's, in its own time.
        bed.wait_state("desk", "drained")
    bed.wait_open()
    assert bed.reason("desk") == ""


@pytest.mark.parametrize("command, state", [
    ("scancel {}", "CANCELLED"),
    ("scontrol requeue {}", "PENDING"),
])
def test_slurm_ends_a_parked_job(bed, command, state):
    """Slurm thaws what it signals; the job must not get a tick out of it."""
    job = bed.count(1000)
    folders = bed.running(job)
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        ticks = bed.ticks(job)
        bed.head.run(command.format(job))
        wait(state, lambda: bed.job(job)["JobState"] == state, 50)
        wait("its tasks are gone", lambda: bed.desk.status(
            f"ls -d {folders[0]}")[0], 50)
        assert bed.ticks(job) == ticks
