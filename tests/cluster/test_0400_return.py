# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices come back changed: another address, less memory, other name."""
import json
import time

from conftest import DEVICES


def move(lab, name, address):
    """Give a container another address in the lab's network."""
    network, container = lab.network(), lab.container(name)
    lab.host("docker", "network", "disconnect", network, container)
    lab.host("docker", "network", "connect", "--ip", address, network,
             container)


def free_address(lab, last):
    return lab.address("controller").rsplit(".", 1)[0] + f".{last}"


def test_killed_and_back_with_other_address_and_half_the_memory(lab):
    before = lab.node("desk3")
    old_address = lab.address("desk3")
    half = int(before["RealMemory"]) // 2
    container = lab.container("desk3")
    lab.run("desk3", "cp /etc/slurm-volunteer/device.conf /tmp/saved && "
            f"printf '[share]\\nmemory = {half}M\\n' "
            ">> /etc/slurm-volunteer/device.conf")
    lab.host("docker", "kill", container)
    move(lab, "desk3", free_address(lab, 201))
    try:
        lab.host("docker", "start", container)
        start = time.monotonic()

        def usable():
            node = lab.node("desk3")
            return (node["NodeAddr"].endswith(".201") and
                    abs(int(node["RealMemory"]) - half) <= 1 and
                    node["State"].startswith("IDLE") and
                    "DRAIN" not in node["State"] and
                    "*" not in node["State"])
        lab.wait("desk3 is usable with its new figures", usable, 60)
        took = time.monotonic() - start
        out = lab.alice("srun -p volunteer -w desk3 hostname", timeout=30)
        assert out == "desk3"
        # Includes the start of the container with all its daemons.
        assert took <= 10, f"{took:.1f} s"
    finally:
        lab.run("desk3", "cp /tmp/saved /etc/slurm-volunteer/device.conf")
        lab.host("docker", "kill", container)
        move(lab, "desk3", old_address)
        lab.host("docker", "start", container)
    lab.wait("desk3 has its memory again", lambda: lab.node("desk3")
             ["RealMemory"] == before["RealMemory"], 60)


def test_address_changes_while_a_job_runs(lab):
    old_address = lab.address("desk2")
    lab.alice("rm -f tick && sbatch -p volunteer --mem=50 -w desk2 -o tick --wrap "
              "'for i in $(seq 1 40); do echo $i; sleep 0.5; done'")
    lab.wait("the job runs", lambda: lab.alice("cat tick"), 30)
    job = lab.jobs()[0]
    move(lab, "desk2", free_address(lab, 202))
    start = time.monotonic()
    try:
        lab.wait("Slurm knows the new address", lambda: lab.node("desk2")
                 ["NodeAddr"].endswith(".202"), 30)
        # Reachable: a step of another job runs there beside the first.
        out = lab.alice("srun -p volunteer --mem=50 -w desk2 --immediate=10 hostname",
                        timeout=30)
        assert out == "desk2"
        assert time.monotonic() - start <= 10
        lab.wait_no_jobs(60)
        assert lab.alice("cat tick").split() == \
            [str(i) for i in range(1, 41)]
        assert "Restarts=0" in lab.ctl(f"scontrol show job {job}")
        assert "JobState=COMPLETED" in lab.ctl(f"scontrol show job {job}")
    finally:
        move(lab, "desk2", old_address)
    lab.wait("desk2 is back", lambda: lab.node("desk2")["NodeAddr"] ==
             old_address, 30)


def test_a_device_that_vanishes_gives_its_job_back(lab):
    """The plug is pulled: the node is down within the lease, the job is
    queued again, and the device is a node again when it returns."""
    container = lab.container("desk1")
    lab.alice("sbatch -p volunteer --mem=50 -w desk1 -o /dev/null --requeue "
              "--wrap 'sleep 600'")
    lab.wait("the job runs", lambda: lab.jobs("-t R"), 30)
    lab.host("docker", "kill", container)
    try:
        lab.wait("the job is pending again", lambda: lab.jobs("-t PD"), 60)
        lab.wait("a reason", lambda: "volunteer: " in lab.ctl(
            "sinfo -h -R -n desk1 -o %E"), 10)
        row = next(r for r in json.loads(lab.ctl("volunteer devices --json"))
                   if r["node"] == "desk1")
        assert row["linked"] is False
    finally:
        lab.ctl("scancel -t PD; true")
        lab.host("docker", "start", container)
    lab.wait_idle(DEVICES, 60)


def test_a_device_that_leaves_says_so(lab):
    """docker stop is a shutdown: the node goes down at once with a reason."""
    container = lab.container("desk1")
    lab.host("docker", "stop", container, timeout=60)
    try:
        reason = lab.wait("a reason", lambda: lab.ctl(
            "sinfo -h -R -n desk1 -o %E"), 5)
        assert reason.startswith("volunteer: "), reason
    finally:
        lab.host("docker", "start", container)
    lab.wait_idle(DEVICES, 60)


def test_an_admins_drain_is_never_lifted(lab):
    lab.ctl("scontrol update nodename=desk1 state=drain reason='new disk'")
    container = lab.container("desk1")
    try:
        lab.host("docker", "restart", container, timeout=60)
        lab.wait("desk1 is linked again", lambda: any(
            r["node"] == "desk1" and r["linked"] for r in
            json.loads(lab.ctl("volunteer devices --json"))), 60)
        time.sleep(5)  # long enough for a wrong resume
        assert lab.nodes()["desk1"].startswith("drain")
        assert lab.ctl("sinfo -h -R -n desk1 -o %E") == "new disk"
    finally:
        lab.ctl("scontrol update nodename=desk1 state=resume")
