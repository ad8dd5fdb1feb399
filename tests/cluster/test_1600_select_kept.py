# SPDX-License-Identifier: GPL-2.0-or-later
"""What Slurm's scheduler can do it still does, with owners and without.

Each in two parts: with all devices open, and with the owners of some at their
machines, of whom slurmctld itself knows nothing."""
import time

import pytest

from conftest import DEVICES
import parked
import placing
from placing import batch, shut, stays_pending, wait_done, wait_state

# Why a job waits for devices whose owners are there; a drain says others.
WAITS = ("Resources", "Priority")
# What is planned for such a device is no promise for the next minutes.
NOT_BEFORE_S = 240


@pytest.fixture(scope="module", autouse=True)
def fixture_undrained(session_lab):
    with placing.undrained(session_lab):
        yield


def test_a_named_node(lab):
    """-w"""
    assert wait_done(lab, *batch(lab, *(f"-w {d}" for d in DEVICES))) == DEVICES
    with shut(lab, "desk1"):
        here, there = batch(lab, "-w desk1", "-w desk3")
        assert wait_done(lab, there) == ["desk3"]
        assert stays_pending(lab, here)[0] in WAITS
    assert wait_done(lab, here) == ["desk1"]


def test_nodes_ruled_out(lab):
    """-x"""
    assert wait_done(lab, *batch(
        lab, "-x desk1,desk2", "-x desk2,desk3", "-x desk1,desk3")) == [
            "desk3", "desk1", "desk2"]
    with shut(lab, "desk1"):
        one, none = batch(lab, "-x desk2", "-x desk2,desk3")
        assert wait_done(lab, one) == ["desk3"]
        assert stays_pending(lab, none)[0] in WAITS
    assert wait_done(lab, none) == ["desk1"]


def test_constraints(lab):
    """--constraint, over a partition more, whose node is no device"""
    both = "-p volunteer,fixed"
    lab.ctl("scontrol update nodename=controller availablefeatures=server "
            "activefeatures=server")
    try:
        nodes = wait_done(lab, *batch(
            lab, f"{both} -C server", f"{both} -C volunteer",
            f"{both} -C '[server|volunteer]' -x controller"))
        assert nodes[0] == "controller" and nodes[1] in DEVICES, nodes
        assert nodes[2] in DEVICES, nodes
        done = lab.proc("controller", "cd /campaign/alice && sbatch -p "
                        f"volunteer -C server --wrap true", user="alice",
                        check=False)
        assert done.returncode != 0, done
        with shut(lab, *DEVICES):
            server, device, either = batch(
                lab, f"{both} -C server", f"{both} -C volunteer",
                f"{both} -C '[server|volunteer]'")
            assert wait_done(lab, server, either) == ["controller"] * 2
            stays_pending(lab, device)
        assert wait_done(lab, device)[0] in DEVICES
    finally:
        lab.ctl("scontrol update nodename=controller availablefeatures= "
                "activefeatures=")


def alone(spans):
    """No two of them at a time on one node."""
    last = {}
    for _, node, began, ended in sorted(spans, key=lambda span: span[2]):
        if began < last.get(node, 0):
            return False
        last[node] = ended
    return True


def test_whole_nodes(lab):
    """--exclusive"""
    jobs = batch(lab, *["--exclusive"] * 4, seconds=1)
    nodes = wait_done(lab, *jobs)
    assert sorted(nodes[:3]) == DEVICES and alone(placing.spans(lab, *jobs))
    with shut(lab, "desk2"):
        jobs = batch(lab, *["--exclusive"] * 3, seconds=1)
        assert set(wait_done(lab, *jobs)) == {"desk1", "desk3"}
    assert alone(placing.spans(lab, *jobs))


def test_several_nodes(lab):
    """-N2"""
    body = "echo $SLURM_JOB_NODELIST > hosts.$SLURM_JOB_ID"

    def hosts(job):
        wait_done(lab, job)
        # In the order in which they have come into slurmctld's table.
        return sorted(lab.alice(
            f"scontrol show hostnames $(cat hosts.{job})").split())
    first = hosts(parked.submit(lab, body, "-N2"))
    assert len(set(first)) == 2 and set(first) <= set(DEVICES)
    with shut(lab, "desk2"):
        two = parked.submit(lab, body, "-N2")
        assert hosts(two) == ["desk1", "desk3"]
        three = parked.submit(lab, body, "-N3")
        assert stays_pending(lab, three)[0] in WAITS
        # What waits for three of them keeps nobody from the others.
        assert wait_done(lab, *batch(lab, "-t1"))[0] in ("desk1", "desk3")
    assert hosts(three) == DEVICES


def test_arrays(lab):
    job, = batch(lab, "--array=1-9", seconds=0.5)
    tasks = [f"{job}_{i}" for i in range(1, 10)]
    assert set(wait_done(lab, *tasks)) == set(DEVICES)
    with shut(lab, "desk1", "desk2"):
        job, = batch(lab, "--array=1-6%4", seconds=0.2)
        tasks = [f"{job}_{i}" for i in range(1, 7)]
        assert set(wait_done(lab, *tasks)) == {"desk3"}


def estimate(lab, job):
    """When squeue says it will start, in seconds from now; None: it does not
    say."""
    text = lab.ctl(f"SLURM_TIME_FORMAT=%s squeue --start -h -j {job} -o %S")
    return int(text) - time.time() if text.isdigit() else None


def wait_estimate(lab, job):
    return lab.wait(f"a start time of {job}", lambda: (
        estimate(lab, job) or None), 40)


def test_backfill_behind_a_large_job(lab):
    """A job that wants all devices waits for one that is in use; what ends
    before goes first, what does not waits, and the plan is kept."""
    running, = batch(lab, "-w desk1 --exclusive -t 10", seconds=600)
    wait_state(lab, "RUNNING", running)
    large, short, long = batch(lab, "-N3 --exclusive -t 5",
                               "-w desk2 --exclusive -t 1",
                               "-w desk3 --exclusive -t 60")
    assert wait_done(lab, short) == ["desk2"]
    assert 500 < wait_estimate(lab, large) < 660
    assert placing.states(lab, large, long) == ["PENDING", "PENDING"]
    lab.ctl(f"scancel {running}")
    wait_done(lab, large, long)
    ends = placing.spans(lab, large, long)
    assert [span[0] for span in ends] == [large, long]


def test_backfill_behind_owners(lab):
    """A job that wants a device whose owner is there keeps nobody waiting, is
    not promised a time that is now, and begins when the owner leaves."""
    with shut(lab, "desk1"):
        large, short = batch(lab, "-N3 --exclusive -t 5",
                             "-w desk2 --exclusive -t 1")
        lab.ctl(f"scontrol update jobid={large} priority=4000000000")
        assert wait_done(lab, short) == ["desk2"]
        assert placing.records(lab)[large]["Reason"] in WAITS
        assert wait_estimate(lab, large) >= NOT_BEFORE_S
        # Asked, Slurm does not say "now" either.
        done = lab.proc("controller", "cd /campaign/alice && "
                        "SLURM_TIME_FORMAT=%s sbatch --test-only -p volunteer "
                        "--mem=50 -w desk1 span.sh", user="alice")
        start = int(done.stderr.split(" start at ")[1].split()[0])
        assert start - time.time() >= NOT_BEFORE_S, done.stderr
    assert wait_done(lab, large) == ["desk[1-3]"]


def test_reservations(lab):
    lab.ctl("scontrol create reservation reservationname=course "
            "starttime=now duration=30 users=alice nodes=desk2")
    try:
        mine, *others = batch(lab, "--reservation=course", "-w desk2",
                              "--exclusive", "--exclusive")
        assert wait_done(lab, mine) == ["desk2"]
        assert set(wait_done(lab, *others[1:])) <= {"desk1", "desk3"}
        stays_pending(lab, others[0])
        with shut(lab, "desk2"):
            mine, = batch(lab, "--reservation=course")
            stays_pending(lab, mine)
            assert wait_done(lab, *batch(lab, "-t1"))[0] in ("desk1", "desk3")
        assert wait_done(lab, mine) == ["desk2"]
    finally:
        lab.ctl("scontrol delete reservationname=course")
    assert wait_done(lab, others[0]) == ["desk2"]


def restart(lab):
    """kill -9 would be another test: it forgets the last second."""
    old = placing.slurmctld(lab)
    lab.ctl(f"kill {old}")
    lab.wait("another slurmctld", lambda: placing.slurmctld(lab)
             not in ("", old), 30)


def reconfigure(lab):
    lab.ctl("scontrol reconfigure")


@pytest.mark.parametrize("event", [reconfigure, restart])
def test_slurmctld_begins_anew(lab, event):
    """What runs goes on, what waits goes on waiting, and owners are obeyed."""
    running, = batch(lab, "-w desk2", seconds=600)
    wait_state(lab, "RUNNING", running)
    before = placing.records(lab)[running]["StartTime"]
    with shut(lab, "desk1"):
        waiting, = batch(lab, "-w desk1")
        event(lab)
        lab.wait("slurmctld answers", lambda: "UP" in lab.ctl(
            "scontrol ping"), 60)
        more = wait_done(lab, *batch(lab, *["-t1"] * 4))
        assert set(more) <= {"desk2", "desk3"}, more
        stays_pending(lab, waiting)
    assert wait_done(lab, waiting) == ["desk1"]
    now = placing.records(lab)[running]
    assert (now["JobState"], now["StartTime"], now["Restarts"]) == (
        "RUNNING", before, "0")
    lab.ctl(f"scancel {running}")


def requeue(lab, job, times):
    """By hand; the node on which it starts then."""
    lab.ctl(f"scontrol requeue {job}")
    wait_state(lab, "PENDING", job)
    lab.ctl(f"scontrol update jobid={job} starttime=now")
    lab.wait(f"start {times}", lambda: len(parked.starts(lab, job)) == times,
             40)
    return parked.starts(lab, job)[-1]


def test_requeue(lab):
    job = parked.counter(lab)
    node = requeue(lab, job, 2)
    with shut(lab, node):
        assert requeue(lab, job, 3) != node
    assert placing.records(lab)[job]["Restarts"] == "2"
    parked.end(lab, job)
