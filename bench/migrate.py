# SPDX-License-Identifier: GPL-2.0-or-later
"""migrate.py - a job with so much memory goes from one device to another one

  stop       the owner's first input -> the job has stopped, ms
  save       asked to leave -> its image is on the controller's disk
  requeue    that -> Slurm has started it on the other device
  restore    that -> its next line
  total      save and restore: without what Slurm waits
  copy       as many bytes as the image has, from a file of the first device to
             one of the controller, and from there to the other device, by
             plain TCP
  ratio_to_copy  total in relation to that; to_allowed: to 1.5 copies and 2 s

The job writes the time every 20 ms: all clocks are of one kernel.  Half of its
memory is random, half is not.  In the same run: the copy.
"""
import argparse
import contextlib
import json
import pathlib
import re
import statistics
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests" / "cluster"), str(TOP / "bench")]

from figures import figure, percentiles, progress  # noqa: E402
from lab import Lab  # noqa: E402
import migrating  # noqa: E402
import parked  # noqa: E402

TESTBED = "/usr/lib/slurm-volunteer-testbed"
STORE = "/var/lib/slurm-volunteer/controller/checkpoints"
SIZES_MB = (50, 500, 2000)
PORT = 7799
JOB = """\
exec python3 -u - <<'END'
import os, time
memory = bytearray({mb} << 20)
for at in range(0, len(memory), 2 << 20):
    memory[at:at + (1 << 20)] = os.urandom(1 << 20)
    memory[at + (1 << 20):at + (2 << 20)] = b"volunteer!" * 104857 + b"123456"
n = 0
while True:
    n += 1
    print(n, time.time())
    time.sleep(0.02)
END
"""
# RECEIVE FILE; SEND HOST FILE
RECEIVE = """\
import socket, sys
with socket.create_server(("", {port})) as s, open(sys.argv[1], "wb") as to:
    print("ready", flush=True)
    conn, _ = s.accept()
    while data := conn.recv(1 << 20):
        to.write(data)
    to.flush()
    __import__("os").fsync(to.fileno())
    conn.send(b"x")
"""
SEND = """\
import socket, sys, time
began = time.monotonic()
with socket.create_connection((sys.argv[1], {port})) as s, \\
        open(sys.argv[2], "rb") as file:
    s.sendfile(file)
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b"x"
print(time.monotonic() - began)
"""


def stamps(lab, job):
    """The time of each line."""
    return [float(line.split()[1]) for line in migrating.lines(lab, job)
            if len(line.split()) == 2]


def wait_there(lab, what, test, timeout):
    """Until this test of a shell's on the controller is true.  It is one
    command: to run one in a container again and again takes a CPU of its own,
    which is then missing in what is measured."""
    lab.ctl(f"for i in $(seq {timeout * 10}); do {test} && exit; sleep 0.1; "
            f"done; echo 'not within {timeout} s: {what}' >&2; exit 1",
            timeout=timeout + 60)


def kept_at(lab, job):
    """When its image got its name, which is when all of it was on the disk."""
    return max(float(at) for at in lab.ctl(
        f"stat -c %.9Z {STORE}/{job}/*.image").split())


def started_last(lab, job):
    """Node and time of its last start, as slurmctld has noted it."""
    starts = re.findall(
        rf"^\[(\S+)\] .*(?:Allocate|Started) JobId={job} "
        r"(?:NodeList=|in \S+ on )(\S+)", lab.ctl(
            "cat /var/log/slurm/slurmctld.log"), re.M)
    when, node = starts[-1]
    return node, float(lab.ctl(f"date -d {when} +%s.%N"))


def image_of(lab, job):
    """The newest whole one of the job, None while there is none."""
    images = json.loads(lab.ctl("volunteer checkpoints --json"))["images"]
    mine = [i for i in images if str(i["job"]) == job and
            i["state"] == "whole"]
    return max(mine, key=lambda i: i["number"]) if mine else None


def saved_s(lab, node, job):
    """What the device says that dump and sending took."""
    said = re.findall(rf"saved\W+job {job}, \S+ in ([0-9.]+)s",
                      lab.run(node, "volunteer log -n 200"))
    assert said, lab.run(node, "volunteer log -n 20")
    return float(said[-1])


def copy_s(lab, node, other, size):
    """From the first device to the controller, and on to the other one."""
    took = 0
    lab.run(node, f"head -c {size} /dev/urandom > /var/tmp/bytes")
    for source, target in ((node, "controller"), ("controller", other)):
        lab.proc(target, "cat > /tmp/receive.py",
                 stdin=RECEIVE.format(port=PORT))
        lab.proc(source, "cat > /tmp/send.py", stdin=SEND.format(port=PORT))
        lab.run(target, "rm -f /tmp/ready; nohup python3 /tmp/receive.py "
                "/var/tmp/bytes > /tmp/ready 2> /dev/null < /dev/null &")
        lab.wait("the receiver listens", lambda t=target: lab.run(
            t, "cat /tmp/ready") == "ready", 20, every=0.02)
        took += float(lab.run(source, f"python3 /tmp/send.py "
                              f"{lab.address(target)} /var/tmp/bytes"))
    for name in (node, "controller", other):
        lab.run(name, "rm -f /var/tmp/bytes /tmp/receive.py /tmp/send.py "
                "/tmp/ready")
    return took


def round_trip(lab, mb):
    """Seconds of each phase, and the copy's."""
    node = "desk1"
    job = migrating.submit(lab, node, JOB.format(mb=mb),
                           f"--mem={mb * 2 + 200}", least=50, timeout=600)
    # A machine that does other things, too, may take its time.
    with parked.settings(lab, node, parked_max="1s", checkpoint_time="20m"):
        with contextlib.ExitStack() as owner:
            owner.callback(parked.owner, lab, node, "away")
            event = float(lab.run(node, "date +%s.%N; exec "
                                  f"{TESTBED}/node owner present"))
            wait_there(lab, "the image is kept",
                       f"ls {STORE}/{job}/*.image > /dev/null 2>&1", 1200)
            # It has stopped: what follows is of the next run.
            least = len(stamps(lab, job)) + 5
            wait_there(lab, "it goes on", "[ $(grep -c '^[0-9]' "
                       f"/campaign/alice/moved.{job}) -gt {least} ]", 600)
    image, kept = image_of(lab, job), kept_at(lab, job)
    other, running = started_last(lab, job)
    assert other != node
    times = stamps(lab, job)
    gap, at = max((b - a, a) for a, b in zip(times, times[1:]))
    assert migrating.restored(lab, job), migrating.output(lab, job)
    parked.end(lab, job)
    phases = {"stop": max(0, at - event), "save": saved_s(lab, node, job),
              "requeue": max(0, running - kept),
              "restore": max(0, at + gap - running)}
    phases["total"] = phases["save"] + phases["restore"]
    size = int(image["bytes"])
    phases["copy"] = copy_s(lab, node, other, size)
    lab.wait_idle(["desk1", "desk2"], 60)
    return phases, size


def measure(lab, mb, rounds):
    all_of = []
    for i in range(rounds):
        phases, size = round_trip(lab, mb)
        progress(f"{mb} MB, round {i + 1}: " + ", ".join(
            f"{key} {value:.2f} s" for key, value in phases.items()) +
                 f", image of {size >> 20} MiB")
        all_of.append(phases)
    for key in all_of[0]:
        subject = "copy" if key == "copy" else "slurm-volunteer"
        unit, factor = ("ms", 1000) if key == "stop" else ("s", 1)
        percentiles("migrate", subject, [p[key] * factor for p in all_of],
                    unit, phase=key, size_mb=mb)
    for name, bound in (("ratio_to_copy", lambda p: p["copy"]),
                        ("to_allowed", lambda p: 1.5 * p["copy"] + 2)):
        figure("migrate", "slurm-volunteer", name, statistics.median(
            p["total"] / bound(p) for p in all_of), "ratio", rounds,
               size_mb=mb)
    figure("migrate", "slurm-volunteer", "stop", statistics.median(
        p["stop"] for p in all_of) * 1000, "ms", rounds, size_mb=mb)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES_MB,
                        metavar="MB")
    parser.add_argument("--project", default="volbench")
    parser.add_argument("--subnet", default="10.214.77")
    args = parser.parse_args()
    lab = Lab(args.project, args.subnet)
    lab.cluster("down", timeout=120)
    progress("bringing up a controller and two devices")
    try:
        lab.cluster("up", "--devices", "2", timeout=1500)
        lab.wait_idle(["desk1", "desk2"], 120)
        for mb in args.sizes:
            began = time.monotonic()
            measure(lab, mb, args.rounds)
            progress(f"{mb} MB: {time.monotonic() - began:.0f} s in all")
    finally:
        lab.cluster("down", timeout=120)


if __name__ == "__main__":
    main()
