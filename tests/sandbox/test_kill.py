#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of any of our processes, at any moment, leaves nothing."""
import os
import pathlib
import random
import signal
import time

from bed import Bed, main, read

ROUNDS = int(os.environ.get("SANDBOX_KILLS", "24"))
# sandbox_try.c
NOT_STARTED = 120


def children(pid):
    return [int(p) for p in read(f"/proc/{pid}/task/{pid}/children").split()]


def is_inside(pid):
    """A number of its own there."""
    status = read(f"/proc/{pid}/status")
    return any(line.startswith("NStgid:") and len(line.split()) > 2
               for line in status.splitlines())


def find_victim(bed, step, kind):
    """0: slurmstepd; 1: its child, the supervisor to be; 2: pid 1."""
    pid = step.pid
    for i in range(kind):
        # A script goes on without the others of its supervisor.
        below = [p for p in children(pid) if is_inside(p)] if i else \
            bed.tasks(step)
        if not below:
            return None
        pid = random.choice(below)
    return pid


def kill_at_random(bed, n):
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\n")
    begun = 0
    for i in range(ROUNDS):
        step = bed.start("/bin/sh", "-c",
                         "sleep 1000 & setsid sleep 1000 & sleep 1000", n=n,
                         options=("-j", str(i),
                                  *(("-s", str(script)) if i % 2 else ())))
        deadline = time.monotonic() + random.uniform(0, 0.12)
        # Also while it makes a copy of /etc.
        if i % 4 == 0:
            bed.forget_etc()
        kind, victim = i % 3, None
        while not victim or time.monotonic() < deadline:
            victim = find_victim(bed, step, kind)
            if step.poll() is not None:
                break
        if victim and step.poll() is None:
            os.kill(victim, signal.SIGKILL)
        if n > 1 and kind > 0:
            # One of three tasks; the others go on, as without a sandbox.
            time.sleep(0.02)
            step.kill()
        status = step.wait(20)
        assert status != 0, (i, kind, status)
        begun += kind > 0 and status != NOT_STARTED
        bed.check_clean(f"round {i}, victim {kind}")
    script.unlink()
    assert begun > 0, "no sandbox was ever built"


def find_broker(bed, step):
    """As soon as it is forked: what a supervisor to be has outside."""
    for task in bed.tasks(step):
        for pid in children(task):
            if read(f"/proc/{pid}/status") and not is_inside(pid):
                return pid
    return None


def a_broker_ends_with_its_supervisor(bed):
    """Also with one that becomes none at the last moment, as the job's user,
    for want of slurmstepd; and with one that is killed just then."""
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\n")
    met = 0
    for i in range(ROUNDS):
        step = bed.start("/bin/sh", "-c", "sleep 1000",
                         options=("-s", str(script)))
        deadline, victim = time.monotonic() + 20, None
        while not victim and step.poll() is None:
            assert time.monotonic() < deadline
            if find_broker(bed, step):
                victim = find_victim(bed, step, i % 2)
        if step.poll() is None:
            met += 1
            os.kill(victim, signal.SIGKILL)
        step.wait(20)
        bed.check_clean(f"round {i}, victim {i % 2}")
    script.unlink()
    assert met > 0, "no broker was ever met"


def killed_with_one_task(bed):
    kill_at_random(bed, 1)


def killed_with_three_tasks(bed):
    kill_at_random(bed, 3)


def pid_1_killed_is_a_killed_task(bed):
    step = bed.start("/bin/sh", "-c", "echo > ready; sleep 1000")
    deadline = time.monotonic() + 20
    while not (bed.work / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (bed.work / "ready").unlink()
    os.kill(find_victim(bed, step, 2), signal.SIGKILL)
    assert step.wait(20) == -signal.SIGKILL


def pid_1_killed_early_is_the_job_s_affair(bed):
    """For want of memory, say, while tasks are on their way to it."""
    for _ in range(3):
        step = bed.start("/bin/sleep", "30", n=32)
        victim, deadline = None, time.monotonic() + 20
        while not victim:
            assert time.monotonic() < deadline
            victim = next((p for p in children(step.pid) if "-init\0" in
                           read(f"/proc/{p}/cmdline")), None)
        os.kill(victim, signal.SIGKILL)
        said = step.communicate(timeout=20)[1]
        assert step.returncode in (121, -signal.SIGKILL), said


def nothing_inside_can_end_pid_1(bed):
    done = bed.sh("kill -9 1; kill -TERM 1; kill -STOP 1; "
                  "cat /proc/1/environ 2>&1; ls /proc/1/fd 2>&1; exit 5")
    assert done.returncode == 5, done
    assert pathlib.Path("/proc/1").exists()


if __name__ == "__main__":
    the_bed = Bed("kill")
    the_bed.require()
    main(the_bed, [killed_with_one_task, killed_with_three_tasks,
                   a_broker_ends_with_its_supervisor,
                   pid_1_killed_is_a_killed_task,
                   pid_1_killed_early_is_the_job_s_affair,
                   nothing_inside_can_end_pid_1])
