# SPDX-License-Identifier: GPL-2.0-or-later
"""Beginning of test_1400_fence.py, which needs minutes that others use."""


def test_a_device_with_a_job_is_cut_off(partition):
    assert partition.job in partition.lab.jobs()
    assert partition.lab.run(partition.node, "cat /sys/class/net/eth0/carrier"
                             ) == "1"
