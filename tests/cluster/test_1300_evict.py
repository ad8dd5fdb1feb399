# SPDX-License-Identifier: GPL-2.0-or-later
"""An owner who stays has the jobs moved; each kind of job by its own rule."""
import concurrent.futures
import statistics
import time

from conftest import DEVICES
import parked
from parked import present

AWAY_S = 5  # from the requeue to the first instruction elsewhere, median


def elsewhere(lab, job, node):
    """The node on which the job runs now, if it is another one."""
    now = parked.running_on(lab, job)
    return now if now and now != node else None


def evicted(lab, job, node):
    """Wait for the job's second life; seconds that the move took, from the
    end on the old node to the first instruction on the new one."""
    def gone():
        return parked.state(lab, job) != "RUNNING"
    lab.wait("the job is taken away", gone, 30, every=0.02)
    began = float(lab.ctl("cut -d' ' -f1 /proc/uptime"))
    lab.wait("the job's second start", lambda: len(
        parked.starts(lab, job)) >= 2, 30, every=0.05)
    text = lab.ctl(f"tail -n 1 /campaign/alice/starts.{job}").split()
    assert text[0] != node
    return float(text[1]) - began


def test_a_job_moves_on_within_seconds(lab):
    moves = []
    for node in DEVICES:
        with parked.settings(lab, node, parked_max="1s"):
            job = parked.movable(lab, node)
            priority = int(parked.job_fields(lab, job)["Priority"])
            with present(lab, node):
                moves.append(evicted(lab, job, node))
                assert not parked.has_tasks(lab, node, job)
                fields = parked.job_fields(lab, job)
                assert int(fields["Priority"]) >= priority, fields
                assert fields["Restarts"] == "1", fields
                # "closed" comes before, of a device that has just joined.
                lab.wait("the owner is the reason", lambda: "owner" in (
                    parked.drain_reason(lab, node)), 20)
            parked.end(lab, job)
    assert statistics.median(moves) <= AWAY_S, moves


def test_interactive_jobs_have_their_own_time(lab):
    """They can not be requeued: parked for longer, then ended."""
    with parked.settings(lab, "desk1", interactive_max="8s", parked_max="1s"), \
            concurrent.futures.ThreadPoolExecutor() as pool:
        interactive = pool.submit(
            lab.proc, "controller", "cd /campaign/alice && rm -f ia && srun "
            "-p volunteer --mem=20 -w desk1 -n 1 bash -c 'echo "
            "$SLURM_JOB_ID > ia; sleep 300'", user="alice", check=False,
            timeout=120)
        job = lab.wait("srun's job", lambda: lab.alice("cat ia || true"), 30)
        with present(lab, "desk1"):
            parked.wait_parked(lab, "desk1", job)
            began = time.monotonic()
            time.sleep(4)
            assert parked.is_parked(lab, "desk1", job)
            done = interactive.result(timeout=60)
        assert time.monotonic() - began < 40
        assert done.returncode != 0
        lab.wait("it is cancelled",
                 lambda: parked.state(lab, job) == "CANCELLED", 20)


def test_jobs_that_refuse_requeue_stay_for_longer(lab):
    with parked.settings(lab, "desk1", interactive_max="8s", parked_max="1s"):
        job = parked.counter(lab, "desk1", "--no-requeue")
        with present(lab, "desk1"):
            parked.wait_parked(lab, "desk1", job)
            time.sleep(4)
            assert parked.is_parked(lab, "desk1", job)
            lab.wait("the job is cancelled", lambda: parked.state(
                lab, job) == "CANCELLED", 40)
    assert parked.starts(lab, job) == ["desk1"]


def test_users_who_are_not_welcome(lab):
    """bob's job does not run one instruction on a device that is alice's."""
    with parked.settings(lab, "desk1", users="alice"), \
            parked.settings(lab, "desk2", users="alice"):
        mine = parked.counter(lab, "desk1")
        # Slurm knows nothing of it and tries the devices as it likes.
        jobs = [parked.submit(lab, parked.COUNTER, "--mem=20", "bob")
                for _ in range(4)]

        def all_run():
            return all(parked.running_on(lab, job) == "desk3"
                       or parked.state(lab, job) == "PENDING"
                       for job in jobs) and any(
                parked.running_on(lab, job) for job in jobs)
        lab.wait("bob's jobs are on desk3 or wait", all_run, 60, every=0.5)
        for job in jobs:
            assert set(parked.starts(lab, job, "bob")) <= {"desk3"}
        parked.moves(lab, "desk1", mine)
        parked.end(lab, mine, *jobs)
