# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-doctor reads of this machine: cards, who holds them, sound servers, limits
and groups. What may not be read without root is left out.

HEADROOM_DOCTOR_ROOT, for tests, names a folder in which /proc/asound, /proc/1/status,
/dev/snd, /etc and /sys are looked for; processes are always those of this machine.
"""
import glob
import grp
import os
import pwd
import re
import shutil
import subprocess

ROOT = os.environ.get('HEADROOM_DOCTOR_ROOT', '')
SERVERS = {'pipewire': 'PipeWire', 'wireplumber': 'PipeWire', 'pipewire-media-': 'PipeWire',
           'pipewire-pulse': 'PipeWire', 'pulseaudio': 'PulseAudio', 'jackd': 'JACK',
           'jackdbus': 'JACK'}


def read(path):
    """The text of a file, '' if it cannot be read."""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def rooted(path):
    return ROOT + path


# --- processes ---

class Process:
    def __init__(self, pid):
        self.pid = pid
        self.name = read(f'/proc/{pid}/comm').strip() or 'a process'
        try:
            self.uid = os.stat(f'/proc/{pid}').st_uid
        except OSError:
            self.uid = None

    def __str__(self):
        if self.uid is None or self.uid == os.geteuid():
            return f'{self.name} (process {self.pid})'
        return f'{self.name} (process {self.pid} of {user_name(self.uid)})'

    @property
    def server(self):
        """The sound server that it is or belongs to, or ''."""
        return SERVERS.get(self.name, '')

    def uses_headroom(self):
        return 'libasound_module_pcm_headroom' in read(f'/proc/{self.pid}/maps')

    def files(self):
        """What it has open, as far as that may be seen."""
        try:
            descriptors = os.listdir(f'/proc/{self.pid}/fd')
        except OSError:
            return
        for descriptor in descriptors:
            try:
                yield os.readlink(f'/proc/{self.pid}/fd/{descriptor}')
            except OSError:
                pass


def processes():
    return [Process(int(name)) for name in os.listdir('/proc') if name.isdigit()]


def process_of_thread(thread):
    found = re.search(r'^Tgid:\s*(\d+)', read(f'/proc/{thread}/status'), re.M)
    return Process(int(found.group(1)) if found else thread)


def servers(of_all):
    """The processes of sound servers among them, by the server's name."""
    found = {}
    for process in of_all:
        if process.server:
            found.setdefault(process.server, []).append(process)
    return found


# --- cards ---

def cards():
    """The cards there are: number -> (id, description)."""
    lines = read(rooted('/proc/asound/cards'))
    return {int(number): (name, what.strip()) for number, name, what in
            re.findall(r'^ *(\d+) \[(\S+) *\]: (.*)$', lines, re.M)}


def cards_text():
    there = cards()
    return ', '.join(f'{number} ({there[number][0]})' for number in sorted(there))


def card_number(card):
    """Of a number, an id, or a node as alsa-lib takes them; None if there is no such."""
    there = cards()
    node = re.fullmatch(r'/dev/snd/controlC(\d+)', str(card))
    text = node.group(1) if node else str(card)
    if text.isdigit():
        return int(text) if int(text) in there else None
    return next((number for number, (name, _) in there.items() if name == text), None)


def pcm_nodes(number, device):
    """The nodes of a PCM device: direction -> path."""
    paths = {'playback': f'/dev/snd/pcmC{number}D{device}p',
             'recording': f'/dev/snd/pcmC{number}D{device}c'}
    return {way: rooted(path) for way, path in paths.items() if os.path.exists(rooted(path))}


def taken_by(number, device, letter):
    """Of a direction ('p', 'c'): the processes that have its subdevices, and whether all
    of these are taken."""
    pattern = rooted(f'/proc/asound/card{number}/pcm{device}{letter}/sub*/status')
    texts = [read(path) for path in sorted(glob.glob(pattern))]
    owners = [re.search(r'^owner_pid\s*:\s*(\d+)', text, re.M) for text in texts]
    taken = [text for text in texts if text and text.strip() != 'closed']
    holders = {}
    for owner in owners:
        if owner:
            process = process_of_thread(int(owner.group(1)))
            holders[process.pid] = process
    return list(holders.values()), bool(texts) and len(taken) == len(texts)


def holders_of(node, of_all):
    """The processes that have a node open."""
    return [process for process in of_all if node in process.files()]


def has_module(name):
    """Whether this kernel has such a driver to load."""
    modinfo = shutil.which('modinfo', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    return bool(modinfo) and subprocess.run(
        [modinfo, name], capture_output=True, check=False).returncode == 0


def pci_cards_without_driver():
    """The modaliases of sound cards that no driver has taken."""
    found = []
    for folder in sorted(glob.glob(rooted('/sys/bus/pci/devices/*'))):
        if read(folder + '/class').startswith('0x04') and not os.path.exists(folder + '/driver'):
            found.append(folder + '/modalias')
    return found


# --- users, groups and limits ---

def user_name(uid=None):
    uid = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def groups_now():
    """The names of the groups that this process is in."""
    return {group_name(gid) for gid in set(os.getgroups()) | {os.getegid()}}


def groups_to_be():
    """Those that the user is in after the next login."""
    user = user_name()
    lines = read(rooted('/etc/group')).splitlines()
    named = {line.split(':')[0] for line in lines
             if line.count(':') == 3 and user in line.split(':')[3].split(',')}
    try:
        return named | {group_name(pwd.getpwnam(user).pw_gid)}
    except KeyError:
        return named


def limit_lines(item):
    """What limits.conf and limits.d say of an item: (who, type, value, file)."""
    files = [rooted('/etc/security/limits.conf')]
    files += sorted(glob.glob(rooted('/etc/security/limits.d/*.conf')))
    for path in files:
        for line in read(path).splitlines():
            words = line.split('#')[0].split()
            if len(words) == 4 and words[2] == item and words[1] in ('-', 'soft', 'hard'):
                yield words[0], words[1], words[3], path


def limit_value(text):
    """In the unit of limits.conf; infinite for all words that mean so."""
    return float(text) if re.fullmatch(r'\d+', text) else float('inf')


def may_raise_limits():
    """Whether root may raise a hard limit, which takes CAP_SYS_RESOURCE: in most containers
    nobody has that."""
    if os.geteuid() == 0:
        found = re.search(r'^CapEff:\s*(\w+)', read('/proc/self/status'), re.M)
    else:
        found = re.search(r'^CapBnd:\s*(\w+)', read(rooted('/proc/1/status')), re.M)
    return not found or bool(int(found.group(1), 16) >> 24 & 1)


def groups_allowed(item, at_least):
    """The groups that get that much of an item at login. Some packages name one that they do
    not make."""
    there = {line.split(':')[0] for line in read(rooted('/etc/group')).splitlines()}
    return [who[1:] for who, kind, value, _ in limit_lines(item)
            if who.startswith('@') and who[1:] in there and kind in ('-', 'hard') and
            limit_value(value) >= at_least]


def is_allowed_to_be(item, at_least):
    """Whether the user gets that much after the next login."""
    me = {user_name(), '*'} | {'@' + group for group in groups_to_be()}
    return any(who in me and kind in ('-', 'hard') and limit_value(value) >= at_least
               for who, kind, value, _ in limit_lines(item))
