# SPDX-License-Identifier: GPL-2.0-or-later
"""sandboxes.py - what others put around a program: bubblewrap, firejail and
systemd-nspawn, as Debian 13 packages them and as their manuals begin"""
import dataclasses

import attempts
from battlefield import DEVICE, USER, WORK

ROOT = "/run/escape-root"

# firejail takes a machine without kernel threads for a sandbox, and then does
# nothing: a process of that name, among the first ten, in the container.
KERNEL_THREAD = """\
cp /usr/bin/sleep /usr/local/bin/kthreadd && unshare --mount sh -c '
mount -t proc proc /proc && echo 1 > /proc/sys/kernel/ns_last_pid
/usr/local/bin/kthreadd 7200 > /dev/null 2>&1 < /dev/null &'
"""
# An engine starts us outside of the host's tree of cgroups.
IN_TREE = "echo $$ > /sys/fs/cgroup/init.scope/cgroup.procs && " \
    "exec nsenter --cgroup --target 1"


@dataclasses.dataclass(frozen=True)
class Peer:
    """A command that runs another one in a sandbox, as the owner's uid."""
    name: str
    package: str
    command: str
    as_root: bool = False

    def run(self, field, chosen):
        """What came of the attempts in one sandbox."""
        names = "\n".join(a.name for a in chosen)
        # firejail takes no more than 128 arguments.
        field.lab.proc(DEVICE, f"cat > {WORK}/names", stdin=names)
        # Some wait for whatever is left; a job has a time limit.
        command = f"timeout -k 5 120 {self.command}"
        start = f"{IN_TREE} {command}" if self.as_root else \
            f"exec ./bare user {USER} {command}"
        battery = f"'{WORK}/battery $(cat {WORK}/names)'"
        done = field.lab.proc(
            DEVICE, f"cd {WORK} && {start} sh -c {battery}",
            env=[*field.env, *field.session], check=False, timeout=600)
        if not attempts.parse(done.stdout):
            raise RuntimeError(f"{self.name}: {done.stdout}{done.stderr}")
        return field.complete(chosen, done.stdout)


PEERS = [
    # Its README's example, but of the whole system, as bwrap(1)'s: read-only,
    # and nothing shared; and a working folder.
    Peer("bubblewrap", "bubblewrap",
         "bwrap --ro-bind / / --dev /dev --proc /proc "
         f"--bind {WORK} {WORK} --unshare-all --die-with-parent"),
    # default.profile is what a program without a profile of its own gets.
    Peer("firejail", "firejail", "firejail --quiet --profile=default"),
    # The machine's own tree, read-only, and a working folder.
    Peer("systemd-nspawn", "systemd-container",
         "systemd-nspawn --quiet --link-journal=no --register=no "
         f"--keep-unit --read-only --directory={ROOT} --bind={WORK} "
         f"--chdir={WORK} --user={USER} "
         f"--setenv=ESCAPE_VICTIMS={WORK}/victims.list", as_root=True),
]


def install(field):
    """Put their packages on the device."""
    packages = " ".join(p.package for p in PEERS)
    field.lab.run(
        DEVICE, "apt-get update -q && DEBIAN_FRONTEND=noninteractive "
        f"apt-get install -q -y {packages} && mkdir -p {ROOT} && "
        f"mount --bind / {ROOT} && mkdir -p {ROOT}{WORK}", timeout=600)
    field.lab.run(DEVICE, KERNEL_THREAD)
