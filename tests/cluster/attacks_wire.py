# SPDX-License-Identifier: GPL-2.0-or-later
"""attacks_wire.py - attacks by who does not speak TLS as it is spoken here, and
by crowds"""
import concurrent.futures
import contextlib
import hashlib
import resource
import socket
import time

import rawkey
from attack import attack
from attacks_link import wait_with_code
from doorbed import Tap, frame, hello, knock

NO_TLS = "the peer does not speak TLS$"
NOT_OURS = "TLS"  # whatever GnuTLS calls it
HANDSHAKE, ALERT, DATA = 22, 21, 23


def record(kind, data, version=0x0303):
    """A TLS record (RFC 8446 5.1)."""
    return bytes([kind]) + version.to_bytes(2, "big") + \
        len(data).to_bytes(2, "big") + data


def records(data):
    """The whole ones of a stream."""
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        yield data[:size]
        data = data[size:]


def recorded(me, *messages, key=None):
    """What a device and the controller say, sealed, in a good session."""
    tap = Tap(me)
    with contextlib.suppress(rawkey.Error, OSError), \
            rawkey.Link(*tap.address, key or me.key) as link:
        link.sendall(b"".join(frame(m) for m in messages))
        while link.recv(4096):
            pass
    tap.close()
    return tap.said[True], tap.said[False]


def first_flight(me):
    """A ClientHello of an own session, which ends there."""
    near, far = socket.socketpair()
    with near, far, concurrent.futures.ThreadPoolExecutor(1) as pool:
        session = pool.submit(rawkey.Session, near, me.key, 2)
        data = far.recv(65536)
        far.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(Exception):
            session.result().close()
    return data


# -- not this TLS ------------------------------------------------------------

def plain(name, data):
    """A row about bytes that no handshake begins with."""
    def run(_, me):
        me.send(data(me) if callable(data) else data)
    run.__name__ = name
    attack("tls", NO_TLS)(run)


plain("http", b"GET / HTTP/1.1\r\n\r\n")
plain("ssh", b"SSH-2.0-x\r\n")
plain("a_hello_without_tls", lambda me: frame(hello(me.key)))
plain("ssl_2", b"\x80\x2e\x01\x03\x01")
plain("data_first", record(DATA, b"x" * 100))


def older(name, version):
    """A row about a client that speaks no TLS 1.3."""
    def run(_, me):
        try:
            with me.talk(priorities="NORMAL:-VERS-ALL:+VERS-" + version +
                         ":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"):
                raise AssertionError("it is spoken")
        except (rawkey.Error, TimeoutError):
            pass
    run.__name__ = name
    attack("tls", "does not speak TLS 1.3")(run)


older("tls_1_2", "TLS1.2")
older("tls_1_1", "TLS1.1")
older("tls_1_0", "TLS1.0")


def shown(name, key, says, priorities=rawkey.PRIORITIES):
    """A row about what a client shows in place of an Ed25519 key."""
    def run(_, me):
        with contextlib.suppress(rawkey.Error, OSError), \
                me.talk(key() if key else me.key,
                        priorities=priorities) as talk:
            talk.say(hello(me.key))
            assert not talk.hear_out()
    run.__name__ = name
    attack("tls", says)(run)


shown("a_certificate", rawkey.Certificate, "TLS|certificate", priorities=(
    rawkey.PRIORITIES.replace("+CTYPE-CLI-RAWPK", "+CTYPE-CLI-X509")))
shown("an_ecdsa_key", lambda: rawkey.Key(rawkey.ECDSA), "key|TLS|the peer",
      rawkey.PRIORITIES + ":+SIGN-ECDSA-SECP256R1-SHA256")
shown("an_rsa_key", lambda: rawkey.Key(rawkey.RSA), "key|TLS|the peer",
      rawkey.PRIORITIES + ":+SIGN-RSA-PSS-RSAE-SHA256")


@attack("tls", "the peer presents no key")
def no_key(_, me):
    with contextlib.suppress(rawkey.Error, OSError), \
            rawkey.Session(me.socket(), None) as link:
        link.sendall(frame(hello(me.key)))
        assert not link.recv(4096)


# -- what was heard before ---------------------------------------------------

@attack("tls", NOT_OURS, most=2)
def a_recorded_session(door, me):
    """That of a device which is let in, from its own address even."""
    guest = door.guest()
    up, down = recorded(guest.me, hello(guest.key),
                        {"type": "bye", "reason": "leaving"}, key=guest.key)
    assert len(up) > 500 and len(down) > 500
    guest.me.send(up)
    assert not set(records(me.send(up))) & set(records(down))


@attack("tls", NOT_OURS)
def a_recorded_session_in_step(door, me):
    """Each flight when its turn has come."""
    guest = door.guest()
    up, _ = recorded(guest.me, hello(guest.key),
                     {"type": "bye", "reason": "leaving"}, key=guest.key)
    with me.socket(1) as s, contextlib.suppress(OSError):
        for part in records(up):
            s.sendall(part)
            # Not all of them have an answer.
            with contextlib.suppress(TimeoutError):
                s.recv(65536)


@attack("tls", "not served .*peer closed the connection", most=3)
def cut_at_each_message(_, me):
    """Of our own handshake, and in the middle of each, too."""
    up, _ = recorded(me, {"type": "bye", "reason": ""})
    at = 0
    for part in list(records(up))[:-1]:
        for end in (at + 3, at + len(part) // 2, at + len(part)):
            through(Tap(me, cut=end), me)
        at += len(part)


def through(tap, me):
    """A session over a tap, which goes wrong."""
    with contextlib.suppress(rawkey.Error, OSError), \
            rawkey.Link(*tap.address, me.key, 5) as link:
        link.sendall(frame(hello(me.key)))
        while link.recv(4096):
            pass
    tap.close()


@attack("tls", "TLS|the peer", most=4)
def a_bit_on_its_way(_, me):
    """Somebody in the middle changes what the device says."""
    up, _ = recorded(me, {"type": "bye", "reason": ""})
    at = 0
    for part in records(up):
        def flip(is_up, offset, data, at=at + 5 + (len(part) - 5) // 2):
            if is_up and offset <= at < offset + len(data):
                data = bytearray(data)
                data[at - offset] ^= 1
            return bytes(data)
        through(Tap(me, flip), me)
        at += len(part)


# -- odd records -------------------------------------------------------------

@attack("tls", "TLS|not served|the peer", most=2)
def records_of_one_byte(_, me):
    """A hello in three hundred pieces, then junk."""
    body = first_flight(me)[5:]
    me.send(b"".join(record(HANDSHAKE, bytes([b])) for b in body) +
            record(HANDSHAKE, b"\xff" * 64))


@attack("tls", "the peer sends TLS without end")
def a_message_of_sixteen_megabytes(_, me):
    """A hundred times over: the controller would keep them all."""
    links = [me.socket() for _ in range(100)]
    for s in links:
        with s, contextlib.suppress(OSError):
            s.sendall(record(HANDSHAKE, b"\x01\xff\xff\xff" + b"x" * 4000))
            for _ in range(1000):
                s.sendall(record(HANDSHAKE, b"x" * 4000))


@attack("tls", "TLS")
def a_record_that_is_too_long(_, me):
    me.send(bytes([HANDSHAKE, 3, 1, 0xff, 0xff]) + b"x" * 65535)


@attack("tls", "TLS|not served|the peer", most=2)
def alerts_first(_, me):
    me.send(record(ALERT, b"\x01\x00") * 1000)


@attack("tls", "TLS", most=2)
def early_data(_, me):
    """Something sealed behind the first word."""
    me.send(first_flight(me) + record(DATA, b"x" * 500))


@attack("tls", "TLS|not served|closed", most=2)
def key_updates(_, me):
    """As fast as they go (RFC 8446 4.6.3 knows no limit)."""
    with me.talk() as talk, contextlib.suppress(rawkey.Error, OSError):
        for _ in range(2000):
            talk.link.update_key()
        talk.hear_out()


@attack("tls", "TLS|not served|the peer|no hello", most=2, slow=True)
def warnings_without_end(_, me):
    with me.talk() as talk, contextlib.suppress(rawkey.Error, OSError):
        for _ in range(2000):
            talk.link.alert(1, 90)
        talk.hear_out()


@attack("tls", "no TLS handshake in|no hello in time", slow=True)
def silence(_, me):
    me.send(b"", shut=False)


@attack("tls", "no TLS handshake in|no hello in time", slow=True)
def half_a_hello_for_ever(_, me):
    me.send(first_flight(me)[:100], shut=False)


@attack("tls", "no TLS handshake in|no hello in time", slow=True)
def a_hello_byte_by_byte(_, me):
    with me.socket() as s, contextlib.suppress(OSError):
        for byte in first_flight(me):
            s.sendall(bytes([byte]))
            time.sleep(0.5)
        s.recv(1)


@attack("tls", "no hello in time", slow=True)
def silence_after_the_handshake(_, me):
    with me.talk() as talk:
        talk.hear_out()


# -- crowds ------------------------------------------------------------------

def several(door, me, n):
    """Addresses: a crowd is not of one host."""
    return [me.address] + [door.next_address() for _ in range(n - 1)]


@attack("floods", "too many links without a hello", most=4)
def five_thousand_half_open(door, me):
    """Held, from five addresses; who is in stays, who asks is answered."""
    addresses, held = several(door, me, 5), []
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    try:
        for i in range(5000):
            s = socket.socket()
            s.setblocking(False)
            s.bind((addresses[i % 5], 0))
            s.connect_ex((door.address, 6830))
            held.append(s)
            if i % 1000 == 999:
                door.look()
                door.check_harmless([])
        # Who is in the queue is let in when others were patient for long.
        door.lab.wait("they make room for each other", lambda: door.look() and
                      any("too many links" in line
                          for line in door.lines(me.address)), 30)
    finally:
        for s in held:
            s.close()


@attack("floods", "not served|too many links", most=3)
def five_hundred_cut_handshakes(_, me):
    data = first_flight(me)
    for _ in range(500):
        with contextlib.suppress(OSError), me.socket(5) as s:
            s.sendall(data)


@attack("floods", "not served|too many links", most=3)
def connect_and_close(_, me):
    for _ in range(2000):
        with contextlib.suppress(OSError):
            me.socket(5).close()


@attack("floods", "not served|not approved|too many links", most=4)
def two_hundred_handshakes_at_once(_, me):
    """Whole ones, which cost the controller a signature each."""
    def one(_):
        with contextlib.suppress(rawkey.Error, OSError):
            me.ask(hello(me.key))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(200)))


@attack("floods", "waits for approval|too many wait|closed|not served",
        most=40)
def knocks_of_many_keys(door, me):
    """Each with a key of its own; sixteen of an address may wait."""
    waiting, busy = [], 0
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            key = rawkey.Key()
            talk = stack.enter_context(me.talk(key))
            try:
                wait_with_code(talk, key)
                waiting.append(talk)
            except AssertionError:
                busy += talk.heard[-1].get("code") == "busy"
        assert len(waiting) == 16 and busy == 24, (len(waiting), busy)
        shown_there = [p for p in door.look().pending
                       if p["address"] == me.address and p["code"]]
        assert len(shown_there) == 16


@attack("floods", "waits for approval|too many wait|closed|not served",
        most=40)
def knocks_that_are_revealed_at_once(door, me):
    """All are counted when they begin to wait, not when they knock."""
    nonce = b"\x42" * 32
    commit = hashlib.sha256(b"slurm-volunteer code commit" + nonce).hexdigest()
    with contextlib.ExitStack() as stack:
        talks = []
        for _ in range(24):
            key = rawkey.Key()
            talks.append(stack.enter_context(me.talk(key)))
            talks[-1].say(knock(key, commit=commit))
        for talk in talks:
            assert talk.listen()["type"] == "nonce", talk.heard
        for talk in talks:
            talk.say({"type": "reveal", "nonce": nonce.hex()})
        answers = [talk.listen()["type"] for talk in talks]
        assert answers.count("pending") == 16, answers
        assert answers.count("refuse") == 8, answers


@attack("floods", "too many wait", most=2)
def knocks_that_are_never_revealed(_, me):
    """Until its network's quarter of the budget is spent."""
    def one(_):
        return me.ask(knock(me.key), {"type": "ping", "seq": 1})[0].get("code")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(one, range(400)))
    assert codes.count("busy") >= 300, codes
