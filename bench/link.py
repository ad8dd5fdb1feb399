# SPDX-License-Identifier: GPL-2.0-or-later
"""link.py - what ten thousand links cost the controller

Devices that are nothing but their end of the link (bench/native/link): real
connections, TLS, keys and messages, a thousand to a process, one discoveryd and
one slurmctld in a container.  All are approved and known, their nodes are in
Slurm, as after a power cut; nodes are of paper (bench/native/slurmctld/crowd.c).

  connect_all      discoveryd starts, and the devices have been dialling in vain
                   for a while ("cold start"); or it runs, and all dial in the
                   same moment ("all at once")
  controller_cpu   of one core, while nothing but heartbeats comes
  changes          the owners of many devices come in the same moment: until the
                   node table shows all of them
"""
import argparse
import json
import os
import subprocess
import sys
import time

from figures import figure, percentiles, progress
from select_plugin import TOP, Host as PaperHost
from peers.htcondor import CLUSTER, docker

NAME = "volbench-link"
IMAGE = "slurm-volunteer-bench-link:trixie"
STATE = "/var/lib/slurm-volunteer/controller"
TABLE = "/run/slurm-volunteer/controller/nodes"
LOG = "/var/log/discoveryd.log"
CPUS = 4  # as bench/native/link/device.c says

SLURM_CONF = """\
ClusterName=bench
SlurmctldHost=controller(127.0.0.1)
SlurmUser=root
StateSaveLocation=/run/bench-state
SlurmctldPidFile=/run/slurmctld.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/basic
JobCompType=jobcomp/none
TreeWidth=65533
ReturnToService=2
# Nobody asks nodes of paper how they are.
SlurmdTimeout=0
MessageTimeout=100
MaxNodeCount={max}
NodeSet=devices Feature=volunteer
PartitionName=volunteer Nodes=devices Default=YES MaxTime=INFINITE
"""

CONTROLLER_CONF = """\
[controller]
heartbeat = {heartbeat}s
lost_after = {lost_after}s
publish = no
"""

# CPU time in ticks, of threads that have ended too; memory in KB.
PROBE = r"""
sed 's/.*) //' /proc/{pid}/stat | awk '{{ print $12 + $13 }}'
awk '$1 == "Pss:" {{ print $2 }}' /proc/{pid}/smaps_rollup
awk '$1 == "VmRSS:" {{ r = $2 }} $1 == "VmHWM:" {{ h = $2 }}
	END {{ print r; print h }}' /proc/{pid}/status
"""


def build():
    """The image, from what docker/cluster compiles in."""
    builder = subprocess.run(
        [str(CLUSTER), "builder", "--debian", "trixie"], check=True,
        timeout=1500, stdout=subprocess.PIPE, text=True).stdout.strip()
    context = subprocess.run(
        ["tar", "-C", str(TOP), "-cf", "-", "bench/native/link",
         "bench/native/slurmctld"], check=True, timeout=60,
        stdout=subprocess.PIPE).stdout
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE,
                    "--build-arg", f"BUILDER={builder}", "--file",
                    "bench/native/link/Dockerfile", "-"], input=context,
                   check=True, timeout=600, stdout=subprocess.DEVNULL)


class Crowd:
    """Processes full of devices."""

    def __init__(self, devices, processes):
        self.n = devices
        each = -(-devices // processes)
        self.firsts = range(1, devices + 1, each)
        self.parts = [
            subprocess.Popen(
                ["docker", "exec", "-i", NAME, "links", "127.0.0.1", "6830",
                 "d", str(first), str(min(each, devices + 1 - first))],
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for first in self.firsts]
        self.known = []
        for part in self.parts:
            for line in iter(part.stdout.readline, "ready\n"):
                if not line:
                    raise RuntimeError("a process full of devices has ended")
                self.known.append(line.split())

    def close(self):
        for part in self.parts:
            part.stdin.close()
        for part in self.parts:
            part.wait(timeout=60)

    def ask(self, command):
        """Of all of them, at once; what each answers."""
        for part in self.parts:
            part.stdin.write(f"{command}\n")
            part.stdin.flush()
        return [json.loads(part.stdout.readline()) for part in self.parts]

    def status(self):
        answers = self.ask("status")
        total = {key: sum(a[key] for a in answers)
                 for key in answers[0] if key not in ("trouble",)}
        for key in ("up_at", "told_at", "slowest_ms"):
            total[key] = max(a[key] for a in answers)
        total["trouble"] = next((a["trouble"] for a in answers
                                 if a["trouble"]), "")
        return total

    def wait(self, key, timeout, every=0.5):
        """Until all are up, or told that their node is."""
        end = time.monotonic() + timeout
        said = 0
        while True:
            now = self.status()
            if now[key] == self.n:
                return now
            if time.monotonic() > end:
                raise RuntimeError(f"not in {timeout} s: {now}")
            if time.monotonic() - said > 5:
                said = time.monotonic()
                progress(f"{now}")
            time.sleep(every)


class Host(PaperHost):
    """The controller's host; discoveryd on it."""
    name = NAME
    image = IMAGE
    build = staticmethod(build)
    options = ("--ulimit", "nofile=20000:20000")

    def pid(self, program):
        return int(self.sh(f"pgrep -o -x {program}"))

    def probe(self, program):
        cpu, pss, rss, peak = map(int, self.sh(
            PROBE.format(pid=self.pid(program))).split())
        return {"cpu_ms": 1000 * cpu / os.sysconf("SC_CLK_TCK"), "pss_mb": pss / 1024,
                "rss_mb": rss / 1024, "peak_mb": peak / 1024}

    def slurmctld(self, devices):
        self.sh("rm -rf /run/bench-state; mkdir /run/bench-state; "
                "cat > /etc/slurm/slurm.conf <<'END'\n"
                f"{SLURM_CONF.format(max=devices + 100)}END\n")
        self.background("slurmctld -c -D")
        self.wait("slurmctld answers", lambda: "UP" in self.sh(
            "scontrol ping"))

    def register(self, known, heartbeat):
        """What discoveryd remembers of approved devices."""
        now = int(time.time())
        lines = ",\n".join(json.dumps({
            "fingerprint": key, "standing": "approved", "standing_at": now,
            "by": "bench", "node": name, "id": ident, "hostname": name,
            "address": "127.0.0.1", "facts": None, "first_seen": now,
            "last_seen": now, "created": False}) for ident, key, name in known)
        docker("exec", "-i", NAME, "sh", "-c",
               f"mkdir -p {STATE} && cat > {STATE}/registry.json && "
               f"chmod 600 {STATE}/registry.json",
               input=f'{{"version": 2, "devices": [{lines}]}}\n')
        conf = CONTROLLER_CONF.format(heartbeat=heartbeat,
                                      lost_after=3 * heartbeat)
        self.sh("mkdir -p /etc/slurm-volunteer && cat > "
                f"/etc/slurm-volunteer/controller.conf <<'END'\n{conf}END\n")

    def discoveryd(self):
        """When it was started, CLOCK_MONOTONIC ms."""
        self.background("sh -c 'ulimit -n 20000; exec discoveryd "
                        f"--role controller >> {LOG} 2>&1'")
        return time.monotonic() * 1000

    def stop_discoveryd(self):
        self.sh("kill $(pgrep -o -x discoveryd); "
                "while pgrep -x discoveryd; do sleep 0.05; done >/dev/null")

    def crowd_registers(self, *ranges):
        """What slurmd does at its start, and when slurmctld asks."""
        self.sh("\n".join(f"crowd d {first} {count} {CPUS}"
                          for first, count in ranges))


def difference(after, before):
    return (after["cpu_ms"] - before["cpu_ms"]) / 1000


class Meter:
    """CPU seconds since it was made, by who spent them."""

    def __init__(self, host, crowd):
        self.host, self.crowd = host, crowd
        self.begin = time.monotonic()
        self.before = self.look()

    def look(self):
        return {"controller": self.host.probe("discoveryd")["cpu_ms"],
                "slurmctld": self.host.probe("slurmctld")["cpu_ms"],
                "devices": self.crowd.status()["cpu_ms"]}

    def split(self):
        now = self.look()
        return {f"{who}_cpu_s": round((now[who] - self.before[who]) / 1000, 2)
                for who in now}

    def seconds(self):
        return time.monotonic() - self.begin


def first_day(host, crowd):
    """All are made nodes, registered and labelled."""
    started = host.discoveryd()
    host.wait("discoveryd listens", lambda: host.sh(
        "ss -Hltn sport = :6830 | grep -q . && echo yes") == "yes")
    crowd.ask("dial")
    up = crowd.wait("up", 400)
    progress(f"nodes made after {(up['up_at'] - started) / 1000:.1f} s")
    figure("link", "slurm-volunteer", "first_day",
           (up["up_at"] - started) / 1000, "s", 1, devices=crowd.n)
    host.crowd_registers((1, crowd.n))
    crowd.ask("registered")
    told = crowd.wait("told", 300)
    progress(f"all up after {(told['told_at'] - started) / 1000:.1f} s")


def report_connect(crowd, case, started, up, told, meter):
    keys = {"devices": crowd.n, "case": case, **meter.split(),
            "dials": up["dials"], "failed": up["failed"],
            "slow_pongs": told["slow"]}
    figure("link", "slurm-volunteer", "connect_all",
           (up["up_at"] - started) / 1000, "s", 1, **keys)
    figure("link", "slurm-volunteer", "told_all",
           (told["told_at"] - started) / 1000, "s", 1, devices=crowd.n,
           case=case)


def cold_start(host, crowd, pause):
    host.stop_discoveryd()
    progress(f"{pause} s without a controller")
    time.sleep(pause)
    before = crowd.status()
    started = host.discoveryd()
    host.wait("discoveryd runs", lambda: host.pid("discoveryd"), every=0.02)
    meter = Meter(host, crowd)
    up = crowd.wait("up", 300)
    told = crowd.wait("told", 300)
    for key in ("dials", "failed"):
        up[key] -= before[key]
    report_connect(crowd, "cold start", started, up, told, meter)


def all_at_once(host, crowd):
    before = crowd.status()
    meter = Meter(host, crowd)
    started = min(a["at"] for a in crowd.ask("dial"))
    up = crowd.wait("up", 300)
    told = crowd.wait("told", 300)
    for key in ("dials", "failed"):
        up[key] -= before[key]
    report_connect(crowd, "all at once", started, up, told, meter)


def heartbeats(host, crowd, seconds):
    time.sleep(40)  # a view of the table, the last save
    crowd.status()
    before = {who: host.probe(who) for who in ("discoveryd", "slurmctld")}
    begin = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begin
    after = {who: host.probe(who) for who in before}
    now = crowd.status()
    keys = {"devices": crowd.n, "seconds": round(took)}
    figure("link", "slurm-volunteer", "controller_cpu",
           100 * difference(after["discoveryd"], before["discoveryd"]) / took,
           "%", 1, **keys, pongs=now["pongs"], slow_pongs=now["slow"],
           slowest_pong_ms=now["slowest_ms"], lost=now["lost"])
    figure("link", "slurm", "slurmctld_cpu",
           100 * difference(after["slurmctld"], before["slurmctld"]) / took,
           "%", 1, **keys)
    memory = after["discoveryd"]
    figure("link", "slurm-volunteer", "controller_rss", memory["rss_mb"],
           "MB", 1, **keys, pss=round(memory["pss_mb"], 1),
           peak=round(memory["peak_mb"], 1))


def changes(host, crowd, many, rounds):
    """Owners come, and go again."""
    each = many // len(crowd.parts)
    many = each * len(crowd.parts)
    shown, drained = [], []
    meter = Meter(host, crowd)
    for _ in range(rounds):
        watch = subprocess.Popen(
            ["docker", "exec", "-i", NAME, "watch-table", TABLE, "parked",
             str(many), "60"], text=True, stdout=subprocess.PIPE)
        watch.stdout.readline()
        started = min(a["at"] for a in crowd.ask(f"park {each}"))
        seen = watch.stdout.readline()
        watch.wait(timeout=60)
        if not seen:
            raise RuntimeError(f"the table does not show {many} owners")
        shown.append((int(seen) - started) / 1000)
        host.wait("all of them are drained", lambda: int(host.sh(
            "sinfo -h -t drain -o %D | awk '{ n += $1 } END { print n + 0 }'")
            ) == many, every=0.2)
        drained.append(time.monotonic() - started / 1000)
        progress(f"{many} owners: shown after {shown[-1]:.3f} s, "
                 f"drained after {drained[-1]:.1f}")
        crowd.ask(f"open {each}")
        host.wait("none is drained", lambda: host.sh(
            "sinfo -h -t drain -o %D") == "", every=0.2)
        # slurmctld asks a node that it takes back; paper does not answer.
        host.crowd_registers(*((first, each) for first in crowd.firsts))
        crowd.wait("told", 60)
        time.sleep(5)
    keys = {"devices": crowd.n, "changes": many}
    percentiles("link", "slurm-volunteer", shown, "s", what="changes", **keys)
    percentiles("link", "slurm-volunteer", drained, "s", what="drained",
                drain_after=5, **keys, **meter.split(),
                seconds=round(meter.seconds()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--devices", type=int, default=10000)
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--heartbeat", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120,
                        help="of nothing but heartbeats")
    parser.add_argument("--pause", type=int, default=40,
                        help="seconds without a controller")
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with Host() as host:
        host.slurmctld(args.devices)
        crowd = Crowd(args.devices, args.processes)
        try:
            host.register(crowd.known, args.heartbeat)
            first_day(host, crowd)
            cold_start(host, crowd, args.pause)
            heartbeats(host, crowd, args.seconds)
            changes(host, crowd, args.changes, args.rounds)
            all_at_once(host, crowd)
        except BaseException:
            print(host.sh(f"tail -n 30 {LOG}; tail -n 20 "
                          "/var/log/slurm/slurmctld.log"), file=sys.stderr)
            raise
        finally:
            crowd.close()


if __name__ == "__main__":
    main()
