#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A job that ran on after it was saved finds its files as they were then, or
the image is not used and nothing is touched."""
import os
import random
import shutil
import stat

from bed import UID, main, read, skip
from ckptbed import CRIU, FAILED, PROGRAM, CkptBed, wait_until

ROUNDS = int(os.environ.get("SANDBOX_ROUNDS", "4"))
ASIDE = ".volunteer-rolled-back."

# Appends to a file that is open and to one that is not, writes others anew,
# in place and by a rename, makes files that must not be there, and folders, and
# removes them.
SHELL = """#!/bin/bash
set -C
exec 3>> log
echo 0 > place
for i in $(seq 1 {n}); do
	echo "$i $(echo $i | md5sum)" >&3
	echo "$i" >> closed
	echo "state $i" >| state
	echo "now $i" > tmp.$i || exit 9
	mv tmp.$i now
	printf %06d $i 1<> place
	echo $i > frame.$i || exit 9
	mkdir d.$i || exit 9
	echo "in $i" > d.$i/x || exit 9
	if [ $i -gt 3 ]; then
		rm frame.$((i - 3)) d.$((i - 3))/x || exit 9
		rmdir d.$((i - 3)) || exit 9
	fi
	ln -sfn frame.$i last
	echo $i
	sleep 0.01
done
echo end
"""
SQLITE = """#!/usr/bin/python3
import mmap, sqlite3, time
db = sqlite3.connect("base.db", isolation_level=None)
db.execute("create table if not exists t (i integer primary key, b text)")
trace = open("trace", "wb", buffering=0)
with open("mapped", "wb") as f:
    f.truncate(8192)
f = open("mapped", "r+b")
shared = mmap.mmap(f.fileno(), 0)
f.close()
for i in range({n}):
    db.execute("begin")
    db.execute("insert into t values (?, ?)", (i, "x" * (i % 500)))
    db.execute("update t set b = b || '.' where i % 7 = ?", (i % 7,))
    time.sleep(0.002)
    db.execute("commit")
    trace.write(b"%06d" % i * 100)
    shared[i % 8192] = i % 251
    print(i, flush=True)
    time.sleep(0.005)
print(db.execute("select count(*), sum(length(b)) from t").fetchone())
"""
QUIET = """#!/bin/bash
{prepare}
for i in $(seq 1 {n}); do echo $i; sleep 0.02; done
"""


def tree(bed):
    """All that a program can see of the folder, but output and what was put
    aside."""
    found = {}
    for path in bed.work.rglob("*"):
        name = str(path.relative_to(bed.work))
        if ASIDE in name or path == bed.out:
            continue
        st = path.lstat()
        found[name] = (stat.filemode(st.st_mode),
                       os.readlink(path) if path.is_symlink() else
                       path.read_bytes() if path.is_file() else None)
    return found


def count(bed):
    return read(bed.out).count("\n")


def advanced(bed, step, lines):
    wait_until(lambda: count(bed) >= lines or step.poll() is not None,
               f"{lines} lines")
    assert step.poll() is None, (step.communicate(), read(bed.out)[-300:])


def rounds(bed, script, n, *options):
    """Saved, run on, killed and put back, again and again."""
    script = script.replace("{n}", str(n))
    expected_out = bed.finish(bed.fresh(script, *options))
    expected = tree(bed)
    step, folder = bed.fresh(script, *options), None
    dice = random.Random(n)
    for i in range(ROUNDS):
        advanced(bed, step, max(n * (i + 1) // (ROUNDS + 2), count(bed) + 1))
        folder = bed.save(step, "-p")
        advanced(bed, step, count(bed) + dice.randrange(n // (2 * ROUNDS)))
        bed.kill(step)
        step = bed.restore(folder, *options)
        bed.task(step)
    out = bed.finish(step, log=folder)
    assert out == expected_out, (out[-400:], expected_out[-400:])
    got = tree(bed)
    different = [name for name in expected.keys() | got.keys()
                 if expected.get(name) != got.get(name)]
    assert not different, (different,
                           [got.get(different[0]), expected.get(different[0])])


def all_files_of_a_job_go_back(bed):
    rounds(bed, SHELL, 100, "-W", "own")


def a_data_base_goes_back(bed):
    rounds(bed, SQLITE, 200, "-W", "own")


def refused(bed, folder, reason, *options):
    """And all is as it was."""
    before, said = tree(bed), bed.out.read_bytes()
    step = bed.restore(folder, *options)
    step.communicate(timeout=60)
    text = bed.out.read_bytes()
    assert step.returncode == 120 and text.startswith(said), text
    text = text[len(said):].decode()
    assert reason in text and text.count("\n") == 1, (text, reason)
    assert tree(bed) == before
    # To be judged again.
    bed.out.write_bytes(said)
    print(f"        {text.strip()}")


def again(bed, folder):
    copy = bed.folder()
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    copy.chmod(0o700)
    return copy


def put(path, data, uid=UID):
    path.write_bytes(data)
    os.chown(path, uid, uid)


def saved(bed, *options, prepare="", n=60, how=("-p",)):
    step = bed.fresh(QUIET.replace("{n}", str(n)).replace("{prepare}",
                                                          prepare), *options)
    wait_until(lambda: count(bed) > 3, "progress")
    folder = bed.save(step, *how)
    advanced(bed, step, count(bed) + 3)
    bed.kill(step)
    return folder


def goes_on(bed, folder, n, *options):
    step = bed.restore(folder, *options)
    assert bed.finish(step, log=folder) == \
        "".join(f"{i}\n" for i in range(1, n + 1))


def whose_files_is_not_known(bed):
    """Whatever has changed in the folder may be somebody else's."""
    folder = saved(bed, prepare="echo a > a; exec 4>> b; echo b >&4")
    put(bed.work / "new", b"of another job")
    refused(bed, again(bed, folder), "/new: is new")
    (bed.work / "new").unlink()
    put(bed.work / "b", b"b\nof another job")
    refused(bed, again(bed, folder), "/b: was changed")
    put(bed.work / "b", b"b\n")
    times = (bed.work / "a").stat()
    put(bed.work / "a", b"A\n")
    os.utime(bed.work / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    refused(bed, again(bed, folder), "/a: was changed")
    # What was not touched is fine.
    folder = saved(bed, prepare="echo a > a; exec 4>> b; echo b >&4")
    goes_on(bed, folder, 60)
    assert read(bed.work / "a") == "a\n" and read(bed.work / "b") == "b\n"


def only_what_is_open_is_its_own(bed):
    folder = saved(bed, "-W", "opened",
                   prepare="echo a > a; exec 4>> b; echo b >&4; "
                   "echo c > c; exec 5<> c")
    put(bed.work / "new", b"of another job")
    put(bed.work / "a", b"of another job")
    put(bed.work / "b", b"b\nand more\n")
    put(bed.work / "c", b"C\nand more\n")
    goes_on(bed, folder, 60, "-W", "opened")
    assert {name: data for name, (_, data) in tree(bed).items()} == {
        "new": b"of another job", "a": b"of another job", "b": b"b\n",
        "c": b"c\n"}


def what_can_not_be_made_again_is_refused(bed):
    """A file that was too old to be copied, one that is something else now, and
    one that is not the job's to write."""
    def prepare(bed):
        put(bed.work / "old", b"data")
        os.utime(bed.work / "old", (1, 1))
    bed.put("")
    folder = saved(bed, "-W", "own", prepare="exec 4>> b; echo b >&4")
    victim = bed.images / "victim"
    victim.write_text("b\nof root's\n")
    (bed.work / "b").unlink()
    (bed.work / "b").symlink_to(victim)
    refused(bed, again(bed, folder), "/b: was a file", "-W", "own")
    (bed.work / "b").unlink()
    put(bed.work / "b", b"b\nof root's\n", uid=0)
    (bed.work / "b").chmod(0o644)
    refused(bed, again(bed, folder), "/b: Permission denied", "-W", "own")
    (bed.work / "b").unlink()
    refused(bed, again(bed, folder), "/b: is gone", "-W", "own")
    put(bed.work / "b", b"a\nb\n")
    refused(bed, again(bed, folder), "/b: has lost", "-W", "own")
    put(bed.work / "b", b"b\n")
    refused(bed, again(bed, folder), "whose files are own", "-W", "opened")
    prepare(bed)
    goes_on(bed, folder, 60, "-W", "own")


def a_path_of_the_images_is_not_believed(bed):
    """One that leads out of the folder, by a link or to another user's file."""
    folder = saved(bed, "-W", "own", prepare="exec 4>> b; echo b >&4")
    victim = bed.work / "victim"
    put(victim, b"b\nof root's\n", uid=0)
    (bed.work / "way").symlink_to("/")
    for path, reason in ((victim, "Permission denied"),
                         (f"{bed.work}/way{victim}", "Too many levels"),
                         ("/usr/bin/true", "has lost")):
        copy = again(bed, folder)
        text = read(copy / "step")
        assert f" {bed.work}/b\n" in text
        (copy / "step").write_text(text.replace(f" {bed.work}/b\n",
                                                f" {path}\n"))
        refused(bed, copy, reason, "-W", "own")
    assert victim.read_bytes() == b"b\nof root's\n"


def what_can_not_be_kept_is_said(bed):
    """By a dump of a job that runs on; the other kind can be used once."""
    deep = "/".join(["d"] * 20)
    step = bed.fresh(QUIET.replace("{n}", "150").replace(
        "{prepare}", f"mkdir -p {deep}"), "-W", "own")
    wait_until(lambda: count(bed) > 3, "progress")
    folder = bed.folder()
    done = bed.dump(step, folder, "-p")
    assert done.returncode == FAILED and "folders deep" in done.stderr and \
        len(done.stderr.splitlines()) == 1, done
    assert not (folder / "step").exists() and \
        not (folder / ".reason").exists()
    print(f"        {done.stderr.strip()}")
    folder = bed.save(step)
    before = count(bed)
    bed.kill(step)
    refused(bed, again(bed, folder), "does not say what its files were", "-b",
            "-W", "own")
    # As when nothing had run after it.
    length = next(line for line in read(folder / "step").splitlines()
                  if line.startswith("output=")).split()[0][7:]
    os.truncate(bed.out, int(length))
    assert count(bed) <= before
    goes_on(bed, folder, 150, "-W", "own")


def what_was_half_done_is_done_again(bed):
    """Where a step of it fails, or the machine does; nothing is lost."""
    step = bed.fresh(QUIET.replace("{n}", "60").replace(
        "{prepare}", "mkdir d; echo x > d/x; echo y > y; ln -s y link"),
        "-W", "own")
    wait_until(lambda: count(bed) > 3, "progress")
    # Another user's: nothing in it is the job's.
    (bed.work / "private").mkdir(mode=0o700)
    expected = tree(bed)
    folder = bed.save(step, "-p")
    bed.kill(step)
    put(bed.work / "d/new", b"new")
    put(bed.work / "new", b"also new")
    put(bed.work / "y", b"other")
    (bed.work / "link").unlink()
    (bed.work / "d").chmod(0o555)
    said = bed.out.read_bytes()
    step = bed.restore(again(bed, folder), "-W", "own")
    step.communicate(timeout=60)
    assert step.returncode == 120 and "/d/new: Permission denied" in \
        read(bed.out), read(bed.out)
    bed.out.write_bytes(said)
    # As if it had been killed while it wrote.
    put(bed.work / "y", b"")
    (bed.work / "d").chmod(0o755)
    goes_on(bed, folder, 60, "-W", "own")
    assert tree(bed) == expected
    aside = sorted(p.read_bytes() for p in bed.work.iterdir()
                   if ASIDE in p.name)
    assert aside == [b"", b"also new", b"new"], aside


def slurmds_domain_lets_them_be_seen(bed):
    """A dump is made by a child of slurmd there."""
    walls = {path: path.read_text() for path in (bed.walls, bed.others)}
    options = ("-W", "own", "-H", "-L", str(PROGRAM.parent))
    try:
        for path, text in walls.items():
            path.write_text(f"{text}read={PROGRAM.parent}\n")
        step = bed.fresh(SHELL.replace("{n}", "100"), "-D", str(PROGRAM),
                         *options, serve=True)
        advanced(bed, step, 10)
        folder = bed.folder()
        status, said = bed.ask("-c", CRIU, "-p", "dump", str(bed.task(step)),
                               str(folder))
        assert status == 0, said
        advanced(bed, step, count(bed) + 10)
        bed.server.close()
        bed.kill(step)
        text = read(folder / "step")
        assert "\nunlisted=\n" in text and f" {bed.work}/log\n" in text, text
        step = bed.restore(folder, *options)
        out = bed.finish(step, log=folder)
    finally:
        for path, text in walls.items():
            path.write_text(text)
    assert out == "".join(f"{i}\n" for i in range(1, 101)) + "end\n", out
    assert read(bed.work / "closed") == out[:-4]


def a_second_use_is_proven(bed):
    """An image that was made to leave has no contents: it is used again where
    nothing but output was written since."""
    folder = saved(bed, "-W", "own", prepare="echo a > a", how=())
    put(bed.work / "new", b"of its own")
    goes_on(bed, again(bed, folder), 60, "-b", "-W", "own")
    assert sorted(tree(bed)) == ["a"]
    put(bed.work / "a", b"b\n")
    refused(bed, again(bed, folder), "/a: was changed", "-b", "-W", "own")


if __name__ == "__main__":
    the_bed = CkptBed("files")
    if not the_bed.require():
        the_bed.close()
        skip("no ids of a job's own on this machine")
    the_bed.require_criu()
    main(the_bed, [all_files_of_a_job_go_back, a_data_base_goes_back,
                   whose_files_is_not_known, only_what_is_open_is_its_own,
                   what_can_not_be_made_again_is_refused,
                   a_path_of_the_images_is_not_believed,
                   what_can_not_be_kept_is_said,
                   what_was_half_done_is_done_again,
                   slurmds_domain_lets_them_be_seen, a_second_use_is_proven])
