# SPDX-License-Identifier: GPL-2.0-or-later
"""behaviour.py - what a scientist and an admin see of a partition, as a value

Two calls can be compared: what differs from run to run (ids, ports, times) is
replaced by a mark, its presence is kept.
"""
import re

VARIES = re.compile(
    r"^(SLURM_JOB_?ID|SLURM_ARRAY_JOB_ID|SLURM_TASK_PID|SLURM_\w*_PORT"
    r"|SLURM_JOB_(START|END)_TIME)=.*$")
TIMES = re.compile(r"\b((?:\w+Time|LastBusyTime|CPULoad|FreeMem|CPUAlloc"
                   r"|CPUEfctv|AllocTRES|State)=)\S*")


def masked_env(text):
    """Sorted lines of env with the values that must differ taken out."""
    lines = [VARIES.sub(r"\1=*", line) for line in text.splitlines()]
    return sorted(line for line in lines if not line.startswith("_="))


def batch(lab, options, body, partition="old"):
    """Submit as the scientist; returns (job id, what sbatch warned)."""
    done = lab.proc("head", "cd /campaign/alice && sbatch --parsable "
                    f"-p {partition} -o job-%x-%a.out {options} /dev/stdin",
                    user="alice", stdin=f"#!/bin/sh\n{body}\n")
    return done.stdout.strip(), done.stderr


def ended(lab, job):
    """State and exit code of each element of a job, or None while it runs."""
    out = lab.ctl(f"scontrol -o show job {job}")
    states = re.findall(r"JobState=(\S+)", out)
    if not all(s in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT")
               for s in states):
        return None
    return sorted(zip(states, re.findall(r"\bExitCode=(\S+)", out)))


def srun(lab, options):
    """Status, output and errors of a srun of the scientist, which waits for
    nothing that has just ended."""
    lab.wait("nothing completes", lambda: lab.ctl(
        "squeue -h -t completing | wc -l") == "0" and "completing" not in
        lab.nodes("old").values(), 60)
    done = lab.proc("head", f"cd /campaign/alice && srun {options}",
                    user="alice", check=False, timeout=60)
    return (done.returncode, sorted(done.stdout.splitlines()),
            re.sub(r"\bjob \d+", "job *", done.stderr))


def of_partition_old(lab):
    """All that users of the old partition can tell apart."""
    lab.alice("rm -f job-*.out")
    jobs = {name: batch(lab, f"-J {name} {options}", body)
            for name, options, body in (
                ("env", "", "env"),
                ("array", "--array=1-4", "echo $SLURM_ARRAY_TASK_ID"),
                ("fails", "", "exit 3"),
                ("steps", "-n 2", "srun -l sh -c 'echo $SLURM_PROCID'"),
                ("named", "-w head", "hostname"))}
    seen = {name: (lab.wait(f"job {name} ended",
                            lambda job=job: ended(lab, job), 60), warned)
            for name, (job, warned) in jobs.items()}
    out = lab.alice("head -v -n 1000 job-*.out | sed '/^$/d'")
    env = masked_env(lab.alice("cat job-env-*.out"))
    seen["output"] = sorted(lab.alice(
        "cat $(ls job-*.out | grep -v job-env)").splitlines())
    seen["names"] = [line for line in out.splitlines() if "==>" in line]
    seen["batch environment"] = env
    seen["step environment"] = masked_env("\n".join(srun(lab, "env")[1]))
    seen["sruns"] = [srun(lab, options) for options in (
        "hostname", "-p old -n 2 echo x", "-w head hostname",
        "sh -c 'exit 4'", "-w nosuch hostname", "-p old -N 2 hostname",
        "-p nosuch hostname")]
    seen["partition"] = lab.ctl("scontrol -o show partition old")
    seen["node"] = TIMES.sub(r"\1*", lab.ctl("scontrol -o show node head"))
    seen["default"] = lab.ctl("sinfo -h -o %P | grep '[*]'")
    return seen
