# SPDX-License-Identifier: GPL-2.0-or-later
"""The battery of attacks on the door, a test each.

Whatever is tried, nobody gets in and hears nothing, the controller lives, stays
small and answers, honest devices stay linked and idle, and a log has one line
of it with the attacker's address.
"""
import concurrent.futures
import re

import pytest

import attacks_forged
import attacks_link
import attacks_wire
from attack import ATTACKS
from doorbed import Attacker, Door
from victim import victim

# Crowds come last: they use up what is rationed.
ORDER = ["tokens", "identity", "protocol", "frames", "reports", "tls",
         "forged", "slow", "clocks", "floods"]
TABLE = sorted(ATTACKS, key=lambda a: ORDER.index(
    "slow" if a.slow else a.group))
LEAST = 40


@pytest.fixture(scope="module", name="door")
def fixture_door(session_lab):
    """The controller asks from here on; what is slow has begun."""
    door = Door(session_lab)
    door.me = {a.name: Attacker(door, door.next_address())
               for a in TABLE if a.slow}
    try:
        with victim(door) as door.victim, \
                concurrent.futures.ThreadPoolExecutor(len(door.me)) as pool:
            door.slow = {a.name: pool.submit(a.run, door, door.me[a.name])
                         for a in TABLE if a.slow}
            door.pid = door.look().pid
            yield door
    finally:
        door.close()


def names():
    return [f"{a.group}-{a.name}" for a in TABLE]


def test_the_table_is_long():
    modules = {attacks_forged, attacks_link, attacks_wire}
    assert {a.run.__module__ for a in TABLE} == {m.__name__ for m in modules}
    assert len(TABLE) >= LEAST
    assert len(set(names())) == len(TABLE)


def carry_out(door, row):
    """Returns who attacked, and the address that a log speaks of."""
    if row.slow:
        me = door.me[row.name]
        said_of = door.slow[row.name].result()
    else:
        me = Attacker(door, door.next_address())
        said_of = row.run(door, me)
    return me, said_of or me.address


def said(door, row, address):
    """The warnings about the address, when there are enough of them."""
    door.look()
    lines = door.victim if row.at_device else door
    found = lines.lines(address)
    assert found or row.says is None
    return found or ["none"]


@pytest.mark.parametrize("row", TABLE, ids=names())
def test_attack(door, row):
    me, address = carry_out(door, row)
    lines = door.lab.wait("a line about it", lambda: said(door, row, address),
                          10)
    door.check_harmless([me])
    if row.group == "clocks":
        door.pid = door.seen.pid
    assert door.seen.pid == door.pid, "the controller died"
    if row.says:
        assert len(lines) <= row.most, "\n".join(lines)
        assert any(re.search(row.says, line) for line in lines), lines
    elif not row.at_device:
        assert lines == ["none"], lines
