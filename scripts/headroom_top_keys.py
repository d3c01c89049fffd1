# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The keys of headroom-top's live view."""
import curses
import time

import headroom_top_view as view
from headroom_pages import HeadroomError
from headroom_top_settings import change_threshold, reset
from headroom_top_watch import SORTS, arrange

HELP = """\
 Up, Down, k, j   choose a stream             Home, End   the first, the last
 s, S             sort by the next, by the one before:
                  name, program, state, pressure, latency, gaps, lost
 r, R             reset the counters of the chosen stream, of all shown here
 t, c             change its Trigger, its Clear: pressure begins and ends, in %
 l                live: leave out the streams that have ended, or show them
 p, space         pause: what is shown stays as it is
 h, ?             this help; any key closes it, also q
 q                quit

 >                the chosen stream
"""

COLUMNS = """\
 !                not well: something was lost since the last reset, there is
                  pressure now, or the program is stopped as a whole (Ctrl-Z)
 STATE            cut off: its program was killed, or ended without closing it,
                  and what was in its buffer is lost
 FILL, PRESSURE   how full the ring is; how near the stream is to a loss
 P50, P95, P99    how long frames wait in the ring
 LAST MINUTE      the P99 of each second, the newest at the right
 GAPS             how often the sound had one since the last reset, whether the
                  program was told, or silence filled it, or the card stopped
 CAUSE, AGO       who was late first, the last time; when that was
 LOST, SILENCE    frames that were lost, that were invented
"""


class Keys:
    """What is on the screen, and what each key makes of it."""

    MESSAGE_S = 4

    def __init__(self, watcher, arguments):
        self.screen = view.Screen(0, 0, sort_name=arguments.sort)
        self.rows = []
        self._watcher = watcher
        self._live_only = arguments.live
        self._all = []
        self._prompt = None         # question, what is typed, what to do with it
        self._message_until = 0

    def look(self):
        """At the streams, unless what is shown is to stay."""
        if not self.screen.is_paused:
            self._all = self._watcher.update()
            self.screen.clock = time.strftime("%H:%M:%S")

    def arrange(self):
        """Make rows and screen what is to be drawn now."""
        screen = self.screen
        self.rows = arrange(self._all, screen.sort_name, self._live_only)
        streams = [row.reading.stream for row in self.rows]
        if screen.chosen not in streams:
            screen.chosen = streams[0] if streams else None
        if self._prompt:
            screen.message = self._prompt[0] + self._prompt[1]
        elif time.monotonic() > self._message_until:
            screen.message = ""
        screen.is_prompt = self._prompt is not None

    def press(self, key):
        """True for the key to quit."""
        if key == curses.KEY_RESIZE:
            return False
        if self._prompt:
            self._type(key)
            return False
        if self.screen.help_lines:
            self.screen.help_lines = ()
            return False
        if key == "q":
            return True
        if key in ("h", "?"):
            self.screen.help_lines = tuple((HELP + COLUMNS).splitlines())
        elif key in ("s", "S"):
            step = 1 if key == "s" else -1
            place = (SORTS.index(self.screen.sort_name) + step) % len(SORTS)
            self.screen.sort_name = SORTS[place]
        elif key == "l":
            self._live_only = not self._live_only
            self._say("only streams that are open" if self._live_only else "all streams")
        elif key in ("p", " "):
            self.screen.is_paused = not self.screen.is_paused
        elif self.rows:
            self._press_for_stream(key)
        return False

    def _say(self, message):
        self.screen.message = message
        self._message_until = time.monotonic() + self.MESSAGE_S

    def _chosen(self):
        for row in self.rows:
            if row.reading.stream == self.screen.chosen:
                return row.reading
        return None

    def _press_for_stream(self, key):
        moves = {curses.KEY_UP: -1, "k": -1, curses.KEY_DOWN: 1, "j": 1,
                 curses.KEY_HOME: -len(self.rows), curses.KEY_END: len(self.rows)}
        reading = self._chosen()
        name = f"{view.stream_name(reading)} {reading.direction}"
        if key in moves:
            streams = [row.reading.stream for row in self.rows]
            place = streams.index(self.screen.chosen) + moves[key]
            self.screen.chosen = streams[min(max(place, 0), len(streams) - 1)]
        elif key == "r":
            self._ask(f"Reset the counters of {name}? y, or any other key: ",
                      lambda text: self._reset(text, [reading]))
        elif key == "R":
            readings = [row.reading for row in self.rows]
            self._ask(f"Reset the counters of all {len(readings)}? y, or any other key: ",
                      lambda text: self._reset(text, readings))
        elif key in ("t", "c"):
            setting, now = (("Trigger", reading.trigger_percent) if key == "t"
                            else ("Clear", reading.clear_percent))
            self._ask(f"{setting} of {name} in percent, now {now}: ",
                      lambda text: change_threshold(self._watcher.monitor, reading, setting,
                                                    text))

    def _ask(self, question, act):
        self._prompt = (question, "", act)

    def _reset(self, text, readings):
        if text not in ("y", "Y"):
            return "not reset"
        return reset(self._watcher.monitor, readings)

    def _type(self, key):
        question, text, act = self._prompt
        is_yes_or_no = question.startswith("Reset")
        if key in ("\x1b", "\x03"):
            self._prompt = None
            self._say("nothing was changed")
        elif is_yes_or_no or key in ("\n", "\r", curses.KEY_ENTER):
            self._prompt = None
            self._act(act, key if is_yes_or_no else text)
        elif key in (curses.KEY_BACKSPACE, "\x7f", "\b"):
            self._prompt = (question, text[:-1], act)
        elif isinstance(key, str) and key.isprintable() and len(text) < 12:
            self._prompt = (question, text + key, act)

    def _act(self, act, text):
        if text == "":
            self._say("nothing was changed")
            return
        try:
            self._say(act(text))
            self._all = self._watcher.update()
        except HeadroomError as error:
            self._say(str(error))
