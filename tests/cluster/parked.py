# SPDX-License-Identifier: GPL-2.0-or-later
"""parked.py - an owner who comes and goes, and jobs that tell whether they run

A job counts into a file of its own on each node, in its working folder: that is
all of a node that it sees.  What "count.NODE.JOB" says is what the job itself has
done; the cgroups say what the kernel thinks.
"""
import contextlib
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CONF = "/etc/slurm-volunteer/device.conf"
COUNT = "/campaign/*/count"
# Longer than the reaction to input, by far, and than any docker exec.
SOON_S = 3

# Never half written: always as many characters, in place.
COUNTER = """\
echo $SLURMD_NODENAME $(cut -d' ' -f1 /proc/uptime) >> starts.$SLURM_JOB_ID
n=0
while :; do
	n=$((n + 1))
	printf %010d $n 1<> count.$SLURMD_NODENAME.$SLURM_JOB_ID
	sleep 0.01
done
"""

# What it does when it is to end: at once, never while it handles the signal,
# or never at all.
KINDS = {"obedient": COUNTER, "stubborn": "trap : TERM\n" + COUNTER,
         "deaf": "trap '' TERM\n" + COUNTER}

_making = threading.Lock()
_programs = tempfile.TemporaryDirectory(prefix="voltest-")


# -- the owner -----------------------------------------------------------------

def owner(lab, node, word):
    """present, away or touch."""
    lab.cluster("owner", node, word)


@contextlib.contextmanager
def present(lab, node):
    """The owner types, until the end of the with statement."""
    owner(lab, node, "present")
    try:
        yield
    finally:
        owner(lab, node, "away")


@contextlib.contextmanager
def settings(lab, node, **values):
    """Preferences of a device's owner, for a while."""
    lab.run(node, f"cp -p {CONF} {CONF}.saved")
    # 0 fits every parked_max; what is wanted comes after that.
    words = [f"'{key}={values[key]}'" for key in sorted(
        values, key=lambda key: key == "interactive_max")]
    try:
        for word in ["interactive_max=0", *words]:
            lab.run(node, f"volunteer set {word}")
        yield
    finally:
        lab.run(node, f"mv {CONF}.saved {CONF} && "
                "pkill -HUP -x discoveryd || true")


def restart(lab, node):
    """kill -9 of discoveryd, and wait until it is another one."""
    # What it is about to start goes by its name, too.
    old = lab.run(node, "pgrep -o -x discoveryd")
    lab.run(node, f"kill -9 {old}")
    lab.wait("discoveryd is back", lambda: lab.run(
        node, "pgrep -o -x discoveryd || true") not in ("", old), 30)


# -- jobs ----------------------------------------------------------------------

def submit(lab, body, options="", user="alice"):
    """sbatch of a script; the job's number."""
    done = lab.proc("controller", f"cd /campaign/{user} && sbatch --parsable "
                    f"-p volunteer --mem=50 -o /dev/null {options}",
                    user=user, stdin=f"#!/bin/bash\n{body}\n")
    return done.stdout.strip()


def counter(lab, node=None, options="", body=COUNTER):
    """A job that counts for ever; waits until it does."""
    where = f"-w {node} " if node else ""
    job = submit(lab, body, where + options)
    node = lab.wait("the job runs", lambda: running_on(lab, job), 30)
    lab.wait("the job counts", lambda: count(lab, node, job) > 0, 30)
    return job


def movable(lab, node, options=""):
    """A counter that is on that node by chance: it may go elsewhere."""
    others = ",".join(sorted(set(lab.nodes()) - {node}))
    lab.ctl(f"scontrol update nodename={others} state=drain reason=test")
    try:
        job = counter(lab, None, options)
    finally:
        lab.ctl(f"scontrol update nodename={others} state=resume")
    assert starts(lab, job) == [node]
    return job


def job_fields(lab, job):
    """scontrol show job; {} when it is forgotten."""
    done = lab.proc("controller", f"scontrol -o show job {job}", check=False)
    return dict(re.findall(r"(\S+?)=(\S*)", done.stdout))


def state(lab, job):
    return job_fields(lab, job).get("JobState", "")


def running_on(lab, job):
    """Name of the node, None while it does not run."""
    fields = job_fields(lab, job)
    return fields["NodeList"] if fields.get("JobState") == "RUNNING" else None


def count(lab, node, job):
    """How far the job has come on that node."""
    return int(lab.run(node, f"cat {COUNT}.{node}.{job} 2>/dev/null || echo 0"))


def starts(lab, job, user="alice"):
    """Nodes on which the job's script has begun, in order."""
    text = lab.ctl(f"cat /campaign/{user}/starts.{job} 2>/dev/null || true")
    return [line.split()[0] for line in text.splitlines()]


def end(lab, *jobs, timeout=60):
    """Whatever they are doing; waits until they are gone."""
    lab.ctl(f"scancel {' '.join(jobs)} || true")
    lab.wait("the jobs are gone", lambda: not set(jobs) & set(lab.jobs()),
             timeout)


# -- what the kernel says ------------------------------------------------------

def frozen(lab, node, job):
    """"1" or "0" for each task folder of the job, in one string."""
    return lab.run(node, "cat /dev/null $(find /sys/fs/cgroup -path "
                   f"'*/job_{job}/step_*/user/task_*/cgroup.events') | "
                   "sed -n 's/^frozen //p' | tr -d '\\n'")


def is_parked(lab, node, job):
    said = frozen(lab, node, job)
    return said != "" and "0" not in said


def wait_parked(lab, node, job):
    lab.wait(f"job {job} is parked on {node}",
             lambda: is_parked(lab, node, job), SOON_S, every=0.05)


def has_tasks(lab, node, job):
    """Is a process of the job alive?"""
    return lab.run(node, "cat /dev/null $(find /sys/fs/cgroup -path "
                   f"'*/job_{job}/step_*/user/task_*/cgroup.procs')") != ""


def stands_still(lab, node, job, seconds=1.5):
    """Watch a job that must not move."""
    before = count(lab, node, job)
    time.sleep(seconds)
    assert count(lab, node, job) == before
    assert is_parked(lab, node, job)


def moves(lab, node, job):
    before = count(lab, node, job)
    lab.wait(f"job {job} goes on", lambda: count(lab, node, job) > before, 20)


def native_program(name):
    """Path of the program; made once, whoever asks first."""
    program = pathlib.Path(_programs.name) / name
    with _making:
        if not program.exists():
            subprocess.run(["gcc", "-O2", "-static", "-o", str(program),
                            str(HERE / f"{name}.c")], check=True, timeout=60)
    return str(program)


def witness(lab, node, job, command, timeout=120):
    """Run a command on the node while every 10 ms the job is looked at."""
    lab.host("docker", "cp", native_program("witness"),
             f"{lab.container(node)}:/usr/local/bin/witness")
    done = lab.host("docker", "exec", lab.container(node), "witness", job,
                    "bash", "-c", command, timeout=timeout)
    return json.loads(done.stdout)


# -- what Slurm says of nodes --------------------------------------------------

def drain_reason(lab, node):
    """Reason of a node that takes no jobs, "" when it does."""
    return lab.ctl(f"sinfo -h -R -n {node} -o %E")


def wait_open(lab, node, timeout=30):
    """Until Slurm may start jobs there (again)."""
    lab.wait(f"{node} is open", lambda: lab.nodes().get(node) in
             ("idle", "mixed", "allocated"), timeout)
