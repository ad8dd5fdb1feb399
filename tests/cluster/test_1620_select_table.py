# SPDX-License-Identifier: GPL-2.0-or-later
"""A node table that can not be used is as good as none: slurmctld says so in
one line and schedules as cons_tres does."""
import concurrent.futures
import contextlib
import re

import pytest

from conftest import DEVICES
import parked
import placing
from placing import batch, shut, wait_done

TABLE = "/run/slurm-volunteer/controller/nodes"
LOG = "/var/log/slurm/slurmctld.log"
STALE_S = 15

# In place, again and again: discoveryd makes the file anew at its next beat.
SPOIL = {
    "missing": f"rm -f {TABLE}",
    "empty": f"truncate -s 0 {TABLE}",
    # Behind the header: records that are cut off matter when they are news.
    "short": f"truncate -s 130 {TABLE}",
    "ones": f"head -c 4096 /dev/zero | tr '\\0' '\\377' 1<> {TABLE}",
    "future": f"printf '\\377\\0\\0\\0' | dd of={TABLE} bs=1 seek=8 "
              "conv=notrunc status=none",
}
SPOIL_S = 6
BEAT_S = 2


def said(lab):
    """Lines that the plugin has written so far."""
    return lab.ctl(f"grep 'slurm-volunteer' {LOG} || true").splitlines()


@contextlib.contextmanager
def silent(lab):
    """discoveryd neither writes nor repairs the table."""
    lab.ctl("pkill -STOP -x discoveryd")
    try:
        yield
    finally:
        lab.ctl("pkill -CONT -x discoveryd")
        lab.wait("devices are back", lambda: placing.is_open(lab, "desk2")
                 and placing.is_open(lab, "desk3"), 60)


@pytest.mark.parametrize("kind", SPOIL)
def test_no_table(lab, kind):
    """Jobs are sent to all devices, and a line says that something is
    wrong."""
    wait_done(lab, *batch(lab, "-t1"))
    before, pid = said(lab), placing.slurmctld(lab)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        spoiler = pool.submit(lab.ctl, f"end=$((SECONDS + {SPOIL_S})); while "
                              f"[ $SECONDS -lt $end ]; do [ ! -e {TABLE} ] || "
                              f"{{ {SPOIL[kind]}; }}; sleep 0.02; done")
        jobs = batch(lab, *["--exclusive"] * 6)
        assert set(wait_done(lab, *jobs)) == set(DEVICES)
        spoiler.result()
    more = said(lab)[len(before):]
    # Who removes a file does not take it from those who have it open.
    assert more or kind == "missing"
    # It is right for a moment at each beat; each line tells of a change.
    assert len(more) <= 2 * (SPOIL_S // BEAT_S + 1), more
    assert placing.slurmctld(lab) == pid
    # It is used again as soon as it is good again.
    with placing.undrained(lab), shut(lab, "desk1"):
        jobs = batch(lab, *["--exclusive"] * 2)
        assert set(wait_done(lab, *jobs)) <= {"desk2", "desk3"}


def test_a_table_in_a_storm(lab):
    """Written over 10 000 times a second while jobs are scheduled: all records
    are torn, no state is, so that no job waits and none goes wrong."""
    program = parked.native_program("storm")
    lab.host("docker", "cp", program,
             f"{lab.container('controller')}:/usr/local/bin/storm")
    before, pid = said(lab), placing.slurmctld(lab)
    with placing.undrained(lab), shut(lab, "desk1"), \
            concurrent.futures.ThreadPoolExecutor() as pool:
        storm = pool.submit(lab.ctl, f"storm {TABLE} 10 10000")
        jobs = batch(lab, *["-t1"] * 16)
        assert set(wait_done(lab, *jobs)) <= {"desk2", "desk3"}
        assert int(storm.result()) > 20000
    assert placing.slurmctld(lab) == pid
    assert len(said(lab)) <= len(before) + 2, said(lab)


def test_discoveryd_is_killed_while_jobs_are_scheduled(lab):
    """Again and again: no job is lost or kept waiting."""
    with placing.Shell(lab, "controller") as shell:
        jobs = batch(lab, *["-t1"] * 24, seconds=0.1)
        for _ in range(10):
            shell("pkill -KILL -x discoveryd; sleep 0.7")
    wait_done(lab, *jobs, timeout=120)


def test_discoveryd_is_silent(lab):
    """The table goes stale, so it counts no more: neither do owners in it."""
    wait_done(lab, *batch(lab, "-t1"))
    before = said(lab)
    with placing.undrained(lab), shut(lab, "desk1"):
        waiting, = batch(lab, "-w desk1")
        placing.stays_pending(lab, waiting)
        with silent(lab):
            # Slurm starts it, and the device, cut off as well, has it not run.
            lab.wait("the job is started", lambda: re.search(
                rf"(Started|Allocate) JobId={waiting} ", lab.ctl(
                    f"cat {LOG}")), STALE_S + 20)
            assert len(said(lab)) == len(before) + 1
            assert wait_done(lab, *batch(lab, "-p fixed")) == ["controller"]
    wait_done(lab, waiting)
