# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - what failed before it passed is told of all the same"""


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"REPEATED {report.nodeid}", "_")
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.write_line(f"-- {title}\n{text}")
