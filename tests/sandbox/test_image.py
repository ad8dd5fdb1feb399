#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An image is the system of a job, and its batch script can start steps."""
import os
import pathlib
import re
import shutil
import subprocess

from bed import LIBC, MNT_DETACH, Bed, main

# <sys/mount.h>
MS_BIND = 0x1000


def unpack(folder):
    """A shell, ls, and a file that srun can take the place of."""
    for name in ("etc", "usr/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "bin").symlink_to("usr/bin")
    (folder / "usr/bin/srun").touch()
    (folder / "of-the-image").mkdir()
    for name in ("sh", "ls"):
        shutil.copy(f"/bin/{name}", folder / "usr/bin" / name)
        needs = subprocess.run(["ldd", f"/bin/{name}"], capture_output=True,
                               text=True, check=True).stdout
        for path in re.findall(r"/\S+", needs):
            to = folder / path.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)


def run(bed, image, text):
    script = bed.work.with_suffix(".script")
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o500)
    walls = bed.walls.read_text()
    bed.walls.write_text(walls.replace("image=\n", f"image={image}\n")
                         .replace("read=/usr\n", ""))
    done = bed.run(str(script), options=("-s", str(script)))
    bed.walls.write_text(walls)
    script.unlink()
    return done


def put_srun():
    """An echo, where the broker looks first or, without Slurm, next."""
    if os.path.exists("/usr/bin/srun"):
        place = b"/usr/bin/srun"
        assert LIBC.mount(b"/bin/echo", place, None, MS_BIND, None) == 0
    else:
        place = b"/usr/local/bin"
        assert LIBC.mount(b"srun", place, b"tmpfs", 0, None) == 0
        shutil.copy("/bin/echo", "/usr/local/bin/srun")
    return place


def the_image_is_the_system(bed):
    done = run(bed, bed.image, "ls -d /of-the-image /usr/bin/env")
    assert done.stdout == "/of-the-image\n" and "env" in done.stderr, done


def a_batch_script_in_it_starts_steps(bed):
    """By the machine's srun; here it is an echo.  Links may lead to it."""
    link = bed.image.with_suffix(".link")
    link.symlink_to(bed.image)
    place = put_srun()
    try:
        for image in bed.image, link:
            done = run(bed, image, "cd /; srun ./program")
            assert done.stdout == "--jobid=1 --chdir=/ -- ./program\n", done
    finally:
        LIBC.umount2(place, MNT_DETACH)
        link.unlink()


if __name__ == "__main__":
    the_bed = Bed("image")
    the_bed.image = pathlib.Path(f"{the_bed.work}.image")
    unpack(the_bed.image)
    try:
        the_bed.require()
        main(the_bed, [the_image_is_the_system,
                       a_batch_script_in_it_starts_steps])
    finally:
        shutil.rmtree(the_bed.image)
