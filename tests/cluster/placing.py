# SPDX-License-Identifier: GPL-2.0-or-later
"""placing.py - jobs that tell where they ran, and devices that take none

An owner who is there keeps a device shut by two ways: the node table, at once,
and slurmctld's drain, after drain_after.  Here the second is put off, so that
what is seen is the work of the first.
"""
import contextlib
import json
import re
import subprocess

from lab import Failed
import parked

CONF = "/etc/slurm-volunteer/controller.conf"

# Says when and where it ran, by the clock that all containers share.
SPAN = """\
up() { cut -d' ' -f1 /proc/uptime; }
began=$(up)
sleep %s
echo $SLURM_JOB_ID $SLURMD_NODENAME $began $(up) >> spans
"""


class Shell:
    """A shell in a container that answers within milliseconds, where docker
    exec takes a tenth of a second; for a with statement."""

    END = "=== end"

    def __init__(self, lab, name, user="root"):
        self.argv = ["docker", "exec", "-i", "--user", user,
                     lab.container(name), "bash"]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=20)

    def __call__(self, command):
        """Run it; its output."""
        # srun would read what comes next.
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\n"
                                 f"echo '{self.END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == f"{self.END}\n":
                return "".join(lines).strip()
            lines.append(line)
        raise Failed(f"{self.argv}: the shell ended in {command}")


# -- devices -------------------------------------------------------------------

@contextlib.contextmanager
def controller_setting(lab, line):
    """A line more in controller.conf, for a while."""
    def write(text):
        lab.proc("controller", f"cat > {CONF} && pkill -HUP -x discoveryd",
                 stdin=text + "\n")
    before = lab.ctl(f"cat {CONF}")
    write(f"{before}\n{line}")
    try:
        yield
    finally:
        write(before)


def undrained(lab, after="1h"):
    """slurmctld hears nothing of owners, for a while."""
    return controller_setting(lab, f"drain_after = {after}")


def is_open(lab, node):
    """Does the node table say so?"""
    rows = json.loads(lab.ctl("volunteer devices --forecast --json"))
    return any(row["node"] == node and row["harvest"] == "open"
               for row in rows)


@contextlib.contextmanager
def shut(lab, *nodes):
    """Their owners sit down at them and say that they stay, until the end of
    the with statement.  (One who types is awaited: on a busy machine a typist
    may pause for longer than idle_after.)"""
    for node in nodes:
        lab.run(node, "printf x 1<> /run/owner-input; volunteer pause 1h")
    try:
        for node in nodes:
            lab.wait(f"{node} is shut", lambda n=node: not is_open(lab, n), 20)
        yield
    finally:
        for node in nodes:
            lab.run(node, "volunteer resume")


def slurmctld(lab):
    """Its process, "" while there is none; the name in ps changes with
    scontrol reconfigure."""
    return lab.ctl("pgrep -o -f '[s]lurmctld' || true")


# -- jobs ----------------------------------------------------------------------

def batch(lab, *options, seconds=0, user="alice"):
    """A job for each of these options of sbatch, submitted together; their
    numbers."""
    script = f"#!/bin/bash\n{SPAN % seconds}"
    out = lab.proc("controller", f"cd /campaign/{user}; cat > span.sh; " +
                   "; ".join("sbatch --parsable -p volunteer --mem=50 "
                             f"-o /dev/null {option} span.sh"
                             for option in options),
                   user=user, stdin=script).stdout
    jobs = out.split()
    assert len(jobs) == len(options), out
    return jobs


def records(lab):
    """All jobs that slurmctld remembers: number -> fields; the tasks of an
    array as NUMBER_TASK."""
    text = lab.proc("controller", "scontrol -o show jobs", check=False).stdout
    found = {}
    for line in text.splitlines():
        fields = dict(re.findall(r"(\S+?)=(\S*)", line))
        name = fields.get("JobId")
        if "ArrayTaskId" in fields:
            name = f"{fields['ArrayJobId']}_{fields['ArrayTaskId']}"
        found[name] = fields
    return found


def states(lab, *jobs):
    known = records(lab)
    return [known.get(job, {}).get("JobState") for job in jobs]


def wait_state(lab, state, *jobs, timeout=40):
    lab.wait(f"{', '.join(jobs)} {state}", lambda: all(
        s == state for s in states(lab, *jobs)), timeout)


def wait_done(lab, *jobs, timeout=60):
    """Wait for their good end; the list of nodes of each."""
    wait_state(lab, "COMPLETED", *jobs, timeout=timeout)
    known = records(lab)
    return [known[job]["NodeList"] for job in jobs]


def spans(lab, *jobs, user="alice"):
    """What jobs wrote down: (job, node, began, ended), in order of end."""
    lines = lab.ctl(f"cat /campaign/{user}/spans").splitlines()
    found = [(job, node, float(began), float(ended))
             for job, node, began, ended in map(str.split, lines)]
    return [span for span in found if span[0] in jobs]


def stays_pending(lab, *jobs, rounds=2):
    """Two passes of the scheduler at least do not start them; why not."""
    for _ in range(rounds):
        lab.ctl("scontrol update partitionname=volunteer state=up; sleep 0.5")
        known = records(lab)
        for job in jobs:
            assert known[job]["JobState"] == "PENDING", known[job]
    return [known[job]["Reason"] for job in jobs]
