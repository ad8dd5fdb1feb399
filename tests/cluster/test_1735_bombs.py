# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that want all there is of something: held or ended, and why is told.

Meanwhile the machine answers, and afterwards it is as before.  What only the
cgroup controllers of a real machine hold (memory, CPU time) is thrown at one in
tests/desktop/test_0800_sandbox.py."""
import contextlib
import re
import subprocess

import pytest

import clean
import parked
import walls

NODE = "desk1"
BOMB = "/campaign/alice/bomb"
STEP = f"srun -p volunteer -w {NODE} --mem=20"
# What a program of the machine's own may take: ten times what is promised,
# since other tests run beside.
ANSWER_S = 2


@pytest.fixture(scope="module")
def before(session_lab):
    """What there is on the device; it has had a job."""
    lab = session_lab
    lab.wait_idle([NODE])
    lab.host("docker", "cp", parked.native_program("bomb"),
             f"{lab.container('controller')}:{BOMB}")
    assert walls.around_tasks(lab, NODE), "bombs without walls"
    lab.wait_no_jobs()
    return clean.settled(lab, [NODE])


@pytest.fixture
def answering(session_lab, record_property):
    """While a program runs here the machine answers "date"."""
    @contextlib.contextmanager
    def watch(what):
        lab = session_lab
        lab.run(NODE, "rm -f /tmp/quiet")
        with subprocess.Popen(
                ["docker", "exec", lab.container(NODE), "bash", "-c",
                 "until [ -e /tmp/quiet ]; do s=${EPOCHREALTIME/./}; "
                 "date > /dev/null; echo $((${EPOCHREALTIME/./} - s)); "
                 "sleep 0.02; done; rm -f /tmp/quiet"],
                stdout=subprocess.PIPE, text=True) as answers:
            said = answers.stdout
            try:
                # It has begun, and is seen to go on, however short that is.
                lines = [said.readline()]
                yield
                lines += [said.readline(), said.readline()]
            finally:
                lab.run(NODE, "touch /tmp/quiet")
                took = sorted(int(us) / 1e6 for us in [*lines, *said] if us)
        record_property("figure", f"{what}: date answered {len(took)} times, "
                        f"the last after {1000 * took[-1]:.0f} ms")
        assert len(took) > 2 and took[-1] < ANSWER_S, took[-9:]
    return watch


def test_ten_thousand_threads(lab, before, answering):
    most = int(walls.told(lab, NODE)["tasks"])
    with answering("10 000 threads"):
        said = lab.alice(f"{STEP} {BOMB} threads 10000 || true", timeout=60)
    found = re.fullmatch(r"threads: (\d+) of 10000: Resource temporarily "
                         "unavailable", said)
    assert found and most // 2 < int(found[1]) <= most, said
    clean.same_again(lab, before)


def test_what_a_job_uses_up_is_its_own(lab, before):
    """The kernel counts these for a user, and the owner may be the same one."""
    said = "inotify-bomb"
    job = parked.submit(lab, f"exec {BOMB} stay inotify 100000",
                        f"-w {NODE} -o /campaign/alice/{said}")
    lab.wait("the job has all it can have", lambda: lab.alice(
        f"grep 'Too many open files' {said} || true"), 30)
    try:
        lab.host("docker", "cp", parked.native_program("bomb"),
                 f"{lab.container(NODE)}:/usr/local/bin/bomb")
        assert lab.run(NODE, "/usr/local/bin/bomb inotify 9", user="2001"
                       ) == "inotify: 9 of 9: no limit"
    finally:
        lab.run(NODE, "rm -f /usr/local/bin/bomb")
        parked.end(lab, job)
    lab.alice(f"rm -f {said}")
    clean.same_again(lab, before)


@contextlib.contextmanager
def shared(lab, lines):
    """[share] of the device, all in one change."""
    conf = parked.CONF
    lab.run(NODE, f"cp -p {conf} {conf}.shared")
    try:
        lab.run(NODE, f"printf '[share]\\n{lines}\\n' >> {conf}")
        walls.reload_conf(lab, NODE)
        yield
    finally:
        lab.run(NODE, f"mv {conf}.shared {conf}")
        walls.reload_conf(lab, NODE)


def test_what_the_owner_shares_is_all_there_is(lab, before):
    """Less than a job asks for: it is told at once.  All: that is so much."""
    def said(words):
        done = lab.proc("controller", f"cd /campaign/alice && {words}",
                        user="alice", check=False, stdin="#!/bin/sh\n")
        return done.stdout + done.stderr
    with shared(lab, "cpus = 1\\nmemory = 2G"):
        lab.wait("Slurm hears of it", lambda: (
            lab.node(NODE)["CPUTot"], lab.node(NODE)["RealMemory"],
            lab.nodes()[NODE]) == ("1", "2048", "idle"), 60)
        where = f"-p volunteer -w {NODE}"
        for asked in ("--mem=3G", "-c2"):
            assert "node configuration is not available" in said(
                f"sbatch {where} {asked}"), asked
        told = said(f"srun {where} --mem=0 --volunteer-net=lan "
                    "--volunteer-info true")
        assert (f"{NODE} gives a job network=none, not lan: the device's "
                "policy wins") in told, told
        assert "(cores 0), 2048 MB of memory" in told, told
    lab.wait("Slurm hears of that, too", lambda:
             lab.node(NODE)["RealMemory"] != "2048", 60)
    # What slurmd said last before it was stopped may cost another minute.
    lab.wait_idle([NODE], 100)


# -- a device that gives a job little; last, since it does so until the end -----

@pytest.fixture(scope="module")
def narrow(session_lab, before):
    """The device gives a job little; its limits stand before any bomb is
    thrown."""
    lab = session_lab
    with walls.policy(lab, NODE, tasks="64", open_files="256", tmp="16M"):
        told = walls.told(lab, NODE)
        assert (told["tasks"], told["open_files"]) == ("64", "256"), told
        yield
    clean.same_again(lab, before)


BOMBS = {
    "forks 400": "Resource temporarily unavailable",
    "threads 400": "Resource temporarily unavailable",
    "files 4096": "Too many open files",
    "terminals 4096": "Too many open files",
    "disk /tmp 64": "No space left on device",
    "disk /var/tmp 64": "No space left on device",
    "disk /dev/shm 64": "No space left on device",
    "inotify 100000": "Too many open files",
    "keys 100000": "Operation not permitted",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb(lab, narrow, answering, bomb):
    with answering(bomb):
        done = lab.proc("controller", f"cd /campaign/alice && {STEP} {BOMB} "
                        f"{bomb}", user="alice", check=False, timeout=60)
    words = bomb.split()
    found = re.search(rf"^{words[0]}: (\d+) of {words[-1]}: (.*)$",
                      done.stdout, re.M)
    assert found and found[2] == BOMBS[bomb], done
    assert int(found[1]) <= 256 and done.returncode == 3, done


def test_a_bomb_that_goes_on_is_ended(lab, narrow, answering):
    """As many processes as it may have, and all of them try to have more."""
    with answering("a fork bomb until scancel"):
        job = parked.submit(lab, f"exec {BOMB} stay forks 400", f"-w {NODE}")
        lab.wait("the bomb fills its limit", lambda: int(lab.run(
            NODE, "pgrep -c -x bomb || true")) >= 40, 20)
        parked.end(lab, job)
        lab.wait("none of it is left", lambda: lab.run(
            NODE, "pgrep -c -x bomb || true") == "0", 10)
