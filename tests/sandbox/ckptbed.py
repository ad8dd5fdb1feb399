# SPDX-License-Identifier: GPL-2.0-or-later
"""ckptbed - save a job and put it back, in a sandbox that plays another
machine each time: other ids, other state"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from bed import BUILD, PROGRAMS, UID, Bed, read, skip

PROGRAM = PROGRAMS / "slurm-volunteer-checkpoint"
CRIU = os.environ.get("VOLTEST_CRIU") or shutil.which("criu") or \
    "/usr/sbin/criu"
CGROUPS = [path for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
           if os.path.exists(f"{path}/cgroup.procs") and
           os.path.exists(f"{path}/cgroup.controllers")]
FAILED, UNMOVABLE = 1, 3


def wait_until(check, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what}: not after {seconds} s"
        time.sleep(0.005)


def probe(criu=CRIU):
    return subprocess.run([str(PROGRAM), "-c", criu, "probe"], check=False,
                          capture_output=True, text=True, timeout=60)


class CkptBed(Bed):
    def __init__(self, name, network="none"):
        super().__init__(name, network=network)
        text = self.walls.read_text().replace("uid_ranges=8", "uid_ranges=4")
        self.walls.write_text(text)
        self.others = self.walls.with_suffix(".others")
        self.others.write_text(text.replace(
            f"uid_base={self.base}", f"uid_base={self.base + 4 * 65536}"))
        self.images = pathlib.Path(f"/var/lib/slurm-voltest-{name}-{os.getpid()}")
        self.images.mkdir(mode=0o700)
        self.script = self.work.with_suffix(".script")
        self.out = self.work / "out"
        self.number = 0
        self.moves = 0
        self.cgroup = None
        self.cgroups, self.steps = [], []
        self.server = None

    def require_criu(self):
        done = probe()
        if done.returncode != 0:
            self.close()
            skip(f"no criu that can restore here ($VOLTEST_CRIU names "
                 f"another): {done.stderr.strip()}")
        # slurmstepd's view hides what is in folders that are not a system's.
        if not os.path.realpath(CRIU).startswith(("/usr/", "/opt/",
                                                  "/var/lib/")):
            self.close()
            skip(f"{CRIU}: must be below /usr, /opt or /var/lib")

    def close(self):
        self.sweep()
        super().close()
        shutil.rmtree(self.images, ignore_errors=True)
        self.script.unlink(missing_ok=True)
        self.others.unlink(missing_ok=True)

    def sweep(self):
        """What a test that failed has left."""
        if self.server:
            self.server.close()
        for step in self.steps:
            if step.poll() is None:
                step.kill()
                step.communicate(timeout=30)
        for self.cgroup in self.cgroups:
            if self.cgroup.exists():
                self.remove_cgroup()
        self.cgroup, self.cgroups, self.steps = None, [], []

    def put(self, text):
        self.sweep()
        self.script.write_text(text)
        self.script.chmod(0o500)
        for path in self.work.iterdir():
            shutil.rmtree(path) if path.is_dir() and \
                not path.is_symlink() else path.unlink()

    def make_cgroup(self):
        if not CGROUPS:
            return None
        self.cgroup = pathlib.Path(f"{CGROUPS[0]}/voltest-{os.getpid()}-"
                                   f"{self.number}-{self.moves}")
        self.cgroup.mkdir()
        self.cgroups.append(self.cgroup)
        return self.cgroup

    def remove_cgroup(self):
        if self.cgroup:
            wait_until(lambda: "populated 0" in
                       read(self.cgroup / "cgroup.events"), "cgroup is empty")
            self.cgroup.rmdir()
        self.cgroup = None

    def launch(self, *options, frozen=False, others=False, serve=False):
        cgroup = ("-G", str(self.make_cgroup())) if frozen else ()
        command = self.command(
            str(self.script), options=(
                "-s", str(self.script), "-o", str(self.out), "-M", "auto",
                "-K", CRIU, *cgroup, *options))
        if others:
            command[command.index(str(self.walls))] = str(self.others)
        server = subprocess.DEVNULL
        if serve:
            self.server, server = socket.socketpair(socket.AF_UNIX,
                                                    socket.SOCK_SEQPACKET)
            self.server.settimeout(60)
        self.steps.append(subprocess.Popen(
            command, stdin=server, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True))
        if serve:
            server.close()
        return self.steps[-1]

    def ask(self, *words):
        """Of a slurm-volunteer-checkpoint that serves."""
        self.server.send("".join(f"{word}\0" for word in words).encode())
        answer = self.server.recv(2048)
        return answer[0], answer[1:].decode()

    def fresh(self, text, *options, **more):
        self.put(text)
        return self.launch(*options, **more)

    def task(self, step):
        found = []

        def look():
            found[:] = [p for p in self.tasks(step)
                        if read(f"/proc/{p}/comm") == "vol-supervise\n"]
            return found or step.poll() is not None
        wait_until(look, "a task")
        assert found, step.communicate()
        return found[0]

    def folder(self):
        self.number += 1
        path = self.images / str(self.number)
        path.mkdir(mode=0o700)
        return path

    def dump(self, step, folder, *options, criu=CRIU, what=None):
        return subprocess.run(
            [str(PROGRAM), "-c", criu, *options, "dump",
             what or str(self.task(step)), str(folder)], check=False,
            capture_output=True, text=True, timeout=120)

    def pre(self, step, folder, *options):
        return subprocess.run(
            [str(PROGRAM), "-c", CRIU, *options, "pre", str(self.task(step)),
             str(folder)], check=False, capture_output=True, text=True,
            timeout=120)

    def save(self, step, *options):
        folder = self.folder()
        done = self.dump(step, folder, *options)
        assert done.returncode == 0, (done, read(folder / "dump.log")[-3000:])
        return folder

    def kill(self, step):
        os.kill(self.task(step), signal.SIGKILL)
        step.communicate(timeout=30)
        self.remove_cgroup()

    def freeze(self):
        (self.cgroup / "cgroup.freeze").write_text("1")
        wait_until(lambda: "frozen 1" in read(self.cgroup / "cgroup.events"),
                   "frozen")

    def restore(self, folder, *options, frozen=False):
        self.moves += 1
        return self.launch("-R", str(folder), *options, frozen=frozen,
                           others=self.moves % 2 == 1)

    def move(self, step, frozen=False):
        """Out of one sandbox, into another one."""
        if frozen:
            self.freeze()
            folder = self.save(step)
            before = self.out.read_bytes()
            time.sleep(0.1)
            assert self.out.read_bytes() == before, "it ran on"
        else:
            folder = self.save(step)
        self.kill(step)
        return folder, self.restore(folder, *(() if frozen else ("-b",)),
                                    frozen=frozen)

    def finish(self, step, status=0, log=None):
        out, err = step.communicate(timeout=60)
        self.remove_cgroup()
        said = read(log / "restore.log")[-3000:] if log else ""
        assert step.returncode == status, (step.returncode, out, err,
                                           read(self.out)[-500:], said)
        return read(self.out)

    def copy(self, name):
        shutil.copy(BUILD / name, self.work / name)
        os.chown(self.work / name, UID, UID)
