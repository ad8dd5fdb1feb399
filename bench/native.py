# SPDX-License-Identifier: GPL-2.0-or-later
"""native.py - small C programs that measure where Python would be too slow"""
import base64
import gzip
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
                        str(SOURCES / f"{name}.c"), "-lpthread"],
                       check=True, timeout=60)
    return program


def install(container, *names, folder="/usr/local/bin"):
    """Copy programs into a container."""
    for name in names:
        subprocess.run(["docker", "cp", str(build(name)),
                        f"{container}:{folder}/{name}"], check=True,
                       timeout=60, capture_output=True)


def send(program, path, run):
    """Copy a program to where there is only a shell: run(command)."""
    text = base64.b64encode(gzip.compress(program.read_bytes())).decode()
    run(f"rm -f {path}.gz")
    for start in range(0, len(text), 60000):
        run(f"base64 -d <<< {text[start:start + 60000]} >> {path}.gz")
    run(f"gunzip -f {path}.gz && chmod 755 {path}")
