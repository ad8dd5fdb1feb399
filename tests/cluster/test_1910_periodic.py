# SPDX-License-Identifier: GPL-2.0-or-later
"""A job that is saved while it runs loses little when its device is gone.

VOLTEST_ROUNDS: how often the plug is pulled at random."""
import contextlib
import hashlib
import json
import os
import random
import time

import migrating
import parked
import pytest
from conftest import DEVICES
from migrating import BEGINS

ROUNDS = int(os.environ.get("VOLTEST_ROUNDS", "2"))
EVERY_S = 3
ASK = f"--volunteer-checkpoint={EVERY_S}s"
# What the dumps of a busy test machine take, twice, and what it takes to look.
SLACK_S = 20
COUNT = """\
for i in $(seq 1 {n}); do
	echo "$i $$ $(echo $i | md5sum)"
	sleep 0.05
done
echo end
"""


@pytest.fixture(autouse=True, scope="module")
def fixture_criu(session_lab):
    """Where CRIU can not work on this kernel there is nothing to prove."""
    migrating.need_criu(session_lab)


def images(lab, job):
    """Numbers of the job's whole images."""
    kept = json.loads(lab.ctl("volunteer checkpoints --json"))["images"]
    return [image["number"] for image in kept
            if str(image["job"]) == job and image["state"] == "whole"]


def newest(lab, job):
    return max(images(lab, job), default=0)


def check(lab, job, n):
    """All lines, each once, by one process."""
    *counted, last = [line.split() for line in migrating.lines(lab, job)]
    assert last == ["end"], last
    assert [(int(i), md5) for i, _, md5, _ in counted] == [
        (i, hashlib.md5(f"{i}\n".encode()).hexdigest())
        for i in range(1, n + 1)], migrating.output(lab, job)
    assert len({pid for _, pid, *_ in counted}) == 1
    assert BEGINS not in migrating.output(lab, job)


def kept(lab, job):
    """How many lines stood when the job went on the last time."""
    before, mark, _ = migrating.output(lab, job).rpartition(
        "volunteer: goes on from image ")
    assert mark, before
    return len(migrating.NOTES.sub("", before).splitlines())


@contextlib.contextmanager
def unplugged(lab, node):
    """Not switched off: gone."""
    container = lab.container(node)
    lab.host("docker", "kill", container)
    try:
        yield
    finally:
        lab.host("docker", "start", container)
        lab.wait(f"{node} is back", lambda: lab.run(
            node, "pgrep -x discoveryd || true"), 60)


def pull(lab, job, node):
    """The plug of the job's device; where does it go on?"""
    with unplugged(lab, node):
        now = lab.wait(f"job {job} leaves {node}",
                       lambda: migrating.moved(lab, job, node), 240)
        lab.wait("it goes on", lambda: migrating.restored(lab, job), 120)
    return now


def test_a_job_that_is_left_alone(lab):
    """It is stopped now and then, and loses nothing by that."""
    n = 250
    job = migrating.submit(lab, "desk1", COUNT.format(n=n), ASK)
    lab.wait("it was saved twice", lambda: newest(lab, job) >= 2, 90)
    migrating.wait_end(lab, job)
    check(lab, job, n)
    assert parked.job_fields(lab, job)["Restarts"] == "0"
    assert not migrating.restored(lab, job)
    assert migrating.why_not(lab, "desk1", job) is None


def test_an_owner_comes(lab):
    """What it did since it was saved while it ran is not lost."""
    n = 900
    job = migrating.submit(lab, "desk2", COUNT.format(n=n), ASK)
    lab.wait("it was saved", lambda: newest(lab, job), 60)
    for node in ("desk2", None):
        node = node or parked.running_on(lab, job)
        before = len(migrating.lines(lab, job))
        went = len(migrating.restored(lab, job))
        migrating.evict(lab, job, node)
        lab.wait("it goes on", lambda b=before, w=went: len(
            migrating.restored(lab, job)) > w and len(
            migrating.lines(lab, job)) > b, 60)
        assert kept(lab, job) >= before
    migrating.wait_end(lab, job)
    check(lab, job, n)


def test_the_plug_is_pulled(lab, record_property):
    n, seen = 600, []
    job = migrating.submit(lab, "desk1", COUNT.format(n=n), ASK)

    def saved():
        seen.append((time.monotonic(), len(migrating.lines(lab, job))))
        return newest(lab, job) >= 2

    lab.wait("it was saved twice", saved, 90)
    before = newest(lab, job)
    lab.wait("and once more", lambda: saved() and newest(lab, job) > before,
             60)
    saved()
    pull(lab, job, "desk1")
    stood = kept(lab, job)
    lost_s = seen[-1][0] - max(at for at, lines in seen if lines <= stood)
    record_property("figure", f"the plug was pulled: {lost_s:.1f} s of a job "
                    f"that is saved each {EVERY_S} s were lost")
    assert lost_s <= EVERY_S + SLACK_S, (stood, seen)
    migrating.wait_end(lab, job)
    check(lab, job, n)
    assert [node for _, node in migrating.restored(lab, job)] == ["desk1"]
    assert parked.job_fields(lab, job)["Restarts"] == "1"


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_the_plug_is_pulled_at_random(lab, turn):
    """While it runs, is written, or is sent; more than once in its life."""
    n, node = 500, random.choice(DEVICES)
    job = migrating.submit(lab, node, COUNT.format(n=n), ASK)
    lab.wait("it was saved", lambda: newest(lab, job), 60)
    time.sleep(random.uniform(0, 2 * EVERY_S + turn % 2))
    node = pull(lab, job, node)
    lab.wait("all devices are back", lambda: all(
        state in ("idle", "mixed", "allocated")
        for state in map(lab.nodes().get, DEVICES)), 90)
    if turn % 2 == 0 and parked.running_on(lab, job) == node:
        # Perhaps before it was saved again: then from the same image.
        time.sleep(random.uniform(0, 2 * EVERY_S))
        pull(lab, job, node)
    migrating.wait_end(lab, job)
    check(lab, job, n)
