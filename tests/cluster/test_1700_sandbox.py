# SPDX-License-Identifier: GPL-2.0-or-later
"""A job on a device sees what it needs and nothing of the owner's."""
import contextlib
import re

import parked

# The owner's number is 1000 on all hosts; this is how a stranger comes by it.
HOME = "/home/ann"
RUN = "/run/slurm-volunteer"
REQUEUED = 150


def batch(lab, body, options="", user="alice", node="desk1"):
    """A job's state, exit code and output, when it has ended."""
    lab.ctl(f"install -d -o {user} -g {user} /campaign/{user}")
    done = lab.proc(
        "controller", f"cd /campaign/{user} && rm -f out && sbatch --parsable "
        f"-p volunteer --mem=50 -w {node} -o out {options}", user=user,
        stdin=f"#!/bin/bash\n{body}\n")
    job = done.stdout.strip()
    fields = lab.wait(f"job {job} has ended", lambda: ended(lab, job), 60)
    text = lab.ctl(f"cat /campaign/{user}/out 2>/dev/null || true")
    return fields["JobState"], fields["ExitCode"], text


def ended(lab, job):
    fields = parked.job_fields(lab, job)
    return fields if fields.get("JobState") in (
        "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT") else None


@contextlib.contextmanager
def owners_file(lab, node="desk1"):
    """Something of the owner's that the job would love to have."""
    lab.run(node, f"install -d -o ann -g ann {HOME} && echo secret > "
            f"{HOME}/diary && chown ann: {HOME}/diary")
    try:
        yield f"{HOME}/diary"
    finally:
        lab.run(node, f"rm -rf {HOME}")


def test_same_number_as_the_owner_and_nothing_of_hers(lab):
    lab.proc("desk1", "sleep 300 & echo $! > /tmp/hers", user="ann")
    pid = lab.run("desk1", "cat /tmp/hers")
    try:
        with owners_file(lab) as diary:
            state, _, said = batch(
                lab, f"id -u; cat {diary}; ls -A /home /root /tmp; kill {pid}; "
                "ls /run/slurm-volunteer /etc/munge /etc/slurm; "
                "cat /proc/[0-9]*/cmdline; echo; echo bye",
                user="ann")
            assert state == "COMPLETED", said
            assert said.startswith("1000\n") and said.endswith("bye")
            assert "secret" not in said and "sleep 300" not in said
            for other in ("slurmd\0", "discoveryd", "munged", "slurm.conf"):
                assert other not in said, other
            assert lab.run("desk1", f"cat {diary}") == "secret"
        lab.run("desk1", f"kill -0 {pid}")
    finally:
        lab.run("desk1", f"kill {pid}; rm -f /tmp/hers")


def test_output_is_no_way_to_the_owners_files(lab):
    """slurmstepd opens it as the job's user, outside of any task's walls."""
    with owners_file(lab) as diary:
        lab.ctl("install -d -o ann -g ann /campaign/ann")
        for option in ("-o", "-e", "-i"):
            job = lab.proc(
                "controller", "cd /campaign/ann && sbatch --parsable "
                f"-p volunteer --mem=50 -w desk1 -o out {option} {diary} "
                "--open-mode=truncate --wrap 'cat; echo x; echo y >&2'",
                user="ann").stdout.strip()
            lab.wait("the job has ended", lambda j=job: ended(lab, j), 60)
            assert lab.run("desk1", f"cat {diary}") == "secret"
            assert "secret" not in lab.ctl(
                "cat /campaign/ann/out 2>/dev/null || true")
        lab.proc("controller", "cd /campaign/ann && srun -p volunteer --mem=20 "
                 f"-w desk1 -o {HOME}/%t.out hostname", user="ann",
                 check=False, timeout=60)
        assert lab.run("desk1", f"ls {HOME}") == "diary"


def test_a_submitter_closes_no_device(lab):
    """What a job asks for is its own fault: it fails, and goes nowhere else."""
    lab.run("desk1", "install -d -m 777 /run/open && "
            "install -m 666 /dev/null /run/open/file")
    lab.ctl("install -d -o alice -g alice /campaign/alice && "
            "install -d -m 700 /campaign/closed")
    try:
        for options in ("-i /etc/passwd", "-i /proc/1/comm", "-i /campaign",
                        "-e /run/open/file", "-e /run/open/new",
                        "--chdir=/campaign/closed -o /campaign/alice/out"):
            state, code, said = batch(lab, "echo ran", options)
            if "--chdir" not in options:
                assert (state, "ran" in said) == ("FAILED", False), options
                assert code != f"{REQUEUED}:0", (options, code)
            assert "could not be built" not in said, (options, said)
        assert lab.run("desk1", "cat /run/open/file") == ""
        assert lab.run("desk1", f"ls {RUN}/walls-failed || true") == ""
        assert "sandbox" not in lab.run("desk1", "volunteer why", check=False)
        assert not parked.drain_reason(lab, "desk1")
    finally:
        lab.run("desk1", "rm -rf /run/open")
        lab.ctl("rmdir /campaign/closed")


def test_the_login_session_stays_behind(lab):
    lab.ctl("install -d -o alice -g alice /campaign/alice")
    names = ("DISPLAY", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "XAUTHORITY",
             "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_ID", "WAYLAND_DISPLAY")
    given = " ".join(f"{name}=/of/a/session" for name in names)
    out = lab.alice(f"env {given} MINE=/of/a/job srun -p volunteer --mem=20 "
                    "-w desk1 env", timeout=60)
    assert "MINE=/of/a/job" in out and "SLURM_JOB_ID=" in out
    assert "/of/a/session" not in out, out
    # On other nodes nothing changes.
    out = lab.alice(f"env {given} srun -p fixed --mem=20 env", timeout=60)
    assert out.count("/of/a/session") == len(names)


def test_slurmd_is_no_way_to_the_owners_files(lab):
    """It writes and runs things as the job's user, before there is a step."""
    lab.ctl("install -d -o ann -g ann /campaign/ann")
    with owners_file(lab) as diary:
        lab.run("desk1", f"echo export TOLD=secret > {HOME}/.profile && "
                f"chown ann: {HOME}/.profile")
        for target in (diary, f"{HOME}/new", "/tmp/new", "/etc/new"):
            lab.proc("controller", "cd /campaign/ann && salloc -p volunteer "
                     f"--mem=20 -w desk1 sbcast -f /etc/hostname {target}",
                     user="ann", check=False, timeout=60)
        lab.proc("controller", "cd /campaign/ann && srun -p volunteer --mem=20 "
                 f"-w desk1 --bcast={HOME}/new /bin/true", user="ann",
                 check=False, timeout=60)
        assert lab.run("desk1", f"cat {diary}; ls -A {HOME}; ls /tmp/new "
                       "/etc/new 2>/dev/null || true").split() == [
                           "secret", ".profile", "diary"]
        _, _, said = batch(lab, "env", "--get-user-env", user="ann")
        assert "secret" not in said, said
    # Where jobs work it goes on working.
    lab.proc("controller", "cd /campaign/ann && rm -f copy && salloc "
             "-p volunteer --mem=20 -w desk1 sbcast -f /etc/hostname "
             "/campaign/ann/copy", user="ann", timeout=60)
    assert lab.ctl("cat /campaign/ann/copy") == lab.ctl("cat /etc/hostname")


def slurmd(lab, node="desk1"):
    return lab.run(node, "pgrep -o -f '^[^ ]*slurmd(-wlm)? -D -Z' || true")


def test_another_working_folder_comes_with_a_reload(lab):
    """slurmd is started again for it; what runs goes on."""
    lab.run("desk1", "install -d -o alice -g alice /srv/two && "
            f"cp -p {parked.CONF} {parked.CONF}.saved")
    body = "echo $$ > two.out; sleep 20; echo $$ >> two.out"
    try:
        lab.alice("rm -f two.out")
        old, job = slurmd(lab), parked.submit(lab, body, "-w desk1")
        lab.wait("it runs", lambda: lab.alice("cat two.out || true"), 30)
        lab.run("desk1", f"sed -i 's|^work = .*|&, /srv/two|' {parked.CONF} && "
                "pkill -HUP -x discoveryd")
        lab.wait("slurmd is another one",
                 lambda: slurmd(lab) not in ("", old), 30)
        lab.wait("it has ended", lambda: parked.state(lab, job) == "COMPLETED",
                 60)
        assert len(lab.alice("cat two.out").split()) == 2
        parked.wait_open(lab, "desk1", 60)
        state, _, said = batch(lab, "pwd; echo here > file",
                               "--chdir=/srv/two -o /srv/two/out")
        assert (state, said) == ("COMPLETED", "")
        assert lab.run("desk1", "cat /srv/two/out /srv/two/file").split() == [
            "/srv/two", "here"]
        # One that changes nothing of that does not disturb it.
        old = slurmd(lab)
        lab.run("desk1", "pkill -HUP -x discoveryd")
        batch(lab, "true")
        assert slurmd(lab) == old
    finally:
        lab.run("desk1", f"mv {parked.CONF}.saved {parked.CONF}; "
                "rm -rf /srv/two; pkill -HUP -x discoveryd")
        parked.wait_open(lab, "desk1", 60)


def restarted_slurmd(lab):
    old = slurmd(lab)
    lab.run("desk1", f"kill {old}")
    return lab.wait("slurmd is another one", lambda: slurmd(lab) != old and
                    slurmd(lab), 60)


def test_links_in_the_root_folder(lab):
    """What is at the end of one is hidden, but for what Slurm needs itself."""
    links = {"/theirs": "/opt/theirs", "/logs": "/var/log", "/programs": "/usr"}
    lab.run("desk1", "mkdir /opt/theirs && " + " && ".join(
        f"ln -s {end} {link}" for link, end in links.items()))
    try:
        pid = restarted_slurmd(lab)
        hidden = [line.split()[4] for line in lab.run(
            "desk1", f"grep ' - tmpfs hidden ' /proc/{pid}/mountinfo"
        ).splitlines()]
        assert set(hidden) & set(links.values()) == {"/opt/theirs"}, hidden
        parked.wait_open(lab, "desk1", 60)
        assert batch(lab, "echo ran") == ("COMPLETED", "0:0", "ran")
    finally:
        lab.run("desk1", f"rm -rf {' '.join(links)} /opt/theirs")
        restarted_slurmd(lab)
        parked.wait_open(lab, "desk1", 60)


def test_no_epilog_runs_beside_the_owner(lab):
    """slurmstepd would run it as the job's user, outside of the walls."""
    lab.proc("controller", "cat > /campaign/alice/epilog && "
             "chmod +x /campaign/alice/epilog", user="alice",
             stdin="#!/bin/sh\necho ran > /campaign/alice/epilogs\n")
    lab.alice("rm -f epilogs; srun -p volunteer --mem=20 -w desk1 -n 2 "
              "--task-epilog=/campaign/alice/epilog true", timeout=60)
    assert lab.alice("ls epilogs || true") == ""
    # On other nodes nothing changes.
    lab.alice("srun -p fixed --mem=20 --task-epilog=/campaign/alice/epilog "
              "true", timeout=60)
    assert lab.alice("cat epilogs") == "ran"


def test_ends_are_what_they_were(lab):
    for body, end in (("exit 0", "0:0"), ("exit 3", "3:0"),
                      ("kill -TERM $$; sleep 9", "0:15"),
                      ("kill -KILL $$; sleep 9", "0:9"),
                      ("exec /nonexistent", "127:0")):
        assert batch(lab, body)[1] == end, body
    done = lab.proc("controller", "cd /campaign/alice && srun -p volunteer "
                    "--mem=20 -w desk1 sh -c 'cat; exit 5'", user="alice",
                    check=False, stdin="words\n")
    assert (done.returncode, done.stdout) == (5, "words\n"), done


def test_tasks_of_a_step_share_their_walls(lab):
    out = lab.alice(
        "srun -p volunteer --mem=20 -w desk1 -n 2 sh -c 'readlink "
        "/proc/self/ns/pid; echo x > /tmp/task.$SLURM_PROCID; n=0; "
        "while [ $n -lt 100 ] && [ ! -e /tmp/task.1 ]; do sleep 0.1; "
        "n=$((n+1)); done; test -e /tmp/task.1 && echo both'", timeout=60)
    lines = sorted(out.splitlines())
    assert lines[:2] == ["both", "both"] and lines[2] == lines[3], out
    assert lab.run("desk1", "readlink /proc/self/ns/pid") != lines[2]
    assert lab.run("desk1", "ls /tmp/task.* 2>/dev/null || true") == ""


def test_the_device_policy_wins_and_says_so(lab):
    state, _, said = batch(lab, "echo ran", "--volunteer-net=lan")
    assert state == "COMPLETED"
    assert said.splitlines() == [
        "volunteer: desk1 gives a job network=none, not lan: the device's "
        "policy wins", "ran"]
    done = lab.proc("controller", "cd /campaign/alice && srun -p volunteer "
                    "--volunteer-net=wifi true", user="alice", check=False)
    assert done.returncode != 0 and "volunteer-net" in done.stderr


def test_a_folder_that_is_not_there_is_named(lab):
    state, _, said = batch(lab, "pwd", "--chdir=/opt -o /campaign/alice/out")
    assert state == "COMPLETED"
    assert "volunteer: /opt is not on this machine; the job runs in /tmp" in \
        said and said.splitlines()[-1] == "/tmp"
    # slurmstepd does not find this one, and says so in its own words.
    state, _, said = batch(lab, "pwd", f"--chdir={HOME} -o /campaign/alice/out")
    assert "the working folder is not on this machine" in said, said


def test_other_partitions_have_no_walls(lab):
    out = lab.alice("srun -p fixed --mem=20 sh -c 'readlink /proc/self/ns/mnt "
                    "/proc/self/ns/pid; ls /etc/slurm'", timeout=60)
    lines = out.splitlines()
    assert lines[0] == lab.ctl("readlink /proc/self/ns/mnt")
    assert lines[1] == lab.ctl("readlink /proc/self/ns/pid")
    assert "slurm.conf" in lines


def closed(lab, node):
    """Why a device takes no jobs, by its owner's and by Slurm's word."""
    why = lab.run(node, "volunteer why", check=False)
    reason = parked.drain_reason(lab, node)
    return (why, reason) if "sandbox" in why and reason else None


@contextlib.contextmanager
def broken(lab, how, mend):
    """A wall of desk1 can not be built."""
    lab.run("desk1", how)
    try:
        yield
    finally:
        lab.run("desk1", f"{mend}; rm -f {RUN}/walls-failed; "
                "pkill -HUP -x discoveryd")
        parked.wait_open(lab, "desk1", 60)


def goes_elsewhere(lab):
    """A job that is on desk1 by chance ends up on another device."""
    others = "desk2,desk3"
    lab.ctl(f"scontrol update nodename={others} state=drain reason=test")
    try:
        job = parked.submit(lab, "echo $SLURMD_NODENAME > where.$SLURM_JOB_ID",
                            "-o back.%j --open-mode=append")
        lab.wait("desk1 gives it back", lambda: parked.job_fields(
            lab, job).get("Restarts") == "1", 60)
    finally:
        lab.ctl(f"scontrol update nodename={others} state=resume")
    lab.ctl(f"scontrol update jobid={job} starttime=now || true")
    lab.wait("it runs elsewhere", lambda: parked.state(lab, job) ==
             "COMPLETED", 60)
    assert lab.alice(f"cat where.{job}") in ("desk2", "desk3")
    return job


def test_a_wall_that_breaks_late_sends_the_job_elsewhere(lab):
    """The new root would be mounted on a folder that only root gets to."""
    batch(lab, "true")
    with broken(lab, f"chmod 700 {RUN}/sandbox", f"chmod 755 {RUN}/sandbox"):
        job = goes_elsewhere(lab)
        said = lab.alice(f"cat back.{job}")
        assert re.search(r"^volunteer: the sandbox on desk1 could not be built:"
                         r" .*; the job goes to another machine$", said, re.M)
        why, reason = lab.wait("desk1 is closed", lambda: closed(
            lab, "desk1"), 30)
        assert "sandbox" in reason, (why, reason)


def test_a_wall_that_breaks_early_sends_the_job_elsewhere(lab):
    with broken(lab, f"mv {RUN}/walls {RUN}/walls.away",
                f"mv {RUN}/walls.away {RUN}/walls"):
        goes_elsewhere(lab)
        why, _ = lab.wait("desk1 is closed", lambda: closed(lab, "desk1"), 30)
        assert "walls" in why
        # slurmctld drained it, in words that tell nobody anything; with ours
        # the drain goes when the device can build walls again.
        lab.wait("the reason is told", lambda: parked.drain_reason(
            lab, "desk1").startswith("volunteer: sandbox: "), 30)


def test_slurmd_does_not_start_in_the_owners_places(lab):
    with broken(lab, f"mv {RUN}/walls {RUN}/walls.away",
                f"mv {RUN}/walls.away {RUN}/walls"):
        lab.run("desk1", f"kill {slurmd(lab)}")
        lab.wait("it says so", lambda: "job=0" in lab.run(
            "desk1", f"cat {RUN}/walls-failed || true"), 30)
        assert slurmd(lab) == ""
        assert "sandbox" in lab.run("desk1", "volunteer why", check=False)


def test_a_job_that_may_not_be_requeued_fails(lab):
    batch(lab, "true")
    with broken(lab, f"chmod 700 {RUN}/sandbox", f"chmod 755 {RUN}/sandbox"):
        state, code, said = batch(lab, "echo ran", "--no-requeue")
        # It may be stopped with the device that closes, before it has ended.
        assert (state, code) in (("FAILED", f"{REQUEUED}:0"),
                                 ("CANCELLED", "0:9"))
        assert "could not be built" in said or state == "CANCELLED", said
        assert "ran" not in said.split()
