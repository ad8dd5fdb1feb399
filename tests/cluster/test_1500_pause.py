# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner says when, as herself and not as root."""
import concurrent.futures
import json
import re
import time

import pytest

import parked


def volunteer(lab, node, words, user="ann", check=True):
    return lab.proc(node, f"volunteer {words}", user=user, check=check)


def paused(lab, node):
    """End of the pause by status, None when there is none."""
    status = json.loads(volunteer(lab, node, "status --json").stdout)
    pause = status["owner"]["pause"]
    return pause["until"] if pause["on"] else None


def test_a_pause_moves_jobs_away_and_lasts(lab):
    with parked.settings(lab, "desk1", parked_max="1s"):
        job = parked.movable(lab, "desk1")
        try:
            said = volunteer(lab, "desk1", "pause 1h").stdout
            until = paused(lab, "desk1")
            now = int(lab.run("desk1", "date +%s"))
            assert 3500 < until - now <= 3600
            # As people say it: it is over by then.
            clock = re.search(r"until (\d\d:\d\d)", said)[1]
            assert clock in (lab.run("desk1", f"date -d @{until + late} +%H:%M")
                             for late in (0, 59))
            assert clock in volunteer(lab, "desk1", "status").stdout
            # New jobs stop coming at once, long before Slurm hears a drain.
            lab.wait("the job runs elsewhere", lambda: parked.running_on(
                lab, job) in ("desk2", "desk3"), 30)
            reason = lab.wait("a reason", lambda: parked.drain_reason(
                lab, "desk1"), 20)
            assert clock in reason and "paused" in reason, reason
            parked.restart(lab, "desk1")
            lab.wait("still paused", lambda: paused(lab, "desk1") == until,
                     10)
            assert "idle" != lab.nodes()["desk1"]
        finally:
            volunteer(lab, "desk1", "resume")
        parked.wait_open(lab, "desk1")
        assert parked.drain_reason(lab, "desk1") == ""
        parked.end(lab, job)


# What sinfo would show, looked at as fast as one can.
STATES = """\
end=$((SECONDS + 60)) since=
while [ $SECONDS -lt $end ]; do
	state=$(scontrol -o show node desk1 2>&1 | grep -o " State=[^ ]*")
	[ "$state" = "$last" ] || echo $state
	last=$state
	case $state in
	*IDLE*) : ${since:=$SECONDS}; [ $SECONDS -lt $((since + 3)) ] || break ;;
	esac
done
"""


def test_a_device_that_joins_paused_is_never_idle(lab):
    """Not even from its registration until the controller has seen it."""
    volunteer(lab, "desk1", "pause")
    container = lab.container("desk1")
    lab.host("docker", "kill", container)
    try:
        lab.wait("desk1 is down", lambda: "DOWN" in lab.node("desk1")["State"],
                 60)
        lab.ctl("scontrol delete nodename=desk1")
        # Else it takes the node for one that is still there.
        lab.wait("discoveryd has seen that", lambda: any(
            row["node"] == "desk1" and not row["slurm_state"] for row in
            json.loads(lab.ctl("volunteer devices --json"))), 30)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            states = pool.submit(lab.ctl, STATES)
            lab.host("docker", "start", container)
            seen = states.result(timeout=90).split()
    finally:
        lab.host("docker", "start", container)
        lab.wait("desk1 answers", lambda: volunteer(
            lab, "desk1", "resume", check=False).returncode == 0, 30)
    idle = [state for state in seen if "IDLE" in state]
    assert idle and all("DRAIN" in state for state in idle), seen
    parked.wait_open(lab, "desk1")


def test_no_job_starts_while_paused(lab):
    for node in ("desk1", "desk2", "desk3"):
        volunteer(lab, node, "pause")
    try:
        job = parked.submit(lab, parked.COUNTER)
        time.sleep(8)
        assert parked.starts(lab, job) == []
        assert paused(lab, "desk1") == 0
    finally:
        for node in ("desk1", "desk2", "desk3"):
            volunteer(lab, node, "resume")
    lab.wait("the job counts", lambda: parked.starts(lab, job), 60)
    parked.end(lab, job)


def test_a_short_pause_ends_by_itself(lab):
    volunteer(lab, "desk1", "pause 3s")
    assert paused(lab, "desk1")
    lab.wait("the pause is over", lambda: paused(lab, "desk1") is None, 20)
    parked.wait_open(lab, "desk1")


@pytest.mark.parametrize("words", ["pause 1h", "resume", "set idle_after=1h"])
def test_others_have_no_say(lab, words):
    done = volunteer(lab, "desk1", words, user="bob", check=False)
    assert done.returncode != 0 and done.stderr, done
    assert paused(lab, "desk1") is None


@pytest.mark.parametrize("words", [
    "pause soon", "pause -1h", "pause 1h 2h", "set idle_after=never",
    "set nosuch=1", "set idle_after", "resume now"])
def test_nonsense_changes_nothing(lab, words):
    before = lab.run("desk1", f"md5sum < {parked.CONF}")
    done = volunteer(lab, "desk1", words, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("volunteer "), done.stderr
    assert lab.run("desk1", f"md5sum < {parked.CONF}") == before
    assert paused(lab, "desk1") is None


def test_the_log_tells_what_happened(lab):
    parked.owner(lab, "desk1", "touch")
    lab.wait("parked or closed, and open again", lambda: re.search(
        r"open", volunteer(lab, "desk1", "log").stdout), 20)
    parked.wait_open(lab, "desk1")
    why = volunteer(lab, "desk1", "why").stdout
    assert why.strip()
