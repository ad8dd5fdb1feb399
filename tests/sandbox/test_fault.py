#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call of the set-up fails in turn: the program is not started, one reason
is given, nothing is left."""
import os
import pathlib
import struct
import subprocess

from bed import BUILD, Bed, main, skip

FAULT = BUILD / ".libs/libfault.so"
LAYOUT = "iii52s"
# So many calls of each place in the code.
EACH = int(os.environ.get("SANDBOX_FAULTS", "1"))


class Fault:
    def __init__(self, bed):
        self.path = bed.walls.with_suffix(".fault")
        self.env = dict(os.environ, FAULT_FILE=str(self.path),
                        LD_PRELOAD=str(FAULT))

    def set(self, at):
        self.path.write_bytes(struct.pack(LAYOUT, at, 0, EACH, b"") +
                              b"\0" * 16 * 4096)

    def get(self):
        _, calls, _, name = struct.unpack_from(LAYOUT,
                                               self.path.read_bytes())
        return calls, name.rstrip(b"\0").decode()


def each_call_fails(bed, n, new_etc, options=()):
    fault = Fault(bed)
    witness = bed.work / "witness"
    at, harmless = 0, []
    while True:
        at += 1
        fault.set(at)
        if new_etc:
            bed.forget_etc()
        done = bed.run("/bin/sh", "-c", "echo x >> witness", n=n,
                       options=options, env=fault.env)
        calls, name = fault.get()
        if calls < at:
            break
        started = witness.exists()
        what = f"call {at}, {name}: {done}"
        assert "Sanitizer" not in done.stderr, what
        if done.returncode == 0:
            # Without it the task is in /tmp, and says so.
            assert started or name == "getcwd", what
            harmless.append(name)
        else:
            # One of several tasks may have begun before another failed.
            assert not started or n > 1, what
            assert done.returncode in (120, 121), what
            lines = done.stderr.splitlines()
            assert 1 <= len(lines) <= n, what
            assert all(len(line) > 15 for line in lines), what
        witness.unlink(missing_ok=True)
        bed.check_clean(what)
    fault.path.unlink()
    witness.unlink(missing_ok=True)
    print(f"        {at - 1} calls, harmless: {sorted(set(harmless))}")
    assert done.returncode == 0 and at > 150, (at, done)


def with_users(bed, users, *args):
    """And with a small /etc that has a file, a folder and a link."""
    text = bed.walls.read_text()
    bed.walls.write_text(
        text.replace("users=auto", f"users={users}")
        .replace("etc=alternatives", "etc=ld.so.conf.d\netc=os-release")
        .replace("etc=ssl/certs", "etc=ssl/openssl.cnf"))
    try:
        each_call_fails(bed, *args)
    finally:
        bed.walls.write_text(text)


def each_call_fails_with_ids(bed):
    with_users(bed, "always", 1, True)


def each_call_fails_without_ids(bed):
    with_users(bed, "never", 1, False)


def each_call_fails_of_a_batch_script(bed):
    """Its broker ends, too, with a supervisor that becomes none."""
    script = bed.work.with_suffix(".script")
    script.write_text("#!/bin/sh\n")
    try:
        with_users(bed, "always", 1, False, ("-s", str(script)))
    finally:
        script.unlink()


def each_call_fails_of_two_tasks(bed):
    with_users(bed, "always", 2, False)


if __name__ == "__main__":
    if not FAULT.exists():
        skip(f"{FAULT} was not built")
    the_bed = Bed("fault")
    if not the_bed.require():
        the_bed.close()
        skip("no ids of a job's own on this machine")
    main(the_bed, [each_call_fails_with_ids, each_call_fails_without_ids,
                   each_call_fails_of_a_batch_script,
                   each_call_fails_of_two_tasks])
