# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - one bed for the session, consoles and journals on failure"""
import os
import pathlib

import pytest

from bed import Bed


@pytest.fixture(scope="session")
def session_bed():
    """Two guests, booted once."""
    with Bed() as bed:
        print(f"image {bed.image_s:.1f} s, boots {bed.head.boot_s:.1f} s "
              f"and {bed.desk.boot_s:.1f} s")
        yield bed


@pytest.fixture
def bed(session_bed):
    """The bed in its initial state: the desktop is idle, there is no job."""
    session_bed.configure()
    session_bed.reset()
    return session_bed


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Put what the guests said beside the failure, and into DESKTOP_LOGS."""
    outcome = yield
    report = outcome.get_result()
    bed = item.funcargs.get("session_bed")
    if not report.failed or bed is None:
        return
    try:
        logs = bed.logs()
    except Exception as error:  # the report matters more than the logs
        logs = f"no logs: {error}"
    report.sections.append(("guests", logs[-60000:]))
    folder = os.environ.get("DESKTOP_LOGS")
    if folder:
        path = pathlib.Path(folder) / f"{item.name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(logs, encoding="utf-8")
