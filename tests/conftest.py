# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - what all pytest runs have in common"""
import signal


def pytest_configure():
    """Who is told to end takes its machines down, be it that an interrupt is
    ignored, as it is by what runs in the background."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    """What failed before it passed is told of all the same."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"REPEATED {report.nodeid}", "_")
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.write_line(f"-- {title}\n{text}")
