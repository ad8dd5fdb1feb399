# SPDX-License-Identifier: GPL-2.0-or-later
"""netbed - run steps with a network in a world of their own; see world.py"""
import contextlib
import os
import pathlib
import select
import socket
import stat
import threading
import time

import world
from bed import LIBC, Bed, skip
from world import LAN, PORT, World

MS_BIND = 4096

# In a job: one line for each PROTOCOL,ADDRESS,PORT of its command line.
REACH = r"""
import errno, socket, sys
for spec in sys.argv[1:]:
    proto, address, port = spec.split(",")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    open = ""
    try:
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.settimeout(3)
        s.connect(socket.getaddrinfo(address, int(port), family, kind)[0][4])
        open = "open" if proto == "tcp" else ""
        s.send(b"hello")
        print(spec, s.recv(200).decode() or open)
    except OSError as e:
        print(spec, open or "no", errno.errorcode.get(e.errno, str(e)))
"""


class Net:
    """The bed, and what is around it."""

    def __init__(self):
        self.bed = Bed("net", network="lan")
        self.world = None
        self.resolv = pathlib.Path("/dev/net/resolv.conf")

    def up(self):
        """Names of the machine's that are another thing here alone."""
        lacks = world.missing()
        if lacks:
            self.bed.close()
            skip(lacks)
        if LIBC.mount(b"net", b"/dev/net", b"tmpfs", 0, None) != 0:
            skip("no /dev/net")
        os.mknod("/dev/net/tun", stat.S_IFCHR | 0o666, os.makedev(10, 200))
        os.chmod("/dev/net/tun", 0o666)
        resolv = self.resolv
        resolv.write_text(f"search lan\nnameserver {LAN}\n")
        LIBC.mount(bytes(resolv), os.path.realpath("/etc/resolv.conf").encode(),
                   None, MS_BIND, None)
        self.world = World(self.bed.work)
        (self.bed.work / "reach.py").write_text(REACH)
        self.bed.require()

    def reach(self, *specs, network="internet", **more):
        done = self.bed.run("/usr/bin/python3", "reach.py", *specs,
                            options=("-N", network), **more)
        assert done.returncode == 0, done
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def sh(self, script, network="internet", **more):
        return self.bed.sh(script, options=("-N", network), **more)

    def python(self, code, **more):
        return self.bed.run("/usr/bin/python3", "-c", code,
                            options=("-N", "internet"), **more)

    def started(self, code, n=1):
        """A job that goes on until its working folder has "end"."""
        wait = "while not os.path.exists('end'): time.sleep(0.02)\n"
        for name in ("end", "ready"):
            (self.bed.work / name).unlink(missing_ok=True)
        step = self.bed.start("/usr/bin/python3", "-c",
                              f"import os, time\n{code}\n"
                              f"open('ready', 'w').close()\n{wait}",
                              n=n, options=("-N", "internet"))
        wait_for((self.bed.work / "ready").exists)
        return step

    @contextlib.contextmanager
    def telling(self, test):
        """What a job says at the moment, yes or no: does the test raise?"""
        code = f"""
import os, socket, time
while not os.path.exists("end"):
    try:
        {test}
        word = "yes"
    except OSError:
        word = "no"
    with open("said.new", "w") as f:
        f.write(word)
    os.rename("said.new", "said")
    time.sleep(0.05)
"""
        said = self.bed.work / "said"
        for name in ("end", "said"):
            (self.bed.work / name).unlink(missing_ok=True)
        step = self.bed.start("/usr/bin/python3", "-c", code,
                              options=("-N", "internet"))
        try:
            wait_for(said.exists)
            yield said.read_text
        finally:
            status, _, err = self.end(step)
        assert status == 0, err

    def end(self, step):
        (self.bed.work / "end").write_text("")
        out, err = step.communicate(timeout=30)
        return step.returncode, out, err

    def guards(self):
        """Processes of the first number of a range: pasta and its guard."""
        return [p for p in self.bed.processes()
                if p.split("(")[1].startswith(("pas", "vol-net"))]


@contextlib.contextmanager
def service_of_the_host():
    """The protocols by which somebody came."""
    came, ended = [], threading.Event()
    tcp = socket.create_server(("", PORT), family=socket.AF_INET6,
                               dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("::", PORT))

    def serve():
        while not ended.is_set():
            for sock in select.select([tcp, udp], [], [], 0.05)[0]:
                if sock is tcp:
                    with tcp.accept()[0] as conn:
                        came.append("tcp")
                        conn.sendall(b"host")
                else:
                    peer = udp.recvfrom(100)[1]
                    came.append("udp")
                    udp.sendto(b"host", peer)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield came
    finally:
        ended.set()
        thread.join()
        tcp.close()
        udp.close()


@contextlib.contextmanager
def other_walls(bed, old, new):
    text = bed.walls.read_text()
    assert old in text
    bed.walls.write_text(text.replace(old, new))
    try:
        yield
    finally:
        bed.walls.write_text(text)


@contextlib.contextmanager
def other_pasta(bed, script):
    pasta = os.path.realpath("/usr/bin/pasta")
    other = bed.work / "pasta"
    other.write_text(script)
    other.chmod(0o755)
    LIBC.mount(bytes(other), pasta.encode(), None, MS_BIND, None)
    try:
        yield
    finally:
        assert LIBC.umount2(pasta.encode(), 2) == 0
        other.unlink()


def wait_for(test, seconds=20):
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, test
        time.sleep(0.01)
