#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Tests of the benchmark's report: its examples, and what it says of samples made up here."""

import doctest
import json
import sys
import unittest

sys.dont_write_bytecode = True

import charts                       # noqa: E402
import judge                        # noqa: E402
import machine                      # noqa: E402
import report                       # noqa: E402
import samples                      # noqa: E402
import summary                      # noqa: E402
import tables                       # noqa: E402
from targets import OURS, ROWS, Row, Target, at_least, at_most     # noqa: E402


def read(row='r', unit='ns', **subjects):
    """Samples of one row: the values of each subject, round by round; None was dropped."""
    lines = []
    for subject, values in subjects.items():
        for turn, value in enumerate(values, 1):
            kept = {'dropped': 'moved'} if value is None else {'value': value, 'unit': unit}
            lines.append(json.dumps({'row': row, 'subject': subject, 'round': turn, **kept}))
    return samples.Samples.read(lines)


def judged(target, better='lower', noise=0.1, subjects=(), min_rounds=3, **values):
    row = Row('r', 'core', 'ns', better, (OURS, *subjects), (target,), noise=noise)
    return judge.judge_row('r', row, read(**values), min_rounds)


class Verdicts(unittest.TestCase):
    def test_the_ratio_is_that_of_each_round(self):
        """The machine slowed down by half way: no ratio changed, though both medians did."""
        result = judged(at_most(0.5, 'ck'), headroom=[1, 1, 9, 9.9], ck=[2, 2, 18, 19.8])
        self.assertEqual(result.results[0].compared.spread, 0)
        self.assertEqual(result.results[0].verdict, 'ok')

    def test_the_best_of_several_is_compared_with(self):
        result = judged(at_most(1, 'a', 'b'), headroom=[3] * 3, a=[4] * 3, b=[2] * 3)
        self.assertEqual((result.results[0].best, result.results[0].verdict), ('b', 'missed'))
        result = judged(at_least(1, 'a', 'b'), 'higher', headroom=[3] * 3, a=[4] * 3, b=[2] * 3)
        self.assertEqual((result.results[0].best, result.results[0].verdict), ('a', 'missed'))

    def test_one_that_was_not_measured_is_missing(self):
        result = judged(at_most(1, 'a', 'b'), subjects=('a', 'b'), headroom=[1] * 3, a=[2] * 3)
        self.assertEqual(result.results[0].verdict, 'missing')
        self.assertEqual(result.missing, ['b'])

    def test_rounds_in_which_one_was_dropped_do_not_count(self):
        result = judged(at_most(1, 'a'), headroom=[1, None, 1, 1], a=[None, 2, 2, 2])
        self.assertEqual(result.results[0].verdict, 'noisy')
        self.assertEqual(result.results[0].compared.n, 2)
        self.assertEqual(result.dropped, {'headroom': {'moved': 1}, 'a': {'moved': 1}})

    def test_noise_spares_a_verdict_that_the_rounds_agree_on(self):
        result = judged(at_most(1, 'a'), headroom=[1, 2, 3, 4], a=[10] * 4).results[0]
        self.assertEqual((result.verdict, result.believed), ('ok', False))
        result = judged(at_most(1, 'a'), headroom=[5, 8, 12, 15], a=[10] * 4).results[0]
        self.assertEqual((result.verdict, result.believed), ('noisy', False))

    def test_what_is_added_to_the_bare_device(self):
        half = Target('<', 0.5, ('jack', 'pulse'), minus=('bare',), minus_both=True)
        result = judged(half, headroom=[14] * 3, bare=[10] * 3, jack=[20] * 3, pulse=[30] * 3)
        self.assertEqual(result.results[0].compared.median, 0.4)
        result = judged(half, headroom=[14] * 3, bare=[10] * 3, jack=[9] * 3, pulse=[30] * 3)
        self.assertEqual(result.results[0].verdict, 'noisy')

    def test_a_difference(self):
        result = judged(at_most(5, minus=('bare',)), headroom=[14] * 3, bare=[10] * 3)
        self.assertEqual(result.results[0].compared.median, 4)
        self.assertEqual(result.results[0].verdict, 'ok')

    def test_one_round_is_enough_where_none_may_be_beyond(self):
        result = judged(at_most(0, worst=True), headroom=[0, 0, 0, 1, 0])
        self.assertEqual(result.results[0].verdict, 'missed')

    def test_the_limit_is_compared_with_too(self):
        values = {'headroom': [3] * 3, 'ck': [2] * 3, 'limit: one': [1] * 3}
        row = Row('r', 'core', 'ns', 'lower', (OURS,))
        results = judge.judge_row('r', row, read(**values), 3).results
        self.assertEqual([(r.best, r.compared.median) for r in results],
                         [('ck', 1.5), ('limit: one', 3)])


class Reports(unittest.TestCase):
    def test_every_row_that_was_not_measured_is_told(self):
        missing = list(report.Report(read()).missing())
        self.assertEqual(len([line for line in missing if line.startswith('missing: all of')]),
                         sum(len(row.names()) for row in ROWS))

    def test_only_the_parts_that_ran_are_expected(self):
        some = read()
        some.run = {'parts': ['core']}
        self.assertTrue(all('"core: ' in line for line in report.Report(some).missing()))

    def test_a_row_that_is_not_known_is_shown(self):
        shown = '\n'.join(tables.terminal(report.Report(read('core: new', headroom=[1])).kinds))
        self.assertIn('\nnew ', shown)

    def test_a_line_that_is_no_sample_makes_the_run_no_run(self):
        some = samples.Samples.read(['{"row": "r"}', 'Segmentation fault'])
        self.assertEqual(len(some.wrong), 2)
        self.assertIn('not understood', '\n'.join(report.Report(some).missing()))

    def test_another_unit_than_the_targets_is_told(self):
        some = read('core: detector update', unit='us', headroom=[1] * 15)
        self.assertIn('"core: detector update" is in us, not in ns',
                      '\n'.join(report.Report(some).missing()))

    def test_no_name_stands_for_two_rows(self):
        all_names = [name for row in ROWS for name in row.names()]
        self.assertEqual(len(all_names), len(set(all_names)))


def load_tests(_loader, tests, _pattern):
    for module in (charts, judge, machine, samples, summary, tables):
        tests.addTests(doctest.DocTestSuite(module))
    return tests


if __name__ == '__main__':
    unittest.main()
