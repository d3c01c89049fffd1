# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-doctor asks of alsa-lib: what a configuration means, whether a device
can be opened, which elements a card has.

alsa-lib prints what it dislikes and loads code of others, so each question is put by a
child process: what it prints is caught, and it may hang or crash.
"""
import ctypes
import json
import os
import select
import signal
import sys
import tempfile
import time

PLAYBACK, CAPTURE = 0, 1
NONBLOCK = 1
DEEPEST = 16                    # devices behind each other; more is a circle

# snd_config_type_t
INTEGER, INTEGER64, REAL, STRING, COMPOUND = 0, 1, 2, 3, 1024


class Answer:
    """What a child found out: value (None if it did not get that far), the lines that it
    printed, and what it died of, or ''."""

    def __init__(self, value, lines, died):
        self.value = value
        self.lines = lines
        self.died = died


def _read_until(fd, deadline):
    """All that comes from fd, or None if it has not ended by then."""
    parts = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        part = os.read(fd, 65536)
        if not part:
            return b''.join(parts)
        parts.append(part)


def _be_child(question, write_end, printed):
    status = 1
    try:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        os.write(write_end, json.dumps(question()).encode())
        status = 0
    except BaseException as error:      # it must not get back into the caller's code
        print(f'{type(error).__name__}: {error}', file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def ask(question, seconds=5):
    """Have a child call question(), and wait so long for its Answer."""
    with tempfile.TemporaryFile() as printed:
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _be_child(question, write_end, printed)
        os.close(write_end)
        text = _read_until(read_end, time.monotonic() + seconds)
        os.close(read_end)
        if text is None:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        died = ''
        if text is None:
            died = f'it gave no answer in {seconds} s'
        elif status < 0:
            died = f'it crashed ({signal.Signals(-status).name})'
        printed.seek(0)
        lines = printed.read().decode(errors='replace').splitlines()
    value = json.loads(text) if text and not died else None
    return Answer(value, [line.strip() for line in lines if line.strip()], died)


def load():
    """alsa-lib itself. OSError if there is none."""
    alsa = ctypes.CDLL('libasound.so.2')
    pointer = ctypes.c_void_p
    for name in ('snd_config_iterator_first', 'snd_config_iterator_next',
                 'snd_config_iterator_end', 'snd_config_iterator_entry'):
        getattr(alsa, name).restype = pointer
        getattr(alsa, name).argtypes = [pointer]
    alsa.snd_strerror.restype = ctypes.c_char_p
    alsa.snd_asoundlib_version.restype = ctypes.c_char_p
    return alsa


def _library_path():
    load()
    with open('/proc/self/maps', encoding='utf-8') as maps:
        return [line.split(maxsplit=5)[5].strip() for line in maps
                if '/libasound.so' in line][0]


def library_path():
    """Where the alsa-lib that programs get lies, or None; and why there is none."""
    answer = ask(_library_path)
    return answer.value, answer.died or ' '.join(answer.lines[-1:])


class Configuration:
    """alsa-lib's configuration, in a child only."""

    def __init__(self):
        self.alsa = load()
        self.error = self.alsa.snd_config_update()
        self.top = ctypes.c_void_p.in_dll(self.alsa, 'snd_config')

    def value(self, node):
        """A node as Python has it: dict, str, int, float."""
        kind = self.alsa.snd_config_get_type(node)
        if kind == COMPOUND:
            return dict(self._children(node))
        if kind == STRING:
            text = ctypes.c_char_p()
            self.alsa.snd_config_get_string(node, ctypes.byref(text))
            return (text.value or b'').decode(errors='replace')
        if kind == REAL:
            real = ctypes.c_double()
            self.alsa.snd_config_get_real(node, ctypes.byref(real))
            return real.value
        if kind == INTEGER64:
            wide = ctypes.c_longlong()
            self.alsa.snd_config_get_integer64(node, ctypes.byref(wide))
            return wide.value
        number = ctypes.c_long()
        self.alsa.snd_config_get_integer(node, ctypes.byref(number))
        return number.value if kind == INTEGER else None

    def _children(self, node):
        end = self.alsa.snd_config_iterator_end(node)
        at = self.alsa.snd_config_iterator_first(node)
        while at != end:
            child = ctypes.c_void_p(self.alsa.snd_config_iterator_entry(at))
            name = ctypes.c_char_p()
            self.alsa.snd_config_get_id(child, ctypes.byref(name))
            yield name.value.decode(errors='replace'), self.value(child)
            at = self.alsa.snd_config_iterator_next(at)

    def definition(self, kind, name):
        """The definition of a name with all in it evaluated, or the negative error."""
        found = ctypes.c_void_p()
        error = self.alsa.snd_config_search_definition(
            self.top, kind.encode(), name.encode(), ctypes.byref(found))
        if error < 0:
            return error
        value = self.value(found)
        self.alsa.snd_config_delete(found)
        return value

    def find(self, key):
        """What the configuration has under that key, or None."""
        found = ctypes.c_void_p()
        error = self.alsa.snd_config_search(self.top, key.encode(), ctypes.byref(found))
        return found if error == 0 else None

    def of_type(self, kind):
        """The PCMs that are defined as of this type."""
        pcms = self.find('pcm')
        return [name for name, keys in (self.value(pcms).items() if pcms else ())
                if isinstance(keys, dict) and keys.get('type') == kind]

    def names(self, kind):
        """All that are defined."""
        found = self.find(kind)
        return [name for name, _ in self._children(found)] if found else []

    def forget(self, key):
        """As if that key were not there."""
        found = self.find(key)
        if found:
            self.alsa.snd_config_delete(found)

    def chain(self, device):
        """The devices that sound goes through: a list of links, dicts of name, type, keys
        (the definition), path (of the key in the configuration), is_known (there is
        something under its name), alias (what that refers to, or '') and error (0, or why it
        means nothing)."""
        links = []
        self._follow(links, device, 'pcm.' + device.split(':')[0], 0)
        return links

    def _follow(self, links, target, path, depth):
        name, keys, alias = '', target, ''
        if isinstance(target, str):
            name, path = target, 'pcm.' + target.split(':')[0]
            keys = self.definition('pcm', target)
            alias = self._alias(path)
            path = 'pcm.' + alias.split(':')[0] if alias else path
        if isinstance(keys, str) and depth < DEEPEST:
            return self._follow(links, keys, path, depth + 1)
        if not isinstance(keys, dict) or depth >= DEEPEST:
            error = keys if isinstance(keys, int) else 0
            links.append({'name': name, 'type': '', 'keys': {}, 'path': path, 'error': error,
                          'is_known': self.find(path) is not None, 'alias': alias})
            return
        links.append({'name': name, 'type': str(keys.get('type', '')), 'keys': keys,
                      'path': path, 'error': 0, 'is_known': True, 'alias': alias})
        for key, slave in self._slaves(keys):
            self._follow(links, slave, f'{path}.{key}', depth + 1)

    def _alias(self, path):
        """What a name refers to in the end, or ''."""
        alias = ''
        for _ in range(DEEPEST):
            node = self.find(path)
            value = self.value(node) if node else None
            if not isinstance(value, str):
                break
            alias, path = value, 'pcm.' + value.split(':')[0]
        return alias

    def _slaves(self, keys):
        """The devices behind one, each with its key."""
        if keys.get('type') == 'hw':
            return
        if 'slave' in keys:
            slave = keys['slave']
            if isinstance(slave, str):
                slave = self.definition('pcm_slave', slave)
            if isinstance(slave, dict) and 'pcm' in slave:
                yield 'slave.pcm', slave['pcm']
        for key, slave in (keys.get('slaves') or {}).items():
            if isinstance(slave, dict) and 'pcm' in slave:
                yield f'slaves.{key}.pcm', slave['pcm']
        for key in ('playback', 'capture'):
            slave = keys.get(key)
            if isinstance(slave, dict) and 'pcm' in slave:
                yield f'{key}.pcm', slave['pcm']


def read_configuration(device):
    """An Answer: the path of the library, error of reading all (0: none), the chain of
    device, where the configuration says that the modules are (None: it does not), and the
    control devices by which the counters of the chain may be seen, each with its type, all
    PCMs of type headroom, the names of all, and whether the installed one has its defaults."""
    def question():
        configuration = Configuration()
        answer = {'library': _library_path(), 'error': configuration.error, 'chain': [],
                  'lib': {}, 'controls': {}, 'through': [],
                  'pcms': [], 'has_defaults': False}
        if configuration.error < 0:
            return answer
        for kind in ('pcm', 'ctl'):
            definition = configuration.definition(f'{kind}_type', 'headroom')
            answer['lib'][kind] = definition.get('lib') if isinstance(definition, dict) else None
        print('-- chain', file=sys.stderr, flush=True)
        answer['through'] = configuration.of_type('headroom')
        answer['pcms'] = configuration.names('pcm')
        answer['has_defaults'] = configuration.find('defaults.headroom.slave') is not None
        answer['chain'] = configuration.chain(device)
        for link in answer['chain']:
            if link['type'] == 'headroom':
                names = {link['name'].split(':')[0], str(link['keys'].get('name', ''))} - {''}
                found = {name: configuration.definition('ctl', name) for name in names}
                answer['controls'].update({name: str(keys.get('type', '')) for name, keys in
                                           found.items() if isinstance(keys, dict)})
        return answer
    return ask(question)


def has_definition(kind, name, path=''):
    """Whether there is one: in the configuration, or in that which begins in a file."""
    def question():
        if path:
            os.environ['ALSA_CONFIG_PATH'] = path
        return isinstance(Configuration().definition(kind, name), dict)
    return bool(ask(question).value)


def open_control(name):
    """An Answer: 0 or the negative error of opening a control device."""
    def question():
        control = ctypes.c_void_p()
        alsa = Configuration().alsa
        error = alsa.snd_ctl_open(ctypes.byref(control), name.encode(), NONBLOCK)
        if error == 0:
            alsa.snd_ctl_close(control)
        return error
    return ask(question)


def open_device(device, direction, links):
    """An Answer: 0 or the negative error of opening the device. Its counters are kept
    elsewhere meanwhile, and no elements are put on the card."""
    with tempfile.TemporaryDirectory() as pages:
        def question():
            os.environ['HEADROOM_DIR'] = pages
            configuration = Configuration()
            for link in links:
                if link['type'] == 'headroom':
                    configuration.forget(link['path'] + '.card_elements')
            pcm = ctypes.c_void_p()
            error = configuration.alsa.snd_pcm_open(
                ctypes.byref(pcm), device.encode(), direction, NONBLOCK)
            if error == 0:
                configuration.alsa.snd_pcm_close(pcm)
            return error
        return ask(question)


def _load_module(path, symbol):
    try:
        module = ctypes.CDLL(path)
    except OSError as error:
        return str(error)
    if not hasattr(module, symbol):
        return f'{path} is no such module: it has no {symbol}'
    return ''


def load_modules(modules):
    """Of each of these, pairs of path and symbol: '' if alsa-lib could use it, or why not."""
    answer = ask(lambda: [_load_module(path, symbol) for path, symbol in modules])
    if answer.value is not None:
        return answer.value
    if len(modules) == 1:
        return [answer.died or answer.lines[-1]]
    return [why for module in modules for why in load_modules([module])]


# --- elements of a card ---

class _Elements:
    """The elements "Headroom …" of a control device, in a child only."""

    def __init__(self, card):
        self.alsa = load()
        self.ctl = ctypes.c_void_p()
        self.error = self.alsa.snd_ctl_open(ctypes.byref(self.ctl), card.encode(), 0)

    def _made(self, kind):
        thing = ctypes.c_void_p()
        getattr(self.alsa, f'snd_ctl_elem_{kind}_malloc')(ctypes.byref(thing))
        return thing

    def each(self):
        """The id of each that is headroom's, and whether a living stream has it."""
        elements = self._made('list')
        self.alsa.snd_ctl_elem_list(self.ctl, elements)
        count = self.alsa.snd_ctl_elem_list_get_count(elements)
        self.alsa.snd_ctl_elem_list_alloc_space(elements, count)
        self.alsa.snd_ctl_elem_list(self.ctl, elements)
        self.alsa.snd_ctl_elem_list_get_name.restype = ctypes.c_char_p
        for i in range(self.alsa.snd_ctl_elem_list_get_used(elements)):
            name = self.alsa.snd_ctl_elem_list_get_name(elements, i).decode(errors='replace')
            if name.startswith(('Headroom Playback ', 'Headroom Capture ')):
                element = self._made('id')
                self.alsa.snd_ctl_elem_list_get_id(elements, i, element)
                yield element, name, self._is_locked(element)

    def _is_locked(self, element):
        info = self._made('info')
        self.alsa.snd_ctl_elem_info_set_id(info, element)
        return (self.alsa.snd_ctl_elem_info(self.ctl, info) == 0 and
                bool(self.alsa.snd_ctl_elem_info_is_locked(info)))

    def left_over(self):
        """Those of streams that live no more: of the subdevices where no living one has
        State. Trigger, Clear and Reset are never locked."""
        elements = [(element, name, locked, self._place(element, name))
                    for element, name, locked in self.each()]
        alive = {place for _, _, locked, place in elements if locked}
        return [element for element, _, _, place in elements if place not in alive]

    def _place(self, element, name):
        return (name.split()[1], self.alsa.snd_ctl_elem_id_get_device(element),
                self.alsa.snd_ctl_elem_id_get_subdevice(element))

    def remove(self, element):
        return self.alsa.snd_ctl_elem_remove(self.ctl, element)


def count_elements(card):
    """An Answer: how many elements of ended streams that card, "hw:0" for example, has;
    or the negative error of opening its control device."""
    def question():
        elements = _Elements(card)
        return elements.error or len(elements.left_over())
    return ask(question)


def remove_elements(card):
    """An Answer: how many were removed, and the first error or 0."""
    def question():
        elements = _Elements(card)
        if elements.error:
            return [0, elements.error]
        errors = [elements.remove(element) for element in elements.left_over()]
        return [errors.count(0), next((error for error in errors if error), 0)]
    return ask(question)
