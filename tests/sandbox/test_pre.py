#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory is written down while a job runs, where the kernel tells what was
written since; where it does not, all of it is in the stop."""
import os
import shutil
import signal
import subprocess
import time

from bed import main, read
from ckptbed import CRIU, PROGRAM, CkptBed, probe, wait_until

WAIT = """#!/bin/bash
echo begin
until [ -e go ]; do sleep 0.01; done
"""
# Most of it is written to once, a few pages again and again (and by 2 MiB does a
# kernel with huge pages tell); some is given back and some is new after the first
# look at it.
MEMORY = """#!/usr/bin/python3
import hashlib, mmap, os, sys, time
PAGE, N = 4096, 16384
block = mmap.mmap(-1, N * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, 64 * PAGE)
for i in range(N):
    block[i * PAGE:i * PAGE + 32] = hashlib.sha256(b"%d" % i).digest()
child = os.fork()
state, more = b"", []
for i in range({n}):
    for k in range(16):
        at = (i + k * 3 if k or i % 20 else i * 977) % N * PAGE
        state = hashlib.sha256(state + block[at:at + 32]).digest()
        block[at:at + 32] = state
    shared[i % 64 * PAGE:i % 64 * PAGE + 32] = state
    if i % 10 == 5:
        more.append(bytearray(state * 20000))
        block.madvise(mmap.MADV_DONTNEED, i * PAGE, 8 * PAGE)
    if len(more) > 3:
        del more[0]
    if child:
        print(i, state.hex(), flush=True)
    time.sleep(0.02)
if not child:
    os._exit(0)
print(os.waitpid(child, 0)[1], hashlib.sha256(block).hexdigest(),
      hashlib.sha256(shared).hexdigest(),
      hashlib.sha256(b"".join(more)).hexdigest())
"""

# What it has written in the stop, bytes of pages.
LOOKING = """#!/bin/sh
{criu} "$@"
status=$?
while [ $# -gt 0 ] && [ "$1" != -D ]; do shift; done
[ ! -d "$2" ] || cat "$2"/pages-* | wc -c > {written}
exit $status
"""


def lines(bed):
    return read(bed.out).count("\n")


def told(name):
    """What the probe says of it."""
    return dict(word.split("=") for word in probe().stdout.split())[name]


def what_the_kernel_tells_is_known(bed):
    """As CRIU finds it."""
    done = subprocess.run([CRIU, "check", "--feature", "mem_dirty_track"],
                          check=False, capture_output=True)
    assert told("dirty") == ("no" if done.returncode else "yes"), done


def memory_is_written_while_it_runs(bed):
    """Where the kernel tells what was written since; else all in the stop, and
    nothing is left behind either way."""
    tracks = told("dirty") == "yes" and bed.make_cgroup() is not None
    bed.remove_cgroup()
    criu, written = bed.images / "criu", bed.images / "written"
    criu.write_text(LOOKING.replace("{criu}", CRIU)
                    .replace("{written}", str(written)))
    criu.chmod(0o755)
    bed.put(MEMORY.replace("{n}", "400"))
    expected = bed.finish(bed.launch())
    bed.put(MEMORY.replace("{n}", "400"))
    step = bed.launch(frozen=tracks)
    for i in range(3):
        floor = 20 + 30 * i
        wait_until(lambda f=floor: lines(bed) >= f, "progress")
        folder = bed.folder()
        done = bed.pre(step, folder)
        assert done.returncode == 0, done
        pre = folder / "pre"
        left = [str(p.relative_to(folder)) for p in folder.rglob("*")]
        assert ("pre/inventory.img" in left) == tracks, left
        assert not [n for n in left if "shmem" in n], left
        assert [p.name for p in folder.iterdir()] == \
            (["pre"] if tracks else []), left
        before = lines(bed)
        wait_until(lambda b=before: lines(bed) > b, "it goes on")
        done = bed.dump(step, folder, "-p", criu=str(criu))
        assert done.returncode == 0, (done, read(folder / "dump.log")[-3000:])
        whole = sum(p.stat().st_size for p in (folder / "img").iterdir()
                    if p.name.startswith("pages-"))
        assert whole > 60 << 20, whole
        part = int(written.read_text())
        print(f"        {part >> 20} of {whole >> 20} MiB in the stop")
        assert part < whole / 2 if tracks else part == whole, (part, whole)
        left = sorted(p.name for p in folder.iterdir())
        assert left == ["img", "step"], left
        names = [p.name for p in (folder / "img").iterdir()]
        assert "parent" not in names and not [
            n for n in names if n.startswith(".")], names
        bed.kill(step)
        step = bed.restore(folder, "-b", frozen=tracks)
    text = bed.finish(step, 0, folder)
    assert text == expected, (text[-600:], expected[-600:])


def pre_process(bed, step, folder):
    return subprocess.Popen([str(PROGRAM), "-c", CRIU, "pre",
                             str(bed.task(step)), str(folder)],
                            stderr=subprocess.PIPE, text=True)


def children(pid):
    return read(f"/proc/{pid}/task/{pid}/children").split()


def whoever_writes_before_may_be_killed(bed):
    """CRIU or who runs it, in any moment: the job goes on, and is dumped."""
    bed.put(MEMORY.replace("{n}", "600"))
    expected = bed.finish(bed.launch())
    bed.put(MEMORY.replace("{n}", "600"))
    frozen = bed.make_cgroup() is not None
    bed.remove_cgroup()
    step = bed.launch(frozen=frozen)
    wait_until(lambda: lines(bed) > 5, "progress")
    for i in range(12):
        folder = bed.folder()
        with pre_process(bed, step, folder) as pre:
            wait_until(lambda p=pre: children(p.pid) or p.poll() is not None,
                       "criu")
            time.sleep(0.02 * i)
            victims = [pre.pid] if i % 2 else \
                [int(pid) for pid in children(pre.pid)]
            for victim in victims:
                if pre.poll() is None:
                    os.kill(victim, signal.SIGKILL)
            pre.communicate(timeout=30)
        before = lines(bed)
        wait_until(lambda b=before: lines(bed) > b or step.poll() is not None,
                   "it goes on")
        assert step.poll() is None, bed.finish(step)
        # A half of it serves as well as none.
        done = bed.dump(step, folder, "-p")
        assert done.returncode == 0, (i, done, read(folder / "dump.log"))
        left = sorted(p.name for p in folder.iterdir())
        assert left == ["img", "step"], left
        shutil.rmtree(folder)
    assert bed.finish(step) == expected


def who_freezes_the_job_meanwhile_finds_it_frozen(bed):
    """An owner comes: it stands still at once, and CRIU gets out of it."""
    if bed.make_cgroup() is None:
        print("        (no cgroup v2 here)")
        return
    bed.remove_cgroup()
    bed.put(MEMORY.replace("{n}", "400"))
    expected = bed.finish(bed.launch())
    bed.put(MEMORY.replace("{n}", "400"))
    step = bed.launch(frozen=True)
    wait_until(lambda: lines(bed) > 5, "progress")
    freeze = bed.cgroup / "cgroup.freeze"
    for i in range(12):
        folder = bed.folder()
        with pre_process(bed, step, folder) as pre:
            wait_until(lambda p=pre: children(p.pid) or p.poll() is not None,
                       "criu")
            time.sleep(0.02 * i)
            freeze.write_text("1")
            _, err = pre.communicate(timeout=60)
        assert pre.returncode == 0, err
        assert freeze.read_text() == "1\n"
        wait_until(lambda: "frozen 1" in read(bed.cgroup / "cgroup.events"),
                   "frozen")
        before = lines(bed)
        time.sleep(0.1)
        assert lines(bed) == before, "it runs"
        if i % 4 == 3:
            done = bed.dump(step, folder, "-p")
            assert done.returncode == 0, (i, done)
            assert lines(bed) == before, "it ran"
        shutil.rmtree(folder)
        freeze.write_text("0")
        wait_until(lambda b=before: lines(bed) > b or step.poll() is not None,
                   "it goes on")
    assert bed.finish(step) == expected


def a_job_that_is_not_worth_it_goes_without(bed):
    """Small, or stopped already."""
    frozen = bed.make_cgroup() is not None
    bed.remove_cgroup()
    for text, stop in ((WAIT, False), (MEMORY.replace("{n}", "50"), True)):
        step = bed.fresh(text, frozen=frozen)
        wait_until(lambda: lines(bed) > 0, "progress")
        if stop and frozen:
            bed.freeze()
        folder = bed.folder()
        done = bed.pre(step, folder)
        assert done.returncode == 0, done
        assert not list(folder.iterdir()), list(folder.iterdir())
        if stop and frozen:
            (bed.cgroup / "cgroup.freeze").write_text("0")
        (bed.work / "go").touch()
        bed.finish(step)


if __name__ == "__main__":
    the_bed = CkptBed("pre")
    if not the_bed.require():
        the_bed.close()
        from bed import skip
        skip("no ids of a job's own on this machine")
    the_bed.require_criu()
    main(the_bed, [what_the_kernel_tells_is_known,
                   memory_is_written_while_it_runs,
                   whoever_writes_before_may_be_killed,
                   who_freezes_the_job_meanwhile_finds_it_frozen,
                   a_job_that_is_not_worth_it_goes_without])
