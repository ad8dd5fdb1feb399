# SPDX-License-Identifier: GPL-2.0-or-later
"""ranks.py - MPI: three ranks that hand rows around, and add all up"""
import time

import numpy
from mpi4py import MPI
from section import SECTIONS, section

world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
row = numpy.arange(20000, dtype=numpy.int64) * (rank + 1)
other = numpy.empty_like(row)
total = numpy.empty(1, dtype=numpy.int64)
for s in SECTIONS:
    if rank == 0:
        section(s)
    world.Barrier()
    for _ in range(40):
        world.Sendrecv(row, (rank + 1) % size, 1, other, (rank - 1) % size, 1)
        row = (row * 31 + other) % 1000003
        world.Allreduce(row.sum(keepdims=True), total)
        row[0] += total[0] % 1009
        time.sleep(0.05)
    if rank == 0:
        print(s, size, total[0], flush=True)
