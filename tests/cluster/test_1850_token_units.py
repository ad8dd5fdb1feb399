# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian machine with our files and nothing else joins by a token

Under systemd, whose units put keys in their place on both ends.  Its munge has
a key of its own, as "apt-get install munge" makes one.
"""
import os
import time

import pytest

from plain import FINAL, INCLUDE, SITE, Bed

KEY = "/etc/munge/munge.key"
CONF = ("find /etc/slurm-volunteer /etc/slurm -type f | sort "
        "| xargs -r sha256sum")


@pytest.fixture(scope="module", name="bed")
def fixture_bed():
    with Bed() as bed:
        try:
            bed.boot_head(FINAL, INCLUDE + SITE)
            bed.ctl("systemctl daemon-reload && "
                    "systemctl start slurm-volunteer-controller")
            bed.boot_device("desk", {KEY.lstrip("/"): os.urandom(1024)},
                            trust="")
        except BaseException:
            print(bed.cluster("logs").stdout[-30000:])
            raise
        yield bed


@pytest.fixture
def lab(bed):
    """For conftest.py, which prints its logs when a test fails."""
    return bed


def key_of(lab, name, suffix=""):
    return lab.run(name, f"sha256sum < {KEY}{suffix}")


def runs_everywhere(lab):
    """Each key is the same, or one of these fails."""
    for partition, name in (("volunteer", "desk"), ("old", "head")):
        assert lab.run("head", "cd /campaign/alice && timeout 60 srun "
                       f"-p {partition} --mem=50 hostname", user="alice",
                       timeout=90) == name


def test_a_token_is_all(lab, record_property):
    own, conf = key_of(lab, "desk"), lab.run("desk", CONF)
    assert own != key_of(lab, "head")
    token = lab.ctl("volunteer token")
    began = time.monotonic()
    lab.run("desk", "volunteer join -", stdin=token + "\n")
    lab.wait_idle(["desk"])
    took = time.monotonic() - began
    record_property("figure", f"under systemd, token -> join -> idle: "
                    f"{took:.1f} s")
    # Five are promised.
    assert took < 50
    assert key_of(lab, "desk") == key_of(lab, "head")
    assert key_of(lab, "desk", ".old") == own
    assert lab.run("desk", CONF) == conf
    runs_everywhere(lab)


def test_the_key_is_replaced(lab):
    before = key_of(lab, "head")
    print(lab.ctl("volunteer rotate-key", timeout=120))
    assert key_of(lab, "head") != before
    assert key_of(lab, "desk") == key_of(lab, "head")
    assert lab.run("head", f"stat -c '%a %U' {KEY}") == "400 munge"
    assert lab.ctl("systemctl show -p Result --value "
                   "slurm-volunteer-auth-key.service") == "success"
    lab.wait_idle(["desk"])
    runs_everywhere(lab)


def test_the_controller_starts_again_with_it(lab):
    """systemd reads the key anew for it."""
    lab.ctl("systemctl restart slurm-volunteer-controller")
    lab.wait_idle(["desk"])
    assert key_of(lab, "desk") == key_of(lab, "head")
    runs_everywhere(lab)
