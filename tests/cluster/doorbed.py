# SPDX-License-Identifier: GPL-2.0-or-later
"""doorbed.py - a controller that asks its administrator, and who attacks it

Each attacker has an address of its own on the lab's network, so that the lines
in the logs are about one of them alone.
"""
import base64
import contextlib
import json
import pathlib
import re
import socket
import struct
import threading

import rawkey

PORT = 6830
LINK = pathlib.Path(__file__).resolve().parents[2] / "lib" / "link.h"
PROTO = int(re.search(r"VOL_LINK_PROTO +(\d+)", LINK.read_text())[1])
# For benchmarks (RFC 2544 C.2.2): nobody else's.
NETWORK = "198.18.0"
MEMORY_KB = 100 * 1024
STATE = "/var/lib/slurm-volunteer/controller"
CONF = "/etc/slurm-volunteer/controller.conf"
LOG = "/var/log/testbed/discoveryd.log"
DISCOVERYD = "discoveryd --role controller"
DESKS = ["desk1", "desk2", "desk3"]
CLOSED = {"harvest": "closed", "why": "testing"}

# What there is to see, in one visit.
LOOK = f"""
pid=$(pgrep -o -f '[d]iscoveryd.*--role controller')
echo $pid; sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$pid/status
sinfo -h -N -p volunteer -o '%N %T' | paste -sd ';'
volunteer devices --json | tr -d '\\n'; echo
volunteer devices --pending --json | tr -d '\\n'; echo
tail -c +$MARK {LOG}
"""


def frame(message):
    """A message, or any bytes, as one frame."""
    data = message if isinstance(message, bytes) else json.dumps(
        message).encode()
    return struct.pack(">I", len(data)) + data


def hello(key, **more):
    """What a device says that is known; more: other members, None: none."""
    message = {
        "type": "hello", "proto": PROTO, "id": key.id, "boot": "ab" * 16,
        "hostname": "evil", "version": "0.1.0", "slurm": "24.11.5",
        "facts": {"sockets": 1, "cores_per_socket": 1, "threads_per_core": 1,
                  "memory_mb": 1000, "scratch_mb": 0, "gpus": 0,
                  "features": []},
        "busy": False, "away_s": 0, "battery": False, "closes_s": 0,
        "speed": 0, "stream": 1, "acked": 0, **CLOSED, **more}
    return {k: v for k, v in message.items() if v is not None}


def knock(key, **more):
    """What one says that is not."""
    return {"type": "knock", "proto": PROTO, "id": key.id, "hostname": "evil",
            "version": "0.1.0", "commit": "5" * 64, **more}


class Talk:
    """Frames over a link; all that was heard is kept."""

    def __init__(self, link):
        self.link, self.buffer, self.heard = link, b"", []

    def say(self, *messages):
        self.link.sendall(b"".join(frame(m) for m in messages))

    def listen(self, *until):
        """The next message of one of these types (or of any); None at the
        end."""
        while True:
            while len(self.buffer) >= 4:
                size = struct.unpack(">I", self.buffer[:4])[0]
                if len(self.buffer) < 4 + size:
                    break
                message = json.loads(self.buffer[4:4 + size])
                self.buffer = self.buffer[4 + size:]
                self.heard.append(message)
                if not until or message["type"] in until:
                    return message
            try:
                data = self.link.recv(65536)
            except (rawkey.Error, OSError):
                data = b""
            if not data:
                return None
            self.buffer += data

    def hear_out(self):
        """Until the other end hangs up."""
        while self.listen():
            pass
        return self.heard


class Attacker:
    """An address and a key."""

    def __init__(self, door, address):
        self.door, self.address, self.key = door, address, rawkey.Key()
        self.heard = []

    def socket(self, timeout=20):
        """A connection to the controller, without TLS."""
        return socket.create_connection((self.door.address, PORT), timeout,
                                        (self.address, 0))

    @contextlib.contextmanager
    def talk(self, key=None, **options):
        """After a handshake with this key."""
        with rawkey.Session(self.socket(), key or self.key,
                            **options) as link:
            talk = Talk(link)
            try:
                yield talk
            finally:
                self.heard += talk.heard

    def ask(self, *messages, key=None):
        """Say these and hear the other end out."""
        with self.talk(key) as talk:
            with contextlib.suppress(rawkey.Error, OSError):
                talk.say(*messages)
            return talk.hear_out()

    def send(self, data, shut=True):
        """Bytes without TLS, and what comes back."""
        got = b""
        with self.socket() as s, contextlib.suppress(OSError):
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                got += chunk
        return got


class Guest:
    """A device that was let in by a token."""

    def __init__(self, door, address, **more):
        self.me = Attacker(door, address)
        self.key, self.door = self.me.key, door
        self.token = door.token()
        with self.me.talk() as talk:
            talk.say(hello(self.key, **{
                "hostname": "guest", "token": self.token.word, **more}))
            welcome = talk.listen("welcome", "refuse")
        assert welcome["type"] == "welcome", welcome
        self.node = welcome["node"]
        door.guests.append(self)

    @contextlib.contextmanager
    def talk(self, **more):
        """It is back, from its own address."""
        with self.me.talk() as talk:
            talk.say(hello(self.key, **{"hostname": "guest", **more}))
            assert talk.listen("welcome", "refuse")["type"] == "welcome"
            yield talk

    def forget(self):
        """An administrator shuts it out."""
        self.door.lab.ctl(f"volunteer forget {self.node}")
        self.door.guests.remove(self)
        self.door.former.add(self.node)


class Token:
    """One that the controller made."""

    def __init__(self, text):
        self.text = text
        raw = base64.b32decode(text[4:].upper() + "===")
        self.controller, self.id, self.secret = raw[:16], raw[16:20], raw[20:36]

    @property
    def word(self):
        """As it is said in a hello."""
        return (self.id + self.secret).hex()


class Seen:
    """What LOOK prints."""

    def __init__(self, text):
        pid, memory, nodes, devices, pending, *log = text.split("\n", 5)
        self.pid, self.memory_kb = pid, int(memory)
        self.nodes = dict(n.split() for n in nodes.split(";") if n)
        self.devices = {d["node"]: d for d in json.loads(devices)}
        self.pending = json.loads(pending)
        self.log = log[0] if log else ""


class Door:
    """The lab's controller, which asks, and is not published any more."""

    def __init__(self, lab):
        self.lab, self.address = lab, lab.address("controller")
        # Devices of earlier tests may still be known.
        self.guests, self.former = [], {d["node"] for d in json.loads(
            lab.ctl("volunteer devices --json"))}
        self.taken, self.seen = 0, None
        lab.ctl(f"cp -p {STATE}/registry.json {STATE}/registry.saved; "
                f"cp -p {CONF} {CONF}.saved; "
                f"sed -i 's/^approve = .*/approve = ask\\npublish = no/' {CONF}")
        self.restart()
        self.mark = int(lab.ctl(f"stat -c %s {LOG}"))
        words = lab.host("ip", "-4", "-o", "addr").stdout.splitlines()
        self.bridge = next(w.split()[1] for w in words
                           if f" {lab.gateway()}/" in w)
        self.addresses("replace")

    def addresses(self, verb):
        """Those that attackers have: this machine is the lab's router."""
        self.lab.host("ip", "-force", "-batch", "-", check=False, stdin="".join(
            f"addr {verb} {NETWORK}.{n}/32 dev {self.bridge}\n"
            for n in range(1, 255)))

    def close(self):
        """As it was before, with nobody new."""
        self.addresses("del")
        for guest in list(self.guests):
            guest.forget()
        self.lab.wait("guests are gone", lambda: set(
            self.lab.nodes()) == set(DESKS), 60)
        self.stop(f"mv {STATE}/registry.saved {STATE}/registry.json; "
                  f"mv {CONF}.saved {CONF}")
        self.wait_desks()

    def stop(self, then="true"):
        """Kill the daemon and do that before its next life begins."""
        self.lab.ctl(f"pid=$(pgrep -o -f '[{DISCOVERYD[0]}]{DISCOVERYD[1:]}'); "
                     f"kill -9 $pid; {then}")

    def restart(self):
        self.stop()
        self.wait_desks()

    def wait_desks(self):
        """They are linked, and Slurm has them as idle."""
        def linked():
            devices = json.loads(self.lab.ctl("volunteer devices --json"))
            return {d["node"] for d in devices if d["linked"]} >= set(DESKS)
        self.lab.wait("the desks are linked", linked, 60)
        self.lab.wait_idle(DESKS)

    def next_address(self):
        self.taken += 1
        assert self.taken < 255
        return f"{NETWORK}.{self.taken}"

    def token(self, *options):
        """Have one made."""
        return Token(self.lab.ctl(f"volunteer token {' '.join(options)}"))

    def guest(self, **more):
        return Guest(self, self.next_address(), **more)

    def look(self):
        """All at once; the log: since the beginning."""
        self.seen = Seen(self.lab.ctl(LOOK.replace(
            "$MARK", str(self.mark + 1))))
        return self.seen

    # -- after an attack -------------------------------------------------

    def lines(self, address):
        """Warnings about an address."""
        pattern = re.compile(rf"(?<![0-9.]){re.escape(address)}(?![0-9.])")
        return [line for line in self.seen.log.splitlines()
                if line.startswith("<4>") and pattern.search(line)]

    def check_harmless(self, attackers):
        """Nobody is in who was not before, and the controller is well."""
        seen = self.seen
        invited = set(DESKS) | {g.node for g in self.guests}
        # Their nodes go when Slurm lets them.
        linked = {n for n, d in seen.devices.items() if d["linked"]}
        assert linked <= invited, linked
        assert set(seen.devices) <= invited | self.former, seen.devices
        assert set(seen.nodes) <= invited | self.former, seen.nodes
        for desk in DESKS:
            assert seen.devices[desk]["linked"], seen.devices[desk]
            assert seen.nodes[desk] == "idle", seen.nodes
        left = re.findall(rf"^.*(?:{'|'.join(DESKS)})[ :(].*(?:link ended|"
                          r"silent for|lost contact).*$", seen.log, re.M)
        assert not left, left
        assert seen.memory_kb < MEMORY_KB, f"{seen.memory_kb} kB"
        for me in attackers:
            told = {m["type"] for m in me.heard}
            assert told <= {"refuse", "nonce", "pending", "pong"}, me.heard


class Tap:
    """A way to the controller that writes down what goes by, and may change
    it: mutate(up, offset, data) -> data; cut: bytes up to which it goes."""

    def __init__(self, me, mutate=None, cut=None, listen="127.0.0.1"):
        self.me, self.mutate, self.cut = me, mutate, cut
        self.said = {True: b"", False: b""}
        self.listener = socket.create_server((listen, 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            near, _ = self.listener.accept()
            far = self.me.socket()
            threading.Thread(target=self.carry, args=(far, near, False),
                             daemon=True).start()
            self.carry(near, far, True)

    def carry(self, source, target, up):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                offset = len(self.said[up])
                self.said[up] += data
                if self.mutate:
                    data = self.mutate(up, offset, data)
                if up and self.cut and offset + len(data) >= self.cut:
                    target.sendall(data[:self.cut - offset])
                    break
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()
