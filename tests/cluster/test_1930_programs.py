# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of ten kinds move five times each, all at once, and do not notice."""
import re

import migrating
import parked
import programs
import pytest
from programs import PROGRAMS

MOVES = programs.SECTIONS - 1
NODES = ("desk1", "desk2")


class Bed:
    """What the tests below share: the jobs of one run of all programs, twice."""

    def __init__(self, lab):
        self.lab = lab
        self.moved, self.quiet = {}, {}  # name -> number of its job
        self.over = False


@pytest.fixture(scope="module", name="bed")
def fixture_bed(session_lab):
    """Two devices with what the programs need, and room for all of them."""
    lab = session_lab
    migrating.need_criu(lab)
    programs.install(lab, *NODES)
    mended = [node for node in NODES if programs.mend_criu(lab, node)]
    lab.ctl("scontrol update partitionname=volunteer oversubscribe=force:16")
    yield Bed(lab)
    lab.ctl("scontrol update partitionname=volunteer oversubscribe=no")
    for node in mended:
        programs.unmend_criu(lab, node)


def wait_all(lab, what, section, side="moved"):
    """Until all of them are in this section."""
    lab.wait(f"all {what}", lambda: not programs.behind(lab, side, section),
             180, every=0.3)


def move(lab, jobs, node, other, restarts):
    """An owner comes and stays until all are elsewhere."""
    def there():
        now = programs.where(lab, jobs)
        late = {name: at for name, at in now.items()
                if at != ("RUNNING", other, str(restarts))}
        assert not late, late
        return True
    with parked.settings(lab, node, parked_max="1s"), \
            parked.present(lab, node):
        lab.wait(f"all jobs run on {other}", there, 240, every=0.5)
    parked.wait_open(lab, node)


def wait_ended(lab, jobs):
    for job in jobs.values():
        lab.wait(f"job {job} ends", lambda j=job: parked.state(lab, j) not in
                 ("RUNNING", "COMPLETING", "PENDING"), 120)


def test_all_of_them_move_five_times(lab, bed):
    """Beside the same programs undisturbed; what came of it is for the tests
    after this one."""
    bed.over = False
    programs.prepare(lab, NODES[0])
    for section in range(programs.SECTIONS):
        programs.gate(lab, "quiet", section)
    bed.quiet = programs.start(lab, "quiet", f"-w {NODES[1]}")
    with migrating.only(lab, NODES[0]):
        bed.moved = programs.start(lab, "moved", migrating.ASK)
        programs.gate(lab, "moved", 0)
        wait_all(lab, "began", 0)
    with migrating.only(lab, *NODES):
        for i in range(MOVES):
            move(lab, bed.moved, NODES[i % 2], NODES[1 - i % 2], i + 1)
            # An owner comes there next.
            wait_ended(lab, bed.quiet)
            programs.gate(lab, "moved", i + 1)
            wait_all(lab, "go on", i + 1)
    wait_ended(lab, bed.moved)
    bed.over = True


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_did_not_notice(session_lab, bed, name):
    lab = session_lab
    assert bed.over, "they did not all come to their end"
    text = lab.ctl(f"cat {programs.FOLDER}/moved/said.{name}") + "\n"
    went = migrating.GOES_ON.findall(text)
    assert [node for _, node in went] == [
        NODES[i % 2] for i in range(MOVES)], text
    assert migrating.BEGINS not in text
    quiet = programs.results(lab, "quiet", name)
    assert programs.results(lab, "moved", name) == quiet, text
    # The undisturbed one has done all that there is.
    status, said, _ = quiet
    assert status == "0", said
    assert re.findall(r"^section (\d)$", said, re.M) == [
        str(i) for i in range(programs.SECTIONS)]
