# SPDX-License-Identifier: GPL-2.0-or-later
"""htcondor.py - a pool of HTCondor in containers: a manager and one desktop

As Debian 13 packages it, with HTCondor's own policy for desktops; what differs
from the packaged settings, and why, is in htcondor/desk.conf.
"""
import pathlib
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent / "htcondor"
CLUSTER = HERE.parents[2] / "docker" / "cluster"
IMAGE = "slurm-volunteer-peer-htcondor:trixie"
NAME = "volbench-htcondor"
KEYBOARD = "/dev/owner"
SCIENTIST = 1000

JOB = """\
executable = /usr/local/bin/tasks
transfer_executable = false
log = /tmp/job.log
queue
"""


def docker(*argv, timeout=120, **options):
    """Run docker; returns its output."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True,
                          timeout=timeout, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(argv)}: {done.stdout}"
                           f"{done.stderr}")
    return done.stdout.strip()


def build():
    """The image, on the same debian:trixie as our own."""
    subprocess.run([str(CLUSTER), "base", "--debian", "trixie"], check=True,
                   timeout=900, stdout=subprocess.DEVNULL)
    docker("build", "--quiet", "--tag", IMAGE, str(HERE), timeout=900)


class Pool:
    """A pool for a with statement; settings: more .conf files for the desk."""

    def __init__(self, *settings):
        self.settings = settings
        self.desk = f"{NAME}-desk"
        self.manager = f"{NAME}-manager"

    def __enter__(self):
        self.remove()
        build()
        docker("network", "create", NAME)
        try:
            self.start(self.manager, "manager")
            self.start(self.desk, "desk", *self.settings)
            self.wait("a slot is unclaimed", lambda: "Unclaimed" in docker(
                "exec", self.manager, "condor_status", "-af", "State"), 60)
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    @staticmethod
    def start(name, role, *settings):
        docker("run", "--detach", "--name", name, "--hostname", role,
               "--network", NAME, "--network-alias", role,
               # To be punctual, and to look into daemons; both are ours.
               "--cap-add", "SYS_NICE", "--cap-add", "SYS_PTRACE",
               IMAGE, role, *settings)

    def remove(self):
        for name in (self.desk, self.manager):
            if docker("ps", "--all", "--quiet", "--filter", f"name=^{name}$"):
                docker("rm", "--force", "--volumes", name)
        if docker("network", "ls", "--quiet", "--filter", f"name=^{NAME}$"):
            docker("network", "rm", NAME)

    def run_job(self):
        """Start the job and wait until its processes are there."""
        docker("exec", "--interactive", "--user", str(SCIENTIST), "--workdir",
               "/tmp", self.manager, "condor_submit", "-", input=JOB)
        self.wait("the job runs", lambda: docker(
            "exec", self.desk, "sh", "-c",
            f"pgrep -u {SCIENTIST} -x tasks || true"), 120)

    @staticmethod
    def wait(what, test, timeout):
        end = time.monotonic() + timeout
        last = ""
        while time.monotonic() < end:
            try:
                if test():
                    return
            except RuntimeError as error:  # a daemon that does not listen yet
                last = error
            time.sleep(0.5)
        raise RuntimeError(f"HTCondor, not within {timeout} s: {what} {last}")
