# SPDX-License-Identifier: GPL-2.0-or-later
"""The broker of a batch job's steps, called as no srun would call it.

intruder.c makes the calls, in a job: each has to be refused or cut off, and
steps start as before when all of them were made."""
import parked

NODE = "desk1"
PROGRAM = "/campaign/alice/intruder"
SCRIPT = """srun -n1 echo before; touch ready
while [ ! -e go ]; do sleep 0.1; done
{program} {other}
srun -n1 echo after; touch made; sleep 600
"""
# As many are served at once.
SESSIONS = 128


def brokers(lab, job):
    """The broker of a job, oldest, and its sessions."""
    return lab.run(NODE, f"pgrep -f '^slurm-volunteer-steps {job} ' || true"
                   ).split()


def used(lab, pid):
    """Descriptors and memory (kB)."""
    return (int(lab.run(NODE, f"ls /proc/{pid}/fd | wc -l")),
            int(lab.run(NODE, f"awk '/VmRSS/ {{ print $2 }}' "
                        f"/proc/{pid}/status")))


def there(lab, name):
    return lab.alice(f"ls {name} 2> /dev/null || true") == name


def call_all(lab, job):
    """The lines that the job wrote, how many processes its broker had at most,
    and what the broker itself used before and after."""
    lab.wait("its first step", lambda: there(lab, "ready"), 60)
    broker, most = brokers(lab, job)[0], 0
    before = used(lab, broker)
    lab.alice("touch go")

    def over():
        nonlocal most
        most = max(most, len(brokers(lab, job)))
        return there(lab, "made")
    lab.wait("all calls are made", over, 180)
    lab.wait("none is left", lambda: brokers(lab, job) == [broker], 30)
    return lab.alice("cat calls").splitlines(), most, before, used(lab, broker)


def test_calls_of_no_srun_are_refused(lab):
    lab.host("docker", "cp", parked.native_program("intruder"),
             f"{lab.container('controller')}:{PROGRAM}")
    lab.ctl(f"chmod 755 {PROGRAM}")
    other = parked.submit(lab, "sleep 600", f"-w {NODE} --mem=20")
    job = parked.submit(lab, SCRIPT.format(program=PROGRAM, other=other),
                        f"-w {NODE} --mem=300 -o calls")
    try:
        said, most, before, after = call_all(lab, job)
        assert said[0] == "before" and said[-1] == "after", said
        answers = dict(line.split(": ", 1) for line in said[1:-1])
        assert len(answers) >= 20, said
        assert not {"status", "silence"} & set(answers.values()), said
        assert answers["another job"] == \
            f"--jobid: only steps of this job, {job}"
        # A crowd waits for its turn, and leaves nothing behind.
        assert SESSIONS / 2 < most <= SESSIONS + 1, most
        assert after[0] == before[0] and after[1] < before[1] + 1024
        assert parked.state(lab, other) == "RUNNING"
    finally:
        lab.alice(f"scancel {job} {other}; "
                  f"rm -f ready go made calls {PROGRAM}")
        lab.wait_no_jobs()
