# SPDX-License-Identifier: GPL-2.0-or-later
"""attempts.py - the escape battery (tests/cluster/escape) as Python sees it"""
import dataclasses
import pathlib
import re
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent / "escape"

REACHED, BLOCKED, CANNOT = 0, 1, 2
WORDS = {REACHED: "reached", BLOCKED: "blocked", CANNOT: "cannot"}


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What the head of an attempt's file says; see escape/README.md."""
    name: str   # "group/name"
    wall: str
    bare: str   # "user" or "capable"
    needs: str  # of the kernel, for it to work bare; "" if it always does
    where: str  # "job", "controller" or "beside"
    look: bool  # judged by a second part, on the device

    @property
    def group(self):
        return self.name.split("/")[0]


@dataclasses.dataclass(frozen=True)
class Result:
    """How an attempt ended."""
    status: int
    said: str

    def __str__(self):
        return (f"{WORDS.get(self.status, f'status {self.status}')} "
                f"({self.said})")


def read_head(path):
    """{"Wall": ..., ...} from the comment that the file begins with."""
    head, last = {}, None
    for line in path.read_text().splitlines()[1:]:
        line = line.removeprefix(" *").removeprefix("#")
        match = re.match(r" ([A-Z][a-z]+): (.*)", line)
        if match:
            last = match[1]
            head[last] = match[2]
        elif last and line.startswith("      "):
            head[last] += " " + line.strip()
        elif last:
            break
    return head


def everything():
    """All attempts, by name."""
    found = []
    for path in sorted(FOLDER.glob("*/*")):
        head = read_head(path)
        found.append(Attempt(f"{path.parent.name}/{path.stem}", head["Wall"],
                             head["Bare"], head.get("Needs", ""),
                             head.get("Where", "job"),
                             head.get("Look") == "device"))
    return found


def build(folder):
    """Make all programs there."""
    subprocess.run([str(FOLDER / "build"), str(folder)], check=True,
                   timeout=600)


def parse(text):
    """What "battery" printed, as {name: Result}."""
    results = {}
    for line in text.splitlines():
        words = line.split("\t", 2)
        if len(words) == 3 and words[1].isdigit():
            results[words[0]] = Result(int(words[1]), words[2])
    return results
