#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who saves jobs is there for as long as slurmd is, whoever kills it"""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from bed import PROGRAMS, read

PROGRAM = PROGRAMS / "slurm-volunteer-checkpoint"
ROUNDS = 8


def servers(address):
    """Pids of those that serve there."""
    found = []
    for pid in subprocess.run(["pgrep", "-x", "slurm-volunteer"],
                              stdout=subprocess.PIPE, text=True,
                              check=False).stdout.split():
        with contextlib.suppress(OSError):
            if f"ADDRESS={address}\0" in read(f"/proc/{pid}/environ"):
                found.append(int(pid))
    return found


def wait_until(check, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what}: not after {seconds} s"
        time.sleep(0.01)


def is_answered(address):
    """Something that needs no CRIU, to be asked for and refused."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.settimeout(30)
        asking.connect(address)
        asking.send(b"restore-check\0/nosuch\0")
        answer = asking.recv(2048)
    return answer.startswith(b"\1slurm-volunteer-checkpoint: ")


def begin(address):
    """A shell plays slurmd: it starts the server and becomes another."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(4)
    with listening:
        return subprocess.Popen(
            ["bash", "-c", f'exec 3<&0; "{PROGRAM}" serve $$ <&3 3<&- & '
             'exec sleep 1000 <&- 3<&-'],
            stdin=listening, env={**os.environ, "ADDRESS": address})


def either_is_put_back(address):
    for i in range(ROUNDS):
        wait_until(lambda: len(servers(address)) == 2, f"two of them, {i}")
        pair = servers(address)
        os.kill(pair[i % 2], signal.SIGKILL)
        assert is_answered(address), i
        wait_until(lambda p=pair, k=i: len(servers(address)) == 2 and
                   p[k % 2] not in servers(address), f"another one, {i}")


def main():
    with tempfile.TemporaryDirectory(prefix="vol-serve.") as folder:
        address = str(pathlib.Path(folder) / "socket")
        slurmd = begin(address)
        try:
            wait_until(lambda: is_answered(address), "an answer")
            either_is_put_back(address)
            slurmd.kill()
            slurmd.wait()
            wait_until(lambda: not servers(address), "their end")
        finally:
            slurmd.kill()
            slurmd.wait()
            for pid in servers(address):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
