# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever breaks while a job is moved: it is there once, and its result right.

VOLTEST_ROUNDS: how many faults.  VOLTEST_SEED: which; as it is, the same in
each test run.
"""
import contextlib
import os
import random
import time

import faults
import migrating
import parked
import pytest
import stream
from migrating import BEGINS

ROUNDS = int(os.environ.get("VOLTEST_ROUNDS", "4"))
SEED = int(os.environ.get("VOLTEST_SEED", "471267"))
# Slurm lets a job wait for two minutes when its slurmstepd was killed.
ROUND_S = 400
IMAGE = "/usr/libexec/slurm-volunteer/slurm-volunteer-image"


@pytest.fixture(autouse=True, scope="module")
def fixture_criu(session_lab):
    """Where CRIU can not work on this kernel there is nothing to prove."""
    migrating.need_criu(session_lab)


def begin(lab, node):
    """A job that is on that node by chance, and writes."""
    return migrating.submit(lab, node, faults.CHAIN, least=20)


def finish(lab, job):
    """It ends when it is told to; its whole output is right."""
    lab.alice(f"touch stop.{job}")
    migrating.wait_end(lab, job, 300)
    return faults.check_chain(migrating.output(lab, job), True)


def where_alive(lab, job):
    return [node for node in sorted(lab.nodes())
            if parked.has_tasks(lab, node, job)]


def goes_on(lab, job):
    """It runs, once, and writes."""
    def check():
        node = parked.running_on(lab, job)
        before = len(migrating.lines(lab, job))
        assert node and where_alive(lab, job) == [node], (
            node, where_alive(lab, job))
        time.sleep(0.5)
        return len(migrating.lines(lab, job)) > before
    lab.wait(f"job {job} goes on", check, ROUND_S, every=0.5)
    faults.check_chain(migrating.output(lab, job), False)


def move(lab, job, fault):
    """The owner of its node comes, and something breaks.  False: nothing did,
    since the moment did not come."""
    node = lab.wait("it runs", lambda: parked.running_on(lab, job), ROUND_S)
    trap = faults.Trap(lab, node, job)
    fault(trap)
    with parked.present(lab, node):
        lab.wait(f"job {job} leaves {node}", lambda: migrating.moved(
            lab, job, node) or parked.state(lab, job) == "PENDING", ROUND_S)
        lab.wait(f"job {job} runs elsewhere", lambda: migrating.moved(
            lab, job, node), ROUND_S)
    struck = trap.finish()
    goes_on(lab, job)
    return struck


def tell_anew(lab, job, before):
    """Why it began again, if it did since it had done so often; how often it
    has."""
    out = migrating.output(lab, job)
    if out.count(BEGINS) > before:
        said = [x for x in out.splitlines() if migrating.NOTES.match(f"{x}\n")]
        print("began anew:", *said[-12:], "the images:",
              lab.ctl("volunteer checkpoints list", check=False), sep="\n")
    return out.count(BEGINS)


def test_faults_at_any_moment(lab, record_property):
    chance = random.Random(SEED)
    random.seed(SEED)
    names, struck, anew = [], 0, 0
    while len(names) < ROUNDS:
        kinds = sorted(set(faults.FAULTS) - set(faults.SLOW if names else ()))
        names += chance.sample(kinds, len(kinds))
    with contextlib.ExitStack() as stack:
        stack.enter_context(faults.small_store(lab))
        for node in sorted(lab.nodes()):
            stack.enter_context(parked.settings(lab, node, parked_max="1s"))
        job = begin(lab, "desk1")
        for i, name in enumerate(names[:ROUNDS], 1):
            begun = time.monotonic()
            print(f"round {i}: {name}, seed {SEED}", flush=True)
            done = move(lab, job, faults.FAULTS[name])
            struck += done
            print(f"round {i}: {'struck' if done else 'did not strike'}, "
                  f"{time.monotonic() - begun:.0f} s", flush=True)
            anew = tell_anew(lab, job, anew)
        n = finish(lab, job)
    out = migrating.output(lab, job)
    record_property("figure", f"faults while a job is moved: {struck} in "
                    f"{ROUNDS} moves; went on from an image "
                    f"{len(migrating.restored(lab, job))} times, began anew "
                    f"{anew} times; {n} lines right (seed {SEED})")


# -- images that somebody has edited -----------------------------------------

def fetch(lab, node, job, folder):
    """The newest image of an earlier run, as the device gets it."""
    lab.run(node, f"rm -rf /root/edit; mkdir -m 700 /root/edit; {IMAGE} "
            f"--wait=20s --job={job} get /root/edit/stream")
    path = folder / "stream"
    lab.host("docker", "cp",
             f"{lab.container(node)}:/root/edit/stream", str(path))
    return path.read_bytes()


def bring(lab, node, data, folder):
    path = folder / "edited"
    path.write_bytes(data)
    lab.host("docker", "cp", str(path),
             f"{lab.container(node)}:/root/edit/edited")


def replace(files, prefix, old, new):
    """In an image of that kind, the same number of bytes."""
    assert len(old) == len(new)
    done = 0
    for name, data in files.items():
        if name.startswith(prefix) and old in data:
            files[name] = data.replace(old, new)
            done += 1
    assert done, (prefix, old)


def be_of(s, key, value):
    """In both of its words."""
    s.record = s.record.replace(f"\n{key}={s.manifest[key]}\n",
                                f"\n{key}={value}\n")
    s.manifest[key] = value


def swap_filter(s):
    data = bytearray(s.files["seccomp.img"])
    data[len(data) // 2] ^= 1
    s.files["seccomp.img"] = bytes(data)


def take_out(s, prefix):
    for name in [n for n in s.files if n.startswith(prefix)]:
        del s.files[name]


def leave_folder(s, _):
    path = next(x["path"] for x in s.manifest["outputs"])
    bad = "/usr/../etc/shadow".ljust(len(path), "x")
    replace(s.files, "files", path.encode(), bad[:len(path)].encode())


EDITS = {
    "uid 0": lambda s, d: s.edit_core(d, stream.images.be_root),
    "capabilities": lambda s, d: s.edit_core(
        d, stream.images.take_capabilities),
    "no_new_privs": lambda s, d: s.edit_core(
        d, stream.images.leave_no_new_privs),
    "no seccomp": lambda s, d: s.edit_core(d, stream.images.leave_seccomp),
    "another filter": lambda s, d: swap_filter(s),
    "another job's": lambda s, d: be_of(s, "job", s.manifest["job"] + 1),
    "another user's": lambda s, d: be_of(s, "uid", s.manifest["uid"] + 1),
    "another cluster's": lambda s, d: s.manifest.update(cluster="other"),
    "another version": lambda s, d: s.manifest.update(
        version=s.manifest["version"] + 1),
    "a file outside": leave_folder,
    "a mount elsewhere": lambda s, d: replace(
        s.files, "mountpoints-", b"/tmp", b"/etc"),
    "a file more": lambda s, d: s.files.update({"cgroup.img": b"x"}),
    "no map of ids": lambda s, d: take_out(s, "userns-"),
}


def edited(data, name, folder):
    s = stream.Stream(data)
    EDITS[name](s, folder)
    return s.pack()


def try_to_load(lab, node, job, uid, places):
    lab.run(node, "rm -rf /root/edit/into; mkdir -m 700 /root/edit/into")
    lab.proc(node, "cat > /root/edit/places", stdin=places)
    return lab.proc(
        node, f"{IMAGE} --job={job} --uid={uid} --gid={uid} "
        "--places=/root/edit/places --stream=/root/edit/edited load "
        "/root/edit/into", check=False)


def test_edited_images_are_refused(lab, tmp_path):
    job = begin(lab, "desk1")
    node = migrating.evict(lab, job, "desk1")
    data = fetch(lab, node, job, tmp_path)
    honest = stream.Stream(data)
    places = "".join(f"{p['target']} {p['flags']}\n"
                     for p in honest.manifest["places"]
                     if p["kind"] == "external")
    uid, seen = honest.manifest["uid"], {}
    torn = {"cut": data[:len(data) // 2],
            "a bit": data[:len(data) // 2] +
            bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]}
    bring(lab, node, honest.pack(), tmp_path)
    done = try_to_load(lab, node, job, uid, places)
    assert done.returncode == 0, done.stderr
    for name in [*EDITS, *torn]:
        bring(lab, node, torn[name] if name in torn else
              edited(data, name, tmp_path), tmp_path)
        done = try_to_load(lab, node, job, uid, places)
        # What this machine may not or can not put back, in one line.
        assert done.returncode == 6, (name, done)
        assert done.stderr.count("\n") == 1, (name, done.stderr)
        assert lab.run(node, "ls /root/edit/into") == "", name
        seen[name] = done.stderr.split(": ", 1)[1].strip()
    print("\n".join(f"{name}: {line}" for name, line in seen.items()))
    assert len(set(seen.values())) >= 12, seen
    lab.run(node, "rm -rf /root/edit")
    finish(lab, job)


@pytest.mark.parametrize("name", ["uid 0", "replayed"])
def test_the_job_goes_on_from_the_last_honest_one(lab, tmp_path, name):
    job = begin(lab, "desk1")
    node = migrating.evict(lab, job, "desk1")
    lab.wait("it goes on", lambda: migrating.restored(lab, job), 30)
    data = fetch(lab, node, job, tmp_path)
    # By the device on which it runs now: nobody else may.
    s = stream.Stream(data)
    if name != "replayed":
        s.manifest["restarts"] = 1
        EDITS[name](s, tmp_path)
    bring(lab, node, s.pack(), tmp_path)
    before = len(migrating.lines(lab, job))
    lab.run(node, f"{IMAGE} --job={job} --restarts=1 put /root/edit/edited; "
            "rm -rf /root/edit")
    lab.wait("it writes", lambda: len(migrating.lines(lab, job)) > before + 5,
             30)
    lab.ctl(f"scontrol requeue {job}")
    # Slurm lets it wait for two minutes; a slurmd takes none in the second in
    # which it had to end it.
    lab.wait("it may begin", lambda: lab.ctl(
        f"scontrol update jobid={job} starttime=now+3 && echo yes"), 30)
    refused = lab.wait("it is refused", lambda: [
        line for line in migrating.output(lab, job).splitlines()
        if line.startswith("volunteer: image 2 is not for ")], 90)
    assert len(refused) == 1, migrating.output(lab, job)
    assert ("of run 0, and was kept as one of run 1" if name == "replayed"
            else "uid is 0") in refused[0], refused
    goes_on(lab, job)
    # What it wrote after that image it writes again.
    assert [n for n, _ in migrating.restored(lab, job)] == [1]
    finish(lab, job)
    assert BEGINS not in migrating.output(lab, job)
