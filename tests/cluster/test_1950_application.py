# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that saves itself is told to, and begins elsewhere with the files
that it had for itself; CRIU has no part in it."""
import contextlib
import hashlib
import re
import time

import migrating
import parked
import pytest
from migrating import BEGINS
from parked import present
from test_1910_periodic import images, newest, unplugged

MOVES = 3
GRACE = "30s"
# No folder of the machine's: it works in a /tmp of its own.
ASK = ("--volunteer-checkpoint={how} --open-mode=append --chdir=/nowhere "
       "-o /campaign/alice/moved.%j")
# mode "leaves": it ends when it is told; "often": it hears nothing, and saves
# itself all the time.  What it has counted is one digest.
PROGRAM = """\
exec python3 -u - <<'END'
import hashlib, json, os, pathlib, signal, sys, time
state, told = pathlib.Path("state.json"), []
if {mode!r} == "leaves":
    signal.signal(signal.SIG{signal}, lambda *_: told.append(1))
def save():
    pathlib.Path("new").write_text(json.dumps([i, digest]))
    os.rename("new", state)
i, digest = json.loads(state.read_text()) if state.exists() else [0, ""]
print("begins", os.environ.get("VOLUNTEER_RESTORED", "-"),
      os.environ.get("SLURM_RESTART_COUNT", "0"), i, os.getcwd())
while i < {n}:
    if told:
        save()
        sys.exit(0)
    digest = hashlib.sha256(f"{{digest}} {{i}}".encode()).hexdigest()
    print(i)
    i += 1
    if {mode!r} == "often":
        save()
    time.sleep(0.05)
print("end", digest)
END
"""
AGAIN = re.compile(r"^volunteer: starts again with its files of image (\d+), "
                   r"made \S+ ago on (\S+)$", re.M)
# As discoveryd does it, to a file: only from slurmd's own can a job be saved.
SAVE = """\
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/slurm-volunteer/checkpoint")
job, cgroup = sys.argv[1:]
subprocess.run(
    ["/usr/libexec/slurm-volunteer/slurm-volunteer-image", "--files",
     f"--server={s.fileno()}", "--stream=/root/stream", "save",
     f"--job={job}", "--restarts=0", cgroup], check=True,
    pass_fds=[s.fileno()])
"""
# What the owner of a machine may do to the images that pass through it.
TAMPER = """\
import ctypes, hashlib, json, re, struct, sys
z = ctypes.CDLL("libzstd.so.1")
z.ZSTD_compress.restype = z.ZSTD_decompress.restype = ctypes.c_size_t
raw = open("/root/stream", "rb").read()[8:]
out = ctypes.create_string_buffer(1 << 24)
n = z.ZSTD_decompress(out, ctypes.c_size_t(len(out)), raw,
                      ctypes.c_size_t(len(raw)))
data, texts = out.raw[8:n], []
for _ in range(2):
    size, = struct.unpack(">I", data[:4])
    texts.append(data[4:4 + size])
    data = data[4 + size:]
texts[1] += sys.argv[1].encode() + b"\\n"
whole = bytes(8) + b"".join(struct.pack(">I", len(t)) + t for t in texts) + data
n = z.ZSTD_compress(out, ctypes.c_size_t(len(out)), whole,
                    ctypes.c_size_t(len(whole)), 1)
open("/root/evil", "wb").write(b"VOLCKPT3" + out.raw[:n])
"""
EVIL = {
    "a setuid program": ("entry=copy closed 2541 0 5 0 0 /tmp/su",
                         "permissions"),
    "a file of the machine's": ("entry=copy closed 420 0 5 0 0 /etc/profile",
                                "job's own"),
    "through a link": ("entry=target closed 511 0 5 0 0 /tmp/../etc",
                       "not "),
}


def digest_of(n):
    digest = ""
    for i in range(n):
        digest = hashlib.sha256(f"{digest} {i}".encode()).hexdigest()
    return digest


def submit(lab, node, body, how="app", options="", least=1):
    with migrating.only(lab, node):
        job = parked.submit(lab, body, f"{ASK.format(how=how)} {options}")
        lab.wait("the job runs", lambda: parked.running_on(lab, job) == node,
                 60)
    lab.wait("the job writes", lambda: len(lines(lab, job)) >= least, 60)
    return job


def lines(lab, job):
    return migrating.lines(lab, job)


def begun(lab, job):
    """For each start: image, restarts, and how far it was."""
    return [(image, int(restarts), int(i)) for _, image, restarts, i, cwd in
            (line.split() for line in lines(lab, job)
             if line.startswith("begins")) if cwd == "/tmp"]


def again(lab, job):
    """(image, device) for each time that it found its files."""
    return [(int(n), node) for n, node in
            AGAIN.findall(migrating.output(lab, job))]


def evict(lab, job, node, **settings):
    settings = {"checkpoint_grace": GRACE, "parked_max": "1s", **settings}
    starts = len(begun(lab, job))
    with parked.settings(lab, node, **settings), present(lab, node):
        now = lab.wait(f"job {job} leaves {node}",
                       lambda: migrating.moved(lab, job, node), 120)
        lab.wait("it begins again",
                 lambda: len(begun(lab, job)) > starts, 60)
    return now


@pytest.mark.parametrize("signal", ["TERM", "USR1"])
def test_a_program_that_saves_itself(lab, signal):
    """Nothing is lost, nothing is done twice."""
    n, node, seen = 400, "desk1", []
    options = "" if signal == "TERM" else f"--volunteer-signal={signal}"
    job = submit(lab, node, PROGRAM.format(n=n, mode="leaves", signal=signal),
                 options=options, least=20)
    for _ in range(MOVES):
        seen.append(node)
        node = evict(lab, job, node)
        before = len(lines(lab, job))
        lab.wait("it goes on", lambda b=before: len(lines(lab, job)) > b + 10,
                 60)
    migrating.wait_end(lab, job)
    said = lines(lab, job)
    assert [line for line in said if line.isdigit()] == [
        str(i) for i in range(n)], said
    assert said[-1] == f"end {digest_of(n)}"
    went = again(lab, job)
    assert [where for _, where in went] == seen, went
    starts = begun(lab, job)
    assert starts[0] == ("-", 0, 0) and len(starts) == MOVES + 1, starts
    assert [(int(image), restarts) for image, restarts, _ in starts[1:]] == [
        (image, i + 1) for i, (image, _) in enumerate(went)], (starts, went)
    assert BEGINS not in migrating.output(lab, job)


def test_an_owner_who_gives_no_grace(lab):
    """Nothing of it runs again, and what it saved by itself is there."""
    n, node = 300, "desk2"
    job = submit(lab, node, PROGRAM.format(n=n, mode="often", signal="TERM"),
                 least=20)
    for _ in range(MOVES):
        node = evict(lab, job, node, checkpoint_grace="0")
        last = begun(lab, job)[-1][2]
        lab.wait("it goes on", lambda i=last: str(i + 10) in lines(lab, job),
                 60)
    migrating.wait_end(lab, job)
    said = lines(lab, job)
    numbers = [int(line) for line in said if line.isdigit()]
    assert sorted(set(numbers)) == list(range(n)), numbers
    # At each move one may have been written, and not been saved.
    assert len(numbers) <= n + MOVES, numbers
    assert said[-1] == f"end {digest_of(n)}"
    assert len(again(lab, job)) == MOVES


def test_a_grace_is_for_those_who_listen(lab):
    """A stopped counter that would not hear the signal is not woken."""
    body = parked.COUNTER.replace(
        "starts.", "/campaign/alice/starts.").replace(
            "count.", "/campaign/alice/count.")
    job = submit(lab, "desk3", "echo there\n" + body)
    lab.wait("it counts", lambda: parked.count(lab, "desk3", job) > 0, 30)
    with parked.settings(lab, "desk3", checkpoint_grace=GRACE,
                         parked_max="4s"), present(lab, "desk3"):
        parked.wait_parked(lab, "desk3", job)
        stood = parked.count(lab, "desk3", job)
        began = time.monotonic()
        lab.wait("it leaves", lambda: migrating.moved(lab, job, "desk3"), 120)
        took = time.monotonic() - began
        assert parked.count(lab, "desk3", job) == stood
    # Nobody waited for a grace that nobody wanted.
    assert took < 4 + 25, took
    parked.end(lab, job)


def test_the_plug_is_pulled(lab):
    """It begins with what it had when it was saved last, while it ran."""
    n = 500
    job = submit(lab, "desk1", PROGRAM.format(n=n, mode="often",
                                              signal="TERM"), how="app,2s")
    lab.wait("it was saved twice", lambda: newest(lab, job) >= 2, 90)
    with unplugged(lab, "desk1"):
        lab.wait("it leaves desk1",
                 lambda: migrating.moved(lab, job, "desk1"), 240)
        lab.wait("it begins again", lambda: len(begun(lab, job)) == 2, 120)
    image, restarts, i = begun(lab, job)[1]
    assert int(image) == again(lab, job)[0][0] and restarts == 1 and i > 0
    migrating.wait_end(lab, job)
    said = lines(lab, job)
    assert {int(line) for line in said if line.isdigit()} == set(range(n))
    assert said[-1] == f"end {digest_of(n)}"


@contextlib.contextmanager
def stopped(lab, job, node):
    """Nor is it saved any more."""
    with parked.settings(lab, node, checkpoint="no", parked_max="1h",
                         interactive_max="1h"), present(lab, node):
        parked.wait_parked(lab, node, job)
        yield


@pytest.mark.parametrize("what", EVIL)
def test_an_image_of_a_hostile_device(lab, what):
    """Refused in one line; it begins with the last honest one."""
    line, reason = EVIL[what]
    job = submit(lab, "desk1", PROGRAM.format(n=300, mode="often",
                                              signal="TERM"), how="app,1s")
    lab.wait("it was saved", lambda: newest(lab, job), 60)
    program = "/usr/libexec/slurm-volunteer/slurm-volunteer-image --wait=30s"
    with stopped(lab, job, "desk1"):
        # slurmd's name for it may be another one.
        cgroup = lab.run("desk1", "find /sys/fs/cgroup -path "
                         f"'*/job_{job}/step_batch/user' -prune")
        lab.wait("no image is on its way", lambda: lab.run(
            "desk1", "pgrep -f '[s]lurm-volunteer-image' || true") == "", 30)
        lab.proc("desk1", f"python3 - {job} {cgroup}", stdin=SAVE)
        lab.proc("desk1", f"python3 - '{line}'", stdin=TAMPER)
        honest = newest(lab, job)
        lab.run("desk1", f"{program} put --job={job} --restarts=0 /root/evil")
        evil = newest(lab, job)
        assert evil > honest
        lab.run("desk1", "volunteer set parked_max=1s")
        now = lab.wait("it leaves desk1",
                       lambda: migrating.moved(lab, job, "desk1"), 120)
        lab.wait("it begins again", lambda: len(begun(lab, job)) == 2, 60)
    out = migrating.output(lab, job)
    refused = [line for line in out.splitlines()
               if line.startswith(f"volunteer: image {evil} ")]
    assert len(refused) == 1 and f"is not for {now}: " in refused[0] and \
        reason in refused[0], out
    assert again(lab, job) == [(honest, "desk1")], out
    assert begun(lab, job)[-1][0] == str(honest)
    assert images(lab, job)
    parked.end(lab, job)
