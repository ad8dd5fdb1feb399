# SPDX-License-Identifier: GPL-2.0-or-later
"""native.py - small C programs that measure where Python would be too slow"""
import pathlib
import subprocess
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parent / "native"
_built = tempfile.TemporaryDirectory(prefix="volbench-")


def build(name):
    """Path of the program: static, so that it runs on any Linux."""
    program = pathlib.Path(_built.name) / name
    if not program.exists():
        subprocess.run(["gcc", "-O2", "-static", "-o", str(program),
                        str(SOURCES / f"{name}.c")], check=True, timeout=60)
    return program


def install(container, *names, folder="/usr/local/bin"):
    """Copy programs into a container."""
    for name in names:
        subprocess.run(["docker", "cp", "-q", str(build(name)),
                        f"{container}:{folder}/{name}"], check=True,
                       timeout=60, capture_output=True)
