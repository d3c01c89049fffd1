# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""headroom-doctor's checks of the device: is it there, who has it, what is left on the card."""
import errno
import os
import re
import shlex

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine
from headroom_doctor_configuration import refused_value
from headroom_doctor_names import nearest
from headroom_doctor_patient import (
    HINDERS, NOTE, OK, SERVER_TYPES, UNKNOWN, Finding, as_root, change, doctor, from_alsa,
    new_slave, where_is)

SHARED_TYPES = ('dmix', 'dsnoop', 'dshare')

def no_card():
    mend = [('Its driver is not loaded:', as_root(f'modprobe "$(cat {path})"'))
            for path in machine.pci_cards_without_driver()]
    if not mend and machine.has_module('snd-aloop'):
        mend = [('For trying, one that exists only in the kernel:',
                 as_root('modprobe snd-aloop'))]
    return Finding('device', HINDERS, 'there is no sound card', [
        'The kernel knows of none (/proc/asound/cards). Is it plugged in, and switched on in the '
        'firmware? A container has those that it was given (docker run --device /dev/snd).'], mend)


def no_such_card(patient, link):
    card = link['keys'].get('card', 0)
    there = machine.cards()
    name = there[min(there)][0]
    place = where_is(rf'(?:plug)?hw:(?:CARD=)?{re.escape(str(card))}\b')
    mend = [('Name one that is there:', change(place, re.sub(
        rf'{re.escape(str(card))}$', name, place[2])))] if place else \
        new_slave(patient, f'hw:{name}')
    mend.append(('These are there:', 'aplay -l; arecord -l'))
    return Finding('device', HINDERS, f"there is no card '{card}'", [
        'There are: ' + machine.cards_text() + '. A name stays the same when another card is '
        'plugged in, a number may not.'], mend)


def not_allowed(node):
    user = machine.user_name()
    group = machine.group_name(os.stat(node).st_gid)
    if group in machine.groups_to_be():
        mend = [('You were put into that group after you logged in. Log in again, or:',
                 f'newgrp {group}')]
    else:
        mend = [('Join it, then log in again:', as_root(f'usermod -aG {group} {user}'))]
    return Finding('device', HINDERS, f'{user} may not open {node}: '
                   f'that is for group {group}', mend=mend)


def check_device(patient):
    if patient.waits_for_card() and not machine.cards():
        yield no_card()
        return
    if patient.missing_default():
        return
    if not patient.is_understood() and not patient.waits_for_card():
        return
    for link, number in patient.cards():
        if number is None:
            yield no_such_card(patient, link) if machine.cards() else no_card()
            return
        nodes = machine.pcm_nodes(number, link['keys'].get('device', 0))
        closed = [node for node in nodes.values() if not os.access(node, os.R_OK | os.W_OK)]
        if closed:
            yield not_allowed(closed[0])
            return
    yield from opening(patient)


def opening(patient):
    """Whether it opens, but for its being busy."""
    server = patient.missing_server()
    if server:
        yield Finding('device', HINDERS, f'it needs {server}, which does not run',
                      mend=[(f'Start {server}:', start_line(server))])
        return
    errors = patient.errors()
    if machine.ROOT and patient.cards():
        errors = {}             # the card is one of a test: there is nothing to open
    busy = [way for way in errors if errors[way] == -errno.EBUSY]
    died = [(way, patient.opened[way].died) for way in errors if errors[way] is None]
    ways = [way for way in ('playback', 'recording') if way not in errors]
    if died:
        yield Finding('device', HINDERS, f'{died[0][0]}: alsa-lib was asked to open it, and '
                      f'{died[0][1]}', from_alsa(patient.opened[died[0][0]].lines),
                      [('Look for yourself:', f'aplay -v -D {shlex.quote(patient.device)} '
                        '-f S16_LE -r 48000 -c 2 -d 1 /dev/zero')])
    elif ways or busy:
        yield Finding('device', OK, 'it opens: ' + ' and '.join(ways) if ways else 'it is there')
    elif missing_module(patient):
        yield without_module(missing_module(patient))
    elif not refused_value(patient, patient.opened['playback'].lines):
        way = 'playback'
        yield Finding('device', HINDERS, 'it does not open: ' + os.strerror(-errors[way]),
                      from_alsa(patient.opened[way].lines),
                      [('See what it says of the device behind:',
                        f'aplay -v -D {shlex.quote(behind(patient))} '
                        '-f S16_LE -r 48000 -c 2 -d 1 /dev/zero')])


def missing_module(patient):
    """The type of device whose module alsa-lib does not find, or ''."""
    for answer in patient.opened.values():
        for line in answer.lines:
            found = re.search(r'Cannot open shared library libasound_module_pcm_(\w+)\.so', line)
            if found or 'Cannot open shared library' in line:
                return found.group(1) if found else 'headroom'
    return ''


def without_module(kind):
    if kind == 'headroom' or nearest(kind, ['headroom']):
        return Finding('device', UNKNOWN, 'it needs the module of headroom, see above')
    package = 'pipewire-alsa' if kind == 'pipewire' else 'libasound2-plugins'
    return Finding('device', HINDERS, f"it needs alsa-lib's plug-in '{kind}', which is not there",
                   mend=[('Install it:', as_root(f'apt-get install {package}'))])


def behind(patient):
    """The first device after headroom that has a name, or the device itself."""
    names = [link['name'] for link in patient.links if link['name']]
    return names[1] if len(names) > 1 else patient.device


# --- who has it ---

def start_line(server):
    cards = machine.cards()
    backend = f'alsa -d hw:{cards[min(cards)][0]}' if cards else 'dummy'
    return {'PipeWire': 'systemctl --user start pipewire.socket wireplumber.service',
            'PulseAudio': 'pulseaudio --start',
            'JACK': f'jackd -d {backend} &'}[server]


def ways_past(patient, process):
    """What makes a process let go of the device."""
    stop = f'kill {process.pid}'
    if process.uid not in (None, os.geteuid()):
        stop = as_root(stop)
    program = f'aplay -D {shlex.quote(patient.device)} sound.wav'
    if process.server == 'PipeWire':
        mend = [('Have it let go until the next login:',
                 'systemctl --user stop pipewire.socket pipewire-pulse.socket '
                 'pipewire.service wireplumber.service')]
    elif process.server == 'PulseAudio':
        mend = [('Have it let go while a program runs:', f'pasuspender -- {program}')]
    else:
        return [('End it:', stop)]
    place = where_is(r'\bslave\b', r'"(?:plug)?hw:[^"]*"')
    if place:
        device = 'pipewire' if process.server == 'PipeWire' else 'pulse'
        mend.append(('Or go through it, so that others are heard as well:',
                     change(place, f'"{device}"')))
    return mend + [('Or end it:', stop)]


def card_holders(patient):
    """Who has the card's PCMs, and the nodes that are wholly taken."""
    holders, taken = {}, []
    for link, number in patient.cards():
        if number is None:
            continue
        device = link['keys'].get('device', 0)
        for way, node in machine.pcm_nodes(number, device).items():
            owners, is_full = machine.taken_by(number, device, way[0].replace('r', 'c'))
            owners += machine.holders_of(node, patient.all)
            holders.update({process.pid: process for process in owners})
            if is_full:
                taken.append(node)
    return list(holders.values()), taken


def check_free(patient):
    if not patient.is_understood():
        return
    if any(number is None for _, number in patient.cards()):
        return
    holders, taken = card_holders(patient)
    busy = [way for way, error in patient.errors().items() if error == -errno.EBUSY]
    if not busy and (not taken or patient.first(*SHARED_TYPES)):
        if patient.opened and (machine.ROOT or len(patient.errors()) < 2):
            yield Finding('free', OK, 'nobody else has it' if not holders else
                          'shared with ' + ', '.join(map(str, holders)))
        return
    what = ' and '.join(busy) or ' '.join(taken)
    if holders and all(process.uses_headroom() for process in holders):
        yield Finding('free', OK, 'in use, through headroom, by ' + ', '.join(map(str, holders)))
    elif holders:
        yield Finding('free', HINDERS, 'it is held by ' + ', '.join(map(str, holders)), [what],
                      [way for process in holders for way in ways_past(patient, process)])
    elif os.geteuid() == 0:
        yield Finding('free', HINDERS, f'{what}: it is held, and by whom cannot be seen', [
            'By a process of another container, or by something that is no card.'],
                      [('See who makes sound:', 'fuser -v /dev/snd/*')])
    else:
        yield Finding('free', HINDERS, f'{what}: it is held by a process of another user',
                      mend=[('See whose:', as_root('fuser -v /dev/snd/*'))])


# --- sound servers ---

def check_server(patient):
    running = machine.servers(patient.all)
    link = patient.first(*SERVER_TYPES)
    own = SERVER_TYPES[link['type']] if link else ''
    if not running:
        if not own:
            yield Finding('sound server', OK, 'none runs')
        return
    for name, processes in sorted(running.items()):
        who = ', '.join(map(str, processes))
        if link:
            yield Finding('sound server', OK, f'{who}: the device goes through it')
        else:
            yield Finding(
                'sound server', NOTE, f'{name} runs: {who}',
                ['Whoever opens a card first has it. While a program plays through the server, '
                 f"'{patient.device}' is busy, and the other way round."],
                ways_past(patient, processes[0]))


# --- the card's elements ---

def check_elements(patient):
    headroom = patient.first('headroom')
    keeps = headroom and headroom['keys'].get('card_elements') == 'keep'
    for number in sorted({number for _, number in patient.cards() if number is not None}):
        card = f'hw:{number}'
        answer = alsa.count_elements(card)
        count = answer.value
        if count is None or count < 0:
            yield Finding('card elements', UNKNOWN, f'those of {card} cannot be read',
                          from_alsa(answer.lines) + ([answer.died] if answer.died else []))
        elif count and not keeps:
            yield Finding(
                'card elements', NOTE, f'{count} elements of a stream that was killed are '
                f'left on {card}', ['They show what was then. A stream with card_elements '
                                    'takes them over.'],
                [('Remove them:', doctor(f'--remove-elements {card}'))])
        else:
            yield Finding('card elements', OK, f'{card}: {count} kept by card_elements keep'
                          if count else f'{card}: none left over')
