# SPDX-License-Identifier: GPL-2.0-or-later
"""guest.py - one emulated machine: boot it, run commands, press its keys

Commands go over a virtio-serial port to overlay/usr/local/sbin/agent; keys,
mouse and hot-plug go through QMP and are real input events to the guest's
kernel.
"""
import atexit
import base64
import ctypes
import itertools
import json
import pathlib
import select
import shlex
import signal
import socket
import subprocess
import time

# Without cx16: QEMU 7.2 corrupts the flags around cmpxchg16b, which ends in a
# double fault.  The rest saves boot time: udev loads fewer modules.
CPU = ("max,-cx16,-svm,-la57,-aes,-pclmulqdq,-sha-ni,-avx,-avx2,-pku,-smap")
MACHINE = "q35,i8042=on,hpet=off,sata=off,smbus=off"
ACCELERATOR = "tcg,thread=multi,tb-size=256"
# panic=-1 with -no-reboot: a guest that panics is a QEMU that ends.
KERNEL = ("root=/dev/nvme0n1 rootfstype=ext4 rw console=ttyS0 loglevel=4 "
          "mitigations=off audit=0 net.ifnames=0 panic=-1 "
          "random.trust_cpu=on systemd.show_status=0")
# About ten times what a boot takes on an idle machine.
BOOT_S = 90
BOOT_TRIES = 3
PR_SET_PDEATHSIG = 1


class Failed(AssertionError):
    """A command in a guest ended with another status than expected."""


class Gone(RuntimeError):
    """The guest does not answer (any more)."""


def wait(what, test, timeout=60, every=0.1):
    """Poll until test() is true; its value is returned."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = test()
            if value:
                return value
        except AssertionError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}"
                                 + (f" ({last})" if last else ""))
        time.sleep(every)


class Lines:
    """Lines from a socket, with a deadline."""

    def __init__(self, path, alive):
        self.alive = alive
        self.buffer = b""
        self.socket = socket.socket(socket.AF_UNIX)
        wait(f"QEMU listens on {path}", lambda: self._connect(path), 20, 0.05)

    def _connect(self, path):
        if not self.alive():
            raise Gone("QEMU ended")
        try:
            self.socket.connect(str(path))
            return True
        except OSError:
            return False

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def line(self, timeout):
        """The next line, None when there is none in time."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left < 0:
                return None
            if select.select([self.socket], [], [], min(1, left))[0]:
                data = self.socket.recv(65536)
                if not data:
                    raise Gone("QEMU closed a port")
                self.buffer += data
            elif not self.alive():
                raise Gone("QEMU ended")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")


def die_with_parent():
    """In the child: no QEMU outlives the test, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """A guest; boot() before anything else, stop() in the end.

    units: what systemd starts besides Debian's own.
    wire: (own, peer) paths of sockets that stand for a network cable."""

    def __init__(self, name, image, kernel, folder, *, memory=768, cpus=1,
                 units=(), wire=None, devices=()):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.files = {kind: self.folder / f"{name}.{kind}"
                      for kind in ("agent", "events", "qmp", "console", "err")}
        self.wire = wire
        wants = "".join(f" systemd.wants={unit}.service" for unit in units)
        self.argv = [*self._machine(image, memory, cpus),
                     "-kernel", str(kernel), "-append",
                     f"{KERNEL} systemd.hostname={name}{wants}",
                     *self._ports(), *self._network(), *devices]
        self.process = None
        self.ids = itertools.count(1)
        self.agent = self.events = self.qmp = None
        self.boot_s = None
        atexit.register(self.stop)

    def _machine(self, image, memory, cpus):
        return ["qemu-system-x86_64", "-name", self.name, "-machine", MACHINE,
                "-accel", ACCELERATOR, "-cpu", CPU, "-smp", str(cpus), "-m",
                str(memory), "-nodefaults", "-no-user-config", "-display",
                "none", "-vga", "none", "-no-reboot",
                # One image serves all guests: what they write is dropped.
                "-drive", f"file={image},if=none,id=disk,format=raw,"
                "snapshot=on,cache=unsafe",
                "-device", "nvme,drive=disk,serial=root"]

    def _ports(self):
        def chardev(kind):
            return (f"socket,id={kind},path={self.files[kind]},"
                    "server=on,wait=off")
        return ["-serial", f"file:{self.files['console']}",
                "-device", "virtio-serial-pci,max_ports=4",
                "-chardev", chardev("agent"),
                "-device", "virtserialport,chardev=agent,name=agent",
                "-chardev", chardev("events"),
                "-device", "virtserialport,chardev=events,name=events",
                "-qmp", f"unix:{self.files['qmp']},server=on,wait=off"]

    def _network(self):
        if not self.wire:
            return []
        own, peer = self.wire
        mac = f"52:54:00:00:00:{sum(self.name.encode()) % 256:02x}"
        return ["-netdev", f"dgram,id=lan,local.type=unix,local.path={own},"
                f"remote.type=unix,remote.path={peer}",
                "-device", f"virtio-net-pci,netdev=lan,mac={mac},romfile="]

    # -- life ------------------------------------------------------------

    def boot(self):
        """Until systemd says that it is up.  Emulated machines hang once in
        a hundred boots, so the boot is tried again; nothing else is."""
        for left in reversed(range(BOOT_TRIES)):
            try:
                return self._boot_once()
            except (Gone, Failed, AssertionError, OSError) as error:
                print(f"{self.name} did not boot: {error}\n{self.console()}")
                self.stop()
                if not left:
                    raise
        return None

    def _boot_once(self):
        start = time.monotonic()
        self._launch()
        while True:
            line = self.agent.line(start + BOOT_S - time.monotonic())
            if line is None:
                raise Gone(f"no agent within {BOOT_S} s")
            if line == "READY":
                break
        left = start + BOOT_S - time.monotonic()
        state = self.run("systemctl is-system-running --wait", check=False,
                         timeout=max(1, int(left))).strip()
        if state not in ("running", "degraded"):
            raise Gone(f"systemd says '{state}'")
        self.boot_s = time.monotonic() - start
        return self

    def _launch(self):
        for path in [*self.files.values(), *(self.wire or ())[:1]]:
            pathlib.Path(path).unlink(missing_ok=True)
        with open(self.files["err"], "w", encoding="utf-8") as err:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                preexec_fn=die_with_parent)
        self.agent = Lines(self.files["agent"], self.alive)
        self.events = Lines(self.files["events"], self.alive)
        self.qmp = Lines(self.files["qmp"], self.alive)
        self._qmp_answer()  # the greeting
        self.command("qmp_capabilities")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Pull the plug."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        for lines in (self.agent, self.events, self.qmp):
            if lines is not None:
                lines.socket.close()

    def console(self):
        """What the kernel and QEMU have said."""
        texts = []
        for kind in ("console", "err"):
            if self.files[kind].exists():
                text = self.files[kind].read_text("utf-8", "replace")
                texts.append(f"######## {self.name}: {kind}\n{text[-8000:]}")
        return "\n".join(texts)

    # -- commands --------------------------------------------------------

    def run(self, command, check=True, timeout=120):
        """Run a shell command as root; returns its output."""
        status, output = self.status(command, timeout)
        if check and status:
            raise Failed(f"{self.name}: {command}: status {status}\n{output}")
        return output

    def status(self, command, timeout=120):
        """Run a shell command as root; returns (status, output)."""
        ident = str(next(self.ids))
        data = base64.b64encode(command.encode()).decode()
        self.agent.send(f"{ident} {timeout} {data}")
        while True:
            line = self.agent.line(timeout + 20)
            if line is None:
                raise Gone(f"{self.name}: no answer to: {command}")
            words = line.split(" ")
            if words[0] == ident:
                output = base64.b64decode(words[2][1:])
                return int(words[1]), output.decode(errors="replace")

    def spawn(self, command, log="/dev/null"):
        """Start a shell command in the background; returns its pid."""
        return int(self.run(f"setsid bash -c {shlex.quote(command)} "
                            f"< /dev/null > {log} 2>&1 & echo $!"))

    def put(self, path, text):
        """Write a file."""
        data = base64.b64encode(text.encode()).decode()
        self.run(f"mkdir -p $(dirname {path}) && "
                 f"base64 -d <<< {data} > {path}")

    def event(self, timeout=10):
        """One line that a program wrote to the port "events", or None."""
        return self.events.line(timeout)

    # -- the machine -----------------------------------------------------

    def _qmp_answer(self):
        line = self.qmp.line(30)
        if line is None:
            raise Gone(f"{self.name}: QEMU does not answer")
        return json.loads(line)

    def command(self, name, **arguments):
        """A QMP command; returns its result."""
        self.qmp.send(json.dumps({"execute": name, "arguments": arguments}))
        while True:
            answer = self._qmp_answer()
            if "error" in answer:
                raise Failed(f"{name}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def key(self, code="a"):
        """Press and release a key."""
        self.command("send-key", keys=[{"type": "qcode", "data": code}],
                     **{"hold-time": 20})

    def mouse(self, pixels=5):
        """Move the mouse."""
        self.command("input-send-event", events=[
            {"type": "rel", "data": {"axis": axis, "value": pixels}}
            for axis in ("x", "y")])

    def plug(self, driver, ident, bus):
        self.command("device_add", driver=driver, id=ident, bus=bus)

    def unplug(self, ident):
        self.command("device_del", id=ident)

    def journal(self):
        """The journal and the log files, if the guest still answers."""
        if not self.alive():
            return self.console()
        try:
            text = self.run(
                "journalctl --no-pager -b -o short-monotonic | tail -n 300; "
                "tail -v -n 60 /var/log/slurm/*.log "
                "/var/log/slurm-volunteer/*.log 2> /dev/null; true",
                timeout=30)
        except (Gone, OSError) as error:
            text = f"no journal: {error}"
        return f"{self.console()}\n######## {self.name}: journal\n{text}"
