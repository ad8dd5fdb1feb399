#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A task ends, and is signalled, as if there were no sandbox."""
import os
import signal
import time

from bed import UID, Bed, main, read


def wait_for(path, seconds=20):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.005)


def exit_codes_pass(bed):
    for code in (0, 1, 2, 42, 126, 127, 128, 137, 150, 255):
        for n in (1, 2):
            done = bed.sh(f"exit {code}", n=n)
            assert done.returncode == code, (code, n, done)


def deaths_by_signal_pass(bed):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV,
                   signal.SIGABRT, signal.SIGUSR1, signal.SIGPIPE,
                   signal.SIGRTMIN + 3):
        for n in (1, 2):
            done = bed.sh(f"kill -{int(number)} $$", n=n)
            assert done.returncode == -number, (number, n, done)


def no_core_file_is_left(bed):
    bed.sh("kill -SEGV $$")
    assert not list(bed.work.iterdir()), list(bed.work.iterdir())


def a_missing_program_is_told(bed):
    done = bed.run("/no/such/program")
    assert done.returncode == 127 and "/no/such/program" in done.stderr, done


def signals_reach_the_task_alone(bed):
    """Also the ones that default to nothing, stop or death."""
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT,
                   signal.SIGHUP, signal.SIGCONT, signal.SIGWINCH,
                   signal.SIGRTMIN + 1):
        got, child = bed.work / "got", bed.work / "child"
        script = (f"(trap 'echo > {child}' {int(number)}; sleep 30 & wait) & "
                  f"trap 'echo > {got}; exit 9' {int(number)}; "
                  f"sleep 0.1; echo > {bed.work}/ready; "
                  "while :; do sleep 0.01; done")
        step = bed.start("/bin/sh", "-c", script)
        wait_for(bed.work / "ready")
        os.kill(bed.tasks(step)[0], number)
        assert step.wait(20) == 9, number
        assert got.exists() and not child.exists(), number
        for path in bed.work.iterdir():
            path.unlink()


def a_group_s_signal_reaches_the_group(bed):
    """scancel --full: the script and its children, each once."""
    script = bed.work / "script"
    script.write_text("#!/bin/sh\n")
    step = bed.start("/bin/sh", "-c", "trap 'echo script >> got' USR1; "
                     "sh -c 'trap \"echo child >> got\" USR1; echo > ready; "
                     "while [ ! -e stop ]; do sleep 0.01; done' & "
                     "while [ ! -e stop ]; do sleep 0.01; done",
                     options=("-s", str(script)))
    wait_for(bed.work / "ready")
    task, = bed.tasks(step)
    for send, expected in ((os.kill, ["script"]),
                           (os.killpg, ["child", "script", "script"]),
                           (os.kill, ["child"] + 3 * ["script"])):
        deadline = time.monotonic() + 20
        send(task, signal.SIGUSR1)
        while sorted((read(bed.work / "got")).split()) != expected:
            assert time.monotonic() < deadline, read(bed.work / "got")
            time.sleep(0.01)
        time.sleep(0.1)
        assert sorted((read(bed.work / "got")).split()) == expected
    (bed.work / "stop").touch()
    assert step.wait(20) == 0
    for name in ("script", "ready", "got", "stop"):
        (bed.work / name).unlink()


def an_early_signal_is_not_lost(bed):
    for ms in range(0, 60, 4):
        step = bed.start("/bin/sleep", "30")
        deadline = time.monotonic() + 20
        while not (tasks := bed.tasks(step)):
            assert time.monotonic() < deadline
        time.sleep(ms / 1000)
        # It stays what it is, also while it has no name, in its exec.
        os.kill(tasks[0], signal.SIGTERM)
        assert step.wait(20) == -signal.SIGTERM, ms


def the_signal_mask_is_as_before(bed):
    done = bed.sh("grep -E 'Sig(Blk|Ign)' /proc/self/status")
    assert done.stdout.count("0000000000000000") >= 1, done
    assert "SigBlk:\t0000000000000000" in done.stdout, done


def what_survives_the_task_is_killed(bed):
    done = bed.sh("setsid sleep 1000 & (setsid sh -c 'sleep 1000 & "
                  "sleep 1000' &) ; exit 3")
    assert done.returncode == 3, done


def output_files_are_written(bed):
    path = bed.work / "out"
    done = bed.sh("echo one; echo two >&2; echo three",
                  options=("-o", str(path)))
    assert done.returncode == 0, done
    assert path.read_text() == "one\ntwo\nthree\n"
    bed.sh("echo four", options=("-o", str(path)))
    assert path.read_text().endswith("three\nfour\n")
    done = bed.run("/bin/cat", options=("-i", str(path)))
    assert done.stdout == path.read_text(), done
    assert path.stat().st_uid == UID, path.stat()
    path.unlink()


def the_script_is_there(bed):
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\necho from $0\n")
    script.chmod(0o500)
    try:
        done = bed.run(str(script), options=("-s", str(script)))
        assert done.stdout == f"from {script}\n", done
    finally:
        script.unlink()


if __name__ == "__main__":
    the_bed = Bed("status")
    the_bed.require()
    main(the_bed, [exit_codes_pass, deaths_by_signal_pass,
                   no_core_file_is_left, a_missing_program_is_told,
                   signals_reach_the_task_alone,
                   a_group_s_signal_reaches_the_group,
                   an_early_signal_is_not_lost,
                   the_signal_mask_is_as_before,
                   what_survives_the_task_is_killed,
                   output_files_are_written, the_script_is_there])
