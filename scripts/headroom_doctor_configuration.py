# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The first of headroom-doctor's checks: can alsa-lib find the modules, and what does the
configuration mean."""
import glob
import os
import platform
import re
import shlex

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine
from headroom_doctor_names import (
    and_who_hears, demo_has, misspelt_type, near_devices, nearest, some_card, unknown_key, within,
    without)
from headroom_doctor_patient import (
    HINDERS, OK, SERVER_TYPES, UNKNOWN, Finding, append, as_root, change, doctor, edit, from_alsa,
    new_slave, where_is)
from headroom_doctor_syntax import unreadable_configuration

MODULES = {'pcm': ('libasound_module_pcm_headroom.so', '_snd_pcm_headroom_open'),
           'ctl': ('libasound_module_ctl_headroom.so', '_snd_ctl_headroom_open')}

def module_folder(patient):
    given = os.environ.get('ALSA_PLUGIN_DIR')
    return given or os.path.dirname(patient.library) + '/alsa-lib'


def module_path(patient, kind):
    named = patient.named_modules.get(kind) or MODULES[kind][0]
    return named if '/' in named else os.path.join(module_folder(patient), named)


def modules_elsewhere(kind):
    """Where else the module lies: installed under another prefix, or built beside us."""
    name = MODULES[kind][0]
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = [f'/usr/lib/{platform.machine()}-linux-gnu/alsa-lib', '/usr/lib*/alsa-lib',
              '/usr/lib/*/alsa-lib', '/usr/local/lib*/alsa-lib', '/usr/local/lib/*/alsa-lib',
              source + '/build*/plugin']
    found = [path for place in places for path in sorted(glob.glob(f'{place}/{name}'))]
    found = list(dict.fromkeys(found))
    whys = alsa.load_modules([(path, MODULES[kind][1]) for path in found])
    return [path for path, why in zip(found, whys) if not why]


def install_line():
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    go = f'cd {shlex.quote(source)} && ' if os.path.exists(source + '/meson.build') else ''
    return (f'{go}meson setup build-release --prefix=/usr --buildtype=release && '
            'meson compile -C build-release && ' +
            as_root('meson install -C "$PWD/build-release"'))


def ways_to_module(patient, kind):
    """What brings alsa-lib and the module together."""
    named = patient.named_modules.get(kind)
    wrong = where_is(re.escape(named)) if named else None
    elsewhere = [path for path in modules_elsewhere(kind) if path != named]
    usual = os.path.join(os.path.dirname(patient.library), 'alsa-lib', MODULES[kind][0])
    if not named and os.environ.get('ALSA_PLUGIN_DIR') and usual in elsewhere:
        return [('Look where alsa-lib looks by itself:', 'unset ALSA_PLUGIN_DIR')]
    if wrong and elsewhere:
        return [('It is somewhere else; have the configuration say so:',
                 change(wrong, elsewhere[0]))]
    if elsewhere:
        return [('It is somewhere else; tell alsa-lib so:',
                 append(f'{kind}_type.headroom.lib "{elsewhere[0]}"'))]
    return [('Build and install it, in the folder of its source:', install_line())]


def check_module(patient):
    if not patient.library:
        yield Finding('module', HINDERS, 'alsa-lib itself, libasound.so.2, cannot be loaded',
                      [patient.no_library],
                      [('Install it:', as_root('apt-get install --reinstall libasound2'))])
        return
    # It may say where they are.
    if not patient.is_read():
        return
    found = {kind: module_path(patient, kind) for kind in MODULES}
    there = [kind for kind, path in found.items() if os.access(path, os.R_OK)]
    whys = dict(zip(there, alsa.load_modules(
        [(found[kind], MODULES[kind][1]) for kind in there])))
    for kind, path in found.items():
        yield about_module(patient, kind, path, whys.get(kind))


def about_module(patient, kind, path, why):
    """A Finding; why it cannot be loaded: '' if it can be, None if it was not tried."""
    check = 'module' if kind == 'pcm' else 'control module'
    if why == '':
        return Finding(check, OK, path)
    if why:
        return Finding(check, HINDERS, f'{path} cannot be loaded', [why],
                       ways_to_module(patient, kind))
    if os.path.exists(path):
        return Finding(check, HINDERS, f'{path} may not be read', mend=[
            ('Let all read it:', as_root(f'chmod a+r {shlex.quote(path)}'))])
    return Finding(check, HINDERS, f'alsa-lib looks for {path}, and it is not there',
                   mend=ways_to_module(patient, kind))


# --- configuration ---

def refused_value(patient, lines):
    """A Finding about the value that headroom refuses, or None."""
    for line in from_alsa(lines, most=len(lines)):
        found = re.match(r"headroom: in pcm\.(.+?): (?:(\S+) is '(.*?)', allowed: (.*)|"
                         r"unknown key '(.+?)'; known: (.*)|"
                         r"(clear) is (\d+) and trigger is (\d+))", line)
        if found:
            name, key, value, allowed, unknown, known, clear, low, high = found.groups()
            if unknown:
                mend = unknown_key(patient, name, unknown, known.split(', '))
            elif clear:
                mend = without(name, clear, low) or without(name, 'trigger', high)
            else:
                near = within(name, key, value, allowed)
                mend = near + without(name, key, value, 'Or take' if near else 'Take')
        elif line.startswith('headroom: ') and ': no slave is given' in line:
            mend = [(and_who_hears('Give one'), append(
                f'{patient.first("headroom")["path"]}.slave.pcm "{some_card()}"'))]
        elif 'slave takes a pcm_slave' in line:
            mend = slave_as_pcm(patient)
        else:
            continue
        return Finding('configuration', HINDERS, line.replace('headroom: ', '', 1), (), mend)
    return None


def slave_as_pcm(patient):
    """What makes a slave that is the name of a PCM one."""
    headroom = patient.first('headroom')
    slave = str(headroom['keys'].get('slave', '')) if headroom else ''
    place = where_is(rf'\bslave\s+"?{re.escape(slave)}"?')
    return [('Write it so:', change(place, f'slave.pcm "{slave}"'))] if place else []


def new_device(name, slave):
    return append(f'pcm.{name} {{ type headroom slave.pcm "{slave}" }}',
                  f'ctl.{name} {{ type headroom }}')


def unknown_device(patient, link):
    """A name that nothing is defined under."""
    snippet = '/usr/share/alsa/alsa.conf.d/50-headroom.conf'
    full = link['alias'] or link['name']
    why = []
    name = full.split(':')[0]
    if name == 'headroom' and os.path.exists(snippet):
        mend = [('Its definition is there, but not switched on:',
                 as_root(f'ln -s {snippet} /etc/alsa/conf.d/'))]
    elif link is patient.links[0] and not link['alias']:
        simple = re.fullmatch(r'[\w-]+', name)
        near = nearest(name, patient.through)
        does = 'Did you mean this one?' if near else 'Look at one that is there:'
        mend = demo_has(full) + [(does, doctor(shlex.quote(other)))
                                 for other in ([near] if near else patient.through[:1])]
        if patient.through:
            why.append('Those that go through headroom: ' + ', '.join(patient.through))
        # What headroom's own name means comes with it, or from the demo.
        if simple and not near and name != 'headroom':
            mend.append((and_who_hears('Define it'), new_device(name, some_card())))
    else:
        mend = demo_has(full) or near_devices(patient, full)
    mend.append(('These are there:', 'aplay -L'))
    return Finding('configuration', HINDERS, f"there is no device '{full}'", why, mend)


def default_card(patient):
    """What alsa-lib's own names mean is read from the card's, which is not there."""
    if not machine.cards():
        return Finding('configuration', UNKNOWN, f"what '{patient.links[0]['name']}' means depends "
                       'on a sound card')
    card = os.environ.get('ALSA_PCM_CARD') or os.environ.get('ALSA_CARD') or '0'
    return Finding('configuration', HINDERS, f"'{patient.missing_default()['name']}' means card "
                   f"'{card}', and there is none", [
                       'There are: ' + machine.cards_text() + '. Which one it means the variable '
                       'ALSA_CARD says, or defaults.pcm.card.'],
                   new_slave(patient, some_card()) + [('These are there:', 'aplay -l; arecord -l')])


def goes_past(patient):
    """A device without headroom: does no harm, but headroom does no good."""
    mend = []
    has_own = alsa.has_definition('pcm', 'headroom')
    if has_own:
        mend.append(('Look at the device that does instead:', doctor('headroom')))
    if patient.base == 'default':
        to_headroom = ['pcm.!default { type plug slave.pcm "headroom" }']
        if not has_own:
            to_headroom = ['pcm.!default { type plug slave.pcm "watched" }',
                           f'pcm.watched {{ type headroom slave.pcm "{target_of(patient)}" }}',
                           'ctl.watched { type headroom }']
        mend.append(('Make it the way of every program that does not ask for a device:',
                     append(*to_headroom)))
    else:
        mend.append(("Define a device, 'watched', that goes through headroom to it:",
                     new_device('watched', patient.device.replace('"', ''))))
    return Finding('configuration', HINDERS, f"'{patient.device}' does not go through headroom: "
                   'nothing is kept back for it, and nothing counted', mend=mend)


def target_of(patient):
    """What default leads to, by a name that does not lead back to it."""
    names = [name for link in patient.links for name in (link['alias'], link['name'])
             if name not in ('', 'default')]
    server = patient.first(*SERVER_TYPES)
    if names:
        return names[0]
    return server['type'] if server else 'sysdefault'


def meaningless(patient, link):
    """A device whose definition cannot be made sense of."""
    lines = from_alsa(patient.configuration.lines)
    name = link['name'] or patient.device
    says = f"the definition of '{name}' means nothing"
    if not link['error'] or any('circular' in line for line in lines):
        says = f"the definition of '{name}' leads back to itself, or has no type"
    place = where_is(r'\bpcm\.!?' + re.escape(name.split(':')[0]) + r'\b')
    mend = [('Mend it:', edit(place[0], place[1]))] if place else [
        ('See what it says:', f'aplay -v -D {shlex.quote(name)} /dev/zero')]
    return Finding('configuration', HINDERS, says, [line for line in lines if line != '-- chain'],
                   mend)


def check_configuration(patient):
    if not patient.library:
        return
    if not patient.is_read():
        yield unreadable_configuration(patient)
        return
    unknown = [link for link in patient.links if link['error'] and not link['is_known']]
    if patient.missing_default():
        yield default_card(patient)
        return
    if unknown:
        yield unknown_device(patient, unknown[0])
        return
    if misspelt_type(patient):
        yield misspelt_type(patient)
        return
    unclear = [link for link in patient.links if link['error'] or not link['type']]
    if unclear and not patient.waits_for_card():
        yield meaningless(patient, unclear[0])
        return
    if not unclear and not patient.first('headroom'):
        yield goes_past(patient)
        return
    lines = [line for answer in patient.open().values() for line in answer.lines]
    refused = refused_value(patient, lines)
    if refused:
        yield refused
    elif unclear:
        yield Finding('configuration', UNKNOWN, f"what '{unclear[0]['name']}' means depends on "
                      'a sound card')
    else:
        yield Finding('configuration', OK, ' -> '.join(
            link['name'] or f'({link["type"]})' for link in patient.links))
