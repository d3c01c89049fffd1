#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The committed inputs of a fuzz target, as text here, into one file each; or files into such
text.

usage: seeds.py write CORPUS DIRECTORY     CORPUS: corpus/config.txt, or *.hex of a line each
       seeds.py hex FILE…                  their lines for a *.hex
"""
import pathlib
import sys


def inputs(corpus):
    text = corpus.read_text()
    if corpus.suffix == ".txt":
        return [block.encode() for block in text.split("\n---\n")[1:]]
    return [bytes.fromhex(line.split("#")[0]) for line in text.splitlines()
            if line.split("#")[0].strip()]


if sys.argv[1] == "write":
    for i, data in enumerate(inputs(pathlib.Path(sys.argv[2]))):
        pathlib.Path(sys.argv[3], f"seed-{i:04}").write_bytes(data)
else:
    for name in sys.argv[2:]:
        print(pathlib.Path(name).read_bytes().hex())
