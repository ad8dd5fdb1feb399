# SPDX-License-Identifier: GPL-2.0-or-later
"""The scheduler sees owners before slurmctld hears of them."""
import contextlib
import json
import os
import statistics
import time

import pytest

from conftest import DEVICES
import parked
import placing
from placing import Shell

# Some two seconds each.
ROUNDS = int(os.environ.get("VOLTEST_ROUNDS", "30"))
# Submit in the moment of the key, for machines that do nothing else; else when
# the controller has heard of it.
AT_ONCE = os.environ.get("VOLTEST_AT_ONCE")

TYPE = "exec 9<>/run/owner-input; printf x >&9; " \
    "{ while printf x >&9; do sleep 0.05; done & } 2>/dev/null; typist=$!"
REST = "kill $typist; wait $typist 2>/dev/null"


@contextlib.contextmanager
def drain_after(lab, value):
    """When slurmctld hears of an owner; and jobs that stay for the test.

    idle_after is longer than the 3 s for which the input sensor, once it has
    seen a key, does not look: below that a machine opens now and then between
    two keys, and a job that waits for it is sent there rightly."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(placing.undrained(lab, value))
        for device in DEVICES:
            stack.enter_context(parked.settings(
                lab, device, idle_after="4s", parked_max="1h",
                interactive_max="1h"))
        lab.wait_idle(DEVICES)
        yield


def wait_other(shell, device):
    """Until another one can take the job: it went through a visit itself."""
    for _ in range(600):
        rows = json.loads(shell("volunteer devices --json"))
        idle = shell("sinfo -h -N -p volunteer -t idle -o %N").split()
        if any(r["harvest"] == "open" and r["node"] in idle
               and r["node"] != device for r in rows):
            return
        time.sleep(0.05)
    raise AssertionError(f"only {device} is open")


def wait_known(shell, device):
    """Until the controller has heard of the owner: seconds that it took.  It is
    a matter of milliseconds, but on a busy machine it may be longer than the
    start of a job."""
    began = time.monotonic()
    while time.monotonic() - began < 10:
        rows = json.loads(shell("volunteer devices --json"))
        if any(r["node"] == device and r["harvest"] != "open" for r in rows):
            return time.monotonic() - began
    raise AssertionError(f"nobody heard of the owner of {device}")


@pytest.mark.parametrize("drained", ["0s", "1h"])
def test_owner_comes_and_a_job_is_submitted_at_once(lab, drained):
    """At the device that the next job would have been sent to.  slurmctld is
    told of the owner at the same time, or not at all."""
    wrong, known = [], []
    with drain_after(lab, drained), contextlib.ExitStack() as stack:
        shells = {device: stack.enter_context(Shell(lab, device))
                  for device in DEVICES}
        alice = stack.enter_context(Shell(lab, "controller", "alice"))
        # One that waits for its owner to leave says in the end where.
        run = "timeout 30 srun -p volunteer --mem=20 -n 1 hostname || " \
            "squeue -h -t all --sort=-i -o 'failed, %T %N %r' | head -n 1"
        alice("cd /campaign/alice")
        device = alice(run)
        for i in range(ROUNDS // 2):
            wait_other(alice, device)
            shells[device](TYPE)
            try:
                if not AT_ONCE:
                    known.append(wait_known(alice, device))
                node = alice(run)
            finally:
                shells[device](REST)
            if node == device or node not in DEVICES:
                wrong.append((i, device, node))
            device = node if node in DEVICES else device
    if known:
        print(f"{ROUNDS // 2} rounds; owners known after "
              f"{statistics.median(known):.3f} s, at most {max(known):.3f} s")
    assert not wrong, f"{len(wrong)} of {ROUNDS // 2}: {wrong[:5]}"
