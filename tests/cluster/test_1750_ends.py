# SPDX-License-Identifier: GPL-2.0-or-later
"""A step in the sandbox ends as soon as one without.

slurmstepd looks for what its tasks left when they have ended, and if there is
something, it sleeps for 1 s before it looks again: one process of ours that is
a millisecond late costs a second, most of the time."""
import statistics

import pytest

import walls

NODE = "desk1"
ROUNDS = 7
# Seconds; less than Slurm's sleep, more than a busy machine takes.
MORE = 0.7
STEPS = """
for i in $(seq {rounds}); do
	start=${{EPOCHREALTIME/./}}
	srun --overlap -n{tasks} true
	end=${{EPOCHREALTIME/./}}
	echo $((end - start))
done
"""
# From the script's last command until slurmctld knows that all is over.
BATCHES = """
for i in $(seq {rounds}); do
	job=$(sbatch --parsable -p volunteer --mem=20 -w {node} -o ends.out \
		--wrap 'date +%s%6N')
	while scontrol -o show job $job |
		grep -qE 'JobState=(PENDING|RUNNING|COMPLETING)'; do
		sleep 0.02
	done
	end=${{EPOCHREALTIME/./}}
	echo $((end - $(tail -n1 ends.out)))
done
rm ends.out
"""


def steps(tasks):
    def took(lab):
        script = STEPS.format(rounds=ROUNDS, tasks=tasks)
        return lab.proc("controller", "cd /campaign/alice && salloc -Q "
                        f"-p volunteer --mem=50 -w {NODE} -n{tasks} "
                        "--overcommit bash -s", user="alice", stdin=script)
    return took


def batches(lab):
    return lab.proc("controller", "cd /campaign/alice && bash -s",
                    user="alice", stdin=BATCHES.format(rounds=ROUNDS,
                                                       node=NODE))


def seconds(done):
    times = [int(line) / 1e6 for line in done.stdout.split()]
    assert len(times) == ROUNDS, done
    return times


@pytest.mark.parametrize("took", [
    pytest.param(steps(1), id="srun"), pytest.param(steps(2), id="srun -n2"),
    pytest.param(batches, id="sbatch")])
def test_the_end_of_a_step_costs_no_second(lab, took):
    inside = seconds(took(lab))
    with walls.down(lab, NODE):
        bare = seconds(took(lab))
    print(f"inside {sorted(inside)}, bare {sorted(bare)}")
    assert statistics.median(inside) < statistics.median(bare) + MORE, \
        (inside, bare)
