# SPDX-License-Identifier: GPL-2.0-or-later
"""figures.py - how every benchmark prints its figures"""
import json
import os
import platform
import statistics
import sys


def machine():
    """What the figures were taken on, in one line."""
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (f"{os.cpu_count()} x {model}, {memory / 2**30:.0f} GiB, "
            f"Linux {platform.release()}")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def figure(bench, subject, metric, value, unit, n, **keys):
    """One line of output."""
    print(json.dumps({"bench": bench, "subject": subject, "metric": metric,
                      "value": round(value, 4), "unit": unit, "n": n, **keys,
                      "machine": machine(),
                      # What else the machine did; 1 is one busy CPU.
                      "load": round(os.getloadavg()[0], 1)}), flush=True)


def percentiles(bench, subject, samples, unit, **keys):
    """Median, least and greatest of a list of samples."""
    figure(bench, subject, "p50", statistics.median(samples), unit,
           len(samples), **keys)
    figure(bench, subject, "min", min(samples), unit, len(samples), **keys)
    figure(bench, subject, "max", max(samples), unit, len(samples), **keys)


def quantiles(bench, subject, samples, unit, **keys):
    """Median, tail and worst case of a list of many samples."""
    ordered = sorted(samples)
    for percent in (50, 90, 99):
        # The least sample that so many per cent do not exceed.
        rank = max(0, -(-percent * len(ordered) // 100) - 1)
        figure(bench, subject, f"p{percent}", ordered[rank], unit,
               len(samples), **keys)
    figure(bench, subject, "max", ordered[-1], unit, len(samples), **keys)
