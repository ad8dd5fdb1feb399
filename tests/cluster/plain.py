# SPDX-License-Identifier: GPL-2.0-or-later
"""plain.py - machines with systemd on a network of their own, made by hand

docker/cluster shows our own site; these are other people's machines: Debian
with its own units, into which our files are installed (or not yet).
"""
import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import types

from lab import CLUSTER, TOP, Failed, Lab

DEBIAN = "trixie"
FINAL = "{}:{}".format(os.environ.get("VOLUNTEER_IMAGE_NAME",
                                      "slurm-volunteer-testbed"), DEBIAN)
PLAIN = f"voldrop-plain:{DEBIAN}"
TESTBED = "/usr/lib/slurm-volunteer-testbed"
SHIM = f"{TESTBED}/hide-cgroup-v1.so"
LABEL = "voldrop"

# What a container has in place of a firmware and an initrd.  The cgroup
# namespace is the container's own, so its root looks like a machine's.  Mounts
# are shared as on one: by that systemd brings a unit its credentials.
# Units that would configure the network or wait for it have nothing to do.
BOOT = """\
set -e
mount --make-rshared /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for unit in systemd-networkd.service systemd-networkd.socket \\
		systemd-networkd-wait-online.service systemd-resolved.service \\
		systemd-firstboot.service systemd-journal-catalog-update.service \\
		systemd-modules-load.service console-getty.service \\
		ldconfig.service apt-daily.timer apt-daily-upgrade.timer \\
		dpkg-db-backup.timer; do
	ln -sf /dev/null /etc/systemd/system/$unit
done
# An empty one means "first boot": systemd would enable every unit there is.
[ -s /etc/machine-id ] ||
	tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
[ ! -e /etc/munge/munge.key ] || chown munge:munge /etc/munge/munge.key
for user in alice bob; do
	install -d -o $user -g $user /campaign/$user
done
export container=docker
exec /lib/systemd/systemd
"""


def is_hybrid():
    """Whether this host has cgroup v1 controllers, see hide-cgroup-v1.c."""
    text = pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8")
    return any(not line.startswith("0:") for line in text.splitlines())


# A small site's slurm.conf.  More CPUs than there may be, so that a few jobs
# run side by side on any test machine.
SITE = """\
ClusterName=oldsite
SlurmctldHost=head
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
SlurmdParameters=config_overrides
TaskPlugin=task/cgroup
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=head CPUs=4 RealMemory=500 State=UNKNOWN
PartitionName=old Nodes=head Default=YES MaxTime=INFINITE State=UP
"""
INCLUDE = "include slurm-volunteer.conf\n"

# An owner who is away, and whom the work of other containers does not disturb.
OWNER = "/run/owner-input"
AWAY = f"""\
input_devices = {OWNER}
[owner]
idle_after = 1s
max_load = 100
max_pressure = 100
max_temperature = 0
[sandbox]
work = /campaign
"""


class Bed(Lab):
    """Machines of one test, all gone after close()."""

    def __init__(self):
        super().__init__(f"{LABEL}-{os.getpid()}", "")
        self.machines = []
        self.key = os.urandom(1024)
        # docker/cluster keeps its logs there.
        self.env["XDG_STATE_HOME"] = scratch(os.getpid())
        remove_orphans()

    def __enter__(self):
        try:
            self.host(CLUSTER, "build", "--debian", DEBIAN, timeout=1500)
            # The stage that the final image starts from: all of it cached.
            dockerfile = (TOP / "docker" / "Dockerfile").read_text("utf-8")
            self.host("docker", "build", "--target", "runtime", "--tag", PLAIN,
                      "--build-arg", f"DEBIAN={DEBIAN}", "-",
                      stdin=dockerfile, timeout=600)
            self.host("docker", "network", "create", "--label",
                      f"{LABEL}={os.getpid()}", self.project)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Remove all that was made, also what was half made."""
        remove_labelled(os.getpid())

    # -- machines --------------------------------------------------------

    def add(self, name, image, argv, files=(), flags=()):
        """Create and start a container; files: path without / -> text."""
        volume = f"type=volume,source={self.project}-campaign,target=/campaign"
        self.host("docker", "volume", "create", "--label",
                  f"{LABEL}={os.getpid()}", f"{self.project}-campaign")
        self.host("docker", "create", "--name", f"{self.project}-{name}",
                  "--label", f"{LABEL}={os.getpid()}", "--hostname", name,
                  "--network", self.project, "--network-alias", name,
                  "--cap-add", "ALL", "--cap-drop", cap_drop(),
                  "--security-opt", "seccomp=unconfined",
                  "--security-opt", "apparmor=unconfined",
                  "--tmpfs", "/run", "--mount", volume, *flags,
                  "--entrypoint", argv[0], image, *argv[1:])
        self.machines.append(name)
        self.put(name, dict(files))
        self.host("docker", "start", f"{self.project}-{name}")

    def boot(self, name, image, files=()):
        """Add a machine with systemd and wait until it has booted."""
        files = {"usr/local/sbin/boot": BOOT,
                 "etc/munge/munge.key": self.key, **dict(files)}
        self.add(name, image, ["/bin/sh", "/usr/local/sbin/boot"], files,
                 flags=["--cgroupns", "private"])
        self.wait(f"{name} booted", lambda: self.proc(
            name, "systemctl is-system-running", check=False
        ).stdout.strip() in ("running", "degraded"), timeout=90)

    def boot_head(self, image, conf):
        """The site: slurmctld and one static node on one machine."""
        files = {"etc/slurm/slurm.conf": conf}
        if is_hybrid():
            files[SHIM.lstrip("/")] = self.read_final(SHIM)
            files["etc/systemd/system/slurmd.service.d/hybrid-host.conf"] = (
                f"[Service]\nEnvironment=LD_PRELOAD={SHIM}\n")
        self.boot("head", image, files)
        self.wait_partition("old", {"head": "idle"})

    def boot_device(self, name, files=(), trust="trust = first\n"):
        """A desktop with the device role; files: more of them, or others.
        trust: which controller it obeys, if not the one of a token.

        Debian's own slurmd.service is off: without a slurm.conf it would
        look for one for ever and never let the boot end."""
        conf = f"[device]\n{trust}"
        if is_hybrid():
            conf += f"slurmd = {TESTBED}/slurmd\n"
        conf += AWAY
        off = ("slurmd", "slurmctld")  # an empty unit is a masked one
        self.boot(name, FINAL, {
            **{f"etc/systemd/system/{unit}.service": "" for unit in off},
            "etc/slurm-volunteer/device.conf": conf, **dict(files)})
        self.run(name, "install -D -m 644 "
                 "/usr/share/slurm-volunteer/plugstack/device.conf "
                 "/etc/slurm/plugstack.conf.d/volunteer.conf && "
                 f"mkfifo -m 600 {OWNER} && "
                 "systemctl start slurm-volunteer-device")

    def open_door(self, name):
        """What an admin does beside slurmctld after "make install"."""
        self.put(name, {"etc/slurm-volunteer/controller.conf":
                        "[controller]\napprove = all\n"})
        self.run(name, "systemctl daemon-reload && "
                 "systemctl start slurm-volunteer-controller")

    def wait_partition(self, partition, states, timeout=60):
        """Wait until sinfo shows exactly these nodes in these states."""
        self.wait(f"partition {partition} is {states}",
                  lambda: self.nodes(partition) == states, timeout)

    def put(self, name, files):
        """Write files into a container, running or not, as root."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path, data in files.items():
                data = data if isinstance(data, bytes) else data.encode()
                member = tarfile.TarInfo(path)
                member.size = len(data)
                member.mode = 0o400 if path.endswith(".key") else 0o644
                tar.addfile(member, io.BytesIO(data))
        subprocess.run(["docker", "cp", "-", f"{self.project}-{name}:/"],
                       input=buffer.getvalue(), check=True, timeout=60,
                       capture_output=True)

    # -- what Lab finds by its compose project ---------------------------

    def container(self, name):
        return f"{self.project}-{name}"

    def ctl(self, command, **options):
        return self.run("head", command, **options)

    def cluster(self, *argv, **_):
        """Only "logs" (conftest.py asks): journals and log files of all."""
        assert argv == ("logs",), argv
        parts = []
        for name in self.machines:
            done = self.proc(
                name, "journalctl --no-pager -b -o short-monotonic 2>&1 | "
                "tail -n 400; tail -n 200 /var/log/testbed/* /var/log/slurm/* "
                "/var/log/slurm-volunteer/* 2>/dev/null", check=False)
            parts.append(f"######## {name}\n{done.stdout}{done.stderr}")
        return types.SimpleNamespace(stdout="\n".join(parts))

    # -- our files -------------------------------------------------------

    def our_files(self):
        """Paths that "make install" adds to Debian, from the two images."""
        ours, debian = (set(self.host(
            "docker", "run", "--label", f"{LABEL}={os.getpid()}",
            "--entrypoint", "find", image, "/", "-xdev", "!", "-type", "d"
        ).stdout.splitlines()) for image in (FINAL, PLAIN))
        return sorted(path for path in ours - debian
                      if not path.startswith((f"{TESTBED}/", "/proc/", "/dev/",
                                              "/.dockerenv")))

    @staticmethod
    def read_final(path):
        """One file of the final image."""
        return subprocess.run(
            ["docker", "run", "--label", f"{LABEL}={os.getpid()}",
             "--entrypoint", "cat", FINAL, path],
            capture_output=True, timeout=60, check=True).stdout

    def install(self, name, paths):
        """Copy these paths of the final image into a machine."""
        tar = subprocess.run(
            ["docker", "run", "-i", "--label",
             f"{LABEL}={os.getpid()}", "--entrypoint", "tar", FINAL, "-C", "/",
             "-cf", "-", "-T", "-"], capture_output=True, timeout=60,
            input="\n".join(p.lstrip("/") for p in paths).encode(), check=True)
        subprocess.run(["docker", "cp", "-", f"{self.container(name)}:/"],
                       input=tar.stdout, check=True, timeout=60,
                       capture_output=True)


def docker_lines(*argv):
    """Output lines of a docker command that must work."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode:
        raise Failed(f"docker {' '.join(argv)}: {done.stderr}")
    return done.stdout.split()


def scratch(pid):
    """Folder for the files of one process."""
    return os.path.join(tempfile.gettempdir(), f"{LABEL}-{pid}")


def cap_drop():
    """SYS_RESOURCE if the engine lets us drop it, see docker/cluster."""
    probe = subprocess.run(
        ["docker", "create", "--label", f"{LABEL}={os.getpid()}", "--cap-drop",
         "SYS_RESOURCE", FINAL], capture_output=True, check=False)
    return "SYS_BOOT" if probe.returncode else "SYS_RESOURCE"


def remove_orphans():
    """Remove what a test that was killed has left."""
    if not shutil.which("docker"):
        return
    pids = docker_lines("ps", "-a", "--filter", f"label={LABEL}", "--format",
                        f'{{{{.Label "{LABEL}"}}}}')
    for pid in set(pids):
        if not os.path.exists(f"/proc/{pid}"):
            remove_labelled(pid)


def remove_labelled(pid):
    """Remove containers, networks, volumes, cgroups, files of one process.

    No "docker run --rm" here: their cgroups would be nobody's to remove."""
    shutil.rmtree(scratch(pid), ignore_errors=True)
    mine = ("--filter", f"label={LABEL}={pid}")
    ids = docker_lines("ps", "-aq", "--no-trunc", *mine)
    if ids:
        docker_lines("rm", "--force", "--volumes", *ids)
    for kind in ("network", "volume"):
        for found in docker_lines(kind, "ls", "-q", *mine):
            docker_lines(kind, "rm", found)
    for ident in ids:
        remove_cgroups(ident)


def remove_cgroups(ident):
    """On a hybrid host runc forgets the container's cgroup2 folders."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        trees = [m.split()[1] for m in mounts if m.split()[2] == "cgroup2"]
    for tree in trees:
        top = os.path.join(tree, "docker", ident)
        Lab.wait(f"{top} removed", lambda top=top: remove_tree(top), 10)


def remove_tree(top):
    """rmdir from the bottom up; busy folders are tried again later."""
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return not os.path.exists(top)
