#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps share a copy of /etc; what an admin changes there is seen at once."""
import pathlib
import shutil
import time

from bed import LIBC, Bed, main

MS_BIND = 0x1000
FOLDER = pathlib.Path("/etc/alternatives")  # the policy lists it
SETTLE = 2.2  # seconds; sandbox/sources.c


def with_own_folder(test):
    """In place of the machine's, for this program alone."""
    def run(bed):
        own = bed.work.with_suffix(".etc")
        own.mkdir(mode=0o755)
        own.chmod(0o755)
        LIBC.mount(bytes(own), bytes(FOLDER), None, MS_BIND, None)
        try:
            test(bed, own)
        finally:
            LIBC.umount2(bytes(FOLDER), 2)
            shutil.rmtree(own)
    run.__name__ = test.__name__
    return run


def device(bed):
    """The number of the file system that /etc is, and what is in FOLDER."""
    done = bed.sh(f"stat -c %d /etc; cd {FOLDER} && head -v * 2>&1")
    number, _, text = done.stdout.partition("\n")
    return number, text


def settle(bed):
    """A copy that is kept: of files that have not changed just now."""
    time.sleep(SETTLE)
    first, again = device(bed), device(bed)
    assert first == again, (first, again)
    return first


@with_own_folder
def it_is_made_once(bed, own):
    (own / "a").write_text("a")
    number, text = settle(bed)
    assert text == "==> a <==\na", text
    assert device(bed) == (number, text)


@with_own_folder
def a_file_written_in_place_is_seen(bed, own):
    (own / "a").write_text("a")
    settle(bed)
    (own / "a").write_text("b")
    assert device(bed)[1] == "==> a <==\nb"
    # Nor is it forgotten when nothing more happens.
    assert settle(bed)[1] == "==> a <==\nb"


@with_own_folder
def a_file_that_becomes_a_secret_is_gone(bed, own):
    for name in "ab":
        (own / name).write_text(name)
    (own / "b").chmod(0o640)
    assert settle(bed)[1] == "==> a <==\na"
    (own / "a").chmod(0o640)
    (own / "b").chmod(0o644)
    assert device(bed)[1] == "==> b <==\nb"
    own.chmod(0o700)
    assert "==>" not in device(bed)[1]


@with_own_folder
def files_that_come_and_go_are_seen(bed, own):
    (own / "sub").mkdir()
    (own / "sub/a").write_text("a")
    (own / "link").symlink_to("sub/a")
    (own / "secret").symlink_to("/etc/shadow")
    settle(bed)
    (own / "sub/a").unlink()
    (own / "b").write_text("b")
    said = device(bed)[1]
    assert "==> b <==\nb" in said and said.count("cannot open") == 2, said


def the_policy_of_the_moment_counts(bed):
    text = bed.walls.read_text()
    assert bed.sh("ls /etc/alternatives").returncode == 0
    bed.walls.write_text(text.replace("etc=alternatives\n", ""))
    done = bed.sh("ls /etc/alternatives")
    bed.walls.write_text(text)
    assert done.returncode != 0, done


def a_step_keeps_its_own(bed):
    """Another one is made while it runs."""
    step = bed.start("/bin/sh", "-c", "echo > ready; while test -e ready; do "
                     "sleep 0.01; done; cat /etc/nsswitch.conf /etc/passwd")
    while not (bed.work / "ready").exists():
        assert step.poll() is None
    bed.forget_etc()
    bed.sh("true")
    (bed.work / "ready").unlink()
    out, err = step.communicate(timeout=20)
    assert step.returncode == 0 and "passwd: files" in out and \
        "job:x" in out, (out, err)


def nobody_else_is_told(bed):
    """Other users of the machine have no business there."""
    bed.sh("true")
    assert (bed.state / "private").stat().st_mode & 0o077 == 0
    done = bed.sh("ls /run/tree /etc/../sources; grep -c /sources "
                  "/proc/self/mountinfo")
    assert done.stdout == "0\n", done


if __name__ == "__main__":
    the_bed = Bed("etc")
    the_bed.require()
    main(the_bed, [it_is_made_once, a_file_written_in_place_is_seen,
                   a_file_that_becomes_a_secret_is_gone,
                   files_that_come_and_go_are_seen,
                   the_policy_of_the_moment_counts, a_step_keeps_its_own,
                   nobody_else_is_told])
