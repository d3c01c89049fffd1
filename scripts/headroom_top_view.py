# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-top shows: values made into lines of text, for any width.

A line is a list of (text, style). A style is one of the words of STYLES: what it looks
like is for whoever puts it on a screen, and nothing is told by it alone.
"""
import time
import unicodedata
from dataclasses import dataclass, replace
from typing import Callable

import headroom_words as words

STYLES = ("", "title", "head", "name", "good", "warn", "bad", "dim", "chosen")

RECENT_S = 60           # trouble is shown in red for so long
PANE_LINES_MIN = 6

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_ASCII_LEVELS = " .:-=+*%#"


# Words and numbers.

def columns_of(text):
    """How many columns of a terminal it takes."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text, width, right=False):
    """Text of exactly that many columns: cut off with a "~", or filled up."""
    if columns_of(text) > width:
        while text and columns_of(text) > width - 1:
            text = text[:-1]
        text += "~"[:width]
    filling = " " * (width - columns_of(text))
    return filling + text if right else text + filling


def rate_text(rate):
    return f"{rate / 1000:.3g}k" if rate else "-"


def ms_text(microseconds):
    ms = microseconds / 1000
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def count_text(count):
    for limit, divisor, unit in ((10 ** 5, 1, ""), (10 ** 7, 10 ** 3, "k"),
                                 (10 ** 10, 10 ** 6, "M"), (10 ** 13, 10 ** 9, "G")):
        if count < limit:
            return f"{count // divisor}{unit}"
    return f"{count // 10 ** 12}T"


def ago_text(seconds):
    for limit, divisor, unit in ((100, 1, "s"), (100 * 60, 60, "m"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) // divisor:.0f}{unit}"
    return f"{seconds // 86400:.0f}d"


def duration_text(seconds):
    """In words that can be read aloud."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for limit, divisor, unit in ((10, 1, "s"), (100, 1, "s"), (100 * 60, 60, "min"),
                                 (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / divisor:.{1 if limit == 10 else 0}f} {unit}"
    return f"{seconds / 86400:.0f} days"


def stream_name(reading):
    name = words.clean(reading.name)
    return f"{name}/{reading.slot}" if reading.slot else name


def direction_text(reading):
    return "play" if reading.direction == "playback" else "rec"


class Drawing:
    """Bars and sparklines, in blocks or, where the terminal has none, in ASCII."""

    def __init__(self, ascii_only):
        self.ascii_only = ascii_only
        self.rule = "-" if ascii_only else "─"

    def bar(self, percent, width, marks=()):
        """A gauge of 0 to 100 %, with marks at some percentages."""
        eighths = round(min(max(percent, 0), 100) * width * 8 / 100)
        full, part = divmod(eighths, 8)
        if self.ascii_only:
            cells = "#" * full + ("+" if part else "")
            cells = list(cells.ljust(width, "."))
        else:
            cells = "█" * full + (_EIGHTHS[part] if part else "")
            cells = list(cells.ljust(width, "░"))
        for mark in marks:
            cells[min(int(mark * width / 100), width - 1)] = "|" if self.ascii_only else "│"
        return "".join(cells)

    def sparkline(self, values, width):
        """The last values, None where there was none, from 0 to the highest of them."""
        levels = _ASCII_LEVELS if self.ascii_only else _BLOCKS
        values = resample(values, width)
        highest = max((v for v in values if v is not None), default=0) or 1
        return "".join(" " if v is None else levels[1 + round(v * 7 / highest)]
                       for v in values)


def resample(values, width):
    """As many values as there are columns: the highest of those that share one."""
    values = list(values)
    if len(values) <= width:
        return [None] * (width - len(values)) + values
    groups = [values[i * len(values) // width:(i + 1) * len(values) // width]
              for i in range(width)]
    return [max((v for v in group if v is not None), default=None) for group in groups]


# The table.

@dataclass(frozen=True)
class Column:
    title: str
    width: int              # at least
    priority: int           # the highest go first where there is no room
    cell: Callable          # (watched, width, drawing): text, style
    right: bool = False
    widest: int = 0         # may grow to this


def _name_cell(watched, _width, _drawing):
    return stream_name(watched.reading), "name"


def _program_cell(watched, _width, _drawing):
    return words.clean(watched.program) or "-", "" if watched.reading.process else "dim"


def _state_cell(watched, width, _drawing):
    if watched.is_stopped:
        return "stopped", "bad"
    if watched.broken_off:
        return "cut off", "warn"
    state = watched.reading.state
    style = {"Running": "good", "XRun": "bad", "Disconnected": "bad", "Closed": "dim",
             "Suspended": "warn"}.get(state, "")
    return "Disconn." if state == "Disconnected" and width < 12 else state, style


def _gauge(watched, percent, width, drawing):
    if not watched.reading.process:
        return "-"              # there is nothing that could be full
    return drawing.bar(percent, width - 5) + f"{percent:4}%"


def _fill_cell(watched, width, drawing):
    return _gauge(watched, watched.reading.fill_percent, width, drawing), "good"


def _pressure_cell(watched, width, drawing):
    style = "warn" if watched.reading.pressure_state != "Normal" else "good"
    return _gauge(watched, watched.reading.pressure_percent, width, drawing), style


def _latency_cell(field):
    def cell(watched, _width, _drawing):
        return ms_text(getattr(watched.reading, field)), ""
    return cell


def _minute_cell(watched, width, drawing):
    return drawing.sparkline(watched.minute(), width), "good"


def _trouble_style(watched):
    since = watched.trouble_ago_s()
    return "" if since is None else "bad" if since < RECENT_S else "warn"


def _gaps_cell(watched, _width, _drawing):
    return count_text(watched.gaps()), _trouble_style(watched)


def _cause_cell(watched, _width, _drawing):
    cause = watched.trouble_cause()
    return cause if cause else "-", _trouble_style(watched)


def _ago_cell(watched, _width, _drawing):
    since = watched.trouble_ago_s()
    return "-" if since is None else ago_text(since), _trouble_style(watched)


def _count_cell(field):
    def cell(watched, _width, _drawing):
        count = getattr(watched.reading, field)
        return count_text(count), "bad" if count else ""
    return cell


FIRST_LINE = (
    Column("NAME", 8, 0, _name_cell, widest=28),
    Column("PROGRAM", 7, 4, _program_cell, widest=16),
    Column("DIR", 4, 2, lambda w, *_: (direction_text(w.reading), "")),
    Column("RATE", 5, 7, lambda w, *_: (rate_text(w.reading.rate), ""), right=True),
    Column("STATE", 9, 1, _state_cell, widest=12),
    Column("FILL", 8, 6, _fill_cell, widest=15),
    Column("PRESSURE", 8, 3, _pressure_cell, widest=15),
)
SECOND_LINE = (
    Column("P50 ms", 6, 7, _latency_cell("latency_p50_us"), right=True),
    Column("P95 ms", 6, 6, _latency_cell("latency_p95_us"), right=True),
    Column("P99 ms", 6, 2, _latency_cell("latency_p99_us"), right=True),
    Column("LAST MINUTE", 11, 8, _minute_cell, widest=60),
    Column("GAPS", 5, 0, _gaps_cell, right=True),
    Column("CAUSE", 9, 3, _cause_cell),
    Column("AGO", 4, 4, _ago_cell, right=True),
    Column("LOST", 6, 1, _count_cell("frames_dropped"), right=True),
    Column("SILENCE", 7, 5, _count_cell("frames_silence"), right=True),
)
# Where each stream is to have one line only: in the order of what matters most.
ONE_LINE_PRIORITY = ("NAME", "STATE", "DIR", "GAPS", "PRESSURE", "LOST", "PROGRAM", "P99 ms",
                     "RATE", "CAUSE", "AGO", "FILL", "P95 ms", "P50 ms", "SILENCE",
                     "LAST MINUTE")
MARGIN = 2


def choose_columns(columns, width):
    """Which columns find room, and how wide each is: [(column, width)]."""
    chosen, used = [], 0
    for column in sorted(columns, key=lambda c: c.priority):
        if used + column.width + (1 if chosen else 0) <= width:
            used += column.width + (1 if chosen else 0)
            chosen.append(column)
    widths = {column: column.width for column in chosen}
    spare = width - used
    while spare > 0:
        growing = [c for c in chosen if widths[c] < c.widest]
        if not growing:
            break
        for column in growing[:spare]:
            widths[column] += 1
            spare -= 1
    return [(column, widths[column]) for column in columns if column in widths]


def table_layout(width, height, rows, with_minute=True):
    """A list of columns for each line of a row: all in one line where there is room, two
    lines where they fit on the screen, else the columns that matter most."""
    longest = max((columns_of(stream_name(row.reading)) for row in rows), default=0)
    first = (replace(FIRST_LINE[0], width=min(max(longest, 8), 16)), *FIRST_LINE[1:])
    second = tuple(c for c in SECOND_LINE if with_minute or c.cell is not _minute_cell)
    everything = first + second
    width -= MARGIN
    if sum(c.width + 1 for c in everything) - 1 <= width:
        return [choose_columns(everything, width)]
    if height is None or 2 * len(rows) + 2 <= height:
        return [choose_columns(first, width), choose_columns(second, width)]
    ranked = [replace(c, priority=ONE_LINE_PRIORITY.index(c.title)) for c in everything]
    return [choose_columns(ranked, width)]


def head_lines(layout):
    return [[(" " * MARGIN + " ".join(fit(c.title, width, c.right) for c, width in columns),
              "head")] for columns in layout]


def row_lines(watched, layout, drawing, is_chosen):
    """The lines of a stream. In the margin: ">" for the chosen one, "!" for trouble."""
    lines = []
    for number, columns in enumerate(layout):
        mark = (">" if is_chosen else " ") + (" " if watched.is_well() else "!")
        line = [(mark if number == 0 else "  ", "chosen" if is_chosen else "bad")]
        for place, (column, width) in enumerate(columns):
            text, style = column.cell(watched, width, drawing)
            if not watched.reading.process and style in ("", "good", "name"):
                style = "dim"   # it has ended
            line.append((" " if place else "", ""))
            line.append((fit(text, width, column.right), style))
        lines.append(line)
    return lines


# The chosen stream in full.

def pane_lines(watched, width, drawing):
    title = f"{drawing.rule} {stream_name(watched.reading)} {watched.reading.direction} "
    lines = [[(fit(title + drawing.rule * (width - columns_of(title)), width), "head")]]
    for text in (_who_text(watched), *_how_texts(watched, width, drawing)):
        lines.append([(fit("  " + text, width), "")])
    lines += [[(fit("  " + text, width), style)] for text, style in _what_texts(watched)]
    return lines


def _who_text(watched):
    reading = watched.reading
    program = words.clean(watched.program) or "no program"
    who = f"{program} (process {reading.process})" if reading.process else f"{program}, ended"
    if watched.broken_off:
        was = f"was process {watched.broken_off.process}"
        who = f"{words.clean(watched.program)} ({was})" if watched.program else was
    return (f"{who}, {reading.rate} Hz, {words.count(reading.channels, 'channel')}, period "
            f"{reading.period_frames}, buffer {reading.buffer_frames}")


def _how_texts(watched, width, drawing):
    reading = watched.reading
    bar_width = min(max(width - 70, 10), 40)
    marks = (reading.clear_percent, reading.trigger_percent)
    minute = watched.minute()
    highest = max((v for v in minute if v is not None), default=0)
    spark = drawing.sparkline(minute, min(max(width - 24, 10), 60))
    return (
        f"pressure {drawing.bar(reading.pressure_percent, bar_width, marks)} "
        f"{reading.pressure_state}, raised {words.count(reading.pressure_count, 'time')}; "
        f"Trigger {reading.trigger_percent}%, Clear {reading.clear_percent}%",
        f"ring     {drawing.bar(reading.fill_percent, bar_width)} "
        f"at most {reading.fill_max_percent}%; woke late by "
        f"{ms_text(reading.wakeup_late_max_us)} ms at most"
        + (f"; priority {reading.realtime}" if reading.realtime else
           "; not real-time" if reading.process else ""),
        f"p99      {spark} to {ms_text(highest)} ms",
    )


def _what_texts(watched):
    """What befell it, the latest first."""
    if watched.broken_off:
        yield _cut_off_text(watched), "warn"
    more = words.card_times(watched.reading.device_xruns, watched.gaps(),
                            watched.reading.direction)
    if more:
        yield more, "dim"
    for episode in reversed(watched.episodes):
        when = time.strftime("%m-%d %H:%M:%S", time.localtime(episode.wall_ns / 1e9))
        frames = f", {words.count(episode.frames, 'frame')}" if episode.frames else ""
        what = f"gap ({episode.what})" if episode.is_gap else episode.what
        yield (f"{when}  {what} of {duration_text(episode.length_ns / 1e9)}"
               f"{frames}: {words.reason(episode.late)}"), _trouble_style(watched)
    if not watched.episodes and not watched.broken_off:
        yield ("nothing befell it since its counters were reset"
               if watched.reading.is_healthy else "what befell it is not known"), "dim"


def _lost_s(watched):
    """How much was not heard at most, 0 if that is not known."""
    return watched.broken_off.frames / watched.reading.rate if watched.reading.rate else 0


def _cut_off_text(watched):
    seconds = _lost_s(watched)
    lost = (f"at most {words.duration(seconds)} were not heard" if seconds
            else "what was in its buffer is lost")
    return f"killed, or ended without closing its stream: {lost}"


# The whole screen.

@dataclass
class Screen:
    """What there is to show, besides the streams."""
    width: int
    height: int
    clock: str = ""
    sort_name: str = "name"
    is_paused: bool = False
    chosen: object = None       # a Stream
    first_row: int = 0          # of the table; changed so that the chosen one is seen
    message: str = ""
    is_prompt: bool = False
    help_lines: tuple = ()


KEYS = "arrows choose  s sort  r reset  t trigger  c clear  p pause  l live  h help  q quit"
SHORT_KEYS = "s sort  r reset  t trigger  c clear  p pause  h help  q quit"


def screen_lines(screen, rows, problems, drawing):
    """All lines of the screen, at most as many as it is high."""
    body_height = max(screen.height - 2, 1)
    if screen.help_lines:
        body = [[(fit(text, screen.width), "")] for text in screen.help_lines]
    elif not rows:
        body = [[("", "")], [(fit("  No stream has run yet. As soon as a program plays or "
                                  "records through headroom, it is shown here.",
                                  screen.width), "")]]
    else:
        body = _table_and_pane(screen, rows, body_height - len(problems[:2]), drawing)
    body += [[(fit("  " + words.clean(problem), screen.width), "warn")] for problem in problems[:2]]
    body = body[:body_height] + [[("", "")]] * (body_height - len(body))
    lines = [_title_line(screen, rows)] + body + [_bottom_line(screen)]
    return lines[:screen.height]


def _title_line(screen, rows):
    running = sum(row.reading.state == "Running" for row in rows)
    text = f" headroom-top  {words.count(len(rows), 'stream')}, {running} running"
    unwell = sum(not row.is_well() for row in rows)
    text += f", {unwell} not well" if unwell else ", all well" if rows else ""
    right = f"by {screen.sort_name}  " + ("PAUSED " if screen.is_paused else screen.clock + " ")
    if columns_of(text) + columns_of(right) >= screen.width:
        right = "PAUSED " if screen.is_paused else ""
    return [(fit(text, max(screen.width - columns_of(right), 0)) + right, "title")]


def _bottom_line(screen):
    if screen.message:
        return [(fit(" " + words.clean(screen.message) + ("_" if screen.is_prompt else ""),
                     screen.width), "title")]
    keys = KEYS if columns_of(KEYS) < screen.width else SHORT_KEYS
    if columns_of(keys) >= screen.width:
        keys = "h help  q quit"
    return [(fit(" " + keys, screen.width), "title")]


def _table_and_pane(screen, rows, height, drawing):
    layout = table_layout(screen.width, height, rows)
    per_row = len(layout)
    room = max((height - per_row) // per_row, 1)
    places = [place for place, row in enumerate(rows) if row.reading.stream == screen.chosen]
    if places:
        screen.first_row = min(max(screen.first_row, places[0] - room + 1), places[0])
    screen.first_row = max(min(screen.first_row, len(rows) - room), 0)
    lines = head_lines(layout)
    for row in rows[screen.first_row:screen.first_row + room]:
        lines += row_lines(row, layout, drawing, row.reading.stream == screen.chosen)
    spare = height - len(lines) - 1
    if places and spare >= PANE_LINES_MIN:
        lines += [[("", "")]] + pane_lines(rows[places[0]], screen.width, drawing)[:spare]
    return lines


# In words, for a screen reader or a log.

def sentence(watched):
    """All that matters of a stream, without columns or drawings."""
    reading = watched.reading
    who = words.clean(watched.program) or "no program"
    parts = [f"{stream_name(reading)} {reading.direction}: {who}, {reading.rate} hertz, "
             + reading.state.lower()
             + (", but the program is stopped" if watched.is_stopped else "")]
    parts.append(f"fill {reading.fill_percent} percent, "
                 f"pressure {reading.pressure_percent} percent"
                 + ("" if reading.pressure_state == "Normal" else ", too high"))
    parts.append("latency in milliseconds: median " + ms_text(reading.latency_p50_us)
                 + ", 95 percent below " + ms_text(reading.latency_p95_us)
                 + ", 99 percent below " + ms_text(reading.latency_p99_us))
    parts.append(gaps_sentence(watched))
    parts.append(f"{reading.frames_dropped} frames lost, "
                 f"{reading.frames_silence} frames of silence")
    text = ". ".join(parts) + "."
    if watched.broken_off:
        text += " " + words.broken_off(reading.direction, [_lost_s(watched)])
    return text


def gaps_sentence(watched):
    """How many gaps, when the last one was, and who was late."""
    since, cause = watched.trouble_ago_s(), watched.trouble_cause()
    if not watched.gaps():
        return "no gaps"
    text = words.count(watched.gaps(), "gap")
    if since is not None:
        text += (", " if watched.gaps() == 1 else ", the last ") + f"{duration_text(since)} ago"
    return text + (f", {words.reason(cause)}" if cause else "")
