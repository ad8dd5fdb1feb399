# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that the controller may have given up runs nothing."""
LEASE_S = 15  # lost_after of the test bed


def test_a_job_never_runs_on_two_devices_at_once(partition):
    partition.end()
    lab, old = partition.lab, partition.node
    new = "desk2" if old == "desk1" else "desk1"
    first, second = partition.ticks(old), partition.ticks(new)
    assert first and second, (len(first), len(second))
    # Parked at half of the lease, and dead before the other one began.
    assert max(first) < partition.cut_at + LEASE_S
    assert max(first) < min(second)
    # The other one began while the cut lasted, and went on when it was over.
    assert min(second) < partition.healed_at
    assert max(second) > partition.healed_at
    assert lab.ctl(f"squeue -h -j {partition.job} -o '%N %T'") == \
        f"{new} RUNNING"


def test_the_device_says_why(partition):
    log = partition.lab.cluster("logs", partition.node).stdout
    assert "controller" in partition.lab.run(partition.node, "volunteer log")
    assert "cut" in log or "not heard" in log or "lease" in log
