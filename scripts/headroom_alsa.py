# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""As much of alsa-lib as it takes to read control devices, by ctypes: pyalsa cannot open one
for which there is no definition in the user's configuration."""
import ctypes
import os
import re

from headroom_pages import HeadroomError, user_id

_IFACE_PCM = 3
_BOOLEAN, _INTEGER, _ENUMERATED, _INTEGER64 = 1, 2, 3, 6
EVENT_VALUE, EVENT_ADD = 1 << 0, 1 << 2
EVENT_REMOVE = 0xffffffff
NONBLOCK = 1

_handle = ctypes.c_void_p
_text = ctypes.c_char_p
_uint = ctypes.c_uint
_int = ctypes.c_int
_out = ctypes.POINTER(ctypes.c_void_p)
_error_handler = ctypes.CFUNCTYPE(None, _text, _int, _text, _int, _text, ctypes.c_void_p)

_SIGNATURES = {
    "snd_strerror": (_text, _int),
    "snd_lib_error_set_local": (ctypes.c_void_p, _error_handler),
    "snd_config_update_ref": (_int, _out),
    "snd_config_unref": (None, _handle),
    "snd_config_search": (_int, _handle, _text, _out),
    "snd_config_copy": (_int, _out, _handle),
    "snd_config_make_compound": (_int, _out, _text, _int),
    "snd_config_imake_string": (_int, _out, _text, _text),
    "snd_config_imake_integer": (_int, _out, _text, ctypes.c_long),
    "snd_config_add": (_int, _handle, _handle),
    "snd_config_top": (_int, _out),
    "snd_config_delete": (_int, _handle),
    "snd_ctl_open": (_int, _out, _text, _int),
    "snd_ctl_open_lconf": (_int, _out, _text, _int, _handle),
    "snd_ctl_close": (_int, _handle),
    "snd_ctl_subscribe_events": (_int, _handle, _int),
    "snd_ctl_poll_descriptors_count": (_int, _handle),
    "snd_ctl_poll_descriptors": (_int, _handle, ctypes.c_void_p, _uint),
    "snd_ctl_read": (_int, _handle, _handle),
    "snd_ctl_elem_list": (_int, _handle, _handle),
    "snd_ctl_elem_list_sizeof": (ctypes.c_size_t,),
    "snd_ctl_elem_list_alloc_space": (_int, _handle, _uint),
    "snd_ctl_elem_list_free_space": (None, _handle),
    "snd_ctl_elem_list_get_count": (_uint, _handle),
    "snd_ctl_elem_list_get_used": (_uint, _handle),
    "snd_ctl_elem_list_get_id": (None, _handle, _uint, _handle),
    "snd_ctl_elem_id_sizeof": (ctypes.c_size_t,),
    "snd_ctl_elem_id_get_interface": (_int, _handle),
    "snd_ctl_elem_id_get_subdevice": (_uint, _handle),
    "snd_ctl_elem_id_get_name": (_text, _handle),
    "snd_ctl_elem_info_sizeof": (ctypes.c_size_t,),
    "snd_ctl_elem_info_set_id": (None, _handle, _handle),
    "snd_ctl_elem_info": (_int, _handle, _handle),
    "snd_ctl_elem_info_get_type": (_int, _handle),
    "snd_ctl_elem_info_get_items": (_uint, _handle),
    "snd_ctl_elem_info_set_item": (None, _handle, _uint),
    "snd_ctl_elem_info_get_item_name": (_text, _handle),
    "snd_ctl_elem_value_sizeof": (ctypes.c_size_t,),
    "snd_ctl_elem_value_set_id": (None, _handle, _handle),
    "snd_ctl_elem_read": (_int, _handle, _handle),
    "snd_ctl_elem_write": (_int, _handle, _handle),
    "snd_ctl_elem_value_get_boolean": (_int, _handle, _uint),
    "snd_ctl_elem_value_get_integer": (ctypes.c_long, _handle, _uint),
    "snd_ctl_elem_value_get_integer64": (ctypes.c_longlong, _handle, _uint),
    "snd_ctl_elem_value_get_enumerated": (_uint, _handle, _uint),
    "snd_ctl_elem_value_set_boolean": (None, _handle, _uint, ctypes.c_long),
    "snd_ctl_elem_value_set_integer": (None, _handle, _uint, ctypes.c_long),
    "snd_ctl_event_sizeof": (ctypes.c_size_t,),
    "snd_ctl_event_elem_get_mask": (_uint, _handle),
    "snd_ctl_event_elem_get_id": (None, _handle, _handle),
}


def _load():
    try:
        library = ctypes.CDLL("libasound.so.2")
        for name, (result, *arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise HeadroomError(f"alsa-lib cannot be used ({error}): install libasound2 1.2 "
                            "or newer") from error
    return library


class _Alsa:
    """alsa-lib, loaded when it is first asked for something, and what it complained of."""

    def __init__(self):
        self._library = None
        self._vsnprintf = ctypes.CDLL(None).vsnprintf
        self._vsnprintf.argtypes = [ctypes.c_void_p, ctypes.c_size_t, _text, ctypes.c_void_p]
        self._handler = _error_handler(self._on_error)
        self._complaints = []

    def __getattr__(self, name):
        if self._library is None:
            self._library = _load()
        function = getattr(self._library, name)
        setattr(self, name, function)
        return function

    def _on_error(self, _file, _line, _function, _code, form, arguments):
        text = ctypes.create_string_buffer(512)
        self._vsnprintf(text, len(text), form, arguments)
        self._complaints.append(_decode(text.value))

    def listen(self):
        """Before it may complain, in each thread anew: else it writes to standard error, into
        the midst of the screen."""
        self.snd_lib_error_set_local(self._handler)
        self._complaints = []

    def take_complaints(self):
        complaints, self._complaints = self._complaints, []
        return complaints

    def buffer(self, kind):
        """Zeroed memory for an opaque object of alsa-lib's."""
        return ctypes.create_string_buffer(getattr(self, f"snd_ctl_{kind}_sizeof")())

    def error_text(self, code):
        return _decode(self.snd_strerror(code))


def _decode(text):
    return text.decode("utf-8", "replace")


alsa = _Alsa()


class Configuration:
    """A configuration that knows nothing but one control device, "stream", and how its
    module is found. It is alsa-lib's, and deleted at the end of a with block."""

    def __init__(self, name, user):
        self._top = ctypes.c_void_p()
        self._check(alsa.snd_config_top(ctypes.byref(self._top)))
        try:
            self._add_module_path()
            device = self._compound(self._compound(self._top, b"ctl"), b"stream")
            self._add(device, alsa.snd_config_imake_string, b"type", b"headroom")
            self._add(device, alsa.snd_config_imake_string, b"name", os.fsencode(name))
            if user is not None:
                self._add(device, alsa.snd_config_imake_integer, b"user", user_id(user))
        except HeadroomError:
            self.__exit__()
            raise

    def __enter__(self):
        return self._top

    def __exit__(self, *_):
        alsa.snd_config_delete(self._top)

    @staticmethod
    def _check(code):
        if code < 0:
            raise HeadroomError("ALSA's configuration cannot be read: "
                                + why_failed(code, alsa.take_complaints()))

    def _add(self, parent, make, key, value):
        node = ctypes.c_void_p()
        self._check(make(ctypes.byref(node), key, value))
        self._check(alsa.snd_config_add(parent, node))
        return node

    def _compound(self, parent, key):
        return self._add(parent, alsa.snd_config_make_compound, key, 0)

    def _add_module_path(self):
        """The line ctl_type.headroom.lib, if the user's configuration has it."""
        users, found, copy = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._check(alsa.snd_config_update_ref(ctypes.byref(users)))
        try:
            if alsa.snd_config_search(users, b"ctl_type.headroom", ctypes.byref(found)) < 0:
                return
            self._check(alsa.snd_config_copy(ctypes.byref(copy), found))
            self._check(alsa.snd_config_add(self._compound(self._top, b"ctl_type"), copy))
        finally:
            alsa.snd_config_unref(users)


def why_failed(code, complaints):
    """The error of a call in words: what alsa-lib said, or what the number means."""
    return "; ".join(dict.fromkeys(complaints)) or alsa.error_text(code)


class StreamGone(HeadroomError):
    """The stream, or all of its control device, is not there any more."""


class Element:
    """One element of a control device: its id and how its value is read."""

    def __init__(self, handle, identity):
        self.identity = identity
        info = alsa.buffer("elem_info")
        alsa.snd_ctl_elem_info_set_id(info, identity)
        code = alsa.snd_ctl_elem_info(handle, info)
        if code < 0:
            raise StreamGone(alsa.error_text(code))
        self.type = alsa.snd_ctl_elem_info_get_type(info)
        self.items = self._item_names(handle, info) if self.type == _ENUMERATED else ()

    @staticmethod
    def _item_names(handle, info):
        names = []
        for item in range(min(alsa.snd_ctl_elem_info_get_items(info), 64)):
            alsa.snd_ctl_elem_info_set_item(info, item)
            alsa.snd_ctl_elem_info(handle, info)
            names.append(_decode(alsa.snd_ctl_elem_info_get_item_name(info)))
        return tuple(names)

    def value_in(self, memory):
        if self.type == _INTEGER64:
            return alsa.snd_ctl_elem_value_get_integer64(memory, 0)
        if self.type == _BOOLEAN:
            return bool(alsa.snd_ctl_elem_value_get_boolean(memory, 0))
        if self.type == _ENUMERATED:
            item = alsa.snd_ctl_elem_value_get_enumerated(memory, 0)
            return self.items[item] if item < len(self.items) else f"({item})"
        return alsa.snd_ctl_elem_value_get_integer(memory, 0)

    def set_in(self, memory, value):
        if self.type == _BOOLEAN:
            alsa.snd_ctl_elem_value_set_boolean(memory, 0, int(value))
        else:
            alsa.snd_ctl_elem_value_set_integer(memory, 0, int(value))


_ELEMENT = re.compile(r"Headroom (Playback|Capture) (.+)")


def split_identity(identity):
    """Direction, slot and name of an element of ours; None for any other."""
    if alsa.snd_ctl_elem_id_get_interface(identity) != _IFACE_PCM:
        return None
    match = _ELEMENT.fullmatch(_decode(alsa.snd_ctl_elem_id_get_name(identity)))
    if not match:
        return None
    return match[1].lower(), alsa.snd_ctl_elem_id_get_subdevice(identity), match[2]
