# SPDX-License-Identifier: GPL-2.0-or-later
"""One image file as jobs' system: with it a job moves between machines whose own
files are others, and without it does not.

The image holds programs of the host that runs these tests, which need not have
the devices' distribution.  The C library of desk2 is another file than desk1's.
"""
import contextlib
import hashlib
import re
import tempfile

import migrating
import parked
import placing
import pytest
import runtimes
import walls
from migrating import BEGINS
from test_1920_placement import COUNT, begin_again, machines, numbers, reason


@pytest.fixture(scope="module", name="runtime")
def fixture_runtime(session_lab):
    """The path of the image file, on all devices; none of them uses it."""
    lab = session_lab
    with tempfile.TemporaryDirectory(prefix="voltest-") as folder:
        file = runtimes.make(lab, "desk1", folder)
        for node in lab.nodes():
            path = runtimes.put(lab, node, file)
    runtimes.require(lab, "desk1", path)
    return path


@pytest.fixture(scope="module", name="differs")
def fixture_differs(session_lab, runtime):
    """desk2 has another C library than desk1, as its distribution's update
    would have brought it."""
    lab = session_lab
    program = "/usr/libexec/slurm-volunteer/slurm-volunteer-checkpoint"
    done = lab.proc("desk1", f"{program} probe", check=False)
    if done.returncode:
        pytest.skip(f"migration is not proven here: {done.stderr.strip()}")
    libc = lab.run("desk2", "ldd /usr/bin/bash | sed -n 's/.*libc.so.6 => "
                   r"\(\S*\).*/\1/p'")
    lab.run("desk2", f"cp -p {libc} {libc}.saved; cp -p {libc} {libc}.new; "
            f"echo >> {libc}.new; mv {libc}.new {libc}")
    try:
        begin_again(lab, "desk2")
        parked.wait_open(lab, "desk2")
        yield
    finally:
        lab.run("desk2", f"mv {libc}.saved {libc}")
        begin_again(lab, "desk2")


def runtime_of(lab, node):
    return (machines(lab)[node]["machine"] or {}).get("runtime")


@contextlib.contextmanager
def system(lab, runtime, *nodes):
    """These devices give jobs the image as their system."""
    with contextlib.ExitStack() as stack:
        for node in nodes:
            stack.enter_context(walls.policy(lab, node, image=runtime))
        for node in nodes:
            lab.wait(f"{node} says so", lambda n=node: runtime_of(lab, n) ==
                     runtimes.digest(runtime), 30)
            walls.settled(lab, node)
        yield
    for node in nodes:
        lab.wait(f"{node} has its own", lambda n=node: runtime_of(lab, n) ==
                 "", 30)
        walls.settled(lab, node)


def test_jobs_have_it_as_their_system(session_lab, lab, runtime):
    name = runtimes.digest(runtime)
    with system(lab, runtime, "desk1"):
        done = lab.alice("srun -p volunteer -w desk1 --mem=20 bash -c "
                         "'ls -d /usr/of-the-image /usr/share; touch /usr/x; "
                         "true' 2>&1")
        assert "/usr/of-the-image" in done.splitlines(), done
        assert "/usr/share': No such file" in done, done
        assert "Read-only file system" in done, done
        # A batch script starts steps by the machine's own srun.
        job = parked.submit(lab, "srun bash -c 'echo step; ls /usr'",
                            "-w desk1 -o system.%j")
        placing.wait_done(lab, job)
        out = lab.ctl(f"cat /campaign/alice/system.{job}").split()
        assert {"step", "of-the-image"} <= set(out), out
        # People are told.
        page = lab.run("desk1", "volunteer status")
        assert re.search(rf"^system +image {name[:12]},", page, re.M), page
        page = lab.run("desk1", "volunteer sandbox --show")
        assert re.search(rf"^system +image {name}, read-only$", page, re.M)
        table = lab.ctl("volunteer devices --machines")
        assert re.search(rf"^desk1 .* image {name[:12]} ", table, re.M), table
        assert re.search(r"^desk2 .* its own ", table, re.M), table
        kinds = {node: row["machine"]["kind"] for node, row in
                 machines(lab).items()}
        assert kinds["desk1"] != kinds["desk2"] == kinds["desk3"], kinds


def test_a_file_that_is_something_else_closes_the_device(lab, runtime):
    """And no job gets the machine's own system instead."""
    wrong = f"{runtimes.STORE}/{hashlib.sha256(b'another').hexdigest()}.erofs"
    lab.run("desk3", f"cp {runtime} {wrong}")
    saved = lab.run("desk3", f"cat {parked.CONF}")
    try:
        lab.run("desk3", f"sed -i 's#^.sandbox.$#&\\nimage = {wrong}#' "
                f"{parked.CONF}; pkill -HUP -x discoveryd")
        said = "is not what its name says"
        lab.wait("sinfo says why", lambda: said in
                 parked.drain_reason(lab, "desk3"), 30)
        assert said in lab.run("desk3", "volunteer why || true").replace(
            "\n", " ")
        assert said in lab.run("desk3", "volunteer status || true")
        assert lab.run("desk3", f"ls {walls.FILE} 2>/dev/null || true") == ""
        assert runtimes.mounts(lab, "desk3") == "0"
        # The right one is in its place, and is read.
        lab.proc("desk3", f"cat > {parked.CONF}; pkill -HUP -x discoveryd",
                 stdin=saved.replace("[sandbox]",
                                     f"[sandbox]\nimage = {runtime}") + "\n")
        lab.wait("it has it", lambda: runtime_of(lab, "desk3") ==
                 runtimes.digest(runtime), 30)
        walls.settled(lab, "desk3")
    finally:
        lab.proc("desk3", f"cat > {parked.CONF}; rm {wrong}; "
                 "pkill -HUP -x discoveryd", stdin=saved + "\n")
    lab.wait("desk3 has its own", lambda: runtime_of(lab, "desk3") == "", 30)
    walls.settled(lab, "desk3")


def test_mounts_are_found_again_and_taken_away(lab, runtime):
    with system(lab, runtime, "desk3"):
        before = lab.run("desk3", f"stat -c %d {runtimes.PLACE}/{runtimes.digest(runtime)}")
        for _ in range(3):
            parked.restart(lab, "desk3")
            lab.wait("it has it again", lambda: walls.status(lab, "desk3")[
                "sandbox"]["runtime"] == runtimes.digest(runtime), 30)
            assert runtimes.mounts(lab, "desk3") == "1"
        walls.settled(lab, "desk3")
        assert lab.run("desk3", f"stat -c %d {runtimes.PLACE}/{runtimes.digest(runtime)}") == \
            before
    # Not used any more, it stays until discoveryd goes.
    assert runtimes.mounts(lab, "desk3") == "1"
    old = lab.run("desk3", "pgrep -x discoveryd")
    lab.run("desk3", f"kill {old}")
    lab.wait("discoveryd is back", lambda: lab.run(
        "desk3", "pgrep -x discoveryd || true") not in ("", old), 40)
    assert runtimes.mounts(lab, "desk3") == "0"
    walls.settled(lab, "desk3")


def test_mounts_are_the_hosts(lab, runtime):
    """A unit of systemd's has mounts of its own, which end with it."""
    alone = f"unshare -m --propagation slave {runtimes.PROGRAM}"
    assert runtimes.mounts(lab, "desk3") == "0"
    lab.run("desk3", f"{alone} {runtime}")
    assert runtimes.mounts(lab, "desk3") == "1"
    lab.run("desk3", f"{alone} -c")
    assert runtimes.mounts(lab, "desk3") == "0"


def move(lab, n):
    """A job from desk1, whose owner stays; desk2 alone is free.  How it went
    on."""
    job = migrating.submit(lab, "desk1", COUNT.format(n=n), least=10)
    with placing.shut(lab, "desk3"):
        assert migrating.evict(lab, job, "desk1") == "desk2"
    migrating.wait_end(lab, job)
    return job


def test_without_it_the_job_begins_anew(lab, differs):
    """desk2 has another C library."""
    job = move(lab, 100)
    out = migrating.output(lab, job)
    assert re.search(r"^volunteer: image 1 .*is not for desk2: the job has "
                     r'"\S*libc.* mapped, which is another one here', out,
                     re.M), out
    assert BEGINS in out and not migrating.restored(lab, job), out


def test_with_it_the_job_goes_on(lab, differs, runtime):
    n = 200
    with system(lab, runtime, "desk1", "desk2"):
        kinds = {node: row["machine"]["kind"] for node, row in
                 machines(lab).items()}
        assert kinds["desk1"] == kinds["desk2"] != kinds["desk3"], kinds
        job = move(lab, n)
        assert numbers(lab, job) == [*map(str, range(1, n + 1)), "end"]
        assert [node for _, node in migrating.restored(lab, job)] == ["desk1"]
        assert BEGINS not in migrating.output(lab, job)


def test_it_waits_for_a_device_that_has_it(lab, differs, runtime):
    n = 200
    with system(lab, runtime, "desk1", "desk2"):
        job = migrating.submit(lab, "desk1", COUNT.format(n=n), least=10)
        with parked.settings(lab, "desk1", parked_max="1s"), \
                placing.shut(lab, "desk2"), parked.present(lab, "desk1"):
            lab.wait("the job is saved and waits", lambda: reason(lab, job)
                     and parked.job_fields(lab, job)["Restarts"] == "1", 90)
            lab.wait("only for a place", lambda: reason(lab, job) not in (
                "BeginTime", "None", "Priority"), 60)
            assert placing.is_open(lab, "desk3")
            placing.stays_pending(lab, job, rounds=4)
            page = lab.ctl(f"volunteer explain {job}")
            assert re.search(r"^\S+ +desk3 .*the job has runtime image "
                             rf"{runtimes.digest(runtime)[:12]}", page, re.M), page
            lab.run("desk2", "volunteer resume")
            assert lab.wait("the job goes on", lambda: migrating.moved(
                lab, job, "desk1"), 60) == "desk2"
        migrating.wait_end(lab, job)
        assert numbers(lab, job) == [*map(str, range(1, n + 1)), "end"]
