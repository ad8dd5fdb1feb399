#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tasks of one step share one inside; steps share nothing."""
import os
import signal
import time

from bed import Bed, main


def tasks_see_one_another(bed):
    done = bed.sh("echo > /dev/shm/$TASK; echo > /tmp/$TASK; "
                  "while [ $(ls /dev/shm | wc -l) -lt 4 ] || "
                  "[ $(ls /tmp | wc -l) -lt 4 ]; do sleep 0.01; done; "
                  "while [ $(pgrep -c sh) -lt 4 ]; do "
                  "[ $(ls /tmp | wc -l) -gt 4 ] && break; sleep 0.01; done; "
                  "echo > /tmp/done.$TASK; "
                  "while [ $(ls /tmp/done.* | wc -l) -lt 4 ]; do "
                  "sleep 0.01; done", n=4)
    assert done.returncode == 0, done


def have_one_namespace_of_each_kind(bed, n):
    done = bed.sh("for i in mnt pid ipc uts net cgroup user; do "
                  "readlink /proc/self/ns/$i; done", n=n)
    assert len(set(done.stdout.split())) == 7, done
    outside = {os.readlink(f"/proc/self/ns/{i}") for i in
               ("mnt", "pid", "ipc", "uts", "net", "cgroup")}
    assert not outside & set(done.stdout.split()), done


def tasks_have_one_namespace_of_each_kind(bed):
    have_one_namespace_of_each_kind(bed, 3)


def one_task_has_so_too(bed):
    have_one_namespace_of_each_kind(bed, 1)


def a_loopback_is_all_there_is_and_up(bed):
    for n in (1, 2):
        done = bed.sh("grep -q 127.0.0.1 /proc/net/fib_trie && "
                      "grep -c : /proc/net/dev", n=n)
        assert done.stdout.split() == ["1"] * n, done


def steps_see_nothing_of_one_another(bed):
    one = bed.start("/bin/sh", "-c", "echo > /tmp/mine; echo > ready; "
                    "sleep 30", options=("-j", "7"))
    deadline = time.monotonic() + 20
    while not (bed.work / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    two = bed.sh("ls /tmp; ls /dev/shm; ls /proc | grep -c '^[0-9]'; "
                 "cat /proc/self/uid_map", options=("-j", "8"))
    lines = two.stdout.split()
    three = bed.sh("cat /proc/self/uid_map", options=("-j", "7"))
    alone = one.poll() is None
    one.send_signal(signal.SIGKILL)
    one.wait(20)
    (bed.work / "ready").unlink()
    assert alone and int(lines[0]) < 8, two
    # Two of the same number do not get one range.
    assert three.stdout and three.stdout != two.stdout, (two, three)


def one_task_killed_leaves_the_others(bed):
    step = bed.start("/bin/sh", "-c",
                     "echo > $TASK; [ $TASK = 0 ] && exec sleep 30; "
                     "while [ ! -e go ]; do sleep 0.01; done; exit 0", n=3)
    deadline = time.monotonic() + 20
    # The kernel's list of children has gaps while it changes.
    while len(list(bed.work.iterdir())) < 3 or \
            len(victim := bed.tasks(step)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(victim) == 3, victim
    os.kill(victim[0], signal.SIGKILL)
    time.sleep(0.1)
    assert step.poll() is None
    (bed.work / "go").touch()
    # sandbox-try waits for all; the killed one is the first task.
    assert step.wait(20) == -signal.SIGKILL
    for path in bed.work.iterdir():
        path.unlink()


def many_tasks_start(bed):
    done = bed.sh("echo $TASK", n=32)
    assert sorted(int(t) for t in done.stdout.split()) == list(range(32)), done


if __name__ == "__main__":
    the_bed = Bed("share")
    the_bed.require()
    main(the_bed, [tasks_see_one_another,
                   tasks_have_one_namespace_of_each_kind,
                   one_task_has_so_too, a_loopback_is_all_there_is_and_up,
                   steps_see_nothing_of_one_another,
                   one_task_killed_leaves_the_others, many_tasks_start])
