# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Makes pages of recordings that were spoilt, one of a seed each, and says what goes wrong.

usage: spoil.py RECORDING SCRIPTS
"""
import importlib
import io
import json
import random
import sys
import traceback

VALUES = (None, True, -1, 1e400, 10**400, 0.5, "", "<script>", [], {}, [[]], "x" * 5000, 1e-300,
          2**63, "\ud800", -0.0, float("nan"))


def spoil_value(value, rng):
    """Something else somewhere in it."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        if rng.random() < 0.2:
            del value[key]
        else:
            value[key] = spoil_value(value[key], rng)
        return value
    return rng.choice(VALUES)


def spoil_bytes(line, rng):
    line = bytearray(line)
    for _ in range(rng.randint(1, 8)):
        line[rng.randrange(len(line))] = rng.randrange(256)
    return bytes(line)


def spoil(lines, seed):
    rng = random.Random(seed)
    lines = list(lines)
    for place in rng.sample(range(0 if seed % 5 == 0 else 1, len(lines)), rng.choice((1, 9, 90))):
        if rng.random() < 0.3:
            lines[place] = spoil_bytes(lines[place], rng)
        else:
            value = spoil_value(json.loads(lines[place]), rng)
            lines[place] = json.dumps(value).encode() + b"\n"
    if seed % 7 == 0:
        rng.shuffle(lines)
    return b"".join(lines)


def main():
    sys.path.insert(0, sys.argv[2])
    page = importlib.import_module("headroom_report_page")
    recording = importlib.import_module("headroom_recording")
    with open(sys.argv[1], "rb") as file:
        lines = file.readlines()
    for seed in range(100):
        try:
            text = page.page(recording.read(io.BytesIO(spoil(lines, seed))))
            text.encode()
            if "<script>" in text.replace(f"<script>{page.SCRIPT}", ""):
                print(f"seed {seed}: it is HTML")
        except recording.NotARecording:
            pass
        except Exception:
            print(f"seed {seed}: {traceback.format_exc(limit=-2)}")


main()
