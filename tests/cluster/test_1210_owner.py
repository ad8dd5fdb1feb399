# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner comes: everything stands still.  The owner goes: it goes on."""
import concurrent.futures
import random
import re
import time

from conftest import DEVICES
import parked
from parked import present

RESULT = """\
trap '' TERM
for ((i = 1; i <= 60; i++)); do
	sum=$((sum + i * i))
	printf %010d $i 1<> count.$SLURMD_NODENAME.$SLURM_JOB_ID
	sleep 0.05
done
echo $sum > result.$SLURM_JOB_ID
"""
SUM = str(sum(i * i for i in range(1, 61)))


def test_one_key_parks_a_job_and_silence_frees_it(lab):
    job = parked.submit(lab, RESULT, "-w desk1")
    lab.wait("the job counts",
             lambda: parked.count(lab, "desk1", job) > 0, 30)
    parked.owner(lab, "desk1", "touch")
    parked.wait_parked(lab, "desk1", job)
    # Nothing else happens, so after idle_after it runs to its end.
    lab.wait("the job has ended", lambda: parked.state(lab, job) ==
             "COMPLETED", 60)
    assert lab.alice(f"cat result.{job}") == SUM


def test_as_long_as_the_owner_types_nothing_moves(lab):
    job = parked.counter(lab, "desk1")
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        seen = parked.witness(lab, "desk1", job, "sleep 5")
    assert seen["samples"] > 100 and seen["tasks"] >= 1, seen
    assert seen["thawed"] == 0 and seen["usage_us"] == 0, seen
    parked.moves(lab, "desk1", job)


def test_an_owner_elsewhere_disturbs_nobody(lab):
    job = parked.counter(lab, "desk2")
    with present(lab, "desk1"):
        for _ in range(5):
            parked.moves(lab, "desk2", job)


def test_new_steps_of_a_parked_job_wait(lab):
    job = parked.submit(lab, "sleep 100", "-w desk1")
    lab.wait("the job runs", lambda: parked.running_on(lab, job), 30)
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        # srun from outside launches into the allocation at once.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            step = pool.submit(lab.alice, f"srun --jobid={job} --overlap "
                               f"--mem=10 touch outside.{job}", timeout=60)
            lab.wait("a second step", lambda: len(parked.frozen(
                lab, "desk1", job)) >= 2, 20)
            time.sleep(1)
            assert "0" not in parked.frozen(lab, "desk1", job)
            assert lab.alice(f"ls outside.{job} || true") == ""
            parked.owner(lab, "desk1", "away")
            step.result(timeout=60)
    assert lab.alice(f"ls outside.{job}")
    parked.end(lab, job)


RACE = """\
read -r begun _ < /proc/uptime
sleep 0.9
read -r on _ < /proc/uptime
echo $begun $on
"""


def test_input_races_launches(lab):
    """A launch that meets the owner does not run one instruction.

    Each round: two srun's on each device, an input somewhere in the 0.3 s in
    which they start, and keys for two seconds.  What had begun before them is
    stopped in its sleep; a job that says that it began or went on while the
    owner was there has lost.  Half a second is for hosts that are busy."""
    rounds, late = 9, 0
    launch = ("for d in {0}; do for i in 1 2; do srun -p volunteer -w $d "
              "--mem=20 -n 1 bash race > race.$d.$i 2>race.$d.$i.err & "
              "done; done; wait")
    lab.alice("cat > race", stdin=RACE)
    for _ in range(rounds):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            jobs = pool.submit(lab.alice, launch.format(" ".join(DEVICES)),
                               timeout=90)
            time.sleep(random.uniform(0, 0.3))
            keys = dict(zip(DEVICES, pool.map(lambda d: lab.run(
                d, "exec 9<>/run/owner-input; cut -d' ' -f1 /proc/uptime; "
                "for i in 1 2 3 4 5 6 7; do printf x >&9; cut -d' ' -f1 "
                "/proc/uptime; sleep 0.3; done"), DEVICES)))
            jobs.result()
        # What began when, and what went wrong if anything did.
        lines = lab.alice("grep . race.*").splitlines()
        said = dict(line.split(":", 1) for line in lines)
        for device in DEVICES:
            first, *_, last = (float(t) for t in keys[device].split()[1:])
            for i in (1, 2):
                # Not a number compares false: it must have said both.
                begun, on = (float(t) for t in said.get(
                    f"race.{device}.{i}", "nan nan").split())
                for at in (begun, on):
                    assert at < first + 0.5 or at >= last, (
                        device, at, first, last, lines)
                late += begun >= last
    assert late >= rounds, "the owner always came too late to meet a launch"


def test_slurmd_restarts_while_jobs_are_parked(lab):
    job = parked.submit(lab, RESULT, "-w desk1")
    lab.wait("the job counts",
             lambda: parked.count(lab, "desk1", job) > 0, 30)
    with present(lab, "desk1"):
        parked.wait_parked(lab, "desk1", job)
        assert lab.kill9("desk1", "slurmd.* -N desk1") == 1
        lab.wait("slurmd is back", lambda: lab.run(
            "desk1", "pgrep -f '[s]lurmd.* -N desk1' || true"), 30)
        parked.stands_still(lab, "desk1", job)
    lab.wait("the job has ended", lambda: parked.state(lab, job) ==
             "COMPLETED", 60)
    assert lab.alice(f"cat result.{job}") == SUM


def test_sinfo_tells_that_the_owner_is_there(lab):
    with present(lab, "desk1"):
        reason = lab.wait("a reason", lambda: parked.drain_reason(
            lab, "desk1"), 30)
        assert re.search(r"owner present since \d\d:\d\d", reason), reason
        assert "desk2" not in lab.ctl("sinfo -h -R -o %N")
        time.sleep(2)
        assert parked.drain_reason(lab, "desk1") == reason
    parked.wait_open(lab, "desk1")
    assert parked.drain_reason(lab, "desk1") == ""


def test_an_admins_drain_outlives_the_owner(lab):
    def hold():
        lab.ctl("scontrol update nodename=desk1 state=drain "
                "reason='new fan'")

    def resume():
        lab.ctl("scontrol update nodename=desk1 state=resume")
        parked.wait_open(lab, "desk1")

    # The admin first.
    hold()
    with present(lab, "desk1"):
        time.sleep(8)  # longer than drain_after
        assert parked.drain_reason(lab, "desk1") == "new fan"
    time.sleep(3)
    assert parked.drain_reason(lab, "desk1") == "new fan"
    resume()
    # The owner first.
    with present(lab, "desk1"):
        lab.wait("a reason", lambda: "owner" in parked.drain_reason(
            lab, "desk1"), 30)
        hold()
        time.sleep(3)
        assert parked.drain_reason(lab, "desk1") == "new fan"
    time.sleep(5)
    assert parked.drain_reason(lab, "desk1") == "new fan"
    resume()
