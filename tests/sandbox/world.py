#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""world - a host, its LAN and the internet behind it, in network namespaces

	this process ("the host")	another one ("the world")
	eth0 HOST, HOST6 ------------ lan0 LAN, LAN6	a neighbour, the gateway
				      lan0 LINK6, GROUP
				      lo   SITE6	its neighbour in another
							network of the owner's
				      lo   NEAR		addresses of a kind that
							is never far
	default route: LAN, LAN6      lo   FAR, FAR6	the internet
				      lo   LATER	it too, until the host has
							an address of its network

The world answers on PORT, TCP and UDP, with "at ADDRESS from ADDRESS", and to
every question of DNS that it is FAR.  It writes down what was asked of it.
"""
import ctypes
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import sys
import time

HOST, LAN, FAR, LATER = ("192.168.77.20", "192.168.77.1", "203.0.113.7",
                         "198.51.100.1")
HOST6, LAN6, SITE6, FAR6 = ("2001:db8:7::20", "2001:db8:7::1",
                            "2001:db8:7:5::1", "2001:db8:ffff::7")
NEAR = ("10.0.0.1", "169.254.169.254", f"64:ff9b::{LAN}")
LINK6, GROUP = "fe80::1", "224.0.0.251"
PORT = 7777
CLONE_NEWNET = 0x40000000
TOOLS = ("ip", "nsenter", "unshare", "pasta")


def ip(*args, pid=None):
    enter = ["nsenter", "-t", str(pid), "-n"] if pid else []
    subprocess.run([*enter, "ip", *args], check=True, timeout=20)


class World:
    """Made around this process; ends with it."""

    def __init__(self, folder):
        self.log = folder / "world.log"
        self.log.write_text("")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "new network namespace")
        self.process = subprocess.Popen(
            ["unshare", "-n", sys.executable, __file__, str(self.log)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.connect(self.process.pid)
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    @staticmethod
    def connect(pid):
        ip("link", "set", "lo", "up")
        ip("link", "add", "eth0", "type", "veth", "peer", "name", "lan0")
        ip("link", "set", "lan0", "netns", str(pid))
        ip("address", "add", f"{HOST}/24", "dev", "eth0")
        ip("address", "add", f"{HOST6}/64", "dev", "eth0", "nodad")
        ip("link", "set", "eth0", "up")
        ip("link", "set", "lo", "up", pid=pid)
        ip("address", "add", f"{LAN}/24", "dev", "lan0", pid=pid)
        ip("address", "add", f"{LAN6}/64", "dev", "lan0", "nodad", pid=pid)
        ip("address", "add", f"{FAR}/32", "dev", "lo", pid=pid)
        ip("address", "add", f"{LATER}/32", "dev", "lo", pid=pid)
        ip("address", "add", f"{FAR6}/128", "dev", "lo", pid=pid)
        ip("address", "add", f"{LINK6}/64", "dev", "lan0", "nodad", pid=pid)
        for address in (SITE6, *NEAR):
            ip("address", "add", address, "dev", "lo", pid=pid)
        ip("link", "set", "lan0", "up", pid=pid)
        # For the answers, when the host has an address there.
        ip("route", "add", "198.51.100.0/24", "dev", "lan0", pid=pid)
        ip("route", "add", "default", "via", LAN)
        ip("route", "add", "default", "via", LAN6)

    def heard(self):
        """Lines "tcp ADDRESS", "udp ADDRESS", "dns ADDRESS", "bytes N"
        (that came by TCP).  Who sends "give" there gets as much as fits
        into the three seconds."""
        return self.log.read_text().splitlines()

    def send_udp(self, port):
        """From the neighbour to the host."""
        code = (f"import socket; socket.socket(socket.AF_INET, "
                f"socket.SOCK_DGRAM).sendto(b'knock', ('{HOST}', {port}))")
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-n",
                        sys.executable, "-c", code], check=True, timeout=20)

    def end(self):
        self.process.kill()
        self.process.wait()


def missing():
    """What a machine lacks for all this, "" if nothing."""
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"no {tool}"
    return ""


def plain(address):
    return address[0].removeprefix("::ffff:")


def answer(sock):
    return f"at {plain(sock.getsockname())} from {plain(sock.getpeername())}"


def serve_tcp(sock, say):
    conn = sock.accept()[0]
    say(f"tcp {plain(conn.getsockname())}")
    conn.settimeout(2)
    total, end = 0, time.monotonic() + 3
    try:
        conn.sendall(answer(conn).encode())
        while time.monotonic() < end:
            data = conn.recv(65536)
            while data == b"give" and time.monotonic() < end:
                conn.send(bytes(65536))
            total += len(data)
            if not data:
                break
    except OSError:
        pass
    say(f"bytes {total}")
    conn.close()


def serve_udp(sock, say):
    """From the address that it was asked at."""
    _, extra, _, peer = sock.recvmsg(65536, 256)
    info = [d for level, kind, d in extra if kind == socket.IPV6_PKTINFO]
    at = socket.inet_ntop(socket.AF_INET6, info[0][:16])
    say(f"udp {at.removeprefix('::ffff:')}")
    # Not from one that is everybody's.
    if at == "::ffff:255.255.255.255":
        return
    sock.sendmsg([f"at {at.removeprefix('::ffff:')} from "
                  f"{plain(peer)}".encode()],
                 [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO,
                   info[0][:16] + struct.pack("=I", 0))], 0, peer)


def serve_group(sock, say):
    sock.recv(100)
    say(f"udp {GROUP}")


def serve_dns(sock, say):
    data, peer = sock.recvfrom(512)
    say(f"dns {plain(peer)}")
    if len(data) < 17:
        return
    question = data[12:]
    end = question.index(b"\0") + 5
    kind = question[end - 4:end - 2]
    found = b"\0\x01" if kind == b"\0\x01" else b"\0\0"
    record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(FAR)
    sock.sendto(data[:2] + b"\x81\x80\0\x01" + found + b"\0\0\0\0" +
                question[:end] + (record if found == b"\0\x01" else b""), peer)


def serve(path):
    def say(line):
        with path.open("a") as out:
            out.write(line + "\n")
    print("ready", flush=True)
    sys.stdin.readline()
    tcp = socket.create_server(("", PORT), family=socket.AF_INET6,
                               dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    udp.bind(("::", PORT))
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind((LAN, 53))
    group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    group.bind((GROUP, PORT))
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(GROUP) + socket.inet_aton(LAN))
    handlers = {tcp: serve_tcp, udp: serve_udp, dns: serve_dns,
                group: serve_group}
    print("go", flush=True)
    while os.getppid() != 1:
        for sock in select.select(list(handlers), [], [], 1)[0]:
            handlers[sock](sock, say)


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]))
