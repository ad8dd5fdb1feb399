# SPDX-License-Identifier: GPL-2.0-or-later
"""interference.py - what an owner at work notices of volunteer jobs

An owner's program (native/owner_load.c) wakes up every millisecond and then
computes on all CPUs: alone, beside a volunteer job with a busy task for every
CPU, and beside the same tasks at nice 19 in an ordinary service, which is what
is usually done.  ratio: beside divided by alone, the medians of several rounds
in turn; of the latency (p99), of the work done, and of the share of the CPUs.

In the emulated machine of tests/desktop the job is a real one, placed by slurmd
and discoveryd.  --where host shows the kernel's part alone, on real CPUs: the
same processes in cgroups that are set up like ours, below the host's cpu
controller, of either version (both have cpu.idle).
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "desktop"), str(TOP / "bench")]

from figures import figure, progress  # noqa: E402
import native  # noqa: E402

# Where cgroups with a CPU share of their own can be made: v2, then v1.
ROOTS = [pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/cpu")]
BIN = "/usr/local/bin"
ONE_CPU = "taskset -c 0"


class Host:
    """This machine: cgroups made by hand."""

    where = "host"

    def __init__(self):
        self.folders = {}

    @staticmethod
    def root():
        """The folder below which groups have a share of the CPUs, or None."""
        v2, v1 = ROOTS
        try:
            text = (v2 / "cgroup.subtree_control").read_text("ascii")
            if "cpu" in text.split():
                return v2
        except OSError:
            pass
        return v1 if (v1 / "cpu.shares").exists() else None

    def __enter__(self):
        for name in ("owner", "volunteer", "service"):
            folder = self.root() / f"volbench-{name}.slice"
            folder.mkdir()
            self.folders[name] = folder
        (self.folders["volunteer"] / "cpu.idle").write_text("1")
        return self

    def __exit__(self, *_):
        for folder in self.folders.values():
            folder.rmdir()

    def spawn(self, argv, folder, **options):
        """A process that starts its life in a cgroup."""
        procs = self.folders[folder] / "cgroup.procs"
        return subprocess.Popen(
            ["sh", "-c", f"echo $$ > {procs} && exec \"$@\"", "sh",
             *map(str, argv)], text=True, **options)

    def owner(self, seconds):
        with self.spawn([native.build("owner_load"), seconds], "owner",
                        stdout=subprocess.PIPE) as process:
            return json.loads(process.communicate()[0])

    @contextlib.contextmanager
    def _busy(self, folder, *prefix):
        tasks = [self.spawn(
            [*prefix, native.build("tasks"), "compute"], folder)
            for _ in range(os.cpu_count())]
        try:
            yield
        finally:
            for task in tasks:
                task.kill()
                task.wait()

    def volunteers(self):
        return self._busy("volunteer")

    def nice19(self):
        return self._busy("service", "nice", "-n", "19")


def go_first(pid):
    """Before everything else that wants this host's CPUs."""
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            os.setpriority(os.PRIO_PROCESS, int(tid), -20)
        except OSError as error:
            progress(f"the emulator competes with the host: {error}")
            return


class Guest:
    """The emulated desktop with discoveryd, slurmd and systemd."""

    where = "guest"

    def __init__(self):
        from bed import Bed  # here: it needs QEMU, a host does not
        self.bed = Bed()

    def __enter__(self):
        self.bed.__enter__()
        try:
            for guest in (self.bed.head, self.bed.desk):
                go_first(guest.process.pid)
            for name in ("owner_load", "tasks"):
                self.install(name)
            # The machine stays open whatever the owner's programs do: what is
            # measured is jobs that stay.
            self.bed.configure(idle_after="1s")
            self.bed.reset()
            # How jobs are placed here.
            progress(json.dumps(self.bed.status()["slice"]))
        except BaseException:
            self.bed.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.bed.__exit__()

    def install(self, name):
        native.send(native.build(name), f"{BIN}/{name}", self.bed.desk.run)

    def owner(self, seconds):
        return json.loads(self.bed.desk.run(
            "systemd-run --quiet --wait --pipe --slice=user.slice "
            f"{ONE_CPU} {BIN}/owner_load {seconds}", timeout=60 + 4 * seconds))

    @contextlib.contextmanager
    def volunteers(self):
        bed = self.bed
        job = bed.submit(f"#!/bin/sh\nexec srun {ONE_CPU} {BIN}/tasks compute"
                         "\n", "-w desk -n 1")
        try:
            self.wait_task()
            folders = bed.tasks(job)
            yield
            if bed.frozen(folders) or bed.job(job)["JobState"] != "RUNNING":
                raise RuntimeError("the job was parked: nothing was measured")
        finally:
            bed.reset()

    def wait_task(self):
        self.bed.desk.run("for i in $(seq 300); do pgrep -x tasks && exit; "
                          "sleep 0.2; done; exit 1")

    @contextlib.contextmanager
    def nice19(self):
        desk = self.bed.desk
        desk.run("systemd-run --quiet --unit=nice -p Nice=19 "
                 f"{ONE_CPU} {BIN}/tasks compute")
        try:
            self.wait_task()
            yield
        finally:
            desk.run("systemctl stop nice.service")


def measure(place, rounds, seconds):
    """Case -> list of what owner_load said."""
    cases = {"alone": contextlib.nullcontext, "volunteer": place.volunteers,
             "nice19": place.nice19}
    said = {case: [] for case in cases}
    for i in range(rounds):
        for case, beside in cases.items():
            with beside():
                result = place.owner(seconds)
            said[case].append(result)
            progress(f"round {i + 1} of {rounds}, {case}: wake-up p99 "
                     f"{result['p99_us']:.0f} us, "
                     f"{result['chunks_per_s']:.0f} chunks/s, "
                     f"{100 * result['share']:.1f} % of the CPUs")
    return said


def report(said, where):
    """Figures of all cases, and ratios to alone."""
    subjects = {"alone": "bare", "volunteer": "slurm-volunteer",
                "nice19": "nice19"}
    medians = {}
    for case, results in said.items():
        for key, metric, unit in (("p99_us", "latency_p99", "us"),
                                  ("p50_us", "latency_p50", "us"),
                                  ("chunks_per_s", "throughput", "1/s"),
                                  ("share", "cpu_share", "")):
            medians[case, metric] = statistics.median(
                result[key] for result in results)
            figure("interference", subjects[case], metric,
                   medians[case, metric], unit, len(results), where=where)
    for case in ("volunteer", "nice19"):
        for metric, of in (("latency_p99", "latency"),
                           ("throughput", "throughput"),
                           ("cpu_share", "cpu_share")):
            figure("interference", subjects[case], "ratio",
                   medians[case, metric] / medians["alone", metric], "",
                   len(said[case]), of=of, where=where)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5,
                        help="of each of the two kinds of work")
    parser.add_argument("--where", choices=("guest", "host"), default="guest")
    args = parser.parse_args()
    if args.where == "host" and not Host.root():
        sys.exit("interference: no cpu controller in this machine's "
                 f"{ROOTS[0]}: run it without --where host")
    try:
        place = Host() if args.where == "host" else Guest()
    except ImportError as error:
        sys.exit(f"interference: no emulated machine here: {error}")
    progress(f"measuring in the {place.where}")
    with place:
        report(measure(place, args.rounds, args.seconds), place.where)


if __name__ == "__main__":
    main()
