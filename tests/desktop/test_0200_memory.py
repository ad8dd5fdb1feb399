# SPDX-License-Identifier: GPL-2.0-or-later
"""A parked job gives its memory back, or leaves"""
import os
import time

import pytest

from guest import wait

MB = 1 << 20
RESIDENT_MB = 500
RESIDENT = f"""\
#!/usr/bin/perl
my ($page, $memory) = (substr("volunteer " x 410, 0, 4096), "");
$memory .= $page x 256 for 1 .. {RESIDENT_MB};
mkdir "/campaign/$ENV{{SLURM_JOB_ID}}";
open my $ticks, ">", "/campaign/$ENV{{SLURM_JOB_ID}}/ticks";
print $ticks "1\\n";
close $ticks;
sleep 1 while 1;
"""
SWAP_ON = """\
if [ ! -e /dev/zram0 ]; then
	modprobe zram num_devices=1
	echo 1G > /sys/block/zram0/disksize
fi
mkswap /dev/zram0 > /dev/null
swapon /dev/zram0
"""
SWAP_OFF = "swapoff /dev/zram0"


@pytest.fixture
def swap(bed):
    bed.desk.run(SWAP_ON)
    yield
    bed.head.run("scancel --user=alice")
    wait("no job", lambda: not bed.head.run("squeue -h").strip(), 60)
    bed.desk.run(SWAP_OFF)


def resident(bed, folders):
    """Bytes that the tasks have in memory."""
    files = " ".join(f"{os.path.dirname(f)}/memory.current" for f in folders)
    return sum(int(n) for n in bed.desk.run(f"cat {files}").split())


def test_with_swap_it_is_reclaimed(bed, swap):
    job = bed.submit(RESIDENT)
    folders = bed.running(job)
    before = resident(bed, folders)
    assert before >= RESIDENT_MB * MB
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        start = time.monotonic()
        wait("4/5 of it reclaimed",
             lambda: resident(bed, folders) <= before / 5, 20)
        print(f"4/5 of {before // MB} MB went in "
              f"{time.monotonic() - start:.1f} s")
        assert bed.job(job)["JobState"] == "RUNNING"


def test_without_swap_status_says_so_and_pressure_evicts(bed):
    bed.configure(max_pressure="5")
    assert bed.desk.run("swapon --noheadings").strip() == ""
    job = bed.submit(RESIDENT)
    folders = bed.running(job)
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        wait("a note", lambda: any("swap" in note for note in
                                   bed.status()["notes"]), 20)
        assert bed.job(job)["JobState"] == "RUNNING"
        # The owner's program waits for memory: it may use less than it wants.
        bed.desk.run("systemd-run --quiet --collect --unit=hungry "
                     "--slice=user.slice -p MemoryHigh=40M "
                     "perl -e 'my $x = \"x\" x (200 << 20); sleep 100'")
        try:
            wait("evicted", lambda: bed.job(job).get("BatchHost") == "head"
                 or bed.job(job)["JobState"] == "PENDING", 60)
        finally:
            bed.desk.run("systemctl stop hungry")
