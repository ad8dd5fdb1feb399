# SPDX-License-Identifier: GPL-2.0-or-later
"""What Slurm does is the same inside the sandbox and outside.

All rows of features.py run on one device with its walls up, then with its
walls down; what they say is compared.  What may differ is in DOCUMENTED."""
import difflib
import io
import re
import subprocess
import tarfile
import time

import pytest

from features import ROWS
from lab import TOP
import parked
from said import lines
import walls

NODE, NODE2 = "desk1", "desk2"
FOLDER = "/campaign/alice/rows"
SIDES = ("inside", "outside")

# What is one run's alone.
MASKS = [(re.compile(pattern, re.M), to) for pattern, to in (
    (r"\b(job|JOB|StepId|JobId|allocation)([ =])\d+", r"\1\2JOB"),
    (r"\bjob0*\d+\b", "jobJOB"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME"),
    (r"/rows/(inside|outside)/", "/rows/SIDE/"),
    (r"^(SLURM_(?:JOB_?ID|TASK_PID|\w*_PORT|JOB_(?:START|END)_TIME"
     r"|ARRAY_JOB_ID))=.*", r"\1=..."),
    (r"^_=.*\n", ""),
    # Inside there is no such file, and so no word of it.
    (r"^SLURM_CONF=.*\n", ""),
    (r"task 0: unknown$", "task 0: running"),
    # It may have had to wait for a CPU.
    (r"^srun: job JOB (queued|has been allocated) .*\n", ""),
)]

# Lines that are not compared, and why.
DOCUMENTED = {
    r"core file size .*": "no core dumps: they would go to the owner's "
                          "core_pattern",
    r"open files .*": "at most what the policy says",
    r"max user processes .*": "at most what the policy says",
    r"max locked memory .*": "of the ids of the job alone",
}


def masked(text, jobs):
    for pattern, to in MASKS:
        text = pattern.sub(to, text)
    if jobs:
        text = re.sub(rf"(?<=[ .])({'|'.join(jobs)})(?=[ .])", "JOB", text)
    return re.sub("^(?:%s)$" % "|".join(DOCUMENTED), "(documented)", text,
                  flags=re.M)


def rows_tar(side, rows):
    """The scripts of the rows, a folder each."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        def add(name, data, kind=tarfile.REGTYPE):
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mode = kind, len(data), 0o755
            member.uid = member.gid = 2001
            member.mtime = time.time()
            tar.addfile(member, io.BytesIO(data))
        for i, row in enumerate(rows):
            add(f"{side}/{i}", b"", tarfile.DIRTYPE)
            add(f"{side}/{i}/row", row.script.encode())
            if row.admin:
                add(f"{side}/{i}/as-root", b"")
        script = (TOP / "tests" / "cluster" / "rows.sh").read_bytes()
        add("rows.sh", script)
    return buffer.getvalue()


class Side:
    """Rows on one side of the walls."""

    def __init__(self, lab, side, rows):
        self.lab, self.side, self.rows = lab, side, rows
        controller = lab.container("controller")
        lab.ctl(f"rm -rf {FOLDER}/{side}")
        subprocess.run(["docker", "exec", "-i", controller, "tar", "-C",
                        FOLDER, "-xf", "-"], input=rows_tar(side, rows),
                       check=True, timeout=60)
        self.runner = subprocess.Popen(
            ["docker", "exec", controller, "bash", f"{FOLDER}/rows.sh",
             f"{FOLDER}/{side}", NODE, NODE2])

    def wait_fast(self):
        """Until the rows that are left only wait for Slurm's clock."""
        marks = " ".join(f"{i}/finished" if not row.slow else f"{i}/running"
                         for i, row in enumerate(self.rows))
        self.lab.wait(f"rows {self.side}", lambda: self.lab.ctl(
            f"cd {FOLDER}/{self.side} && for f in {marks}; do "
            "[ -e $f ] || [ -e ${f%/*}/finished ] || echo $f; done") == "", 300)

    def results(self):
        """Name of row -> what it said."""
        self.runner.wait(300)
        done = subprocess.run(
            ["docker", "exec", self.lab.container("controller"), "bash", "-c",
             f"cd {FOLDER}/{self.side} && tar -cf - $(ls */output */ids)"],
            capture_output=True, check=True, timeout=60)
        texts = {}
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            for member in tar:
                texts[member.name] = tar.extractfile(member).read().decode(
                    errors="backslashreplace")
        return {row.name: masked(texts[f"{i}/output"],
                                 texts.get(f"{i}/ids", "").split())
                for i, row in enumerate(self.rows)}


def both_sides(lab, rows):
    """Side -> name of row -> what it said."""
    assert walls.around_tasks(lab, NODE)
    inside = Side(lab, "inside", rows)
    inside.wait_fast()
    with walls.down(lab, NODE), walls.down(lab, NODE2):
        assert not walls.around_tasks(lab, NODE)
        outside = Side(lab, "outside", rows)
        return {"outside": outside.results(), "inside": inside.results()}


def parkings(lab):
    """How often the device has found its owner present."""
    return int(lab.run(NODE, "grep -c '^<6>parked: owner' "
                       "/var/log/testbed/discoveryd.log || true"))


@pytest.fixture(scope="module")
def results(session_lab):
    """As both_sides; "parked" -> how often the device did."""
    lab = session_lab
    lab.wait_idle([NODE, NODE2])
    lab.ctl(f"rm -rf {FOLDER} && install -d -o alice -g alice {FOLDER}")
    lab.host("docker", "cp", parked.native_program("ranks"),
             f"{lab.container('controller')}:{FOLDER}/ranks")
    # So that none waits for another one's end.
    lab.ctl("scontrol update partitionname=volunteer oversubscribe=yes:30")
    try:
        before = parkings(lab)
        said = both_sides(lab, ROWS)
        yield {**said, "parked": parkings(lab) - before}
    finally:
        lab.ctl("scancel --user=alice; "
                "scontrol update partitionname=volunteer oversubscribe=no")
        lab.wait_no_jobs()


def test_no_row_is_taken_for_the_owner(results):
    """First: a parked job that Slurm ends is killed at once, and says little
    of what its row expects."""
    assert results["parked"] == 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(session_lab, results, row, request):
    # A test that is repeated repeats its row, by itself.
    if getattr(request.node, "execution_count", 1) > 1:
        results = both_sides(session_lab, [row])
    inside, outside = (results[side][row.name] for side in SIDES)
    for text in row.shows:
        assert text in outside, f"outside:\n{outside}"
    diff = "\n".join(difflib.unified_diff(
        lines(outside), lines(inside), "outside", "inside", lineterm="",
        n=20))
    if row.differs:
        assert diff, f"the same by now, so no longer: {row.differs}"
        pytest.xfail(row.differs)
    assert not diff, diff
