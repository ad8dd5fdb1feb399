# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever Slurm does to a parked job, it does not run under its owner.

Slurm wakes what it signals: it sends SIGCONT, thaws, and gives up to KillWait
(30 s) to a job that ignores SIGTERM, as these do."""
import contextlib
import time

import pytest

from conftest import DEVICES
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


@contextlib.contextmanager
def parked_time_counts(lab):
    """A site that does not give it back."""
    conf = "/etc/slurm-volunteer/controller.conf"
    lab.ctl(f"cp -p {conf} {conf}.saved && "
            f"echo 'extend_time_limit = no' >> {conf} && "
            "pkill -HUP -x discoveryd")
    try:
        yield
    finally:
        lab.ctl(f"mv {conf}.saved {conf} && pkill -HUP -x discoveryd")


def test_time_out(lab):
    """One job of each kind on each device at once: slurmctld looks at time
    limits only twice a minute."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(parked_time_counts(lab))
        jobs = {}
        for node, kind in zip(DEVICES, parked.KINDS):
            # slurmctld is to be first to end it.
            stack.enter_context(parked.settings(
                lab, node, interactive_max="1h", parked_max="1h"))
            jobs[node] = parked.counter(lab, node, "--time=5",
                                        parked.KINDS[kind])
        for node in jobs:
            stack.enter_context(present(lab, node))
        for node, job in jobs.items():
            parked.wait_parked(lab, node, job)
        before = {node: parked.count(lab, node, job)
                  for node, job in jobs.items()}
        lab.ctl("; ".join(f"scontrol update jobid={job} endtime=now+1seconds"
                          for job in jobs.values()))
        lab.wait("the time is up", lambda: "RUNNING" not in [
            parked.state(lab, job) for job in jobs.values()], 75)
        began = time.monotonic()
        for node, job in jobs.items():
            lab.wait(f"no task is left of the job of {node}",
                     lambda n=node, j=job: not parked.has_tasks(lab, n, j),
                     max(0.1, began + END_S - time.monotonic()))
        for node, job in jobs.items():
            assert parked.count(lab, node, job) == before[node]
            lab.wait("Slurm says why", lambda j=job: parked.state(
                lab, j) == "TIMEOUT", END_S)


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
