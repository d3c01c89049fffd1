# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The results as tables: for a terminal and in Markdown."""

from collections import Counter

from summary import digits, with_unit
from targets import OURS

TITLES = {'core': 'Core', 'alsa': 'Through alsa-lib'}
HEAD = ('', 'headroom', 'beside', 'compared', 'target', 'verdict')
# The order in which one verdict stands for several: the worst of them.
SEVERITY = ('missing', 'missed', 'noisy', 'ok', '')
COLOURS = {'ok': '32', 'missed': '31', 'noisy': '33', 'missing': '1;31'}


def target_text(target, unit):
    """
    >>> from targets import at_most, Target
    >>> target_text(at_most(1.1, 'boost', 'ck'), 'ns')
    '<= 1.1 x best of boost, ck'
    >>> target_text(at_most(2, 'limit: eventfd', minus=('bare',)), 'us')
    'beyond bare <= 2 x limit: eventfd'
    >>> target_text(at_most(3000, minus=('bare',)), 'us')
    'beyond bare <= 3 ms'
    >>> target_text(at_most(1 / 400, 'mutex'), 'us')
    '<= 1/400 x mutex'
    """
    if target is None:
        return ''
    beyond = f'beyond {" + ".join(target.minus)} ' if target.minus else ''
    if target.against:
        bound = f'1/{1 / target.bound:.0f}' if target.bound < 0.01 else digits(target.bound)
        best = 'best of ' if len(target.against) > 1 else ''
        text = f'{target.op} {bound} x {best}{", ".join(target.against)}'
    else:
        text = f'{target.op} {with_unit(target.bound, unit)}'
    return beyond + text + (' in every round' if target.worst else '')


def compared_text(result):
    """The figure, and in brackets its quartiles."""
    if not result.compared:
        return ''
    some = result.compared
    mark = '' if result.believed else '~'
    if result.unit != 'x':
        text = f'{mark}{with_unit(some.median, result.unit)}'
        quartiles = f'{with_unit(some.low, result.unit)} .. {with_unit(some.high, result.unit)}'
    else:
        text = f'{mark}{digits(some.median)} x'
        quartiles = f'{digits(some.low)} .. {digits(some.high)}'
    return text if some.low == some.high else f'{text} [{quartiles}]'


def cells_of(judged, result):
    """What the line of one result says, but for the row's name."""
    ours = judged.subjects.get(result.target.ours if result.target else OURS)
    others = [result.best, *(result.target.minus if result.target else ())]
    beside = [f'{name} {with_unit(judged.subjects[name].median, judged.unit)}'
              for name in others if name in judged.subjects]
    whose = result.target.ours[len(OURS):] if result.target else ''
    return ((with_unit(ours.median, judged.unit) if ours else '–') + whose, ', '.join(beside),
            compared_text(result), target_text(result.target, judged.unit), result.verdict)


def lines_of_row(judged):
    """A line for each result; a row that has none still has one."""
    if not judged.results:
        ours = judged.subjects.get(OURS)
        others = [f'{name} {with_unit(some.median, judged.unit)}'
                  for name, some in judged.subjects.items() if name != OURS]
        # All of them are in the details.
        others = ', '.join([*others[:2], *(['...'] if others[2:] else [])])
        figure = with_unit(ours.median, judged.unit) if ours else '–'
        return [(figure, others, '', '', 'missing' if judged.missing else '')]
    return [cells_of(judged, result) for result in judged.results]


def lines_of_cells(judged_cells):
    """A line for each target of a row of cells, which tells how many meet it and shows the
    one that is farthest from doing so."""
    lines = []
    for i, first in enumerate(judged_cells[0].results):
        if first.target is None:
            continue
        pairs = [(judged, judged.results[i]) for judged in judged_cells]
        counts = Counter(result.verdict for _, result in pairs)
        judged, worst = max(pairs, key=lambda pair: (
            -SEVERITY.index(pair[1].verdict), pair[1].compared.most if pair[1].compared else 0))
        ours, _, _, target, verdict = cells_of(judged, worst)
        compared = with_unit(worst.compared.median, worst.unit) if worst.compared else ''
        said = ', '.join(f'{n} {verdict}' for verdict, n in counts.items())
        cell = '' if verdict == 'ok' else f'{short(judged.name).split(", ", 2)[-1]}: '
        lines.append((f'{cell}{ours}', f'{len(pairs)} cells: {said}', compared, target, verdict))
    return lines


def short(name):
    return name.split(': ', 1)[-1]


def all_lines(kinds):
    """(section, row, line) of everything; kinds: [(Row, [Judged])]."""
    for row, judged in kinds:
        section = row.name.split(':', 1)[0]
        lines = lines_of_cells(judged) if row.cells else lines_of_row(judged[0])
        for i, line in enumerate(lines):
            yield section, '' if i else short(row.name), line


def paint(text, verdict, colours):
    return f'\x1b[{COLOURS[verdict]}m{text}\x1b[0m' if colours and verdict in COLOURS else text


def terminal(kinds, colours=False):
    """The table with its columns aligned."""
    lines = list(all_lines(kinds))
    table = [HEAD, *((name, *line) for _, name, line in lines)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
    section = None
    for (of_section, _, _), line in zip(lines, table[1:]):
        if of_section != section:
            section = of_section
            yield ''
            yield aligned((TITLES.get(section, section), *HEAD[1:]), widths)
        verdict = line[-1]
        yield paint(aligned(line, widths), verdict if verdict != 'ok' else '', colours)


def aligned(line, widths):
    return '  '.join(text.ljust(width) for text, width in zip(line, widths)).rstrip()


def details(judged):
    """Everything of one row: each subject's median, quartiles, extremes, rounds, drops."""
    yield judged.name
    width = max(map(len, [*judged.subjects, *judged.dropped, *judged.missing]))
    order = sorted(judged.subjects, key=lambda name: judged.subjects[name].median)
    for name in [*order, *(name for name in judged.dropped if name not in judged.subjects)]:
        some = judged.subjects.get(name)
        text = 'nothing left'
        if some:
            median, low, high, least, most = (with_unit(value, judged.unit) for value in (
                some.median, some.low, some.high, some.least, some.most))
            text = f'{median:>10}   [{low} .. {high}]   {least} .. {most}   {some.n} rounds'
        drops = ', '.join(f'{n} x {why}' for why, n in judged.dropped.get(name, {}).items())
        yield f'  {name:{width}} {text}' + (f'   dropped: {drops}' if drops else '')
    for name in judged.missing:
        yield f'  {name:{width}} MISSING'
    for result in judged.results:
        if result.why:
            yield f'  {target_text(result.target, judged.unit)}: {result.verdict}: {result.why}'


def markdown(kinds):
    """The table as it stands in README.md here: what something is aimed at."""
    kinds = [(row, judged) for row, judged in kinds if row.part]
    section = None
    for of_section, name, line in all_lines(kinds):
        if of_section != section:
            section = of_section
            yield ''
            yield '| ' + ' | '.join((TITLES.get(section, section), *HEAD[1:])) + ' |'
            yield '| ' + ' | '.join('---' for _ in HEAD) + ' |'
        yield '| ' + ' | '.join(text.replace('|', '\\|') for text in (name, *line)) + ' |'
