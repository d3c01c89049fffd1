# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-doctor makes of a word in the configuration that is none: which is meant, or
what holds without it."""
import difflib
import os
import re
import shlex

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine
from headroom_doctor_patient import HINDERS, Finding, change, edit, from_alsa, where_is

# As in conf/50-headroom.conf and without it.
DEFAULTS = {
    'slave.period': '0', 'slave.buffer': '0', 'trigger': '90', 'clear': '70', 'depth_ms': '2000',
    'on_underrun': 'xrun', 'on_overrun': 'xrun', 'on_device_loss': 'error',
    'latency_samples': '1024', 'rt_priority': '60', 'card_elements': 'no', 'ipc_perm': '0600',
    'tstamp_type': 'gettimeofday'}
VALUE = r'[\s=]+"?[^\s{};"]+"?'


def nearest(word, known):
    """The one of them that is likely meant, or None."""
    return next(iter(difflib.get_close_matches(word, known, 1)), None)


def of_type_headrom(kind, path, wrong):
    """A Finding: the definition of a pcm or a ctl has a type that is nearly headroom."""
    name = path.removeprefix(kind + '.')
    check = 'configuration' if kind == 'pcm' else 'control device'
    what = rf'\btype[\s=]+"?{re.escape(wrong)}"?(?=[\s;}}]|$)'
    place = where_is(rf'\b{kind}\.!?{re.escape(name)}\b', what) or where_is(what)
    mend = [('Write it so:', change(place, place[2].replace(wrong, 'headroom')))] if place else []
    return Finding(check, HINDERS, f"the type of {path} is '{wrong}': did you mean headroom?",
                   mend=mend)


def misspelt_type(patient):
    """A Finding about a PCM whose type is nearly headroom, or None."""
    for link in patient.links:
        if link['type'] != 'headroom' and nearest(link['type'], ['headroom']):
            return of_type_headrom('pcm', link['path'], link['type'])
    return None


def unknown_key(patient, name, key, known):
    """What mends a key that is none: pairs of what a line does, and the line."""
    right = nearest(key, known)
    place = right and place_of(name, rf'{last_of(key)}(?:\.\S+)?{VALUE}',
                               rf'{last_of(key)}(?:\.\S+)?(?=\s|=|$)')
    if place:
        text = re.sub(rf'\b{last_of(key)}(?=[\s=.]|$)', right.split('.')[-1], place[2], count=1)
        return [(f"Did you mean '{right}'?", change(place, text)),
                ('Or write something else:', edit(place[0], place[1]))]
    taken_out = without(name, key, None)
    # There has to be one.
    headroom = patient.first('headroom')
    slave = headroom and headroom['keys'].get('slave')
    return taken_out if slave else taken_out[1:]


def last_of(key):
    return re.escape(key.split('.')[-1])


def place_of(name, *patterns):
    """Where the first of these is that is anywhere, in a line with the name before others."""
    for what in patterns:
        what = rf'(?:[^\s{{}}"]+\.)?\b{what}'
        place = where_is(r'\b' + re.escape(name) + r'\b', what) or where_is(what)
        if place:
            return place
    return None


def place_of_value(name, key, value):
    return place_of(name, rf'{last_of(key)}[\s=]+"?{re.escape(value)}"?(?=[\s;}}]|$)')


def nearest_allowed(value, allowed):
    """Of a number that is out of range the end that it is beyond, of a word the one of those
    allowed that is likely meant, or None. allowed: as headroom says it."""
    ends = re.fullmatch(r'a whole number from (\d+) to (\d+)', allowed)
    if not ends:
        words = allowed.split(', ')
        return nearest(value, words) if all(map(str.isidentifier, words)) else None
    if not re.fullmatch(r'-?\d+', value):
        return None
    return str(min(max(int(value), int(ends[1])), int(ends[2])))


def within(name, key, value, allowed):
    """What puts the nearest value that is allowed in the place of one that is not."""
    right = nearest_allowed(value, allowed)
    place = right and place_of_value(name, key, value)
    if not place:
        return []
    does = 'Use the nearest that is allowed:' if right.isdigit() else f"Did you mean '{right}'?"
    return [(does, change(place, right.join(place[2].rsplit(value, 1))))]


def without(name, key, value, take='Take'):
    """What takes a value out; None: whichever. With what stands before the key and a dot."""
    place = place_of_value(name, key, value) if value is not None else \
        place_of(name, rf'{last_of(key)}\s+[^\s;}}]+(?=[\s;}}]|$)')
    default = DEFAULTS.get(key)
    does = f'{take} it out' + (f' to use the default ({default}):' if default else ':')
    return [(does, change(place, '')),
            ('Or write something else:', edit(place[0], place[1]))] if place else []


def near_devices(patient, full):
    """What puts a device that is there in the place of one that is not."""
    place = where_is(rf'[\w.!]+[\s=]+"?{re.escape(full)}"?(?=[\s;}}]|$)')
    if not place:
        return []
    key = re.match(r'[\w.!]+[\s=]+', place[2]).group(0)
    mend = []
    # alsa-lib's "cards" is for itself.
    right = nearest(full, [name for name in patient.pcms if name not in (patient.base, 'cards')])
    if right:
        mend.append((f"Did you mean '{right}'?", change(place, f'{key}"{right}"')))
    if machine.cards():
        mend.append(('Put one there that exists:', change(place, f'{key}"{some_card()}"')))
    return mend


def some_card():
    """A device that is there: the first card, the demo's, or what takes all and plays nothing."""
    cards = machine.cards()
    if cards:
        return f'hw:{cards[min(cards)][0]}'
    return 'card' if alsa.has_definition('pcm', 'card') else 'null'


def and_who_hears(does):
    """What a line with some_card() in it does, for who should know that nobody does."""
    return does + ('; with no card, it plays to nobody:' if some_card() == 'null' else ':')


def demo_has(name):
    """What makes the devices of scripts/demo known, if it has that one."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = source + '/build/demo/env'
    for word in shlex.split(machine.read(path), comments=True):
        if word.startswith('ALSA_CONFIG_PATH=') and \
                alsa.has_definition('pcm', name, word.partition('=')[2]):
            return [('scripts/demo has such a device; to have it in this terminal:',
                     f'. {shlex.quote(path)}')]
    return []


def control_that_fails(patient, name, answer):
    """A Finding about a control device that does not open."""
    kind = patient.controls[name]
    if kind != 'headroom' and nearest(kind, ['headroom']):
        return of_type_headrom('ctl', 'ctl.' + name, kind)
    place = where_is(rf'\bctl\.!?{re.escape(name)}\b')
    return Finding('control device', HINDERS, f"'{name}' does not open: "
                   f'{answer.died or os.strerror(-answer.value)}', from_alsa(answer.lines),
                   [('Mend its definition:', edit(place[0], place[1]))] if place else [
                       ('See what it says:', f'amixer -D {shlex.quote(name)} contents')])
