# SPDX-License-Identifier: GPL-2.0-or-later
"""attacks_link.py - attacks by who speaks TLS with a key of his own"""
import contextlib
import hashlib
import re
import time

import rawkey
from attack import attack
from doorbed import PROTO, frame, hello, knock

# -- tokens ------------------------------------------------------------------


def refused(messages, code):
    """The one answer is this refusal."""
    assert [m.get("code") for m in messages] == [code], messages


@attack("tokens", "its token [0-9a-f]{8} is used up")
def a_token_that_was_used(door, me):
    guest = door.guest()
    refused(me.ask(hello(me.key, token=guest.token.word)), "bad_token")


@attack("tokens", "its token [0-9a-f]{8} is used up")
def a_token_beyond_its_uses(door, me):
    token = door.token("--uses=2")
    for _ in range(2):
        guest = door.guest(token=token.word)
        assert guest.node.startswith("guest")
    refused(me.ask(hello(me.key, token=token.word)), "bad_token")


@attack("tokens", "hello: token: it is not valid")
def a_truncated_token(door, me):
    token = door.token()
    refused(me.ask(hello(me.key, token=token.word[:-2])), "bad_message")
    door.look()
    assert token.secret[:8].hex() not in door.seen.log


@attack("tokens", "hello: token: it is 42 bytes long")
def a_token_that_is_too_long(door, me):
    refused(me.ask(hello(me.key, token=door.token().word + "00")),
            "bad_message")


@attack("tokens", "its token is not known")
def another_id(door, me):
    token = door.token()
    word = bytes([token.id[0] ^ 1]) + token.id[1:] + token.secret
    refused(me.ask(hello(me.key, token=word.hex())), "bad_token")


@attack("tokens", "its token [0-9a-f]{8} has another secret", most=8)
def every_byte_of_the_secret(door, me):
    """Altered by a bit; none is answered in another way."""
    token, answers = door.token(), set()
    for i in range(16):
        secret = bytearray(token.secret)
        secret[i] ^= 1 << i % 8
        for m in me.ask(hello(me.key, token=(token.id + secret).hex())):
            answers.add((m["type"], m["code"], m["reason"]))
    assert len(answers) == 1


@attack("tokens", "its token [0-9a-f]{8} has another secret")
def no_secret(door, me):
    refused(me.ask(hello(me.key, token=door.token().id.hex() + "00" * 16)),
            "bad_token")


@attack("tokens", "its token [0-9a-f]{8} was revoked")
def a_revoked_token(door, me):
    token = door.token()
    door.lab.ctl(f"volunteer tokens --revoke={token.id.hex()}")
    refused(me.ask(hello(me.key, token=token.word)), "bad_token")


@attack("tokens", "its token is not known")
def a_token_of_another_controller(_, me):
    refused(me.ask(hello(me.key, token=rawkey.Key().fingerprint[:40])),
            "bad_token")


@attack("tokens", "its token is not known")
def a_hundred_guesses(_, me):
    for i in range(100):
        refused(me.ask(hello(me.key, token=f"{i:040x}")), "bad_token")


@attack("tokens", "key it does not hold")
def a_token_for_somebody_else(door, me):
    """The token is good, the identity is not: it is not used up."""
    token, other = door.token(), rawkey.Key()
    refused(me.ask(hello(other, token=token.word)), "bad_id")
    door.guest(token=token.word)


@attack("tokens", "its token [0-9a-f]{8} has expired", slow=True)
def an_expired_token(door, me):
    token = door.expired = door.token("--ttl=1m")
    time.sleep(62)
    refused(me.ask(hello(me.key, token=token.word)), "bad_token")


# -- identity ----------------------------------------------------------------


def id_of(door, node="desk1"):
    return door.look().devices[node]["id"]


class Named:
    """A key whose holder says that he is somebody else."""

    def __init__(self, ident):
        self.id = ident


@attack("identity", "key it does not hold")
def the_id_of_another(door, me):
    refused(me.ask(hello(Named(id_of(door)))), "bad_id")


@attack("identity", "key it does not hold")
def a_knock_for_another(door, me):
    refused(me.ask(knock(Named(id_of(door)))), "bad_id")


@attack("identity", "waits for approval: .* host desk1, device")
def the_hostname_of_another(door, me):
    """It waits like anybody, and takes nothing from the one that it names."""
    with me.talk() as talk:
        wait_with_code(talk, me.key, hostname="desk1")
        pending = door.look().pending
        assert [p["hostname"] for p in pending
                if p["id"] == me.key.id] == ["desk1"]
        assert door.seen.devices["desk1"]["id"] != me.key.id


@attack("identity", None)
def the_name_of_another_by_token(door, _):
    """Let in, it gets a name of its own."""
    guest = door.guest(hostname="desk1")
    assert re.fullmatch(r"desk1-\d+", guest.node), guest.node
    guest.forget()


@attack("identity", "an administrator has revoked this device")
def a_revoked_device(door, me):
    refused(me.ask(hello(revoked(door).key), key=revoked(door).key),
            "not_enrolled")


@attack("identity", "an administrator has revoked this device")
def a_revoked_device_with_its_token(door, me):
    gone = revoked(door)
    refused(me.ask(hello(gone.key, token=gone.token.word), key=gone.key),
            "not_enrolled")


@attack("identity", "an administrator has revoked this device")
def a_revoked_device_with_a_new_token(door, me):
    """Which is not used up by that."""
    gone, token = revoked(door), door.token()
    refused(me.ask(hello(gone.key, token=token.word), key=gone.key),
            "not_enrolled")
    door.guest(token=token.word)


@attack("identity", "an administrator has revoked this device")
def a_revoked_device_under_a_new_name(door, me):
    gone = revoked(door)
    refused(me.ask(knock(gone.key, hostname="new"), key=gone.key),
            "not_enrolled")


@attack("identity", "an administrator has revoked this device", most=2)
def a_key_stolen_before_that(door, me):
    """From another address, after it was of use there for a while."""
    guest = door.guest()
    with me.talk(guest.key) as talk:
        talk.say(hello(guest.key, hostname="guest", boot="cd" * 16))
        assert talk.listen("welcome", "refuse")["type"] == "welcome"
        guest.forget()
        assert talk.listen("refuse")["code"] == "not_enrolled"
        assert talk.listen() is None
        talk.heard.clear()
    refused(me.ask(hello(guest.key, boot="cd" * 16), key=guest.key),
            "not_enrolled")


@attack("identity", "is already linked from .*two machines with one identity")
def two_machines_with_one_key(door, me):
    guest = door.guest()
    with guest.talk() as talk:
        refused(me.ask(hello(guest.key, boot="cd" * 16), key=guest.key),
                "duplicate_id")
        talk.say({"type": "ping", "seq": 7})
        assert talk.listen("pong")["seq"] == 7


def approving(door, word):
    """What an administrator hears who gives this word."""
    done = door.lab.proc("controller", f"volunteer approve {word}",
                         check=False)
    assert done.returncode
    return done.stderr


@attack("identity", "waits for approval: .* host 482913, device")
def a_hostname_like_a_code(door, me):
    """Of a code that somebody in between has shown to a device: whoever gives
    it to the administrator does not let the attacker in."""
    with me.talk() as talk:
        wait_with_code(talk, me.key, hostname="482913")
        assert "no device" in approving(door, "482913")
        assert [p["hostname"] for p in door.look().pending
                if p["id"] == me.key.id] == ["482913"]


@attack("identity", "waits for approval: .* host [0-9a-f]{32}, device")
def a_hostname_like_an_id(door, me):
    """What is done to the id is done to the device that has it."""
    theirs = revoked(door).key.id
    with me.talk() as talk:
        wait_with_code(talk, me.key, hostname=theirs)
        assert "16 digits" in approving(door, theirs[:8])
        door.lab.ctl(f"volunteer forget {theirs}")
        assert [p["hostname"] for p in door.look().pending
                if p["id"] == me.key.id] == [theirs]


def revoked(door):
    """One for all tests: it was let in, and shut out."""
    if not hasattr(door, "revoked"):
        door.revoked = door.guest()
        door.revoked.forget()
    return door.revoked


# -- protocol ----------------------------------------------------------------


def wait_with_code(talk, key, **more):
    """Knock until the code is agreed on; the number is 32 times 0x42."""
    nonce = b"\x42" * 32
    commit = hashlib.sha256(b"slurm-volunteer code commit" + nonce).hexdigest()
    talk.say(knock(key, commit=commit, **more))
    assert talk.listen("nonce", "refuse")["type"] == "nonce", talk.heard
    talk.say({"type": "reveal", "nonce": nonce.hex()})
    assert talk.listen("pending", "refuse")["type"] == "pending", talk.heard


@attack("protocol", f"hello: protocol 3, {PROTO} is spoken here")
def an_older_protocol(_, me):
    refused(me.ask(hello(me.key, proto=3, stream=None, acked=None)), "version")


@attack("protocol", "another version of the link's protocol")
def a_newer_protocol(_, me):
    refused(me.ask(hello(me.key, proto=PROTO + 1)), "version")


@attack("protocol", "unknown type")
def an_unknown_type(_, me):
    refused(me.ask({"type": "reboot"}), "bad_message")


@attack("protocol", "unknown member")
def an_unknown_member(_, me):
    refused(me.ask(hello(me.key, root=True)), "bad_message")


@attack("protocol", "facts: missing")
def a_member_less(_, me):
    refused(me.ask(hello(me.key, facts=None)), "bad_message")


@attack("protocol", 'unexpected message "[a-z]+"', most=11)
def what_only_a_controller_says(_, me):
    for message in (
            {"type": "welcome", "node": "desk1", "cluster": "c",
             "conf_port": 6817, "heartbeat_ms": 5000, "lease_ms": 15000,
             "facts_ok": True},
            {"type": "refuse", "code": "x", "reason": "", "retry_ms": 1},
            {"type": "nonce", "nonce": "0" * 64},
            {"type": "pending", "cluster": "c", "reason": ""},
            {"type": "approved"},
            {"type": "node", "state": "up", "reason": ""},
            {"type": "reregister", "reason": ""},
            {"type": "evicted", "job": 1, "outcome": "requeued", "reason": ""},
            {"type": "ack", "stream": 1, "seq": 1, "again": True},
            {"type": "pong", "seq": 1}):
        refused(me.ask(message), "bad_message")


@attack("protocol", 'unexpected message "[a-z]+"', most=9)
def what_only_a_member_says(_, me):
    report = {"stream": 1, "seq": 1, "after": 0, "age_ms": 0}
    for message in (
            {"type": "state", "slurmd": "up", "busy": False},
            {"type": "harvest", "harvest": "open", "why": "", "away_s": 0,
             "battery": False, "closes_s": 0, "speed": 0},
            {"type": "moved", "harvest": "open", "why": "", **report},
            {"type": "evict", "job": 1, "exclude": True, "force": True,
             "why": "", **report},
            {"type": "check", "job": 1},
            {"type": "parked", "job": 1, "seconds": 9},
            {"type": "facts", "facts": hello(me.key)["facts"]},
            {"type": "ping", "seq": 1}, {"type": "bye", "reason": ""}):
        refused(me.ask(message), "bad_message")


@attack("protocol", "this device is not approved yet")
def a_hello_without_approval(_, me):
    refused(me.ask(hello(me.key)), "knock")


@attack("protocol", 'unexpected message "hello"')
def a_hello_in_place_of_a_reveal(_, me):
    assert me.ask(knock(me.key), hello(me.key))[-1]["code"] == "bad_message"


@attack("protocol", "waits for approval|unexpected message", most=2)
def a_hello_while_it_waits(_, me):
    with me.talk() as talk:
        wait_with_code(talk, me.key)
        talk.say(hello(me.key))
        assert talk.hear_out()[-1]["code"] == "bad_message"


@attack("protocol", 'unexpected message "reveal"')
def a_reveal_without_a_knock(_, me):
    refused(me.ask({"type": "reveal", "nonce": "0" * 64}), "bad_message")


@attack("protocol", "not the one that was committed")
def another_number_than_committed(_, me):
    """To see theirs first, and then choose: what the commit is against."""
    heard = me.ask(knock(me.key), {"type": "reveal", "nonce": "0" * 64})
    assert heard[-1]["code"] == "bad_message"


@attack("protocol", 'unexpected message "knock"')
def two_knocks(_, me):
    assert me.ask(knock(me.key), knock(me.key))[-1]["code"] == "bad_message"


@attack("protocol", "waits for approval|unexpected message", most=2)
def two_reveals(_, me):
    with me.talk() as talk:
        wait_with_code(talk, me.key)
        talk.say({"type": "reveal", "nonce": "42" * 32})
        assert talk.hear_out()[-1]["code"] == "bad_message"


@attack("protocol", 'unexpected message "hello"')
def a_second_hello_of_a_member(door, me):
    guest = door.guest()
    with guest.talk() as talk:
        talk.say(hello(me.key))
        assert talk.hear_out()[-1]["code"] == "bad_message"
    return guest.me.address


# -- frames ------------------------------------------------------------------


def broken(name, data, says):
    """A row about one frame."""
    def run(_, me):
        with me.talk() as talk, contextlib.suppress(rawkey.Error, OSError):
            talk.link.sendall(data(me) if callable(data) else data)
            talk.hear_out()
    run.__name__ = name
    attack("frames", says)(run)


broken("four_gigabytes", b"\xff" * 4, "frame of 4294967295 bytes announced")
broken("one_byte_too_many", (64 * 1024 + 1).to_bytes(4, "big") + b"x" * 9,
       "frame of 65537 bytes announced")
broken("no_bytes", bytes(4), "empty frame announced")
broken("ten_thousand_lists", frame(b"[" * 10000), "nested deeper than")
broken("ten_thousand_objects", frame(b'{"a":' * 10000), "nested deeper than")
broken("not_json", frame(b"not json"), "not JSON at byte")
broken("a_list", frame(b"[1, 2]"), "is not a JSON object")
broken("a_type_that_is_a_number", frame(b'{"type": 1}'), '"type" of text')
broken("invalid_utf8", frame(b'{"type":"hello","proto":1,"id":"\xff\xfe"}'),
       "not JSON at byte")
broken("a_nul_byte", frame(b'{"type":"bye\x00","reason":""}'),
       "not JSON at byte")
broken("an_escaped_nul", frame(b'{"type":"bye\\u0000","reason":""}'),
       "not JSON at byte|unknown type")
broken("duplicate_keys", frame(b'{"type":"bye","type":"bye","reason":""}'),
       "not JSON at byte")
broken("a_number_too_large", lambda me: frame(
    hello(me.key, speed=10 ** 30)), "not JSON at byte|speed")
broken("a_number_below_zero", lambda me: frame(
    hello(me.key, away_s=-1)), "away_s")
broken("a_number_that_is_no_integer", lambda me: frame(
    hello(me.key, proto=PROTO + 0.5)), "proto")
broken("a_huge_string", lambda me: frame(
    hello(me.key, why="x" * 60000)), "why.*60000 bytes long")
broken("control_characters", lambda me: frame(
    hello(me.key, version="\x1b[2J\n")), "version")
broken("commands_in_a_hostname", lambda me: frame(
    knock(me.key, hostname="$(reboot)")), "hostname")
broken("a_good_frame_and_a_bad_one", lambda me: frame(
    {"type": "ping", "seq": 1}) + b"\xff" * 4,
    "unexpected message|bytes announced")


@attack("frames", "no hello in time", slow=True)
def half_a_frame_for_ever(_, me):
    with me.talk() as talk:
        talk.link.sendall(frame(hello(me.key))[:100])
        talk.hear_out()


@attack("frames", "no hello in time", slow=True)
def one_byte_a_second(_, me):
    with me.talk(timeout=1) as talk, contextlib.suppress(rawkey.Error, OSError):
        for byte in frame(hello(me.key)):
            talk.link.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                if not talk.link.recv(4096):
                    break


# -- reports -----------------------------------------------------------------


def report(kind, stream, seq, after, **more):
    return {"type": kind, "stream": stream, "seq": seq, "after": after,
            "age_ms": 0, "why": "testing", **more}


def applied(door, stream):
    """How often the log says of each report that it was applied."""
    lines = door.look().log.splitlines()
    return [line.split(": report ")[1].split()[0] for line in lines
            if f" of {stream:016x}: " in line]


@attack("reports", None)
def a_report_again_and_again(door, _):
    guest, stream = door.guest(), 0x5001
    with guest.talk(stream=stream) as talk:
        for _ in range(5):
            talk.say(report("moved", stream, 1, 0, harvest="closed"))
            while talk.listen("ack")["seq"] != 1:
                pass
    with guest.talk(stream=stream) as talk:
        talk.say(report("moved", stream, 1, 0, harvest="closed"))
        talk.listen("ack")
    assert applied(door, stream) == ["1"]


@attack("reports", None)
def a_gap(door, _):
    guest, stream = door.guest(), 0x5002
    with guest.talk(stream=stream) as talk:
        talk.listen("ack")
        talk.say(report("moved", stream, 5, 4, harvest="closed"))
        # Another one says that the stream is on record now.
        while not (answer := talk.listen("ack"))["again"]:
            assert answer["seq"] == 0
        assert answer["seq"] == 0
    assert applied(door, stream) == []


@attack("reports", "a report of a stream that its hello did not name")
def two_hundred_of_another_stream(door, _):
    guest, stream = door.guest(), 0x5003
    with guest.talk(stream=stream) as talk:
        for seq in range(1, 200):
            talk.say(report("moved", stream + 1, seq, seq - 1,
                            harvest="closed"))
        talk.say({"type": "ping", "seq": 1})
        talk.listen("pong")
    assert applied(door, stream + 1) == []
    return guest.me.address


def with_job(door, check):
    """Of a job that another device runs."""
    job = door.lab.alice("sbatch --parsable -p volunteer -w desk1 -t 60 "
                         "--mem=50 -o /dev/null --wrap 'sleep 600'")
    try:
        door.lab.wait("the job runs", lambda: door.lab.ctl(
            f"squeue -h -j {job} -t R -o %N") == "desk1", 30)
        check(int(job))
        state = door.lab.ctl(f"squeue -h -j {job} -o '%T %N %l'")
        assert state == "RUNNING desk1 1:00:00", state
    finally:
        door.lab.ctl(f"scancel {job}")
        door.lab.wait_no_jobs()
        door.lab.wait_idle(["desk1"])


@attack("reports", None)
def to_evict_anothers_job(door, _):
    guest, stream = door.guest(), 0x5004

    def check(job):
        with guest.talk(stream=stream) as talk:
            talk.listen("ack")
            talk.say(report("evict", stream, 1, 0, job=job, exclude=True,
                            force=True))
            assert talk.listen("evicted")["outcome"] == "gone"
            talk.say({"type": "check", "job": job})
            talk.say({"type": "ping", "seq": 1})
            talk.listen("pong")
    with_job(door, check)


@attack("reports", None)
def to_lengthen_anothers_job(door, _):
    guest = door.guest()

    def check(job):
        with guest.talk(harvest="open") as talk:
            talk.say({"type": "parked", "job": job, "seconds": 100000})
            time.sleep(2)
            talk.say({"type": "ping", "seq": 1})
            talk.listen("pong")
    with_job(door, check)


@attack("reports", "it speaks of more jobs than a machine can run")
def jobs_without_number(door, _):
    """What a member may have the controller remember has an end."""
    guest = door.guest()
    with guest.talk() as talk, contextlib.suppress(rawkey.Error, OSError):
        for start in range(1000, 21000, 1000):
            talk.say(*({"type": kind, "job": job, **more}
                       for job in range(start, start + 1000)
                       for kind, more in (("parked", {"seconds": 1}),
                                          ("check", {}))))
        talk.say({"type": "ping", "seq": 1})
        talk.listen("pong")
    return guest.me.address

