# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-doctor says of a configuration that alsa-lib cannot read: alsa-lib names the
line that it came to, which is often one after that with the mistake."""
import os
import re
import shlex

import headroom_doctor_machine as machine
from headroom_doctor_patient import HINDERS, Finding, as_root, edit, from_alsa

TOKEN = re.compile(r'''#[^\n]*|<[^>\n]*>|"(?:\\.|[^"\\])*(?:"|\Z)|'''
                   r''''(?:\\.|[^'\\])*(?:'|\Z)|[{}[\]=,;\n]|'''
                   r'''[^\s{}[\]=,;"'#]+''', re.S)


def complaint(lines):
    """(file, line, what) of the first that alsa-lib complains of, or None."""
    for i, line in enumerate(lines):
        found = re.search(r'\) (\S*):(\d+):\d+:(.*)', line)
        if not found:
            continue
        path = found.group(1)
        if path in ('', '_toplevel_'):
            later = ' '.join(lines[i:])
            named = re.search(r'\) (\S+) may be old or corrupted', later)
            path = named.group(1) if named else ''
        return path, int(found.group(2)), found.group(3).strip()
    return None


def tokens(text):
    """(line, token) of each: a word, a whole string, a brace; none of a file to be read."""
    number = 1
    for found in TOKEN.finditer(text):
        token = found.group(0)
        if token[0] not in '\n#<':
            yield number, token
        number += token.count('\n')


def mistake(text):
    """(first line, last line, what is wrong) of the first that can be told, or None."""
    opened, pairs, key = [], [[]], None
    for number, token in tokens(text):
        if token[0] in '"\'' and ('\n' in token or len(token) < 2 or token[-1] != token[0]):
            return number, number, f'the quote opened in line {number} is not closed'
        if token in '{[':
            opened.append((token, number))
            pairs.append([])
            key = None
        elif token in '}]':
            if key:
                line, name = valueless(pairs[-1], key)
                return line, number, f"in line {line} '{name}' has no value"
            if not opened:
                return number, number, f'no brace is open that line {number} could close'
            opened.pop()
            pairs.pop()
        elif token not in '=,;' and (not opened or opened[-1][0] == '{'):
            if key:
                pairs[-1].append((key, number))
            key = None if key else (number, token)
    if opened:
        number = opened[-1][1]
        return number, number, f'the brace opened in line {number} is not closed'
    return None


def valueless(pairs, last):
    """The key that has none: of those before it, the first that took its value from the next
    line, which is a key itself."""
    return next((key for key, line in pairs if line != key[0]), last)


def unreadable_configuration(patient):
    answer = patient.configuration
    place = complaint(answer.lines)
    if not place or not place[0]:
        why = from_alsa(answer.lines) + ([answer.died] if answer.died else [])
        return Finding('configuration', HINDERS, 'alsa-lib cannot read its configuration', why, [
            ('See what it says:', 'aplay -L')])
    path, number, what = place
    aside = f'mv {shlex.quote(path)} {shlex.quote(path + ".broken")}'
    text = machine.read(path)
    first, last, wrong = mistake(text) or (number, number, '')
    if first > number:
        first, last, wrong = number, number, ''
    says = f'{path} cannot be read any further than line {number}: {what}'
    return Finding(
        'configuration', HINDERS, says + (f'; {wrong}' if wrong else ''),
        lines_of(text, first, last) + ['No program has any sound until this is mended.'],
        [('Mend it:', edit(path, first)),
         ('Or do without all that is in it: the devices in it are gone, too, until it is put back:',
          aside if os.access(os.path.dirname(path), os.W_OK) else as_root(aside))])


def lines_of(text, first, last):
    """Some lines as they are, not more than four and none for ever."""
    numbered = list(enumerate(text.splitlines(), 1))[first - 1:min(last, first + 3)]
    return [f'line {number}: ' + ''.join(char if char.isprintable() else ' ' for char in
                                         line.strip()[:70]) for number, line in numbered]
