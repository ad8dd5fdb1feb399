# SPDX-License-Identifier: GPL-2.0-or-later
"""A batch job that has to leave goes on where it was, or says why not."""
import contextlib
import hashlib

import faults
import migrating
import parked
import pytest
import walls
from migrating import BEGINS
from parked import present

MOVES = 3
COUNT = """\
for i in $(seq 1 {n}); do
	echo "$i $$ $(echo $i | md5sum)"
	(exit $((i % 7))) &
	wait $! || [ $? = $((i % 7)) ] || echo lost a child
	sleep 0.05
done
echo end
"""
CHECKSUM = """\
exec python3 -u - <<'END'
import hashlib, os, threading, time
state, seen = b"", []
def count():
    for i in range({n}):
        seen.append(i)
        time.sleep(0.05)
thread = threading.Thread(target=count)
thread.start()
with open("/tmp/mine", "w") as mine:
    for i in range({n}):
        for _ in range(500):
            state = hashlib.sha256(state + bytes([i % 256])).digest()
        mine.write(f"{{i}}\\n")
        print(i, flush=True)
        time.sleep(0.05)
thread.join()
print(len(seen), len(open("/tmp/mine").readlines()), state.hex())
END
"""
LARGE_MB = 150
# Says again and again what its memory comes to.
LARGE = f"""\
exec python3 -u -c '
import hashlib, os, time
memory, n = os.urandom({LARGE_MB} << 20), 0
while True:
    print(n, hashlib.md5(memory).hexdigest())
    n += 1
    time.sleep(0.1)'
"""
# Each with a word of the reason.
UNMOVABLE = {
    "a step of srun's": ("srun sleep 300", "srun"),
    "a POSIX message queue": ("""exec python3 -u -c '
import ctypes, os, time
queue = ctypes.CDLL("librt.so.1", use_errno=True).mq_open(
    b"/q", os.O_CREAT | os.O_RDWR, 0o600, None)
assert queue >= 0, ctypes.get_errno()
time.sleep(300)'""", "message queue"),
}


@pytest.fixture(autouse=True, scope="module")
def fixture_criu(session_lab):
    """Where CRIU can not work on this kernel there is nothing to prove."""
    migrating.need_criu(session_lab)


def test_a_shell_goes_on_elsewhere(lab):
    n, node, seen = 400, "desk1", []
    job = migrating.submit(lab, node, COUNT.format(n=n), least=20)
    for i in range(MOVES):
        before = len(migrating.lines(lab, job))
        seen.append(node)
        node = migrating.evict(lab, job, node)
        lab.wait("it goes on", lambda b=before: len(
            migrating.lines(lab, job)) > b, 30)
        fields = parked.job_fields(lab, job)
        assert fields["Restarts"] == str(i + 1), fields
    migrating.wait_end(lab, job)
    *counted, last = [line.split() for line in migrating.lines(lab, job)]
    assert last == ["end"]
    assert [(int(i), md5) for i, _, md5, _ in counted] == [
        (i, hashlib.md5(f"{i}\n".encode()).hexdigest())
        for i in range(1, n + 1)], counted
    assert len({pid for _, pid, *_ in counted}) == 1
    went = migrating.restored(lab, job)
    assert [node for _, node in went] == seen, went
    assert [image for image, _ in went] == sorted({i for i, _ in went}), went
    assert BEGINS not in migrating.output(lab, job)


def test_python_goes_on_elsewhere(lab):
    n = 150
    job = migrating.submit(lab, "desk2", CHECKSUM.format(n=n), least=10)
    migrating.evict(lab, job, "desk2")
    migrating.wait_end(lab, job)
    *counted, last = migrating.lines(lab, job)
    state = b""
    for i in range(n):
        for _ in range(500):
            state = hashlib.sha256(state + bytes([i % 256])).digest()
    assert counted == [str(i) for i in range(n)]
    assert last == f"{n} {n} {state.hex()}"
    assert len(migrating.restored(lab, job)) == 1


def test_nothing_of_it_stays_on_the_devices(lab):
    job = migrating.submit(lab, "desk1", COUNT.format(n=300), least=10)
    node = migrating.evict(lab, job, "desk1")
    lab.wait("it goes on", lambda: migrating.restored(lab, job), 30)
    # Its memory is a file nowhere, as soon as it runs.
    for name in ("desk1", node):
        lab.wait(f"no image is left on {name}", lambda d=name: lab.run(
            d, "find /var/lib/slurm-volunteer/images "
            "/var/lib/slurm-volunteer/restore -name '*.img' 2>/dev/null || "
            "true") == "", 10)
    assert f"{job}" in lab.ctl("volunteer checkpoints")
    parked.end(lab, job)


def submit_large(lab):
    return migrating.submit(lab, "desk1", LARGE, f"--mem={LARGE_MB + 200}",
                            least=2)


def is_as_before(lab, job, tries=1):
    """It goes on, with the memory that it had."""
    before = len(migrating.lines(lab, job))
    lab.wait("it goes on", lambda: len(migrating.lines(lab, job)) > before + 1,
             60)
    said = [line.split() for line in migrating.lines(lab, job)]
    assert [int(n) for n, _ in said] == list(range(len(said))), said
    assert len({digest for _, digest in said}) == 1, said
    assert len(migrating.restored(lab, job)) == tries
    parked.end(lab, job)


def test_its_memory_is_on_no_disk_of_the_device(lab):
    """The owner's disk has other things to do."""
    job, watch = submit_large(lab), "/root/watch"
    lab.run("desk1", f"touch {watch}; nohup sh -c 'while [ -e {watch} ]; do "
            "du -sk /var/lib/slurm-volunteer/images; sleep 0.01; done' "
            "> /root/used 2> /dev/null < /dev/null &")
    try:
        migrating.evict(lab, job, "desk1")
    finally:
        lab.run("desk1", f"rm {watch}")
    used = [int(line.split()[0])
            for line in lab.run("desk1", "cat /root/used").splitlines()]
    # The other images of a job are there for a moment.
    assert 100 < max(used) < 10240, max(used)
    is_as_before(lab, job)


def test_the_controller_goes_in_the_middle(lab):
    """Then it is written down once more, and sent when the controller is there
    again."""
    job = submit_large(lab)
    trap = faults.Trap(lab, "desk1", job)
    trap.kill("controller", faults.PART, faults.DISCOVERYD, 0.05)
    migrating.evict(lab, job, "desk1", 120)
    assert trap.finish(), "it was faster than we are"
    is_as_before(lab, job)


@contextlib.contextmanager
def takes_long(lab, node, program, what):
    """That of the program, on that device; a function that says whether it is
    at it."""
    # Where slurmstepd sees it as well.
    seen = "/var/lib/slurm-volunteer/at-it"
    lab.run(node, f"mv {program} {program}.real")
    lab.proc(node, f"cat > {program} && chmod 755 {program}", stdin=f"""\
#!/bin/sh
case " $* $CRTOOLS_SCRIPT_ACTION " in
*" {what} "*) touch {seen}; sleep 6 ;;
esac
exec {program}.real "$@"
""")
    try:
        yield lambda: lab.proc(node, f"test -e {seen}",
                               check=False).returncode == 0
    finally:
        lab.run(node, f"mv {program}.real {program}; rm -f {seen}")


LIBEXEC = "/usr/libexec/slurm-volunteer/slurm-volunteer"
# Its image comes; CRIU begins; all of it is there, and waits for CRIU.
BEFORE = [(f"{LIBEXEC}-image", "load", 1), ("/usr/sbin/criu", "restore", 2),
          (f"{LIBEXEC}-checkpoint", "post-restore", 2)]


@pytest.mark.parametrize("program, what, tries", BEFORE,
                         ids=[what for _, what, _ in BEFORE])
def test_one_that_leaves_before_it_began(lab, program, what, tries):
    """Its image is as good as it was, whatever others have written since where
    nobody knows whose a file is."""
    job = submit_large(lab)
    with parked.settings(lab, "desk1", parked_max="1s"), \
            parked.settings(lab, "desk2", parked_max="1s"), \
            takes_long(lab, "desk2", program, what) as is_at_it:
        with migrating.only(lab, "desk2"):
            with present(lab, "desk1"):
                lab.wait("it leaves",
                         lambda: migrating.moved(lab, job, "desk1"), 60)
            lab.run("desk2", "touch /campaign/alice/not-its-own")
            lab.wait("it is at it", is_at_it, 20)
        with present(lab, "desk2"):
            lab.wait("it leaves again",
                     lambda: migrating.moved(lab, job, "desk2"), 60)
            is_as_before(lab, job, tries)
    out = migrating.output(lab, job)
    assert BEGINS not in out and "can not be put back" not in out, out


@pytest.mark.parametrize("what", UNMOVABLE)
def test_what_can_not_be_saved_is_named(lab, what):
    body, reason = UNMOVABLE[what]
    job = migrating.submit(lab, "desk1", f"echo begins\n{body}\n")
    if what.endswith("srun's"):
        lab.wait("the step runs", lambda: lab.run(
            "desk1", "pgrep -x sleep || true"), 30)
    migrating.evict(lab, job, "desk1")
    said = lab.wait("the log says why", lambda: migrating.why_not(
        lab, "desk1", job), 20)
    assert reason in said, said
    lab.wait("it begins once more", lambda: migrating.lines(
        lab, job) == ["begins", "begins"], 30)
    out = migrating.output(lab, job)
    assert "volunteer: there is no image of this job\n" + BEGINS in out, out
    parked.end(lab, job)


def test_a_device_that_shows_other_folders(lab):
    """What the job sees there is not what it saw."""
    lab.run("desk1", "mkdir -p /srv/only-here")
    with walls.policy(lab, "desk1", read="/srv/only-here"):
        job = migrating.submit(lab, "desk1", COUNT.format(n=120), least=10)
        node = migrating.evict(lab, job, "desk1")
        migrating.wait_end(lab, job)
    out = migrating.output(lab, job)
    refused = [line for line in out.splitlines()
               if line.startswith("volunteer: image ")]
    assert len(refused) == 1, out
    assert f"is not for {node}: " in refused[0] and "/srv/only-here" in \
        refused[0], out
    assert BEGINS in out and not migrating.restored(lab, job), out
    # All of it, after what it wrote before.
    numbers = [line.split()[0] for line in migrating.lines(lab, job)]
    assert numbers[-121:] == [*map(str, range(1, 121)), "end"], out
    assert len(numbers) > 121, out


def test_without_asking_a_job_begins_anew(lab):
    with migrating.only(lab, "desk1"):
        job = parked.submit(lab, COUNT.format(n=300),
                            "-o moved.%j --open-mode=append")
        lab.wait("the job writes", lambda: len(
            migrating.lines(lab, job)) > 5, 60)
    with parked.settings(lab, "desk1", parked_max="1s"), \
            present(lab, "desk1"):
        lab.wait("the job leaves",
                 lambda: migrating.moved(lab, job, "desk1"), 60)
        lab.wait("the job writes", lambda: [
            line.split()[0] for line in migrating.lines(lab, job)].count(
                "1") == 2, 30)
    assert "volunteer:" not in migrating.output(lab, job)
    assert f"job {job}" not in lab.run("desk1", "volunteer log -n 200 | "
                                       "grep -w saved || true")
    parked.end(lab, job)
