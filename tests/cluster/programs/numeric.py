# SPDX-License-Identifier: GPL-2.0-or-later
"""numeric.py - numpy: products and eigenvalues of matrices, by two threads"""
import hashlib
import time

import numpy
from section import SECTIONS, section

random = numpy.random.default_rng(1)
a = random.normal(size=(200, 200)) / 15
x = random.normal(size=(200, 200))
for s in SECTIONS:
    section(s)
    for _ in range(40):
        x = numpy.tanh(a @ x) + random.normal(size=x.shape) / 100
        time.sleep(0.05)
    values = numpy.linalg.eigvalsh(x @ x.T)
    print(s, values[-1], hashlib.sha256(x.tobytes()).hexdigest(), flush=True)
numpy.save("result.npy", x)
