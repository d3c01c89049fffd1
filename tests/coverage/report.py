#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What gcovr counted, as a table, as TAP lines, and as the lines that no test comes by and
that the list does not know. Run by ../coverage.sh.

usage: report.py COUNTED.json LIST ROOT [--list]   (--list: unknown ones as the list has them)
"""
import collections
import json
import pathlib
import re
import sys

# Of all lines, in percent.
WANTED = {"core": 95, "plugin": 90}
# Which lines two threads come by that meet is chance: an entry says so by this.
BY_CHANCE = "by chance: "
# Lines that a run may miss for the first time, of some six thousand.
HANDFUL = 5


class Entry:
    """What the list says of a function: the lines that are not come by, and why."""

    def __init__(self, why):
        self.by_chance = why.startswith(BY_CHANCE)
        self.lines = collections.Counter()


def function_of(functions, number):
    """The name of the function that the line is in."""
    before = [f for f in functions if f["lineno"] <= number]
    return max(before, key=lambda f: f["lineno"])["name"] if before else "-"


class File:
    """One source file: what was counted, and the lines that were not come by."""

    def __init__(self, counted, root):
        self.name = counted["file"]
        self.directory = self.name.split("/")[0]
        text = (root / self.name).read_text().split("\n")
        lines = [l for l in counted["lines"] if not l.get("gcovr/noncode")]
        branches = [b for l in lines for b in l["branches"]]
        self.lines = (sum(1 for l in lines if l["count"]), len(lines))
        self.branches = (sum(1 for b in branches if b["count"]), len(branches))
        self.text = {" ".join(l.split()) for l in text}
        self.functions = {f["name"] for f in counted.get("functions", [])}
        self.missed, self.met = [], collections.defaultdict(set)
        for l in lines:
            function = function_of(counted.get("functions", []), l["line_number"])
            line = " ".join(text[l["line_number"] - 1].split())
            if l["count"]:
                self.met[function].add(line)
            else:
                self.missed.append((l["line_number"], function, line))


def percent(part):
    return 100 * part[0] / part[1] if part[1] else 100


def total(files, what):
    parts = [getattr(f, what) for f in files]
    return sum(p[0] for p in parts), sum(p[1] for p in parts)


def show_table(files):
    def row(name, lines, branches):
        print(f"  {name:<28}{lines[0]:>6}/{lines[1]:<6}{percent(lines):5.1f} %"
              f"{branches[0]:>8}/{branches[1]:<6}{percent(branches):5.1f} %")

    print(f"  {'':<28}{'lines':>13}{'':>7}{'branches':>15}")
    for directory in WANTED:
        own = [f for f in files if f.directory == directory]
        for f in own:
            row(f.name, f.lines, f.branches)
        row(f"{directory}, all", total(own, "lines"), total(own, "branches"))


def read_list(path):
    """{FUNCTION or "FILE FUNCTION": Entry}, in which a line "*" stands for all of it."""
    known = {}
    entry = None
    for line in path.read_text().split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith("\t"):
            where, _, why = line.partition(": ")
            where = " ".join(where.split())
            if not why.strip() or where in known:
                sys.exit(f"{path}: not '[FILE] FUNCTION: WHY', or twice: {line}")
            entry = known[where] = Entry(why)
        else:
            times = re.fullmatch(r"(.*) x(\d+)", line.strip())
            text, n = (times[1], int(times[2])) if times else (line.strip(), 1)
            entry.lines[text] += n
    return known


def entry_of(known, file, function):
    return known.get(f"{file.name} {function}", known.get(function))


def unknown_lines(files, known):
    """The lines that were missed and are not in the list, or not so often."""
    unknown = []
    left = {where: entry.lines.copy() for where, entry in known.items()}
    for f in files:
        for number, function, text in f.missed:
            counter = left.get(f"{f.name} {function}", left.get(function, {}))
            if counter.get(text, 0) > 0:
                counter[text] -= 1
            elif "*" not in counter:
                unknown.append((f.name, number, function, text))
    return unknown


def show_as_list(unknown):
    where = None
    for name, _, function, text in unknown:
        if (name, function) != where:
            where = (name, function)
            print(f"{function}: why? ({name})")
        print(f"\t{text}")


def wrong_entries(files, known):
    """What the list names and the source does not have, or not as one function."""
    for where, entry in known.items():
        name = where.split()[-1]
        own = [f for f in files if name in f.functions and where in (name, f"{f.name} {name}")]
        if len(own) != 1:
            yield f"{where}: {len(own)} functions of that name"
            continue
        for text in entry.lines:
            if text != "*" and text not in own[0].text:
                yield f"{where}: no such line: {text}"


def show_met(files, known):
    """Lines that a test does come by, though the list says that none does."""
    for f in files:
        for function, met in f.met.items():
            entry = entry_of(known, f, function)
            if not entry or entry.by_chance:
                continue
            missed = {text for _, name, text in f.missed if name == function}
            for text in entry.lines:
                if text == "*" or (text in met and text not in missed):
                    print(f"  in the list, and come by: {f.name} {function}: {text}")


def main():
    counted, listed, root = (pathlib.Path(a) for a in sys.argv[1:4])
    files = [File(f, root) for f in json.loads(counted.read_text())["files"]]
    files = sorted((f for f in files if f.directory in WANTED), key=lambda f: f.name)
    known = read_list(listed)
    unknown = unknown_lines(files, known)
    if "--list" in sys.argv:
        show_as_list(unknown)
        return 0
    show_table(files)
    for name, number, function, text in unknown:
        print(f"  no test comes by {name}:{number} {function}: {text}")
    show_met(files, known)
    wrong = list(wrong_entries(files, known))
    for text in wrong:
        print(f"  in the list, not in the source: {text}")
    failed = 0
    for directory, wanted in WANTED.items():
        got = percent(total([f for f in files if f.directory == directory], "lines"))
        if got >= wanted:
            print(f"ok coverage: {got:.1f} % of the lines of {directory}")
        else:
            failed += 1
            print(f"not ok coverage: lines of {directory}: {got:.1f} %, at least {wanted} %")
    for name, bad, most in (
            ("every line that no test comes by has its reason", unknown, HANDFUL),
            ("every entry of the list is in the source", wrong, 0)):
        if len(bad) <= most:
            print(f"ok coverage: {name}")
        else:
            failed += 1
            print(f"not ok coverage: {name}: not {len(bad)}; {listed}")
    print(f"1..{len(WANTED) + 2}")
    return 1 if failed else 0


sys.exit(main())
