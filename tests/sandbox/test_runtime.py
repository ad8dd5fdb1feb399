#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An image file is a job's system if it is what its name says, and with it the
job goes on where the machine's own files are others."""
import contextlib
import hashlib
import os
import pathlib
import random
import re
import shutil
import stat
import subprocess
import time

from bed import BUILD, LIBC, MNT_DETACH, PROGRAMS, UID, main, read, skip
from ckptbed import probe, wait_until
from test_carry import COUNT, IMAGE, JOB, CarryBed, refused_and_gone

MAKE = pathlib.Path(__file__).resolve().parents[2] / "discoveryd/make-runtime"
PROGRAM = (BUILD / "../../discoveryd/slurm-volunteer-runtime").resolve()
RUN = pathlib.Path(os.environ.get("VOLTEST_RUN_DIR", "/run/slurm-volunteer"))
PLACE = RUN / "runtime"
INIT = "slurm-volunteer-init"
BROKEN = 2
# <sys/mount.h>
MS_BIND = 0x1000
MAKERS = {"erofs": "mkfs.erofs", "squashfs": "mksquashfs"}
PROGRAMS_INSIDE = ("bash", "cat", "ls", "seq", "sleep", "sh", "stat", "touch")


def mount(source, target, kind=None, flags=MS_BIND):
    assert LIBC.mount(bytes(source), bytes(target), kind, flags, None) == 0, \
        target


# -- images -------------------------------------------------------------------

def unpack(root):
    """A system of a few programs; beside it, a process 1 that is not this
    machine's."""
    for name in ("etc", "usr/bin"):
        (root / name).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/of-the-image").mkdir()
    (root / "usr/device").mkdir()
    os.mknod(root / "usr/device/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    for name in PROGRAMS_INSIDE:
        program = os.path.realpath(shutil.which(name))
        shutil.copy(program, root / "usr/bin" / name)
        needs = subprocess.run(["ldd", program], capture_output=True,
                               text=True, check=True).stdout
        for path in re.findall(r"/\S+", needs):
            to = root / os.path.realpath(os.path.dirname(path)).lstrip("/") / \
                os.path.basename(path)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    # Where the machine has links.
    for name in ("lib", "lib64"):
        if os.path.islink(f"/{name}") and not (root / name).exists():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    other(PROGRAMS / INIT, root.parent / INIT)


def other(path, to):
    """Does the same, and is not the same."""
    shutil.copy(path, to)
    with open(to, "ab") as out:
        out.write(b"\n")
    return to


def make_file(root, folder, kind):
    done = subprocess.run([str(MAKE), "-t", kind, "-i", str(root.parent / INIT),
                           str(root), str(folder)], check=False,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done
    path = pathlib.Path(done.stdout.strip())
    assert path.name == f"{hashlib.sha256(path.read_bytes()).hexdigest()}." \
        f"{kind}" and path.parent == folder, done
    assert not list(folder.glob("new*"))
    return path


def place(path, check=True):
    done = subprocess.run([str(PROGRAM), "-d", str(PLACE), str(path)],
                          check=False, capture_output=True, text=True,
                          timeout=60)
    if check:
        assert done.returncode == 0 and not done.stdout + done.stderr, done
    return done


def clear():
    done = subprocess.run([str(PROGRAM), "-d", str(PLACE), "-c"], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stdout, done


def mounted():
    """What of PLACE is mounted: digest -> (options, kind), each once."""
    found = {}
    for line in read("/proc/self/mountinfo").splitlines():
        words = line.split()
        if words[4].startswith(f"{PLACE}/"):
            name = os.path.basename(words[4])
            assert name not in found, line
            found[name] = words[5].split(","), words[words.index("-") + 1]
    return found


def loops(path):
    """Loop devices of that file."""
    return [p for p in pathlib.Path("/sys/block").glob("loop*/loop") if
            read(p / "backing_file").strip() == str(path)]


# -- in its place -------------------------------------------------------------

def what_is_not_its_name_is_refused(bed):
    for path in bed.files.values():
        def refuse(reason, to):
            done = place(to, check=False)
            assert done.returncode == BROKEN, (reason, done)
            assert reason in done.stdout and done.stdout.count("\n") == 1 \
                and done.stdout.strip().isprintable(), (reason, done)
            assert not mounted(), mounted()
        data = path.read_bytes()
        own = hashlib.sha256(data).hexdigest()
        name = f"{'0' * 64}{path.suffix}"
        wrong = path.with_name(name)
        wrong.write_bytes(data)
        refuse(f"is not what its name says: its SHA-256 is {own}", wrong)
        wrong.write_bytes(b"")
        refuse("not what its name says", wrong)
        wrong.unlink()
        wrong.symlink_to(path)
        refuse("symbolic link", wrong)
        wrong.unlink()
        wrong.mkdir()
        refuse("not a file", wrong)
        wrong.rmdir()
        os.mkfifo(wrong)
        refuse("not a file", wrong)
        wrong.unlink()
        refuse("No such file", wrong)
        refuse("named by its SHA-256", path.with_name(f"lab{path.suffix}"))
        refuse("neither .squashfs nor .erofs", path.with_suffix(".ext4"))
        at = len(data) // 2
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        refuse("not what its name says", path)
        path.write_bytes(data)
        path.chmod(0o664)
        refuse("others than its owner may write", path)
        path.chmod(0o644)
        os.chown(path, UID, UID)
        refuse("a stranger", path)
        os.chown(path, 0, 0)
    # Its name says what it is, and it is no file system.
    for kind in bed.files:
        junk = random.Random(1).randbytes(100000)
        path = bed.folder_of_files / \
            f"{hashlib.sha256(junk).hexdigest()}.{kind}"
        path.write_bytes(junk)
        refuse(kind, path)
        wait_until(lambda p=path: not loops(p), "no loop device")
        path.unlink()


def it_is_mounted_once_and_taken_away(bed):
    clear()
    for path in bed.files.values():
        place(path)
        place(path)
        for option in ("ro", "nosuid", "nodev"):
            assert option in mounted()[path.stem][0], mounted()
        assert mounted()[path.stem][1] == path.suffix[1:]
        assert len(loops(path)) <= 1
    # Others stay: jobs may have them.
    assert len(mounted()) == len(bed.files)
    clear()
    assert not mounted() and not list(PLACE.iterdir())
    for path in bed.files.values():
        wait_until(lambda p=path: not loops(p), "no loop device")
    clear()


def what_else_lies_there_is_replaced(bed):
    path = bed.file
    for _ in range(2):
        target = PLACE / path.stem
        target.mkdir(parents=True, exist_ok=True)
        mount(b"x", target, b"tmpfs", 0)
        mount(b"x", target, b"tmpfs", 0)
        (target / "usr").mkdir()
        place(path)
        assert list(mounted()) == [path.stem]
        assert (target / "usr/of-the-image").is_dir()
        # So is the right one, if it can be written to.
        LIBC.umount2(bytes(target), MNT_DETACH)
    clear()


def one_that_is_killed_leaves_all_or_nothing(bed):
    rng = random.Random(7)
    for path in bed.files.values():
        begin = time.monotonic()
        place(path)
        took = time.monotonic() - begin
        states = set()
        for _ in range(40):
            clear()
            with subprocess.Popen([str(PROGRAM), "-d", str(PLACE),
                                   str(path)]) as run:
                time.sleep(rng.uniform(0, took))
                run.kill()
            states.add(bool(mounted()))
            wait_until(lambda p=path: len(loops(p)) <= len(mounted()),
                       "no loop device but of the mount")
            place(path)
            assert list(mounted()) == [path.stem]
            assert (PLACE / path.stem / "usr/of-the-image").is_dir()
        assert False in states, "it was never killed in time"
    clear()


# -- a job's system -----------------------------------------------------------

@contextlib.contextmanager
def system(bed, path, read_also=""):
    """Jobs have it, on this machine and on the other."""
    place(path)
    before = {walls: walls.read_text() for walls in (bed.walls, bed.others)}
    for walls, text in before.items():
        walls.write_text(text.replace("read=/usr\n", read_also).replace(
            "image=\n", f"image={PLACE / path.stem}\n"))
    try:
        yield
    finally:
        for walls, text in before.items():
            walls.write_text(text)


def the_image_is_all_there_is(bed):
    for path in bed.files.values():
        with system(bed, path):
            assert bed.probe()[0] in (0, 1), bed.probe()
            done = bed.sh("ls -d /usr/of-the-image /usr/bin/env /usr/share; "
                          "touch /usr/x /etc/x /x; cat /usr/device/null; "
                          f"cat /proc/self/mountinfo; stat -c %s /run/{INIT}")
            *there, size = done.stdout.splitlines()
            assert there[0] == "/usr/of-the-image", done
            assert done.stderr.count("No such file") == 2, done
            assert done.stderr.count("Read-only file system") == 3, done
            assert done.stderr.count("Permission denied") == 1, done
            shown = [line.split() for line in there[1:]
                     if f" - {path.suffix[1:]} " in line]
            assert "/usr" in [words[4] for words in shown], done
            for words in shown:
                assert {"ro", "nosuid", "nodev"} <= set(words[5].split(",")), \
                    words
            # Process 1 is the image's.
            assert int(size) == (PROGRAMS / INIT).stat().st_size + 1, done
    clear()


def it_outlives_its_place(bed):
    """What a job has it keeps."""
    with system(bed, bed.file):
        with bed.start("/bin/bash", "-c", "until [ -e go ]; do sleep 0.05; "
                       "done; ls -d /usr/of-the-image") as step:
            wait_until(lambda: bed.tasks(step), "a task")
            clear()
            assert not mounted()
            (bed.work / "go").touch()
            out, err = step.communicate(timeout=60)
        (bed.work / "go").unlink()
    assert (step.returncode, out) == (0, "/usr/of-the-image\n"), (out, err)
    for path in bed.files.values():
        wait_until(lambda p=path: not loops(p), "no loop device")


# -- a job that moves ---------------------------------------------------------

def libc():
    maps = read("/proc/self/maps")
    return pathlib.Path(re.search(r"(/\S*/libc\.so\.6)$", maps, re.M)[1])


@contextlib.contextmanager
def another_machine(bed):
    """Its C library and our process 1 are not the same files."""
    changed = [libc(), PROGRAMS / INIT]
    for path in changed:
        mount(other(path, bed.images / path.name), path)
    try:
        yield
    finally:
        for path in changed:
            LIBC.umount2(bytes(path), MNT_DETACH)
            (bed.images / path.name).unlink()


def goes_on(bed, n=100):
    folder = bed.folder()
    done = bed.fetch(folder)
    assert done.returncode == 0, done
    step = bed.restore(folder, "-j", str(JOB), frozen=True)
    lines = bed.finish(step, log=folder).splitlines()
    assert lines[0] == lines[-1] and lines[0].startswith("I am "), lines
    assert lines[1:-1] == [str(i) for i in range(1, n + 1)], lines


def without_it_the_job_stays_where_its_files_are(bed):
    bed.begin_and_save()
    with another_machine(bed):
        refused_and_gone(bed, "mapped, which is another one here")
    with system(bed, bed.file):
        refused_and_gone(bed, "the job has a machine's own system, and jobs "
                         f"here runtime image {bed.file.stem[:12]}")


def with_it_the_job_goes_on(bed):
    for path in bed.files.values():
        with system(bed, path):
            bed.begin_and_save()
            with another_machine(bed):
                goes_on(bed)
    clear()


def one_image_is_not_another(bed):
    with system(bed, bed.file):
        bed.begin_and_save()
    refused_and_gone(bed, f"the job has runtime image {bed.file.stem[:12]} as "
                     "its system, and this machine has none")
    for path in bed.files.values():
        if path != bed.file:
            with system(bed, path):
                refused_and_gone(bed, "as its system, and jobs here have "
                                 f"{path.stem[:12]}")
    # One that is another one by name only is another one.
    root = bed.folder_of_files / "root"
    (root / "usr/more").mkdir()
    path = make_file(root, bed.folder_of_files, bed.file.suffix[1:])
    (root / "usr/more").rmdir()
    with system(bed, path):
        refused_and_gone(bed, "and jobs here have")
    clear()


def a_job_is_of_the_image_that_it_began_with(bed):
    """Whatever others have when it is saved."""
    root = bed.folder_of_files / "root"
    (root / "usr/later").mkdir()
    later = make_file(root, bed.folder_of_files, bed.file.suffix[1:])
    (root / "usr/later").rmdir()
    with system(bed, bed.file):
        step = bed.begin(100)
        bed.note_places(step)
    with system(bed, later):
        bed.freeze()
        done = bed.store()
        assert done.returncode == 0, done
        bed.kill(step)
        refused_and_gone(bed, f"runtime image {bed.file.stem[:12]} as its "
                         f"system, and jobs here have {later.stem[:12]}")
    with system(bed, bed.file):
        goes_on(bed)
    clear()


def what_is_added_to_it_is_looked_at(bed):
    """A program in a folder that the machine opens besides."""
    folder = pathlib.Path(f"/opt/voltest-{os.getpid()}")
    folder.mkdir(parents=True)
    program = folder / "wait"
    shutil.copy(shutil.which("sleep"), program)
    text = COUNT.replace("{n}", "100").replace(
        "for", f"{program} 1000 &\nfor", 1) + "kill %1\n"
    try:
        with system(bed, bed.file, read_also=f"read={folder}\n"):
            step = bed.fresh(text, "-j", str(JOB), frozen=True)
            wait_until(lambda: len(read(bed.out).splitlines()) > 5,
                       "progress")
            bed.note_places(step)
            bed.freeze()
            done = bed.store()
            assert done.returncode == 0, done
            bed.kill(step)
            mount(other(program, bed.images / "wait"), program)
            try:
                refused_and_gone(bed, f'"{program}'[:20])
            finally:
                LIBC.umount2(bytes(program), MNT_DETACH)
            goes_on(bed)
    finally:
        shutil.rmtree(folder)
    clear()


# -----------------------------------------------------------------------------

class RuntimeBed(CarryBed):
    """Has an image of each kind that can be made and mounted here."""

    def __init__(self):
        super().__init__("runtime")
        made = not RUN.exists()
        RUN.mkdir(parents=True, exist_ok=True)
        # discoveryd's own, if there is one, is none of ours.
        mount(b"runtime", RUN, b"tmpfs", 0)
        self.made = RUN if made else None
        self.folder_of_files = pathlib.Path(f"{self.work}.files")
        root = self.folder_of_files / "root"
        unpack(root)
        self.files = {kind: make_file(root, self.folder_of_files, kind)
                      for kind in MAKERS if self.can(kind)}
        self.file = next(iter(self.files.values()), None)

    @staticmethod
    def can(kind):
        reason = None
        if not shutil.which(MAKERS[kind]):
            reason = f"no {MAKERS[kind]}"
        elif f"\t{kind}\n" not in read("/proc/filesystems") and \
                subprocess.run(["modprobe", kind], check=False,
                               stderr=subprocess.DEVNULL).returncode:
            reason = "not in this kernel"
        elif kind == "squashfs" and not os.path.exists("/dev/loop-control"):
            reason = "no loop devices"
        if reason:
            print(f"        without {kind}: {reason}", flush=True)
        return not reason

    def close(self):
        clear()
        LIBC.umount2(bytes(RUN), MNT_DETACH)
        if self.made:
            self.made.rmdir()
        shutil.rmtree(self.folder_of_files)
        super().close()


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK) or not os.access(IMAGE, os.X_OK):
        skip("slurm-volunteer-runtime or -image is not built")
    the_bed = RuntimeBed()
    if not the_bed.files:
        the_bed.close()
        skip("no image file can be mounted on this machine")
    if not the_bed.require():
        the_bed.close()
        skip("no ids of a job's own on this machine")
    tests = [what_is_not_its_name_is_refused,
             it_is_mounted_once_and_taken_away,
             what_else_lies_there_is_replaced,
             one_that_is_killed_leaves_all_or_nothing,
             the_image_is_all_there_is, it_outlives_its_place]
    if probe().returncode == 0:
        tests += [without_it_the_job_stays_where_its_files_are,
                  with_it_the_job_goes_on, one_image_is_not_another,
                  a_job_is_of_the_image_that_it_began_with,
                  what_is_added_to_it_is_looked_at]
    else:
        print(f"        without jobs that move: {probe().stderr.strip()}")
    main(the_bed, tests)
