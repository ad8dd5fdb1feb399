# SPDX-License-Identifier: GPL-2.0-or-later
"""partition.py - two devices, one of which is cut off while it runs a job

The cut is a switch that fails: the link stays up, all packets are lost.
Both copies of the job write down when they run, by one clock: all containers
share a kernel.
"""
import time

from lab import Lab

CUT_S = 180
TICKS = "/campaign/alice/ticks"

JOB = f"""\
trap '' TERM
while :; do
	read now rest < /proc/uptime
	echo $now >> {TICKS}.$SLURMD_NODENAME.$SLURM_JOB_ID
	sleep 0.02
done
"""


class Partition:
    """A lab of its own: begin() takes seconds, and minutes later end()."""

    def __init__(self, project, subnet):
        self.lab = Lab(project, subnet)
        self.job = self.node = self.veth = self.bridge = None
        self.cut_at = self.healed_at = None

    def up(self):
        self.lab.cluster("down", timeout=120)
        self.lab.cluster("up", "--devices", "2", timeout=1500)
        self.lab.wait_idle(["desk1", "desk2"], 60)

    def down(self):
        if self.cut_at and not self.healed_at:
            self.heal()
        self.lab.cluster("down", timeout=120, check=False)

    # -- the wire --------------------------------------------------------

    def find_wire(self):
        """The host's end of the device's cable, and the switch."""
        index = self.lab.run(self.node, "cat /sys/class/net/eth0/iflink")
        links = self.lab.host("ip", "-o", "link").stdout.splitlines()
        line = next(x for x in links if x.startswith(f"{index}: "))
        words = line.split()
        self.veth = words[1].split("@")[0]
        self.bridge = words[words.index("master") + 1]

    def cut(self):
        self.lab.host("ip", "link", "set", self.veth, "nomaster")
        self.cut_at = self.uptime()

    def heal(self):
        self.lab.host("ip", "link", "set", self.veth, "master", self.bridge)
        self.healed_at = self.uptime()

    @staticmethod
    def uptime():
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    # -- the job ---------------------------------------------------------

    def begin(self):
        """Start the job and cut its device off."""
        lab = self.lab
        self.job = lab.proc(
            "controller", "cd /campaign/alice && sbatch --parsable "
            "-p volunteer --mem=50 -o /dev/null", user="alice",
            stdin=f"#!/bin/bash\n{JOB}").stdout.strip()
        self.node = lab.wait("the job runs", lambda: lab.ctl(
            f"squeue -h -j {self.job} -t R -o %N"), 30)
        lab.wait("it ticks", lambda: len(self.ticks(self.node)) > 10, 30)
        self.find_wire()
        self.cut()

    def ticks(self, node):
        """When the copy on that node ran."""
        return [float(line) for line in self.lab.run(
            node, f"cat {TICKS}.{node}.{self.job} 2>/dev/null || true").split()]

    def end(self):
        """Let the cut have its time, heal it, and wait for calm."""
        time.sleep(max(0, self.cut_at + CUT_S - self.uptime()))
        self.heal()
        self.lab.wait(f"{self.node} is back", lambda: self.lab.nodes().get(
            self.node) == "idle", 60)
        time.sleep(5)
