# SPDX-License-Identifier: GPL-2.0-or-later
"""image.py - the disk of the guests: Debian, our build, their configuration

Debian comes from mmdebstrap and is kept as a tar file, since a day of tests
needs it once.  Our files come from the image of the test bed, which
docker/cluster builds for the cluster tests anyhow: the same files are tested,
and they are linked against the guest's release, whatever the host's is.  The
file system is made by mke2fs -d: no mount, no loop device, no initrd.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
DEBIAN = "trixie"
MIRROR = "http://deb.debian.org/debian"
TESTBED = "{}:{}".format(os.environ.get("VOLUNTEER_IMAGE_NAME",
                                        "slurm-volunteer-testbed"), DEBIAN)
# Sparse: what is not used takes no space on the host.
IMAGE_SIZE = "1500M"

PACKAGES = (
    "criu", "systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod", "login",
    "passwd", "iproute2", "procps", "munge", "slurmctld", "slurmd",
    "slurm-client", "libavahi-client3", "libgnutls30t64", "libhwloc15",
    "libinih1", "libjansson4", "libseccomp2", "libslurm42", "libssl3t64",
    "libsystemd0",
    "linux-image-cloud-amd64",
)
# ann owns the desktop, alice sends jobs.
USERS = (("ann", 1000), ("alice", 2001))

# A frozen mirror serves release files that are past their date.  No initrd:
# the cloud kernel has NVMe and ext4 built in.
OPTIONS = (
    "--variant=minbase",
    "--include=" + ",".join(PACKAGES),
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=force-confold",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*"
      for name in ("doc", "man", "locale", "info")),
    "--essential-hook=mkdir -p $1/etc/initramfs-tools; "
    "echo update_initramfs=no > "
    "$1/etc/initramfs-tools/update-initramfs.conf",
    *(f"--customize-hook=chroot $1 useradd -m -s /bin/bash -u {uid} {name}"
      for name, uid in USERS),
)

# What a guest that lives for minutes has no use for.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
    "ldconfig.service", "modprobe@drm.service", "modprobe@efi_pstore.service",
    "serial-getty@ttyS0.service", "systemd-binfmt.service",
    "systemd-firstboot.service", "systemd-growfs-root.service",
    "systemd-hwdb-update.service", "systemd-journal-catalog-update.service",
    "systemd-journal-flush.service", "systemd-machine-id-commit.service",
    "systemd-networkd-wait-online.service", "systemd-pstore.service",
    "systemd-random-seed.service", "systemd-sysusers.service",
    "systemd-timesyncd.service", "systemd-tmpfiles-clean.timer",
    "systemd-update-done.service", "systemd-update-utmp.service",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "sys-kernel-config.mount", "sys-fs-fuse-connections.mount",
)
GENERATORS = (
    "systemd-bless-boot-generator", "systemd-cryptsetup-generator",
    "systemd-factory-reset-generator", "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator", "systemd-integritysetup-generator",
    "systemd-rc-local-generator", "systemd-ssh-generator",
    "systemd-sysv-generator", "systemd-tpm2-generator",
    "systemd-veritysetup-generator",
)
# Of both guests; what else one runs is on its kernel's command line.
ENABLED = ("agent.service", "become.service")
DISABLED = ("munge.service", "slurmctld.service", "slurmd.service")


def call(*argv, **options):
    """Run a command that must work; returns its output."""
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}: status {done.returncode}\n"
                           + done.stderr.decode(errors="replace")[-3000:])
    return done.stdout.decode(errors="replace")


# -- Debian -------------------------------------------------------------------

def cache_folder():
    """Where what can be made again is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(os.environ.get(
        "DESKTOP_CACHE", f"{home}/slurm-volunteer/desktop"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def mirror():
    """The mirror that this machine uses, if it is Debian."""
    for path in sorted(pathlib.Path("/etc/apt").glob("sources.list*")):
        for file in [path] if path.is_file() else sorted(path.iterdir()):
            found = re.search(r"^(?:URIs:|deb (?:\[.*?\] )?)\s*"
                              r"(\S+/debian)/?(?:\s|$)",
                              file.read_text("utf-8", "replace"), re.M)
            if found:
                return found[1]
    return MIRROR


def release_date(uri):
    """When the archive has changed last; None when it does not answer."""
    try:
        with urllib.request.urlopen(f"{uri}/dists/{DEBIAN}/Release",
                                    timeout=20) as answer:
            text = answer.read(4096).decode(errors="replace")
    except OSError:
        return None
    return re.search(r"^Date: (.*)$", text, re.M)[1]


def debian_root():
    """Path of the tar file with Debian; made when there is none yet."""
    cache = cache_folder()
    uri = mirror()
    date = release_date(uri)
    options = hashlib.sha256("\n".join(OPTIONS).encode()).hexdigest()[:12]
    if date is None:
        kept = sorted(cache.glob(f"root-{options}-*.tar"))
        if not kept:
            raise RuntimeError(f"{uri} does not answer, and no root is kept")
        return kept[-1]
    stamp = hashlib.sha256(date.encode()).hexdigest()[:12]
    tar = cache / f"root-{options}-{stamp}.tar"
    if not tar.exists():
        new = tar.with_suffix(f".{os.getpid()}.tmp.tar")
        try:
            call("mmdebstrap", *OPTIONS, DEBIAN, new, uri,
                 env=dict(os.environ, INITRD="No"))
            for old in cache.glob("root-*-*.tar"):
                if old != new:
                    old.unlink(missing_ok=True)
            new.rename(tar)
        finally:
            new.unlink(missing_ok=True)
    return tar


# -- our build ----------------------------------------------------------------

def exported(image, visit):
    """Call visit(tar) on the files of an image.  Its container never runs, so
    nothing of it is left."""
    container = call("docker", "create", image, "/none").strip()
    try:
        with subprocess.Popen(["docker", "export", container],
                              stdout=subprocess.PIPE) as export:
            with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
                return visit(tar)
    finally:
        call("docker", "rm", container)


def install_build(root, scratch):
    """Put what "make install" adds to Debian into the folder root.

    docker/cluster keeps its logs in scratch, away from those of clusters."""
    call(TOP / "docker" / "cluster", "build", "--debian", DEBIAN,
         env=dict(os.environ, XDG_STATE_HOME=str(scratch)), timeout=1500)
    # The stage that the image starts from: all of it is in Docker's cache.
    plain = f"slurm-volunteer-desktop-plain:{DEBIAN}"
    call("docker", "build", "--target", "runtime", "--tag", plain,
         "--build-arg", f"DEBIAN={DEBIAN}", "-",
         input=(TOP / "docker" / "Dockerfile").read_bytes(), timeout=600)
    debian = exported(plain, lambda tar: set(tar.getnames()))
    ours = []

    def extract(tar):
        for member in tar:
            if (not member.isdir() and member.name not in debian
                    and member.name != ".dockerenv"):
                tar.extract(member, root, numeric_owner=True)
                ours.append(member.name)
    exported(TESTBED, extract)
    assert "usr/sbin/discoveryd" in ours, ours


# -- the guests' configuration ------------------------------------------------

def configure(root):
    """Make a machine of it that boots in seconds and is one of our guests."""
    # Unlike copytree, cp leaves the modes of folders that exist alone.
    call("cp", "-rT", HERE / "overlay", root)
    for name, kind in (("head", "login"), ("desk", "device")):
        folder = root / f"usr/local/share/guests/{name}/etc/slurm"
        (folder / "plugstack.conf.d").mkdir(parents=True, exist_ok=True)
        shutil.copy(root / f"usr/share/slurm-volunteer/plugstack/{kind}.conf",
                    folder / "plugstack.conf.d/volunteer.conf")
    system = root / "etc/systemd/system"
    for unit in MASKED:
        (system / unit).unlink(missing_ok=True)
        (system / unit).symlink_to("/dev/null")
    generators = root / "etc/systemd/system-generators"
    generators.mkdir(exist_ok=True)
    for name in GENERATORS:
        (generators / name).symlink_to("/dev/null")
    wants = system / "multi-user.target.wants"
    for unit in ENABLED:
        (wants / unit).symlink_to(f"../{unit}")
    for unit in DISABLED:
        (wants / unit).unlink()
    default = system / "default.target"
    default.unlink(missing_ok=True)
    default.symlink_to("/usr/lib/systemd/system/multi-user.target")
    # mmdebstrap leaves the host's, and each look-up would wait for it.
    (root / "etc/resolv.conf").write_text("")
    nsswitch = root / "etc/nsswitch.conf"
    nsswitch.write_text(re.sub(r"^hosts:.*", "hosts: files",
                               nsswitch.read_text(), flags=re.M))
    (root / "etc/hostname").unlink(missing_ok=True)
    shutil.rmtree(root / "usr/lib/udev/hwdb.d", ignore_errors=True)
    # What stands for the site's NFS server; each guest has its own.
    (root / "campaign").mkdir()
    (root / "campaign").chmod(0o1777)
    key = root / "etc/munge/munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    owner = (root / "etc/munge").stat()
    os.chown(key, owner.st_uid, owner.st_gid)
    state_of_slurm(root)


def state_of_slurm(root):
    """Debian's slurmctld runs as slurm and wants its folders to be its own."""
    line = re.search(r"^slurm:[^:]*:(\d+):(\d+):",
                     (root / "etc/passwd").read_text(), re.M)
    for name in ("var/lib/slurm", "var/lib/slurm/slurmctld", "var/log/slurm"):
        (root / name).mkdir(parents=True, exist_ok=True)
        os.chown(root / name, int(line[1]), int(line[2]))


def build(folder):
    """Make the disk and the kernel of the guests in folder; their paths."""
    folder = pathlib.Path(folder)
    root, image = folder / "root", folder / "disk.ext4"
    kernel = folder / "vmlinuz"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    call("tar", "-C", root, "--numeric-owner", "-xf", debian_root())
    install_build(root, folder / "state")
    # Static, so that it does not matter which release compiles it.
    for source in (HERE / "ballast.c", HERE / "observer.c",
                   TOP / "tests/cluster/bomb.c"):
        call("gcc", "-O2", "-static", "-Wall", "-Wextra", "-pthread", "-o",
             root / "usr/local/bin" / source.stem, source)
    configure(root)
    shutil.copy(next((root / "boot").glob("vmlinuz-*")), kernel)
    image.unlink(missing_ok=True)
    with open(image, "wb"):
        os.truncate(image, 0)
    call("mke2fs", "-q", "-t", "ext4", "-m", "0", "-O",
         "^has_journal,^metadata_csum,^64bit,^resize_inode", "-E",
         "lazy_itable_init=1,nodiscard", "-d", root, image, IMAGE_SIZE)
    shutil.rmtree(root)
    return image, kernel
