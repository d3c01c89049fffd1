# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-doctor's checks share: what they yield, the device that they look at, and how
to write a line to type."""
import glob
import os
import re
import shlex
import shutil
import sys

import headroom_doctor_alsa as alsa
import headroom_doctor_machine as machine

OK, HINDERS, NOTE, UNKNOWN = 'ok', 'hinders', 'note', 'unknown'
SERVER_TYPES = {'pipewire': 'PipeWire', 'pulse': 'PulseAudio', 'jack': 'JACK'}


class Finding:
    """One thing that was looked at. mend: pairs of what a line does, and the line."""

    def __init__(self, check, status, says, why=(), mend=()):
        self.check = check
        self.status = status
        self.says = says
        self.why = list(why)
        self.mend = list(mend)

    def as_json(self):
        return {'check': self.check, 'status': self.status, 'says': self.says,
                'why': self.why,
                'mend': [{'does': does, 'line': line} for does, line in self.mend]}


class Patient:
    """The device and what was learnt about it so far."""

    def __init__(self, device):
        self.device = device
        self.base = device.split(':')[0]
        self.configuration = alsa.read_configuration(device)
        value = self.configuration.value
        self.library, self.no_library = \
            (value['library'], '') if value else alsa.library_path()
        self.controls = value['controls'] if value else {}
        self.links = value['chain'] if value else []
        self.through = value['through'] if value else []
        self.pcms = value['pcms'] if value else []
        self.has_defaults = bool(value) and value['has_defaults']
        self.named_modules = value['lib'] if value else {}
        self.all = machine.processes()
        self.opened = {}

    def is_read(self):
        value = self.configuration.value
        return bool(value) and value['error'] >= 0

    def first(self, *types):
        return next((link for link in self.links if link['type'] in types), None)

    def waits_for_card(self):
        """Whether what the device means cannot be known without a card that is missing."""
        return any(link['error'] for link in self.links) and any(
            re.search('annot find card|annot get card', line)
            for line in self.configuration.lines)

    def missing_default(self):
        """The first device that means a card that there is not, as alsa-lib's own names do: a
        link, or None."""
        return next((link for link in self.links if link['error'] and not link['is_known'] and
                     link['alias'].startswith('cards.')), None)

    def is_understood(self):
        return self.is_read() and bool(self.links) and all(
            link['type'] and not link['error'] for link in self.links)

    def key(self, name, otherwise):
        """A whole number that the definition of headroom has, or what holds without."""
        headroom = self.first('headroom')
        text = str(headroom['keys'].get(name, otherwise)) if headroom else ''
        return int(text) if text.isdigit() else otherwise

    def cards(self):
        """The hardware devices that sound ends in: (link, number or None)."""
        return [(link, machine.card_number(link['keys'].get('card', 0)))
                for link in self.links if link['type'] == 'hw']

    def missing_server(self):
        """The sound server that the device needs and that does not run, or ''."""
        link = self.first(*SERVER_TYPES)
        name = SERVER_TYPES[link['type']] if link else ''
        running = machine.servers(self.all)
        # PipeWire may stand in for both of the others.
        return '' if name in running or 'PipeWire' in running else name

    def open(self):
        """Try both directions, once."""
        if not self.opened and not self.missing_server():
            self.opened = {way: alsa.open_device(self.device, direction, self.links)
                           for way, direction in (('playback', alsa.PLAYBACK),
                                                  ('recording', alsa.CAPTURE))}
        return self.opened

    def errors(self):
        return {way: answer.value for way, answer in self.open().items()
                if answer.value != 0}


# --- lines to type ---

def as_root(line):
    if os.geteuid() == 0:
        return line
    if shutil.which('sudo'):
        return 'sudo ' + line
    # In double quotes: $$ is to be that of the shell it is typed in.
    for char in '\\"`':
        line = line.replace(char, '\\' + char)
    # As at a login of root, whose PATH has usermod and what apt-get runs.
    return f'su - -c "{line}"'


def doctor(rest):
    """A line that calls us again, as we were called."""
    here = os.path.realpath(sys.argv[0])
    found = shutil.which('headroom-doctor')
    name = 'headroom-doctor' if found and os.path.realpath(found) == here else shlex.quote(here)
    return f'{name} {rest}'


def tool(line):
    """A line that calls a tool: that on the PATH, else the one beside us."""
    name, _, rest = line.partition(' ')
    beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), name)
    return line if shutil.which(name) else f'{shlex.quote(beside)} {rest}'


def home_file():
    return os.path.expanduser('~/.asoundrc')


def append(*lines):
    words = ' '.join(shlex.quote(line) for line in lines)
    # What is last there may be a comment without an end.
    begin = '\\n' if machine.read(home_file())[-1:] not in ('', '\n') else ''
    return f"printf '{begin}%s\\n' {words} >> ~/.asoundrc"


def new_slave(patient, device):
    """What leads headroom to another device: at most one pair."""
    link = patient.first('headroom')
    if not link or ':' in patient.device or not isinstance(link['keys'].get('slave'), dict):
        return []
    key = f'{link["path"]}.slave.!pcm'
    if link['path'] == 'pcm.headroom' and patient.has_defaults:
        key = 'defaults.headroom.slave'
    return [('Name one that is there:', append(f'{key} "{device}"'))]


def configuration_files():
    """The files of this user and of this machine, what is read last first."""
    xdg = os.environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')
    files = [xdg + '/alsa/asoundrc', home_file(), '/etc/asound.conf']
    files += sorted(glob.glob('/etc/alsa/conf.d/*.conf'), reverse=True)
    named = [path for path in os.environ.get('ALSA_CONFIG_PATH', '').split(':') if path]
    return [path for path in named + files if os.path.isfile(path)]


def where_is(*patterns):
    """The first line of the configuration that has a match of each: (file, number, text of
    the last match), or None."""
    for path in configuration_files():
        for number, line in enumerate(machine.read(path).splitlines(), 1):
            text = line.split('#')[0]
            matches = [re.search(pattern, text) for pattern in patterns]
            if all(matches):
                return path, number, matches[-1].group(0)
    return None


def change(place, new):
    """A line that puts something else in the place of what where_is() has found."""
    path, number, old = place
    for char in '\\/.*[]^$&':
        old = old.replace(char, '\\' + char)
    new = new.replace('\\', '\\\\').replace('/', '\\/').replace('&', '\\&')
    line = f'sed -i {shlex.quote(f"{number}s/{old}/{new}/")} {shlex.quote(path)}'
    return line if os.access(path, os.W_OK) else as_root(line)


def editor():
    """One that is there, or ''."""
    def is_there(program):
        # What Debian has for this is there without any that it could call.
        return shutil.which(program) and (program != 'sensible-editor' or any(
            map(shutil.which, ('editor', 'nano', 'nano-tiny', 'vi'))))
    own = os.environ.get('EDITOR', '')
    if own.split() and is_there(own.split()[0]):
        return own
    return next(filter(is_there, ('sensible-editor', 'nano', 'vi')), '')


def edit(path, number):
    """A line that opens a file there; where nothing can, one that only says where it is."""
    program = editor()
    if not program:
        return f'# {path}, line {number}'
    line = f'{program} +{number} {shlex.quote(path)}'
    return line if os.access(path, os.W_OK) else as_root(line)


def from_alsa(lines, most=4):
    """What alsa-lib or a plug-in said, without where in the source it says it."""
    plain = [re.sub(r'^ALSA lib \S+:\d+:\(\w+\) ', '', line) for line in lines]
    return plain[-most:]
