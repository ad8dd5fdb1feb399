# SPDX-License-Identifier: GPL-2.0-or-later
"""bed - run sandbox-try, and look for what is left when it has ended"""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

SKIP = 77
# <sched.h>, <sys/mount.h>
CLONE_NEWNS = 0x20000
MS_REC_SLAVE = 0x4000 | 0x80000
MNT_DETACH = 2
LIBC = ctypes.CDLL(None, use_errno=True)
BUILD = pathlib.Path.cwd()
TRY = BUILD / "sandbox-try"
PROGRAMS = (BUILD / "../../sandbox").resolve()
# Of this test program alone: others may run beside it.
UID = 40000 + os.getpid() % 20000
WALLS = """version=1
walls=yes
users={users}
uid_base={base}
uid_ranges=8
scratch=67108864
tasks=256
open_files=1024
network={network}
network_rate=4194304
image=
read=/usr
etc=alternatives
etc=ld.so.cache
etc=ssl/certs
work={work}
"""


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIP)


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def readlink(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def exit_signal(pid):
    """What a process's parent is told its end with, 0 for one that is gone."""
    stat = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(stat[38 - 3]) if stat else 0


def own_mounts():
    """What steps keep there is gone when we are."""
    if LIBC.unshare(CLONE_NEWNS) != 0 or \
            LIBC.mount(b"none", b"/", None, MS_REC_SLAVE, None) != 0:
        skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")


class Bed:
    """State, working folder, mounts and ids that no other test has."""

    def __init__(self, name, users="auto", network="none"):
        if os.geteuid() != 0:
            skip("needs root")
        own_mounts()
        os.environ.pop("LD_PRELOAD", None)
        # Leaks are for the units to find; here nothing may trace.
        os.environ["ASAN_OPTIONS"] = \
            "detect_leaks=0:verify_asan_link_order=0"
        self.base = 0x60000000 + os.getpid() % 1024 * 0x80000
        self.state = pathlib.Path(f"/run/slurm-voltest-{name}-{os.getpid()}")
        self.kept_etc = self.state / "private/etc"
        self.work = pathlib.Path(f"/var/lib/voltest-{name}-{os.getpid()}")
        self.work.mkdir(mode=0o755)
        os.chown(self.work, UID, UID)
        self.walls = self.work.with_suffix(".walls")
        self.walls.write_text(WALLS.format(base=self.base, work=self.work,
                                           users=users, network=network))

    def command(self, *args, n=1, options=()):
        return [str(TRY), "-u", str(UID), "-g", str(UID), "-n", str(n),
                "-S", str(self.state), "-C", str(self.work), *options,
                str(self.walls), "--", *args]

    def run(self, *args, n=1, options=(), timeout=60, **more):
        with self.start(*args, n=n, options=options, start_new_session=True,
                        **more) as step:
            try:
                out, err = step.communicate(timeout=timeout)
            except BaseException:
                # Also those that were not in their namespaces yet.
                os.killpg(step.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(step.args, step.returncode, out,
                                           err)

    def start(self, *args, n=1, options=(), **more):
        # Pipes: a log file would be output in no working folder.
        return subprocess.Popen(self.command(*args, n=n, options=options),
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def tasks(self, step):
        """What slurmstepd knows as tasks."""
        pid = step.pid
        below = read(f"/proc/{pid}/task/{pid}/children").split()
        return [int(p) for p in below
                if read(f"/proc/{p}/comm") in ("sandbox-try\n",
                                               "vol-supervise\n") and
                exit_signal(p) == signal.SIGCHLD]

    def sh(self, script, **more):
        return self.run("/bin/sh", "-c", script, **more)

    def probe(self):
        done = subprocess.run([str(TRY), "-S", str(self.state), "-p",
                               str(self.walls)], capture_output=True,
                              text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def require(self):
        """The walls, or a skip that says what this kernel lacks."""
        status, text = self.probe()
        if status not in (0, 1):
            self.close()
            skip(f"no sandbox on this machine: {text.strip()}")
        return status == 0

    def processes(self):
        """Ours: by program, or by an id of the ranges."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            exe = readlink(entry / "exe").removesuffix(" (deleted)")
            uid = re.search(r"^Uid:\s+(\d+)", read(entry / "status"), re.M)
            uid = int(uid[1]) if uid else 0
            mine = uid == UID or self.base <= uid < self.base + 8 * 65536
            if mine or exe.startswith(
                    (f"{PROGRAMS}/slurm-volunteer-", str(TRY))) and \
                    self.is_of_this_bed(entry):
                stat = read(entry / "stat")
                if stat and ") Z " not in stat:
                    found.append(stat.split(")")[0])
        return found

    def is_of_this_bed(self, entry):
        """Another test of ours may run beside us.  A broker has a folder of
        the bed's in its command line, whoever its parent is by now."""
        parent = re.search(r"^PPid:\s+(\d+)", read(entry / "status"), re.M)
        return self.is_named(entry) or \
            bool(parent) and self.is_named(f"/proc/{parent[1]}")

    def is_named(self, entry):
        words = read(f"{entry}/cmdline").split("\0")
        return any(word == str(self.state) or
                   word.startswith(f"{self.state}/") for word in words)

    def leftovers(self):
        left = [f"process {name}" for name in self.processes()]
        # Other mounts come and go on a machine: ours have these names.
        # One copy of /etc is kept for all steps.
        mounts = read("/proc/self/mountinfo").splitlines()
        kept = [m for m in mounts if m.split()[4] == str(self.kept_etc)]
        left += [f"mount {line}" for line in mounts
                 if line not in kept[:1] and
                 (str(self.state) in line or str(self.work) in line or
                  re.search(r" - tmpfs (hidden|root|scratch|dev) ",
                            line))]
        if self.state.exists():
            left += [f"file {p}" for p in self.state.rglob("*")
                     if self.kept_etc not in p.parents and p.name not in
                     ("ids", "root", "private", "proc", "etc", "steps")]
            ids = self.state / "ids"
            if ids.exists() and f":{ids.stat().st_ino} " in \
                    read("/proc/locks"):
                left.append("a locked range")
        return left

    def check_clean(self, what, seconds=10):
        deadline = time.monotonic() + seconds
        while self.leftovers():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: left: {self.leftovers()}")
            time.sleep(0.01)

    def forget_etc(self):
        """The next step makes another one."""
        while LIBC.umount2(bytes(self.kept_etc), MNT_DETACH) == 0:
            pass

    def close(self):
        self.forget_etc()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.work, ignore_errors=True)
        self.walls.unlink(missing_ok=True)


def main(bed, tests):
    """Run each test; its name is what it promises."""
    failed = 0
    # Ignored when we were started in the background, and then by tasks, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for test in tests:
            try:
                test(bed)
                bed.check_clean(test.__name__)
                print(f"ok      {test.__name__}", flush=True)
            except (AssertionError, subprocess.SubprocessError) as e:
                failed += 1
                print(f"FAILED  {test.__name__}: {e}", flush=True)
    finally:
        bed.close()
    sys.exit(1 if failed else 0)
