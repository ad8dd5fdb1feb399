# SPDX-License-Identifier: GPL-2.0-or-later
"""reports.py - what devices reported and what the controller made of it

A device logs a report when it is on its disk, the controller when it has
applied it, and what slurmctld was told of a job when it was told:

    report 7 of 00a1b2c3d4e5f607: parked                        (device)
    report 8 of 00a1b2c3d4e5f607: evict job 17                  (device)
    desk1: report 7 of 00a1b2c3d4e5f607: parked                 (controller)
    job 17: run 0 on desk1 was requeued                         (controller)

Nothing may be lost and the order kept.  Nothing is applied twice, but for this:
a daemon that was killed between doing something and writing that down does it
again in its next life.  Of a state that is harmless, and the log shows it twice;
of an eviction slurmctld is told once all the same, since a run of a job that
was ended is not there any more.
"""
import collections
import re

LINE = re.compile(r"^<\d>(?:(?P<node>[a-z0-9-]+): )?report (?P<seq>\d+) of "
                  r"(?P<stream>[0-9a-f]{16}): (?P<what>.+)$", re.MULTILINE)
TOLD = re.compile(r"^<\d>job (?P<job>\d+): run (?P<run>\d+) on "
                  r"(?P<node>[a-z0-9-]+) was (?P<how>requeued|cancelled)$",
                  re.MULTILINE)
# The first line of each life of a controller.
BEGIN = re.compile(r"^<\d>controller on port ", re.MULTILINE)
LOG = "/var/log/testbed/discoveryd.log"


def made(log):
    """Of a device's log: (stream, number) -> what was reported.  Each life logs
    anew what still waits; what it says of one report must not change."""
    reports = {}
    for m in LINE.finditer(log):
        key = m["stream"], int(m["seq"])
        if m["node"] or m["what"].endswith("can not be read and is left out"):
            continue
        if reports.setdefault(key, m["what"]) != m["what"]:
            raise AssertionError(f"report {key} is both {reports[key]} and "
                                 f"{m['what']}")
    return reports


def applied(log, node):
    """Of the controller's log: lists of (stream, number, what) of a node, one
    for each life of the controller."""
    lives, at = [], [m.start() for m in BEGIN.finditer(log)]
    for begin, end in zip([0] + at, at + [len(log)]):
        lives.append([(m["stream"], int(m["seq"]), m["what"])
                      for m in LINE.finditer(log, begin, end)
                      if m["node"] == node])
    return lives


def told(log):
    """(job, run, node) -> how often slurmctld was told to end that run there."""
    return collections.Counter((int(m["job"]), int(m["run"]), m["node"])
                               for m in TOLD.finditer(log))


def differences(node, device_log, controller_log, earlier=""):
    """What is wrong, as lines of text; [] when all is well.  Earlier is what
    comes before that piece of the controller's log: a device's next life logs
    anew what it had there."""
    wrong, first, highest = [], {}, {}
    reports = made(device_log)
    before = {key[:2] for life in applied(earlier, node) for key in life}
    for life in applied(controller_log, node):
        seen = set()
        for stream, seq, what in life:
            key = stream, seq
            if key in seen:
                wrong.append(f"{node}: {seq} of {stream} applied twice in one "
                             "life of the controller")
            seen.add(key)
            if reports.get(key, what) != what:
                wrong.append(f"{node}: {seq} of {stream} was {reports[key]} and "
                             f"is {what}")
            if key not in first and seq < highest.get(stream, 0):
                wrong.append(f"{node}: {seq} of {stream} applied after "
                             f"{highest[stream]}")
            first.setdefault(key, what)
            highest[stream] = max(seq, highest.get(stream, 0))
    wrong += [f"{node}: {seq} of {stream} ({what}) was never applied"
              for (stream, seq), what in reports.items()
              if (stream, seq) not in first and (stream, seq) not in before]
    # Of what is older than the piece of log at hand, or was applied before the
    # device's daemon died of it, there is no line.
    wrong += [f"{node}: {seq} of {stream} was never made"
              for stream, seq in first if (stream, seq) not in reports and
              any(s == stream and n < seq for s, n in reports) and
              any(s == stream and n > seq for s, n in reports)]
    wrong += [f"run {run} of job {job} on {where} was ended {n} times"
              for (job, run, where), n in told(controller_log).items()
              if n > 1 and where == node]
    return wrong


def lengths(lab, nodes):
    """How long the logs are by now, to look at what comes after that only."""
    return {name: int(lab.run(name, f"stat -c %s {LOG}"))
            for name in ["controller", *nodes]}


def check(lab, nodes, since, timeout=60):
    """Wait until all is applied that was reported since lengths; how many
    reports those are.  Call it while no daemon is being killed."""
    logs, found = {}, []
    earlier = lab.run("controller",
                      f"head -c {since['controller']} {LOG} | grep ' report '",
                      check=False)

    def log_of(name):
        return lab.run(name, f"tail -c +{since[name] + 1} {LOG}")

    def settled():
        for node in nodes:
            logs[node] = log_of(node)
        # Last: it must hold what the devices' logs hold.
        logs["controller"] = log_of("controller")
        found[:] = [line for node in nodes for line in
                    differences(node, logs[node], logs["controller"], earlier)]
        return not found

    try:
        lab.wait("all reports are applied", settled, timeout)
    except AssertionError:
        print("\n".join(found))
        raise
    return sum(len(made(logs[node])) for node in nodes)
