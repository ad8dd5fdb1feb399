# SPDX-License-Identifier: GPL-2.0-or-later
"""discoveryd may die whenever it wants: what is parked stays parked."""
import concurrent.futures
import re
import time

import parked
from parked import present

KILLS = 100

# Each kill meets another process, at a moment of its life that nobody chose.
# Now and then the next one dies before it can look at anything.
MASSACRE = """\
killed=0
while [ $killed -lt {kills} ]; do
	sleep 0.$((RANDOM % 10))$((RANDOM % 10))
	pid=$(pgrep -x discoveryd) || continue
	kill -9 $pid && killed=$((killed + 1))
done
"""


def die(lab, node, job):
    """Kill discoveryd a third of all times while the job is watched."""
    seen = parked.witness(lab, node, job,
                          MASSACRE.format(kills=KILLS // 3 + 1), timeout=300)
    assert seen["status"] == 0 and seen["samples"] > 500, seen
    return seen


def test_kill9_on_every_rung_under_a_present_owner(lab):
    """desk1 stays parked, desk2 is draining of a job that can not leave, desk3
    is parked by the owner's pause."""
    with parked.settings(lab, "desk1", interactive_max="1h", parked_max="1h"), \
            parked.settings(lab, "desk2", interactive_max="1h",
                            parked_max="1s"), \
            parked.settings(lab, "desk3", interactive_max="1h",
                            parked_max="1h"):
        nodes = {node: parked.counter(lab, node, "--no-requeue")
                 for node in ("desk1", "desk2", "desk3")}
        with present(lab, "desk1"), present(lab, "desk2"):
            lab.run("desk3", "volunteer pause 1h")
            for node, job in nodes.items():
                parked.wait_parked(lab, node, job)
            lab.wait("desk2 wants the job to leave", lambda: "draining" in
                     lab.run("desk2", "volunteer status --json"), 20)
            before = {node: parked.count(lab, node, job)
                      for node, job in nodes.items()}
            with concurrent.futures.ThreadPoolExecutor() as pool:
                futures = {node: pool.submit(die, lab, node, job)
                           for node, job in nodes.items()}
                seen = {node: future.result()
                        for node, future in futures.items()}
            for node, job in nodes.items():
                assert seen[node]["tasks"] >= 1, (node, seen[node])
                assert seen[node]["thawed"] == 0, (node, seen[node])
                assert seen[node]["usage_us"] == 0, (node, seen[node])
                assert parked.count(lab, node, job) == before[node]
                assert parked.running_on(lab, job) == node
        # All of them come back when they may.
        lab.wait("desk3 resumes", lambda: lab.proc(
            "desk3", "volunteer resume", check=False).returncode == 0, 30)
        for node, job in nodes.items():
            parked.moves(lab, node, job)
        parked.end(lab, *nodes.values())


def test_parked_max_counts_on_over_restarts(lab):
    """The owner was promised 40 s, by whichever discoveryd."""
    # Nothing is typed while no discoveryd reads it.
    with parked.settings(lab, "desk1", idle_after="6s", parked_max="40s"):
        parked.wait_open(lab, "desk1")
        job = parked.movable(lab, "desk1")
        with present(lab, "desk1"):
            parked.wait_parked(lab, "desk1", job)
            began = time.monotonic()
            for _ in range(2):
                time.sleep(8)
                parked.restart(lab, "desk1")
            assert parked.running_on(lab, job) == "desk1"
            assert time.monotonic() - began < 36
            lab.wait("the job is taken away", lambda: parked.state(
                lab, job) != "RUNNING", 60, every=0.1)
            assert 38 <= time.monotonic() - began <= 50
            lab.wait("it runs elsewhere", lambda: parked.running_on(
                lab, job) not in (None, "desk1"), 30)
        parked.end(lab, job)


def test_a_daemon_that_comes_back_to_an_absent_owner_waits(lab):
    """It can not know since when nobody has been there: idle_after first."""
    with parked.settings(lab, "desk1", idle_after="4s"):
        parked.wait_open(lab, "desk1")
        job = parked.counter(lab, "desk1")
        parked.restart(lab, "desk1")
        parked.wait_parked(lab, "desk1", job)
        parked.moves(lab, "desk1", job)
        parked.end(lab, job)
    log = lab.cluster("logs", "desk1").stdout
    assert not re.search(r"(ERROR: (Address|Leak)|runtime error)", log)
