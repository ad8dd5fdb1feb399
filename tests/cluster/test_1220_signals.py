# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever Slurm does to a parked job, it does not run under its owner.

Slurm wakes what it signals: it sends SIGCONT, thaws, and gives up to KillWait
(30 s) to a job that ignores SIGTERM, as these do."""
import time

import pytest

import parked
from parked import present

END_S = 5


def aim(lab, job, command):
    """Do that to a parked job; how far it is, and nothing of it later."""
    before = parked.count(lab, "desk1", job)
    lab.ctl(command.format(job=job))
    # Not has_tasks alone: a job that is gone can not prove that it stood.
    lab.wait("no task is left", lambda: not parked.has_tasks(
        lab, "desk1", job), END_S)
    assert parked.count(lab, "desk1", job) == before
    return before


@pytest.mark.parametrize("kind", parked.KINDS)
def test_scancel(lab, kind):
    job = parked.counter(lab, "desk1", body=parked.KINDS[kind])
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        before = aim(lab, job, "scancel {job}")
        lab.wait("the job is gone", lambda: job not in lab.jobs(), END_S)
        assert parked.count(lab, "desk1", job) == before
        assert parked.state(lab, job) == "CANCELLED"


@pytest.mark.parametrize("kind", parked.KINDS)
def test_requeue(lab, kind):
    job = parked.counter(lab, "desk1", body=parked.KINDS[kind])
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        before = aim(lab, job, "scontrol requeue {job}")
        lab.wait("the job is queued", lambda: parked.state(lab, job) in
                 ("PENDING", "RUNNING"), END_S)
        assert parked.count(lab, "desk1", job) == before
    parked.end(lab, job)


def test_suspend_and_resume(lab):
    """Slurm's own suspension is no way around the owner, and no way to lose
    the job: freed by both, it goes on."""
    job = parked.counter(lab, "desk1")
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        before = parked.count(lab, "desk1", job)
        lab.ctl(f"scontrol suspend {job}")
        time.sleep(3)  # its grace of 2 s, after which Slurm freezes itself
        assert parked.state(lab, job) == "SUSPENDED"
        lab.ctl(f"scontrol resume {job}")
        time.sleep(1)
        assert parked.count(lab, "desk1", job) == before
        lab.ctl(f"scontrol suspend {job}")
        time.sleep(3)
        assert parked.count(lab, "desk1", job) == before
    # The owner is away, the admin's suspension is not.
    parked.wait_open(lab, "desk1")
    time.sleep(2)
    assert parked.count(lab, "desk1", job) == before
    lab.ctl(f"scontrol resume {job}")
    parked.moves(lab, "desk1", job)
    parked.end(lab, job)


@pytest.mark.parametrize("kind", parked.KINDS)
def test_time_out(lab, kind):
    """A site may say that parked time counts."""
    conf = "/etc/slurm-volunteer/controller.conf"

    def reload():
        lab.ctl("pkill -HUP -x discoveryd")
        time.sleep(0.5)

    lab.ctl(f"cp -p {conf} /tmp/controller.conf && "
            f"echo 'extend_time_limit = no' >> {conf}")
    try:
        reload()
        job = parked.counter(lab, "desk1", "--time=5",
                             parked.KINDS[kind])
        # slurmctld is to be first to end it.
        with parked.settings(lab, "desk1", interactive_max="1h",
                             parked_max="1h"), present(lab, "desk1"):
            parked.wait_parked(lab, "desk1", job)
            before = parked.count(lab, "desk1", job)
            lab.ctl(f"scontrol update jobid={job} endtime=now+1seconds")
            # slurmctld looks at time limits twice a minute.
            lab.wait("the time is up", lambda: parked.state(lab, job) !=
                     "RUNNING", 75)
            lab.wait("no task is left", lambda: not parked.has_tasks(
                lab, "desk1", job), END_S)
            assert parked.count(lab, "desk1", job) == before
            lab.wait("Slurm says why", lambda: parked.state(lab, job) ==
                     "TIMEOUT", END_S)
    finally:
        lab.ctl(f"cp -p /tmp/controller.conf {conf}")
        reload()


def test_parked_time_is_given_back(lab):
    """Slurm counts minutes, so at least one more of them."""
    job = parked.counter(lab, "desk1", "--time=2")
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        time.sleep(8)
    parked.moves(lab, "desk1", job)
    lab.wait("a longer time limit", lambda: parked.job_fields(
        lab, job)["TimeLimit"] == "00:03:00", 45)
    parked.end(lab, job)
