# SPDX-License-Identifier: GPL-2.0-or-later
"""lab.py - a LAN of containers as an object: run things, wait, break things"""
import json
import os
import pathlib
import re
import subprocess
import time

import agents

TOP = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = str(TOP / "docker" / "cluster")


class Failed(AssertionError):
    """A command in the lab ended with another status than expected."""


def checked(check, done):
    """What a command came to."""
    if check and done.returncode:
        raise Failed(f"{' '.join(done.args)}: status {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
    return done


class Lab:
    """One cluster made by docker/cluster under its own project name."""

    def __init__(self, project, subnet):
        self.project = project
        self.env = dict(os.environ, COMPOSE_PROJECT_NAME=project,
                        VOLUNTEER_SUBNET=subnet)
        self.agents = agents.Agents(self.container, self.env)

    # -- commands --------------------------------------------------------

    def host(self, *argv, check=True, timeout=120, stdin=None):
        """Run a command on this machine."""
        return checked(check, subprocess.run(
            argv, capture_output=True, text=True, env=self.env,
            timeout=timeout, check=False, input=stdin))

    def cluster(self, *argv, **options):
        """docker/cluster ARGV"""
        return self.host(CLUSTER, *argv, **options)

    def run(self, name, command, user="root", **options):
        """Run a shell command in a container; returns its output."""
        return self.proc(name, command, user=user, **options).stdout.strip()

    def proc(self, name, command, user="root", env=(), check=True, **options):
        """As run, but returns the finished process."""
        try:
            return checked(check, subprocess.CompletedProcess(
                [name, command],
                *self.agents.run(name, command, user, env, **options)))
        except agents.Gone:
            return self.exec(name, command, user, env, check=check, **options)

    def exec(self, name, command, user, env, **options):
        """Where no agent can be: without Python, or in a container that does
        not run, of which docker says so."""
        flags = [f"--env={e}" for e in env]
        stdin = ["-i"] if options.get("stdin") is not None else []
        return self.host("docker", "exec", *stdin, "--user", user, *flags,
                         self.container(name), "bash", "-c", command,
                         **options)

    def ctl(self, command, **options):
        """Run a shell command on the controller as root."""
        return self.run("controller", command, **options)

    def alice(self, command, **options):
        """Run a shell command as the scientist on the controller."""
        return self.ctl(f"cd /campaign/alice && {command}", user="alice",
                        **options)

    def story(self, most=100):
        """What Slurm shows now, and the last lines of each daemon's log: all
        of all of them would hide the ones that matter."""
        # Through docker/cluster, which bears a lab that did not come up.
        now = self.cluster(
            "exec", "controller", "--", "bash", "-c", "sinfo -N -o '%N %T %E'; "
            "squeue -r -o '%i %T %M %N %r' | head -n 40", check=False,
            timeout=30).stdout
        logs = self.cluster("logs", check=False, timeout=60).stdout
        ends = []
        for log in re.split(r"^(?=######## )", logs, flags=re.M):
            name, *lines = log.splitlines() or [""]
            ends += [name, *lines[-most:]]
        return now + "\n".join(ends)

    # -- containers ------------------------------------------------------

    def container(self, name):
        """Container id of a service."""
        ids = self.host(
            "docker", "ps", "-aq",
            "--filter", f"label=com.docker.compose.project={self.project}",
            "--filter", f"label=com.docker.compose.service={name}"
        ).stdout.split()
        assert len(ids) == 1, f"{name}: containers {ids}"
        return ids[0]

    def address(self, name):
        """IPv4 address in the lab's network."""
        text = self.host("docker", "inspect", self.container(name)).stdout
        networks = json.loads(text)[0]["NetworkSettings"]["Networks"]
        return next(iter(networks.values()))["IPAddress"]

    def gateway(self):
        """What this machine is called in the lab's network."""
        words = self.host("ip", "-4", "route", "get",
                          self.address("controller")).stdout.split()
        return words[words.index("src") + 1]

    def network(self):
        """Name of the lab's network."""
        text = self.host("docker", "inspect",
                         self.container("controller")).stdout
        return next(iter(json.loads(text)[0]["NetworkSettings"]["Networks"]))

    def kill9(self, name, pattern):
        """kill -9 every process whose command line matches; returns how many.

        The pattern is given to pgrep with its first letter bracketed, so
        that the shell that runs it does not match itself."""
        pattern = f"[{pattern[0]}]{pattern[1:]}"
        pids = self.run(name, f"pgrep -f '{pattern}' || true").split()
        for pid in pids:
            self.run(name, f"kill -9 {pid} || true")
        return len(pids)

    # -- what Slurm says -------------------------------------------------

    def nodes(self, partition="volunteer"):
        """Node name -> compact state, of one partition."""
        out = self.ctl(f"sinfo -h -N -p {partition} -o '%N %T'")
        return dict(line.split() for line in out.splitlines() if line)

    def node(self, name):
        """scontrol show node as a dictionary."""
        out = self.ctl(f"scontrol -o show node {name}")
        return dict(w.split("=", 1) for w in out.split() if "=" in w)

    def jobs(self, *flags):
        """Job ids in the queue."""
        return self.ctl(f"squeue -h -r -o %A {' '.join(flags)}").split()

    # -- waiting ---------------------------------------------------------

    @staticmethod
    def wait(what, test, timeout=60, every=0.1):
        """Poll until test() is true; its value is returned."""
        end = time.monotonic() + timeout
        last = None
        while time.monotonic() < end:
            try:
                value = test()
                if value:
                    return value
            except (Failed, AssertionError) as error:
                last = error
            time.sleep(every)
        raise AssertionError(f"not within {timeout} s: {what}"
                             + (f" ({last})" if last else ""))

    def wait_idle(self, names, timeout=60):
        """Wait until all these nodes are idle."""
        def idle():
            states = self.nodes()
            return all(states.get(n) == "idle" for n in names)
        self.wait(f"nodes {names} idle", idle, timeout)

    def wait_no_jobs(self, timeout=120):
        self.wait("queue empty", lambda: not self.jobs(), timeout, every=0.5)
