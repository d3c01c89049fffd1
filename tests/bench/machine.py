#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The machine that the benchmark runs on, and what else it did meanwhile.

usage: machine.py begin|end PID     (the process whose children are the benchmark)

Prints a line of JSON for report.py on standard output, and the same to be read on standard
error.
"""

import json
import os
import platform
import re
import subprocess
import sys
import textwrap
import time

# What is measured, beside and with what, by Debian's names.
PACKAGES = ('libasound2', 'libck-dev', 'libboost-dev', 'libreaderwriterqueue-dev',
            'libconcurrentqueue-dev', 'libjack-jackd2-dev', 'libspa-0.2-dev', 'libdpdk-dev',
            'librust-crossbeam-dev', 'pipewire-bin', 'pulseaudio-utils', 'jackd2',
            'libasound2-plugins')
# rustc: the distribution's, whatever is in the path, since the crates are its too.
COMPILERS = ('gcc', 'g++', '/usr/bin/rustc')
BUSY = 0.05     # of the processors: what others may take before it is worth a warning


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ''


def cpu_model():
    for line in read('/proc/cpuinfo').splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.machine()


def has_realtime():
    try:
        param = os.sched_param(1)
        os.sched_setscheduler(0, os.SCHED_FIFO, param)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return True
    except OSError:
        return False


def version_of(compiler):
    """Without what the distribution adds to it."""
    return (re.findall(r'\b\d+\.\d+\.\d+', output(compiler, '--version')) or ['none'])[0]


def versions():
    found = {}
    for package in PACKAGES:
        found[package] = output('dpkg-query', '-W', '-f', '${Version}', package) or 'none'
    for compiler in COMPILERS:
        found[os.path.basename(compiler)] = version_of(compiler)
    return found


def ticks(pid):
    """Of all processors since they started, by what they did; and of pid and those of its
    descendants that it has waited for."""
    fields = [int(word) for word in read('/proc/stat').split('\n', 1)[0].split()[1:9]]
    user, nice, system, idle, iowait, irq, softirq, steal = fields
    own = read(f'/proc/{pid}/stat').rsplit(')', 1)[-1].split()[11:15]
    return {'all': sum(fields), 'busy': user + nice + system + irq + softirq, 'steal': steal,
            'ours': sum(map(int, own))}


def busy_now(pid):
    """What is taken of the processors in a second in which we do nothing. The load average
    would tell of what was built just before."""
    before = ticks(pid)
    time.sleep(1)
    after = ticks(pid)
    taken = sum(after[what] - before[what] for what in ('busy', 'steal'))
    return taken / max(after['all'] - before['all'], 1)


def at_begin(pid):
    return {'cpu': cpu_model(), 'cpus': os.cpu_count(), 'kernel': platform.release(),
            'realtime': has_realtime(), 'versions': versions(), 'busy': busy_now(pid),
            'ticks_begin': ticks(pid)}


def at_end(pid):
    return {'ticks_end': ticks(pid)}


def described(machine):
    """
    >>> list(described({'cpu': 'Z80', 'cpus': 1, 'kernel': '7', 'realtime': False,
    ...                 'versions': {'gcc': '12'}}))
    ['Z80, 1 processor; Linux 7; real-time priority: not allowed.', 'gcc 12.']
    """
    if 'cpu' not in machine:
        yield 'The machine is not known.'
        return
    cpus = f'{machine["cpus"]} processor' + ('s' if machine['cpus'] != 1 else '')
    realtime = 'allowed' if machine['realtime'] else 'not allowed'
    yield (f'{machine["cpu"]}, {cpus}; Linux {machine["kernel"]}; real-time priority: '
           f'{realtime}.')
    yield ', '.join(f'{name} {version}' for name, version in machine['versions'].items()) + '.'
    yield from meanwhile(machine)


def meanwhile(machine):
    """What others took of the processors while it was measured, if that is known.

    >>> ticks = {'all': 0, 'busy': 0, 'steal': 0, 'ours': 0}
    >>> later = {'all': 100, 'busy': 50, 'steal': 2, 'ours': 40}
    >>> list(meanwhile({'ticks_begin': ticks, 'ticks_end': later}))
    ['Meanwhile others took 10.0 % of the processors, other machines 2.0 %: not idle.']
    """
    if 'ticks_begin' not in machine or 'ticks_end' not in machine:
        return
    begin, end = machine['ticks_begin'], machine['ticks_end']
    spent = {what: end[what] - begin[what] for what in end}
    whole = max(spent['all'], 1)
    others = max(spent['busy'] - spent['ours'], 0) / whole
    steal = spent['steal'] / whole
    idle = '' if max(others, steal) < BUSY else ': not idle'
    yield (f'Meanwhile others took {others:.1%} of the processors, other machines '
           f'{steal:.1%}{idle}.').replace('%', ' %')


def say(lines):
    for line in lines:
        print(textwrap.fill(line, 90, subsequent_indent='  '), file=sys.stderr)


def main(when, pid):
    found = at_begin(pid) if when == 'begin' else at_end(pid)
    print(json.dumps({'machine': found}))
    if when == 'begin':
        say(described(found))
        if found['busy'] > BUSY:
            say([f'Warning: the machine is not idle, {found["busy"] * 100:.0f} % of its '
                 'processors are taken: the figures are not to be believed.'])


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in ('begin', 'end'):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]))
