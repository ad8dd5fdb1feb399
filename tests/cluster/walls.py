# SPDX-License-Identifier: GPL-2.0-or-later
"""walls.py - the sandbox of a device, up and down"""
import contextlib
import itertools
import json

import parked

CONF = parked.CONF
FILE = "/run/slurm-volunteer/walls"
_saved = itertools.count()


def told(lab, node):
    """What slurmstepd reads there: key -> value of the single ones."""
    text = lab.run(node, f"cat {FILE}")
    return dict(line.split("=", 1) for line in text.splitlines())


@contextlib.contextmanager
def policy(lab, node, **values):
    """[sandbox] of a device otherwise, for a while, also within another."""
    saved = f"{CONF}.walls.{next(_saved)}"
    lab.run(node, f"cp -p {CONF} {saved}")
    lines = "".join(f"{key} = {value}\\n" for key, value in values.items())
    keys = "|".join(values)
    try:
        lab.run(node, f"grep -q '^.sandbox.$' {CONF} || "
                f"printf '[sandbox]\\n' >> {CONF}; "
                f"sed -i -E '/^({keys}) *=/d; s#^.sandbox.$#&\\n{lines}#' "
                f"{CONF}")
        reload_conf(lab, node)
        yield
    finally:
        lab.run(node, f"mv {saved} {CONF}")
        reload_conf(lab, node)


def reload_conf(lab, node):
    """Until slurmstepd is told what the file says now."""
    lab.run(node, f"touch {FILE}.before; sleep 0.01; pkill -HUP -x discoveryd")
    try:
        lab.wait("the walls are written again", lambda: lab.run(
            node, f"find {FILE} -newer {FILE}.before"), 20)
    finally:
        lab.run(node, f"rm -f {FILE}.before")


@contextlib.contextmanager
def down(lab, node):
    """The owner lets jobs run bare, for a while."""
    with policy(lab, node, sandbox="no"):
        assert told(lab, node)["walls"] == "no"
        yield


def status(lab, node):
    return json.loads(lab.run(node, "volunteer status --json"))


def settled(lab, node):
    """They stand, and slurmd was started for what they name."""
    lab.wait(f"the walls of {node} stand", lambda: status(lab, node)[
        "sandbox"]["stand"] in ("all", "without ids"), 30)
    lab.wait(f"slurmd of {node} sees its image", lambda: sees_image(lab, node),
             30)
    parked.wait_open(lab, node)


def sees_image(lab, node):
    """As slurmd does that runs now, if jobs have one that is mounted."""
    image = told(lab, node)["image"]
    now = status(lab, node)["slurmd"]
    return now["state"] == "up" and (not image or lab.run(
        node, f"grep ' {image} ' /proc/{now['pid']}/mountinfo || true"))


def around_tasks(lab, node):
    """Has a task there namespaces of its own?"""
    task = lab.alice(f"srun -p volunteer -w {node} --mem=20 "
                     "readlink /proc/self/ns/pid")
    assert task.startswith("pid:"), task
    return task != lab.run(node, "readlink /proc/1/ns/pid")
