#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A job goes on elsewhere as if nothing had been; what can not, says so."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import images
from bed import UID, main, read
from ckptbed import (CRIU, FAILED, PROGRAM, UNMOVABLE, CkptBed, probe,
                     wait_until)

# VOL_EXIT_REQUEUE of plugins/spank/plugin.h
REQUEUE = 150
MOVES = int(os.environ.get("SANDBOX_MOVES", "5"))

SHELL = """#!/bin/bash
square() { echo $(($1 * $1)); }
for i in $(seq 1 {n}); do
	echo "$i $(square $i) $(echo $i | md5sum)"
	(sleep 0.02; echo "child of $i") &
	wait $!
	sleep 0.02
done
echo end
"""
# As one whom CRIU was killed in the middle of has it.
HURT = """#!/bin/bash
exec python3 -c 'import mmap, os, time
fd = os.memfd_create("CRIUMFD")
os.ftruncate(fd, 4096)
memory = mmap.mmap(fd, 4096)
print("there", flush=True)
time.sleep(30)'
"""
PARENT = """#!/bin/bash
echo there
sleep 30
echo "result $?"
exit 0
"""
C = """#!/bin/sh
./ckpt-job {n}
echo "status $?"
"""
PYTHON = """#!/usr/bin/python3
import hashlib, threading, time
state, seen = b"", []
def count():
    for i in range({n}):
        seen.append(i); time.sleep(0.02)
thread = threading.Thread(target=count)
thread.start()
with open("/tmp/mine", "w") as mine:
    for i in range({n}):
        for _ in range(1000):
            state = hashlib.sha256(state + bytes([i % 256])).digest()
        print(i, state.hex(), flush=True)
        mine.write(f"{{i}}\\n")
        time.sleep(0.02)
thread.join()
print(len(seen), hashlib.md5(open("/tmp/mine", "rb").read()).hexdigest())
"""
WAIT = """#!/bin/bash
echo begin
until [ -e go ]; do sleep 0.01; done
echo end
"""
PIPELINE = """#!/bin/bash
mkfifo /tmp/fifo
sort -n < /tmp/fifo > /tmp/sorted &
for i in $(seq 1 {n}); do echo $i; sleep 0.03; done |
	tee >(wc -l > /tmp/count) | sed -u 's/$/0/' |
	while read -r x; do echo "got $x"; echo "$x" >&9; done 9> /tmp/fifo
wait
while [ ! -s /tmp/count ]; do sleep 0.01; done
cat /tmp/sorted /tmp/count | md5sum
exit 5
"""


def lines(bed):
    return read(bed.out).count("\n")


def moved(bed, script, n, status=0, prepare=None, moves=MOVES):
    text = script.replace("{n}", str(n)).replace("{{", "{").replace("}}", "}")

    def begin(*args, **more):
        bed.put(text)
        if prepare:
            prepare()
        return bed.launch(*args, **more)
    expected = bed.finish(begin(), status)
    frozen = bed.make_cgroup() is not None
    bed.remove_cgroup()
    step, folder = begin(frozen=frozen), None
    for i in range(moves):
        # In its first half: a machine may be busy.
        floor = (i + 1) * n // (2 * moves + 2)
        wait_until(lambda f=floor: lines(bed) >= f or step.poll() is not None,
                   "progress")
        assert step.poll() is None, (step.communicate(), read(bed.out)[-300:],
                                     read(folder / "restore.log")[-3000:]
                                     if folder else "")
        # Every other time it is not frozen before, and runs on after.
        folder, step = bed.move(step, frozen=frozen and i % 2 == 0)
        frozen = bed.cgroup is not None
    text = bed.finish(step, status, folder)
    assert text == expected, (text[-400:], expected[-400:])


def a_shell_with_children_is_moved(bed):
    moved(bed, SHELL, 100)


def threads_and_timers_are_moved(bed):
    moved(bed, C, 300, prepare=lambda: bed.copy("ckpt-job"))


def python_is_moved(bed):
    moved(bed, PYTHON, 240)


def a_pipeline_is_moved(bed):
    moved(bed, PIPELINE, 200, status=5)


def a_dump_that_fails_changes_nothing(bed):
    """No room, a folder that is not root's alone, and one that is not empty."""
    step = bed.fresh("#!/bin/bash\nfor i in $(seq 1 200); do echo $i; "
                     "sleep 0.02; done\n")
    task = bed.task(step)
    wait_until(lambda: lines(bed) > 5, "progress")
    small = bed.folder()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "x",
                    str(small)], check=True)
    try:
        done = bed.dump(step, small, what=str(task))
        left = sorted(p.name for p in small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert done.returncode == FAILED and len(done.stderr.splitlines()) == 1, \
        done
    assert left == ["dump.log"], left
    open_to_all = bed.folder()
    open_to_all.chmod(0o755)
    assert "root's alone" in bed.dump(step, open_to_all, what=str(task)).stderr
    assert "no supervisor" in bed.dump(step, bed.folder(),
                                       what=str(os.getpid())).stderr
    slow = bed.images / "criu"
    slow.write_text("#!/bin/sh\nexec sleep 100\n")
    slow.chmod(0o755)
    done = bed.dump(step, bed.folder(), "-t", "1", criu=str(slow))
    slow.unlink()
    assert done.returncode == FAILED and "not done after 1 s" in \
        done.stderr, done
    text = bed.finish(step)
    assert text == "".join(f"{i}\n" for i in range(1, 201)), text


def criu_may_be_killed_at_any_time(bed):
    step = bed.fresh(C.replace("{n}", "150"))
    bed.kill(step)
    bed.put(C.replace("{n}", "250"))
    bed.copy("ckpt-job")
    frozen = bed.make_cgroup() is not None
    bed.remove_cgroup()
    step = bed.launch(frozen=frozen)
    wait_until(lambda: lines(bed) > 5, "progress")
    for i in range(12):
        folder = bed.folder()
        with subprocess.Popen([str(PROGRAM), "-c", CRIU, "dump",
                               str(bed.task(step)), str(folder)],
                              stderr=subprocess.PIPE, text=True) as dump:
            criu = []

            def look():
                path = f"/proc/{dump.pid}/task/{dump.pid}/children"
                criu[:] = read(path).split()
                return criu or dump.poll() is not None
            wait_until(look, "criu")
            time.sleep(0.006 * i)
            if criu and dump.poll() is None:
                os.kill(int(criu[0]), signal.SIGKILL)
            _, err = dump.communicate(timeout=30)
        assert dump.returncode in (0, FAILED), err
        assert dump.returncode == 0 or "killed by signal 9" in err, err
        assert (folder / "step").exists() == (dump.returncode == 0)
        # Nor is anything of it left.
        left = subprocess.run(["pgrep", "-af", f" -D {folder}/"],
                              stdout=subprocess.PIPE, text=True, check=False)
        assert left.stdout == "", left
        if "hurt by CRIU" in err:
            # In the middle of it: of that nobody is told a result.
            bed.finish(step, status=REQUEUE)
            (bed.work / "begin").unlink(missing_ok=True)
            step = bed.launch(frozen=frozen)
            wait_until(lambda: lines(bed) > 5, "progress")
        before = lines(bed)
        wait_until(lambda b=before: lines(bed) > b or step.poll() is not None,
                   "it goes on")
        assert step.poll() is None, (i, err, step.communicate(),
                                     step.returncode, read(bed.out)[-300:])
    text = bed.finish(step)
    assert "FAILED" not in text and "shared 250" in text and \
        "status 3" in text, text[-300:]


def named(bed, name):
    """Processes of the step that are called so."""
    return [pid for pid in read(bed.cgroup / "cgroup.procs").split()
            if read(f"/proc/{pid}/comm") == f"{name}\n"]


def what_criu_has_hurt_has_no_result(bed):
    """Whoever waits for a process that CRIU has left in the middle may make
    anything of how it ends."""
    criu = bed.images / "criu"
    for text, end, hurt in ((HURT, "kill -9 $$", True),
                            (HURT, "exit 1", False),
                            (HURT, f'exec {CRIU} "$@"', False),
                            (PARENT, "kill -9 {sleep}; sleep 0.3; kill -9 $$",
                             True),
                            (PARENT, "kill -9 $$", False)):
        step = bed.fresh(text, frozen=True)
        wait_until(lambda: "there" in read(bed.out), "progress")
        if "{sleep}" in end:
            wait_until(lambda: named(bed, "sleep"), "a child")
            end = end.format(sleep=named(bed, "sleep")[0])
        criu.write_text(f'#!/bin/bash\n[ "$1" = dump ] || exec {CRIU} "$@"\n'
                        f"{end}\n")
        criu.chmod(0o755)
        done = bed.dump(step, bed.folder(), criu=str(criu))
        assert ("hurt by CRIU" in done.stderr) == hurt, (end, done)
        if hurt:
            bed.finish(step, status=REQUEUE)
        else:
            assert step.poll() is None, (end, step.communicate())
            bed.kill(step)


def a_wrong_criu_says_why(bed):
    old = bed.images / "criu"
    for script, reason, status in (
            ("echo Version: 3.17.1", "4.1 or later", UNMOVABLE),
            ("[ $1 = check ] && exit 1; echo Version: 4.2", "kernel",
             UNMOVABLE),
            # Which may pass.
            ("exit 3", "exit status 3", FAILED),
            ("[ $1 = check ] && kill -9 $$; echo Version: 4.2", "signal 9",
             FAILED)):
        old.write_text(f"#!/bin/sh\n{script}\n")
        old.chmod(0o755)
        done = probe(str(old))
        assert done.returncode == status and reason in done.stderr, done
    old.unlink()
    done = probe(str(old))
    assert done.returncode == FAILED and "No such file" in done.stderr, done
    done = probe()
    assert done.returncode == 0 and "criu=" in done.stdout, done


def what_can_not_be_moved_is_named(bed):
    """And the job goes on."""
    for program, reason in (
            ("import ctypes, os; m = ctypes.CDLL('librt.so.1'); "
             "assert m.mq_open(b'/q', os.O_CREAT | os.O_RDWR, 0o600, None) "
             ">= 0", "message queue"),
            ("import os; r = os.fork() or __import__('ctypes').CDLL(None)"
             ".ptrace(0, 0, 0, 0); os.fork if r else os.execv('/bin/sleep', "
             "['sleep', '3'])", "traced"),):
        step = bed.fresh(f"#!/usr/bin/python3\nimport time\n{program}\n"
                         "print('there', flush=True)\ntime.sleep(1.5)\n"
                         "print('end', flush=True)\n")
        wait_until(lambda: lines(bed) > 0, "progress")
        time.sleep(0.1)
        folder = bed.folder()
        done = bed.dump(step, folder)
        assert done.returncode == UNMOVABLE and reason in done.stderr and \
            len(done.stderr.splitlines()) == 1, \
            (done, read(folder / "dump.log")[-2000:])
        assert bed.finish(step).endswith("end\n")


def only_a_batch_script_is_saved(bed):
    bed.put("#!/bin/sh\n")
    with bed.start("/bin/sleep", "20") as step:
        folder = bed.folder()
        done = bed.dump(step, folder)
        assert done.returncode == UNMOVABLE and "batch" in done.stderr, done
        os.kill(bed.task(step), signal.SIGKILL)


WALLS = """#!/bin/bash
exec 2>&1
echo ready
while [ ! -e go ]; do sleep 0.01; done
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask|Sig(Blk|Ign|Cgt))' \\
	/proc/self/status
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/1/status
ls /proc/self/fd
ulimit -a; ulimit -Ha | grep -v pending
awk '{ print $5, $6, $(NF - 2), $(NF - 1) }' /proc/self/mountinfo | sort
cat /proc/self/cgroup | sed 's/voltest-[0-9-]*//'
cat /proc/self/uid_map | awk '{ print $1, $3 }'
cat /proc/self/oom_score_adj /proc/1/oom_score_adj
for d in / /usr /etc /dev /run /sys/devices/system /proc/sys/kernel /home \\
	/root /run/scratch; do touch $d/x 2>/dev/null && echo "wrote $d"; done
ls -lan / /dev /run /etc/ /tmp /home | sed -E 's/ [A-Z][a-z][a-z] .*:.. / /' |
	sed -E 's/^([a-z-]{10}) +[0-9]+ /\\1 /'
for f in /proc/kcore /proc/keys /proc/kallsyms /proc/timer_list /proc/modules
do wc -c < $f; done
ls /proc/irq /proc/bus /proc/fs
hostname; id; cat /etc/passwd /etc/hosts
cat /proc/net/dev /proc/net/unix | wc -l
unshare -U true; unshare -m true; mount -t tmpfs x /tmp
python3 - <<'EOF'
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
for name, call in (("mount", 165), ("unshare", 272), ("setns", 308),
                   ("bpf", 321), ("clone3", 435), ("io_uring_setup", 425),
                   ("keyctl", 250), ("open_by_handle_at", 304)):
    print(name, libc.syscall(call, 0, 0, 0, 0, 0), ctypes.get_errno())
for family in (socket.AF_PACKET, socket.AF_ALG, socket.AF_VSOCK):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
        print("socket", family)
    except OSError as e:
        print(family, e.errno)
for kind in ("mnt", "user", "net", "pid"):
    try:
        fd = os.open(f"/proc/1/ns/{kind}", os.O_RDONLY)
        print(kind, libc.setns(fd, 0), ctypes.get_errno())
    except OSError as e:
        print(kind, e.errno)
# PTRACE_ATTACH, process_vm_readv, PTRACE_SEIZE
for call in (101, 16, 1), (310, 1), (101, 0x4206, 1 | 1 << 40):
    print("trace", libc.syscall(*map(ctypes.c_long, (*call, 0, 0, 0, 0))),
          ctypes.get_errno())
EOF
head -c 80M /dev/zero > /tmp/big || echo "no more"
rm -f /tmp/big
kill -9 1
kill -9 -1
exit 4
"""


def walls_of(bed, restored):
    bed.put(WALLS)
    step = bed.launch()
    bed.task(step)
    wait_until(lambda: lines(bed) > 0, "ready")
    folder = None
    if restored:
        folder, step = bed.move(step)
        bed.task(step)
    (bed.work / "go").touch()
    return bed.finish(step, 4, folder)


def the_walls_are_those_of_a_fresh_task(bed):
    fresh, restored = walls_of(bed, False), walls_of(bed, True)
    if fresh != restored:
        import difflib
        diff = "\n".join(difflib.unified_diff(
            fresh.splitlines(), restored.splitlines(), "fresh", "restored",
            lineterm="", n=0))
        raise AssertionError(diff)
    assert "NoNewPrivs:\t1" in fresh and "no more" in fresh, fresh


def its_end_is_told(bed):
    for end, status in (("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM),
                        ("kill -KILL $$", -signal.SIGKILL)):
        step = bed.fresh("#!/bin/bash\nwhile [ ! -e go ]; do sleep 0.01; done"
                         f"\n{end}\n")
        bed.task(step)
        time.sleep(0.1)
        folder, step = bed.move(step)
        bed.task(step)
        (bed.work / "go").touch()
        bed.finish(step, status, folder)


def signals_reach_it(bed):
    step = bed.fresh("#!/bin/bash\ntrap 'echo one' USR1\n"
                     "trap 'echo end; exit 9' TERM\necho begin\n"
                     "while :; do sleep 0.01; done\n")
    wait_until(lambda: lines(bed) == 1, "begin")
    folder, step = bed.move(step)
    task = bed.task(step)
    os.kill(task, signal.SIGUSR1)
    wait_until(lambda: lines(bed) == 2, "a signal")
    os.kill(task, signal.SIGTERM)
    assert bed.finish(step, 9, folder) == "begin\none\nend\n"


def a_task_of_slurmd_is_saved_from_its_domain(bed):
    """Where Landlock keeps slurmd's tasks from others' sockets."""
    walls = {path: path.read_text() for path in (bed.walls, bed.others)}
    try:
        for path, text in walls.items():
            path.write_text(f"{text}read={PROGRAM.parent}\n")
        saved_from_its_domain(bed, "-H", "-L", str(PROGRAM.parent))
    finally:
        for path, text in walls.items():
            path.write_text(text)


def saved_from_its_domain(bed, *options):
    step = bed.fresh("#!/bin/bash\nfor i in $(seq 1 400); do echo $i; "
                     "sleep 0.02; done\n", "-D", str(PROGRAM), *options,
                     serve=True)
    wait_until(lambda: lines(bed) > 5, "progress")
    done = bed.dump(step, bed.folder())
    assert done.returncode in (0, FAILED), done
    assert done.returncode == 0 or "Landlock" in done.stderr, done
    folder = bed.folder()
    status, said = bed.ask("-c", CRIU, "dump", str(bed.task(step)),
                           str(folder))
    assert status == 0, (said, read(folder / "dump.log")[-2000:])
    assert bed.ask("-c", CRIU, "dump", str(bed.task(step)), "/nosuch") == \
        (FAILED, "slurm-volunteer-checkpoint: /nosuch: No such file or "
         "directory\n")
    bed.server.close()
    bed.kill(step)
    step = bed.restore(folder, "-b", *options)
    assert bed.finish(step, 0, folder) == \
        "".join(f"{i}\n" for i in range(1, 401))


def what_it_leaves_is_killed(bed):
    step = bed.fresh("#!/bin/bash\nsetsid sleep 1000 &\necho begin\n"
                     "while [ ! -e go ]; do sleep 0.01; done\n")
    wait_until(lambda: lines(bed) == 1, "begin")
    folder, step = bed.move(step)
    bed.task(step)
    (bed.work / "go").touch()
    bed.finish(step, 0, folder)
    bed.check_clean("after its end")


def output_is_rolled_back_or_not_cut(bed):
    count = "#!/bin/bash\nfor i in $(seq 1 40); do echo $i; sleep 0.02; done\n"
    step = bed.fresh(count)
    wait_until(lambda: lines(bed) > 5, "progress")
    folder = bed.save(step)
    bed.kill(step)
    length = next(line for line in read(folder / "step").splitlines()
                  if line.startswith("output=")).split()[0][7:]
    shutil.copytree(folder, folder.with_suffix(".again"))
    assert bed.out.stat().st_size >= int(length)
    bed.out.write_text("")
    step = bed.restore(folder)
    step.communicate(timeout=30)
    assert step.returncode == 120 and "--open-mode=append" in read(bed.out), \
        read(bed.out)
    bed.out.write_text("x" * int(length) + "more")
    again = bed.folder()
    shutil.copytree(folder.with_suffix(".again"), again, dirs_exist_ok=True)
    again.chmod(0o700)
    step = bed.restore(again)
    step.communicate(timeout=30)
    assert step.returncode == 120 and "has written more" in read(bed.out)
    bed.out.write_text("x" * int(length) + "more")
    step = bed.restore(folder.with_suffix(".again"), "-b")
    text = bed.finish(step, 0, folder.with_suffix(".again"))
    assert text.startswith("x" * int(length)) and text.endswith("\n40\n") and \
        "more" not in text, text


def a_restore_that_fails_says_why_and_a_fresh_start_follows(bed):
    step = bed.fresh(WAIT)
    wait_until(lambda: lines(bed) == 1, "begin")
    folder = bed.save(step)
    bed.kill(step)
    (bed.work / "go").touch()
    for spoil, reason in (
            (lambda f: (f / "step").unlink(), "No such file"),
            (lambda f: (f / "step").write_text(
                read(f / "step").replace("job=1\n", "job=2\n")), "of job 2"),
            (lambda f: (f / "img/inventory.img").unlink(), ""),
            (lambda f: (f / "step").write_text(
                read(f / "step").replace("mount=/usr\n", "mount=/nosuch\n")),
             "/nosuch, which this device"),
            (lambda f: [p.write_bytes(p.read_bytes()[:-3]) for p in
                        (f / "img").glob("core-*.img")], "")):
        copy = bed.folder()
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        copy.chmod(0o700)
        spoil(copy)
        bed.out.write_text("-----\n")
        step = bed.restore(copy, "-A")
        step.communicate(timeout=60)
        said = read(bed.out).splitlines()
        assert step.returncode == 0 and len(said) == 4 and \
            reason in said[1] and said[2:] == ["begin", "end"] and \
            said[1].startswith("sandbox-try: restore: ") and \
            len(said[1]) > 40, (said, reason)
        print(f"        {said[1]}")
        bed.check_clean(said)


def what_was_sent_on_does_not_go_on(bed):
    """Who has sent the job on takes a mark, as long as nothing has run."""
    waits, begun = (f"trusted.volunteer.{name}" for name in ("waits", "begun"))
    step = bed.fresh(WAIT)
    wait_until(lambda: lines(bed) == 1, "begin")
    folder = bed.save(step)
    bed.kill(step)
    mark, sent_on = bed.folder(), "the job was sent on before it began"
    for before, options, after, says in (
            (waits, (), begun, None), (begun, (), begun, None),
            (None, (), None, sent_on), (None, ("-b",), None, sent_on),
            # CRIU fails, and has changed nothing.
            (waits, ("-K", "/bin/false"), waits, "criu: exit status 1"),
            # Its output may be shorter than it was.
            (waits, ("-K", "/bin/false", "-b"), begun, "criu: exit status 1")):
        copy = bed.folder()
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        copy.chmod(0o700)
        for name in {waits, begun} & set(os.listxattr(mark)):
            os.removexattr(mark, name)
        if before:
            os.setxattr(mark, before, b"1")
        bed.out.write_text("begin\n")
        if not says:
            (bed.work / "go").touch()
        step = bed.restore(copy, "-w", str(mark), *options)
        step.communicate(timeout=30)
        said = read(bed.out).splitlines()
        marks = {waits, begun} & set(os.listxattr(mark))
        assert marks == ({after} if after else set()) and \
            step.returncode == (120 if says else 0) and said[1:] == [
                f"sandbox-try: restore: {says}" if says else "end"], \
            (before, options, marks, step.returncode, said)
        bed.check_clean(said)
        (bed.work / "go").unlink(missing_ok=True)


def edited_images_are_refused(bed):
    """By the hook's own look, should whoever verified them have erred."""
    step = bed.fresh(WAIT)
    wait_until(lambda: lines(bed) == 1, "begin")
    folder = bed.save(step)
    bed.kill(step)
    (bed.work / "go").touch()
    for edit, reason in ((images.be_root, "Uid"),
                         (images.take_capabilities, "Cap"),
                         (images.leave_no_new_privs, "NoNewPrivs"),
                         (images.leave_seccomp, "Seccomp")):
        copy = bed.folder()
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        copy.chmod(0o700)
        assert images.edit(copy / "img/core-2.img", edit, UID) > 0, reason
        bed.out.write_text("begin\n")
        step = bed.restore(copy)
        step.communicate(timeout=30)
        said = read(bed.out).splitlines()
        print(f"        {said[1:]}")
        assert step.returncode == 120 and said[0] == "begin" and \
            said[1].startswith("sandbox-try: restore: ") and \
            len(said) == 2 and reason in said[1], \
            (said, read(copy / "restore.log")[-2000:])


if __name__ == "__main__":
    the_bed = CkptBed("checkpoint")
    if not the_bed.require():
        the_bed.close()
        from bed import skip
        skip("no ids of a job's own on this machine")
    the_bed.require_criu()
    main(the_bed, [a_wrong_criu_says_why, its_end_is_told, signals_reach_it,
                   a_shell_with_children_is_moved,
                   threads_and_timers_are_moved, python_is_moved,
                   a_pipeline_is_moved, a_dump_that_fails_changes_nothing,
                   criu_may_be_killed_at_any_time,
                   what_criu_has_hurt_has_no_result,
                   what_can_not_be_moved_is_named,
                   only_a_batch_script_is_saved,
                   the_walls_are_those_of_a_fresh_task,
                   a_task_of_slurmd_is_saved_from_its_domain,
                   what_it_leaves_is_killed, output_is_rolled_back_or_not_cut,
                   a_restore_that_fails_says_why_and_a_fresh_start_follows,
                   what_was_sent_on_does_not_go_on,
                   edited_images_are_refused])
