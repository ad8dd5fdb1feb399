# SPDX-License-Identifier: GPL-2.0-or-later
"""What devices report is applied once each and in order."""
import os

import parked
import reports

# Each is four changes of state; 500 make the 2 000 that were looked at once.
ROUNDS = int(os.environ.get("VOLTEST_ROUNDS", "15"))

STREAM = "00a1b2c3d4e5f607"
BEGIN = "<6>controller on port 6830, enrol = open, 3 devices known"
TOLD = "<6>job 17: run 0 on desk1 was requeued"


def device(*whats, begin=1):
    return "\n".join(f"<6>report {n} of {STREAM}: {what}"
                     for n, what in enumerate(whats, begin))


def controller(*numbers, whats):
    """The log of a controller that applied these; 0 is a restart."""
    return "\n".join(f"<6>desk1: report {n} of {STREAM}: {whats[n - 1]}"
                     if n else BEGIN for n in numbers)


def test_the_checker_sees_what_is_wrong():
    whats = ["parked", "evict job 17", "open"]
    log = device(*whats)

    def wrong(*numbers, more=""):
        text = controller(*numbers, whats=whats) + "\n" + more
        return reports.differences("desk1", log, text)

    assert wrong(0, 1, 2, 3, more=TOLD) == []
    # Killed before it was written down; once more in the next life.
    assert wrong(0, 1, 2, 0, 2, 3, more=TOLD) == []
    assert "3 of" in wrong(0, 1, 2)[0] and "never applied" in wrong(0, 1, 2)[0]
    assert "applied twice" in wrong(0, 1, 2, 2, 3)[0]
    assert "applied after 3" in wrong(0, 1, 3, 2)[0]
    assert "2 times" in wrong(0, 1, 2, 3, more=f"{TOLD}\n{TOLD}")[0]
    assert reports.differences("desk2", "", controller(1, whats=whats)) == []
    other = controller(0, 1, 2, 3, whats=["parked", "evict job 18", "open"])
    assert "is evict job 18" in reports.differences("desk1", log, other)[0]
    # What was applied was made, as far as the device's log reaches.
    text = controller(0, 1, 2, 3, whats=whats)
    assert reports.differences("desk1", device(*whats[1:], begin=2), text) == []
    # Applied before, and logged anew by a later life of the device.
    assert reports.differences("desk1", log, "", text) == []
    holes = log.splitlines()
    assert "never made" in reports.differences(
        "desk1", "\n".join(holes[::2]), text)[0]
    # Logged by each life that still has it.
    assert reports.made(log + "\n" + log) == reports.made(log)
    assert len(reports.made(log)) == 3


def test_reports_survive_kills_of_both_ends(lab):
    """An owner who can not make up their mind, while daemons are killed."""
    nodes = ["desk1", "desk2"]
    for node in nodes:
        parked.wait_open(lab, node)
    since = reports.lengths(lab, nodes)
    for i in range(ROUNDS):
        for node in nodes:
            # A daemon that was just killed does not answer yet.
            lab.run(node, "volunteer pause 1h", check=False)
            lab.run(node, "volunteer resume", check=False)
        victim = ("controller", *nodes)[i % 3]
        lab.kill9(victim, "discoveryd.*" + (
            victim if victim == "controller" else "device"))
    for node in nodes:
        lab.wait(f"{node} obeys", lambda n=node: lab.proc(
            n, "volunteer resume", check=False).returncode == 0, 60)
    assert reports.check(lab, nodes, since) >= ROUNDS
    for node in nodes:
        parked.wait_open(lab, node)
