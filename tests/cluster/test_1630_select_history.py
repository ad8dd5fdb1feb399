# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs go where owners will stay away for long enough."""
import contextlib
import json
import re

import pytest

from conftest import DEVICES
import placing
from placing import Shell

STATE = "/var/lib/slurm-volunteer/controller"
PLANT = "/usr/lib/slurm-volunteer-testbed/plant"
JOBS = 50
# The owner of desk1, the first in Slurm's list, has come in half an hour from
# now on each of the last 28 days; nobody ever came to desk2.
PAST = {"desk1": "+1800+120", "desk2": "never"}
CRITICAL = "--time=120"


def begin_anew(lab, command):
    """Kill discoveryd, which can not write its memory down, and start it again
    after that command."""
    lab.ctl(f"pkill -STOP -x discoveryd; {command}; pkill -KILL -x discoveryd")
    lab.wait("all devices are open", lambda: all(
        placing.is_open(lab, d) for d in DEVICES), 60)
    lab.wait_idle(DEVICES)


@pytest.fixture(scope="module", autouse=True)
def fixture_past(session_lab):
    lab = session_lab
    ids = {row["node"]: row["id"] for row in json.loads(
        lab.ctl("volunteer devices --json"))}
    begin_anew(lab, f"setpriv --reuid slurm --regid slurm --clear-groups "
               f"{PLANT} {STATE}/forecast " + " ".join(
                   f"{ids[node]} {past}" for node, past in PAST.items()))
    lab.ctl("scontrol update nodename=desk3 state=drain reason='two devices'")
    try:
        yield
    finally:
        lab.ctl("scontrol update nodename=desk3 state=resume")
        begin_anew(lab, f"rm -f {STATE}/forecast")


@pytest.fixture
def lab(session_lab):
    """Not the other one, which wants all devices idle."""
    yield session_lab
    session_lab.ctl("scancel -u alice")
    session_lab.wait_no_jobs()
    session_lab.wait_idle(PAST)


def run(lab, options):
    """Jobs one after another, while both devices are idle (one on which a job
    is completing can not be had, though "sinfo -t idle" lists it); where they
    ran."""
    idle = f"sinfo -h -N -n {','.join(PAST)} -o %T | grep -cx idle"
    with Shell(lab, "controller", "alice") as alice:
        alice("cd /campaign/alice")
        return [alice(f"until [ $({idle}) = {len(PAST)} ]; do "
                      "sleep 0.05; done; timeout 20 srun -p volunteer "
                      f"--mem=20 -n 1 {options} hostname")
                for _ in range(JOBS)]


def test_jobs_go_where_nobody_is_expected(lab):
    nodes = run(lab, CRITICAL)
    assert set(nodes) <= set(PAST), nodes
    assert nodes.count("desk2") >= 0.9 * JOBS, nodes


def test_explain_says_why(lab):
    job, = placing.batch(lab, CRITICAL)
    assert placing.wait_done(lab, job) == ["desk2"]
    text = lab.alice(f"volunteer explain {job}")
    print(text)
    assert "desk2" in text and "desk1" in text, text
    # A chance for each of them, and the owner is in it.
    assert len(re.findall(r"\d+ ?%", text)) >= 2, text
    assert re.search(r"owner|evict", text), text
    text = lab.alice("volunteer explain desk1")
    print(text)
    assert "%" in text and "desk1" in text, text


def test_an_owner_at_the_better_one_counts_more(lab):
    """A worse device that is open is better than one that is not."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(placing.undrained(lab))
        stack.enter_context(placing.controller_setting(lab, "max_risk = 100"))
        stack.enter_context(placing.shut(lab, "desk2"))
        job, = placing.batch(lab, CRITICAL)
        assert placing.wait_done(lab, job) == ["desk1"]
        assert "desk2" in lab.alice(f"volunteer explain {job}")


def test_a_job_waits_rather_than_be_lost(lab):
    """The owner of the only device that is open comes before it is done.
    Shorter jobs and those that nobody can tell the end of take the device, and
    so does this one when the admin says so."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(placing.undrained(lab))
        stack.enter_context(placing.shut(lab, "desk2"))
        long, = placing.batch(lab, CRITICAL)
        short, = placing.batch(lab, "--time=10")
        endless, = placing.batch(lab, "--time=UNLIMITED")
        assert placing.wait_done(lab, short) == ["desk1"]
        assert placing.wait_done(lab, endless) == ["desk1"]
        assert lab.ctl(f"squeue -h -j {long} -o %T") == "PENDING"
        text = lab.alice(f"volunteer explain {long}")
        print(text)
        assert "likely be back too soon" in " ".join(text.split()), text
        assert "waits for a better one" in text, text
        with placing.controller_setting(lab, "max_risk = 100"):
            assert placing.wait_done(lab, long) == ["desk1"]
