# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Reads what the benchmark's programs print: lines of JSON as in record.h."""

import collections
import json


class Samples:
    """All samples of a run.

    values[row][subject][round] is a number, dropped[row][subject] counts reasons, unit[row] is
    a name. machine and run are what machine.py and scripts/bench say; wrong are lines that
    say nothing or contradict another.
    """

    def __init__(self):
        self.values = collections.defaultdict(lambda: collections.defaultdict(dict))
        self.dropped = collections.defaultdict(
            lambda: collections.defaultdict(collections.Counter))
        self.unit = {}
        self.machine = {}
        self.run = {}
        self.wrong = []

    @classmethod
    def read(cls, lines):
        """
        >>> got = Samples.read(['{"row": "r", "subject": "s", "round": 1, "value": 2, '
        ...                     '"unit": "ns"}', 'noise', ''])
        >>> got.values['r']['s'], got.unit['r'], got.wrong
        ({1: 2.0}, 'ns', ['line 2 is no sample: noise'])
        """
        samples = cls()
        for number, line in enumerate(lines, 1):
            if line.strip():
                samples._take(number, line)
        return samples

    def _take(self, number, line):
        try:
            record = json.loads(line)
            if 'machine' in record:
                self.machine.update(record['machine'])
            elif 'run' in record:
                self.run.update(record['run'])
            else:
                self._take_sample(number, record)
        except (ValueError, TypeError, KeyError):
            self.wrong.append(f'line {number} is no sample: {line.strip()[:100]}')

    def _take_sample(self, number, record):
        row, subject, turn = record['row'], record['subject'], int(record['round'])
        if 'dropped' in record:
            self.dropped[row][subject][record['dropped']] += 1
            return
        value, unit = float(record['value']), record['unit']
        if self.unit.setdefault(row, unit) != unit:
            self.wrong.append(f'line {number}: "{row}" in {unit} and in {self.unit[row]}')
        elif turn in self.values[row][subject]:
            self.wrong.append(f'line {number}: round {turn} of "{row}", {subject}, twice')
        else:
            self.values[row][subject][turn] = value

    def rows(self):
        """The names of all rows, in the order in which they came; and of those of which
        everything was dropped."""
        return list(dict.fromkeys([*self.values, *self.dropped]))

    def subjects(self, row):
        """Those of whom there is a value."""
        return list(self.values[row]) if row in self.values else []
