#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The report of the benchmark, from the lines of JSON that its programs printed.

usage: report.py SAMPLES FOLDER     (writes report.json, summary.md and figures/ there)

Exit status 0: all that should have been measured was, whatever it came to.
"""

import collections
import dataclasses
import json
import os
import sys

sys.dont_write_bytecode = True      # the folder of the sources stays as it is

import charts                               # noqa: E402
import machine                              # noqa: E402
import tables                               # noqa: E402
from judge import THE_RULE, judge_kind      # noqa: E402
from samples import Samples                 # noqa: E402
from targets import OURS, PARTS, ROWS, Row  # noqa: E402

# A program measures at least 15 rounds and drops some; of a quick run less is expected.
FULL_ROUNDS, QUICK_ROUNDS = 10, 3


class Report:
    """All that the samples say."""

    def __init__(self, samples):
        self.samples = samples
        self.quick = bool(samples.run.get('quick'))
        parts = samples.run.get('parts') or PARTS
        rounds = QUICK_ROUNDS if self.quick else FULL_ROUNDS
        self.kinds = [(row, judge_kind(row, samples, rounds, not self.quick))
                      for row in (*ROWS, *self.unknown_rows()) if row.part in (*parts, '')]
        self.judged = [judged for _, all_of_kind in self.kinds for judged in all_of_kind]

    def unknown_rows(self):
        """Those that nothing is aimed at: as they are."""
        known = {name for row in ROWS for name in row.names()}
        for name in self.samples.rows():
            if name not in known:
                unit = self.samples.unit.get(name, '')
                yield Row(name, '', unit, 'higher' if unit == '1/s' else 'lower', ())

    def missing(self):
        """What makes the run no run, a line each."""
        for judged in self.judged:
            if judged.missing and not judged.subjects:
                yield f'missing: all of "{judged.name}"'
            elif judged.missing:
                yield f'missing: {", ".join(judged.missing)} in "{judged.name}"'
            yield from (f'missing: {result.why}, in "{judged.name}"'
                        for result in judged.results
                        if result.verdict == 'missing' and not judged.missing)
        yield from (f'not understood: {wrong}' for wrong in self.samples.wrong)
        yield from (f'not understood: "{judged.name}" is in {judged.unit}, not in {row.unit}'
                    for row, all_of_kind in self.kinds for judged in all_of_kind
                    if judged.unit != row.unit)

    def counts(self):
        """How often each verdict was given."""
        verdicts = [result.verdict for judged in self.judged for result in judged.results
                    if result.target]
        return {verdict: verdicts.count(verdict)
                for verdict in ('ok', 'missed', 'noisy', 'missing')}

    def dropped(self):
        """How many samples were, by the reason."""
        reasons = collections.Counter()
        for judged in self.judged:
            for of_subject in judged.dropped.values():
                reasons.update(of_subject)
        return reasons

    def as_dict(self):
        return {'run': self.samples.run, 'machine': self.samples.machine,
                'rows': [dataclasses.asdict(judged) for judged in self.judged],
                'verdicts': self.counts(), 'missing': list(self.missing())}

    def summary(self):
        """What stands in README.md here."""
        quick = ', quick: only to see that it works' if self.quick else ''
        yield f'{self.samples.run.get("date", "some day")}{quick}.'
        yield from machine.described(self.samples.machine)
        yield from tables.markdown(self.kinds)
        yield ''
        yield THE_RULE


def say_problems(report):
    missing = list(report.missing())
    # One reason is often behind many: the first tell it.
    for line in missing[:30]:
        print(line)
    if len(missing) > 30:
        print(f'... and {len(missing) - 30} more, in report.json')
    unknown = sum(not row.part for row, _ in report.kinds)
    if unknown:
        print(f'{unknown} rows have no target, since they are not in targets.py')
    dropped = report.dropped()
    if dropped:
        print('dropped:', ', '.join(f'{n} x {why}' for why, n in dropped.most_common()))
    return bool(missing)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
        file.write(text)


def main(samples_path, folder):
    with open(samples_path, encoding='utf-8') as lines:
        report = Report(Samples.read(lines))
    colours = sys.stdout.isatty() and 'NO_COLOR' not in os.environ
    for judged in report.judged:
        if judged.subjects or judged.dropped:
            print('\n'.join(tables.details(judged)))
    print('\n'.join(tables.terminal(report.kinds, colours)))
    print('\n' + THE_RULE + '\n')
    print('\n'.join(machine.meanwhile(report.samples.machine)))
    incomplete = say_problems(report)
    print(', '.join(f'{n} {verdict}' for verdict, n in report.counts().items()))
    write(folder, 'report.json', json.dumps(report.as_dict(), indent=1) + '\n')
    write(folder, 'summary.md', '\n'.join(report.summary()) + '\n')
    drawn = charts.draw(report.kinds, os.path.join(folder, 'figures'))
    return 0 if drawn and not incomplete else 1


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
