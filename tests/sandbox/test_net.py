#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A step with a network reaches what it may, nothing else, and leaves nothing;
see world.py."""
import os
import signal
import socket
import subprocess
import sys
import time

import test_fault
import world
from bed import LIBC, main, read
from netbed import (MS_BIND, REACH, Net, other_pasta, other_walls,
                    service_of_the_host, wait_for)
from world import (FAR, FAR6, HOST, HOST6, LAN, LAN6, LATER, NEAR, PORT,
                   SITE6)

net = Net()


def the_internet_is_reached(_):
    specs = [f"{proto},{at},{PORT}" for proto in ("tcp", "udp")
             for at in (FAR, FAR6)]
    for spec, said in net.reach(*specs, "tcp,any.example,7777").items():
        at = FAR6 if FAR6 in spec else FAR
        # By the host's own address.
        assert said == f"at {at} from {HOST6 if at == FAR6 else HOST}", \
            (spec, said)
    assert any(line.startswith("dns ") for line in net.world.heard())


def told_by_the_host(*specs):
    done = subprocess.run([sys.executable, "-c", REACH, *specs], check=True,
                          capture_output=True, text=True, timeout=60)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def nothing_near_is_reached(_):
    """All of which the host itself reaches."""
    def specs_of(addresses):
        return [f"{proto},{at},{PORT}" for at in addresses
                for proto in ("tcp", "udp")]
    around = [LAN, LAN6, SITE6, *NEAR, f"::ffff:{LAN}"]
    own = [HOST, HOST6, "127.0.0.1", "::1", "0.0.0.0", f"::ffff:{HOST}"]
    everybody = [f"udp,{at},{PORT}" for at in
                 (world.GROUP, "255.255.255.255")]
    heard = len(net.world.heard())
    with service_of_the_host() as came:
        said = told_by_the_host(*specs_of(around + own), f"udp,{LAN},53",
                                f"tcp,{world.LINK6}%eth0,{PORT}", *everybody)
        missed = [spec for spec, word in said.items()
                  if word.startswith("no") and spec not in everybody]
        # A name server does not answer to "hello".
        assert missed == [f"udp,{LAN},53"], missed
        told = net.world.heard()[heard:]
        for at in (f"udp {world.GROUP}", "udp 255.255.255.255",
                   f"dns {HOST}"):
            assert at in told, (at, told)
        time.sleep(0.5)
        heard = len(net.world.heard())
        del came[:]
        said = net.reach(*specs_of(around + own + ["192.0.0.1", "192.0.0.3"]),
                         f"udp,{LAN},53", f"tcp,{world.LINK6}%net0,{PORT}",
                         *everybody)
        reached = {spec: word for spec, word in said.items()
                   if not word.startswith("no ")}
        assert not reached, reached
        assert not came, came
    assert net.world.heard()[heard:] == []


def refusals_come_at_once(_):
    start = time.monotonic()
    said = net.reach(*[f"tcp,{LAN},{port}" for port in range(1000, 1040)])
    assert set(said.values()) == {"no EHOSTUNREACH"}, said
    assert time.monotonic() - start < 20


def the_lan_is_reached_if_it_may_be(_):
    with service_of_the_host() as came:
        said = net.reach(f"tcp,{LAN},{PORT}", f"udp,{LAN6},{PORT}",
                         f"tcp,{FAR},{PORT}", f"tcp,{HOST},{PORT}",
                         f"tcp,{HOST6},{PORT}", f"tcp,169.254.169.254,{PORT}",
                         network="lan")
        assert not came, came
    ends = [v.split()[0] for v in said.values()]
    assert ends == ["at", "at", "at", "no", "no", "no"], said


def what_the_owner_denies_is_not_reached(bed):
    """Such as the router's public address."""
    with other_walls(bed, "image=", f"network_deny={FAR}\n"
                     "network_deny=2001:db8:ffff::/48\nimage="):
        for network in ("internet", "lan"):
            said = net.reach(*[f"{proto},{at},{PORT}" for at in (FAR, FAR6)
                               for proto in ("tcp", "udp")],
                             f"tcp,{LATER},{PORT}", network=network)
            ends = [v.split()[0] for v in said.values()]
            assert ends == ["no", "no", "no", "no", "at"], said


def without_one_there_is_none(_):
    done = net.bed.sh("ls /sys/class/net; cat /etc/resolv.conf; "
                      f"python3 reach.py tcp,{FAR},{PORT}")
    assert done.stdout.endswith("no ENETUNREACH\n"), done
    assert "nameserver" not in done.stdout


def the_job_changes_nothing(_):
    """Nor would it if it had all capabilities of its own user namespace."""
    code = r"""
import fcntl, socket, struct
def no(what):
    try:
        what()
    except (OSError, PermissionError) as e:
        return
    print("done:", what)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
no(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
no(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255))
no(lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58))
no(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300))
no(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))
no(lambda: fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"net0", 0)))
no(lambda: s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1))
no(lambda: open("/dev/net/tun", "r+b"))
no(lambda: open("/proc/sys/net/ipv4/ip_forward", "w").write("1"))
# RTM_DELROUTE of all, RTM_NEWADDR, RTM_DELLINK: what the kernel answers
r = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
for kind, body in ((25, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 3, 0, 1, 0)),
                   (20, struct.pack("=BBBBI", 2, 24, 0, 0, 2)),
                   (17, struct.pack("=BBHiII", 0, 0, 0, 2, 0, 0))):
    r.send(struct.pack("=IHHII", 16 + len(body), kind, 5, 1, 0) + body)
    print(struct.unpack_from("=i", r.recv(4096), 16)[0])
"""
    done = net.python(code)
    assert done.stdout.split() == ["-1", "-1", "-1"], done


def root_of_the_job_s_user_namespace_changes_nothing(bed):
    """What it would be if it broke out of all but that."""
    step = net.started("")
    try:
        pid = next(p.split()[0] for p in bed.processes() if "(python3" in p)
        assert os.readlink(f"/proc/{pid}/ns/user") != \
            os.readlink("/proc/self/ns/user")
        done = subprocess.run(
            ["nsenter", "-t", pid, "-U", "-n", "-S", "0", "-G", "0", "ip",
             "link", "set", "net0", "down"], capture_output=True, text=True,
            check=False, timeout=20)
        assert done.returncode != 0 and "not permitted" in done.stderr, done
    finally:
        assert net.end(step)[0] == 0


def a_network_that_comes_later_is_near(_):
    """The host gets an address in a network that was far away."""
    code = f"""
import socket
def reach():
    try:
        return socket.create_connection(("{LATER}", {PORT}), 3).recv(9)
    except OSError as e:
        return e
print(reach())
"""
    step = net.started(code)
    world.ip("address", "add", "198.51.100.20/24", "dev", "eth0")
    try:
        said = set()

        def refused():
            said.update(net.reach(f"tcp,{LATER},{PORT}").values())
            return said == {"no EHOSTUNREACH"}
        assert refused(), said
        # The one that was there before, too, and soon.
        done = net.python(code)
        assert "No route" in done.stdout or "unreach" in done.stdout, done
    finally:
        world.ip("address", "del", "198.51.100.20/24", "dev", "eth0")
        status, out, _ = net.end(step)
    assert (status, out.startswith("b'at ")) == (0, True), (status, out)


def a_running_job_follows_the_routes(_):
    with net.telling(f'socket.create_connection(("{LATER}", {PORT}), 3)') \
            as said:
        assert said() == "yes"
        world.ip("address", "add", "198.51.100.20/24", "dev", "eth0")
        wait_for(lambda: said() == "no")
        world.ip("address", "del", "198.51.100.20/24", "dev", "eth0")
        wait_for(lambda: said() == "yes")


def names_end_with_the_name_server(_):
    """In another LAN its address is somebody else's."""
    text = net.resolv.read_text()
    try:
        with net.telling('socket.getaddrinfo("any.example", 1)') as said:
            assert said() == "yes"
            net.resolv.write_text(f"nameserver {LATER}\n")
            wait_for(lambda: said() == "no", 60)
            heard = len(net.world.heard())
            # Nor was it a question that was lost.
            time.sleep(2)
            assert (said(), net.world.heard()[heard:]) == ("no", [])
            net.resolv.write_text(text)
            wait_for(lambda: said() == "yes", 60)
    finally:
        net.resolv.write_text(text)


def nobody_gets_in(_):
    """What a neighbour sends to the port that the job sends from."""
    code = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 40404))
s.settimeout(5)
s.sendto(b"hello", ("{FAR}", {PORT}))
print(s.recv(100))
t = socket.create_server(("", 7778))
open("ready", "w").close()
s.settimeout(2)
try:
    print(s.recv(100))
except socket.timeout:
    print("nothing")
"""
    step = net.started(code)
    for _ in range(10):
        net.world.send_udp(40404)
        time.sleep(0.02)
    listening = [line.split()[1:4:2] for kind in ("tcp", "tcp6")
                 for line in read(f"/proc/net/{kind}").splitlines()[1:]]
    # 7778 is 1E62; 0A is the state of one that listens.
    assert not [at for at, state in listening if state == "0A"], listening
    status, out, err = net.end(step)
    assert status == 0, err
    assert out.splitlines() == [f"b'at {FAR} from {HOST}'", "nothing"], out


def ports_that_programs_share_are_not_taken(_):
    """Nor by asking for a name."""
    for at, port in ((FAR, PORT), ("192.0.0.3", 53)):
        done = net.python(f"""
import errno, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5353))
s.settimeout(2)
try:
    s.connect(("{at}", {port}))
    s.send(bytes.fromhex("123401000001000000000000036f6e6507657861"
                         "6d706c650000010001"))
    print(s.recv(99))
except OSError as e:
    print(errno.errorcode.get(e.errno, e))
""")
        assert done.stdout in ("EPERM\n", "EHOSTUNREACH\n", "EACCES\n"), done


def the_resolver_is_not_flooded(_):
    """A socket for each question, as a job that means harm would."""
    before = len(net.world.heard())
    done = net.python("""
import socket
for i in range(3000):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.sendto(bytes.fromhex("123401000001000000000000036f6e65076578616d"
                               "706c650000010001"), ("192.0.0.3", 53))
    except OSError:
        pass
    s.close()
""")
    assert done.returncode == 0, done
    asked = net.world.heard()[before:]
    # What was on its way when the job ended is lost.
    assert 10 < len(asked) < 1500, len(asked)


def the_host_keeps_its_ports(bed):
    """A job sends from each of those that the kernel gives away."""
    with other_walls(bed, "open_files=1024", "open_files=65536"):
        step = net.started(f"""
import socket
refused = 0
for port in range(32768, 61000):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    try:
        s.sendto(b"x", ("{FAR}", {PORT}))
    except OSError:
        refused += 1
    s.close()
print(refused)
""")
    taken = len(read("/proc/net/udp").splitlines()) - 1
    files = {line.split()[3] for p in net.guards() for line in
             read(f"/proc/{p.split('(')[0].strip()}/limits").splitlines()
             if line.startswith("Max open files")}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind(("", 0))
    finally:
        status, out, err = net.end(step)
    assert status == 0, err
    assert 100 < taken < 2048, taken
    # Most never got as far as to pasta, whose limit is the second one.
    assert int(out) > 20000, out
    assert files == {"2048"}, files


def each_way_is_held_to_its_rate(bed):
    """Three seconds' worth; without a limit some hundred times as much."""
    most = 10 * 3 * 65536
    heard = len(net.world.heard())
    with other_walls(bed, "network_rate=4194304", "network_rate=65536"):
        done = net.python(f"""
import socket, time
s = socket.create_connection(("{FAR}", {PORT}), 5)
s.settimeout(3)
end = time.monotonic() + 3
try:
    while time.monotonic() < end:
        s.send(bytes(65536))
except OSError:
    pass
""")
        assert done.returncode == 0, done

        def told():
            return [int(line.split()[1]) for line in net.world.heard()[heard:]
                    if line.startswith("bytes ")]
        wait_for(told)
        assert 0 < told()[0] < most, told()
        done = net.python(f"""
import socket, time
s = socket.create_connection(("{FAR}", {PORT}), 5)
s.settimeout(3)
n = len(s.recv(100))
s.send(b"give")
end = time.monotonic() + 3
try:
    while time.monotonic() < end:
        n += len(s.recv(65536))
except OSError:
    pass
print(n)
""")
    assert done.returncode == 0 and 100 < int(done.stdout) < most, done


def tasks_share_it(_):
    """Also when the first of them, whose child made it, is gone."""
    done = net.bed.sh(
        "readlink /proc/self/ns/net; "
        "if mkdir /tmp/first 2> /dev/null; then exit 0; fi; sleep 1; "
        f"exec python3 reach.py tcp,{FAR},{PORT}", n=3,
        options=("-N", "internet"))
    lines = sorted(set(done.stdout.splitlines()))
    assert done.returncode == 0 and len(lines) == 2, done
    assert f"at {FAR}" in lines[1], lines


def ids_of_the_job_s_own_are_not_needed(bed):
    """pasta has a number that is nobody's all the same."""
    text = bed.walls.read_text()
    bed.walls.write_text(text.replace("users=auto", "users=never"))
    try:
        step = net.started("")
        uids = {os.stat(f"/proc/{p.split()[0]}").st_uid for p in net.guards()}
        assert net.end(step)[0] == 0
        said = net.reach(f"tcp,{FAR},{PORT}", f"tcp,{LAN},{PORT}")
    finally:
        bed.walls.write_text(text)
    assert list(said.values()) == [f"at {FAR} from {HOST}",
                                   "no EHOSTUNREACH"], said
    assert len(uids) == 1 and min(uids) >= bed.base, uids


def it_ends_with_its_guard(_):
    """kill -9 of either: no network, and the job goes on."""
    for victim in ("(pas", "vol-net"):
        step = net.started("")
        found = [p for p in net.guards() if victim in p]
        assert len(found) == 1, net.guards()
        os.kill(int(found[0].split()[0]), signal.SIGKILL)
        wait_for(lambda: not net.guards())
        status, _, err = net.end(step)
        assert status == 0, err


def killed_at_any_moment_nothing_is_left(bed):
    for i in range(30):
        step = bed.start("/bin/sleep", "0.2", n=1 + i % 2,
                         options=("-N", "internet"))
        time.sleep(i * 0.004)
        step.kill()
        step.communicate(timeout=20)
        bed.check_clean(f"round {i}")


def what_is_missing_is_named(bed):
    def fails(words):
        done = net.sh("true")
        assert done.returncode == 120, done
        assert words in done.stderr, (words, done.stderr)
        bed.check_clean(words)
        # The job that asks for none does not mind.
        assert net.sh("true", network="none").returncode == 0
    pasta = os.path.realpath("/usr/bin/pasta")
    LIBC.mount(b"/dev/null", pasta.encode(), None, MS_BIND, None)
    fails("network: pasta: /usr/bin/pasta: ")
    assert LIBC.umount2(pasta.encode(), 2) == 0
    os.chmod("/dev/net/tun", 0o600)
    fails("network: /dev/net/tun: not for everybody")
    os.rename("/dev/net/tun", "/dev/net/nut")
    fails("network: /dev/net/tun: No such file")
    os.rename("/dev/net/nut", "/dev/net/tun")
    os.chmod("/dev/net/tun", 0o666)
    world.ip("route", "del", "default")
    world.ip("-6", "route", "del", "default")
    try:
        fails("network: this machine has no default route")
        assert bed.probe()[0] in (0, 1), bed.probe()
    finally:
        world.ip("route", "add", "default", "via", LAN)
        world.ip("route", "add", "default", "via", LAN6)


def its_own_end_is_the_job_s_fault(bed):
    """The kernel took pasta, whose memory is the job's."""
    with other_pasta(bed, "#!/bin/sh\nkill -KILL $$\n"):
        done = net.sh("true")
    assert done.returncode == 121, done
    assert "network: pasta: it was killed" in done.stderr, done
    bed.check_clean("killed")
    # Where it fails by itself, the machine's.
    with other_pasta(bed, "#!/bin/sh\necho no luck >&2\nexit 1\n"):
        done = net.sh("true")
    assert done.returncode == 120, done
    assert "network: pasta: no luck" in done.stderr, done


def a_disk_of_the_owner_is_let_go(bed):
    """One that was there when the network came is unmounted for good."""
    image, at = bed.work / "disk", bed.work.with_suffix(".stick")
    at.mkdir()

    def sh(command):
        return subprocess.run(["sh", "-ec", command], check=True, timeout=20,
                              capture_output=True, text=True).stdout
    sh(f"mount --make-rshared /; truncate -s 4M {image}; "
       f"mkfs.ext4 -q {image}; mount -o loop {image} {at}")
    try:
        step = net.started("")
        sh(f"umount {at}")
        # Its loop device goes with the last mount, wherever that is.
        wait_for(lambda: sh(f"losetup -j {image}") == "", 5)
        status, _, err = net.end(step)
        assert status == 0, err
    finally:
        at.rmdir()
        sh("mount --make-rslave /")


def each_call_that_fails_starts_nothing(bed):
    """As test_fault.py, for a step with a network."""
    run = bed.run

    def run_with_network(*args, options=(), **more):
        return run(*args, options=(*options, "-N", "internet"), **more)
    bed.run = run_with_network
    try:
        test_fault.each_call_fails(bed, 1, False)
    finally:
        bed.run = run


def the_host_is_as_before(_):
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True,
                           check=True, timeout=20).stdout
    assert links.count("\n") == 2 and "eth0" in links, links


if __name__ == "__main__":
    net.up()
    main(net.bed, [the_internet_is_reached, nothing_near_is_reached,
                   refusals_come_at_once, the_lan_is_reached_if_it_may_be,
                   what_the_owner_denies_is_not_reached,
                   without_one_there_is_none, the_job_changes_nothing,
                   root_of_the_job_s_user_namespace_changes_nothing,
                   a_network_that_comes_later_is_near,
                   a_running_job_follows_the_routes,
                   names_end_with_the_name_server, nobody_gets_in,
                   ports_that_programs_share_are_not_taken,
                   the_resolver_is_not_flooded, the_host_keeps_its_ports,
                   each_way_is_held_to_its_rate, tasks_share_it,
                   ids_of_the_job_s_own_are_not_needed,
                   it_ends_with_its_guard,
                   killed_at_any_moment_nothing_is_left,
                   what_is_missing_is_named, its_own_end_is_the_job_s_fault,
                   a_disk_of_the_owner_is_let_go,
                   each_call_that_fails_starts_nothing, the_host_is_as_before])
