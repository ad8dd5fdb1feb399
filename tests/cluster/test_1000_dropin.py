# SPDX-License-Identifier: GPL-2.0-or-later
"""Our files go into a Slurm site that works, and out of it again

The site is Debian with its own packages and units and one static node.  The
tests follow one another: installed, used, removed.
"""
import re

import pytest

import behaviour
from plain import INCLUDE, PLAIN, SITE, Bed

PLUGSTACK = "/usr/share/slurm-volunteer/plugstack/login.conf"
DROPIN = "/etc/slurm/plugstack.conf.d/volunteer.conf"
LONG = """
echo start $$ >> long.log
while [ ! -e long.go ]; do sleep 0.2; done
echo end $$ >> long.log
"""


class Site:
    """The site's machines and what was seen before our files came."""

    def __init__(self, bed):
        self.bed = bed
        bed.boot_head(PLAIN, SITE)
        self.before = behaviour.of_partition_old(bed)
        self.config = config(bed)
        self.long, _ = behaviour.batch(bed, "-J long", LONG)
        # Both of these wait in the queue while slurmctld restarts.
        self.after_long, _ = behaviour.batch(
            bed, f"-J after --dependency=afterok:{self.long}",
            "echo after >> long.log")
        bed.wait("the long job runs", lambda: bed.alice("cat long.log"))
        self.files = bed.our_files()
        assert "/usr/sbin/discoveryd" in self.files
        bed.install("head", self.files)
        self.include()

    def include(self):
        """The README's steps for the controller host."""
        bed = self.bed
        bed.ctl(f"sed -i '1i {INCLUDE.strip()}' /etc/slurm/slurm.conf")
        bed.ctl(f"cp {PLUGSTACK} {DROPIN}")
        bed.ctl("volunteer select --enable")
        bed.ctl("systemctl restart slurmctld")
        bed.open_door("head")
        # Restarted, slurmctld gives out no node before it has asked it.
        bed.wait("the old node serves again", lambda: behaviour.srun(
            bed, "hostname") == (0, ["head"], ""), 30)


def config(bed):
    """scontrol show config as a dictionary."""
    out = bed.ctl("scontrol show config")
    return dict(re.findall(r"^(\w+)\s+= (.*)$", out, re.M))


@pytest.fixture(scope="module", name="site")
def fixture_site():
    with Bed() as bed:
        try:
            yield Site(bed)
        except BaseException:
            print(bed.cluster("logs").stdout[-30000:])
            raise


@pytest.fixture
def lab(site):
    """For conftest.py, which prints its logs when a test fails."""
    return site.bed


def test_running_job_goes_on(site, lab):
    started = lab.alice("cat long.log")
    assert re.fullmatch(r"start \d+", started)
    assert behaviour.ended(lab, site.long) is None
    lab.alice("touch long.go")
    for job in (site.long, site.after_long):
        state = lab.wait(f"job {job} ended",
                         lambda job=job: behaviour.ended(lab, job))
        assert state == [("COMPLETED", "0:0")]
    pid = started.split()[1]
    assert lab.alice("cat long.log").splitlines() == [
        started, f"end {pid}", "after"]


def test_old_partition_behaves_as_before(site, lab):
    assert behaviour.of_partition_old(lab) == site.before


def test_configuration_differs_where_it_says_so(site, lab):
    """Each changed setting is one that the packaged file names."""
    named = set(re.findall(
        r"^(\w+)=", lab.ctl("cat /etc/slurm/slurm-volunteer.conf"), re.M))
    now = config(lab)
    changed = {key for key in now if now[key] != site.config.get(key)}
    assert changed - named - {"BOOT_TIME", "NEXT_JOB_ID"} == set()
    # Of the lines that ours replaces, the site had set none.
    assert not lab.proc("head", "sinfo").stderr


def test_both_partitions_run_at_once(lab):
    lab.wait_partition("volunteer", {})
    lab.boot_device("desk")
    lab.wait_idle(["desk"])
    # Each waits for the other: neither can end unless both run.
    body = ("hostname > met.$SLURM_JOB_PARTITION\n"
            "for i in $(seq 300); do\n"
            "\t[ -e met.old ] && [ -e met.volunteer ] && exit 0\n"
            "\tsleep 0.1\ndone\nexit 1")
    jobs = [behaviour.batch(lab, "", body, partition)[0]
            for partition in ("old", "volunteer")]
    for job in jobs:
        assert lab.wait(f"job {job} ended",
                        lambda job=job: behaviour.ended(lab, job)) == [
                            ("COMPLETED", "0:0")]
    assert lab.alice("cat met.old met.volunteer").split() == ["head", "desk"]
    assert behaviour.srun(lab, "-p volunteer hostname")[:2] == (0, ["desk"])


def test_select_plugin_is_used_and_says_so(lab):
    assert lab.ctl("volunteer select --status")
    maps = lab.ctl("cat /proc/$(pgrep -xo slurmctld)/maps")
    assert "select_cons_tres.so.base" in maps


def test_old_partition_with_a_device_around(site, lab):
    assert behaviour.of_partition_old(lab) == site.before


def test_all_of_it_can_be_removed(site, lab):
    lab.run("desk", "systemctl stop slurm-volunteer-device")
    lab.wait("desk has left", lambda: lab.nodes().get("desk") != "idle")
    lab.ctl("systemctl stop slurm-volunteer-controller && "
            f"volunteer select --disable && rm {DROPIN}")
    lab.ctl(f"sed -i '/^{INCLUDE.strip()}$/d' /etc/slurm/slurm.conf")
    lab.ctl("xargs rm -f", stdin="\n".join(site.files))
    lab.ctl("systemctl daemon-reload && systemctl restart slurmctld")
    lab.wait_partition("old", {"head": "idle"})
    assert behaviour.of_partition_old(lab) == site.before
    now = config(lab)
    assert {key for key in now if now[key] != site.config.get(key)} <= {
        "BOOT_TIME", "NEXT_JOB_ID"}
    assert lab.ctl("sinfo -h -N -o %N") == "head"
    # Debian's own files are whole, and where they were.
    assert lab.ctl("dpkg --verify slurmctld slurm-wlm-basic-plugins slurmd "
                   "slurm-client munge; dpkg-divert --list '*select*'") == ""
