# SPDX-License-Identifier: GPL-2.0-or-later
"""reaction.py - from a key press to the last frozen task, in milliseconds

The clock starts with the time that the guest's kernel gave the input event and
stops when cgroup.events of all tasks say so; observer.c watches, discoveryd
acts.
"""
import random
import time

from bed import Bed
from guest import Failed, wait

# One task forks without end, the others compute.
FORKS = """\
mkdir -p /campaign/$SLURM_JOB_ID
echo 1 > /campaign/$SLURM_JOB_ID/ticks
while :; do (:); done
"""
# srun and its threads have to stop as well, so that a task alone has none.
ALONE = f"#!/bin/bash\n{FORKS}"
BUSY = f"""\
#!/bin/bash
exec srun -n {{processes}} --overcommit bash -c '
if [ $SLURM_PROCID = 0 ]; then
	{FORKS}
else
	while :; do :; done
fi'
"""


# Seconds; people do not come in the moment in which the machine opens, when
# the daemons are still telling of that.
REST = (0.2, 0.6)


def presses(bed, count, processes):
    """Milliseconds of each press while that many processes run."""
    body = ALONE if processes == 1 else BUSY.format(processes=processes)
    job = bed.submit(body, "-w desk --overcommit")
    try:
        bed.running(job)
        folders = wait("all tasks", lambda: ready(bed, job, processes), 60)
        bed.desk.spawn(f"exec observer reaction {count} {' '.join(folders)}"
                       " > /dev/virtio-ports/events", "/tmp/observer")
        return list(measured(bed, count))
    finally:
        bed.head.run(f"scancel {job}")
        wait("no job", lambda: not bed.head.run("squeue -h").strip(), 60)


def ready(bed, job, processes):
    """The folders of the batch script and of the step's tasks, once all are
    there."""
    folders = bed.tasks(job)
    return len(folders) == processes + (processes > 1) and folders


def measured(bed, count):
    """Press when the observer is ready; yield what it saw."""
    while count > 0:
        line = bed.desk.event(60)
        if line is None or line.startswith("late"):
            raise Failed(f"observer: {line}, "
                         + bed.desk.run("cat /tmp/observer"))
        if line == "ready":
            time.sleep(random.uniform(*REST))
            bed.desk.key()
        elif line.startswith("frozen "):
            count -= 1
            yield float(line.split()[1])


def measure(count, processes):
    """Boot a bed; for each number of processes (number, [milliseconds])."""
    with Bed() as bed:
        bed.configure(idle_after="1s")
        for number in processes:
            bed.reset()
            yield number, presses(bed, count, number)
