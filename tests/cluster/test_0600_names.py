# SPDX-License-Identifier: GPL-2.0-or-later
"""Two devices with one host name, and a node table without room."""
import json

from conftest import DEVICES
from extra import extra_device


def forget(lab, node):
    """Take a node that is gone out of Slurm, as an admin would."""
    lab.ctl(f"scontrol update nodename={node} state=down reason=gone; "
            f"scontrol delete nodename={node}; true")


def test_two_devices_with_one_hostname(lab):
    address = lab.address("desk1")
    lab.alice("rm -f twin && sbatch -p volunteer --mem=50 -w desk1 -o twin "
              "--wrap 'for i in $(seq 1 60); do echo $i; sleep 0.2; done'")
    lab.wait("the job runs", lambda: lab.alice("cat twin"), 30)
    with extra_device(lab, "twin", "desk1"):
        lab.wait_idle(["desk1-2"], 60)
        assert lab.node("desk1")["NodeAddr"] == address
        assert lab.node("desk1-2")["NodeAddr"] == lab.address("twin")
        out = lab.alice("srun -p volunteer -w desk1-2 hostname && "
                        "srun -p volunteer --mem=50 -w desk1 --overlap "
                        "hostname", timeout=60)
        # Jobs know their machine by the name that Slurm has for it.
        assert out.split() == ["desk1-2", "desk1"]
        lab.wait_no_jobs(60)
        assert lab.alice("cat twin").split() == \
            [str(i) for i in range(1, 61)]
    forget(lab, "desk1-2")


def test_a_full_node_table_is_reported_on_both_sides(lab):
    fragment = "/etc/slurm/slurm-volunteer.conf"
    # The devices, and the fixed node of the test bed.
    full = len(lab.ctl("sinfo -h -N -o %N | sort -u").split())
    lab.ctl(f"cp {fragment} /tmp/saved && "
            f"sed -i 's/^MaxNodeCount=.*/MaxNodeCount={full}/' {fragment} && "
            "scontrol reconfigure")
    try:
        with extra_device(lab, "surplus", "surplus"):
            def refused():
                status = json.loads(lab.run("surplus",
                                            "volunteer status --json"))
                return "MaxNodeCount" in json.dumps(status)
            lab.wait("the device says why", refused, 60)
            assert "surplus" not in lab.ctl("sinfo -h -N -o %N")
            lab.wait("the controller says why", lambda: "MaxNodeCount" in
                     lab.cluster("logs", "controller").stdout, 30)
            lab.ctl(f"cp /tmp/saved {fragment} && scontrol reconfigure")
            lab.wait_idle(["surplus"], 120)  # it tries again by itself
        forget(lab, "surplus")
    finally:
        lab.ctl(f"cp /tmp/saved {fragment} && scontrol reconfigure")
    lab.wait_idle(DEVICES, 60)


def test_a_device_named_like_a_fixed_node_gets_another_name(lab):
    with extra_device(lab, "impostor", "controller"):
        lab.wait_idle(["controller-2"], 60)
        state = lab.ctl("sinfo -h -N -n controller -o %T").split()[0]
        assert state in ("idle", "mixed", "allocated")
        assert lab.node("controller")["NodeAddr"] != \
            lab.address("impostor")
    forget(lab, "controller-2")
