# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What the report says about a handful of values, and how it writes them."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """The median of some values and how far they spread.

    >>> Summary.of([1, 2, 3, 4, 9]).median
    3
    >>> Summary.of([5.0]).low == Summary.of([5.0]).high == 5.0
    True
    """
    n: int
    median: float
    low: float      # lower and upper quartile
    high: float
    least: float
    most: float

    @classmethod
    def of(cls, values):
        """None if there is no value."""
        values = sorted(values)
        if not values:
            return None
        if len(values) == 1:
            low = high = values[0]
        else:
            low, _, high = statistics.quantiles(values, n=4, method='inclusive')
        return cls(len(values), statistics.median(values), low, high, values[0], values[-1])

    @property
    def spread(self):
        """The distance of the quartiles as a share of the median.

        >>> Summary.of([90, 95, 100, 105, 110]).spread
        0.1
        """
        if self.high == self.low:
            return 0.0
        return (self.high - self.low) / abs(self.median) if self.median else float('inf')


_STEPS = {
    'ns': [(1e9, 's'), (1e6, 'ms'), (1e3, 'us'), (1, 'ns')],
    'us': [(1e6, 's'), (1e3, 'ms'), (1, 'us')],
    '1/s': [(1e9, 'G/s'), (1e6, 'M/s'), (1e3, 'k/s'), (1, '/s')],
    'KiB': [(1024, 'MiB'), (1, 'KiB')],
    'x': [(1, 'x')],
    'count': [(1, '')],
}


def digits(value):
    """Three digits that count, and no more noughts than needed.

    >>> [digits(x) for x in (0, 0.00123, 1.0, 1.307, 13.07, 130.7, 123456)]
    ['0', '0.00123', '1', '1.31', '13.1', '131', '123456']
    """
    if value == 0:
        return '0'
    size = abs(value)
    places = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    text = f'{value:.{places}f}' if size >= 0.01 else f'{value:.3g}'
    return text.rstrip('0').rstrip('.') if '.' in text and 'e' not in text else text


def step_of(value, unit):
    """(size, name) of what a value is best written in.

    >>> step_of(1500, 'us'), step_of(7, 'frames'), step_of(0, 'ns')
    ((1000.0, 'ms'), (1, 'frames'), (1, 'ns'))
    """
    steps = _STEPS.get(unit, [(1, unit)])
    return next((step for step in steps if abs(value) >= 0.9995 * step[0]), steps[-1])


def with_unit(value, unit):
    """
    >>> [with_unit(1.3, 'ns'), with_unit(123e6, '1/s'), with_unit(1500, 'us')]
    ['1.3 ns', '123 M/s', '1.5 ms']
    >>> [with_unit(4, 'count'), with_unit(2.5, 's/h'), with_unit(0.5, 'x')]
    ['4', '2.5 s/h', '0.5 x']
    """
    size, name = step_of(value, unit)
    return f'{digits(value / size)} {name}'.rstrip()
