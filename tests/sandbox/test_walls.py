#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is inside and what is not; the battery of attempts to get out is
tests/cluster's."""
import os
import pathlib
import shutil
import socket
import subprocess

from bed import PROGRAMS, UID, Bed, main


def nothing_is_kept_but_the_user(bed):
    status = bed.run("/bin/cat", "/proc/self/status").stdout
    for line in ("CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000",
                 "NoNewPrivs:\t1", "Seccomp:\t2", "Groups:\t \n",
                 f"Uid:\t{UID}\t{UID}\t{UID}\t{UID}"):
        assert line in status, (line, status)
    done = bed.sh("ls /proc/self/fd | wc -l; umask; pwd")
    assert done.stdout.split()[0] == "4", done


def it_goes_first_when_memory_runs_out(bed):
    """Whoever was there first, the task or its limit."""
    for _ in range(20):
        done = bed.sh("cat /proc/1/oom_score_adj /proc/self/oom_score_adj")
        assert done.stdout.split() == ["1000", "1000"], done


def the_root_is_read_only(bed):
    done = bed.sh("for d in / /usr /etc /dev /run /sys/devices/system "
                  "/proc/sys/kernel /home /root /run/scratch; do "
                  "touch $d/x 2>/dev/null && echo $d; done; "
                  "ls /home /root /run/scratch 2>/dev/null")
    assert done.stdout.split() == ["/home:", "job"], done


def scratch_is_limited(bed):
    """64 MiB for all together."""
    done = bed.sh("head -c 40M /dev/zero > /tmp/a && "
                  "head -c 40M /dev/zero > /dev/shm/b; ls -s /tmp /dev/shm")
    assert done.returncode == 0 and "No space" in done.stderr, done


def people_s_places_are_hidden(bed):
    """From slurmstepd itself, before it opens the job's files."""
    secret = pathlib.Path(f"/home/voltest-{os.getpid()}")
    secret.mkdir(mode=0o777)
    os.chown(secret, UID, UID)
    try:
        for place in (secret, "/tmp", "/var/tmp", "/dev/shm"):
            done = bed.sh("true", options=("-o", f"{place}/out"))
            assert done.returncode == 120, (place, done)
            assert not (pathlib.Path(place) / "out").exists()
        done = bed.run("/bin/ls", str(secret))
        assert done.returncode == 2, done
    finally:
        secret.rmdir()


def a_file_elsewhere_is_refused(bed):
    done = bed.run("/bin/cat", options=("-i", "/etc/passwd"))
    assert done.returncode == 121 and "/etc/passwd" in done.stderr and \
        not done.stdout, done


def the_job_is_blamed_for_its_own_folder(bed):
    """slurmstepd gets there with capabilities."""
    closed = bed.work / "closed"
    closed.mkdir(mode=0o700)
    done = bed.sh("true", options=("-C", str(closed)))
    closed.rmdir()
    assert done.returncode == 121 and str(closed) in done.stderr, done


def the_job_is_blamed_for_too_deep_an_output(bed):
    """Its path has more bytes than the kernel names; links led there."""
    deep = "/".join(["x" * 200] * 12)
    for link in ("one", "one/two"):
        os.makedirs(bed.work / os.path.dirname(link) / deep)
        os.symlink(deep, bed.work / link)
    os.chown(bed.work / "one/two", UID, UID)
    done = bed.sh("true", options=("-o", f"{bed.work}/one/two/out"))
    said = (bed.work / "one/two/out").read_text()
    (bed.work / "one").unlink()
    shutil.rmtree(bed.work / deep.split("/")[0])
    assert done.returncode == 121 and "bytes" in said, (done, said)


def a_socket_of_slurmstepd_s_is_passed_on(bed):
    for n in 1, 3:
        done = bed.run("/bin/bash", "-c", "[ $TASK != 0 ] || head -n1 <&$PMI_FD",
                       n=n, options=("-f",))
        assert done.stdout == "word\n" and not done.stderr, (n, done)


def no_other_descriptor_is(bed):
    """Whatever number the job puts into its environment."""
    ours, theirs = socket.socketpair()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"\0voltest-{os.getpid()}")
    listening.listen()
    with open("/etc/passwd") as file, ours, theirs, listening:
        for fd in (2, file.fileno(), theirs.fileno(), listening.fileno(), 99):
            done = bed.sh(f"[ $PMI_FD = {fd} ]; ls /proc/self/fd",
                          options=("-F", str(fd)), pass_fds=[
                              f.fileno() for f in (file, theirs, listening)])
            assert done.stdout.split() == ["0", "1", "2", "3"] and \
                "none for a task" in done.stderr, (fd, done)


def the_account_is_as_outside(bed):
    def entry(*options):
        return bed.sh("getent passwd job", options=options).stdout.strip()
    start = f"job:x:{UID}:{UID}::"
    assert entry() == f"{start}/home/job:/bin/sh"
    assert entry("-P", f"{bed.work}/job", "-X", "/bin/bash") == \
        f"{start}{bed.work}/job:/bin/bash"
    for home, shell in (("/root", "/bin/nosuch"), ("x", "bash"),
                        (f"{bed.work}/../..", "/usr"),
                        (f"{bed.work}/a:b", "/etc/passwd"),
                        # Where the machine's tree is for a while.
                        ("/old/root", "/old/bin/bash"),
                        (f"{bed.work}/a\nb", "/bin/sh\nx")):
        assert entry("-P", home, "-X", shell) == f"{start}/home/job:/bin/sh"


def places_of_the_policy_may_be_below_etc(bed):
    text = bed.walls.read_text()
    bed.walls.write_text(text + "read=/etc/skel\nread=/etc/init.d\n"
                         "read=/etc/ssl/openssl.cnf\n")
    done = bed.sh("ls -d /etc/skel/.bashrc /etc/ssl/openssl.cnf && "
                  "touch /etc/skel/x")
    bed.walls.write_text(text)
    assert len(done.stdout.split()) == 2 and "Read-only" in done.stderr, done


def another_folder_is_not_entered(bed):
    done = bed.sh("pwd; echo [$WHERE]", options=("-C", "/usr/share"))
    assert done.stdout == "/tmp\n[]\n", done
    done = bed.sh("pwd; echo [$WHERE]")
    assert done.stdout == f"{bed.work}\n[{bed.work}]\n", done


def a_linked_working_folder_is_refused(bed):
    link = bed.work.with_suffix(".link")
    link.symlink_to("/home")
    text = bed.walls.read_text()
    bed.walls.write_text(text.replace(f"work={bed.work}", f"work={link}"))
    done = bed.sh("true")
    bed.walls.write_text(text)
    link.unlink()
    assert done.returncode == 120 and "symbolic link" in done.stderr, done


def files_keep_the_user_on_disk(bed):
    done = bed.sh("echo x > file; mkdir folder; stat -c %u file; id -u")
    assert done.stdout.split() == [str(UID), str(UID)], done
    assert (bed.work / "file").stat().st_uid == UID
    (bed.work / "file").unlink()
    (bed.work / "folder").rmdir()


def large_ids_are_mapped(bed):
    """Of directories that count beyond 65536."""
    uid = 1234567890
    os.chown(bed.work, uid, uid)
    try:
        done = bed.sh("id -u; id -g; echo x > file; stat -c %u file",
                      options=("-u", str(uid), "-g", str(uid)))
        assert done.stdout.split() == [str(uid)] * 3, done
        assert (bed.work / "file").stat().st_uid == uid
    finally:
        (bed.work / "file").unlink(missing_ok=True)
        os.chown(bed.work, UID, UID)


def core_files_go_nowhere(bed):
    """1 keeps the machine's program for core dumps off; nobody sets 0."""
    done = bed.run("/bin/bash", "-c", "ulimit -c 0; ulimit -S -c 0; "
                   "grep core /proc/self/limits")
    assert done.stdout.split()[4:6] == ["1", "1"], done


def root_s_jobs_are_refused(bed):
    done = bed.sh("true", options=("-u", "0"))
    assert done.returncode == 120 and "root" in done.stderr, done


def slurmstepd_runs_nothing_as_the_user(bed):
    """As it would a --task-epilog."""
    epilog = bed.work / "epilog"
    epilog.write_text("#!/bin/sh\necho x > ran\n")
    epilog.chmod(0o755)
    for program in (str(epilog), "/usr/bin/id"):
        done = bed.sh("true", options=("-E", program))
        assert not (bed.work / "ran").exists(), done
        assert done.returncode == 0 and "uid=" not in done.stdout and \
            "epilog: " in done.stderr, done
    epilog.unlink()


class Others:
    """What the user's uid owns on the machine, and a job must not touch."""

    def __init__(self):
        name = f"voltest-{os.getpid()}"
        self.files = [pathlib.Path(f"/{place}/{name}") for place in
                      ("etc", "usr/local/lib", "var/lib", "home")]
        for path in self.files:
            path.write_text("mine\n")
            os.chown(path, UID, UID)
        self.folder = pathlib.Path(f"/run/{name}")
        self.folder.mkdir()
        os.chown(self.folder, UID, UID)
        self.pty = os.openpty()
        self.terminal = os.ttyname(self.pty[1])
        os.chown(self.terminal, UID, UID)
        self.process = subprocess.Popen(["/bin/sleep", "60"], user=UID,
                                        group=UID)

    def paths(self):
        return self.files + [self.folder / "new", self.terminal,
                             f"/proc/{self.process.pid}/root/home/"
                             f"{self.files[0].name}"]

    def check(self, what):
        for path in self.files:
            assert path.read_text() == "mine\n", (path, what)
        assert not list(self.folder.iterdir()), what

    def close(self):
        self.process.kill()
        self.process.wait()
        for fd in self.pty:
            os.close(fd)
        for path in self.files:
            path.unlink()
        shutil.rmtree(self.folder)


def nothing_is_damaged_by_an_output(bed):
    """The open itself fails: a later look would come after O_TRUNC."""
    others = Others()
    try:
        for path in others.paths():
            for more in ((), ("-H",)):
                done = bed.sh("echo x", options=("-o", str(path), *more))
                assert done.returncode == 120, (path, done)
                others.check(done)
    finally:
        others.close()


def nothing_is_damaged_by_sbcast(bed):
    others = Others()
    try:
        for path in others.paths():
            done = bed.sh("true", options=("-B", str(path)))
            assert done.returncode == 120, (path, done)
            others.check(done)
        done = bed.sh("true", options=("-B", f"{bed.work}/cast"))
        assert done.returncode == 0, done
        (bed.work / "cast").unlink()
    finally:
        others.close()


def a_step_is_whole_in_slurmd_s_view(bed):
    """Programs of a working folder run, what was granted is there."""
    program = bed.work / "program"
    program.write_text("#!/bin/sh\necho from $0 > out; cat out; "
                       "echo x > /dev/null; ls /usr/bin/env\n")
    program.chmod(0o755)
    text = bed.walls.read_text()
    # The two programs, which else are below /usr.
    bed.walls.write_text(f"{text}read={PROGRAMS}\n")
    done = bed.run("./program", options=("-H", "-L", str(PROGRAMS)))
    bed.walls.write_text(text)
    assert done.stdout == "from ./program\n/usr/bin/env\n", done
    for path in bed.work.iterdir():
        path.unlink()


def processes_of_the_user_are_no_way_out(bed):
    """slurmstepd opens files as the user: /proc/PID/root is such a file."""
    other = subprocess.Popen(["/bin/sleep", "60"], user=UID, group=UID)
    target = pathlib.Path(f"/var/tmp/voltest-{os.getpid()}")
    target.write_text("mine\n")
    os.chown(target, UID, UID)
    try:
        done = bed.sh("true", options=(
            "-o", f"/proc/{other.pid}/root{target}"))
        assert done.returncode == 120 and "No such" in done.stderr, done
    finally:
        other.kill()
        other.wait()
        target.unlink()


if __name__ == "__main__":
    the_bed = Bed("walls")
    own = the_bed.require()
    main(the_bed, [nothing_is_kept_but_the_user,
                   it_goes_first_when_memory_runs_out, the_root_is_read_only,
                   scratch_is_limited, people_s_places_are_hidden,
                   a_file_elsewhere_is_refused,
                   a_socket_of_slurmstepd_s_is_passed_on,
                   no_other_descriptor_is, the_account_is_as_outside,
                   places_of_the_policy_may_be_below_etc,
                   another_folder_is_not_entered,
                   a_linked_working_folder_is_refused,
                   files_keep_the_user_on_disk, core_files_go_nowhere,
                   root_s_jobs_are_refused,
                   the_job_is_blamed_for_its_own_folder,
                   the_job_is_blamed_for_too_deep_an_output,
                   nothing_is_damaged_by_an_output,
                   nothing_is_damaged_by_sbcast,
                   a_step_is_whole_in_slurmd_s_view,
                   slurmstepd_runs_nothing_as_the_user,
                   processes_of_the_user_are_no_way_out] +
         ([large_ids_are_mapped] if own else []))
