# SPDX-License-Identifier: GPL-2.0-or-later
"""The units under a real systemd: a site and a desktop that boot

Elsewhere the tests run discoveryd under docker/node; here systemd is the one
that starts, restarts and stops it, and that starts slurmd for it.
"""
import tempfile
import time

import pytest

import behaviour
import runtimes
import walls
from plain import FINAL, INCLUDE, SITE, Bed

UNITS = ("slurm-volunteer-controller.service",
         "slurm-volunteer-device.service")
DEVICE = "slurm-volunteer-device"
SLURMD = "slurm-volunteer-slurmd"
DONE = [("COMPLETED", "0:0")]


@pytest.fixture(scope="module", name="bed")
def fixture_bed():
    with Bed() as bed:
        try:
            bed.boot_head(FINAL, INCLUDE + SITE)
            bed.open_door("head")
            bed.boot_device("desk")
            bed.wait_idle(["desk"])
        except BaseException:
            print(bed.cluster("logs").stdout[-30000:])
            raise
        yield bed


@pytest.fixture
def lab(bed):
    yield bed
    bed.run("desk", f"systemctl start {DEVICE}")
    bed.ctl("scancel -p volunteer --state=RUNNING; true")
    bed.wait_idle(["desk"])


def show(lab, unit, *names, machine="desk"):
    """Properties of a unit as a list of texts."""
    out = lab.run(machine, f"systemctl show -p {','.join(names)} {unit}")
    got = dict(line.split("=", 1) for line in out.splitlines())
    return [got[name] for name in names]


def cgroup(lab, pid):
    """Where the machine, not the process itself, sees it."""
    return lab.run("desk", f"sed -n s/^0:://p /proc/{pid}/cgroup")


def process(lab, pid):
    """Pid and start time, which together no other process has."""
    return lab.run("desk", f"awk '{{ print $1, $22 }}' /proc/{pid}/stat")


def task(lab, job, pid):
    """The process of a job that has this pid inside its sandbox."""
    return process(lab, lab.run("desk", (
        f"for p in $(cat $(find /sys/fs/cgroup -name cgroup.procs -path "
        f"'*/job_{job}/step_batch/*')); do "
        f"awk -v p=$p '/^NSpid:/ && $NF == {pid} {{ print p }}' "
        "/proc/$p/status 2> /dev/null; done; true")).split()[0])


def start_job(lab):
    """A job on the desk that runs until job.go exists; (id, its process)."""
    lab.alice("rm -f job.log job.go")
    job, _ = behaviour.batch(lab, "-J job", (
        "echo start $$ >> job.log\n"
        "while [ ! -e job.go ]; do sleep 0.1; done\n"
        "echo end $$ >> job.log"), "volunteer")
    pid = lab.wait("the job runs", lambda: lab.alice("cat job.log")).split()[1]
    return job, task(lab, job, pid)


def start_job_beside(lab):
    """Another one, which runs until it is cancelled; (id, its process)."""
    lab.alice("rm -f beside.log")
    job, _ = behaviour.batch(lab, "-J beside", (
        "echo start $$ >> beside.log; exec sleep 1000"), "volunteer")
    pid = lab.wait("the other job runs",
                   lambda: lab.alice("cat beside.log")).split()[1]
    return job, task(lab, job, pid)


def end_job(lab, job, running):
    """Let the job end; it must be the same process, and have run once."""
    pid = running.split()[0]
    assert process(lab, pid) == running
    lab.alice("touch job.go")
    assert lab.wait(f"job {job} ended",
                    lambda: behaviour.ended(lab, job)) == DONE
    start, end = lab.alice("cat job.log").splitlines()
    assert (start.split()[0], end.split()[0]) == ("start", "end")
    assert start.split()[1] == end.split()[1]


def test_units_are_right(lab):
    """systemd itself finds nothing to say about them."""
    done = lab.proc("desk", "systemd-analyze verify --man=no "
                    + " ".join(UNITS), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for unit in UNITS:
        # One line: "Overall exposure level for UNIT: 1.3 OK".
        text = lab.run("desk", f"systemd-analyze security --no-pager {unit}"
                       " | tail -n 1")
        print(text)
        assert "exposure level" in text


def test_both_roles_are_up(lab):
    """Type=notify: active means that the daemon said it is ready."""
    for unit, machine in (("slurm-volunteer-controller", "head"),
                          (DEVICE, "desk")):
        assert show(lab, unit, "Type", "ActiveState", "NRestarts",
                    machine=machine) == ["notify", "active", "0"]
    assert lab.run("head", "systemctl show -p User --value "
                   "slurm-volunteer-controller") == "slurm"


def test_slurmd_is_a_unit_of_its_own(lab):
    group, transient, delegate = show(lab, SLURMD, "ControlGroup", "Transient",
                                      "Delegate")
    assert (group, transient, delegate) == (
        f"/volunteer.slice/{SLURMD}.service", "yes", "yes")
    # The device daemon's own group holds that daemon alone.
    main, group = show(lab, DEVICE, "MainPID", "ControlGroup")
    assert lab.run("desk", f"cat /sys/fs/cgroup{group}/cgroup.procs") == main


ROOT = f"/volunteer.slice/volunteer-slurmd.slice/{SLURMD}.service"
SCOPE = f"{ROOT}/system.slice/desk_slurmstepd.scope"


def test_jobs_are_in_the_slice_of_volunteers(lab):
    """Whatever Slurm calls the place, the owner's weights count there."""
    assert lab.run("desk", "systemctl show -p CPUWeight,IOWeight --value "
                   "volunteer.slice").split() == ["idle", "1"]
    slurmd = show(lab, SLURMD, "MainPID")[0]
    assert cgroup(lab, slurmd) == f"{ROOT}/slurmd"
    job, running = start_job(lab)
    assert cgroup(lab, running.split()[0]).startswith(
        f"{SCOPE}/job_{job}/step_batch/user/task_")
    # The stepfile that the plugin has written names it as Slurm sees it.
    assert lab.run("desk", "grep -h ^cgroup= /run/slurm-volunteer/steps/"
                   f"{job}.*") == ("cgroup=/system.slice/desk_slurmstepd"
                                   f".scope/job_{job}/step_batch")
    # systemd was not asked for a scope that would be elsewhere.
    assert lab.run("desk", "systemctl list-units --all --plain --no-legend "
                   "'*slurmstepd*'") == ""
    assert lab.run("desk", "test ! -e /run/slurm-volunteer/no-slice; echo $?"
                   ) == "0"
    # Its log is where an admin looks for it.
    assert "slurmd version" in lab.run("desk", f"journalctl -u {SLURMD}")
    # What slurmd has mounted stays with it.
    assert lab.run("desk", "cat /proc/1/cgroup | grep ^0::") == "0::/init.scope"
    end_job(lab, job, running)


def test_killed_daemon_comes_back_and_nothing_else_notices(lab):
    job, running = start_job(lab)
    slurmd = process(lab, show(lab, SLURMD, "MainPID")[0])
    before, count = show(lab, DEVICE, "MainPID", "NRestarts")
    lab.run("desk", f"systemctl kill -s KILL {DEVICE}")

    def restarted():
        pid, now, state = show(lab, DEVICE, "MainPID", "NRestarts",
                               "ActiveState")
        return (state == "active" and pid not in ("0", before)
                and int(now) == int(count) + 1)
    lab.wait("systemd restarted it", restarted, 20)
    lab.wait("it has its link again", lambda: "up" in lab.run(
        "desk", "volunteer status | grep 'link state'"), 30)
    assert process(lab, show(lab, SLURMD, "MainPID")[0]) == slurmd
    # It can not know that the owner is still away, so it begins anew.
    lab.wait("it is open again",
             lambda: lab.nodes()["desk"] in ("mixed", "allocated"), 30)
    assert lab.node("desk")["SlurmdStartTime"]
    end_job(lab, job, running)
    assert process(lab, show(lab, SLURMD, "MainPID")[0]) == slurmd


def test_killed_slurmd_comes_back_under_a_running_job(lab):
    job, running = start_job(lab)
    before = show(lab, SLURMD, "MainPID")[0]
    lab.run("desk", f"systemctl kill -s KILL {SLURMD}")

    def restarted():
        pid, state = show(lab, SLURMD, "MainPID", "ActiveState")
        return state == "active" and pid not in ("0", before)
    lab.wait("slurmd runs again", restarted, 30)
    # Beside the job of the one before, in the same namespace.
    slurmd = show(lab, SLURMD, "MainPID")[0]
    lab.wait("it is in its place", lambda: cgroup(lab, slurmd)
             == f"{ROOT}/slurmd", 10)
    more, other = start_job_beside(lab)
    assert cgroup(lab, other.split()[0]).startswith(f"{SCOPE}/job_{more}/")
    lab.ctl(f"scancel {more}")
    end_job(lab, job, running)


def test_restarted_unit_starts_over_left_over_steps(lab):
    """As an admin would; steps are no part of slurmd."""
    job, running = start_job(lab)
    before = show(lab, SLURMD, "MainPID")[0]
    lab.run("desk", f"systemctl stop {SLURMD}")

    def restarted():
        pid, state = show(lab, SLURMD, "MainPID", "ActiveState")
        return state == "active" and pid not in ("0", before)
    lab.wait("slurmd runs again", restarted, 30)
    assert cgroup(lab, running.split()[0]).startswith(f"{SCOPE}/job_{job}/")
    end_job(lab, job, running)


def sees_the_image(lab):
    """A job's own words."""
    lab.alice("rm -f job.log")
    job, _ = behaviour.batch(lab, "-J image", (
        "ls -d /usr/of-the-image /usr/share > job.log 2> /dev/null; true"),
        "volunteer")
    assert lab.wait(f"job {job} ended",
                    lambda: behaviour.ended(lab, job)) == DONE
    return lab.alice("cat job.log") == "/usr/of-the-image"


def test_an_image_is_mounted_where_slurmd_sees_it(lab):
    """The daemon has mounts of its own, which end with it."""
    with tempfile.TemporaryDirectory(prefix="voltest-") as folder:
        image = runtimes.put(lab, "desk", runtimes.make(lab, "desk", folder))
    runtimes.require(lab, "desk", image)
    with walls.policy(lab, "desk", image=image):
        walls.settled(lab, "desk")
        assert runtimes.mounts(lab, "desk") == "1"
        assert sees_the_image(lab)
        before = show(lab, DEVICE, "MainPID")
        lab.run("desk", f"systemctl kill -s KILL {DEVICE}")
        lab.wait("systemd restarted it", lambda: show(
            lab, DEVICE, "ActiveState")[0] == "active" and
            show(lab, DEVICE, "MainPID") not in (before, ["0"]), 20)
        walls.settled(lab, "desk")
        assert runtimes.mounts(lab, "desk") == "1"
        assert sees_the_image(lab)
    walls.settled(lab, "desk")
    assert not sees_the_image(lab)
    lab.run("desk", f"systemctl restart {DEVICE}", timeout=60)
    assert runtimes.mounts(lab, "desk") == "0"
    lab.wait_idle(["desk"], timeout=30)


def test_stopped_device_leaves_with_a_reason(lab):
    start = time.monotonic()
    lab.run("desk", f"systemctl stop {DEVICE}", timeout=60)
    # No job, nothing to wait for: shutdown of a desktop takes no longer.
    assert time.monotonic() - start < 20
    lab.wait("desk has left", lambda: lab.nodes()["desk"].rstrip("*") in (
        "down", "drained"))
    assert "device left" in lab.ctl("scontrol show node desk")
    assert show(lab, SLURMD, "ActiveState") == ["inactive"]
    assert lab.run("desk", "pgrep -x 'slurmd|discoveryd' || true") == ""
    # A unit that was stopped cleanly has not failed.
    assert show(lab, DEVICE, "Result", "ActiveState") == [
        "success", "inactive"]
    lab.run("desk", f"systemctl start {DEVICE}")
    lab.wait_idle(["desk"], timeout=20)


def test_job_of_a_device_that_leaves_runs_elsewhere(lab):
    """Its process ends before Slurm may start it again."""
    job, running = start_job(lab)
    lab.run("desk", f"systemctl stop {DEVICE}", timeout=60)
    assert lab.proc("desk", f"test -e /proc/{running.split()[0]}",
                    check=False).returncode == 1
    lab.wait("the job is in the queue again", lambda: lab.ctl(
        f"squeue -h -j {job} -o %T") == "PENDING")
    # "Elsewhere" is the same machine here, and two minutes later unless asked.
    lab.run("desk", f"systemctl start {DEVICE}")
    lab.wait("the job may start", lambda: lab.ctl(
        f"scontrol update jobid={job} StartTime=now; echo ok") == "ok")
    log = lab.wait("the job runs again", lambda: lab.alice(
        "grep -c start job.log") == "2" and lab.alice("cat job.log"))
    lab.alice("touch job.go")
    assert lab.wait(f"job {job} ended",
                    lambda: behaviour.ended(lab, job)) == DONE
    again = log.splitlines()[1].split()[1]
    assert lab.alice("tail -n 1 job.log") == f"end {again}"
