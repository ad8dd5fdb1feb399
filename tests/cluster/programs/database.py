# SPDX-License-Identifier: GPL-2.0-or-later
"""database.py - sqlite: a transaction of many writes in each section"""
import hashlib
import sqlite3
import time

from section import SECTIONS, section

base = sqlite3.connect("result.db", isolation_level=None)
base.execute("PRAGMA cache_size = 10")  # pages go to the file at once
base.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, text TEXT)")
n = 0
for s in SECTIONS:
    section(s)
    base.execute("BEGIN IMMEDIATE")
    for _ in range(40):
        for _ in range(20):
            n += 1
            text = hashlib.sha256(str(n).encode()).hexdigest() * 8
            base.execute("INSERT INTO t VALUES (?, ?, ?)", (n, n * n, text))
        base.execute("UPDATE t SET n = n + 1 WHERE id % 7 = ?", (n % 7,))
        time.sleep(0.05)
    base.execute("COMMIT")
    print(s, *base.execute("SELECT count(*), sum(n) FROM t").fetchone(),
          *base.execute("PRAGMA integrity_check").fetchone(), flush=True)
base.close()
