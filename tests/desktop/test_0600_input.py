# SPDX-License-Identifier: GPL-2.0-or-later
"""Every input device counts, also one that comes later"""
import pytest

from guest import wait
import reaction


def parks(bed, folders, touch):
    """Whether this touch parks the job that runs now."""
    wait("thawed", lambda: not bed.frozen(folders), 30)
    touch()
    wait("frozen", lambda: bed.frozen(folders), 5)


def test_mouse_counts(bed):
    folders = bed.running(bed.count(1000))
    parks(bed, folders, bed.desk.mouse)


def test_keyboard_that_is_plugged_in_counts(bed):
    folders = bed.running(bed.count(1000))
    devices = "grep -c ^I: /proc/bus/input/devices"
    before = bed.desk.run(devices)
    bed.desk.plug("virtio-keyboard-pci", "second", "port0")
    try:
        wait("a new input device", lambda: bed.desk.run(devices) != before, 20)
        wait("discoveryd opened it", lambda: bed.desk.run(
            "ls -l /proc/$(systemctl show -P MainPID slurm-volunteer-device)"
            "/fd | grep -c /dev/input/event").strip()
            == bed.desk.run("ls /dev/input/event* | wc -l").strip(), 20)
        # QEMU sends keys to the keyboard that came last.
        parks(bed, folders, bed.desk.key)
    finally:
        bed.desk.unplug("second")
        wait("it is gone", lambda: bed.desk.run(devices) == before, 20)
    parks(bed, folders, bed.desk.key)


@pytest.mark.parametrize("processes", [1, 8])
def test_reaction_is_a_matter_of_milliseconds(bed, processes):
    bed.configure(idle_after="1s")
    samples = reaction.presses(bed, 10, processes)
    print([f"{ms:.1f}" for ms in samples])
    # The aim is 10 ms; an emulated machine that shares its host takes longer.
    assert sorted(samples)[len(samples) // 2] < 100
