# SPDX-License-Identifier: GPL-2.0-or-later
"""A scientist's campaigns from inputs to a checked result."""
import math
import os
import re


def examples(lab):
    """Folder of the installed examples."""
    path = lab.ctl("find / -xdev -path '*/examples/matmul' -type f "
                   "-perm -u+x 2>/dev/null | head -n 1")
    assert path, "the examples are not installed"
    return path.rsplit("/", 1)[0]


def test_matmul_is_spread_and_right(lab):
    # Every device offers all CPUs of this machine: enough tasks for all.
    tiles = max(6, math.isqrt(2 * 3 * os.cpu_count()) + 1)
    done = lab.proc(
        "controller", f"cd /campaign/alice && rm -rf m && "
        f"{examples(lab)}/campaign --size 2000 --tiles {tiles} m", user="alice",
        timeout=300)
    assert f"{tiles * tiles} of {tiles * tiles} tiles right" in done.stderr
    devices = re.findall(r"^\s*(\d+) (\S+)$", done.stdout, re.M)
    assert len(devices) >= 3, done.stdout
    assert sum(int(count) for count, _ in devices) == tiles ** 2


def test_hash_finds_the_same_hits_as_one_machine(lab):
    where = examples(lab)
    lab.alice(f"rm -rf h && {where}/hash-campaign --bits 16 --range 1000000 "
              "--parts 9 h > h.cluster", timeout=300)
    lab.alice(f"rm -rf h1 && mkdir h1 && "
              f"{where}/hashsearch part --dir h1 --text slurm-volunteer "
              "--bits 16 --range 1000000 --parts 1 --part 0 && "
              f"{where}/hashsearch collect --dir h1 --text slurm-volunteer "
              "--bits 16 --range 1000000 --parts 1 > h.alone")
    assert lab.alice("cmp h.cluster h.alone && wc -l < h.alone") != "0"


def test_a_wrong_tile_fails_the_campaign(lab):
    where = examples(lab)
    lab.alice(f"rm -rf w && {where}/campaign --size 300 --tiles 2 w",
              timeout=120)
    lab.alice("printf x | dd of=w/C.1.0 bs=1 seek=2000 conv=notrunc")
    done = lab.proc("controller", f"cd /campaign/alice && "
                    f"{where}/matmul check --dir w --tiles 2", user="alice",
                    check=False)
    assert done.returncode == 1 and "tile 1,0 is damaged" in done.stderr
