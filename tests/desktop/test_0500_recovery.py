# SPDX-License-Identifier: GPL-2.0-or-later
"""discoveryd dies while jobs are parked"""
import random
import re
import time

from guest import wait

DEVICE = "slurm-volunteer-device"
KILLS = 20


def test_killed_daemon_never_thaws_under_a_present_owner(bed):
    job = bed.count(40)
    folders = bed.running(job)
    chance = random.Random(1)
    with bed.typing(every=0.7):
        wait("frozen", lambda: bed.frozen(folders), 5)
        ticks = bed.ticks(job)
        watcher = bed.desk.spawn(
            f"exec observer sample {' '.join(folders)}", "/tmp/samples")
        for _ in range(KILLS):
            bed.desk.run(f"systemctl kill -s KILL {DEVICE}")
            # Before, while and after systemd starts it again (1 s).
            time.sleep(chance.uniform(0.1, 2.5))
        bed.desk.run(f"kill {watcher}")
        text = wait("the samples", lambda: bed.desk.run(
            "grep ^samples /tmp/samples || true"), 10)
        print(bed.desk.run("cat /tmp/samples"))
        samples, thawed = map(int, re.match(
            r"samples (\d+) thawed (\d+)", text).groups())
        assert thawed == 0
        assert samples > KILLS * 20
        assert bed.ticks(job) == ticks
        wait("the last one is up", lambda: bed.desk.run(
            f"systemctl is-active {DEVICE} || true").strip() == "active", 30)
        assert bed.frozen(folders)
    # And it is not frozen for ever.
    wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED", 90)
    assert bed.result(job) == bed.counted(40)
