# SPDX-License-Identifier: GPL-2.0-or-later
"""vbatch against a real slurmctld."""
import json
import re
import time


def test_a_thousand_points(lab):
    folder = "/campaign/alice/points"
    lab.alice(f"rm -rf {folder} && mkdir {folder}")
    out = lab.alice(
        "vbatch -p volunteer --mem=20 -o /dev/null "
        "--matrix size=256,512 --matrix seed=1..500 --wrap "
        f"'echo $size $seed {{size}} {{seed}} > {folder}/$VBATCH_POINT'")
    assert re.fullmatch(r"Submitted batch job \d+", out)
    lab.wait("all points ran", lambda: lab.ctl(
        f"ls {folder} | wc -l") == "1000", 400, every=2)
    lab.wait_no_jobs(60)
    lines = lab.ctl(f"cat {folder}/* | sort -u").split("\n")
    assert sorted(lines) == sorted(
        f"{size} {seed} {size} {seed}"
        for size in (256, 512) for seed in range(1, 501))


def test_a_million_points_cost_nothing_to_plan(lab):
    """In 5 seconds, and with 50 MB of address space for vbatch itself: the
    Slurm commands it calls are replaced by silent ones for that."""
    plan = "vbatch -p volunteer --matrix n=1..1000000 --test-only --wrap true"
    start = time.monotonic()
    done = lab.proc("controller", plan, user="alice")
    assert time.monotonic() - start < 5
    assert "1000000 points" in done.stderr
    lab.ctl("mkdir -p /tmp/stub; for c in sbatch scontrol; do "
            "printf '#!/bin/sh\\necho MaxArraySize = 100001\\n' "
            "> /tmp/stub/$c; chmod +x /tmp/stub/$c; done")
    done = lab.proc("controller", f"ulimit -v 51200; PATH=/tmp/stub:$PATH "
                    f"{plan}", user="alice")
    assert "1000000 points" in done.stderr


def test_same_as_sbatch_without_a_matrix(lab):
    one = lab.alice("vbatch --parsable -p volunteer --mem=20 -o one "
                    "--wrap 'echo $SLURM_JOB_NAME'")
    two = lab.alice("sbatch --parsable -p volunteer --mem=20 -o two "
                    "--wrap 'echo $SLURM_JOB_NAME'")
    assert one.isdigit() and two.isdigit()
    lab.wait_no_jobs(60)
    assert lab.alice("cmp one two && cat one")


def test_a_script_keeps_its_interpreter_directives_and_arguments(lab):
    lab.proc("controller", "cat > /campaign/alice/job.pl", stdin=(
        "#!/usr/bin/perl\n"
        "#SBATCH --job-name=perl-job --output=perl-%a.out\n"
        "print join('|', $ENV{SLURM_JOB_NAME}, $ENV{word}, @ARGV), qq{\\n};\n"
        "exit 3 if $ENV{word} eq q{b c};\n"))
    lab.alice("rm -f perl-*.out; vbatch -p volunteer --mem=20 "
              "--matrix 'word=a,b c,$d' job.pl '{word}' 'x y' \"it's\"")
    lab.wait_no_jobs(60)
    out = lab.alice("cat perl-0.out perl-1.out perl-2.out").splitlines()
    assert out == [f"perl-job|{w}|{w}|x y|it's" for w in ("a", "b c", "$d")]


def test_bad_matrices_submit_nothing(lab):
    for spec, word in (("n=1..x", "n"), ("=1,2", "name"), ("PATH=1", "PATH"),
                       ("n=@/nonexistent", "/nonexistent")):
        done = lab.proc("controller", "cd /campaign/alice && vbatch "
                        f"-p volunteer --matrix '{spec}' --wrap true",
                        user="alice", check=False)
        assert done.returncode == 2 or done.returncode == 1
        assert word in done.stderr.lower() or word in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2
    assert lab.jobs() == []


def test_json_of_the_devices_is_json(lab):
    assert isinstance(json.loads(lab.ctl("volunteer devices --json")), list)
