# SPDX-License-Identifier: GPL-2.0-or-later
"""attacks_forged.py - controllers that are none, and clocks that are wrong

The victim is a device that has just been installed; each test lets it dial
somebody else than its controller."""
import json
import os

import rawkey
from attack import attack
from doorbed import Tap, hello
from victim import Forger, answering, dialled, published, reading

STRANGER = "another key than the one known"
WELCOME = {"type": "welcome", "node": "mine", "cluster": "mine",
           "conf_port": 6817, "heartbeat_ms": 5000, "lease_ms": 15000,
           "facts_ok": True}
NONCE = {"type": "nonce", "nonce": "0" * 64}
PENDING = {"type": "pending", "cluster": "mine", "reason": "wait"}
REFUSE = {"type": "refuse", "code": "not_enrolled", "reason": "go away",
          "retry_ms": 86400000}
DAY = 86400


def only_knocked(forger):
    """What it heard is what everybody may hear."""
    assert forger.heard, "nothing was said to it"
    for message in forger.heard:
        allowed = {"knock": {"type", "proto", "id", "hostname", "version",
                             "commit"},
                   "reveal": {"type", "nonce"}, "ping": {"type", "seq"}}
        assert set(message) == allowed.get(message["type"]), message


def not_taken_in(victim):
    """It has no controller, and runs nothing for anybody."""
    status = victim.status()
    assert status["door"]["key"] == "", status["door"]
    assert status["link"]["state"] != "up", status["link"]
    assert status["slurmd"]["state"] == "down", status["slurmd"]
    return status


def answered(name, says, *messages):
    """A row about a controller that answers a knock like this."""
    def run(door, me):
        with dialled(door, me, answering(*messages)) as forger:
            door.victim.wait_says(says)
            not_taken_in(door.victim)
            only_knocked(forger)
    run.__name__ = name
    attack("forged", says, at_device=True)(run)


answered("approves_at_once", "its code was not confirmed here",
         {"type": "approved"})
answered("welcomes_at_once", "message out of place", WELCOME)
answered("approves_and_welcomes", "its code was not confirmed here",
         {"type": "approved"}, WELCOME)
answered("waits_without_a_code", "out of turn", PENDING)
answered("approves_with_a_code", "its code was not confirmed here", NONCE,
         PENDING, {"type": "approved"}, WELCOME)
answered("commands_a_stranger", "message out of place",
         {"type": "reregister", "reason": "restart"})
answered("sends_nonsense", "unknown type", {"type": "run", "what": "reboot"})


@attack("forged", STRANGER, at_device=True)
def another_key_for_a_token(door, me):
    """Where the token says that the controller is, sits somebody else: he
    hears not one word, the secret least of all."""
    token = door.token()
    with dialled(door, me, answering()) as forger:
        door.lab.wait("it knocks", lambda: forger.dials)
        door.victim.join(token.text)
        door.victim.wait_says(STRANGER)
        only_knocked(forger)
        not_taken_in(door.victim)


def key_of_controller(door):
    return json.loads(door.lab.ctl("volunteer status --json"))["key"]


@attack("forged", STRANGER, at_device=True)
def another_key_at_a_known_address(door, me):
    """controller_key = of a fleet that was made so."""
    with dialled(door, me, answering(),
                 f"controller_key = {key_of_controller(door)}") as forger:
        door.victim.wait_says(STRANGER)
        not_taken_in(door.victim)
        assert not forger.heard, forger.heard


@attack("forged", STRANGER, at_device=True)
def a_record_that_points_elsewhere(door, me):
    """By mDNS, which believes everybody."""
    with Forger(me.address, answering()) as forger, \
            published(door, me, forger.port):
        door.victim.begin(f"controller_key = {key_of_controller(door)}")
        door.victim.wait_says(STRANGER, 30)
        not_taken_in(door.victim)
        assert not forger.heard, forger.heard


@attack("forged", "refused .not_enrolled.: go away", most=4, at_device=True)
def sends_it_away(door, me):
    """For a day; it asks the other one all the same, which may be ours."""
    with Forger(me.address, answering(REFUSE)) as forger, \
            Forger(me.address, answering(REFUSE)) as other, \
            published(door, me, forger.port, other.port):
        door.victim.begin()
        door.lab.wait("both are asked", lambda: forger.heard and other.heard,
                      30)
        not_taken_in(door.victim)
        only_knocked(other)


@attack("forged", "TLS|the peer", at_device=True)
def tls_1_2(door, me):
    """Its ServerHello knows no other (RFC 5246 7.4.1.3)."""
    body = b"\3\3" + os.urandom(32) + b"\0\xc0\x2f\0"
    answer = b"\x16\3\3\0\x2a\2\0\0" + bytes([len(body)]) + body

    def serve(forger, connection):
        forger.raw += connection.recv(65536)
        connection.sendall(answer)
        reading(forger, connection)
    with dialled(door, me, serve) as forger:
        door.victim.wait_says(f"{me.address}.*(TLS|the peer)")
        assert forger.raw[0] == 22 and b"hostname" not in forger.raw
        not_taken_in(door.victim)


@attack("forged", "no TLS|TLS|closed|reset", most=2, at_device=True)
def no_tls(door, me):
    """It waits for a hello in clear, and gets the handshake of a device."""
    def serve(forger, connection):
        forger.raw += connection.recv(65536)
        connection.sendall(b'\0\0\0\x15{"type":"approved"}')
        reading(forger, connection)
    with dialled(door, me, serve) as forger:
        door.victim.wait_says(f"{me.address} port")
        assert forger.raw[0] == 22 and b"hostname" not in forger.raw
        not_taken_in(door.victim)


@attack("forged", "TLS|closed|the peer", most=2, at_device=True)
def a_recorded_session(door, me):
    """What the controller said to this very device, once more."""
    tap = Tap(me, listen=me.address)
    door.victim.begin(f"controller = {me.address}:{tap.address[1]}")
    door.lab.wait("the code", lambda: door.victim.status()["door"]["code"])
    said = tap.said[False]
    tap.close()

    def replay(_, connection):
        connection.recv(65536)
        connection.sendall(said)
        while connection.recv(65536):
            pass
    with Forger(me.address, replay) as forger:
        door.victim.run("sed -i 's/^controller = .*/controller = "
                        f"{forger.where}/' /etc/slurm-volunteer/device.conf")
        door.victim.end()
        door.victim.go_on()
        door.victim.wait_says(rf"port {forger.port}: ")
        not_taken_in(door.victim)
        door.victim.end()


@attack("forged", None, at_device=True)
def somebody_in_the_middle(door, me):
    """He has a key of his own on each side and passes on what each says: the
    codes that the two ends show are not the same."""
    def serve(forger, connection):
        with forger.talk(connection) as near, me.talk() as far:
            first = near.listen("knock")
            far.say({**first, "id": me.key.id})
            near.say(far.listen("nonce"))
            far.say(near.listen("reveal"))
            near.say(far.listen("pending"))
            near.hear_out()
    with dialled(door, me, serve) as forger:
        code = door.lab.wait("a code", lambda: door.victim.status()["door"][
            "code"])
        theirs = [p["code"] for p in door.look().pending
                  if p["id"] == me.key.id]
        assert len(theirs) == 1 and len(theirs[0]) == len(code) == 6
        # One in a million.
        assert theirs[0] != code
        # Who compares finds nobody with the code of this device.
        done = door.lab.proc("controller", f"volunteer approve {code}",
                             check=False)
        assert done.returncode and "waits for approval" in done.stderr
        not_taken_in(door.victim)
        only_knocked(forger)


# -- clocks ------------------------------------------------------------------

SHIFT = "/usr/lib/slurm-volunteer-testbed/shift-clock.so"


def with_clock_of_device(name, seconds):
    """A row about a device whose clock is off: it agrees on the same code,
    and is let in, or not, like any other."""
    def run(door, me):
        tap = Tap(me, listen=me.address)
        door.victim.begin(f"controller = {me.address}:{tap.address[1]}",
                          env=f"LD_PRELOAD={SHIFT} SHIFT_CLOCK_S={seconds}")
        code = door.lab.wait("a code", lambda: door.victim.status()["door"][
            "code"])
        assert [p["code"] for p in door.look().pending
                if p["address"] == me.address] == [code]
        tap.close()
        door.victim.end()
    run.__name__ = name
    attack("clocks", "waits for approval")(run)


with_clock_of_device("a_device_of_tomorrow", DAY)
with_clock_of_device("a_device_of_yesterday", -DAY)


def wrapped(door, seconds):
    """The controller's daemon lives on with another clock."""
    program = "$(command -v discoveryd)"
    door.stop(
        f"p={program}; [ -e $p.real ] || mv $p $p.real; printf '%s\\n' "
        "'#!/bin/bash' "
        f"'export LD_PRELOAD={SHIFT} SHIFT_CLOCK_S={seconds}' "
        "'exec -a discoveryd '$p'.real \"$@\"' > $p; chmod 755 $p")


def with_clock_of_controller(name, seconds):
    """A row about a controller whose clock was set: who is in stays in, and no
    token that has ended is good again, then or when it is set right."""
    def run(door, me):
        kept, short = door.token("--uses=2", "--ttl=2h"), door.expired
        wrapped(door, seconds)
        try:
            door.wait_desks()
            refused = me.ask(hello(me.key, token=short.word))
            assert [m["code"] for m in refused] == ["bad_token"]
            if seconds < 0:
                door.guest(token=kept.word)
            else:
                other = rawkey.Key()
                assert me.ask(hello(other, token=kept.word), key=other)[
                    -1]["code"] == "bad_token"
        finally:
            door.stop("p=$(command -v discoveryd); mv $p.real $p")
        door.wait_desks()
        again = me.ask(hello(me.key, token=short.word))
        assert [m["code"] for m in again] == ["bad_token"]
    run.__name__ = name
    attack("clocks", "its token [0-9a-f]{8} has expired", most=4)(run)


with_clock_of_controller("a_controller_of_yesterday", -DAY)
with_clock_of_controller("a_controller_of_tomorrow", DAY)
