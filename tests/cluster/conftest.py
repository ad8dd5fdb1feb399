# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - one lab for the session, every daemon's log on failure"""
import os
import sys

import pytest

from lab import Lab
from partition import Partition

DEVICES = ["desk1", "desk2", "desk3"]


@pytest.fixture(scope="session")
def session_lab():
    """A controller and three devices; gone after the last test unless
    KEEP_LAB is set."""
    lab = Lab(os.environ.get("VOLTEST_PROJECT", "voltest"),
              os.environ.get("VOLTEST_SUBNET", "10.213.77"))
    lab.cluster("down", timeout=120)
    try:
        # From nothing this builds the image: minutes, not seconds.
        lab.cluster("up", "--devices", str(len(DEVICES)), timeout=1500)
        lab.wait_idle(DEVICES, timeout=120)
    except BaseException:
        print(lab.story())
        if not os.environ.get("KEEP_LAB"):
            lab.cluster("down", check=False)
        raise
    yield lab
    if not os.environ.get("KEEP_LAB"):
        lab.cluster("down", timeout=120)


@pytest.fixture(scope="session")
def partition(session_lab):
    """A lab beside, in which a device with a job has been cut off; see
    test_1200_cut.py and test_1400_fence.py."""
    subnet = os.environ.get("VOLTEST_SUBNET2", "10.213.78")
    cut = Partition(f"{session_lab.project}2", subnet)
    try:
        cut.up()
        cut.begin()
        yield cut
    finally:
        if not os.environ.get("KEEP_LAB"):
            cut.down()


@pytest.fixture
def lab(session_lab):
    """The lab in its initial state: three idle devices and no jobs."""
    lab = session_lab
    yield lab
    for device in DEVICES:
        lab.cluster("owner", device, "away")
        lab.run(device, "volunteer resume", check=False)
    lab.ctl("scancel --state=PENDING; scancel --state=RUNNING; "
            "scancel --state=SUSPENDED; true")
    lab.wait_no_jobs()
    lab.wait_idle(DEVICES, timeout=60)


def lab_of(item):
    """The lab that a test is about, None if there is none.

    The tests of test_1710_escape.py look at one field, hundreds of them: the
    first that fails says what happened there."""
    if "partition" in item.funcargs:
        return item.funcargs["partition"].lab
    if "field" in item.funcargs:
        field = item.funcargs["field"]
        field.told, told = True, field.told
        return None if told else field.lab
    return item.funcargs.get("lab") or item.funcargs.get("session_lab")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Put the daemons' logs beside the failure."""
    outcome = yield
    report = outcome.get_result()
    lab = lab_of(item) if report.failed else None
    if lab is not None:
        try:
            logs = lab.story()
        except Exception as error:  # the report matters more than the logs
            logs = f"no logs: {error}"
        report.sections.append(("daemon logs", logs))
        sys.stdout.flush()


def pytest_terminal_summary(terminalreporter):
    """What a run leaves unproven is named, with or without -r."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if report.longrepr else ""
        if "not proven here" in reason:
            terminalreporter.write_line(reason.removeprefix("Skipped: "))
    # What a test measured, but has no reason to be strict about.
    for report in terminalreporter.stats.get("passed", []):
        for key, value in report.user_properties:
            if key == "figure" and report.when == "call":
                terminalreporter.write_line(value)
