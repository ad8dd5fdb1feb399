# SPDX-License-Identifier: GPL-2.0-or-later
"""A job that was saved goes on only where the machine has all that it had.

The processor of desk2 lacks something: its /proc/cpuinfo says so, which is what
a program of an older processor would read there.
"""
import contextlib
import json
import re

import migrating
import parked
import placing
import pytest
from migrating import BEGINS
from parked import present

# One that this machine has, and that programs choose their code by.
CHOICES = ("avx512f", "avx2", "avx", "sse4_2")
# A line each time; it takes its time, so that there is something to lose.
COUNT = """\
for i in $(seq 1 {n}); do
	echo "$i"
	sleep 0.05
done
echo end
"""


def machines(lab):
    """What devices say of themselves, by node."""
    rows = json.loads(lab.ctl("volunteer devices --json"))
    return {row["node"]: row for row in rows}


def features(lab, node):
    return (machines(lab)[node]["machine"] or {}).get("features")


def begin_again(lab, node):
    """Daemons that see the machine as it is now: slurmd's view of it is made
    when it starts."""
    old = lab.run(node, "pgrep -x slurmd")
    lab.run(node, f"kill {old}")
    lab.wait("slurmd is back", lambda: lab.run(
        node, "pgrep -x slurmd || true") not in ("", old), 30)
    parked.restart(lab, node)


@contextlib.contextmanager
def without(lab, node, feature):
    """The processor of that node has no such feature."""
    lab.run(node, "sed -E '/^flags/s/ \\b" + feature + "[^ ]*//g' "
            "/proc/cpuinfo > /run/cpuinfo && "
            "mount --bind /run/cpuinfo /proc/cpuinfo")
    try:
        begin_again(lab, node)
        lab.wait(f"{node} says that it has no {feature}",
                 lambda: feature not in (features(lab, node) or [feature]), 60)
        yield
    finally:
        lab.run(node, "umount /proc/cpuinfo")
        begin_again(lab, node)
        lab.wait(f"{node} says that it has {feature}",
                 lambda: feature in (features(lab, node) or []), 60)


@pytest.fixture(scope="module", name="feature")
def fixture_feature(session_lab):
    """What desk2 lacks.  Where CRIU can not work on this kernel there is
    nothing to prove."""
    lab = session_lab
    migrating.need_criu(lab)
    for node in lab.nodes():
        lab.wait(f"{node} says what it is", lambda n=node: features(lab, n),
                 60)
    feature = next(f for f in CHOICES if f in features(lab, "desk1"))
    with without(lab, "desk2", feature):
        yield feature


def reason(lab, job):
    fields = parked.job_fields(lab, job)
    return fields["Reason"] if fields.get("JobState") == "PENDING" else None


@contextlib.contextmanager
def waiting(lab, n):
    """A job that was saved on desk1, whose owner stays, while desk3 has its
    owner, too: only desk2 is free."""
    job = migrating.submit(lab, "desk1", COUNT.format(n=n), least=10)
    with parked.settings(lab, "desk1", parked_max="1s"):
        with placing.shut(lab, "desk3"), present(lab, "desk1"):
            lab.wait("the job is saved and waits", lambda: reason(lab, job)
                     and parked.job_fields(lab, job)["Restarts"] == "1", 90)
            lab.wait("only for a place", lambda: reason(lab, job) not in (
                "BeginTime", "None", "Priority"), 60)
            assert placing.is_open(lab, "desk2")
            yield job


def numbers(lab, job):
    return [line for line in migrating.lines(lab, job) if line]


def test_devices_tell_what_they_are(lab, feature):
    rows = machines(lab)
    fit, small = rows["desk1"]["machine"], rows["desk2"]["machine"]
    assert feature in fit["features"] and feature not in small["features"]
    assert fit["kind"] == rows["desk3"]["machine"]["kind"] != small["kind"]
    assert re.fullmatch(r"4\.\d+(\.\d+)?", fit["criu"]), fit
    assert rows["desk2"]["saves_not"] == ""
    table = lab.ctl("volunteer devices --machines")
    assert len(re.findall(r"^desk\d .*go on there$", table, re.M)) == 3, table
    assert "jobs can be saved and go on here" in lab.run(
        "desk1", "cat /var/log/slurm-volunteer/discoveryd.log "
        "/var/log/discoveryd.log 2>/dev/null || true") + lab.cluster(
            "logs", "desk1").stdout


def test_only_a_device_that_fits_gets_it(lab, feature):
    n = 400
    with waiting(lab, n) as job:
        # Others run on desk2 meanwhile.
        other, = placing.batch(lab, "-t1")
        assert set(placing.wait_done(lab, other)) == {"desk2"}
        assert set(placing.stays_pending(lab, job, rounds=6)) <= {
            "Resources", "Nodes", "Priority"} | {
            parked.job_fields(lab, job)["Reason"]}
        page = lab.ctl(f"volunteer explain {job}")
        words = " ".join(page.split())
        assert "It was saved on desk1 at " in words, page
        assert "waits for a device that can go on with it" in words, page
        assert "1 can not go on with it" in words, page
        assert re.search(rf"^\S+ +desk2 .*this processor has no {feature}", page,
                         re.M), page
        before = len(numbers(lab, job))
        # desk3 is like desk1, where the owner still is.
        lab.run("desk3", "volunteer resume")
        assert lab.wait("the job goes on", lambda: migrating.moved(
            lab, job, "desk1"), 60) == "desk3"
        lab.wait("it writes", lambda: len(numbers(lab, job)) > before, 30)
    migrating.wait_end(lab, job)
    assert numbers(lab, job) == [*map(str, range(1, n + 1)), "end"]
    assert [node for _, node in migrating.restored(lab, job)] == ["desk1"]
    assert BEGINS not in migrating.output(lab, job)
    placed = " ".join(lab.ctl(f"volunteer explain {job}").split())
    assert "1 more could not go on with what was saved of it" in placed, placed


def test_who_asks_for_another_one_begins_anew(lab, feature):
    """There it is refused, whatever the scheduler thought."""
    n = 100
    with waiting(lab, n) as job:
        lab.ctl(f"scontrol update jobid={job} reqnodelist=desk2")
        lab.wait("it runs on desk2",
                 lambda: parked.running_on(lab, job) == "desk2", 60)
        migrating.wait_end(lab, job)
    out = migrating.output(lab, job)
    assert re.search(r"^volunteer: image 1 .*is not for desk2: this processor "
                     rf"has no {feature}", out, re.M), out
    assert BEGINS in out and not migrating.restored(lab, job), out
    assert numbers(lab, job)[-n - 1:] == [*map(str, range(1, n + 1)), "end"]


def test_a_device_without_criu_says_so(lab, feature):
    """And gets no saved job, but others."""
    lab.run("desk3", "mv /usr/sbin/criu /usr/sbin/criu.away")
    try:
        parked.restart(lab, "desk3")
        lab.wait("desk3 says so", lambda: "no CRIU here" in
                 machines(lab)["desk3"]["saves_not"], 60)
        assert re.search(r"^desk3 .*no CRIU here", lab.ctl(
            "volunteer devices --machines"), re.M)
        with waiting(lab, 200) as job:
            lab.run("desk3", "volunteer resume")
            lab.wait("desk3 is open", lambda: placing.is_open(lab, "desk3"),
                     20)
            placing.stays_pending(lab, job, rounds=4)
            page = lab.ctl(f"volunteer explain {job}")
            assert re.search(r"^\S+ +desk3 .*no CRIU that works", page, re.M), page
            assert re.search(rf"^\S+ +desk2 .*has no {feature}", page, re.M), page
        # It waits for desk1 alone.
        lab.wait("it goes on where it was saved",
                 lambda: parked.running_on(lab, job) == "desk1", 60)
        migrating.wait_end(lab, job)
        assert numbers(lab, job) == [*map(str, range(1, 201)), "end"]
    finally:
        lab.run("desk3", "mv /usr/sbin/criu.away /usr/sbin/criu")
        parked.restart(lab, "desk3")
