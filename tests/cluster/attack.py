# SPDX-License-Identifier: GPL-2.0-or-later
"""attack.py - the tables of attacks on the door, one function each"""
import dataclasses
import typing


@dataclasses.dataclass
class Attack:
    """What is tried, and what a log has to say of it.

    says: pattern of the one warning about the attacker's address, None: no
    warning is due; most: so many warnings may be (of a flood, and of several
    tries in one).  slow: begun before all others, since it takes its time.
    at_device: it is an attack on a device, and on its log."""
    group: str
    name: str
    run: typing.Callable
    says: str
    most: int = 1
    slow: bool = False
    at_device: bool = False


ATTACKS = []


def attack(group, says, **options):
    """Put a function into the table.  It gets the door and an attacker, and
    returns the address that the log speaks of, if that is another one."""
    def keep(run):
        ATTACKS.append(Attack(group, run.__name__, run, says, **options))
        return run
    return keep
