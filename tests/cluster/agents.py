# SPDX-License-Identifier: GPL-2.0-or-later
"""agents.py - a process in each container that runs our commands there

docker exec takes a tenth of a second of a processor, and the tests ask ten
times a second.  An agent is begun by one, is what its commands would be
children of, and ends with the container, or with us.  It serves one command at
a time: threads have one each.
"""
import json
import select
import subprocess
import threading
import time

# Its program comes on its stdin: in its command line somebody who looks for a
# daemon would find the names that are in it.
BEGIN = "import json; exec(json.loads(input()))"
PROGRAM = """\
import os, subprocess, sys
with open("/proc/self/comm", "w") as comm:
    comm.write("voltest-agent")
def text(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, encoding="utf-8", errors="replace") as f:
        return f.read()
def run(command, env, stdin):
    # No pipes: what goes on in the background may keep them.
    out, err = (os.memfd_create(name) for name in ("out", "err"))
    feed = {"input": stdin.encode()} if stdin is not None else {
        "stdin": subprocess.DEVNULL}
    done = subprocess.run(["bash", "-c", command], env={**os.environ, **env},
                          stdout=out, stderr=err, start_new_session=True,
                          check=False, **feed)
    # As a shell would say it.
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return [status, text(out), text(err)]
print("here", flush=True)
for line in sys.stdin:
    print("taken", flush=True)
    print(json.dumps(run(*json.loads(line))), flush=True)
"""
# docker exec's own, when the container ends under a command.
STATUS_KILLED = 137
START_S = 60


class Gone(Exception):
    """The agent has ended, and run nothing."""


class Agent:
    """One of them, in the container, as that user."""

    def __init__(self, container, user, env):
        self.process = subprocess.Popen(
            ["docker", "exec", "-i", "--user", user, container,
             "python3", "-uc", BEGIN], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        self.rest = b""
        self.send(PROGRAM, b"here", START_S)

    def send(self, what, answer, timeout):
        """Raises Gone when there is no such answer."""
        try:
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()
            if self.receive(time.monotonic() + timeout) == answer:
                return
        except (OSError, EOFError):
            pass
        self.close()
        raise Gone

    def receive(self, end):
        """A line; None: not in time.  Raises EOFError when it has ended."""
        out = self.process.stdout
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                return None
            more = out.read1(1 << 20)
            if not more:
                raise EOFError
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def run(self, command, env, stdin, timeout):
        """Status, output and errors of the command."""
        end = time.monotonic() + timeout
        self.send([command, dict(e.split("=", 1) for e in env), stdin],
                  b"taken", timeout)
        try:
            line = self.receive(end)
        except EOFError:
            return STATUS_KILLED, "", ""
        if line is None:
            self.close()
            raise subprocess.TimeoutExpired(command, timeout)
        return json.loads(line)

    def close(self):
        """What it runs goes on, as that of a docker exec does."""
        self.process.kill()
        self.process.communicate()


class Agents:
    """Those of a lab."""

    def __init__(self, find, env):
        """find(name): the container's id."""
        self.find, self.env = find, env
        self.lock, self.idle = threading.Lock(), {}

    def take(self, name, user):
        """One that had nothing to do, and may have ended; None: there is
        none."""
        with self.lock:
            free = self.idle.get((name, user))
            return free.pop() if free else None

    def run(self, name, command, user="root", env=(), stdin=None, timeout=120):
        """Run a shell command there; its status, output and errors.  Raises
        Gone where no agent can be."""
        while agent := self.take(name, user):
            try:
                return self.use(agent, (name, user), command, env, stdin,
                                timeout)
            except Gone:
                pass
        return self.use(Agent(self.find(name), user, self.env), (name, user),
                        command, env, stdin, timeout)

    def use(self, agent, key, *what):
        """Run it by this one, which has nothing to do afterwards."""
        done = agent.run(*what)
        with self.lock:
            self.idle.setdefault(key, []).append(agent)
        return done
