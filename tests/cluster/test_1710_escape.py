# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger's job under the owner's own uid gets at nothing of the owner's.

Each attempt of the battery (escape/README.md) is made in a job, where it must
be blocked, and bare beside the same victims, where it must work: else it would
prove nothing."""
import pytest

import attempts
import migrating
from attempts import BLOCKED, REACHED
from battlefield import (DEVICE, OTHER, USER, Battlefield, set_walls,
                         walls_down)

EVERYTHING = attempts.everything()
IN_JOB = [a for a in EVERYTHING if a.where == "job"]
SUBMITTED = [a for a in EVERYTHING if a.where == "controller"]
BESIDE = [a for a in EVERYTHING if a.where == "beside"]
# What no uid may do to another's, walls or not.
OWN_ONLY = {"beside/key", "beside/peer_signal", "beside/script",
            "beside/signal", "beside/trace"}
NEIGHBOURS = {USER: BESIDE,
              OTHER: [a for a in BESIDE if a.name not in OWN_ONLY]}

# What the owner must not see of all this.  Bare, every one of these is.
TRACES = ("signal USR1", "signal WINCH", "signal CONT", "came to tcp",
          "came to terminal", "came to fifo", "to-output", ".bashrc", "to-remove",
          "to-open", "stranger")


def name_of(attempt):
    return attempt.name


@pytest.fixture(scope="module")
def field(session_lab):
    """Victims on a device, and all programs."""
    field = Battlefield(session_lab)
    try:
        field.up()
        yield field
    finally:
        field.down()


@pytest.fixture(scope="module")
def inside(field):
    """What came of each attempt in jobs, and of their victims."""
    results = field.look(field.in_job(IN_JOB), IN_JOB)
    results |= field.submit_all(SUBMITTED)
    results["touched"] = field.touched()
    results["closers"] = field.closers
    return results


@pytest.fixture(scope="module")
def restored(inside, field):
    """The same in a job that was saved elsewhere: CRIU puts it back, root, and
    all of its walls are to be around it then.  None where it can not."""
    if migrating.no_criu(field.lab):
        return None
    field.clean()
    results = field.look(field.in_restored_job(IN_JOB), IN_JOB)
    results["touched"] = field.touched()
    return results


@pytest.fixture(scope="module")
def bare(inside, restored, field):
    """The same without walls, afterwards: so the victims were there."""
    if restored is not None:
        field.clean()
    results = field.look(field.bare(IN_JOB), IN_JOB)
    with walls_down(field.lab):
        results |= field.submit_all(SUBMITTED)
    results["touched"] = field.touched()
    return results


@pytest.fixture(scope="module")
def beside(field):
    """By the neighbour's user: two jobs on one device; then both bare."""
    return {user: (field.beside(chosen, user, "job"),
                   field.beside(chosen, user, "user"))
            for user, chosen in NEIGHBOURS.items()}


def check(attempt, inside, bare):
    assert inside.status == BLOCKED, \
        f"{attempt.name} (wall: {attempt.wall}): {inside}"
    if attempt.needs and bare.status == BLOCKED:
        # Blocked by the walls or by the kernel: who knows.
        pytest.skip(f"not proven here: {attempt.name} needs {attempt.needs}; "
                    f"bare: {bare}")
    assert bare.status == REACHED, f"{attempt.name}, bare: {bare}"


def test_enough_is_proven_bare(bare):
    proven = [a for a in IN_JOB + SUBMITTED if bare[a.name].status == REACHED]
    assert len(proven) >= 60
    assert len({a.group for a in proven}) >= 11


@pytest.mark.parametrize("attempt", IN_JOB + SUBMITTED, ids=name_of)
def test_attempt(attempt, field, inside, bare):
    check(attempt, inside[attempt.name], bare[attempt.name])


@pytest.mark.parametrize("attempt", IN_JOB, ids=name_of)
def test_attempt_restored(attempt, field, restored, bare):
    if restored is None:
        migrating.need_criu(field.lab)
    check(attempt, restored[attempt.name], bare[attempt.name])


@pytest.mark.parametrize(
    "user, attempt", [pytest.param(user, a, id=f"{user}-{a.name}")
                      for user, chosen in NEIGHBOURS.items() for a in chosen])
def test_attempt_beside(user, attempt, field, beside):
    in_jobs, both_bare = beside[user]
    check(attempt, in_jobs[attempt.name], both_bare[attempt.name])


def test_a_silent_display_stops_no_daemon(field, bare):
    """hwloc, with which they measure the machine, would ask it for GPUs."""
    field.run_bare("user", "./sockets/silent_display")
    try:
        # What device.conf says then comes into force in 20 s.
        set_walls(field.lab, open_files="4000")
        field.lab.run(DEVICE, "timeout 10 volunteer status")
    finally:
        field.lab.run(DEVICE, "pkill -KILL -x silent_display; true")
        set_walls(field.lab, open_files=None)


def test_the_owner_notices_nothing(field, inside):
    assert inside["touched"] == []


def test_the_owner_does_not_notice_a_restored_job(field, restored):
    if restored is None:
        migrating.need_criu(field.lab)
    assert restored["touched"] == []


def test_no_job_closes_the_device(field, inside):
    """It is the job that is wrong then, and the job that fails."""
    assert not inside["closers"]


@pytest.mark.parametrize("trace", TRACES)
def test_the_owner_would_notice(bare, trace):
    assert any(trace in line for line in bare["touched"])
