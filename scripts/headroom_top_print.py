# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-top prints once, for scripts: a table, sentences, or JSON."""
import json
import shutil
import sys
import time

import headroom_top_view as view
import headroom_words as words
from headroom_top_watch import arrange


def print_table(rows, problems, width, ascii_only):
    drawing = view.Drawing(ascii_only)
    if not rows and not problems:
        print("No stream has run yet.")
    if rows:
        layout = view.table_layout(width, None, rows, with_minute=False)
        lines = view.head_lines(layout)
        for row in rows:
            lines += view.row_lines(row, layout, drawing, False)
        for line in lines:
            print("".join(text for text, _ in line).rstrip())
    report(problems)


def print_sentences(rows, live_only):
    if not rows:
        print("No stream is open now." if live_only else "No stream has run yet.")
    for number, row in enumerate(rows, 1):
        print(f"{number}. {view.sentence(row)}")


def report(problems):
    for problem in problems:
        print(f"headroom-top: {words.clean(problem)}", file=sys.stderr)


def print_json(rows, problems):
    document = {"time": time.time(), "streams": [row.to_dict() for row in rows],
                "problems": problems}
    print(json.dumps(document))


def run_once(watcher, arguments, ascii_only):
    """Print what there is, as often as is wanted."""
    left = arguments.count if arguments.count is not None else 1
    while True:
        rows = arrange(watcher.update(), arguments.sort, arguments.live)
        if arguments.json:
            print_json(rows, watcher.problems)
        elif arguments.plain:
            print_sentences(rows, arguments.live)
            report(watcher.problems)
        else:
            width = shutil.get_terminal_size((80, 24)).columns
            print_table(rows, watcher.problems, width, ascii_only)
        sys.stdout.flush()
        left -= 1
        if left == 0:
            return 1 if watcher.problems else 0
        time.sleep(arguments.interval)
