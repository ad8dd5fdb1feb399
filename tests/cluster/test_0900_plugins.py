# SPDX-License-Identifier: GPL-2.0-or-later
"""Both plugins are loaded, used, and harmless to other partitions."""
import json


def test_spank_marks_volunteer_jobs_and_only_those(lab):
    mine = lab.alice("srun -p volunteer --mem=50 env", timeout=60)
    other = lab.alice("srun -p fixed --mem=50 env", timeout=60)
    assert "SLURM_VOLUNTEER=1" in mine.splitlines()
    assert "SLURM_VOLUNTEER" not in other


def test_a_job_cannot_mark_itself(lab):
    out = lab.alice("SLURM_VOLUNTEER_DEVICE=x srun -p fixed --mem=50 env",
                    timeout=60)
    assert "SLURM_VOLUNTEER=1" not in out


def test_steps_tell_discoveryd_their_cgroup(lab):
    job = lab.alice("sbatch --parsable -p volunteer --mem=50 -w desk1 "
                    "-o /dev/null --wrap 'sleep 20'")
    lab.wait("the job runs", lambda: lab.ctl(
        f"squeue -h -j {job} -t R"), 30)
    lab.alice(f"srun --jobid={job} --overlap --mem=20 sleep 20 "
              ">/dev/null 2>&1 &")

    def steps():
        status = json.loads(lab.run("desk1", "volunteer status --json"))
        return len(status["steps"]) >= 2 and status["steps"]
    lab.wait("two steps", steps, 30)
    cgroups = lab.run("desk1", "sed -n 's/^cgroup=//p' "
                      "/run/slurm-volunteer/steps/*").splitlines()
    assert len(cgroups) >= 2
    for cgroup in cgroups:
        # The kernel agrees that the step's tasks are below it, once there are
        # some.  slurmd sees its own cgroup as the root.
        lab.wait(f"tasks in {cgroup}", lambda cgroup=cgroup: lab.run(
            "desk1", f"find /sys/fs/cgroup -path '*{cgroup}/user/*' "
            "-name cgroup.procs -exec cat {} +"), 10)
    lab.ctl("scancel -u alice")
    lab.wait("no step left", lambda: not json.loads(lab.run(
        "desk1", "volunteer status --json"))["steps"], 60)


def test_option_is_known_to_sbatch_and_travels(lab):
    assert "--volunteer-info" in lab.alice("sbatch --help")
    done = lab.proc("controller", "cd /campaign/alice && srun -p volunteer "
                    "--mem=50 -w desk2 --volunteer-info true", user="alice")
    assert "desk2" in done.stderr


def test_select_plugin_is_active(lab):
    status = json.loads(lab.ctl("volunteer select --status --json"))
    assert status["state"] == "enabled" and status["current"], status
    lab.alice("srun -p volunteer --mem=50 true")
    assert "select_cons_tres" in lab.ctl(
        "grep -c slurm-volunteer /proc/$(pgrep -o -x slurmctld)/maps "
        ">/dev/null; grep select_cons_tres /proc/$(pgrep -o -x "
        "slurmctld)/maps | awk '{print $NF}' | sort -u")


def test_select_plugin_can_be_taken_out_and_put_back(lab):
    def restart():
        lab.kill9("controller", "slurmctld")
        lab.wait("slurmctld is back", lambda: "UP" in lab.ctl(
            "scontrol ping"), 60)

    before = lab.ctl("sha256sum /usr/lib/*/slurm-wlm/select_cons_tres.so")
    lab.ctl("volunteer select --disable")
    try:
        restart()
        after = lab.ctl("sha256sum /usr/lib/*/slurm-wlm/select_cons_tres.so")
        assert before != after
        assert "desk" in lab.alice("srun -p volunteer --mem=50 hostname",
                                   timeout=60)
    finally:
        lab.ctl("volunteer select --enable")
        restart()
    assert before == lab.ctl(
        "sha256sum /usr/lib/*/slurm-wlm/select_cons_tres.so")
    assert "desk" in lab.alice("srun -p volunteer --mem=50 hostname",
                               timeout=60)


def test_other_partitions_work_as_without_us(lab):
    lab.alice("srun -p fixed --mem=50 hostname", timeout=60)
    job = lab.alice("sbatch --parsable -p fixed --mem=50 --array=1-3 "
                    "-o fixed-%a --wrap 'hostname'")
    lab.wait("array done", lambda: job not in lab.jobs(), 60)
    assert lab.alice("cat fixed-1 fixed-2 fixed-3").split() == \
        ["controller"] * 3
