# SPDX-License-Identifier: GPL-2.0-or-later
"""A LAN without DNS: only localhost in every /etc/hosts."""
from conftest import DEVICES
from test_0200_campaign import examples

HOSTS = ["controller", *DEVICES]


def test_campaign_and_srun_without_dns(lab):
    for host in HOSTS:
        # These two are mounts of the engine: overwritten, not replaced.
        lab.run(host, "cp /etc/hosts /tmp/hosts; "
                "cp /etc/resolv.conf /tmp/resolv.conf; "
                "echo '127.0.0.1 localhost' > /etc/hosts; "
                ": > /etc/resolv.conf")
    try:
        assert lab.proc("controller", "getent hosts desk1",
                        check=False).returncode != 0
        # Everything forgets what it looked up before.
        for device in DEVICES:
            lab.kill9(device, "slurmd.* -N desk")
        lab.kill9("controller", "slurmctld")
        lab.wait("slurmctld is back", lambda: lab.ctl(
            "scontrol ping | grep -c UP"), 60)
        lab.wait_idle(DEVICES, 60)
        names = lab.alice("srun -p volunteer -N3 hostname", timeout=60)
        assert sorted(names.split()) == DEVICES
        done = lab.proc(
            "controller", f"cd /campaign/alice && rm -rf nodns && "
            f"{examples(lab)}/campaign --size 600 --tiles 3 nodns",
            user="alice", timeout=120)
        assert "9 of 9 tiles right" in done.stderr
    finally:
        for host in HOSTS:
            lab.run(host, "cat /tmp/hosts > /etc/hosts; "
                    "cat /tmp/resolv.conf > /etc/resolv.conf")
