# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What is measured, against whom, and what is aimed at: the rows of the report.

The names of rows and subjects are those that the programs print. "headroom" is ours. A
subject whose name begins "limit: " is what the machine itself allows; a reference ("bare":
the device without anything before it) is no alternative either.
"""

from dataclasses import dataclass

OURS = 'headroom'
REFERENCES = ('bare', 'one stream')
PERIODS = (64, 256, 1024)
DIRECTIONS = ('playback', 'capture')


def is_limit(subject):
    """Whether it is what the machine itself allows."""
    return subject.startswith('limit: ')


def is_ours(subject):
    """headroom, or another part or setting of it ("headroom stream")."""
    return subject.split()[0] == OURS


def is_alternative(subject):
    """Whether it is what people would use instead of headroom."""
    return not is_ours(subject) and subject not in REFERENCES and not is_limit(subject)


@dataclass(frozen=True)
class Target:
    """In each round: x = headroom - minus; if against is not empty: x / the best of them,
    from which minus is taken too if minus_both. The median of x, or its worst, is to be on
    the right side of the bound."""
    op: str                 # '<=', '<' or '>='
    bound: float
    against: tuple = ()
    minus: tuple = ()
    minus_both: bool = False
    ours: str = OURS        # or another part of it
    worst: bool = False     # in no round beyond the bound, rather than by the median


@dataclass(frozen=True)
class Row:
    """One row, or several of one kind that are shown in one line (cells)."""
    name: str
    part: str
    unit: str
    better: str             # 'lower' or 'higher'
    subjects: tuple         # that must be there
    targets: tuple = ()
    noise: float = 0.10     # the spread of what is compared that is believed
    min_rounds: int = 0     # that must be left; 0: as many as usual
    cells: tuple = ()       # the rows' names

    def names(self):
        return self.cells or (self.name,)


def names(text):
    """A tuple of subjects; those with a blank in them are not written like this."""
    return tuple(text.split())


def at_most(bound, *against, **more):
    return Target('<=', bound, against, **more)


def at_least(bound, *against, **more):
    return Target('>=', bound, against, **more)


# --- core ---

RINGS = (*names('boost ck moodycamel rte jack spa ArrayQueue SegQueue mutex'),
         'moodycamel concurrent')
POOLS = (*names('rte ck ArrayQueue SegQueue moodycamel mutex boost'), 'ck stack',
         'rte own cache', 'rte without cache')
DPDK = ('rte', 'rte own cache')
LINES = ('limit: one cache line', 'limit: two cache lines')
MEMCPYS = 'limit: two memcpys'
# Ring and pool by themselves are headroom's; this is what the plugin makes of them, with
# rewinding, the open chunk and the monitor.
STREAM = 'headroom stream'
CLOCK = 'limit: clock_gettime'
# Two threads do not repeat from sample to sample on virtual processors.
LOOSE = 0.40


def core(name, unit, subjects, *targets, **more):
    more.setdefault('better', 'higher' if unit == '1/s' else 'lower')
    return Row('core: ' + name, 'core', unit, subjects=(OURS, *subjects), targets=targets, **more)


def periods():
    """A period copied in, passed, copied out, released."""
    subjects = (STREAM, 'spa', 'jack', 'ArrayQueue', 'mutex', MEMCPYS)
    for frames, bound in zip(PERIODS, (0.80, 0.50, 0.85)):
        yield core(f'period of {frames}, two threads', 'ns', subjects,
                   *(target for ours in (OURS, STREAM) for target in (
                       at_most(bound, 'spa', ours=ours),
                       at_most(0.40, 'ArrayQueue', ours=ours))), noise=LOOSE)
    for frames in PERIODS:
        yield core(f'period of {frames}, one thread', 'ns', subjects,
                   *(at_most(1.08, MEMCPYS, ours=ours) for ours in (OURS, STREAM)))


CORE = (
    core('ring push+pop, one thread', 'ns', RINGS,
         at_most(1.10, 'boost', 'ck'), at_most(0.22, 'ArrayQueue')),
    core('ring throughput, two threads', '1/s', RINGS,
         at_least(1.3, 'moodycamel'), at_least(2.5, 'ck', 'boost', 'rte'),
         at_least(5, 'ArrayQueue'), noise=LOOSE),
    core('ring round trip, two threads', 'ns', (*RINGS, *LINES),
         at_most(0.70, 'moodycamel'), at_most(0.65, 'ck', 'boost', 'rte'),
         at_most(0.45, 'ArrayQueue'), at_most(1.15, LINES[1])),
    *periods(),
    core('pool acquire+release, one thread', 'ns', POOLS,
         at_most(0.40, *DPDK, 'ck', 'ck stack'), at_most(0.20, 'ArrayQueue')),
    core('pool across two threads', '1/s', POOLS,
         at_least(1.0, *DPDK), at_least(2.5, 'ArrayQueue'), noise=LOOSE),
    core('detector update', 'ns', (), at_most(2)),
    core('health chunk+latency sample', 'ns', (CLOCK,), at_most(5)),
    core('health chunk+latency sample, while read', 'ns', (CLOCK,), at_most(5), noise=LOOSE),
    core('health locked instructions in the writer', 'count', (), at_most(0, worst=True),
         min_rounds=1),
    core('health percentiles of 1024 samples', 'us', (), at_most(20)),
    core('push while the consumer is preempted, p99.99', 'us', ('mutex',),
         at_most(10), at_most(1 / 400, 'mutex'), noise=LOOSE),
    Row('core: eventfd wake-up', 'core', 'us', 'lower', ('limit: eventfd',), noise=LOOSE),
)


# --- through alsa-lib ---

SERVERS = names('pipewire pulse jack')
PLUGINS = names('copy file minimal threaded')
EVENTFD = 'limit: eventfd'
PAYLOAD = 'limit: payload'


def alsa(part, name, unit, subjects, *targets, **more):
    return Row('alsa: ' + name, part, unit, 'lower', (OURS, *subjects), targets, **more)


def per_direction(row_of):
    return tuple(row_of(direction) for direction in DIRECTIONS)


def per_period(row_of):
    return tuple(row_of(direction, frames) for direction in DIRECTIONS for frames in PERIODS)


def cpu(direction, frames):
    # Half of what the cheapest of the daemons adds to the bare device.
    return alsa('servers', f'CPU, {direction}, {frames}', 's/h', ('bare', *SERVERS),
                Target('<', 0.5, SERVERS, minus=('bare',), minus_both=True), noise=0.25)


def system_calls(direction, frames):
    return alsa('servers', f'system calls, {direction}, {frames}', 'count',
                ('bare', 'threaded', *SERVERS), at_most(4), min_rounds=1)


def switches(direction, frames):
    return alsa('servers', f'switches, {direction}, {frames}', 'count',
                ('bare', 'threaded', *SERVERS), at_most(2), min_rounds=1)


def latency(direction, frames):
    """Two rows: half and all but one in a hundred of the frames. Of the part stalls, whose
    programs measure it."""
    for percentile, bound in (('p50', 2), ('p99', 3)):
        name = f'latency {percentile}, {direction}, {frames}'
        if direction == 'playback':
            # No different: a fiftieth is what two runs of one device differ by.
            yield alsa('stalls', name, 'us', ('bare',), at_most(1.02, 'bare'), noise=LOOSE)
        else:
            yield alsa('stalls', name, 'us', ('bare', EVENTFD),
                       at_most(bound, EVENTFD, minus=('bare',)), noise=LOOSE)


SERVED = (*per_period(cpu), *per_period(system_calls), *per_period(switches))
LATENCY = tuple(row for rows in per_period(latency) for row in rows)
SPEED = (
    alsa('speed', 'full speed, writei', 'ns', PLUGINS, at_most(0.65, 'copy')),
    alsa('speed', 'full speed, system calls of writei', 'count', PLUGINS,
         at_most(0, worst=True), min_rounds=1),
    alsa('speed', 'full speed, end to end', 'ns', PLUGINS,
         at_most(3, 'copy'), Target('<', 1, ('threaded',)), noise=LOOSE),
    *per_direction(lambda direction: alsa(
        'speed', f'open+hw_params+start, {direction}', 'us', ('bare',),
        at_most(3000, minus=('bare',)), noise=0.25)),
    *per_direction(lambda direction: alsa(
        'speed', f'memory per stream, {direction}', 'KiB', ('bare', PAYLOAD),
        at_most(64, minus=('bare', PAYLOAD)), min_rounds=1)),
    *(alsa('speed', f'wake-ups in 10 s, {state}', 'count', (), at_most(0, worst=True),
           min_rounds=1) for state in ('open', 'prepared', 'paused', 'control device')),
    *(alsa('speed', f'CPU per stream, {many}', 's/h', ('bare', 'one stream'),
           at_most(1.0, 'one stream'), noise=0.25, min_rounds=3)
      for many in ('8 streams', '64 streams', '64 processes')),
    *(alsa('speed', f'memory per stream, {many}', 'KiB', ('bare', 'one stream'),
           at_most(1.0, 'one stream'), min_rounds=1)
      for many in ('8 streams', '64 streams', '64 processes')),
)


# --- stalls ---

LENGTHS = ('1 ms', '10 ms', '100 ms', '1 s', '5 s')
CONDITIONS = tuple(f'{load}, {rights}' for load in ('idle', 'loaded')
                   for rights in ('rt', 'no rt'))


def stalls(what, unit, direction, lengths, of_lengths, *targets):
    cells = tuple(f'alsa: {what}, {direction}, {length} {when}, {condition}' for length in lengths
                  for when in ('random', 'periodic') for condition in CONDITIONS)
    return Row(f'alsa: {what}, {direction}{of_lengths}', 'stalls', unit, 'lower',
               (OURS, 'bare'), targets, min_rounds=1, cells=cells)


def all_stalls():
    not_worse = at_most(0, minus=('bare',))
    within_depth = LENGTHS[:-1]     # the last is beyond depth_ms
    for what, unit in (('lost', 'frames'), ('gaps', 'count')):
        yield stalls(what, unit, 'playback', LENGTHS, '', not_worse)
        yield stalls(what, unit, 'capture', within_depth, ', up to depth_ms',
                     not_worse, at_most(0, worst=True))
        yield stalls(what, unit, 'capture', LENGTHS[-1:], ', beyond depth_ms', not_worse)


ROWS = (*CORE, *SERVED, *SPEED, *LATENCY, *all_stalls())
PARTS = tuple(dict.fromkeys(row.part for row in ROWS))
