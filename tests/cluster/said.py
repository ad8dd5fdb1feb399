# SPDX-License-Identifier: GPL-2.0-or-later
"""said.py - what two runs said, made comparable"""
import re

# Of a task's end; they come by other roads than the task's own words.
SLURMS = re.compile(r"srun: error: |slurmstepd-")


def lines(text):
    """Those of the program in order, then those of Slurm in any."""
    own, slurms = [], []
    for line in text.splitlines():
        (slurms if SLURMS.match(line) else own).append(line)
    return own + sorted(slurms)
