# SPDX-License-Identifier: GPL-2.0-or-later
"""A job that asks for the internet gets that where the device lets it, and
nothing of what is near.  tests/sandbox/test_net.py looks closer."""
import contextlib
import re
import time

import attempts
import clean
import parked
import pytest
import walls
from attempts import BLOCKED, REACHED
from battlefield import WORK, Battlefield

NODE = "desk1"
FAR = "203.0.113.7"  # RFC 5737; stands for the internet
CLOUD = "169.254.169.254"  # where clouds say what a machine must not tell
PORT = 7777
FAILED = "/run/slurm-volunteer/walls-failed"
ASK = "--volunteer-net=internet"

# Answers "at ADDRESS" by TCP and UDP, and writes down each datagram.
SERVE = r"""
use Socket;
my ($at, $port) = @ARGV;
my $address = sockaddr_in($port, inet_aton($at));
socket(my $tcp, PF_INET, SOCK_STREAM, 0);
setsockopt($tcp, SOL_SOCKET, SO_REUSEADDR, 1);
bind($tcp, $address) and listen($tcp, 64) or die "$!";
if (!fork) {
	while (accept(my $conn, $tcp)) {
		# Closed with a word unread, it would be reset under the answer.
		sysread($conn, my $hello, 16);
		syswrite($conn, "at $at\n");
	}
}
socket(my $udp, PF_INET, SOCK_DGRAM, 0);
bind($udp, $address) or die "$!";
while (defined(my $peer = recv($udp, my $data, 2048, 0))) {
	open(my $log, ">>", "/tmp/datagrams");
	print $log $data;
	close($log);
	send($udp, "at $at\n", 0, $peer);
}
"""

# reach PROTOCOL ADDRESS PORT: what comes first, "open" for a connection by
# which nothing does; bash's own read would take a datagram for its first byte
REACH = r"""
reach() {
	local said
	said=$(timeout 4 bash -c 'exec 3<>"/dev/$0" && echo hello >&3 && {
		[ "${0%%/*}" = udp ] || echo open
		dd bs=2048 count=1 status=none <&3; }' \
		"$1/$2/$3" 2>/dev/null | tail -n 1)
	echo "$1/$2/$3 ${said:-no}"
}
"""


def serve(lab, name, *addresses):
    """Answer at these; each of them does when this returns."""
    lab.proc(name, "cat > /tmp/serve.pl", stdin=SERVE)
    for at in addresses:
        lab.run(name, f"perl /tmp/serve.pl {at} {PORT} > /tmp/serve.log 2>&1 "
                "< /dev/null &")
    # 0A: a TCP socket that listens; 07: a UDP socket
    lab.wait(f"{name} serves", lambda: lab.run(
        name, "cat /proc/net/tcp /proc/net/udp | "
        f"awk '$2 ~ /:{PORT:04X}$/ && $4 ~ /^0[A7]$/' | wc -l") ==
             str(2 * len(addresses)), 20)


@contextlib.contextmanager
def serving(lab, name, at):
    try:
        serve(lab, name, at)
        yield
    finally:
        lab.run(name, "pkill -KILL -x perl; rm -f /tmp/serve.* "
                "/tmp/datagrams", check=False)


@pytest.fixture(scope="module")
def internet(session_lab):
    """A machine that is far away, by way of the default route of desk1."""
    lab = session_lab
    image = lab.host("docker", "inspect", "-f", "{{.Config.Image}}",
                     lab.container(NODE)).stdout.strip()
    name = f"{lab.project}-world"
    before = lab.run(NODE, "ip -4 route show default")
    lab.host("docker", "rm", "-f", "-v", name, check=False)
    try:
        lab.host("docker", "run", "-d", "--name", name, "--network",
                 lab.network(), "--cap-add", "NET_ADMIN", "--label",
                 f"com.docker.compose.project={lab.project}", "--label",
                 "com.docker.compose.service=world", "--entrypoint", "sleep",
                 image, "infinity")
        for at in (FAR, CLOUD):
            lab.run("world", f"ip address add {at}/32 dev lo")
        serve(lab, "world", FAR, CLOUD, lab.address("world"))
        lab.run(NODE, f"ip route replace default via {lab.address('world')}")
        with walls.policy(lab, NODE, network="internet"):
            parked.wait_open(lab, NODE, 60)
            yield lab
    finally:
        lab.run(NODE, f"ip route replace {before}" if before else
                "ip route del default", check=False)
        lab.host("docker", "rm", "-f", "-v", name, check=False)


def run_job(lab, body, options=ASK, node=NODE, user="alice"):
    """State and output of a batch job that has ended."""
    lab.ctl(f"install -d -o {user} -g {user} /campaign/{user}")
    job = lab.proc(
        "controller", f"cd /campaign/{user} && rm -f net.out && sbatch "
        f"--parsable -p volunteer --mem=100 -w {node} -o net.out {options}",
        user=user, stdin=f"#!/bin/bash\n{REACH}\n{body}\n").stdout.strip()
    lab.wait(f"job {job} has ended", lambda: parked.state(lab, job) in
             ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"), 120)
    return parked.state(lab, job), lab.ctl(f"cat /campaign/{user}/net.out")


def job_says(lab, body, *args, **more):
    state, said = run_job(lab, body, *args, **more)
    assert state == "COMPLETED", said
    return said


def answers(said):
    return dict(line.split(" ", 1) for line in said.splitlines())


def test_the_internet_is_reached(internet):
    said = job_says(internet, f"reach tcp {FAR} {PORT}; reach udp {FAR} {PORT}")
    assert said.splitlines() == [f"tcp/{FAR}/{PORT} at {FAR}",
                                 f"udp/{FAR}/{PORT} at {FAR}"]


def test_names_are_resolved(internet):
    if "nameserver" not in internet.run(NODE, "cat /etc/resolv.conf"):
        pytest.skip("a lab without a name server")
    said = job_says(internet, "getent ahostsv4 controller | head -n 1; "
                    "cat /etc/resolv.conf")
    assert said.splitlines() == [
        said.splitlines()[0], "nameserver 192.0.0.3"], said
    assert said.startswith(internet.address("controller")), said


def test_nothing_near_is_reached(internet):
    lab = internet
    controller, desk2 = lab.address("controller"), lab.address("desk2")
    own, world = lab.address(NODE), lab.address("world")
    near = [f"tcp {controller} 6817", f"tcp {controller} 6830",
            f"tcp {desk2} 6818"]
    near += [f"{proto} {at} {PORT}" for proto in ("tcp", "udp")
             for at in (world, CLOUD, own, "127.0.0.1")]
    rows = "\n".join(f"reach {row}" for row in near)
    with serving(lab, NODE, "0.0.0.0"):
        # They are there: who is no job reaches them.
        told = answers(lab.run(NODE, f"{REACH}\n{rows}"))
        assert len(told) == len(near) and "no" not in told.values(), told
        said = answers(job_says(lab, rows + "".join(
            f"\nreach {proto} {at} {PORT}" for proto in ("tcp", "udp")
            for at in ("192.0.0.1", "192.0.0.3"))))
    assert len(said) == len(near) + 4
    assert set(said.values()) == {"no"}, said


def test_the_lan_is_reached_if_the_device_says_so(internet):
    lab = internet
    world, own = lab.address("world"), lab.address(NODE)
    with serving(lab, NODE, "0.0.0.0"):
        # Not by a job that asks for less.
        assert job_says(lab, f"reach tcp {world} {PORT}").endswith("no")
        with walls.policy(lab, NODE, network="lan"):
            said = answers(job_says(
                lab, f"reach tcp {world} {PORT}; reach udp {world} {PORT}; "
                f"reach tcp {own} {PORT}; reach tcp 127.0.0.1 {PORT}",
                "--volunteer-net=lan"))
    assert list(said.values()) == [f"at {world}"] * 2 + ["no"] * 2, said


def test_what_the_owner_denies_is_not_reached(internet):
    with walls.policy(internet, NODE, network_deny=f"{FAR}, 2001:db8::\\/32"):
        said = answers(job_says(internet, f"reach tcp {FAR} {PORT}; "
                                f"reach udp {FAR} {PORT}"))
        assert set(said.values()) == {"no"}, said
        shown = internet.run(NODE, "volunteer sandbox --show")
    assert re.search(rf"^nor +{FAR}, 2001:db8::/32$", shown, re.M), shown


def test_jobs_get_what_they_ask_for_and_no_more_than_there_is(internet):
    said = job_says(internet, f"reach tcp {FAR} {PORT}; "
                    "sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev",
                    options="")
    assert said.splitlines() == [f"tcp/{FAR}/{PORT} no", "lo"], said
    said = job_says(internet, f"reach tcp {FAR} {PORT}", "--volunteer-net=lan")
    assert said.splitlines() == [
        f"volunteer: {NODE} gives a job network=internet, not lan: the "
        "device's policy wins", f"tcp/{FAR}/{PORT} at {FAR}"]
    said = job_says(internet, f"reach tcp {FAR} {PORT}", node="desk2")
    assert said.splitlines() == [
        "volunteer: desk2 gives a job network=none, not internet: the "
        "device's policy wins", f"tcp/{FAR}/{PORT} no"]
    shown = internet.run(NODE, "volunteer sandbox --show")
    assert re.search(r"^network +none unless a job asks for it: then the "
                     "internet, nothing of the owner's LAN", shown, re.M)


def test_steps_have_it_if_they_ask(internet):
    said = job_says(internet, f"""
cat > reach.sh << 'END'
{REACH}
reach tcp {FAR} {PORT}
readlink /proc/self/ns/net
END
srun {ASK} -n2 bash reach.sh | sort -u
srun -n1 bash reach.sh | head -n 1""", f"{ASK} -n2")
    lines = said.splitlines()
    assert len(lines) == 3, said
    assert lines[1:] == [f"tcp/{FAR}/{PORT} at {FAR}",
                         f"tcp/{FAR}/{PORT} no"], said


def datagrams(lab):
    return int(lab.run("world", "stat -c %s /tmp/datagrams"))


def test_a_frozen_job_sends_nothing(internet):
    lab = internet
    job = parked.submit(lab, f"exec 3<>/dev/udp/{FAR}/{PORT}\n"
                        "while :; do echo x >&3; sleep 0.01; done",
                        f"-w {NODE} {ASK}")
    try:
        lab.run("world", "touch /tmp/datagrams")
        before = datagrams(lab)
        lab.wait("it sends", lambda: datagrams(lab) > before, 30)
        with parked.present(lab, NODE):
            parked.wait_parked(lab, NODE, job)
            before = datagrams(lab)
            time.sleep(1.5)
            assert datagrams(lab) == before
            assert parked.is_parked(lab, NODE, job)
        lab.wait("it sends again", lambda: datagrams(lab) > before, 30)
    finally:
        parked.end(lab, job)


def test_nothing_is_left(internet):
    job_says(internet, "true")
    before = clean.settled(internet, [NODE])
    job_says(internet, f"reach tcp {FAR} {PORT}")
    job = parked.submit(internet, "sleep 100", f"-w {NODE} {ASK}")
    # Its program may be one for this processor: passt.avx2.
    pasta = internet.wait("it runs", lambda: internet.run(
        NODE, "pgrep -f '^pasta --foreground'"), 30)
    owner = internet.run(NODE, f"ps -o uid= -p {pasta}").strip()
    assert int(owner) >= 0x70000000, owner
    parked.end(internet, job)
    clean.same_again(internet, before)


@contextlib.contextmanager
def other_pasta(lab, script=""):
    """None without a script.  It goes when the device is open already."""
    lab.run(NODE, "mv /usr/bin/pasta /usr/bin/pasta.away")
    try:
        if script:
            lab.proc(NODE, "cat > /usr/bin/pasta; chmod 755 /usr/bin/pasta",
                     stdin=script)
        yield
    finally:
        lab.run(NODE, "mv /usr/bin/pasta.away /usr/bin/pasta; "
                f"rm -f {FAILED}; pkill -HUP -x discoveryd")
        parked.wait_open(lab, NODE, 60)


def is_blamed(lab):
    return lab.run(NODE, f"cat {FAILED}", check=False)


def test_a_job_without_memory_closes_no_device(internet):
    """Its own limit had pasta killed."""
    with other_pasta(internet, "#!/bin/sh\nkill -KILL $$\n"):
        state, said = run_job(internet, "echo ran")
        assert state == "FAILED", said
        assert said.startswith("volunteer: the job does not start on desk1: "
                               "network: pasta: it was killed"), said
        assert not is_blamed(internet)


def test_a_machine_without_a_route_stays_open(internet):
    lab = internet
    default = lab.run(NODE, "ip -4 route show default")
    lab.alice("rm -f net.back.*")
    lab.run(NODE, "ip route del default")
    try:
        job = parked.submit(lab, "echo ran", f"-w {NODE} {ASK} "
                            "-o net.back.%j --open-mode=append")
        lab.wait(f"{NODE} gives it back", lambda: parked.job_fields(
            lab, job).get("Restarts") == "1", 60)
        time.sleep(1)
        assert not is_blamed(lab)
    finally:
        lab.run(NODE, f"ip route replace {default}")
    lab.ctl(f"scontrol update jobid={job} starttime=now || true")
    lab.wait("it runs", lambda: parked.state(lab, job) == "COMPLETED", 60)
    said = lab.alice(f"cat net.back.{job}")
    assert "no default route; the job goes to another machine" in said, said
    assert said.splitlines()[-1] == "ran", said


def test_without_pasta_the_job_goes_elsewhere(internet):
    lab = internet
    others = "desk2,desk3"
    with other_pasta(lab):
        # It is nobody's affair who wants no network.
        assert job_says(lab, "echo ran", options="") == "ran"
        lab.ctl(f"scontrol update nodename={others} state=drain reason=test")
        try:
            lab.alice("rm -f net.back.*")
            job = parked.submit(
                lab, "echo $SLURMD_NODENAME",
                f"{ASK} -o net.back.%j --open-mode=append")
            lab.wait(f"{NODE} gives it back", lambda: parked.job_fields(
                lab, job).get("Restarts") == "1", 60)
        finally:
            lab.ctl(f"scontrol update nodename={others} state=resume")
        lab.ctl(f"scontrol update jobid={job} starttime=now || true")
        lab.wait("it runs elsewhere", lambda: parked.state(lab, job) ==
                 "COMPLETED", 60)
        said = lab.alice(f"cat net.back.{job}")
        assert re.search(r"^volunteer: the sandbox on desk1 could not be "
                         r"built: network: pasta: /usr/bin/pasta: No such file "
                         r"or directory \(package passt\); the job goes to "
                         r"another machine$", said, re.M), said
        assert said.splitlines()[-1] in others.split(","), said
        why = lab.wait("it is closed", lambda: (
            lambda text: text if "pasta" in text else None)(
                lab.run(NODE, "volunteer why", check=False)), 30)
        assert "network" in why, why


# What a job with the internet is to have: it may send to there.
ALLOWED = {"network/beyond"}
ATTEMPTS = [a for a in attempts.everything()
            if a.group == "network" and a.where == "job"]


@pytest.fixture(scope="module")
def attempted(internet):
    """The network group of the escape battery, by a job with the internet."""
    field = Battlefield(internet)
    try:
        field.up()
        names = " ".join(a.name for a in ATTEMPTS)
        job = field.sbatch("ann", "inside", f"{WORK}/battery {names}",
                           f"--chdir={WORK} {ASK}")
        field.wait_end(job, 300)
        yield field.complete(ATTEMPTS, internet.ctl("cat /campaign/ann/"
                                                    "inside.out"))
    finally:
        field.down()


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: a.name)
def test_attempt(attempt, attempted):
    want = REACHED if attempt.name in ALLOWED else BLOCKED
    assert attempted[attempt.name].status == want, attempted[attempt.name]
