# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""headroom-doctor's checks of the counters: can they be kept, and can they be seen."""
import errno
import os
import resource
import shlex
import stat
import time

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine
from headroom_doctor_names import control_that_fails
from headroom_doctor_patient import HINDERS, NOTE, OK, Finding, append, as_root, tool
from headroom_episodes import read_log
from headroom_pages import HeadroomError, page_directory, stream_names
from headroom_words import REASONS, clean, count

PAGE_BYTES = 64 * 1024          # more than the counters of a stream take
RECENT_S = 600


def check_counters(patient):
    folder = page_directory()
    named = bool(os.environ.get('HEADROOM_DIR'))
    problem = folder_problem(folder, named)
    headroom = patient.is_read() and patient.first('headroom')
    yield problem or Finding('counters', OK, folder + (used_names(headroom) if headroom else ''))
    if headroom:
        yield from recent_gaps(name_of(headroom))
        yield control_device(patient)


def name_of(headroom):
    """Under which the counters are found."""
    return headroom['keys'].get('name') or headroom['name'].split(':')[0]


def recent_gaps(name):
    """A note if something was lost or invented within the last minutes."""
    now = time.monotonic_ns()
    try:
        episodes = read_log(name).episodes if name else []
    except HeadroomError:
        return
    ages = [(0 if episode.live and episode.going_on else
             (now - episode.begin_ns - episode.length_ns) / 1e9, episode.late)
            for episode in episodes if episode.is_gap]
    ages = sorted(age for age in ages if 0 <= age[0] < RECENT_S)
    if ages:
        age, late = ages[0]
        ago = f'{age:.0f} s' if age < 100 else f'{age / 60:.0f} min'
        when = f', the last {ago} ago' if len(ages) > 1 else f' {ago} ago'
        yield Finding('counters', NOTE, f'{count(len(ages), "gap")}{when}, {REASONS[late]}',
                      mend=[('See when, and how long:', tool(f'headroom-log {shlex.quote(name)}'))])


def used_names(headroom):
    """Which names streams have run under, if not under this one."""
    try:
        names = [clean(name) for name in stream_names()]
    except HeadroomError:
        return ''
    if not names or name_of(headroom) in names:
        return ''
    return f"; no stream has run under '{name_of(headroom)}', but under: {', '.join(names)}"


def folder_problem(folder, named):
    quoted = shlex.quote(folder)
    parent = os.path.dirname(folder.rstrip('/')) or '.'
    try:
        there = os.lstat(folder)
    except FileNotFoundError:
        return parent_problem(parent, named)
    except OSError as error:
        return counters(f'{folder}: {error.strerror}', [('Use another:', 'unset HEADROOM_DIR')])
    if stat.S_ISLNK(there.st_mode):
        return counters(f'{folder} is a link, and links are not followed',
                        [('Name what it leads to:',
                          f'export HEADROOM_DIR={shlex.quote(os.path.realpath(folder))}')]
                        if named else [('Remove it:', f'rm {quoted}')])
    if not stat.S_ISDIR(there.st_mode):
        return counters(f'{folder} is no folder', [('Remove it:', f'rm {quoted}')])
    if there.st_uid != os.geteuid():
        owner = machine.user_name(there.st_uid)
        return counters(f'{folder} belongs to {owner}', [
            ('Use one of your own:', 'unset HEADROOM_DIR') if named else
            ('Remove it:', as_root(f'rm -r {quoted}'))])
    if there.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return counters(f'{folder} can be written by others',
                        [('Keep them out:', f'chmod go-w {quoted}')])
    if there.st_mode & 0o700 != 0o700 and os.geteuid() != 0:
        return counters(f'{folder} can not be used by its owner',
                        [('Allow it:', f'chmod u+rwx {quoted}')])
    return space_problem(folder)


def counters(says, mend):
    return Finding('counters', HINDERS, says,
                   ['There is sound without them, but nothing of it can be seen.'], mend)


def parent_problem(parent, named):
    if not os.path.isdir(parent):
        line = f'mkdir -p {shlex.quote(parent)}'
        if parent == '/dev/shm':
            line = as_root('mount -m -t tmpfs -o mode=1777 tmpfs /dev/shm')
        return counters(f'the folder {parent} does not exist', [('Make it:', line)])
    if not os.access(parent, os.W_OK | os.X_OK):
        return counters(f'in {parent} no folder can be made', [
            ('Use the usual one:', 'unset HEADROOM_DIR') if named else
            ('Allow it:', as_root(f'chmod 1777 {shlex.quote(parent)}'))])
    return space_problem(parent)


def space_problem(folder):
    """Whether a file as large as that of a stream can be made there."""
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if largest != resource.RLIM_INFINITY and largest < PAGE_BYTES:
        return counters('a file may not become as large as the counters are (RLIMIT_FSIZE)',
                        [('In this terminal:', 'ulimit -Sf unlimited')])
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR):
            return None
        return counters(f'{folder}: {error.strerror}', [('See what it is:', f'df -h {folder}')])
    try:
        os.posix_fallocate(file, 0, PAGE_BYTES)
    except OSError as error:
        return counters(f'{folder}: {error.strerror}', [
            ('See what takes the room:', f'du -ah $(df --output=target {shlex.quote(folder)} | '
             'tail -n 1) | sort -h | tail')])
    finally:
        os.close(file)
    return None


def control_device(patient):
    """Whether the counters can be seen under the name of the stream."""
    headroom = patient.first('headroom')
    name = name_of(headroom)
    if not name:
        return Finding('control device', NOTE, 'the device has no name of its own',
                       mend=[('See its counters:', 'ls ' + page_directory())])
    for shown_by in (headroom['name'].split(':')[0], name):
        if shown_by in patient.controls:
            shown_by = headroom['name'] if shown_by in headroom['name'] else shown_by
            answer = alsa.open_control(shown_by)
            if answer.value != 0:
                return control_that_fails(patient, shown_by.split(':')[0], answer)
            return Finding('control device', OK, f'amixer -D {shlex.quote(shown_by)} contents')
    return Finding('control device', HINDERS, f"there is no control device '{name}', by which "
                   'to see the counters', mend=[
                       ('Define it:', append(f'ctl.{name} {{ type headroom }}'))])
