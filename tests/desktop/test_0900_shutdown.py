# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner goes home.  The last file: the desktop is off afterwards."""
import time

from guest import Gone, wait


def test_shutdown_loses_no_job(bed):
    job = bed.count(40)
    bed.running(job)
    start = time.monotonic()
    try:
        bed.desk.run("systemctl poweroff")
    except Gone:
        pass  # it was quicker than its answer
    wait("the job is off the desktop",
         lambda: bed.job(job).get("BatchHost") == "head"
         or bed.job(job)["JobState"] == "PENDING", 60)
    print(f"requeued after {time.monotonic() - start:.1f} s")
    wait("the machine is off", lambda: not bed.desk.alive(), 90)
    print(f"off after {time.monotonic() - start:.1f} s")
    wait("completed elsewhere",
         lambda: bed.job(job)["JobState"] == "COMPLETED", 120)
    assert bed.job(job)["Restarts"] == "1"
    assert bed.result(job, bed.head) == bed.counted(40)
