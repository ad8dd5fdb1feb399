#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that saves itself is told so, its files go along without its
processes, and whatever is wrong with such an image is refused in one line."""
import ctypes
import hashlib
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

from bed import UID, main, read, skip
from ckptbed import wait_until
from test_carry import FAILED, IMAGE, JOB, UNFIT, CarryBed, contents, refused

REQUEUE = 150
GRACE = "60s"
MOVES = 3
# Its state is in its home, where it works, and all that it has counted is one
# hash.  "mode": what it does when it is told.
PROGRAM = """#!/usr/bin/python3
import hashlib, json, os, pathlib, signal, sys, time
home = pathlib.Path.home() if os.environ.get("HOME") else pathlib.Path("/tmp")
state, told = pathlib.Path("state.json"), []
if {mode!r} != "deaf":
    signal.signal(signal.SIG{signal}, lambda *_: told.append(1))
def save():
    pathlib.Path("new").write_text(json.dumps([i, digest]))
    os.rename("new", state)
restored = os.environ.get("VOLUNTEER_RESTORED", "-")
i, digest = json.loads(state.read_text()) if state.exists() else [0, ""]
print("begins", restored, i, flush=True)
while i < {n}:
    if told:
        save()
        if {mode!r} == "stays":
            told.clear()
        else:
            sys.exit(0)
    digest = hashlib.sha256(f"{{digest}} {{i}}".encode()).hexdigest()
    print(i, flush=True)
    i += 1
    if {mode!r} == "often":
        save()
    time.sleep(0.01)
print("end", digest, flush=True)
"""


def program(n, mode="leaves", number="TERM"):
    return PROGRAM.format(n=n, mode=mode, signal=number)


def digest_of(n):
    digest = ""
    for i in range(n):
        digest = hashlib.sha256(f"{digest} {i}".encode()).hexdigest()
    return digest


class AppBed(CarryBed):
    def __init__(self):
        super().__init__()
        self.zstd = ctypes.CDLL("libzstd.so.1")
        self.zstd.ZSTD_compress.restype = ctypes.c_size_t
        self.zstd.ZSTD_decompress.restype = ctypes.c_size_t

    def squeeze(self, data):
        out = ctypes.create_string_buffer(len(data) + (1 << 20))
        n = self.zstd.ZSTD_compress(out, ctypes.c_size_t(len(out)), data,
                                    ctypes.c_size_t(len(data)), 1)
        return out.raw[:n]

    def expand(self, data):
        out = ctypes.create_string_buffer(16 << 20)
        n = self.zstd.ZSTD_decompress(out, ctypes.c_size_t(len(out)), data,
                                      ctypes.c_size_t(len(data)))
        assert n <= len(out), n
        return out.raw[:n]

    def app(self, text, *options):
        """It works in its own /tmp."""
        return self.fresh(text, "-j", str(JOB), "-C", "/nowhere", *options,
                          frozen=True)

    def again(self, folder, *options):
        self.moves += 1
        return self.launch("-j", str(JOB), "-C", "/nowhere", "-T",
                           str(folder), *options, frozen=True,
                           others=self.moves % 2 == 1)

    def save(self, *options):
        return self.store("--files", *options)

    def told(self, *options, number=signal.SIGTERM):
        return self.save(f"--signal={int(number)}", f"--grace={GRACE}",
                         *options)

    def load(self, folder, **more):
        places, self.places = self.places, None
        try:
            return subprocess.run(
                self.image("load", f"--job={JOB}", f"--uid={UID}",
                           f"--gid={UID}", "--files",
                           f"--walls={more.get('walls') or self.walls}",
                           str(folder)), check=False, capture_output=True,
                text=True, timeout=120)
        finally:
            self.places = places

    def loaded(self):
        folder = self.folder()
        done = self.load(folder)
        assert done.returncode == 0, done
        return folder

    def lines(self):
        return read(self.out).splitlines()

    def wait_lines(self, step, n):
        wait_until(lambda: len(self.lines()) >= n or
                   step.poll() is not None, f"{n} lines")
        assert step.poll() is None, (step.communicate(), self.lines())

    def thaw(self):
        (self.cgroup / "cgroup.freeze").write_text("0")

    def parts(self):
        """What is in the stream: manifest, record, contents."""
        data = self.expand(self.stream.read_bytes()[8:])
        assert data[:8] == bytes(8), "memory of no process"
        data, texts = data[8:], []
        for _ in range(2):
            n, = struct.unpack(">I", data[:4])
            texts.append(data[4:4 + n])
            data = data[4 + n:]
        return json.loads(texts[0]), texts[1].decode(), data

    def write_parts(self, manifest, record, data):
        """As somebody who has no say but over his own machine."""
        text = json.dumps(manifest, sort_keys=True,
                          separators=(",", ":")).encode()
        record = record.encode()
        self.stream.write_bytes(b"VOLCKPT3" + self.squeeze(
            bytes(8) + struct.pack(">I", len(text)) + text +
            struct.pack(">I", len(record)) + record + data))


def counted(bed, n):
    return [line for line in bed.lines() if line.isdigit()] == [
        str(i) for i in range(n)]


def it_saves_itself_and_goes_on(bed):
    n = 400
    step, folder = bed.app(program(n)), None
    for move in range(MOVES):
        bed.wait_lines(step, n * (move + 1) // (MOVES + 1))
        bed.freeze()
        done = bed.told()
        assert done.returncode == 0 and not bed.left(), done
        before = bed.lines()
        time.sleep(0.1)
        assert bed.lines() == before, "it runs on"
        bed.kill(step)
        folder = bed.loaded()
        step = bed.again(folder)
    bed.finish(step)
    assert counted(bed, n), bed.lines()
    begun = [line for line in bed.lines() if line.startswith("begins")]
    assert begun[0] == "begins - 0" and len(begun) == MOVES + 1 and all(
        line.startswith("begins 1 ") for line in begun[1:]), begun
    assert bed.lines()[-1] == f"end {digest_of(n)}"


def without_a_grace_it_has_what_it_saved_last(bed):
    n = 200
    step = bed.app(program(n, "often"))
    bed.wait_lines(step, 50)
    bed.freeze()
    done = bed.save()
    assert done.returncode == 0, done
    before = bed.lines()
    bed.kill(step)
    step = bed.again(bed.loaded())
    bed.finish(step)
    after = bed.lines()[len(before):]
    assert after[0].startswith("begins 1 "), after[:3]
    # One line may have been written, and not have been saved.
    begun = int(after[0].split()[2])
    assert begun >= len(before) - 3, (before[-3:], after[:3])
    assert after[1:] == [*map(str, range(begun, n)), f"end {digest_of(n)}"]


# As the C library leaves it, for as long as it takes to make a process.
FORKING = """#!/usr/bin/python3
import ctypes, platform, time
number = {"x86_64": 14, "aarch64": 135}[platform.machine()]
assert ctypes.CDLL(None).syscall(number, 0, bytes([255] * 8), 0, 8) == 0
while True:
    print("x", flush=True)
    time.sleep(0.01)
"""


def who_does_not_listen_is_not_woken(bed):
    for text in (program(300, "deaf"), "#!/bin/sh\nwhile echo x\ndo sleep "
                 "0.01\ndone\n", FORKING):
        step = bed.app(text)
        bed.wait_lines(step, 10)
        bed.freeze()
        before, began = bed.lines(), time.monotonic()
        done = bed.told()
        assert done.returncode == 0 and bed.lines() == before, done
        assert time.monotonic() - began < 30
        bed.thaw()
        bed.wait_lines(step, len(before) + 5)
        bed.kill(step)


def another_signal_and_a_script_around_it(bed):
    """The shell has no handler, and lives on."""
    n = 200
    text = ("#!/bin/bash\ncat >prog <<'END'\n" + program(n, number="USR1") +
            "END\npython3 prog\necho script $?\n")
    step = bed.app(text)
    bed.wait_lines(step, 50)
    bed.freeze()
    assert bed.told().returncode == 0
    assert "script 0" not in bed.lines()
    assert bed.told(number=signal.SIGUSR1).returncode == 0
    bed.kill(step)
    step = bed.again(bed.loaded())
    bed.finish(step)
    assert counted(bed, n), bed.lines()


def one_that_ended_of_it_is_not_done(bed):
    step = bed.app(program(1000))
    bed.wait_lines(step, 10)
    bed.freeze()
    assert bed.told().returncode == 0
    bed.thaw()
    bed.finish(step, status=REQUEUE)
    # One that goes on is, when it is.
    step = bed.app(program(200, "stays"))
    bed.wait_lines(step, 10)
    bed.freeze()
    done = bed.save(f"--signal={int(signal.SIGTERM)}", "--grace=2s")
    assert done.returncode == 0, done
    bed.thaw()
    bed.finish(step)
    assert counted(bed, 200), bed.lines()


def it_runs_no_longer_than_the_grace(bed):
    step = bed.app(program(100000, "stays"))
    bed.wait_lines(step, 10)
    bed.freeze()
    before, began = len(bed.lines()), time.monotonic()
    done = bed.save(f"--signal={int(signal.SIGTERM)}", "--grace=2s")
    took = time.monotonic() - began
    assert done.returncode == 0 and 2 <= took < 30, (took, done)
    ran = len(bed.lines()) - before
    # At its own pace it would be 200.
    assert ran < 100, ran
    time.sleep(0.2)
    assert len(bed.lines()) - before == ran
    bed.kill(step)


FILES = r"""#!/bin/bash
cd /tmp
umask 022
mkdir -p 'a dir/deep' closed
echo one > 'a dir/deep/one'
: > empty
head -c 300000 /dev/urandom > large
ln -s large link
ln -s /nowhere/at/all broken
echo script > run; chmod 0751 run
echo s > setuid; chmod 4755 setuid
mkfifo pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
echo shut > closed/in; chmod 0400 closed/in; chmod 0500 closed
mkdir /var/tmp/v; echo v > /var/tmp/v/v
echo home > /home/job/.rc
echo shm > /dev/shm/not
touch -d '2001-02-03 04:05:06.789' large 'a dir'
cat > look <<'END'
cd /tmp
find . /var/tmp/v /home/job ! -name look -printf '%p %M %s %l\n' | grep -v -e ' s' -e ' p' |
	sed -e 's/^\([^ ]* d[^ ]*\) [0-9]* /\1/' | sort
find . -type f ! -name look -exec sha256sum {} + | sort
stat -c '%n %y' large 'a dir' /tmp/run | cut -c1-30
END
sh look > {work}/before
ls -a /dev/shm
echo there
sleep 300
"""


def files_are_what_they_were(bed):
    step = bed.app(FILES.replace("{work}", str(bed.work)))
    wait_until(lambda: "there" in bed.lines(), "files")
    bed.freeze()
    done = bed.save()
    assert done.returncode == 0, done
    bed.kill(step)
    _, record, _ = bed.parts()
    names = re.findall(r"^entry=\w+ \w+ \d+ \d+ \d+ \d+ \d+ (.*)$", record,
                       re.M)
    assert "/home/job/.rc" in names and "/var/tmp/v/v" in names, names
    assert not [n for n in names if "/not" in n or n == "/home/job" or
                n.startswith(str(bed.work)) or n.endswith(("sock", "pipe"))]
    step = bed.again(bed.loaded(), "-U", "job")
    # The script is the same, and makes nothing twice.
    step.kill()
    step.communicate()
    bed.sweep()
    bed.script.write_text("#!/bin/sh\nls -A /dev/shm; sh /tmp/look > "
                          f"{bed.work}/after\n")
    step = bed.again(bed.loaded())
    bed.finish(step)
    before = read(bed.work / "before").replace("-rwsr-xr-x", "-rwxr-xr-x")
    assert before == read(bed.work / "after") and before.count("\n") > 10, \
        (before, read(bed.work / "after"))


def periodic_images_let_it_run_on(bed):
    n = 300
    step = bed.app(program(n, "often"))
    bed.wait_lines(step, 50)
    bed.freeze()
    done = bed.save("--cause=periodic")
    assert done.returncode == 0, done
    bed.thaw()
    bed.wait_lines(step, len(bed.lines()) + 20)
    bed.kill(step)
    before = len(bed.lines())
    step = bed.again(bed.loaded())
    bed.finish(step)
    after = bed.lines()[before:]
    begun = int(after[0].split()[2])
    assert 0 < begun < before and after[1:] == [
        *map(str, range(begun, n)), f"end {digest_of(n)}"], after[:3]


def one_that_was_not_stopped_is_not_saved(bed):
    step = bed.app(program(100))
    bed.wait_lines(step, 10)
    refused(bed, bed.told(), "has not been stopped", FAILED)
    assert not bed.left()
    bed.finish(step)


def what_it_can_not_read_is_named(bed):
    """Half of its files is nothing that a program could know."""
    for mode, what in (("0300", "shut"), ("0100", "shut"), ("0755", "deaf")):
        step = bed.app("#!/bin/sh\ncd /tmp; mkdir shut; echo x > shut/x; "
                       "echo y > deaf; chmod 0200 deaf; "
                       f"chmod {mode} shut; [ {what} = deaf ] || rm -f deaf; "
                       "echo there; sleep 300\n")
        wait_until(lambda: "there" in bed.lines(), "files")
        bed.freeze()
        refused(bed, bed.save(), f"/tmp/{what}: Permission denied", FAILED)
        bed.kill(step)


def save_a_little(bed):
    step = bed.app("#!/bin/sh\ncd /tmp; mkdir d; echo one > d/one; echo two > "
                   "two; ln -s two link; echo there; sleep 300\n")
    wait_until(lambda: "there" in bed.lines(), "files")
    bed.freeze()
    done = bed.save()
    assert done.returncode == 0, done
    bed.kill(step)
    return bed.parts()


def refused_and_gone(bed, reason, status=UNFIT, **more):
    folder = bed.folder()
    refused(bed, bed.load(folder, **more), reason, status)
    assert not list(folder.iterdir()), list(folder.iterdir())


def entry(how="copy", path="/tmp/x", mode=0o644, length=0, opened="closed"):
    return f"entry={how} {opened} {mode} {length} 5 0 0 {path}\n"


# What a machine that nobody controls may say, and what is said to that.
HOSTILE = {
    "a file of the machine's": (entry(path="/etc/passwd"), "job's own"),
    "a working folder's": (entry(path="/var/lib/x/y"), "job's own"),
    "the folder itself": (entry("folder", "/tmp", 0o755), "job's own"),
    "another's home": (entry("folder", "/home/root", 0o755), "job's own"),
    "shared memory": (entry(path="/dev/shm/x"), "job's own"),
    "a way out": (entry(path="/tmp/../etc/x"), "not "),
    "a relative name": (entry(path="tmp/x"), "not "),
    "an empty part": (entry(path="/tmp//x"), "not "),
    "a dot": (entry(path="/tmp/./x"), "not "),
    "a control character": (entry(path="/tmp/x\x1b[1m"), "not "),
    "an endless path": (entry(path="/tmp/" + "x/" * 300 + "x"), "not "),
    "an endless name": (entry(path="/tmp/" + "x" * 256), "too long a name"),
    "through a link": (entry(path="/tmp/link/x"), "no folder of the list"),
    "through a file": (entry(path="/tmp/two/x"), "no folder of the list"),
    "in a folder that is none": (entry(path="/tmp/none/x"),
                                 "no folder of the list"),
    "before its folder": (entry(path="/tmp/e/x") +
                          entry("folder", "/tmp/e", 0o755),
                          "no folder of the list"),
    "twice": (entry(path="/tmp/two"), "twice"),
    "a link in place of a folder": (entry("target", "/tmp/d", 0o777, 4),
                                    "copies of files"),
    "setuid": (entry(mode=0o4755), "permissions"),
    "setgid": (entry(mode=0o2755), "permissions"),
    "a sticky folder": (entry("folder", mode=0o1777), "permissions"),
    "more permissions than there are": (entry(mode=0o10644), "not "),
    "a device": (entry("device"), "not "),
    "a pipe": (entry("other"), "no file, folder or link"),
    "a file without contents": (entry("stat"), "no file, folder or link"),
    "a sum": (entry("sum"), "no file, folder or link"),
    "an open file": (entry(opened="write"), "is open"),
    "a folder with a length": (entry("folder", length=1), "a length"),
    "a link to nothing": (entry("target"), "leads nowhere"),
    "more than there is": (entry(length=1 << 40), "copies of files"),
    "a length that is none": (entry(length=1 << 63), "not "),
    "a line that is none": ("entry=copy\n", "not "),
    "a mount": ("mount=/campaign\n", "mounts"),
    "an output": ("output=0 /etc/passwd\n", "output"),
    "a second job": ("job=8\n", "job"),
}


def hostile_lists_are_refused(bed):
    manifest, record, data = save_a_little(bed)
    for what, (line, reason) in HOSTILE.items():
        bed.write_parts(manifest, record + line, data)
        try:
            refused_and_gone(bed, reason)
        except AssertionError as e:
            raise AssertionError(f"{what}: {e}") from e
    bed.write_parts(manifest, record, data)
    bed.loaded()


def hostile_manifests_are_refused(bed):
    manifest, record, data = save_a_little(bed)
    file = manifest["files"][0]
    core = {"name": "core-1.img", "bytes": 0}
    place = {"target": "/tmp", "kind": "tmpfs", "key": "", "flags": 0}
    rows = [
        ({"processes": 1}, "is of processes"),
        ({"memory": 1}, "no memory"),
        ({"places": [place]}, "no mounts"),
        ({"outputs": [{"path": "/etc/passwd", "bytes": 0}]}, "no output"),
        ({"files": [core, file]}, "no other"),
        ({"files": [core]}, "no other"),
        ({"files": []}, "copies of files"),
        ({"uid": UID + 1}, "of user"),
        ({"gid": UID + 1}, "of user"),
        ({"job": 8}, "of step 8."),
        ({"cluster": "bar"}, 'of cluster "bar"'),
        ({"id_base": 1}, "ids"),
        ({"files": [dict(file, bytes=file["bytes"] + 1)]}, ""),
        ({"files": [dict(file, sha256="0" * 64)]}, "manifest"),
        ({"version": 1}, "version"),
        ({"files": [dict(file, name="../x")]}, ""),
    ]
    for change, reason in rows:
        bed.write_parts({**manifest, **change}, record, data)
        try:
            refused_and_gone(bed, reason)
        except AssertionError as e:
            raise AssertionError(f"{change}: {e}") from e
    # Contents that are others.
    bed.write_parts(manifest, record, bytes(len(data)))
    # A link whose target has NULs in it is found where it is made.
    bed.script.write_text("#!/bin/sh\nls -A /tmp /home/job; echo "
                          "$VOLUNTEER_RESTORED\n")
    step = bed.again(bed.loaded())
    out, err = step.communicate(timeout=60)
    assert step.returncode == 0 and "not brought: /tmp/link: " in \
        read(bed.out), (out, err)
    # Nor is anything else of it there.
    assert bed.lines()[-4:] == ["/home/job:", "", "/tmp:", ""], bed.lines()


def processes_are_not_taken_for_files(bed):
    manifest, record, data = save_a_little(bed)
    bed.places.write_text("/usr 7\n")
    folder = bed.folder()
    refused(bed, bed.fetch(folder), "has no processes")
    assert not list(folder.iterdir())
    bed.write_parts(manifest, record, data[:-1])
    refused_and_gone(bed, "no whole image")
    bed.write_parts(manifest, record, data + b"x")
    refused_and_gone(bed, "behind its end")


def what_has_no_room_is_not_for_this_machine(bed):
    step = bed.app("#!/bin/sh\nhead -c 3000000 /dev/zero > /tmp/x; echo "
                   "there; sleep 300\n")
    wait_until(lambda: "there" in bed.lines(), "a file")
    bed.freeze()
    assert bed.save().returncode == 0
    bed.kill(step)
    small = bed.images / "small-walls"
    small.write_text(re.sub("scratch=.*", "scratch=2000000",
                            bed.walls.read_text()))
    refused_and_gone(bed, "more than the 2000000 bytes", walls=small)
    bed.loaded()


def a_list_that_can_not_be_made_leaves_nothing(bed):
    """A home that is not its own."""
    manifest, record, data = save_a_little(bed)
    bed.write_parts(manifest, record + entry("folder", "/home/other/x",
                                             0o755), data)
    bed.script.write_text("#!/bin/sh\nls -A /tmp; echo "
                          "\"restored $VOLUNTEER_RESTORED\"\n")
    step = bed.again(bed.loaded())
    step.communicate(timeout=60)
    assert "not brought: /home/other/x: " in read(bed.out), bed.lines()
    assert bed.lines()[-1] == "restored ", bed.lines()
    assert "two" not in bed.lines()


def a_home_that_is_the_machines_is_left_alone(bed):
    """Where it was made it was the job's own."""
    home = pathlib.Path(f"/home/voltest-{os.getpid()}")
    manifest, record, data = save_a_little(bed)
    bed.write_parts(manifest, record + entry("folder", f"{home}/d", 0o755),
                    data)
    folder = bed.loaded()
    bed.script.write_text("#!/bin/sh\nls -A /tmp; echo "
                          f"\"$(ls -d {home}) $VOLUNTEER_RESTORED\"\n")
    texts = {walls: walls.read_text() for walls in (bed.walls, bed.others)}
    home.mkdir()
    os.chown(home, UID, UID)
    try:
        for walls, text in texts.items():
            walls.write_text(f"{text}work={home}\n")
        step = bed.again(folder)
        step.communicate(timeout=60)
        assert f"not brought: {home}/d: there is a folder of the machine's" \
            in read(bed.out), bed.lines()
        assert bed.lines()[-1] == f"{home} " and "two" not in bed.lines()
        assert not list(home.iterdir())
    finally:
        for walls, text in texts.items():
            walls.write_text(text)
        home.rmdir()


def what_goes_past_the_judge_is_judged_again(bed):
    """By whoever makes the files, too."""
    _, record, _ = save_a_little(bed)
    folder = bed.loaded()
    good = contents(folder)
    for line, reason in ((entry(path="/etc/passwd"), "job's own"),
                         (entry(path="/tmp/link/x"), "no folder")):
        (folder / "step").write_text(record + line)
        step = bed.again(folder)
        step.communicate(timeout=60)
        assert step.returncode == 120 and reason in bed.lines()[-1], \
            bed.lines()
    (folder / "step").write_text(record)
    assert contents(folder) == good


if __name__ == "__main__":
    if not pathlib.Path(IMAGE).exists() or not os.access(IMAGE, os.X_OK):
        skip("slurm-volunteer-image is not built")
    the_bed = AppBed()
    if not the_bed.require():
        the_bed.close()
        skip("no ids of a job's own on this machine")
    main(the_bed, [it_saves_itself_and_goes_on,
                   without_a_grace_it_has_what_it_saved_last,
                   who_does_not_listen_is_not_woken,
                   another_signal_and_a_script_around_it,
                   one_that_ended_of_it_is_not_done,
                   it_runs_no_longer_than_the_grace,
                   files_are_what_they_were,
                   periodic_images_let_it_run_on,
                   one_that_was_not_stopped_is_not_saved,
                   what_it_can_not_read_is_named,
                   hostile_lists_are_refused,
                   hostile_manifests_are_refused,
                   processes_are_not_taken_for_files,
                   what_has_no_room_is_not_for_this_machine,
                   a_list_that_can_not_be_made_leaves_nothing,
                   a_home_that_is_the_machines_is_left_alone,
                   what_goes_past_the_judge_is_judged_again])
