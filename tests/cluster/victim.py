# SPDX-License-Identifier: GPL-2.0-or-later
"""victim.py - a device that has not met its controller yet, and forged ones"""
import contextlib
import json
import re
import socket
import threading

import rawkey
from doorbed import PROTO, Talk
from extra import extra_device

NAME = "victim"
STATE = "/var/lib/slurm-volunteer"
LOG = "/tmp/victim.log"


@contextlib.contextmanager
def victim(door):
    """A container with all but discoveryd, which each test begins anew."""
    with extra_device(door.lab, NAME, NAME, env={"VOLUNTEER_HOLD": "yes"}):
        door.lab.wait("the victim has booted", lambda: door.lab.run(
            NAME, "test -e /etc/slurm-volunteer/device.conf.first-start && "
            "test -S /run/avahi-daemon/socket && echo yes"), 30)
        yield Victim(door.lab)


class Victim:
    """The device, and what it says."""

    def __init__(self, lab):
        self.lab = lab

    def run(self, command, **options):
        return self.lab.run(NAME, command, **options)

    def begin(self, *lines, env=""):
        """A first start with these lines in device.conf."""
        self.end()
        self.run(f"rm -rf {STATE}/*; : > {LOG}; cd /etc/slurm-volunteer && "
                 "{ [ -e device.conf.saved ] || cp device.conf device.conf.saved; } && "
                 "sed '/^trust/d' device.conf.saved > device.conf && "
                 "sed -i '/^\\[device\\]/r /dev/stdin' device.conf",
                 stdin="".join(f"{line}\n" for line in lines))
        self.go_on(env=env)

    def go_on(self, env=""):
        """Start it as it was."""
        self.run(f"{env} setsid discoveryd --role device >> {LOG} 2>&1 "
                 "< /dev/null & echo $! > /run/victim.pid")

    def end(self):
        self.run("[ ! -e /run/victim.pid ] || "
                 "kill -9 $(cat /run/victim.pid) 2>/dev/null; "
                 "rm -f /run/victim.pid")

    def log(self):
        return self.run(f"cat {LOG}")

    def wait_says(self, pattern, timeout=20):
        """Until a line of the log is like this; the match."""
        return self.lab.wait(f"the victim says {pattern}", lambda: re.search(
            pattern, self.log()), timeout)

    def join(self, *words):
        self.lab.wait("volunteer join", lambda: self.lab.proc(
            NAME, f"volunteer join {' '.join(words)}").returncode == 0, 15)

    def status(self):
        return json.loads(self.run("volunteer status --json"))

    def lines(self, address):
        """Its warnings about an address."""
        return [line for line in self.log().splitlines()
                if line.startswith("<4>") and address in line]


class Forger:
    """A controller that is none: serve(connection) each time it is dialled."""

    def __init__(self, address, serve):
        self.address, self.serve = address, serve
        self.key, self.dials, self.heard = rawkey.Key(), 0, []
        self.raw = b""
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    @property
    def where(self):
        return f"{self.address}:{self.port}"

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.dials += 1
                threading.Thread(target=self.begin, args=(connection,),
                                 daemon=True).start()

    def begin(self, connection):
        with connection, contextlib.suppress(OSError):
            self.serve(self, connection)

    @contextlib.contextmanager
    def talk(self, connection, **options):
        """TLS with our own key."""
        with rawkey.Session(connection, self.key, side=rawkey.SERVER,
                            **options) as link:
            talk = Talk(link)
            talk.heard = self.heard
            yield talk

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def dialled(door, me, serve, *lines):
    """The victim, with these lines, is told that this is its controller."""
    with Forger(me.address, serve) as forger:
        door.victim.begin(f"controller = {forger.where}", *lines)
        try:
            yield forger
        finally:
            # Before it finds nobody there, and says so.
            door.victim.end()


@contextlib.contextmanager
def published(door, me, *ports):
    """Records of controllers at this address, by another host's avahi."""
    command = f"avahi-publish-address -R forged.local {me.address} & sleep 0.3;"
    for port in ports:
        command += (f"avahi-publish-service -H forged.local forged-{port} "
                    f"_slurm-volctl._tcp {port} txtvers=1 proto={PROTO} name=mine "
                    f"id={'a' * 32} & ")
    door.lab.run("desk3", f"{{ {command} echo $(jobs -p) > /run/forged.pids; "
                 "} > /dev/null 2>&1 < /dev/null")
    try:
        yield
    finally:
        door.victim.end()
        door.lab.run("desk3", "kill $(cat /run/forged.pids)")


def answering(*messages):
    """Serve: a handshake, then these after the first message."""
    def serve(forger, connection):
        with forger.talk(connection) as talk:
            if talk.listen():
                talk.say(*messages)
                talk.hear_out()
    return serve


def reading(forger, connection):
    """Serve: no TLS; keep what the device says."""
    while data := connection.recv(65536):
        forger.raw += data
