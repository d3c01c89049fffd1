# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""headroom-top live: what is on the screen of a terminal."""
import curses
import os
import sys
import time

import headroom_top_view as view
from headroom_top_keys import Keys


class Live:
    """The live view: curses puts lines on the screen and reads keys, nothing else."""

    def __init__(self, watcher, arguments, ascii_only):
        self._watcher = watcher
        self._arguments = arguments
        self._drawing = view.Drawing(ascii_only)
        self._keys = Keys(watcher, arguments)
        self._styles = {}

    def run(self, window):
        if curses.tigetstr("civis"):
            curses.curs_set(0)
        self._set_styles()
        left = self._arguments.count or 0
        next_look = 0
        while True:
            now = time.monotonic()
            if now >= next_look:
                self._keys.look()
                next_look = now + self._arguments.interval
            self._draw(window)
            window.timeout(max(int((next_look - time.monotonic()) * 1000), 1))
            try:
                key = window.get_wch()
            except curses.error:    # no key in that time
                left -= 1
                if left == 0:
                    return 0
                continue
            if self._keys.press(key):
                return 0

    def _set_styles(self):
        bold, reverse, dim = curses.A_BOLD, curses.A_REVERSE, curses.A_DIM
        self._styles = {"title": reverse, "head": bold, "name": bold, "bad": bold,
                        "warn": bold, "dim": dim, "chosen": reverse}
        if os.environ.get("NO_COLOR") or not curses.has_colors():
            return
        curses.start_color()
        try:
            curses.use_default_colors()
        except curses.error:
            return
        for pair, (style, colour, extra) in enumerate((
                ("good", curses.COLOR_GREEN, 0), ("bad", curses.COLOR_RED, bold),
                ("warn", curses.COLOR_YELLOW, bold), ("head", curses.COLOR_CYAN, bold)), 1):
            curses.init_pair(pair, colour, -1)
            self._styles[style] = curses.color_pair(pair) | extra

    def _draw(self, window):
        screen = self._keys.screen
        screen.height, screen.width = window.getmaxyx()
        self._keys.arrange()
        window.erase()
        lines = view.screen_lines(screen, self._keys.rows, self._watcher.problems, self._drawing)
        for y, line in enumerate(lines):
            self._put(window, y, line)
        window.refresh()

    def _put(self, window, y, line):
        try:
            window.move(y, 0)
            for text, style in line:
                window.addstr(text, self._styles.get(style, 0))
        except curses.error:
            pass    # it was made smaller, or this was the last cell: the cursor has no place


def can_move_cursor():
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        return False
    try:
        curses.setupterm()
    except curses.error:
        return False
    return bool(curses.tigetstr("cup"))


def in_curses(run):
    """As curses.wrapper(), which would switch on colours where none are wanted."""
    window = curses.initscr()
    try:
        curses.noecho()
        curses.cbreak()
        window.keypad(True)
        return run(window)
    finally:
        window.keypad(False)
        curses.echo()
        curses.nocbreak()
        curses.endwin()
