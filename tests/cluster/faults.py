# SPDX-License-Identifier: GPL-2.0-or-later
"""faults.py - what can go wrong while a job is moved, at a moment of its own

A fault is begun before the owner comes, lies in wait, strikes once, and says
whether it did.
"""
import contextlib
import hashlib
import random
import re
import threading
import time

import migrating

PROGRAMS = "/usr/libexec/slurm-volunteer/slurm-volunteer"
STORE = "/var/lib/slurm-volunteer/controller/checkpoints"
SAVE = f"^{PROGRAMS}-image .* save "
LOAD = f"^{PROGRAMS}-image .* load "
DUMP = "^criu dump "
RESTORE = "^criu restore "
SERVE = f"^{PROGRAMS}-checkpoint serve"
DISCOVERYD = "^[^ ]*discoveryd( |$)"
SLURMD = "^[^ ]*slurmd( |$)"
STEPD = r"^slurmstepd: .*\.batch"
PART = f"ls {STORE}/*/*.part"
# Where: "controller", "source" (where the owner comes),
# "target" (all others).  When one of the first is seen, after a while, one of
# the second is killed.
KILLS = {
    "the program that saves": ("source", SAVE, SAVE, 1.5),
    "CRIU while it saves": ("source", DUMP, DUMP, 0.5),
    "who serves saving": ("source", SERVE, SERVE, 3),
    "who serves saving, in a dump": ("source", DUMP, SERVE, 0.3),
    "discoveryd while it saves": ("source", SAVE, DISCOVERYD, 1.5),
    "discoveryd of the device": ("source", DISCOVERYD, DISCOVERYD, 8),
    "discoveryd of another device": ("target", DISCOVERYD, DISCOVERYD,
                                     8),
    "the controller while an image comes": ("controller", PART, DISCOVERYD,
                                            0.3),
    "the controller": ("controller", None, DISCOVERYD, 10),
    "slurmctld": ("controller", None, "^[^ ]*slurmctld( |$)", 8),
    "slurmd of the device": ("source", None, SLURMD, 5),
    "slurmd of another device": ("target", None, SLURMD, 5),
    "slurmstepd at the restore": ("target", LOAD, STEPD, 0.5),
    "the program that loads": ("target", LOAD, LOAD, 0.05),
    "CRIU while it restores": ("target", RESTORE, RESTORE, 0.1),
}
PATIENCE_S = 25
AMBUSH = """\
end=$((SECONDS + {patience}))
while [ $SECONDS -lt $end ]; do
	if {seen} > /dev/null 2>&1; then
		sleep {delay}
		pid=$(pgrep {which} -f '{victim}') && kill -9 $pid && echo hit && exit
	fi
done
"""
FLIP = """\
import os, random, sys, time
folder, have = sys.argv[1], int(sys.argv[2])
end = time.monotonic() + {patience}
while time.monotonic() < end:
    names = os.listdir(folder) if os.path.isdir(folder) else []
    new = [n for n in names if n.endswith(".image") and int(n[:-6]) > have]
    if new:
        with open(os.path.join(folder, new[0]), "r+b") as image:
            at = random.randrange(os.fstat(image.fileno()).st_size)
            image.seek(at)
            byte = image.read(1)[0]
            image.seek(at)
            image.write(bytes([byte ^ 1 << random.randrange(8)]))
        print("hit")
        break
    time.sleep(0.005)
"""


class Trap:
    """Lies in wait in threads; said: what struck."""

    def __init__(self, lab, source, job):
        self.lab, self.source, self.job = lab, source, job
        self.threads, self.said = [], []

    def others(self):
        return sorted(set(self.lab.nodes()) - {self.source})

    def go(self, strike, *args):
        def run():
            if strike(*args):
                self.said.append(args[0] if args else "")
        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)

    def finish(self):
        for thread in self.threads:
            thread.join()
        return bool(self.said)

    # -- one for each kind -------------------------------------------------

    def kill(self, where, seen, victim, most):
        nodes = {"source": [self.source], "target": self.others(),
                 "controller": ["controller"]}[where]
        script = AMBUSH.format(patience=PATIENCE_S, seen=seen_by(seen),
                               victim=bracketed(victim),
                               # Its tasks go by its name at first.
                               which="-o" if victim == STEPD else "-n",
                               # Rather soon: a machine that does nothing
                               # else is done in no time.
                               delay=f"{most * random.random() ** 2:.3f}")
        for node in nodes:
            self.go(self.strike_in, node, script)

    def strike_in(self, node, script):
        return "hit" in self.lab.run(node, script, check=False,
                                     timeout=PATIENCE_S + 60)

    def flip(self):
        """A bit of the next image."""
        have = self.lab.ctl(f"ls {STORE}/{self.job} 2>/dev/null | sed -n "
                            "'s/.image$//p' | sort -n | tail -n 1") or "0"
        self.go(self.flip_in, f"{STORE}/{self.job}", have)

    def flip_in(self, folder, have):
        return "hit" in self.lab.proc(
            "controller", f"python3 - {folder} {have}",
            stdin=FLIP.format(patience=PATIENCE_S), check=False).stdout

    def fill(self):
        """The store's disk, but for a little more than what is never used."""
        self.go(self.fill_for, random.choice((0, 200, 500)))

    def fill_for(self, rest_kb):
        time.sleep(random.uniform(0, 2))
        self.lab.ctl(f"n=$(( $(df --output=avail -k {STORE} | tail -n 1) - "
                     f"65536 - {rest_kb} )); "
                     f"head -c ${{n}}k /dev/zero > {STORE}/filler", check=False)
        time.sleep(random.uniform(4, 12))
        self.lab.ctl(f"rm -f {STORE}/filler")
        return True

    def cut(self, seconds=5):
        self.go(self.cut_of, random.choice([self.source, *self.others(),
                                            "controller"]), seconds)

    def cut_of(self, name, seconds):
        """All packets of one cable are lost for a while."""
        lab = self.lab
        index = lab.run(name, "cat /sys/class/net/eth0/iflink")
        line = next(x for x in lab.host("ip", "-o", "link").stdout.splitlines()
                    if x.startswith(f"{index}: ")).split()
        veth, bridge = line[1].split("@")[0], line[line.index("master") + 1]
        time.sleep(random.uniform(0, 6))
        lab.host("ip", "link", "set", veth, "nomaster")
        try:
            time.sleep(random.uniform(0.5, seconds))
        finally:
            lab.host("ip", "link", "set", veth, "master", bridge)
        return True


def seen_by(pattern):
    """As a condition of the shell's."""
    if pattern in (None, PART):
        return pattern or "true"
    return f"pgrep -f '{bracketed(pattern)}'"


def bracketed(pattern):
    """The shell that looks for it has it in its own command line."""
    at = next(i for i, c in enumerate(pattern) if c.isalpha())
    return f"{pattern[:at]}[{pattern[at]}]{pattern[at + 1:]}"


FAULTS = {
    **{f"kill -9 of {what}": lambda trap, k=kill: trap.kill(*k)
       for what, kill in KILLS.items()},
    "a bit of the image": Trap.flip,
    "the store's disk is full": Trap.fill,
    "a cable": Trap.cut,
    "nothing": lambda trap: None,
}
# Slurm lets the job wait for two minutes: once in a run.
SLOW = ("kill -9 of slurmstepd at the restore",)


@contextlib.contextmanager
def small_store(lab, size="100m"):
    """On a disk of its own, for a while."""
    lab.ctl(f"set -e; cp -p {STORE}/key /root/key; "
            f"mount -t tmpfs -o size={size},mode=700 store {STORE}; "
            f"chown --reference=/root/key {STORE}; mv /root/key {STORE}/key")
    try:
        yield
    finally:
        lab.ctl(f"umount {STORE}")


# -- the job -------------------------------------------------------------------

# Each line follows from all that were before.
CHAIN = """\
i=0; s=
until [ -e stop.$SLURM_JOB_ID ]; do
	i=$((i + 1))
	s=$(echo "$s $i" | md5sum)
	echo "$i $s"
	sleep 0.05
done
echo end
"""
LINE = re.compile(r"(\d+) (\w{32})  -$")


def check_chain(text, ended):
    """Of a job's output: nothing lost, nothing twice since it began last; how
    many lines that are."""
    *_, text = text.rpartition(migrating.BEGINS)
    lines = [x for x in migrating.NOTES.sub("", text).splitlines() if x]
    if ended:
        assert lines and lines[-1] == "end", lines[-3:]
        lines.pop()
    state = ""
    for i, line in enumerate(lines, 1):
        state = hashlib.md5(f"{state} {i}\n".encode()).hexdigest() + "  -"
        assert line == f"{i} {state}", (i, lines[max(0, i - 3):i + 2])
    return len(lines)
