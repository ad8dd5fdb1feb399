# SPDX-License-Identifier: GPL-2.0-or-later
"""The bed itself: without these the other tests would show nothing"""
from bed import UNITS
from guest import wait


def test_systemd_is_up(bed):
    for guest in (bed.head, bed.desk):
        assert guest.run("systemctl --failed --no-legend").strip() == ""
        assert guest.run("cat /proc/1/comm").strip() == "systemd"
        for unit in UNITS[guest.name]:
            assert guest.run(f"systemctl is-active {unit}").strip() == "active"


def test_cgroup_v2_has_what_we_use(bed):
    assert bed.desk.run("stat -fc %T /sys/fs/cgroup").strip() == "cgroup2fs"
    controllers = bed.desk.run("cat /sys/fs/cgroup/cgroup.controllers").split()
    assert {"cpu", "cpuset", "io", "memory"} <= set(controllers)
    assert "some" in bed.desk.run("cat /proc/pressure/memory")


def test_owner_sits_at_the_machine(bed):
    wait("ann's session", lambda: "ann" in bed.desk.run(
        "loginctl --no-legend list-sessions"), 60)


def test_key_press_is_a_real_event(bed):
    before = bed.desk.run("cat /proc/interrupts | grep virtio")
    bed.desk.key()
    wait("an interrupt", lambda: bed.desk.run(
        "cat /proc/interrupts | grep virtio") != before, 10)


def test_job_runs_on_the_desktop(bed):
    job = bed.count(5)
    wait("the job ended", lambda: bed.job(job)["JobState"] == "COMPLETED")
    assert bed.job(job)["NodeList"] == "desk"
    assert bed.result(job) == bed.counted(5)
