# SPDX-License-Identifier: GPL-2.0-or-later
"""runtimes.py - image files that are jobs' system, in a lab

They hold programs of the host that runs the tests, which need not have the
devices' distribution.
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

LIBEXEC = "/usr/libexec/slurm-volunteer"
PROGRAM = f"{LIBEXEC}/slurm-volunteer-runtime"
# The one place of a container that is no overlay, from which only a loop device
# could be made.
STORE = "/campaign/runtime"
PLACE = "/run/slurm-volunteer/runtime"
# Of what jobs here are made.
PROGRAMS = ("bash", "cat", "ls", "seq", "sleep", "sh", "tail", "touch", "true")


def copy_system(root):
    """Programs of this host, with their libraries."""
    for name in ("etc", "usr/bin", "usr/of-the-image"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        if os.path.exists(f"/{name}"):
            (root / name).symlink_to(f"usr/{name}")
    # A shell would complain of LC_ALL=C.UTF-8.
    locale = pathlib.Path("/usr/lib/locale/C.utf8")
    if locale.exists():
        shutil.copytree(locale, root / str(locale).lstrip("/"))
    for name in PROGRAMS:
        program = os.path.realpath(shutil.which(name))
        shutil.copy(program, root / "usr/bin" / name)
        needs = subprocess.run(["ldd", program], capture_output=True,
                               text=True, check=True).stdout
        for path in re.findall(r"/\S+", needs):
            # /lib is usr/lib there.
            to = root / ("usr" + path.removeprefix("/usr"))
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)


def make(lab, node, folder):
    """An image file in that folder of this host, with the process 1 that the
    node's package has; its path."""
    if not shutil.which("mkfs.erofs"):
        pytest.skip("no mkfs.erofs here (package erofs-utils)")
    root = pathlib.Path(folder) / "root"
    copy_system(root)
    for name in ("make-runtime", "slurm-volunteer-init"):
        lab.host("docker", "cp",
                 f"{lab.container(node)}:{LIBEXEC}/{name}", folder)
    return lab.host(f"{folder}/make-runtime", str(root),
                    folder).stdout.strip()


def put(lab, node, file):
    """A copy of the file there; its path."""
    lab.run(node, f"mkdir -p {STORE}")
    lab.host("docker", "cp", file, f"{lab.container(node)}:{STORE}/")
    path = f"{STORE}/{os.path.basename(file)}"
    lab.run(node, f"chown root:root {path}")
    return path


def require(lab, node, path):
    """Or the test is skipped: older kernels want a loop device, which no
    container has."""
    done = lab.proc(node, f"{PROGRAM} {path}; status=$?; {PROGRAM} -c; "
                    "exit $status", check=False)
    for reason in ("no loop device", "this kernel has no"):
        if reason in done.stdout:
            pytest.skip(f"containers can not mount it: {done.stdout}")
    assert done.returncode == 0, done


def digest(runtime):
    return os.path.basename(runtime).split(".", maxsplit=1)[0]


def mounts(lab, node):
    return lab.run(node, f"grep -c ' {PLACE}/' /proc/1/mountinfo || true")
