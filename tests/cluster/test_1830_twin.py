# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster of volunteers beside the main one, on the same controller host

What slurm-volunteer-cluster(7) promises: the two have nothing in common but
the host, users reach both, and whoever is root on a device has a key that is
worth nothing on the main cluster.
"""
import os
import re

import pytest

from lab import Failed, Lab

DEVICES = ["desk1", "desk2"]
# Where an attacker keeps what he knows of each cluster; neither is a secret.
MAIN, OWN = "/root/main", "/root/own"


class Twin(Lab):
    """ctl and alice speak to the cluster of volunteers, main to the other."""

    def ctl(self, command, **options):
        return self.main("export $(volunteer cluster volunteer) && "
                         + command, **options)

    def main(self, command, **options):
        return self.run("controller", command, **options)

    def proc_main(self, command, **options):
        return self.proc("controller", command, check=False, **options)


@pytest.fixture(scope="module", name="twin")
def fixture_twin():
    lab = Twin(os.environ.get("VOLTEST_PROJECT", "voltest") + "twin",
               os.environ.get("VOLTEST_SUBNET3", "10.213.81"))
    lab.cluster("down", timeout=120)
    try:
        lab.cluster("up", "--profile", "volunteer-cluster", "--devices",
                    str(len(DEVICES)), timeout=1500)
        lab.wait_idle(DEVICES, 60)
        yield lab
    except BaseException:
        print(lab.story())
        raise
    finally:
        if not os.environ.get("KEEP_LAB"):
            lab.cluster("down", timeout=120, check=False)


@pytest.fixture
def lab(twin):
    """For conftest.py, too, which prints its logs when a test fails."""
    return twin


def campaign(lab, name, n, wait):
    """The lines of the results of a campaign of n squares, once all there."""
    out = f"/campaign/alice/{name}"
    got = lab.wait(f"{n} results of {name}", lambda: (
        lines := lab.main(f"cat {out}-* 2>/dev/null; true").splitlines())
        and len(lines) == n and lines, wait)
    return [line.split() for line in got]


def vbatch(name, n):
    """The command that submits it."""
    return (f"vbatch --cluster volunteer --matrix n=1..{n} --mem=50 "
            f"-o '{name}-%a' --wrap 'echo {{n}} $((n * n)) $(hostname)'")


def test_the_two_have_nothing_in_common(lab):
    names = {}
    for which, run in (("main", lab.main), ("volunteers", lab.ctl)):
        out = run("scontrol show config")
        names[which] = re.search(r"^ClusterName\s+= (\S+)", out, re.M)[1]
        root = re.search(r"^DisableRootJobs\s+= (\S+)", out, re.M)[1]
        assert root.lower() == ("yes" if which == "volunteers" else "no")
    assert names == {"main": lab.project, "volunteers": "volunteer"}
    assert lab.main("sinfo -h -N -o %N").split() == ["controller"]
    assert lab.ctl("sinfo -h -N -o %N").split() == DEVICES
    assert lab.main("volunteer cluster") == "volunteer"
    # discoveryd is that of the devices, whichever cluster asks.
    assert "desk1" in lab.main("volunteer devices")


def test_campaign_from_the_login_node(lab):
    said = lab.main(f"cd /campaign/alice && {vbatch('login', 20)}",
                    user="alice")
    assert re.fullmatch(r"Submitted batch job \d+", said)
    lines = campaign(lab, "login", 20, 40)
    assert {int(n): int(square) for n, square, _ in lines} == {
        n: n * n for n in range(1, 21)}
    assert {host for _, _, host in lines} == set(DEVICES)


def test_campaign_from_a_job_of_the_main_cluster(lab):
    """Its environment says SLURM_ and SBATCH_ of the other cluster."""
    script = ("#!/bin/sh\nexport SBATCH_PARTITION=fixed SBATCH_RESERVATION=x\n"
              f"echo $SLURM_JOB_PARTITION > from; {vbatch('job', 4)}\n")
    lab.main("cd /campaign/alice && sbatch -n2 --mem=50 -t 5", user="alice",
             stdin=script)
    lines = campaign(lab, "job", 4, 30)
    assert {host for _, _, host in lines} <= set(DEVICES)
    assert {int(square) for _, square, _ in lines} == {1, 4, 9, 16}
    assert lab.main("cat /campaign/alice/from") == "fixed"


def test_steps_of_a_batch_script(lab):
    """srun on a device finds the munge that slurm.conf names."""
    lab.alice("sbatch -n2 --mem=50 -o steps --wrap 'srun echo $SLURM_JOB_ID'")
    lab.wait("the steps ran", lambda: len(lab.main(
        "cat /campaign/alice/steps 2>/dev/null; true").split()) == 2, 30)
    assert lab.alice("srun --mem=50 hostname") in DEVICES


def test_plain_sbatch_stays_on_the_main_cluster(lab):
    lab.main("cd /campaign/alice && sbatch --mem=50 -o plain "
             "--wrap 'hostname'", user="alice")
    assert lab.wait("it ran", lambda: lab.main(
        "cat /campaign/alice/plain 2>/dev/null; true"), 30) == "controller"


def test_names_of_no_cluster_are_refused(lab):
    for name, why in (("nosuch", "is not known here"),
                      ("../volunteer", "the name of a cluster")):
        for command in (f"vbatch --cluster {name} --wrap id",
                        f"volunteer cluster {name} sinfo"):
            done = lab.proc_main(command, user="alice")
            assert done.returncode in (1, 2)
            assert why in done.stderr and not done.stdout


def test_root_has_no_jobs_there(lab):
    for submit in ("sbatch --wrap id", "srun id"):
        with pytest.raises(Failed, match="error: "):
            lab.ctl(submit, timeout=30)
    assert not lab.jobs()
    # It is their setting, not Slurm's nature.
    assert lab.main("srun -N1 --mem=50 id -u") == "0"


# What root on a device knows: both clusters' slurm.conf, and Slurm's tools.
def arm(lab, device):
    for folder, conf in ((MAIN, "/etc/slurm/slurm.conf"),
                         (OWN, "/etc/slurm-volunteer/clusters/volunteer/")):
        text = lab.main(f"cat {conf}" if folder == MAIN else
                        f"cd {conf} && sed '/^include/d' slurm.conf && "
                        "sed '/SlurmctldParam/d' slurm-volunteer.conf")
        lab.run(device, f"mkdir -p {folder} && chmod 755 /root {folder} && "
                f"cat > {folder}/slurm.conf && touch {folder}/cgroup.conf",
                stdin=text)


def try_as(lab, device, conf, user, command):
    """One command of the attacker's: status and all that it said."""
    done = lab.proc(device, f"cd / && SLURM_CONF={conf}/slurm.conf timeout 20 "
                    f"{command} 2>&1", user=user, check=False, timeout=60)
    return done.returncode, done.stdout


ATTEMPTS = {
    "look": "sinfo",
    "config": "scontrol show config",
    "queue": "squeue",
    "drain": "scontrol update nodename={node} state=drain reason=mine",
    "partition": "scontrol update partitionname={part} state=drain",
    "delete": "scontrol delete nodename={node}",
    "cancel": "scancel -u alice",
    "reconfigure": "scontrol reconfigure",
    "shutdown": "scontrol shutdown slurmctld",
    "debug": "scontrol setdebug debug5",
    "batch": "sbatch -o /dev/null --wrap id",
    "batch-as-alice": "sbatch --uid=alice -o /dev/null --wrap id",
    "run": "srun -N1 --mem=50 id",
    "run-unallocated": "srun -Z -N1 -w {node} id",
}


def state_of_main(lab):
    """What the attempts would change."""
    out = lab.main("scontrol show node; scontrol show partition; "
                   "scontrol show config | grep -i debug; "
                   "squeue -h -o '%A %T'; pgrep -o -x slurmctld; sinfo -h")
    keep = r"(NodeName|State|Reason|PartitionName|Debug)\S*"
    return [m[0] for m in re.finditer(keep, out)] + out.splitlines()[-2:]


@pytest.mark.parametrize("user", ["root", "slurm", "alice"])
def test_their_key_is_worth_nothing_on_the_main_cluster(lab, user):
    arm(lab, "desk1")
    # Something of alice's to cancel.
    job = lab.main("cd /campaign/alice && sbatch -n1 --mem=50 --parsable "
                   "-o /dev/null --wrap 'sleep 300'", user="alice")
    lab.wait("alice's job runs", lambda: lab.main(
        f"squeue -h -j {job} -o %T") == "RUNNING", 20)
    before = state_of_main(lab)
    got_in = {}
    for name, command in ATTEMPTS.items():
        status, said = try_as(lab, "desk1", MAIN, user, command.format(
            node="controller", part="fixed"))
        if status == 0 or "uid=" in said or "error" not in said:
            got_in[name] = (status, said)
    assert got_in == {}
    assert state_of_main(lab) == before
    assert lab.main(f"squeue -h -j {job} -o %T") == "RUNNING"
    lab.main(f"scancel {job}")


def test_their_key_is_worth_much_on_their_own(lab):
    """The same by the same hand: the attempts are well-formed, and what
    SECURITY.md says of devices among each other is true."""
    arm(lab, "desk1")
    for name in ("look", "config", "queue", "drain"):
        status, said = try_as(lab, "desk1", OWN, "root",
                              ATTEMPTS[name].format(node="desk2", part=""))
        assert status == 0, (name, said)
    assert "+DRAIN" in lab.node("desk2")["State"]
    lab.run("desk1", f"SLURM_CONF={OWN}/slurm.conf scontrol update "
            "nodename=desk2 state=resume")
    # But not to run as root, which DisableRootJobs forbids to all.
    status, said = try_as(lab, "desk1", OWN, "root", ATTEMPTS["batch"])
    assert status != 0 and "error" in said
    status, said = try_as(lab, "desk1", OWN, "alice",
                          "srun -N1 --mem=50 -w desk2 hostname")
    assert (status, said.splitlines()[-1]) == (0, "desk2")
    lab.wait_idle(DEVICES, 30)


def find_key(lab, device, key):
    """Files of a device that hold a piece of a key: one that grep takes for
    one line."""
    piece = max(re.split(b"[\0\n]", bytes.fromhex(key)), key=len)[:16]
    middle = "".join(f"\\x{byte:02x}" for byte in piece)
    return lab.run(device, f"LC_ALL=C grep -rlaP --devices=skip '{middle}' "
                   "/etc /run /var /tmp /root /campaign /usr/lib/slurm* "
                   "2>/dev/null; true").split()


def test_the_main_key_is_nowhere_on_a_device(lab):
    keys = {name: lab.main(f"od -An -v -tx1 {path} | tr -d ' \\n'") for
            name, path in (("main", "/etc/munge/munge.key"),
                           ("theirs", "/etc/munge/volunteer.key"))}
    assert len(keys["main"]) == len(keys["theirs"]) == 2048
    assert keys["main"] != keys["theirs"]
    for device in DEVICES:
        assert find_key(lab, device, keys["main"]) == []
        # The search finds what there is.
        assert "/etc/munge/munge.key" in find_key(lab, device, keys["theirs"])


def digests(lab):
    """What discoveryd calls the two keys."""
    return {name: lab.main(f"sha256sum < /etc/munge/{name}.key")[:16]
            for name in ("munge", "volunteer")}


def test_their_own_key_is_handed_out_and_replaced(lab):
    before = digests(lab)
    said = lab.cluster("logs", "controller").stdout
    assert f"key {before['volunteer']} is handed out" in said
    assert before["munge"] not in said
    for device in DEVICES:
        lab.main(f"volunteer approve {device}")
    lab.main("volunteer rotate-key", timeout=120)
    after = digests(lab)
    assert after["munge"] == before["munge"]
    assert after["volunteer"] != before["volunteer"]
    for device in DEVICES:
        assert lab.run(device, "sha256sum < /etc/munge/munge.key").startswith(
            after["volunteer"])
    lab.wait_idle(DEVICES, 40)
    assert lab.alice("srun --mem=50 hostname") in DEVICES
    assert lab.main("srun -N1 --mem=50 hostname", user="alice") == "controller"


def test_neither_munge_knows_the_others_word(lab):
    ours = lab.main("munge -n")
    theirs = lab.run("desk1", "munge -n")
    assert "Invalid credential" in lab.proc(
        "desk1", "unmunge", stdin=ours, check=False).stderr
    assert "Invalid credential" in lab.proc_main("unmunge",
                                                 stdin=theirs).stderr
    assert "Success" in lab.main(
        "unmunge --socket=/run/slurm-volunteer/munge/munge.socket.2",
        stdin=theirs)


def test_a_device_that_is_called_like_a_node_of_the_main_cluster(lab):
    """Both slurmctlds have the select plugin, one table of devices is there."""
    # The last job may still be completing there.
    lab.wait("it is renamed", lambda: lab.proc_main(
        "volunteer rename desk2 controller").returncode == 0, 60)
    lab.wait_idle(["controller"], 40)
    lab.cluster("owner", "desk2", "present")
    lab.wait("the table says that its owner is there", lambda: re.search(
        r"^controller .* (closed|parked) ", lab.main("volunteer devices"), re.M))
    # Of the main cluster's node nobody is the owner.
    assert lab.main("timeout 20 srun -N1 --mem=50 hostname",
                    user="alice") == "controller"
    lab.cluster("owner", "desk2", "away")
    # Once discoveryd has heard that there is no node of that name any more.
    lab.wait("it has its name again", lambda: not lab.proc_main(
        "volunteer rename controller desk2").returncode, 30)
    lab.wait_idle(DEVICES, 40)


def test_munges_and_slurmctlds_restart_apart(lab):
    """Neither takes the other's place, whichever is away."""
    lab.main("pkill -KILL -x munged; pkill -KILL -x slurmctld; true")
    lab.wait("the main cluster is back", lambda: lab.main(
        "timeout 10 srun -N1 --mem=50 hostname", user="alice") == "controller",
             60)
    lab.wait_idle(DEVICES, 60)
    assert lab.alice("srun --mem=50 hostname") in DEVICES


def test_down_leaves_nothing(lab):
    if os.environ.get("KEEP_LAB"):
        pytest.skip("KEEP_LAB")
    lab.cluster("down", timeout=120)
    label = f"label=com.docker.compose.project={lab.project}"
    for listing in (("ps", "-aq"), ("network", "ls", "-q"),
                    ("volume", "ls", "-q")):
        assert lab.host("docker", *listing, "--filter", label).stdout == ""
    found = lab.host("find", "/sys/fs/cgroup", "-maxdepth", "6", "-name",
                     f"testbed.{lab.project}.*", check=False)
    assert found.stdout == ""
    state = lab.env.get("XDG_STATE_HOME") or os.path.join(
        lab.env.get("HOME", "/root"), ".local/state")
    assert not os.path.exists(f"{state}/slurm-volunteer/{lab.project}")
