# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Compares headroom with its targets, round by round, and says what may be believed."""

from dataclasses import dataclass, field
from typing import Optional

from summary import Summary
from targets import OURS, Target, is_alternative, is_limit

THE_RULE = """\
What is compared is computed within each round, in which all subjects were measured one after
the other; the median of the rounds is shown, with the quartiles in brackets. "~": they lie
farther apart than the row allows (10 % of the median; more for what two threads do on virtual
processors), so that the figure is not to be believed. A verdict stands if three of four
rounds agree with it, and nine of ten where the figure is not believed; if not it is "noisy",
as when too few rounds are left. "missing": the row, or someone named in the target, was not
measured."""


@dataclass
class Result:
    """One row beside one target, or, with target None, beside what it may be compared to."""
    row: str
    target: Optional[Target]
    rivals: tuple                       # who is compared to
    best: Optional[str] = None          # of them
    compared: Optional[Summary] = None  # over the rounds
    unit: str = 'x'
    verdict: str = ''                   # ok, missed, noisy, missing; '' without a target
    why: str = ''
    believed: bool = True


@dataclass
class Judged:
    """A row, with all that was found."""
    name: str
    unit: str
    subjects: dict = field(default_factory=dict)    # subject -> Summary
    dropped: dict = field(default_factory=dict)     # subject -> {reason: times}
    results: list = field(default_factory=list)
    missing: list = field(default_factory=list)     # subjects; [OURS, ...] if all of it


def best_of(subjects, summaries, better):
    """By the median; None if one of them is not there."""
    if not subjects or any(subject not in summaries for subject in subjects):
        return None
    choose = min if better == 'lower' else max
    return choose(subjects, key=lambda subject: summaries[subject].median)


def per_round(target, best, values):
    """What is compared, in each round in which all that it takes was measured; and how many
    rounds are left out because there is nothing to divide by: the best adds nothing."""
    compared, without = [], 0
    for turn, ours in values.get(target.ours, {}).items():
        needed = [*target.minus, *([best] if best else [])]
        if any(turn not in values.get(subject, {}) for subject in needed):
            continue
        base = sum(values[subject][turn] for subject in target.minus)
        if best is None:
            compared.append(ours - base)
            continue
        rival = values[best][turn] - (base if target.minus_both else 0)
        if rival > 0:
            compared.append((ours - base) / rival)
        else:
            without += 1
    return compared, without


def is_met(target, value):
    return {'<=': value <= target.bound, '<': value < target.bound,
            '>=': value >= target.bound}[target.op]


def verdict_of(target, compared, without, noise, min_rounds):
    """(verdict, why, whether the figure is believed)

    >>> ten = Target('<=', 10)
    >>> verdict_of(ten, [8, 8, 8, 8.1], 0, 0.1, 3)
    ('ok', '', True)
    >>> verdict_of(ten, [1, 2, 4, 8], 0, 0.1, 3)
    ('ok', '', False)
    >>> verdict_of(ten, [1, 2, 20, 40], 0, 0.1, 3)[0]
    'noisy'
    >>> verdict_of(ten, [8], 0, 0.1, 3)
    ('noisy', 'only 1 of at least 3 rounds', False)
    """
    if without > (len(compared) + without) / 10:
        return 'noisy', f'nothing to divide by in {without} rounds', False
    if not compared:
        return 'missing', 'no round in which all of them were measured', False
    if len(compared) < min_rounds:
        return 'noisy', f'only {len(compared)} of at least {min_rounds} rounds', False
    summary = Summary.of(compared)
    if target.worst:
        extreme = summary.least if target.op == '>=' else summary.most
        return ('ok' if is_met(target, extreme) else 'missed'), '', True
    met = is_met(target, summary.median)
    agree = sum(is_met(target, value) == met for value in compared) / len(compared)
    believed = summary.spread <= noise
    if agree < (0.75 if believed else 0.9):
        return 'noisy', f'the rounds disagree: {agree:.0%} of them here', False
    return ('ok' if met else 'missed'), '', believed


def judge_target(name, row, target, summaries, values, min_rounds):
    result = Result(name, target, target.against)
    absent = [subject for subject in (target.ours, *target.against, *target.minus)
              if subject not in summaries]
    if absent:
        result.verdict, result.believed = 'missing', False
        result.why = 'not measured: ' + ', '.join(absent)
        return result
    result.best = best_of(target.against, summaries, row.better)
    result.unit = 'x' if result.best else row.unit
    compared, without = per_round(target, result.best, values)
    result.compared = Summary.of(compared)
    result.verdict, result.why, result.believed = verdict_of(
        target, compared, without, row.noise, min_rounds)
    return result


def compare(name, row, rivals, summaries, values):
    """Beside the best of some, without a target; None if there is nothing to divide by."""
    best = best_of(rivals, summaries, row.better)
    compared, _ = per_round(Target('<=', 0, rivals), best, values) if best else ([], 0)
    if not compared:
        return None
    summary = Summary.of(compared)
    return Result(name, None, rivals, best, summary, believed=summary.spread <= row.noise)


def other_comparisons(name, row, results, summaries, values):
    """With the best alternative and with each limit, where no target does that."""
    groups = [tuple(filter(is_alternative, summaries)),
              *((limit,) for limit in summaries if is_limit(limit))]
    known = {result.best for result in results}
    known.update(subject for result in results for subject in result.target.minus)
    for rivals in groups:
        if best_of(rivals, summaries, row.better) not in known:
            result = compare(name, row, rivals, summaries, values)
            if result:
                yield result


def judge_row(name, row, samples, usual_rounds):
    values = samples.values.get(name, {})
    judged = Judged(name, samples.unit.get(name, row.unit))
    judged.subjects = {subject: Summary.of(list(rounds.values()))
                       for subject, rounds in values.items() if rounds}
    judged.dropped = {subject: dict(reasons)
                      for subject, reasons in samples.dropped.get(name, {}).items()}
    judged.missing = [subject for subject in row.subjects if subject not in judged.subjects]
    min_rounds = min(row.min_rounds or usual_rounds, usual_rounds)
    judged.results = [judge_target(name, row, target, judged.subjects, values, min_rounds)
                      for target in row.targets]
    if OURS in judged.subjects:
        judged.results += other_comparisons(name, row, judged.results, judged.subjects, values)
    return judged


def judge_kind(row, samples, usual_rounds, all_cells):
    """One Judged for each of the row's names. Of a row of cells only those that were
    measured, if they need not all be there and one is."""
    names = row.names()
    if not all_cells:
        names = [name for name in names if name in samples.values] or names[:1]
    return [judge_row(name, row, samples, usual_rounds) for name in names]
