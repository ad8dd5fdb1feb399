# SPDX-License-Identifier: GPL-2.0-or-later
"""select_plugin.py - what our select plugin costs slurmctld

Nodes and jobs of paper: registrations of nodes that do not exist, allocations
that nobody waits for.  1 000 jobs are queued while the partition is down; it is
set up, and the CPU time of the one thread that schedules them is read:

  run-now   the main scheduler starts all of them on idle nodes
  will-run  all nodes are in use for hours: backfill plans when each can start

A round is a slurmctld with the plugin, one without it, in turns which of them
is first, and one in which every second job is the plugin's, the others the
original's (native/slurmctld/turns.c): whole runs differ by a tenth from one to
the next, neighbours in a queue do not.  CPU time, since what else the machine
does is no cost of ours.
Beside it, what the plugin's own part of one call takes, in ns a node, with an
original that does nothing (tests/abi/bench_select.c).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "bench")]

from figures import figure, progress  # noqa: E402
from peers.htcondor import CLUSTER, docker  # noqa: E402

IMAGE = "slurm-volunteer-bench-slurmctld:trixie"
NAME = "volbench-slurmctld"
TABLE = "/run/slurm-volunteer/controller/nodes"
BENCH_SELECT = "/usr/src/slurm-volunteer/tests/abi/bench_select"
CPUS = 32
# COUNT:NODES:CPUS:MINUTES of what is queued; few lengths, since each end of a
# job is a time of its own in backfill's plan.
JOBS = [f"{count}:{nodes}:{cpus}:{minutes}" for minutes in (
    10, 30, 60, 240, 600) for count, nodes, cpus in ((190, 1, 1), (10, 4, 2))]
N_JOBS = 1000
# So many of them are planned at once: for each, backfill looks at all nodes at
# several times, minutes for all of them on 10 000 nodes.
JOB_NODES = 1000000
# Before them all nodes, in four parts that end at different times.
FILL_MINUTES = (60, 120, 180, 240)
# Few: what is left out need not be looked at, and would be in our favour.
PARKED_PCT = 1
IDLE_NS = 500000
# The thread that does it, and the scheduler beside the main one.
MODES = {"run-now": ("sched_agent", "sched/builtin"),
         "will-run": ("bckfl", "sched/backfill")}

CONF = """\
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
# Nobody asks nodes of paper how they are.
SlurmdTimeout=0
MessageTimeout=100
InactiveLimit=0
SchedulerType={scheduler}
SchedulerParameters=defer,default_queue_depth=5000,max_sched_time=49,\
sched_interval=100000,bf_interval=10,bf_max_time=3600,bf_max_job_test={planned},\
bf_continue,bf_yield_interval=10000000,bf_yield_sleep=1,bf_resolution=600
NodeName=d[1-{nodes}] NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 \
Feature=volunteer State=FUTURE
PartitionName=volunteer Nodes=ALL Default=YES MaxTime=INFINITE State=DOWN
"""

# CPU time in ns and the state of a thread of slurmctld.
THREAD = r"""
for task in /proc/$(pgrep -o -x slurmctld)/task/*; do
	[ "$(cat $task/comm 2>/dev/null)" != %s ] || {
		cut -d' ' -f1 $task/schedstat
		sed 's/.*) //; s/ .*//' $task/stat
	}
done
"""
# Where turns.c counts, and select's mode of each of ours there.
COUNTERS = "/run/bench-turns"
KINDS = {"run-now": 0, "will-run": 2}
# How often backfill has been through the queue.
CYCLES = "sdiag | sed -n '/^Backfill/,$ s/.*Total cycles: //p'"


def planned(nodes):
    return min(N_JOBS, JOB_NODES // nodes)


def build():
    """The image, from what docker/cluster compiles in."""
    builder = subprocess.run(
        [str(CLUSTER), "builder", "--debian", "trixie"], check=True,
        timeout=1500, stdout=subprocess.PIPE, text=True).stdout.strip()
    folder = "bench/native/slurmctld"
    context = subprocess.run(["tar", "-C", str(TOP), "-cf", "-", folder,
                              "tests/abi", "tests/unit"], check=True,
                             timeout=60, stdout=subprocess.PIPE).stdout
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE,
                    "--build-arg", f"BUILDER={builder}", "--file",
                    f"{folder}/Dockerfile", "-"], input=context, check=True,
                   timeout=600, stdout=subprocess.DEVNULL)


class Host:
    """The controller's host, for a with statement."""
    name = NAME
    image = IMAGE
    build = staticmethod(build)
    options = ()

    def __enter__(self):
        self.build()
        self.remove()
        docker("run", "--detach", "--name", self.name, "--hostname",
               "controller", "--init", "--tmpfs", "/run", *self.options,
               self.image, "sleep", "infinity")
        self.shell = subprocess.Popen(
            ["docker", "exec", "-i", self.name, "bash"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sh("install -d -o munge -g munge /run/munge && "
                "head -c 1024 /dev/urandom > /etc/munge/munge.key && "
                "chown munge /etc/munge/munge.key && "
                "chmod 400 /etc/munge/munge.key && "
                "setpriv --reuid munge --regid munge --init-groups munged && "
                "install -d /var/log/slurm /run/slurm "
                f"{pathlib.Path(TABLE).parent}")
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        docker("rm", "--force", "--volumes", self.name)

    def sh(self, command):
        """Run it in the one shell that we have there, since starting one
        through Docker takes a tenth of a second; its output."""
        self.shell.stdin.write(f"( {command}\n) 2>&1; status=$?; echo; "
                               "echo =$status=\n")
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line[0] == "=" and line[-2] == "=":
                text = "".join(lines).strip()
                if line != "=0=\n":
                    raise RuntimeError(f"{command}: {text}")
                return text
            lines.append(line)
        raise RuntimeError(f"the shell has ended: {command}")

    def background(self, command):
        self.sh(f"{command} </dev/null >/dev/null 2>&1 &")

    def wait(self, what, test, timeout=120, every=0.1):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                if test():
                    return
            except RuntimeError:
                pass
            time.sleep(every)
        log = self.sh("tail -n 30 /var/log/slurm/slurmctld.log")
        raise RuntimeError(f"not within {timeout} s: {what}\n{log}")

    # -- slurmctld -------------------------------------------------------

    def place(self, plugin):
        """True: the plugin, False: the original, a number: both in turns."""
        self.sh("cd $(dirname $(find /usr/lib -name select_cons_res.so -o "
                "-name select_linear.so | head -n 1)) && "
                "if [ -e select_cons_tres.so.ours ]; then "
                "mv select_cons_tres.so.ours select_cons_tres.so; fi && "
                f"volunteer select --{'enable' if plugin is not False else 'disable'}"
                + ("" if isinstance(plugin, bool) else
                   " && mv select_cons_tres.so select_cons_tres.so.ours && "
                   "cp /usr/src/bench/turns.so select_cons_tres.so"))

    def start(self, nodes, mode, plugin):
        """A slurmctld that remembers nothing, with all nodes idle."""
        self.place(plugin)
        conf = CONF.format(nodes=nodes, cpus=CPUS, scheduler=MODES[mode][1],
                           planned=planned(nodes))
        self.sh("rm -rf /run/bench-state; mkdir /run/bench-state; "
                ": > /var/log/slurm/slurmctld.log; "
                f"cat > /etc/slurm/slurm.conf <<'END'\n{conf}END\n")
        self.background(f"BENCH_TURN={int(plugin)} slurmctld -c -D")
        self.wait("slurmctld answers", lambda: "UP" in self.sh(
            "scontrol ping"))
        time.sleep(8)  # after 3 s it pings whoever is there
        half = nodes // 2
        self.sh(f"crowd d 1 {half} {CPUS} & crowd d {half + 1} "
                f"{nodes - half} {CPUS} && wait $!")
        self.wait("all nodes are idle", lambda: self.sh(
            "sinfo -h -t idle -o %D | head -n 1") == str(nodes))

    def stop(self):
        self.sh("pkill -KILL -x outlooks; pkill -KILL -x slurmctld; "
                "while pgrep -x slurmctld; do sleep 0.05; done >/dev/null; "
                f"rm -f {TABLE}")

    def partition(self, state):
        self.sh(f"scontrol update partitionname=volunteer state={state}")

    def count(self, state):
        return int(self.sh(f"squeue -h -t {state} -o %A | wc -l"))

    def table(self, nodes):
        """The devices' outlooks from now on."""
        self.background(f"outlooks {TABLE} d {nodes} {PARKED_PCT}")
        self.wait("a node table", lambda: not self.sh(
            f"test -s {TABLE}"))
        time.sleep(0.5)

    # -- what is measured ------------------------------------------------

    def counted(self, mode):
        """ns and calls of the original, and of the plugin; of turns.c."""
        v = [int(word) for word in self.sh(
            f"od -An -v -w8 -t u8 {COUNTERS}").split()]
        kind = KINDS[mode]
        return [(v[2 * kind + i], v[6 + 2 * kind + i]) for i in (0, 1)]

    def count_anew(self):
        self.sh(f"[ ! -e {COUNTERS} ] || dd if=/dev/zero of={COUNTERS} "
                "bs=96 count=1 conv=notrunc status=none")

    def at_rest(self, thread, since=0):
        """CPU time of the thread and backfill's cycles, when it waits; it
        must have worked since then."""
        last = (0, -1)
        for _ in range(5000):
            # Between two equal counts no cycle ended; a thread that waits
            # looks once a second whether there is anything to do.
            before, ns, state, after = self.sh(
                f"{CYCLES}\n{THREAD % thread}\n{CYCLES}").split()
            now = (int(ns), int(before))
            if state == "S" and before == after and now[1] == last[1] and \
                    now[0] - last[0] < IDLE_NS and now[0] > since:
                return now
            last = now
            time.sleep(0.1)
        raise RuntimeError(f"{thread} does not come to rest")

    def run_now(self, nodes):
        """Seconds of CPU to start all jobs."""
        self.table(nodes)
        self.sh(f"queue {' '.join(JOBS)}")
        thread = MODES["run-now"][0]
        before, _ = self.at_rest(thread)
        self.count_anew()
        # Again when it has had its 49 s.
        self.wait("all jobs run", lambda: self.partition("up") or
                  self.count("running") == N_JOBS, 1200, every=2)
        return (self.at_rest(thread, before)[0] - before) / 1e9

    def will_run(self, nodes):
        """Seconds of CPU to plan jobs once."""
        self.partition("up")
        part = nodes // len(FILL_MINUTES)
        self.sh("queue " + " ".join(f"1:{part}:0:{m}" for m in FILL_MINUTES))
        self.wait("all nodes are in use", lambda: self.sh(
            "sinfo -h -t idle -o %D | head -n 1") == "")
        self.partition("down")
        self.table(nodes)
        self.sh(f"queue {' '.join(JOBS)}")
        thread = MODES["will-run"][0]
        before, cycles = self.at_rest(thread)
        self.count_anew()
        self.partition("up")
        self.wait("backfill has been through", lambda: int(
            self.sh(CYCLES)) > cycles, 1200)
        # The next time there is nothing to plan.
        self.partition("down")
        after, _ = self.at_rest(thread, before)
        assert self.count("pending") == N_JOBS
        return (after - before) / 1e9


def trial(host, nodes, mode, plugin):
    """Seconds of CPU; and, in turns, what each of the two has counted."""
    host.start(nodes, mode, plugin)
    try:
        seconds = (host.run_now if mode == "run-now" else host.will_run)(nodes)
        return seconds, None if isinstance(plugin, bool) \
            else host.counted(mode)
    finally:
        host.stop()


def ratio_of_turns(seconds, counted):
    """If all jobs were the plugin's, by: if all were the original's."""
    plain, ours = (ns / 1e9 for ns, _ in counted)
    rest = seconds - plain - ours
    return (rest + 2 * ours) / (rest + 2 * plain)


def compare(host, nodes, mode, rounds):
    """Rounds of all three; prints their figures."""
    ours, plain, turns = [], [], []
    for i in range(rounds):
        for plugin in ((True, False) if i % 2 else (False, True)):
            (ours if plugin else plain).append(
                trial(host, nodes, mode, plugin)[0])
        turns.append(trial(host, nodes, mode, i % 2))
        progress(f"{nodes} nodes, {mode}, {i + 1} of {rounds}: "
                 f"{ours[-1]:.3f} s with, {plain[-1]:.3f} s without, "
                 f"ratio {ours[-1] / plain[-1]:.3f}, in turns "
                 f"{ratio_of_turns(*turns[-1]):.3f} {turns[-1][1]}")
    jobs = N_JOBS if mode == "run-now" else planned(nodes)
    keys = {"nodes": nodes, "mode": mode, "pending": N_JOBS, "jobs": jobs}
    ratios = [a / b for a, b in zip(ours, plain)]
    # What else the machine does only ever adds: the least of each is the
    # nearest to its cost.
    figure("select", "slurm-volunteer", "ratio", min(ours) / min(plain),
           "ratio", rounds, pairs_p50=round(statistics.median(ratios), 3),
           pairs_min=round(min(ratios), 3), pairs_max=round(max(ratios), 3),
           **keys)
    each = [ratio_of_turns(*turn) for turn in turns]
    whole = ratio_of_turns(
        sum(seconds for seconds, _ in turns),
        [[sum(turn[1][i][k] for turn in turns) for k in (0, 1)]
         for i in (0, 1)])
    figure("select", "slurm-volunteer", "ratio_in_turns", whole, "ratio",
           rounds, rounds_min=round(min(each), 3),
           rounds_max=round(max(each), 3), **keys)
    for subject, samples in (("slurm-volunteer", ours), ("slurm", plain)):
        figure("select", subject, "cpu_per_job",
               1e6 * min(samples) / jobs, "us", rounds, **keys)


def alone(host):
    """The plugin without slurmctld."""
    for line in host.sh(BENCH_SELECT).splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            figure("select", "slurm-volunteer", f"alone_{row['metric']}",
                   row["ns_per_node"], "ns/node", 1, nodes=row["nodes"],
                   call_us=round(row["ns_per_call"] / 1000, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nodes", type=int, nargs="+",
                        default=[100, 1000, 10000])
    parser.add_argument("--modes", nargs="+", default=list(MODES),
                        choices=list(MODES))
    parser.add_argument("--rounds", type=int, default=8,
                        help="a third of them with 10 000 nodes")
    args = parser.parse_args()
    with Host() as host:
        alone(host)
        for nodes in args.nodes:
            for mode in args.modes:
                compare(host, nodes, mode, max(
                    2, args.rounds // (1 + nodes // 5000)))


if __name__ == "__main__":
    main()
