# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever jobs do and whoever is killed: the device is as before.

VOLTEST_ROUNDS=200: so many jobs and so many kills, in place of what there is
time for each day."""
import collections
import concurrent.futures
import contextlib
import os
import random
import re
import subprocess

import pytest

import clean
import parked
import walls

NODES = ("desk1", "desk2", "desk3")
BOMB = "/campaign/alice/bomb"
ROUNDS = int(os.environ.get("VOLTEST_ROUNDS", "0"))
STEP = "srun -p volunteer --mem=20 -w"


@pytest.fixture(scope="module")
def before(session_lab):
    """Node -> what there is on it; each has had a step and a batch job, for
    which folders are made that stay."""
    lab = session_lab
    lab.wait_idle(NODES)
    lab.host("docker", "cp", parked.native_program("bomb"),
             f"{lab.container('controller')}:{BOMB}")
    for node in NODES:
        assert walls.around_tasks(lab, node), "bombs without walls"
        parked.submit(lab, "true", f"-w {node}")
    lab.wait_no_jobs()
    return clean.settled(lab, NODES)


def test_one_job_after_another(lab, before):
    n = ROUNDS or 60
    lab.alice("rm -f tiny.*")
    done = lab.proc("controller", "cd /campaign/alice && sbatch --parsable "
                    f"-p volunteer --mem=20 -o /dev/null --array=1-{n}",
                    user="alice", stdin="#!/bin/sh\necho x > /tmp/x && "
                    "echo > tiny.$SLURM_ARRAY_TASK_ID\n")
    assert done.stdout.strip().isdigit()
    lab.wait_no_jobs(60 + 2 * n)
    assert lab.alice("ls | grep -c '^tiny\\.'") == str(n)
    lab.alice("rm -f tiny.*")
    clean.same_again(lab, before)


def test_what_jobs_leave_goes_with_them(lab, before):
    """Daemons that hear no signal, files, queues, semaphores, locks."""
    for node in NODES:
        said = lab.alice(f"{STEP} {node} {BOMB} leave", timeout=60)
        assert re.fullmatch(r"left \d+", said) and int(said[5:]) >= 12, said
    job = parked.submit(lab, f"cd /campaign/alice; {BOMB} leave; {BOMB} leave",
                        "-w desk1")
    lab.wait("the job has ended", lambda: parked.state(lab, job) ==
             "COMPLETED", 30)
    clean.same_again(lab, before)


# -- kill -9 ------------------------------------------------------------------

@pytest.fixture(scope="module")
def slurms(session_lab, before):
    """What Slurm itself leaves of a step whose slurmstepd is killed, without
    any walls: empty cgroups and files in its spool folder."""
    lab, node = session_lab, "desk1"
    with walls.down(lab, node):
        job = parked.submit(lab, "touch bare.$SLURM_JOB_ID; sleep 60",
                            f"-w {node} --no-requeue -D /campaign/alice")
        lab.wait("the job runs", lambda: lab.alice(
            f"ls bare.{job} || true"), 30)
        lab.run(node, "kill -9 $(pgrep -o -x slurmstepd)")
        parked.end(lab, job)
        lab.wait_idle([node])
        left = clean.look(lab, node) - before[node]
    lab.alice("rm -f bare.*")
    lines = set(map(clean.masked, left))
    assert lines and all(line.startswith(("cgroup ", "file /var/lib/slurm/"))
                         for line in lines), lines
    return lines


# A slurmd that is killed while it is told that a job has ended is told again
# after KillWait and twice MessageTimeout, when slurmctld looks once a minute.
TOLD_AGAIN_S = 30 + 2 * 10 + 60

# Like a lottery: whom, and when after the step has begun.  comm is cut after 15
# letters: the third is slurm-volunteer-init.
VICTIMS = ("slurmstepd", "vol-supervise", "slurm-volunteer", "slurmd",
           "discoveryd")
KILL = """\
old=$(pgrep -n -x slurmstepd)
for i in $(seq 200); do
	[ "$(pgrep -n -x slurmstepd)" = "$old" ] || break
	sleep 0.01
done
sleep {delay}
for i in $(seq 30); do
	# Of several any: slurmstepd forks while it starts a step.
	pid=$(pgrep -x {victim} | shuf -n 1)
	[ -n "$pid" ] && kill -9 $pid && echo killed && break
	sleep 0.01
done
# A process that is anywhere but below its job escapes the freezer.
for pid in $(pgrep -x bomb); do
	grep -H 0:: /proc/$pid/cgroup 2> /dev/null | grep -v /job_ || true
done
"""


def one_round(lab, node, chance):
    """Kill somebody while a job comes or goes; what KILL said."""
    victim = chance.choice(VICTIMS)
    script = KILL.format(victim=victim, delay=f"{chance.uniform(0, 0.5):.3f}")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        killing = pool.submit(lab.run, node, script)
        job = parked.submit(lab, f"{BOMB} leave; sleep 0.3",
                            f"-w {node} --no-requeue")
        said = killing.result()
    # Of a slurmstepd that is no more slurmctld hears only when it asks.
    with contextlib.suppress(AssertionError):
        lab.wait("the job has ended", lambda: parked.state(lab, job) not in (
            "RUNNING", "PENDING", "COMPLETING"), 4)
    parked.end(lab, job, timeout=TOLD_AGAIN_S + 30)
    lab.wait(f"{node}, {victim} killed: no process is left", lambda: lab.run(
        node, "pgrep -x bomb || true") == "", 30)
    # discoveryd is careful for a while, slurmd must register.
    lab.wait(f"{node} is open again", lambda: lab.nodes().get(node) == "idle",
             60, every=0.3)
    return victim, said


def test_kill9_of_anybody_at_any_moment(lab, before, slurms, record_property):
    chances = {node: random.Random(f"{node} 1") for node in NODES}
    rounds = -(-(ROUNDS or 21) // len(NODES))

    def all_rounds(node):
        return [one_round(lab, node, chances[node]) for _ in range(rounds)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = sum(pool.map(all_rounds, NODES), [])
    killed = collections.Counter(who for who, said in done if said)
    record_property("figure", f"kill -9 in {len(done)} rounds: " + ", ".join(
        f"{who} {n}" for who, n in sorted(killed.items())))
    assert all(said in ("killed", "") for _, said in done), done
    # It is a lottery, but one in which many win.
    assert sum(said == "killed" for _, said in done) >= len(done) / 2, done
    clean.same_again(lab, before, but=slurms)
    for node in NODES:
        assert lab.run(node, "find /sys/fs/cgroup -path '*/job_*' -name "
                       "cgroup.procs -exec cat {} +") == ""
