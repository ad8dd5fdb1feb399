# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster of volunteers is set up on a site that works, under systemd

The site is Debian with its own units; what is done to it is what
slurm-volunteer-cluster(7) says, word for word.
"""
import base64

import pytest

from plain import FINAL, SITE, Bed

UNITS = ("slurm-volunteer-munge", "slurm-volunteer-slurmctld",
         "slurm-volunteer-controller")
SETUP = r"""
set -e
mkdir -p /etc/slurm-volunteer/clusters
cp -r /usr/share/slurm-volunteer/cluster \
	/etc/slurm-volunteer/clusters/volunteer
cd /etc/slurm-volunteer/clusters/volunteer
sed -i "s/CONTROLLER(ADDRESS)/$(hostname -s)($(hostname -i))/" slurm.conf
runuser -u munge -- mungekey --create --keyfile=/etc/munge/volunteer.key
sed -i '/^\[controller\]/a cluster = volunteer' \
	/etc/slurm-volunteer/controller.conf
sed -i '/^\[controller\]/a approve = all' /etc/slurm-volunteer/controller.conf
mkdir -p /etc/slurm/plugstack.conf.d
cp /usr/share/slurm-volunteer/plugstack/login.conf \
	/etc/slurm/plugstack.conf.d/volunteer.conf
mkdir -p /etc/systemd/system/slurm-volunteer-controller.service.d
cat > /etc/systemd/system/slurm-volunteer-controller.service.d/key.conf <<END
[Service]
LoadCredential=
LoadCredential=volunteer.key:/etc/munge/volunteer.key
END
systemctl daemon-reload
systemctl enable --now slurm-volunteer-munge slurm-volunteer-slurmctld \
	slurm-volunteer-cluster-key.path slurm-volunteer-controller
"""


class Site(Bed):
    """ctl and alice go to the cluster of volunteers, once it is there."""

    there = ""

    def ctl(self, command, **options):
        return self.main(self.there + command, **options)

    def main(self, command, **options):
        return self.run("head", command, **options)


@pytest.fixture(scope="module", name="bed")
def fixture_bed():
    with Site() as bed:
        try:
            bed.boot_head(FINAL, SITE)
            bed.main(SETUP, timeout=60)
            bed.there = "export $(volunteer cluster volunteer) && "
            key = bed.main("base64 -w0 /etc/munge/volunteer.key")
            bed.boot_device("desk", {
                "etc/munge/munge.key": base64.b64decode(key)})
            bed.wait_idle(["desk"])
        except BaseException:
            print(bed.cluster("logs").stdout[-30000:])
            raise
        yield bed


@pytest.fixture
def lab(bed):
    """For conftest.py, which prints its logs when a test fails."""
    return bed


def pids(lab):
    """Main processes of the units of both clusters."""
    out = lab.main("systemctl show -p MainPID --value munge slurmctld "
                   + " ".join(UNITS))
    return dict(zip(("munge", "slurmctld", *UNITS), out.split()))


def both_serve(lab):
    lab.wait("the main cluster serves", lambda: lab.main(
        "cd /campaign/alice && timeout 20 srun hostname",
        user="alice") == "head", 60)
    lab.wait("the volunteers serve", lambda: lab.main(
        "cd /campaign/alice && timeout 20 volunteer cluster volunteer "
        "srun --mem=50 hostname", user="alice") == "desk", 60)


def test_units_are_right(lab):
    units = " ".join(f"{unit}.service" for unit in UNITS)
    done = lab.proc("head", f"systemd-analyze verify --man=no {units}",
                    check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for unit in UNITS:
        assert set(lab.main(f"systemctl show -p ActiveState,NRestarts {unit}")
                   .split()) == {"ActiveState=active", "NRestarts=0"}


def test_both_serve(lab):
    both_serve(lab)
    assert lab.main("cd /campaign/alice && vbatch --cluster volunteer "
                    "--matrix n=1..4 --mem=50 --wait -o 'v-%a' "
                    "--wrap 'hostname'", user="alice").startswith("Submitted")
    assert lab.main("cat /campaign/alice/v-*").split() == ["desk"] * 4


def test_the_second_slurmctld_sees_neither_key_nor_state_of_the_first(lab):
    pid = pids(lab)["slurm-volunteer-slurmctld"]
    for path in ("/run/munge/munge.socket.2", "/etc/munge/munge.key",
                 "/var/lib/slurm/slurmctld"):
        assert lab.main(f"test -e {path} && echo there") == "there"
        assert lab.main(f"test -e /proc/{pid}/root{path} || echo no") == "no"


def test_neither_restarts_with_the_other(lab):
    before = pids(lab)
    lab.main("systemctl restart munge slurmctld", timeout=60)
    after = pids(lab)
    assert {u: after[u] for u in UNITS} == {u: before[u] for u in UNITS}
    both_serve(lab)
    lab.main("systemctl restart slurm-volunteer-munge", timeout=60)
    again = pids(lab)
    for unit in ("munge", "slurmctld"):
        assert again[unit] == after[unit]
    both_serve(lab)


def test_doctor_looks_at_the_cluster_it_is_told(lab):
    done = lab.proc("head", "volunteer cluster volunteer volunteer doctor",
                    check=False)
    assert "problem " not in done.stdout, done.stdout + done.stderr
    assert "problem " in lab.proc("head", "volunteer doctor",
                                  check=False).stdout
