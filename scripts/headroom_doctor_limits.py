# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""headroom-doctor's checks of what the user is allowed: real-time priority, locked memory."""
import ctypes
import mmap
import os
import resource
import shlex

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine
from headroom_doctor_patient import HINDERS, NOTE, OK, UNKNOWN, Finding, append, as_root

DEFAULT_PRIORITY = 60
DEFAULT_DEPTH_MS = 2000
PAGE_BYTES = 64 * 1024          # more than the counters of a stream take

def limit_for_good(item, wanted, line):
    """What gives the user a limit at each login."""
    user = machine.user_name()
    disabled = '/etc/security/limits.d/audio.conf.disabled'
    again = 'then log in again:'
    if machine.is_allowed_to_be(item, wanted):
        return ('You have it for good: log in again, or for this terminal:', f'su - {user}')
    groups = machine.groups_allowed(item, wanted)
    join = f'usermod -aG audio {user}'
    if groups:
        group = 'audio' if 'audio' in groups else groups[0]
        return (f'For good, {again}', as_root(f'usermod -aG {group} {user}'))
    if os.path.exists(machine.rooted(disabled)):
        move = f'mv {disabled} {disabled.removesuffix(".disabled")} && {join}'
        return (f'For good, {again}', as_root(f'sh -c {shlex.quote(move)}'))
    write = f'echo "{line}" >> /etc/security/limits.d/headroom.conf && {join}'
    return (f'For good, {again}', as_root(f'sh -c {shlex.quote(write)}'))


def limit_mends(kind, item, letter, unit, wanted, value, line):
    """What raises a limit: now, and for good. wanted and value count in units, as ulimit
    does, of which the kernel counts so many."""
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or hard >= wanted * unit:
        return [('In this terminal:', f'ulimit -S{letter} {value}' if hard >= value * unit or
                 hard == resource.RLIM_INFINITY else f'ulimit -S{letter} {hard // unit}')]
    if not machine.may_raise_limits():
        return [('Here not even root may raise it; from outside of a container:',
                 f'docker run --cap-add=SYS_NICE --ulimit {item}={value * unit} …')]
    now = as_root(f'prlimit --pid $$ --{item}={value * unit}')
    if os.geteuid() == 0:
        return [('In this terminal:', now)]
    return [('In this terminal, for now:', now), limit_for_good(item, wanted, line)]


def try_priority(priority):
    """None, or the error of getting that real-time priority, for a moment."""
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return error
    os.sched_setscheduler(0, policy, param)
    return None


def check_realtime(patient):
    wanted = patient.key('rt_priority', DEFAULT_PRIORITY)
    if wanted == 0:
        yield Finding('real-time', OK, 'rt_priority is 0: it is not asked for')
        return
    error = try_priority(wanted)
    if error is None:
        yield Finding('real-time', OK, f'headroom gets priority {wanted}')
        return
    if os.sched_getscheduler(0) == os.SCHED_IDLE:
        yield Finding('real-time', HINDERS, 'this terminal is of the idle class', [
            'Whatever else runs goes first, and what is played from here breaks off meanwhile.'],
                      [('Make it an ordinary one:', as_root('chrt -o -p 0 $$'))])
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        mend = limit_mends(resource.RLIMIT_RTPRIO, 'rtprio', 'r', 1, wanted, max(95, wanted),
                           f'@audio - rtprio {max(95, wanted)}')
        if len(mend) == 2:
            does = 'A busy machine clicks. In this terminal, or from the next login on:'
            mend = [(does, line) for _, line in mend]
        if 0 < hard < wanted and patient.base == 'headroom':
            mend.append(('Or be content with less:',
                         append(f'defaults.headroom.rt_priority {hard}')))
        yield Finding('real-time', NOTE, f'priority {wanted} is asked for, and '
                      f'{machine.user_name()} may have {soft or "none"}', (), mend)
    else:
        yield Finding('real-time', NOTE, f'priority {wanted} is refused, although the limit '
                      'allows it', ['By a service (RestrictRealtime=), a container, or a control '
                                    'group.'],
                      [('A busy machine clicks without. See what applies:',
                        'cat /proc/self/cgroup; grep Seccomp /proc/self/status')])


def bytes_text(count):
    if count == resource.RLIM_INFINITY:
        return 'any amount'
    if count < 1 << 20:
        return f'{count / 1024:.0f} KiB'
    return f'{count / (1 << 20):.1f} MiB'


def try_lock(count):
    """0, or the error of locking that much memory."""
    def question():
        libc = ctypes.CDLL(None, use_errno=True)
        memory = mmap.mmap(-1, count)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        failed = libc.mlock(ctypes.c_void_p(start), ctypes.c_size_t(count))
        return ctypes.get_errno() if failed else 0
    return alsa.ask(question).value


def check_memory(patient):
    depth_ms = patient.key('depth_ms', DEFAULT_DEPTH_MS)
    # Two channels of 32 bits at 48 kHz, half a second of the program's buffer, counters.
    needed = (depth_ms + 500) * 48 * 2 * 4 + PAGE_BYTES
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    error = try_lock(needed)
    what = f'a stereo recording at 48 kHz with depth_ms {depth_ms} takes {bytes_text(needed)}'
    if error == 0:
        yield Finding('memory lock', OK, what + ', which may be locked')
    elif error is None:
        yield Finding('memory lock', UNKNOWN, what + ', which this machine does not give')
    else:
        kib = max(needed // 1024 + 1, 65536)
        yield Finding(
            'memory lock', NOTE, f'{what}, and {bytes_text(soft)} may be locked',
            ['Sound is fine until memory is short: then what is not locked may be swapped out, '
             'and is late when it is needed.'],
            limit_mends(resource.RLIMIT_MEMLOCK, 'memlock', 'l', 1024, needed // 1024 + 1, kib,
                        '@audio - memlock unlimited'))
