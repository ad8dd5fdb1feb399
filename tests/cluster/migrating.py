# SPDX-License-Identifier: GPL-2.0-or-later
"""migrating.py - batch jobs that are saved when an owner stays, and go on"""
import contextlib
import re

import pytest

import parked
from parked import present

ASK = "--volunteer-checkpoint=on-evict --open-mode=append"
# Slurm's own words, and ours, which stand between the lines of a job.
NOTES = re.compile(r"^(volunteer|slurmstepd[^:]*):.*\n", re.M)
GOES_ON = re.compile(r"^volunteer: goes on from image (\d+), made \S+ ago on "
                     r"(\S+)$", re.M)
BEGINS = "volunteer: the job starts from the beginning\n"


def no_criu(lab, node="desk1"):
    """Why no job can be saved there; None: it can."""
    program = "/usr/libexec/slurm-volunteer/slurm-volunteer-checkpoint"
    done = lab.proc(node, f"{program} probe", check=False)
    return done.stderr.strip() if done.returncode else None


def need_criu(lab):
    """Where CRIU can not work on this kernel there is nothing to prove."""
    if why := no_criu(lab):
        pytest.skip(f"not proven here: {why}")


def output(lab, job):
    return lab.ctl(f"cat /campaign/alice/moved.{job} 2>/dev/null || true") \
        + "\n"


def lines(lab, job):
    """What the job itself has written."""
    return NOTES.sub("", output(lab, job)).splitlines()


@contextlib.contextmanager
def only(lab, *nodes):
    """No other device takes jobs meanwhile."""
    others = ",".join(sorted(set(lab.nodes()) - set(nodes)))
    lab.ctl(f"scontrol update nodename={others} state=drain reason=test")
    try:
        yield
    finally:
        lab.ctl(f"scontrol update nodename={others} state=resume")


def submit(lab, node, body, options="", least=1, timeout=60):
    """A job that begins on that node, and may go elsewhere; returns when it has
    written so many lines."""
    with only(lab, node):
        job = parked.submit(lab, body, f"{ASK} -o moved.%j {options}")
        lab.wait("the job runs", lambda: parked.running_on(lab, job) == node,
                 60)
    lab.wait("the job writes", lambda: len(lines(lab, job)) >= least, timeout)
    return job


def moved(lab, job, node):
    """The node on which the job runs now, or did, if it is another one."""
    fields = parked.job_fields(lab, job)
    now = fields.get("NodeList", "")
    return now if now not in ("", "(null)", node) and fields.get(
        "JobState") in ("RUNNING", "COMPLETED") else None


def evict(lab, job, node, timeout=90):
    """The owner of its node comes, and stays until it is elsewhere; where?"""
    with parked.settings(lab, node, parked_max="1s"), present(lab, node):
        return lab.wait(f"job {job} leaves {node}",
                        lambda: moved(lab, job, node), timeout)


def wait_end(lab, job, timeout=120):
    """It has completed."""
    lab.wait(f"job {job} ends", lambda: parked.state(lab, job) not in (
        "RUNNING", "PENDING", "COMPLETING"), timeout)
    state = parked.state(lab, job)
    assert state == "COMPLETED", f"{state}\n{output(lab, job)}"


def restored(lab, job):
    """(image, device) for each time that it went on."""
    return [(int(n), node) for n, node in GOES_ON.findall(output(lab, job))]


def why_not(lab, node, job):
    """What the device's log says of the last time it could not save it."""
    said = re.findall(rf"not saved\W+job {job}: (.*)",
                      lab.run(node, "volunteer log -n 200"))
    return said[-1] if said else None
