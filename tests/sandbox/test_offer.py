#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a restored job would see mounted is what a fresh one sees."""
import os
import subprocess

from bed import PROGRAMS, Bed, main, read

FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8}
# Made anew for each job, or saved with it.
OWN = {"/", "/dev", "/dev/pts", "/dev/shm", "/home", "/proc", "/run/scratch",
       "/tmp", "/var/tmp"}
SCRIPT = """#!/bin/sh
pwd
cat /proc/self/mountinfo
"""


def inside(text):
    """TARGET -> flags of the mounts that come from the machine."""
    seen = {}
    for line in text.splitlines():
        fields = line.split()
        point = fields[4].replace("\\040", " ")
        if point not in OWN and not point.startswith("/proc/"):
            seen[point] = sum(bit for name, bit in FLAGS.items()
                              if name in fields[5].split(","))
    return seen


def offered(path):
    return {target: int(flags) for target, flags in
            (line.rsplit(" ", 1) for line in read(path).splitlines())}


def it_is_what_a_fresh_job_sees(bed):
    below = bed.work / "a folder"
    below.mkdir()
    script = bed.work.with_suffix(".script")
    script.write_text(SCRIPT)
    script.chmod(0o500)
    file = bed.state.with_suffix(".offer")
    # One that is mounted in a working folder is a place, too.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,noexec", "x",
                    str(below)], check=True)
    # The programs, which else are below /usr: slurmd's view has them, too.
    text = bed.walls.read_text()
    bed.walls.write_text(f"{text}read={PROGRAMS}\n")
    try:
        for view in ((), ("-H", "-L", str(PROGRAMS))):
            done = bed.run(str(script), options=(*view, "-s", str(script),
                                                 "-O", str(file)))
            assert done.returncode == 0, done
            where, _, mounts = done.stdout.partition("\n")
            # It goes on as if nothing had been.
            assert where == str(bed.work), done
            have = offered(file)
            assert have == inside(mounts), (have, mounts)
            assert have[str(bed.work)] == 6 and have["/usr"] & 7 == 7, have
            assert have[str(below)] & 8, have
            assert os.stat(file).st_uid == 0 and \
                os.stat(file).st_mode & 0o777 == 0o600
    finally:
        bed.walls.write_text(text)
        subprocess.run(["umount", str(below)], check=True)
        script.unlink()
        file.unlink(missing_ok=True)


def it_fails_with_a_reason(bed):
    script = bed.work.with_suffix(".script")
    script.write_text(SCRIPT)
    script.chmod(0o500)
    done = bed.run(str(script), options=("-s", str(script), "-O",
                                         "/nosuch/folder/file"))
    script.unlink()
    assert done.returncode != 0 and "/nosuch/folder" in done.stderr, done


if __name__ == "__main__":
    the_bed = Bed("offer")
    the_bed.require()
    main(the_bed, [it_is_what_a_fresh_job_sees, it_fails_with_a_reason])
