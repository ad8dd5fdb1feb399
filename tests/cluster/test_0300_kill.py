# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of any daemon loses no task and repeats no result.

slurmctld writes its state down at most every 5 seconds (SAVE_MAX_WAIT in its
source).  Killed, it forgets what it was told since: a job submitted just before
is lost, and a task that ran just before may run again.  The first is why the
test lets a submission settle, the second why results replace each other
atomically; no other daemon's death makes a task run twice."""
import re
import time

import pytest

import parked
from conftest import DEVICES

TASKS = 200
SETTLED_S = 7  # from a submission until slurmctld has surely saved it

# Host of the daemon and what its command line looks like.
DAEMONS = {
    "discoveryd-controller": ("controller", "discoveryd.*controller"),
    "discoveryd-device": ("desk2", "discoveryd.*device"),
    "slurmd": ("desk2", "slurmd.* -N desk2"),
    "slurmctld": ("controller", "slurmctld"),
}


def submit(lab, name):
    """200 short tasks, each of which notes every start of it."""
    folder = f"/campaign/alice/kill-{name}"
    lab.alice(f"rm -rf {folder} && mkdir {folder}")
    task = (f"echo $SLURMD_NODENAME >> {folder}/start.{{n}}; sleep 0.5; "
            f"echo {{n}} > {folder}/tmp.{{n}}.$$ && "
            f"mv {folder}/tmp.{{n}}.$$ {folder}/result.{{n}}")
    lab.alice("vbatch --parsable -p volunteer --mem=50 -o /dev/null "
              f"--matrix n=1..{TASKS} --matrix-limit 8 --wrap '{task}'")
    return folder


def results(lab, folder):
    return int(lab.ctl(f"ls {folder} | grep -c '^result' || true"))


@pytest.mark.parametrize("name", DAEMONS)
def test_kill9_during_a_campaign(lab, name):
    where, pattern = DAEMONS[name]
    folder = submit(lab, name)
    time.sleep(SETTLED_S)
    lab.wait("the campaign is under way",
             lambda: results(lab, folder) >= TASKS // 10, 120)
    assert lab.kill9(where, pattern) >= 1
    assert results(lab, folder) < TASKS, "the campaign was over before"
    # Whatever happened, the queue runs empty by itself.  A task that was
    # requeued waits two minutes for its credential to expire.
    lab.wait("all tasks ended", lambda: lab.ctl(
        "squeue -h -r | wc -l") == "0", 400, every=1)
    numbers = lab.ctl(f"cat {folder}/result.* | sort -n")
    assert numbers.split() == [str(n) for n in range(1, TASKS + 1)]
    starts = lab.ctl(f"wc -l {folder}/start.* | grep -v total")
    again = re.findall(r"^\s*([2-9]|\d\d+) \S*start\.(\d+)$", starts, re.M)
    if name == "slurmctld":
        # At most what began in the last seconds before the kill.
        assert len(again) < TASKS // 2, again
    else:
        assert again == [], f"tasks that ran more than once: {again}"
    # Whole again without a hand.
    lab.wait_idle(DEVICES, 60)
    lab.wait("the killed daemon is back", lambda: lab.run(
        where, f"pgrep -f '[{pattern[0]}]{pattern[1:]}'"), 30)
    assert "volunteer: " not in lab.ctl("sinfo -R -h -o %E")


def test_a_job_that_died_with_slurmd_is_given_back(lab):
    """As when slurmd is killed while it starts one: slurmctld believes it to
    run, looks for it when the new slurmd registers, and not before it is 20
    seconds old; by itself that would be minutes later."""
    job = parked.submit(lab, "sleep 600", "-w desk2")
    lab.wait("the job runs", lambda: parked.running_on(lab, job) and lab.run(
        "desk2", "pgrep -x sleep || true"), 30)
    lab.run("desk2", "pkill -KILL -f '[s]lurmd.* -N desk2'; "
            "pkill -KILL slurmstepd")
    lab.wait("it is given back", lambda: parked.job_fields(lab, job).get(
        "Restarts") == "1", 60)
