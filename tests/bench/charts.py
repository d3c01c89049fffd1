# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The figures: SVG, drawn by gnuplot."""

import math
import os
import subprocess
import sys
from dataclasses import dataclass

from summary import step_of, with_unit
from tables import short, target_text
from targets import OURS, is_alternative, is_ours

BLUE, PALE, GREY, SAND, RED, GREEN, INK = (
    '0x1f6fb4', '0x8fbbe0', '0xb4bcc6', '0xe3b95c', '0xc8463c', '0x3b9a57', '0x30363d')
PANEL_WIDTH, BAR_HEIGHT, PANEL_EDGE = 500, 22, 92
LEGEND = ('blue: headroom; grey: what could be used instead; yellow: limits and references; '
          'lines: quartiles and extremes')
# From here on a scale shows the small ones only if it is logarithmic.
LOG_FROM = 20


@dataclass(frozen=True)
class Figure:
    """One file: a panel for each row whose name begins with one of these."""
    name: str
    title: str
    rows: tuple
    columns: int


FIGURES = (
    Figure('core-ring', 'Ring', ('core: ring', 'core: push while'), 2),
    Figure('core-period', 'A period copied in, passed, copied out, released',
           ('core: period',), 3),
    Figure('core-pool', 'Pool', ('core: pool',), 2),
    Figure('alsa-cpu', 'Processor time for an hour of sound', ('alsa: CPU, ',), 3),
    Figure('alsa-calls', 'System calls for a period', ('alsa: system calls',), 3),
    Figure('alsa-switches', 'Voluntary context switches for a period', ('alsa: switches',), 3),
    Figure('alsa-speed', 'Full speed into null', ('alsa: full speed',), 3),
    Figure('alsa-latency', 'Latency', ('alsa: latency',), 3),
    Figure('alsa-streams', 'Many streams; opening; memory',
           ('alsa: CPU per', 'alsa: memory', 'alsa: open'), 3),
)


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def colour_of(subject):
    if is_ours(subject):
        return BLUE if subject == OURS else PALE
    return GREY if is_alternative(subject) else SAND


def scale_of(judged):
    """(factor, unit) by which all figures of a panel are shown, by the largest of them."""
    size, unit = step_of(max(abs(some.median) for some in judged.subjects.values()), judged.unit)
    return 1 / size, unit


def step_between_ticks(width):
    """1, 2 or 5 times a power of ten: about five of them.

    >>> step_between_ticks(7), step_between_ticks(0.3), step_between_ticks(100)
    (2.0, 0.05, 20.0)
    """
    power = 10.0 ** math.floor(math.log10(width / 5))
    return next(power * times for times in (1, 2, 5, 10) if width / (power * times) <= 6)


def header(width, height, title):
    return [f'set terminal svg size {width},{height} font "sans-serif,12" noenhanced background "white"',
            f'set border 0 lc rgb {INK}', 'unset key',
            'set tics nomirror scale 0', f'set xtics textcolor rgb {INK}',
            'set grid x lc rgb "#d8dde3" lt 1 lw 0.7', 'set bars 0', title]


def bars(judged, most_bars):
    """One panel: a bar for each subject, best on top, with its quartiles and extremes. As
    high as one with most_bars, so that all bars of a figure are of one thickness."""
    factor, unit = scale_of(judged)
    sign = -1 if judged.unit == '1/s' else 1
    order = sorted(judged.subjects.items(), key=lambda item: sign * item[1].median)
    least = min(some.least for _, some in order) * factor
    most = max(some.most for _, some in order) * factor
    log = least > 0 and most / least > LOG_FROM
    # A bar on a logarithmic scale has no natural foot: the best is a short one.
    left = least / 2 if log else min(0, least)
    right = left * (most / left) ** 1.22 if log else left + ((most - left) or 1) * 1.22
    data = [f'{i} {some.median * factor:.6g} {some.low * factor:.6g} {some.high * factor:.6g} '
            f'{some.least * factor:.6g} {some.most * factor:.6g} {colour_of(name)} '
            f'{quoted(with_unit(some.median, judged.unit))}'
            for i, (name, some) in enumerate(order)]
    ticks = ', '.join(f'{quoted(name)} {i}' for i, (name, _) in enumerate(order))
    return ['$d << E', *data, 'E',
            f'set title {quoted(short(judged.name))} font ",13" textcolor rgb {INK}',
            f'set xlabel {quoted(unit + (", logarithmic" if log else ""))} '
            f'textcolor rgb {INK}',
            'set logscale x; set xtics autofreq' if log else
            f'unset logscale x; set xtics {step_between_ticks(right - left):.6g}',
            f'set ytics ({ticks}) textcolor rgb {INK}',
            f'set xrange [{left:.6g}:{right:.6g}]', f'set yrange [{most_bars - 0.4}:-0.6]',
            f'plot $d using 2:1:({left:.6g}):2:($1-0.36):($1+0.36):7 with boxxyerror '
            'fs solid noborder lc rgb variable, '
            f'"" using 5:1:($6-$5):(0) with vectors nohead lw 1 lc rgb {INK}, '
            f'"" using 3:1:($4-$3):(0) with vectors nohead lw 4 lc rgb {INK}, '
            '"" using 6:1:8 with labels left offset 0.8,0 font ",11"']


def bar_figure(figure, judged):
    columns = min(figure.columns, len(judged))
    lines = math.ceil(len(judged) / columns)
    most_bars = max(len(one.subjects) for one in judged)
    height = lines * (PANEL_EDGE + BAR_HEIGHT * most_bars) + 64
    script = header(columns * PANEL_WIDTH, height,
                    f'set multiplot layout {lines},{columns} title {quoted(figure.title)}'
                    f'."\\n".{quoted(LEGEND)} font ",14"')
    for one in judged:
        script += bars(one, most_bars)
    return script + ['unset multiplot']


def target_figure(results):
    """How far from its target each row is: left of 1 is better than aimed at."""
    data, ticks = [], []
    colours = {'ok': GREEN, 'missed': RED, 'noisy': SAND}
    for i, (judged, result) in enumerate(results):
        target, some = result.target, result.compared
        places = [value / target.bound for value in (some.median, some.low, some.high)]
        if target.op == '>=':
            places = [1 / place if place > 0 else 1000 for place in places]
        median, low, high = (min(max(place, 1e-3), 1e3) for place in places)
        data.append(f'{i} {median:.6g} {low:.6g} {high:.6g} {colours[result.verdict]}')
        ticks.append(f'{quoted(f"{short(judged.name)}   {target_text(target, judged.unit)}")} {i}')
    return [*header(1100, 110 + 17 * len(data), 'set logscale x'),
            '$d << E', *data, 'E',
            'set title "Measured / target: left of 1 is better than aimed at\\n'
            'green: ok; red: missed; yellow: noisy; lines: quartiles" font ",14"',
            f'set ytics ({", ".join(ticks)}) font ",10"', 'set format x "%g"',
            f'set yrange [{len(data) - 0.3}:-0.7]',
            f'set arrow 1 from 1, graph 0 to 1, graph 1 nohead lw 1.5 lc rgb {INK}',
            'plot $d using 3:1:($4-$3):(0) with vectors nohead lw 3 lc rgb "#c0c6cd", '
            '"" using 2:1:5 with points pt 7 ps 0.7 lc rgb variable']


def cell_figure(row, judged):
    """A line for each cell, on which headroom and the bare device each have a point."""
    data, ticks = [], []
    for i, one in enumerate(judged):
        bare = one.subjects['bare'].median
        data.append(f'{i} {one.subjects[OURS].median:.6g} {bare:.6g}')
        name = short(one.name).split(', ', 2)[-1]
        ticks.append(f'{quoted(name)} {i}')
    unit = judged[0].unit
    return [*header(900, 120 + 18 * len(data), 'set nonlinear x via asinh(x/2) inverse 2*sinh(x)'),
            '$d << E', *data, 'E',
            f'set title {quoted(short(row.name))} font ",16"', f'set xlabel "{unit}"',
            'set key top outside horizontal reverse Left',
            f'set ytics ({", ".join(ticks)}) font ",10"', f'set yrange [{len(data) - 0.3}:-0.7]',
            'set xtics (0, 1, 10, 100, 1000, 10000, 100000, 1000000)', 'set xrange [0:*]',
            'plot $d using 2:1:($3-$2):(0) with vectors nohead lw 1 lc rgb "#c0c6cd" notitle, '
            f'"" using 3:1 with points pt 7 ps 0.9 lc rgb {GREY} title "bare device", '
            f'"" using 2:1 with points pt 7 ps 0.6 lc rgb {BLUE} title "headroom"']


def scripts(kinds):
    """(name, lines of gnuplot) of every figure of which something was measured."""
    judged = [one for row, all_of_kind in kinds for one in all_of_kind
              if row.part and one.subjects and not row.cells]
    unknown = [all_of_kind[0] for row, all_of_kind in kinds if not row.part]
    for figure in FIGURES:
        of_figure = [one for one in judged if one.name.startswith(figure.rows)]
        if of_figure:
            yield figure.name, bar_figure(figure, of_figure)
    if unknown:
        yield 'more', bar_figure(Figure('more', 'What has no target', (), 3), unknown)
    results = [(one, result) for one in judged for result in one.results
               if result.target and result.target.bound and result.compared]
    if results:
        yield 'targets', target_figure(results)
    for row, all_of_kind in kinds:
        cells = [one for one in all_of_kind if {OURS, 'bare'} <= set(one.subjects)]
        if row.cells and cells:
            name = short(row.name).replace(', ', '-').replace(' ', '-')
            yield 'alsa-stalls-' + name, cell_figure(row, cells)


def draw(kinds, folder):
    """Whether all could be drawn."""
    os.makedirs(folder, exist_ok=True)
    fine = True
    for name, lines in scripts(kinds):
        path = os.path.join(folder, name + '.svg')
        try:
            with open(path, 'w', encoding='utf-8') as svg:
                ran = subprocess.run(['gnuplot'], input='\n'.join(lines) + '\n', stdout=svg,
                                     stderr=subprocess.PIPE, text=True, check=False)
            # It warns of what it can help itself, of an axis for nothing but 0.
            problem = ran.stderr.strip() if ran.returncode else ''
        except FileNotFoundError:
            problem = 'there is no gnuplot'
        if problem:
            print(f'figure {name}: {problem[:300]}', file=sys.stderr)
            fine = False
    return fine
