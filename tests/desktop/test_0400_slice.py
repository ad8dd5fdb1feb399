# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs live in a corner of their own"""
import re

from guest import wait

SLURMD = "slurm-volunteer-slurmd"


def processes(bed, folders):
    return bed.desk.run("cat " + " ".join(
        f"{f}/cgroup.procs" for f in folders)).split()


def test_jobs_are_below_our_slice(bed):
    job = bed.count(1000)
    pids = processes(bed, bed.running(job))
    # Those that have ended since are nowhere.
    groups = bed.desk.run("cat " + " ".join(
        f"/proc/{pid}/cgroup" for pid in pids) + " 2> /dev/null || true")
    assert groups
    for group in groups.split():
        assert group.startswith("0::/volunteer.slice/"), group


def test_slice_comes_last(bed):
    slice_ = bed.status()["slice"]
    print(slice_)
    assert slice_["own_slice"] and slice_["cpu_idle"]
    top = "/sys/fs/cgroup/volunteer.slice"
    assert bed.desk.run(f"cat {top}/cpu.idle").strip() == "1"
    high = bed.desk.run(f"cat {slice_['folder']}/memory.high").strip()
    assert re.fullmatch(r"\d+", high)
    assert slice_["memory_high"] == int(high)


def test_job_survives_a_restart_of_slurmd(bed):
    job = bed.count(80)
    before = processes(bed, bed.running(job))
    pid = bed.desk.run(f"systemctl show -P MainPID {SLURMD}").strip()
    bed.desk.run(f"systemctl kill -s KILL {SLURMD}")
    wait("another slurmd", lambda: bed.desk.run(
        f"systemctl show -P MainPID {SLURMD}").strip() not in ("0", pid), 30)
    # The job's shell is the first of its processes.
    assert before[0] in processes(bed, bed.tasks(job))
    wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED", 90)
    assert bed.result(job) == bed.counted(80)


def test_parked_job_survives_a_restart_of_slurmd(bed):
    job = bed.count(30)
    folders = bed.running(job)
    with bed.typing():
        wait("frozen", lambda: bed.frozen(folders), 5)
        bed.desk.run(f"systemctl kill -s KILL {SLURMD}")
        assert bed.stopped(job, 4) and bed.frozen(folders)
    wait("completed", lambda: bed.job(job)["JobState"] == "COMPLETED", 90)
    assert bed.result(job) == bed.counted(30)
