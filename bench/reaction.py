# SPDX-License-Identifier: GPL-2.0-or-later
"""reaction.py - from the owner's first input until every task stands still

In containers: one byte is written into the input device of a device on which
1, 8 or 64 tasks of a job compute, one of them in a tight fork loop; the end is
the kernel's "frozen 1" of the last task's cgroup.  With --guest the same with
real key presses in an emulated machine.

Beside it, in the same run, HTCondor as Debian packages it: a keyboard that is
touched while one task computes in the same fork loop, until its processes are
stopped; with its own timers, and looking as often as it can be told to.
"""
import argparse
import importlib.util
import pathlib
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from figures import progress, quantiles  # noqa: E402
from lab import Lab  # noqa: E402
from peers import htcondor  # noqa: E402
import native  # noqa: E402

INPUT = "/run/owner-input"
CONF = "/etc/slurm-volunteer/device.conf"
# The machine opens soon after each input, so that hundreds of them take
# minutes.  What else this host does is not the owner's doing.
OWNER = """\
[owner]
idle_after = 200ms
parked_max = 1d
interactive_max = 1d
max_load = 100
max_pressure = 100
max_temperature = 0
"""
TASKS = (1, 8, 64)


def stopwatch(container, events, rest_ms, *what, timeout=3600):
    """Milliseconds of each event; see native/stopwatch.c."""
    out = htcondor.docker("exec", container, "stopwatch", str(events),
                          *map(str, rest_ms), *what, timeout=timeout)
    return [int(line) / 1e6 for line in out.splitlines()]


def allow_realtime(container):
    """Let root in a container use real-time priorities, as root may on any
    desktop.  Kernels with groups of real-time tasks give Docker's cgroups (v1)
    no time for them; others have no such file."""
    pid = htcondor.docker("inspect", "--format", "{{.State.Pid}}", container)
    text = pathlib.Path(f"/proc/{pid}/cgroup").read_text("ascii")
    path = next((line.split(":")[2] for line in text.splitlines()
                 if "cpu" in line.split(":")[1].split(",")), None)
    if path is None:
        return
    folders = [pathlib.Path(f"/sys/fs/cgroup/cpu{path}")]
    while folders[0].name and folders[0].parent.name != "cpu":
        folders.insert(0, folders[0].parent)
    for depth, folder in enumerate(folders):
        file = folder / "cpu.rt_runtime_us"
        if file.exists() and int(file.read_text()) == 0:
            # Of each second, and less in each level below.
            file.write_text(str(800000 >> depth))


def prepare_device(lab):
    """desk1 with a short idle time and the programs."""
    allow_realtime(lab.container("desk1"))
    for name in ("controller", "desk1"):
        native.install(lab.container(name), "tasks", "stopwatch")
    conf = lab.run("desk1", f"sed '/^\\[owner\\]/,$d' {CONF}")
    lab.proc("desk1", f"cat > {CONF}", stdin=f"{conf}\n{OWNER}")
    old = lab.run("desk1", "pgrep -x discoveryd")
    lab.run("desk1", f"kill {old}")
    lab.wait("discoveryd is another one", lambda: lab.run(
        "desk1", "pgrep -x discoveryd || true") not in ("", old), 30)
    lab.wait_idle(["desk1"], 60)


def in_container(lab, tasks, events):
    """One job with so many tasks on desk1."""
    job = lab.alice(
        "sbatch --parsable -p volunteer -w desk1 --mem=500 --overcommit "
        f"-o /dev/null --wrap 'srun -n {tasks} -O --mem=400 tasks'")
    lab.wait("the tasks run", lambda: int(lab.run(
        "desk1", "pgrep -cx tasks || true")) >= tasks, 120)
    time.sleep(1)  # The one that forks may have been counted twice.
    # Slurm makes a folder for each task, or one for all if the kernel offers
    # no controller.
    folder = lab.run("desk1", "find /sys/fs/cgroup -type d -name "
                     f"job_{job}")
    samples = stopwatch(lab.container("desk1"), events, (50, 250),
                        "write", INPUT, "cgroups", folder)
    lab.ctl(f"scancel {job}")
    lab.wait_no_jobs(120)
    progress(f"{tasks} tasks: median {sorted(samples)[len(samples) // 2]:.2f}"
             f" ms, worst {max(samples):.2f} ms")
    quantiles("reaction", "slurm-volunteer", samples, "ms", processes=tasks,
              where="container")


def containers(events):
    """All cases in one lab."""
    lab = Lab("volbench", "10.214.77")
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and one device")
    try:
        lab.cluster("up", "--devices", "1", timeout=1500)
        prepare_device(lab)
        for tasks in TASKS:
            in_container(lab, tasks, events)
    finally:
        lab.cluster("down", timeout=120)


def peers(events):
    """HTCondor with its own timers and with the shortest."""
    for key, settings, poll_ms in (("default", (), 5000),
                                   ("tuned", ("tuned",), 1000)):
        progress(f"HTCondor, {key}: {events} events")
        with htcondor.Pool(*settings) as pool:
            allow_realtime(pool.desk)
            native.install(pool.desk, "tasks", "stopwatch")
            pool.run_job()
            # Somewhere between two of its looks.
            samples = stopwatch(pool.desk, events, (100, 100 + poll_ms),
                                "touch", htcondor.KEYBOARD,
                                "processes", str(htcondor.SCIENTIST))
        quantiles("reaction", "htcondor", samples, "ms", processes=1,
                  where="container", settings=key)


def guest(events):
    """Real key presses: tests/desktop has the machine and the stopwatch."""
    folder = TOP / "tests" / "desktop"
    sys.path.insert(0, str(folder))
    # By its path: this module has the same name.
    spec = importlib.util.spec_from_file_location("desktop_reaction",
                                                  folder / "reaction.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for tasks, samples in module.measure(events, TASKS):
        quantiles("reaction", "slurm-volunteer", samples, "ms",
                  processes=tasks, where="guest")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--peer-events", type=int, default=20,
                        help="each takes seconds")
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--only-peers", action="store_true")
    parser.add_argument("--guest", action="store_true",
                        help="in an emulated machine, too")
    args = parser.parse_args()
    if not args.only_peers:
        containers(args.events)
    if not args.skip_peers:
        peers(args.peer_events)
    if args.guest:
        guest(args.events)


if __name__ == "__main__":
    main()
