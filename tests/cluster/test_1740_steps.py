# SPDX-License-Identifier: GPL-2.0-or-later
"""A batch script in the sandbox starts steps with srun, as outside.

Every row of steps.py is run in one batch job on a device with its walls up and
in one on a device with its walls down, and what they say is compared."""
import fnmatch
import io
import re
import subprocess
import tarfile
import time

import pytest

from said import lines
import walls
from steps import ERROR, REFUSED, ROWS

INSIDE, OUTSIDE = "desk1", "desk2"
FOLDER = "/campaign/alice/steps"
ALICE = 2001

# What is one run's alone.
MASKS = [(re.compile(pattern, re.M), to) for pattern, to in (
    (r"\b(job|JOB|StepId|STEP)([ =])\d+", r"\1\2JOB"),
    (r"\bjob0*\d+\b", "jobJOB"),
    (r"\bdesk[12]\b", "DESK"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME"),
    (r"/steps/(in|out)side\b", "/steps/SIDE"),
    (r"^(SLURM_(?:JOB_?ID|TASK_PID|\w*_PORT|JOB_(?:START|END)_TIME|STEP_?ID"
     r"|SRUN_COMM_HOST|LAUNCH_NODE_IPADDR))=.*", r"\1=..."),
    (r"^_=.*\n", ""),
    # Inside there is no such file, and so no word of it.
    (r"^SLURM_CONF=.*\n", ""),
    # It may have had to wait for a CPU.
    (r"^srun: (Job \w+ step|Step created|Job step|Force Term).*\n", ""),
)]

SCRIPT = """#!/bin/bash
cd "$1"
for row in */; do
    (cd "$row" && exec timeout 180 bash ./row > output 2>&1 < /dev/null)
done
"""
EVIL = "#!/bin/sh\ntouch {folder}/done\n"


def masked(text):
    for pattern, to in MASKS:
        text = pattern.sub(to, text)
    return text


def unpack(lab, files):
    """Path below FOLDER -> text."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755
            member.uid = member.gid = ALICE
            member.mtime = time.time()
            tar.addfile(member, io.BytesIO(text.encode()))
    lab.ctl(f"mkdir -p {FOLDER}")
    subprocess.run(["docker", "exec", "-i", lab.container("controller"),
                    "tar", "-C", FOLDER, "-xf", "-"], input=buffer.getvalue(),
                   check=True, timeout=60)
    lab.ctl(f"chown -R alice:alice {FOLDER}")


def submit(lab, node, side):
    return lab.alice(
        f"sbatch --parsable -p volunteer -w {node} -N1 -n2 --mem=200 "
        f"-o {FOLDER}/{side}/log {FOLDER}/script {FOLDER}/{side}")


def refused_script(number):
    line, _ = REFUSED[number]
    return (f"EVIL={FOLDER}/evil OTHER=1 JOB=$SLURM_JOB_ID\n"
            f"srun -n1 {line}; echo \"status $?\"\n")


def signal_steps(lab, jobs):
    """What the row waits for that wants a signal of ours; on either side."""
    def signal(side):
        if lab.ctl(f"ls {FOLDER}/{side} | grep -x on || true") != "on":
            return False
        steps = lab.ctl(f"squeue -h -s -j {jobs[side]} -o %i").split()
        step = [s for s in steps if s.split(".")[1].isdigit()]
        assert len(step) == 1, steps
        lab.alice(f"scancel -s USR2 {step[0]}")
        return True

    left = set(jobs)

    def all_signalled():
        for side in list(left):
            if signal(side):
                left.remove(side)
        return not left
    lab.wait("the rows' steps", all_signalled, 250)


@pytest.fixture(scope="module")
def outputs(session_lab):
    """(side, name of a row or number of a refused line) -> what it said."""
    lab = session_lab
    lab.wait_idle([INSIDE, OUTSIDE])
    lab.ctl(f"rm -rf {FOLDER}")
    files = {"script": SCRIPT, "evil": EVIL.format(folder=FOLDER)}
    for side in ("inside", "outside"):
        for i, row in enumerate(ROWS):
            files[f"{side}/{i:02}/row"] = row.script
    for i in range(len(REFUSED)):
        files[f"inside/refused-{i:02}/row"] = refused_script(i)
    unpack(lab, files)
    try:
        with walls.down(lab, OUTSIDE):
            jobs = {"inside": submit(lab, INSIDE, "inside"),
                    "outside": submit(lab, OUTSIDE, "outside")}
            signal_steps(lab, jobs)
            lab.wait("both scripts", lambda: not lab.jobs("-u", "alice"), 600)
        text = lab.ctl(f"cd {FOLDER} && grep -r '' */*/output")
        assert text
        yield {"jobs": jobs, **{
            path: lab.ctl(f"cat {FOLDER}/{path}/output") for path in
            sorted({line.split("/output:")[0] for line in text.splitlines()})}}
    finally:
        lab.ctl("scancel -u alice; true")
        lab.wait_no_jobs()


@pytest.mark.parametrize("number", range(len(ROWS)),
                         ids=[row.name for row in ROWS])
def test_row(outputs, number):
    inside, outside = (masked(outputs.get(f"{side}/{number:02}", "") + "\n")
                       for side in ("inside", "outside"))
    for text in ROWS[number].shows:
        assert text in outside, f"outside:\n{outside}"
    assert lines(inside) == lines(outside)


@pytest.mark.parametrize("number", range(len(REFUSED)),
                         ids=[line for line, _ in REFUSED])
def test_refused(session_lab, outputs, number):
    said = outputs[f"inside/refused-{number:02}"].splitlines()
    want = REFUSED[number][1].replace("$JOB", outputs["jobs"]["inside"])
    assert len(said) == 2, said
    assert said[0].startswith(ERROR), said
    text = said[0][len(ERROR):]
    assert text == want or (
        want.endswith("*") and fnmatch.fnmatch(text, want)), said
    assert said[1] == "status 1"
    assert session_lab.ctl(f"ls {FOLDER}/done 2>&1 || true").count("No such")


def batch(lab, script, *options):
    return lab.alice(
        f"sbatch --parsable -p volunteer -w {INSIDE} -N1 -n1 --mem=100 "
        f"-o {FOLDER}/one {' '.join(options)}", stdin="#!/bin/bash\n" + script)


def test_the_environment_does_not_reach_srun(lab):
    """LD_PRELOAD, SLURM_CONF and the like are the tasks' alone."""
    lab.ctl(f"install -d -o alice -g alice {FOLDER}; rm -f {FOLDER}/done; "
            f"printf '#!/bin/sh\\ntouch {FOLDER}/done\\n' > {FOLDER}/evil; "
            f"chmod 755 {FOLDER}/evil")
    evil = f"{FOLDER}/evil"
    job = batch(lab, f"""
export SLURM_CONF=/nosuch/slurm.conf
export SLURM_TASK_EPILOG={evil} SLURM_PROLOG={evil} SLURM_EPILOG={evil}
export SRUN_PROLOG={evil} SRUN_EPILOG={evil} SLURM_TASK_PROLOG={evil}
export SLURM_BCAST=/home/ann/x SLURM_HOSTFILE=/home/ann/list SLURM_JWT=x
export SLURM_JOB_ID=1 SLURM_JOBID=1 SLURM_STDOUTMODE=/home/ann/x
export SLURM_CLUSTERS=other SLURM_WORKING_CLUSTER=other:127.0.0.1:1:1
export SLURM_DEBUG_FLAGS=all MUNGE_SOCKET=/tmp/x PMIX_MCA_x=1
export SLURM_PMIX_SRV_TMPDIR=/home/ann GCONV_PATH=/tmp
LD_PRELOAD=/nosuch/evil.so srun -n1 /usr/bin/env 2> /dev/null |
    grep -cE '^(SLURM_TASK_EPILOG|GCONV_PATH|LD_PRELOAD)='
""")
    lab.wait_no_jobs()
    assert lab.ctl(f"cat {FOLDER}/one") == "3"
    assert job in lab.ctl(f"scontrol -o show job {job}")
    assert "No such" in lab.ctl(f"ls {FOLDER}/done 2>&1 || true")
    assert "No such" in lab.run(INSIDE, "ls /home/ann/x 2>&1 || true")


def outside_processes(lab):
    """Of the broker's, on the device."""
    return lab.run(INSIDE, "pgrep -f '^slurm-volunteer-steps|^srun .*--jobid' "
                   "|| true").split()


def start_long(lab):
    job = batch(lab, "srun -n1 sleep 600 & wait\n")
    lab.wait("the step", lambda: lab.ctl(
        f"squeue -h -s -j {job} -o %i | grep -E '[.]0$'") and
        lab.run(INSIDE, "pgrep -x sleep"))
    assert len(outside_processes(lab)) >= 3
    return job


def test_srun_is_frozen_with_the_job(lab):
    start_long(lab)
    pids = outside_processes(lab)
    lab.cluster("owner", INSIDE, "present")
    # The container's own folder is its root.
    for pid in pids:
        lab.wait("all is frozen", lambda pid=pid: lab.run(
            INSIDE, "cat /sys/fs/cgroup$(sed -n "
            f"'s,^0::.*/testbed[^/]*,,p' /proc/{pid}/cgroup)/cgroup.events"
        ).endswith("frozen 1"), 20)


def test_nothing_stays_behind(lab):
    job = start_long(lab)
    lab.alice(f"scancel {job}")
    lab.wait_no_jobs()
    lab.wait("the broker is gone", lambda: not outside_processes(lab), 20)
    assert lab.run(INSIDE, "ls /run/slurm-volunteer/sandbox/steps") == ""
    assert "COMPLET" in lab.ctl(
        f"scontrol -o show job {job}") or "CANCELLED" in lab.ctl(
        f"scontrol -o show job {job}")


def test_srun_runs_as_the_jobs_user_without_rights(lab):
    start_long(lab)
    pid = lab.run(INSIDE, "pgrep -f '^srun .*--jobid' | head -n 1")
    status = lab.run(INSIDE, f"cat /proc/{pid}/status")
    for line in (f"Uid:\t{ALICE}\t{ALICE}\t{ALICE}\t{ALICE}",
                 "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
                 "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status
    root = f"/proc/{pid}/root"
    assert "No such" in lab.run(INSIDE, f"ls {root}/home {root}/proc 2>&1 "
                                "|| true")
    assert "Read-only" in lab.run(INSIDE, f"touch {root}/x 2>&1 || true")
    assert "LD_PRELOAD" not in lab.run(INSIDE, f"cat /proc/{pid}/environ | "
                                       "tr '\\0' '\\n'")


def test_a_step_starts_no_steps(lab):
    said = lab.alice(f"srun -p volunteer -w {INSIDE} --mem=50 sh -c "
                     "'srun true; squeue; true' 2>&1")
    assert said.splitlines() == [
        "srun: error: on a volunteer device only a batch script can start "
        "steps",
        "squeue: error: not available in a job on a volunteer device, only "
        "srun is"]
