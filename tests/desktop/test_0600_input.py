# SPDX-License-Identifier: GPL-2.0-or-later
"""Every input device counts, also one that comes later"""
from guest import wait
import reaction


def parks(bed, folders, touch):
    """This touch parks the job that runs now."""
    wait("thawed", lambda: not bed.frozen(folders), 30)
    touch()
    wait("frozen", lambda: bed.frozen(folders), 5)


def test_mouse_counts(bed):
    folders = bed.running(bed.count(1000))
    parks(bed, folders, bed.desk.mouse)


def devices(bed):
    """How many input devices there are, and how many discoveryd has open."""
    out = bed.desk.run(
        "ls /dev/input/event* | wc -l; "
        "ls -l /proc/$(systemctl show -P MainPID slurm-volunteer-device)/fd "
        "| grep -c /dev/input/event || true")
    return [int(n) for n in out.split()]


def replace(bed, old, new, bus):
    """Unplug a keyboard and plug another one in."""
    there, opened = devices(bed)
    bed.desk.unplug(old)
    wait("one less", lambda: devices(bed) == [there - 1, opened - 1], 20)
    bed.desk.plug("virtio-keyboard-pci", new, bus)
    wait("one more", lambda: devices(bed) == [there, opened], 20)


def test_keyboard_that_is_plugged_in_counts(bed):
    folders = bed.running(bed.count(1000))
    replace(bed, "keyboard", "second", "port1")
    try:
        parks(bed, folders, bed.desk.key)
    finally:
        replace(bed, "second", "keyboard", "port0")
    parks(bed, folders, bed.desk.key)


def test_reaction_is_a_matter_of_milliseconds(bed):
    bed.configure(idle_after="1s")
    samples = reaction.presses(bed, 5, 8)
    print([f"{ms:.1f}" for ms in samples])
    # The aim is 10 ms; an emulated machine that shares its host takes longer.
    assert sorted(samples)[len(samples) // 2] < 100
