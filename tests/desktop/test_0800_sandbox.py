# SPDX-License-Identifier: GPL-2.0-or-later
"""The sandbox on a desktop with systemd and cgroup v2 as it is

A step's output comes through srun: of a file that a job writes on the desktop
nobody sees anything there."""
import contextlib
import json
import re
import shlex

import pytest

from bed import CONF
from guest import wait
from test_0200_memory import SWAP_OFF, SWAP_ON

# Emulated, and tests must not depend on what else this machine does.
ANSWER_S = 5
TASKS = 64
# So many processes, and not one more than is asked for.
PROCESSES = """\
for my $n (1 .. 200) {
	my $pid = fork;
	defined $pid or print("$n: $!\\n"), exit 3;
	$pid or sleep(60), exit;
}
print "no limit\\n";
"""
BOMB = "#!/usr/bin/perl\nfork while 1;\n"
MEMORY = "my $x = 'x'; $x .= 'x' x (1 << 20) for 1 .. 300; print length $x"


@pytest.fixture
def swap(bed):
    bed.desk.run(SWAP_ON)
    yield
    bed.desk.run(SWAP_OFF)


def srun(bed, program, options=""):
    """Status and all that srun says, on the desktop."""
    return bed.head.status(
        "cd /campaign && setpriv --reuid alice --regid alice --init-groups "
        f"timeout 180 srun -p volunteer -w desk {options} {program} 2>&1", 240)


def perl(text):
    return f"perl -e {shlex.quote(text)}"


@contextlib.contextmanager
def answering(bed):
    """Meanwhile date answers its owner soon, each time."""
    watch = ("until [ -e /tmp/quiet ]; do s=${EPOCHREALTIME/./}; "
             "date > /dev/null; echo $((${EPOCHREALTIME/./} - s)); sleep 0.1; "
             "done; touch /tmp/answered")
    bed.desk.run("rm -f /tmp/quiet /tmp/answered")
    bed.desk.spawn(watch, "/tmp/answers")
    try:
        yield
    finally:
        bed.desk.run("touch /tmp/quiet")
    wait("the last answer", lambda: bed.desk.run(
        "ls /tmp/answered || true").strip(), 20)
    took = [int(us) / 1e6 for us in bed.desk.run("cat /tmp/answers").split()]
    print(f"{len(took)} answers, the last after {max(took):.2f} s")
    assert len(took) >= 5 and max(took) < ANSWER_S


@contextlib.contextmanager
def little(bed):
    """What a step may have is little, and told."""
    before = bed.desk.run(f"cat {CONF}")
    bed.desk.put(CONF, f"{before}\n[sandbox]\ntasks = {TASKS}\n"
                 "open_files = 256\ntmp = 16M\n")
    try:
        bed.desk.run("systemctl reload slurm-volunteer-device")
        wait("the limit is told", lambda: bed.desk.run(
            f"grep -x tasks={TASKS} /run/slurm-volunteer/walls || true"), 20)
        bed.wait_open()
        yield
    finally:
        bed.desk.put(CONF, before)
        bed.desk.run("systemctl reload slurm-volunteer-device")


def test_a_job_ends_right_behind_walls(bed):
    status, said = srun(bed, "bash -c 's=0; for i in {1..100}; do "
                        "((s += i)); done; echo sum $s; readlink "
                        "/proc/self/ns/{pid,mnt,net,user}; ls -A /home; "
                        "echo; exit 7'")
    assert status == 7 and "sum 5050\n" in said, said
    outside = bed.desk.run("readlink /proc/self/ns/{pid,mnt,net,user}")
    for kind in outside.split():
        assert kind.split(":")[0] in said and kind not in said, said
    assert "ann" not in said
    told = json.loads(bed.desk.run("volunteer status --json"))["sandbox"]
    assert (told["walls"], told["stand"]) == ("up", "all"), told


def test_memory_bomb_ends_the_step_alone(bed):
    with answering(bed):
        status, said = srun(bed, perl(MEMORY), "--mem=100")
    assert status != 0 and "ut Of Memory" in said, said
    assert srun(bed, "echo still here")[0] == 0


def test_memory_bomb_with_swap_uses_none_of_it_up(bed, swap):
    with answering(bed):
        status, said = srun(bed, "bomb memory 4000", "--mem=100")
    assert status != 0 and "ut Of Memory" in said, said
    used = sum(int(line.split()[3]) for line in bed.desk.run(
        "tail -n +2 /proc/swaps").splitlines())
    assert used < 512 << 10, f"{used} KiB of swap are in use"
    assert srun(bed, "echo still here")[0] == 0


# As in tests/cluster/test_1735_bombs.py; a job may have 1024 open files here.
@pytest.mark.parametrize("bomb, why", [
    ("threads 10000", "Resource temporarily unavailable"),
    ("terminals 8000", "Too many open files"),
    ("inotify 100000", "Too many open files"),
    ("keys 100000", "Operation not permitted"),
])
def test_bomb_is_held_by_what_a_device_allows(bed, bomb, why):
    with answering(bed):
        status, said = srun(bed, f"bomb {bomb}")
    assert status == 3 and f"of {bomb.split()[-1]}: {why}" in said, said


def test_bombs_are_held_where_a_device_allows_little(bed):
    with little(bed):
        for bomb, why in (("files 4096", "Too many open files"),
                          ("disk /tmp 64", "No space left on device"),
                          ("disk /dev/shm 64", "No space left on device")):
            with answering(bed):
                status, said = srun(bed, f"bomb {bomb}")
            assert status == 3 and why in said, (bomb, said)


def test_what_a_job_uses_up_is_its_own(bed):
    """The owner opens a terminal and a watch all the same."""
    for bomb in ("terminals 8000", "inotify 100000"):
        job = bed.submit(f"#!/bin/sh\nexec bomb stay {bomb}\n", "-w desk")
        bed.tasks(job)
        # 34 is pause(2).
        wait("it has all it can have", lambda: bed.desk.run(
            "cat /proc/$(pgrep -x bomb)/syscall || true").startswith("34 "), 30)
        try:
            assert "no limit" in bed.desk.run(
                f"setpriv --reuid alice --clear-groups --regid alice "
                f"bomb {bomb.split()[0]} 9")
        finally:
            bed.head.run(f"scancel {job}")
            wait("no job", lambda: not bed.head.run("squeue -h").strip(), 60)


def test_fork_bomb_is_held_and_ended(bed):
    with little(bed):
        status, said = srun(bed, perl(PROCESSES))
        held = re.search(r"^(\d+): Resource temporarily unavailable", said, re.M)
        assert status == 3 and held and int(held[1]) <= TASKS, said
        with answering(bed):
            job = bed.submit(BOMB, "-w desk")
            folders = bed.tasks(job)
            user = folders[0].rsplit("/", 1)[0]
            assert bed.desk.run(f"cat {user}/pids.max").strip() == str(TASKS)
            wait("it is as large as it may be", lambda: int(bed.desk.run(
                f"cat {user}/pids.current")) >= TASKS - 4, 30)
            bed.head.run(f"scancel {job}")
            wait("it is gone", lambda: not bed.desk.run(
                f"ls -d {user} 2> /dev/null || true").strip(), 60)
        assert bed.job(job)["JobState"] == "CANCELLED"
        assert bed.desk.run("pgrep -c perl || true").strip() == "0"
