# SPDX-License-Identifier: GPL-2.0-or-later
"""Forged and malformed mDNS records and link frames: nothing gets in,
nothing falls over, and each is logged once with the peer and the reason."""
import json
import re
import socket
import struct

import pytest

import doorbed
import rawkey

PORT = 6830
KEY = rawkey.Key()

FACTS = {"sockets": 1, "cores_per_socket": 1, "threads_per_core": 1,
         "memory_mb": 1000, "scratch_mb": 0, "gpus": 0, "features": []}
HELLO = {"type": "hello", "proto": doorbed.PROTO, "id": KEY.id,
         "boot": "fedcba9876543210" * 2, "hostname": "evil",
         "version": "0.1.0", "slurm": "24.11.5", "facts": FACTS,
         "busy": False, "harvest": "closed", "why": "testing",
         "away_s": 0, "battery": False, "closes_s": 0, "speed": 0,
         "stream": 1, "acked": 0}
JUNK = [None, True, -1, 2**63, 1.5, "", "x" * 60000, [], {}, "$(reboot)",
        "a\nb", "`id`", "../../etc", "desk1,desk2", "n[0-999999]",
        "\u0000", "é" * 300]


def frame(message):
    data = message if isinstance(message, bytes) else json.dumps(
        message).encode()
    return struct.pack(">I", len(data)) + data


def bad_hellos():
    """Each member missing, of each wrong kind, and unknown ones."""
    for key in HELLO:
        yield {k: v for k, v in HELLO.items() if k != key}
        for junk in JUNK:
            # These are right: a step runs; a machine without a name.
            if (key in ("busy", "battery") and junk is True) or \
                    (key == "hostname" and junk == ""):
                continue
            # Any short text may be a version or a reason: it is shown.
            if key in ("version", "slurm", "why") and isinstance(junk, str) and \
                    len(junk) < 32 and junk.isascii() and junk.isprintable():
                continue
            yield dict(HELLO, **{key: junk})
    for key in FACTS:
        for junk in JUNK:
            if key == "features" and junk == []:
                continue
            yield dict(HELLO, facts=dict(FACTS, **{key: junk}))
    yield dict(HELLO, root=True)


def raw_attacks():
    """Bytes that are not even frames, or frames out of place."""
    yield b"GET / HTTP/1.1\r\n\r\n"
    yield struct.pack(">I", 0)
    yield struct.pack(">I", 2**32 - 1)
    yield struct.pack(">I", 64 * 1024 + 1) + b"x" * 1000
    yield frame(b"not json")
    yield frame(b"[1, 2]")
    yield frame(b'{"type": 1}')
    yield frame(b"[" * 60000)
    yield frame(b'{"a":' * 10000)
    yield frame(b'{"type":"hello","type":"hello"}')
    yield frame(b"\xff\xfe\x00")
    yield frame({"type": "welcome", "node": "desk1"})
    yield frame({"type": "ping", "seq": 1})
    yield frame({"type": "reboot"})


def until_the_end(link, data):
    """Send and wait until the controller hangs up."""
    try:
        link.sendall(data)
        while link.recv(65536):
            pass
    except ConnectionError:
        pass


def send(address, data):
    """As a device that has proven its key."""
    with rawkey.Link(address, PORT, KEY) as link:
        until_the_end(link, data)


def controller_log(lab):
    return lab.ctl("cat /var/log/testbed/discoveryd.log")


@pytest.fixture
def quiet(lab):
    """Nodes, pid and log before; the same nodes and pid after."""
    pid = lab.ctl("pgrep -f '[d]iscoveryd.*controller'")
    nodes = lab.nodes()
    mark = len(controller_log(lab))
    yield lambda: controller_log(lab)[mark:]
    assert lab.ctl("pgrep -f '[d]iscoveryd.*controller'") == pid
    assert set(lab.nodes()) == set(nodes)
    assert "evil" not in lab.ctl("scontrol show nodes")


def test_no_tls(lab, quiet):
    """What does not begin with a handshake ends there, with one line."""
    address = lab.address("controller")
    attacks = [frame(HELLO), *raw_attacks(), b"SSH-2.0-x\r\n", b"\x16",
               b"\x16\x03\x01\x00\x04junk", b"\x80\x2e\x01\x03\x01"]
    for data in attacks:
        with socket.create_connection((address, PORT), timeout=15) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass  # it hung up in the middle
    text = quiet()
    assert text.count(f"refused {lab.gateway()}: the peer does not speak "
                      "TLS") == 1


def test_no_key(lab, quiet):
    """Neither without a key nor with an older TLS."""
    address = lab.address("controller")
    with pytest.raises(ConnectionError):
        with rawkey.Link(address, PORT, None) as link:
            link.sendall(frame(HELLO))
            # TLS 1.3: a client hears of it only after its own last word.
            link.recv(65536)
    with pytest.raises(ConnectionError):
        rawkey.Link(address, PORT, KEY, priorities="NORMAL:-VERS-ALL:"
                    "+VERS-TLS1.2:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK")
    text = quiet()
    assert "the peer presents no key" in text
    assert "does not speak TLS 1.3" in text


def test_the_name_of_another(lab, quiet):
    """A device's identity is told to everybody by mDNS; its key is not."""
    device = json.loads(lab.ctl("volunteer devices --json"))[0]
    send(lab.address("controller"), frame(dict(HELLO, id=device["id"])))
    assert "claims to be a device whose key it does not hold" in quiet()


def test_malformed_link_frames(lab, quiet):
    address = lab.address("controller")
    attacks = list(raw_attacks()) + [frame(h) for h in bad_hellos()]
    assert len(attacks) >= 200
    for data in attacks:
        send(address, data)
    text = quiet()
    lines = [line for line in text.splitlines()
             if f"refused {lab.gateway()}:" in line]
    # One line each; what is wrong in the same way is said once.
    assert len(lines) == len(set(lines))
    assert 200 <= len(lines) <= len(attacks), \
        f"{len(lines)} lines for {len(attacks)} attacks\n{text[-4000:]}"
    assert max(map(len, lines)) < 600


def test_truncated_frames_and_silence(lab, quiet):
    """Connections that stop in the middle, or never say a word."""
    address = lab.address("controller")
    whole = frame(HELLO)
    for cut in range(0, len(whole), max(1, len(whole) // 30)):
        with rawkey.Link(address, PORT, KEY, timeout=5) as link:
            link.sendall(whole[:cut])
    silent = [socket.create_connection((address, PORT), timeout=30)
              for _ in range(50)]
    try:
        # The hello deadline ends each of them.
        for s in silent:
            while s.recv(4096):
                pass
    finally:
        for s in silent:
            s.close()
    assert "evil" not in lab.ctl("volunteer devices")


# What an attacker on the LAN can publish through his own avahi-daemon.
FORGED_TXT = [
    "", "txtvers=2 proto=1", "txtvers=1", "txtvers=1 proto=x id=1",
    "txtvers=1 proto=99999999999 id=" + "a" * 32,
    "txtvers=1 proto=1 id=" + "g" * 32,
    "txtvers=1 proto=1 name=a;reboot id=" + "a" * 32,
    "txtvers=1 proto=1 name=$(id) id=" + "b" * 32,
    "txtvers=1 proto=1 name=" + "n" * 200 + " id=" + "c" * 32,
    "txtvers=1 txtvers=1 proto=1 name=x id=" + "d" * 32,
]
FORGED_NAMES = ["desk1", "controller", "$(reboot)", "`id`", "a;b", "n[0-9]",
                "x" * 60, "..", "all", "volunteer", "../../x", "-", "%s%n",
                "'", '"', "\\", "|cat", "&", "tab\there", "é"]


def test_forged_mdns_records(lab, quiet):
    """200 services published from a device's own avahi-daemon."""
    script = ["#!/bin/bash"]
    for i, name in enumerate(FORGED_NAMES):
        for j, txt in enumerate(FORGED_TXT):
            words = " ".join(f"'{w}'" for w in txt.split())
            label = name.replace("'", "'\\''")
            script.append(
                f"avahi-publish-service '{label}-{i}-{j}' "
                f"_slurm-voldev._tcp 6818 {words} >/dev/null 2>&1 &")
    script += ["sleep 20", "kill $(jobs -p)", "wait"]
    assert len(script) - 4 >= 200
    lab.proc("desk3", "cat > /tmp/forge && bash /tmp/forge; true",
             stdin="\n".join(script), timeout=120)
    text = quiet()
    lines = [line for line in text.splitlines() if re.search(
        "txt|TXT|mDNS", line)]
    # At most one line a record, and the bad kinds are named.
    assert 1 <= len(lines) <= 220, f"{len(lines)}\n{text[-4000:]}"
    for reason in ("txtvers", "proto", "id", "name"):
        assert any(reason in line for line in lines), reason


def test_mode_must_be_known(lab):
    """Who may come in is said in known words, or not at all."""
    conf = "/tmp/no-mode.conf"
    lab.ctl("sed 's/^approve = .*/approve = open/' "
            f"/etc/slurm-volunteer/controller.conf > {conf}")
    done = lab.proc("controller",
                    f"discoveryd --role controller --config {conf} --check",
                    check=False)
    assert done.returncode == 78  # EX_CONFIG
    assert "approve" in done.stderr and conf in done.stderr
