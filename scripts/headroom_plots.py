# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Plots over time as inline SVG, for the page that headroom-report makes.

A plot fills whatever width the page gives it: its SVG is stretched, lines keep their
width, and all text is HTML beside it, so that it is as large on a telephone as on a screen.
"""
import html
import math
from dataclasses import dataclass, field

WIDTH = 1000  # of all plots, in units of their own; as many columns are told apart
HEIGHT = 1000
SHORTEST_MARK = 3


@dataclass
class Line:
    """Values as they changed, which hold until the next: [(t, value)], one list for each
    stretch of time, each with its end as the last."""
    label: str
    style: str  # its class
    stretches: list


@dataclass
class Mark:
    """Something that befell the stream, from begin for so long."""
    begin: float
    length: float
    style: str
    number: int
    target: str  # where more is said of it
    text: str


@dataclass
class Axis:
    """From 0 to most, with ticks [(value, text)]."""
    most: float
    ticks: list = field(default_factory=list)


def nice_step(most, about):
    """A step of 1, 2 or 5 times a power of ten that makes about so many of most."""
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def value_axis(most, unit):
    """An axis for values up to most: up to the next tick above it."""
    if most <= 0:
        most = 1
    step = nice_step(most, 3)
    count = math.ceil(most / step - 1e-9)
    return Axis(step * count, [(step * i, f"{step * i:g}{unit}") for i in range(count + 1)])


def percent_axis():
    return Axis(100, [(value, f"{value}%") for value in (0, 50, 100)])


def clock(t, step):
    """A time since the beginning, as long as its axis needs it."""
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
    if t < 60 and step < 60:
        return f"{t:.{digits}f} s"
    minutes, rest = divmod(round(t, digits), 60)
    if t < 3600:
        return f"{minutes:.0f}:{rest:0{3 + digits if digits else 2}.{digits}f}"
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{rest:02.0f}"


def time_axis(duration):
    duration = max(duration, 0.001)
    steps = [1e-3 * factor * 10 ** power for power in range(5) for factor in (1, 2, 5)]
    steps = [step for step in steps if step < 20] + [20, 30, 60, 120, 300, 600, 1200, 1800,
                                                   3600, 7200, 14400, 28800, 86400]
    step = next((step for step in steps if duration / step <= 8), nice_step(duration, 8))
    count = math.floor(duration / step + 1e-9)
    return Axis(duration, [(step * i, clock(step * i, step)) for i in range(count + 1)])


def thin(points, duration):
    """Of the points that fall into one column, those that show: first, least, most, last."""
    kept = []
    column = []
    column_number = None

    def keep_column():
        if column:
            chosen = {0, len(column) - 1}
            chosen.add(min(range(len(column)), key=lambda i: column[i][1]))
            chosen.add(max(range(len(column)), key=lambda i: column[i][1]))
            kept.extend(column[i] for i in sorted(chosen))

    for point in points:
        number = int(point[0] / duration * WIDTH)
        if number != column_number:
            keep_column()
            column = []
            column_number = number
        column.append(point)
    keep_column()
    return kept


def stretches(changes, spans):
    """The changes of a value [(t, value)] while the stream was live [(from, until)]."""
    found = []
    for begin, end in spans:
        before = [value for t, value in changes if t <= begin]
        points = [(begin, before[-1])] if before else []
        points += [(t, value) for t, value in changes if begin < t < end]
        if points:
            points.append((end, points[-1][1]))
            found.append(points)
    return found


def coordinate(value):
    return f"{value:.1f}".removesuffix(".0")


def path(points, times, values):
    """A path of steps."""
    parts = []
    for t, value in thin(points, times.most):
        x = coordinate(min(t / times.most, 1) * WIDTH)
        y = coordinate(HEIGHT - min(value / values.most, 1) * HEIGHT)
        parts.append(f"H{x}V{y}" if parts else f"M{x} {y}")
    return "".join(parts)


def span_of(mark, times):
    begin = min(mark.begin / times.most, 1) * WIDTH
    length = min(mark.length / times.most * WIDTH, WIDTH - begin)
    length = max(length, SHORTEST_MARK)
    return min(begin, WIDTH - length), length


def rectangle(mark, times):
    begin, length = span_of(mark, times)
    return (f'<rect class="mark {mark.style}" x="{coordinate(begin)}" y="0" '
            f'width="{coordinate(length)}" height="{HEIGHT}">'
            f"<title>{html.escape(mark.text)}</title></rect>")


def rule(y, style):
    return f'<line class="{style}" x1="0" x2="{WIDTH}" y1="{coordinate(y)}" y2="{coordinate(y)}"/>'


def hole_rectangle(hole, times):
    begin, end = (min(t / times.most, 1) * WIDTH for t in hole)
    return (f'<rect class="unmeasured" x="{coordinate(begin)}" y="0" '
            f'width="{coordinate(end - begin)}" height="{HEIGHT}"/>')


def svg(lines, marks, limits, times, values, label, holes):
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
             f'aria-label="{html.escape(label)}">']
    for value, _ in values.ticks:
        parts.append(rule(HEIGHT - value / values.most * HEIGHT, "grid"))
    for t, _ in times.ticks:
        x = coordinate(t / times.most * WIDTH)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{HEIGHT}"/>')
    parts += [hole_rectangle(hole, times) for hole in holes]
    parts += [rectangle(mark, times) for mark in marks]
    for value, style in limits:
        parts.append(rule(HEIGHT - min(value / values.most, 1) * HEIGHT, f"limit {style}"))
    for line in lines:
        shape = "".join(path(points, times, values) for points in line.stretches)
        if shape:
            parts.append(f'<path class="line {line.style}" d="{shape}"/>')
    parts.append("</svg>")
    return "".join(parts)


def value_labels(values):
    return "".join(f'<span style="bottom:{value / values.most * 100:.2f}%">{text}</span>'
                   for value, text in values.ticks)


def time_labels(times):
    parts = []
    for place, (t, text) in enumerate(times.ticks):
        share = t / times.most * 100
        style = ' class="odd"' if place % 2 else ""
        # The last one would stand out of the page.
        side = f"right:{100 - share:.2f}%" if share > 96 else f"left:{share:.2f}%"
        edge = ' data-edge="1"' if share > 96 or place == 0 else ""
        parts.append(f'<span{style}{edge} style="{side}">{text}</span>')
    return "".join(parts)


def legend(lines, limits):
    parts = [f'<span class="key {line.style}">{html.escape(line.label)}</span>'
             for line in lines]
    parts += [f'<span class="key limit {style}">{style} {value:g}%</span>'
              for value, style in limits]
    return "".join(parts)


def mark_labels(marks, times):
    """Their numbers above the plot; where they are too near to each other, some."""
    parts = []
    last = last_narrow = -100.0
    for mark in marks:
        begin, length = span_of(mark, times)
        middle = min(max((begin + length / 2) / WIDTH * 100, 1), 99)
        if middle - last < 3.6:
            continue
        last = middle
        narrow = middle - last_narrow >= 8
        last_narrow = middle if narrow else last_narrow
        parts.append(f'<a class="flag {mark.style}{"" if narrow else " roomy"}" '
                     f'style="left:{middle:.2f}%" href="#{mark.target}" '
                     f'title="{html.escape(mark.text)}">{mark.number}</a>')
    return "".join(parts)


def empty(title, note):
    """In place of a plot without lines."""
    return (f"<figure><figcaption><b>{html.escape(title)}</b>"
            f'<span class="dim">{html.escape(note) or "nothing was measured"}</span>'
            "</figcaption></figure>")


def plot(title, lines, marks, times, values, limits=(), unit="", note="", above="", holes=()):
    """A figure with its title, its legend and both axes. holes: when nothing was measured."""
    note = f'<p class="note">{html.escape(note)}</p>' if note else ""
    return (
        f'<figure><figcaption><b>{html.escape(title)}</b>{legend(lines, limits)}</figcaption>'
        f'{above}<div class="plot"><div class="values">{value_labels(values)}</div>'
        f'<div class="area" data-most="{values.most:g}" '
        f'data-unit="{unit}">{svg(lines, marks, limits, times, values, title, holes)}</div></div>'
        f'<div class="times">{time_labels(times)}</div>{note}</figure>')
