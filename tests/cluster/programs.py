# SPDX-License-Identifier: GPL-2.0-or-later
"""programs.py - programs of many kinds, as jobs that move while they work

Each works in sections (programs/), and begins one when there is a file with its
number: so an owner comes in the midst of all of them, however slow the machine
is.  What they write says nothing of time.
"""
import concurrent.futures

import lab as labs
import migrating
import parked

HERE = labs.TOP / "tests" / "cluster" / "programs"
FOLDER = "/campaign/alice/programs"
SECTIONS = 6
# Name -> command, in a folder of its own.
PROGRAMS = {
    "shell": "bash ../programs/shell.sh",
    "threads": "../threads",
    "numeric": "OPENBLAS_NUM_THREADS=2 python3 ../programs/numeric.py",
    "frames": "bash ../programs/frames.sh",
    "compile": "bash ../programs/compile.sh",
    "pipeline": "bash ../programs/pipeline.sh",
    "words": "perl ../programs/words.pl",
    "database": "python3 ../programs/database.py",
    "openmp": "../openmp",
    # It is to see none of Slurm, and no other machine.
    "ranks": "unset ${!SLURM_*}; mpirun -n 3 --oversubscribe --bind-to none "
             "--mca btl self,sm python3 ../programs/ranks.py",
}
PACKAGES = ("gcc libc6-dev openmpi-bin povray python3-mpi4py python3-numpy")
# What CRIU 4.2 does: from 6.16 on the kernel refuses two options of sockets
# that are not unix ones, which is no reason not to save these.
SOCKETS = """\
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
static int is_none(int level, int name)
{
	return errno == EOPNOTSUPP && level == SOL_SOCKET &&
	       (name == SO_PASSCRED || name == SO_PASSSEC);
}
int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int rc = syscall(SYS_getsockopt, fd, level, name, value, size);
	if (rc < 0 && is_none(level, name)) {
		memset(value, 0, *size);
		return 0;
	}
	return rc;
}
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	int rc = syscall(SYS_setsockopt, fd, level, name, value, size);
	return rc < 0 && is_none(level, name) ? 0 : rc;
}
"""
CRIU = "/usr/sbin/criu"


# -- what they need ------------------------------------------------------------

def install(lab, *nodes):
    """Those that a device has not."""
    command = (
        f"dpkg -s {PACKAGES} > /dev/null 2>&1 || {{ apt-get update -qq && "
        "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o "
        f"Dpkg::Options::=--force-unsafe-io {PACKAGES}; }} > /tmp/apt.log 2>&1 "
        "|| { tail -n 20 /tmp/apt.log; false; }")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: lab.run(node, command, timeout=600), nodes))


def mend_criu(lab, node):
    """Let an older CRIU save sockets of a newer kernel; True: it had to be."""
    probe = lab.run(
        node, "/usr/libexec/slurm-volunteer/slurm-volunteer-checkpoint probe")
    if "sockets=yes" in probe or lab.run(
            node, f"test -e {CRIU}.packaged && echo mended || true"):
        return False
    lab.proc(node, "gcc -O2 -Wall -Werror -fPIC -shared -x c - "
             "-o /usr/lib/criu-sockets.so", stdin=SOCKETS)
    lab.proc(node, f"mv {CRIU} {CRIU}.packaged && cat > {CRIU} && "
             f"chmod 755 {CRIU}", stdin="#!/bin/sh\n"
             "LD_PRELOAD=/usr/lib/criu-sockets.so exec "
             f"{CRIU}.packaged \"$@\"\n")
    return True


def unmend_criu(lab, node):
    lab.run(node, f"mv {CRIU}.packaged {CRIU}")


def prepare(lab, node):
    """Folders and programs, where all devices see them."""
    lab.ctl(f"rm -rf {FOLDER} && mkdir -p {FOLDER}/quiet {FOLDER}/moved")
    for side in ("quiet", "moved"):
        lab.host("docker", "cp", str(HERE),
                 f"{lab.container('controller')}:{FOLDER}/{side}/programs")
        for name, options in (("threads", "-pthread"), ("openmp", "-fopenmp")):
            lab.run(node, f"cd {FOLDER}/{side} && gcc -O2 -Wall {options} "
                    f"-o {name} programs/{name}.c")
        lab.ctl(f"cd {FOLDER}/{side} && mkdir {' '.join(f'{p}.run' for p in PROGRAMS)}")
    lab.ctl(f"chown -R alice:alice {FOLDER}")


# -- runs ----------------------------------------------------------------------

def gate(lab, side, number):
    lab.ctl(f"touch {FOLDER}/{side}/gate.{number}")


def start(lab, side, options=""):
    """Name -> number of its job."""
    jobs = {}
    for name, command in PROGRAMS.items():
        done = lab.proc(
            "controller", f"cd {FOLDER}/{side} && sbatch --parsable "
            f"-p volunteer -c1 --mem=400 -J {name} -o said.{name} {options}",
            user="alice", stdin="#!/bin/bash\nexport TMPDIR=/tmp "
            f"PYTHONDONTWRITEBYTECODE=1\ncd {name}.run || exit\n{command}\n"
            f"status=$?; echo $status > ../status.{name}; exit $status\n")
        jobs[name] = done.stdout.strip()
    return jobs


def said(lab, side, name):
    """What the program has printed, without what others add."""
    text = lab.ctl(f"cat {FOLDER}/{side}/said.{name} 2>/dev/null || true")
    return migrating.NOTES.sub("", text + "\n")


def behind(lab, side, section):
    """Programs that have not begun it."""
    done = lab.ctl(f"cd {FOLDER}/{side} && grep -lx 'section {section}' "
                   "said.* || true").split()
    return sorted(set(PROGRAMS) - {file.removeprefix("said.")
                                   for file in done})


def where(lab, jobs):
    """Name -> (state, node, restarts)."""
    fields = {name: parked.job_fields(lab, job) for name, job in jobs.items()}
    return {name: (f.get("JobState"), f.get("NodeList"), f.get("Restarts"))
            for name, f in fields.items()}


def results(lab, side, name):
    """Its status, which Slurm forgets before all are done, its output, and a
    sum of each file that it wrote."""
    status = lab.ctl(f"cat {FOLDER}/{side}/status.{name}")
    sums = lab.ctl(f"cd {FOLDER}/{side}/{name}.run && find . -type f -exec "
                   "sha256sum {} + | sort -k 2")
    return status, said(lab, side, name), sums
