#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Takes the blocks of commands and of configuration out of a document.

usage: tests/documents/blocks.py DOCUMENT FOLDER

Writes FOLDER/LINE.sh, FOLDER/LINE.conf and FOLDER/LINE.said, LINE being where in the document
it begins, in five digits. A block of Markdown is one of commands if it is marked as sh, or has
lines with a prompt, which are taken, without it; .said is what stands between backticks. Of a
man page it is what is literal under EXAMPLES. Configuration begins like one. An example of a
configuration, which is neither, is a block as a whole.
"""
import pathlib
import re
import sys
import textwrap

CONFIGURATION = re.compile(r"(pcm|ctl|defaults)\.")
ESCAPES = {r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(ti": "~", r"\(ha": "^", r"\e": "\\",
           r"\&": ""}


def of_markdown(text):
    """(first line, kind, content) of each."""
    for match in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.M | re.S):
        line = text[:match.start(3)].count("\n") + 1
        content = textwrap.dedent(match[3])
        if match[2] == "sh":
            yield line, "sh", content
        elif not match[2] and re.search(r"^\$ ", content, re.M):
            yield line, "sh", "".join(re.findall(r"^\$ (.*\n)", content, re.M))
        elif not match[2] and CONFIGURATION.match(content):
            yield line, "conf", content
    prose = re.sub(r"^ *```.*?^ *```$", lambda block: "\n" * block[0].count("\n"), text,
                   flags=re.M | re.S)
    for match in re.finditer(r"`([^`\n]+)`", prose):
        yield prose[:match.start()].count("\n") + 1, "said", match[1] + "\n"


def of_man_page(text):
    begin = text.index(".Sh EXAMPLES\n")
    examples = re.split(r"^\.Sh (?!EXAMPLES)", text[begin:], flags=re.M)[0]
    for match in re.finditer(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", examples, re.M | re.S):
        line = text[:begin + match.start(1)].count("\n") + 1
        content = re.sub(r"\\(?:\(..|.)", lambda escape: ESCAPES[escape[0]], match[1])
        yield line, "conf" if CONFIGURATION.match(content) else "sh", content


def main():
    document, folder = map(pathlib.Path, sys.argv[1:])
    text = document.read_text(encoding="utf-8")
    how = {".md": of_markdown, ".example": lambda text: [(1, "conf", text)]}
    for line, kind, content in how.get(document.suffix, of_man_page)(text):
        with (folder / f"{line:05}.{kind}").open("a", encoding="utf-8") as file:
            file.write(content)


main()
