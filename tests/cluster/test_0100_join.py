# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that nobody typed in are nodes with their own figures."""
import json
import re

from conftest import DEVICES


def test_devices_are_idle_nodes_of_the_partition(lab):
    assert set(DEVICES) <= set(lab.nodes())
    assert "NodeName=desk" not in lab.ctl("cat /etc/slurm/*.conf")


def test_figures_are_the_machines_own(lab):
    cpus = int(lab.run("desk1", "nproc"))
    memory_mb = int(lab.run(
        "desk1", "awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))
    node = lab.node("desk1")
    assert int(node["CPUTot"]) == cpus
    # The owner keeps a part of the memory, but not most of it.
    assert memory_mb // 2 <= int(node["RealMemory"]) <= memory_mb
    assert "volunteer" in node["AvailableFeatures"].split(",")
    assert "DYNAMIC_NORM" in lab.ctl("scontrol show node desk1")
    assert node["NodeAddr"] == lab.address("desk1")


def test_jobs_run_on_every_device(lab):
    names = lab.alice("srun -p volunteer -N3 hostname", timeout=60).split()
    assert sorted(names) == DEVICES


def test_volunteer_devices_lists_them(lab):
    rows = json.loads(lab.ctl("volunteer devices --json"))
    by_node = {row["node"]: row for row in rows}
    assert set(DEVICES) <= set(by_node)
    assert by_node["desk2"]["address"] == lab.address("desk2")
    table = lab.ctl("volunteer devices")
    assert all(re.search(rf"^{d}\s", table, re.M) for d in DEVICES)


def test_volunteer_status_on_the_device(lab):
    status = json.loads(lab.run("desk1", "volunteer status --json"))
    assert status["node"]["name"] == "desk1"
    assert status["node"]["state"] == "up"
    # Or back, where the first slurmd found a process gone that it wanted to
    # move to another cgroup, and gave up.
    assert status["node"]["reason"] in ("registered", "device is back")
    assert status["slurmd"]["state"] == "up"
    assert "desk1" in lab.run("desk1", "volunteer status")
    version = lab.run("desk1", "volunteer version")
    assert re.search(r"\d+\.\d+\.\d+", version)


def test_doctor_finds_nothing_wrong_with_the_packaged_settings(lab):
    done = lab.proc("controller", "volunteer doctor --json", check=False)
    findings = json.loads(done.stdout)
    problems = [f for f in findings if f["verdict"] == "problem"]
    assert problems == [] and done.returncode == 0


def test_doctor_names_a_wrong_setting(lab):
    """A cluster that would lose healthy nodes is found out."""
    fragment = "/etc/slurm/slurm-volunteer.conf"
    lab.ctl(f"cp {fragment} /tmp/saved && "
            f"sed -i 's/^TreeWidth=.*/TreeWidth=16/' {fragment} && "
            "scontrol reconfigure")
    try:
        def told():
            done = lab.proc("controller", "volunteer doctor", check=False)
            return done.returncode == 1 and "TreeWidth=65533" in done.stdout
        lab.wait("doctor says TreeWidth", told, 30)
    finally:
        lab.ctl(f"cp /tmp/saved {fragment} && scontrol reconfigure")
