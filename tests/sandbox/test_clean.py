#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing of a step is left, whatever it did."""
import os

from bed import Bed, main

STARTS = int(os.environ.get("SANDBOX_STARTS", "200"))


def many_starts_leave_nothing(bed):
    for i in range(STARTS):
        n = 1 if i % 4 else 3
        done = bed.sh("echo x > /tmp/x; echo x > /dev/shm/x; "
                      "setsid sleep 1000 & exit 0", n=n,
                      options=("-j", str(i)))
        assert done.returncode == 0, done
        if i % 20 == 0:
            bed.check_clean(f"start {i}")


def ranges_are_given_back(bed):
    """Eight there are: more steps than that, one after the other."""
    seen = set()
    for i in range(12):
        done = bed.sh("cat /proc/self/uid_map", options=("-j", str(i)))
        seen.add(done.stdout)
    assert len(seen) == 8, seen


def a_ninth_step_is_told(bed):
    """With all ranges in use "always" starts nothing, "auto" does without."""
    held = [bed.start("/bin/sh", "-c", f"echo > {i}; sleep 30",
                      options=("-j", str(i))) for i in range(8)]
    while len(list(bed.work.iterdir())) < 8:
        assert all(p.poll() is None for p in held)
    auto = bed.sh("cat /proc/self/uid_map")
    text = bed.walls.read_text()
    bed.walls.write_text(text.replace("users=auto", "users=always"))
    always = bed.sh("touch started")
    bed.walls.write_text(text)
    for p in held:
        p.kill()
        p.wait(20)
    assert auto.returncode == 0 and "4294967295" in auto.stdout, auto
    assert always.returncode == 120 and "in use" in always.stderr, always
    assert not (bed.work / "started").exists()
    for path in bed.work.iterdir():
        path.unlink()


if __name__ == "__main__":
    the_bed = Bed("clean")
    own = the_bed.require()
    main(the_bed, [many_starts_leave_nothing] +
         ([ranges_are_given_back, a_ninth_step_is_told] if own else []))
