# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""headroom-top in plain lines: a sentence for each stream, then a line for whatever happens."""
import os
import select
import sys
import time

import headroom_top_view as view
import headroom_words as words
from headroom_pages import HeadroomError
from headroom_top_print import print_sentences, report
from headroom_top_settings import change_threshold, reset
from headroom_top_watch import arrange, trouble_counts

PLAIN_HELP = """\
Each with Enter:
  (nothing)       all streams as they are now
  r NUMBER        reset the counters of the stream with that number in the list
  t NUMBER PERCENT, c NUMBER PERCENT    change its Trigger, its Clear
  p               pause, or go on
  q               quit"""


class Plain:
    """A sentence for each stream, then a line for whatever happens."""

    def __init__(self, watcher, arguments):
        self._watcher = watcher
        self._arguments = arguments
        self._rows = []
        self._before = {}           # Stream: reading, gaps
        self._problems = []
        self._is_paused = False
        self._input = sys.stdin     # None: there will be no more commands
        self._typed = ""

    def run(self):
        left = self._arguments.count or 0
        self._look()
        self._say_all()
        while True:
            sys.stdout.flush()
            left -= 1
            if left == 0:
                return 0
            if self._wait():
                return 0
            if not self._is_paused:
                self._look()
                self._say_changes()

    def _look(self):
        self._rows = arrange(self._watcher.update(), self._arguments.sort,
                             self._arguments.live)

    def _say_all(self):
        print_sentences(self._rows, self._arguments.live)
        self._remember()
        self._say_problems()

    def _remember(self):
        self._before = {row.reading.stream: (row.reading, row.gaps()) for row in self._rows}

    def _say_changes(self):
        now = {row.reading.stream: row for row in self._rows}
        for stream, (reading, _) in self._before.items():
            if stream not in now:
                print(f"{view.stream_name(reading)} {reading.direction} is gone.")
        for stream, row in now.items():
            if stream not in self._before:
                print(f"New: {view.sentence(row)}")
                continue
            changes = list(changes_of(*self._before[stream], row))
            if changes:
                print(f"{view.stream_name(row.reading)} {row.reading.direction}: "
                      + ", ".join(changes) + ".")
        self._remember()
        self._say_problems()

    def _say_problems(self):
        report(p for p in self._watcher.problems if p not in self._problems)
        self._problems = list(self._watcher.problems)

    def _wait(self):
        """Until it is time to look again. True if that is to be the end."""
        end = time.monotonic() + self._arguments.interval
        while True:
            sys.stdout.flush()
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._input is None:
                time.sleep(left)
            elif select.select([self._input], [], [], left)[0]:
                if self._obey_all(os.read(self._input.fileno(), 4096)):
                    return True

    def _obey_all(self, read):
        """Of a line that is not whole, the rest will come."""
        if not read:
            self._input = None
        *lines, self._typed = (self._typed + read.decode("utf-8", "replace")).split("\n")
        self._typed = self._typed[-80:]
        return any(self._obey(line.split()) for line in lines)

    def _obey(self, words):
        """True for the command to quit."""
        try:
            if not words:
                self._say_all()
            elif words[0] in ("q", "quit"):
                return True
            elif words[0] in ("p", "pause") and len(words) == 1:
                self._is_paused = not self._is_paused
                print("Paused." if self._is_paused else "Going on.")
            elif words[0] in ("r", "reset") and len(words) == 2:
                print(reset(self._watcher.monitor, [self._numbered(words[1])]) + ".")
            elif words[0] in ("t", "trigger", "c", "clear") and len(words) == 3:
                setting = "Trigger" if words[0][0] == "t" else "Clear"
                print(change_threshold(self._watcher.monitor, self._numbered(words[1]),
                                       setting, words[2]) + ".")
            else:
                print(PLAIN_HELP)
        except HeadroomError as error:
            print(f"That cannot be: {error}.")
        return False

    def _numbered(self, text):
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(self._rows):
            return self._rows[int(text) - 1].reading
        raise HeadroomError(f"there is no stream with the number {text}, only 1 to "
                            f"{len(self._rows)}")


def changes_of(before, gaps_before, row):
    """What happened to a stream between two readings, in words."""
    now = row.reading
    if now.process and now.process != before.process:
        yield f"opened by {words.clean(row.program) or 'a program'}"
    if now.state != before.state:
        yield now.state.lower()
    if now.pressure_state != before.pressure_state:
        yield ("under pressure" if now.pressure_state != "Normal" else "no more pressure")
    if sum(trouble_counts(now)) < sum(trouble_counts(before)):
        yield "its counters were reset"
        return
    if row.gaps() != gaps_before:
        yield view.gaps_sentence(row)
    if now.frames_dropped > before.frames_dropped:
        yield f"{now.frames_dropped - before.frames_dropped} frames lost"
    if now.frames_silence > before.frames_silence:
        yield f"{now.frames_silence - before.frames_silence} frames of silence"
