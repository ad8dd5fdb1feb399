#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Slurm finds nothing of a step when its tasks have ended.

It looks at once, and when there is something, again after a second."""
import errno
import os
import pathlib
import signal
import time

from bed import Bed, main, read, readlink

ROUNDS = int(os.environ.get("SANDBOX_ENDS", "10"))
# VOL_EXIT_REQUEUE of plugins/spank/plugin.h
REQUEUE = 150


def make_cgroup(bed):
    """For tasks; None where this machine lets us have none."""
    for line in read("/proc/mounts").splitlines():
        if line.split()[2] != "cgroup2":
            continue
        folder = pathlib.Path(line.split()[1]) / bed.work.name
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / "cgroup.kill").exists():
            return folder
        folder.rmdir()
    return None


def ways(bed):
    """Options of a step: of one task, of some, of a script."""
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\n")
    cgroup = ("-G", str(bed.cgroup)) if bed.cgroup else ()
    yield {"n": 1, "options": cgroup}
    yield {"n": 3, "options": cgroup}
    yield {"n": 1, "options": ("-s", str(script), *cgroup)}
    script.unlink()


def nothing_is_left(bed):
    for way in ways(bed):
        for _ in range(ROUNDS):
            done = bed.sh("exit 3", **way)
            assert done.returncode == 3, (way, done)


def what_tasks_leave_is_ended(bed):
    for way in ways(bed):
        for _ in range(ROUNDS):
            done = bed.sh("setsid sleep 1000 & sleep 1000 & exit 4", **way)
            assert done.returncode == 4, (way, done)


def killed_supervisors_leave_nothing(bed):
    """scancel, and a machine that runs out of memory."""
    for way in ways(bed):
        if not bed.cgroup:
            break
        step = bed.start("/bin/sh", "-c", "echo > $TASK; sleep 1000", **way)
        deadline = time.monotonic() + 20
        while len(list(bed.work.iterdir())) < way["n"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for pid in bed.tasks(step):
            os.kill(pid, signal.SIGKILL)
        assert step.wait(20) == -signal.SIGKILL, (way, step.stderr.read())
        for path in bed.work.iterdir():
            path.unlink()


def seize(supervisor):
    """As slurm-volunteer-checkpoint does while CRIU has hold of the task."""
    folder = f"/proc/{supervisor}/fd"
    records = [name for name in os.listdir(folder) if readlink(
        f"{folder}/{name}") == "/memfd:volunteer-record (deleted)"]
    assert len(records) == 1, records
    try:
        os.setxattr(f"{folder}/{records[0]}", "security.volunteer.seized",
                    b"1")
    except OSError as e:
        # Without them a death is taken for the task's own.
        assert e.errno == errno.ENOTSUP, e
        return False
    return True


def what_criu_broke_is_queued_again(bed):
    """Of itself, or as a shell tells of its last program."""
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\n")
    for death in ("kill -TRAP $$", "sh -c 'kill -SEGV $$'; exit $?"):
        for seized in (False, True):
            step = bed.start(
                "/bin/sh", "-c", "echo > begun; while [ ! -e go ]; do "
                f"sleep 0.01; done; {death}", options=("-s", str(script)))
            deadline = time.monotonic() + 20
            while not (bed.work / "begun").exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            seized = seized and seize(bed.tasks(step)[0])
            (bed.work / "go").touch()
            status = step.wait(20)
            own = -signal.SIGTRAP if "TRAP" in death else \
                128 + signal.SIGSEGV
            assert status == (REQUEUE if seized else own), (
                death, seized, status, step.stderr.read())
            for name in ("begun", "go"):
                (bed.work / name).unlink()
    script.unlink()


def leftovers_live_until_the_last_task_ends(bed):
    done = bed.sh("if [ $TASK = 0 ]; then "
                  "(sleep 0.3; echo > late) & exit 0; fi; "
                  "while [ ! -e late ]; do sleep 0.01; done", n=2)
    assert done.returncode == 0, done
    (bed.work / "late").unlink()


if __name__ == "__main__":
    the_bed = Bed("end")
    the_bed.require()
    the_bed.cgroup = make_cgroup(the_bed)
    try:
        main(the_bed, [nothing_is_left, what_tasks_leave_is_ended,
                       killed_supervisors_leave_nothing,
                       what_criu_broke_is_queued_again,
                       leftovers_live_until_the_last_task_ends])
    finally:
        if the_bed.cgroup:
            the_bed.cgroup.rmdir()
