# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The streams of headroom and their counters, for the tools that are written in Python.

Read as every ALSA program could read them: by alsa-lib, from control devices of the type
headroom, or from the elements on a card. alsa-lib is called through ctypes, since pyalsa
cannot open a control device for which there is no definition in the user's configuration.

    monitor = Monitor()                     # all streams of this user, as they come and go
    for reading in monitor.read():          # one reading of each that has ever run
        print(reading.name, reading.direction, reading.state, reading.latency_p99_us)
    monitor.write(reading.stream, "Reset", 1)
    monitor.problems                        # what could not be read, a line each

    monitor = Monitor(names=["mine"])       # only of this name, whether it ever ran or not
    monitor = Monitor(devices=["hw:0"])     # the elements of a card, or a control device

None of it is safe to be called by two threads at once. What alsa-lib complains of goes
into the errors and problems in the thread that was the first to use it; in another one it
goes to standard error.
"""
import ctypes
import errno
import json
import os
import pwd
import re
import select
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import NamedTuple

SLOTS_MAX = 64
NAME_BYTES_MAX = 63

# Each element of a stream as it is called after "Headroom Playback ", and the field of
# Reading that holds it, with its unit. README.md says what they mean.
FIELDS = {
    "State": "state",
    "Healthy": "is_healthy",
    "Fill": "fill_percent",
    "Fill Max": "fill_max_percent",
    "Pressure": "pressure_percent",
    "Pressure State": "pressure_state",
    "Pressure Count": "pressure_count",
    "Pressure Time": "pressure_ms",
    "Pressure Time Now": "pressure_now_ms",
    "Chunks Pushed": "chunks_pushed",
    "Chunks Popped": "chunks_popped",
    "Chunks Dropped": "chunks_dropped",
    "Frames": "frames",
    "Frames Dropped": "frames_dropped",
    "Frames Silence": "frames_silence",
    "Drop Rate": "drop_rate_ppm",
    "Xruns": "xruns",
    "Device Xruns": "device_xruns",
    "Xrun Cause": "xrun_cause",
    "Latency Avg": "latency_avg_us",
    "Latency Min": "latency_min_us",
    "Latency Max": "latency_max_us",
    "Latency P50": "latency_p50_us",
    "Latency P95": "latency_p95_us",
    "Latency P99": "latency_p99_us",
    "Wakeup Late Max": "wakeup_late_max_us",
    "Throughput": "throughput",
    "Rate Measured": "rate_measured",
    "Pool Hits": "pool_hits",
    "Pool Misses": "pool_misses",
    "Pool Size": "pool_size",
    "Realtime": "realtime",
    "Uptime": "uptime_s",
    "Process": "process",
    "Rate": "rate",
    "Channels": "channels",
    "Period": "period_frames",
    "Buffer": "buffer_frames",
    "Trigger": "trigger_percent",
    "Clear": "clear_percent",
}
SETTINGS = ("Trigger", "Clear", "Reset")


class HeadroomError(Exception):
    """Something that a person can be told as it is."""


class StreamGone(HeadroomError):
    """The stream, or all of its control device, is not there any more."""


class Stream(NamedTuple):
    """Whose counters: the name under which they are found, and which of that name."""
    name: str
    direction: str          # "playback" or "capture"
    slot: int               # 0 for the first stream of the name at one time

    def __str__(self):
        return f"{self.name} {self.direction} {self.slot}"


@dataclass(frozen=True)
class Reading:
    """The counters of a stream at one time. What a card of an older headroom does not
    have is as it is here."""
    name: str
    direction: str
    slot: int
    read_ns: int            # CLOCK_MONOTONIC
    state: str = "Closed"
    is_healthy: bool = True
    fill_percent: int = 0
    fill_max_percent: int = 0
    pressure_percent: int = 0
    pressure_state: str = "Normal"
    pressure_count: int = 0
    pressure_ms: int = 0
    pressure_now_ms: int = 0
    chunks_pushed: int = 0
    chunks_popped: int = 0
    chunks_dropped: int = 0
    frames: int = 0
    frames_dropped: int = 0
    frames_silence: int = 0
    drop_rate_ppm: int = 0
    xruns: int = 0
    device_xruns: int = 0
    xrun_cause: str = "None"
    latency_avg_us: int = 0
    latency_min_us: int = 0
    latency_max_us: int = 0
    latency_p50_us: int = 0
    latency_p95_us: int = 0
    latency_p99_us: int = 0
    wakeup_late_max_us: int = 0
    throughput: int = 0     # chunks/s
    rate_measured: int = 0  # frames/s
    pool_hits: int = 0
    pool_misses: int = 0
    pool_size: int = 0
    realtime: int = 0       # priority, 0: none
    uptime_s: int = 0
    process: int = 0        # pid, 0: none
    rate: int = 0           # Hz
    channels: int = 0
    period_frames: int = 0
    buffer_frames: int = 0
    trigger_percent: int = 0
    clear_percent: int = 0

    @property
    def stream(self):
        return Stream(self.name, self.direction, self.slot)

    @property
    def has_run(self):
        """False for the stream that is shown at rest where none has run yet."""
        return bool(self.process or self.rate or self.frames)

    def to_dict(self):
        return asdict(self)


# Where the counters lie.

def user_id(user):
    """The number of a user that is given by name or number."""
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        if user.isascii() and user.isdigit() and int(user) < 2 ** 32 - 1:
            return int(user)
    raise HeadroomError(f"there is no user '{user}'")


def page_directory(user=None):
    """The folder with the counters of a user, or of this one."""
    if user is None:
        given = os.environ.get("HEADROOM_DIR")
        return given if given else f"/dev/shm/headroom-{os.geteuid()}"
    return f"/dev/shm/headroom-{user_id(user)}"


_PAGE = re.compile(r"((?:[A-Za-z0-9_-]|%[0-9A-F]{2})+)\.(?:playback|capture)\.[0-9]{1,2}")


def stream_names(user=None):
    """The names that streams have run under, in order. None yet: an empty list. Bytes
    that are no UTF-8 are in them as os.fsdecode() has them."""
    try:
        entries = os.listdir(page_directory(user))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HeadroomError(f"the counters in {page_directory(user)} cannot be listed: "
                            f"{error.strerror}") from error
    names = set()
    for entry in entries:
        match = _PAGE.fullmatch(entry)
        if match:
            raw = re.sub(rb"%(..)", lambda hexes: bytes([int(hexes[1], 16)]),
                         match[1].encode())
            if 0 not in raw and len(raw) <= NAME_BYTES_MAX:
                names.add(os.fsdecode(raw))
    return sorted(names)


def program_name(pid):
    """What the process is called; "" if it has gone, or there is none."""
    if pid <= 0:
        return ""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().rstrip("\n")
    except OSError:
        return ""


def is_stopped(pid):
    """Whether it stands still as a whole, and headroom in it: Ctrl-Z, SIGSTOP, a debugger."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


# What befell them.

@dataclass(frozen=True)
class Episode:
    """One line of headroom-log."""
    direction: str
    slot: int
    what: str               # as headroom-log --help has them: "xrun", "silence", ...
    late: str               # "program", "scheduler", "device" or "none"
    begin_ns: int           # CLOCK_MONOTONIC
    wall_ns: int            # since 1970
    length_ns: int
    frames: int             # lost or invented
    ring_percent: int
    going_on: bool          # also if its process died meanwhile
    live: bool              # its process has not


@dataclass(frozen=True)
class BrokenOff:
    """A stream whose program was killed, or ended without closing it, until the next one
    takes its place."""
    direction: str
    slot: int
    process: int
    frames: int             # of playback that were not heard, at most; 0: not known


class Log(NamedTuple):
    """What headroom-log knows of a name."""
    episodes: list          # oldest first: of each stream the last 64 since its reset
    broken_off: list
    totals: dict            # of each direction and slot, with those that are not kept

    def of(self, stream):
        """What there is of one stream: episodes, its BrokenOff or None, how many it had."""
        place = (stream.direction, stream.slot)
        return ([one for one in self.episodes if (one.direction, one.slot) == place],
                next((one for one in self.broken_off
                      if (one.direction, one.slot) == place), None),
                self.totals.get(place, 0))


def _log_program():
    """Beside this module, else where programs are."""
    beside = os.path.join(os.path.dirname(os.path.realpath(__file__)), "headroom-log")
    program = beside if os.access(beside, os.X_OK) else shutil.which("headroom-log")
    if not program:
        raise HeadroomError("headroom-log is not there: install headroom, or build it")
    return program


def read_log(name, user=None):
    """The Log of a name."""
    command = [_log_program(), "--json"] + (["-u", user] if user is not None else [])
    try:
        run = subprocess.run(command + ["--", name], capture_output=True, timeout=10,
                             check=False)
        found = json.loads(run.stdout)
        return Log([Episode(**entry) for entry in found["episodes"]],
                   [BrokenOff(**entry) for entry in found["broken_off"]],
                   {(entry["direction"], entry["slot"]): entry["episodes"]
                    for entry in found["totals"]})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HeadroomError(f"headroom-log cannot be run: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        said = _decode(run.stderr).strip() or "it is of another version"
        raise HeadroomError(f"headroom-log: {said}") from error


# alsa-lib.

_IFACE_PCM = 3
_BOOLEAN, _INTEGER, _ENUMERATED, _INTEGER64 = 1, 2, 3, 6
_EVENT_VALUE, _EVENT_ADD = 1 << 0, 1 << 2
_EVENT_REMOVE = 0xffffffff
_NONBLOCK = 1

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


_alsa = _Alsa()


class _Configuration:
    """A configuration that knows nothing but one control device, "stream", and how its
    module is found. It is alsa-lib's, and deleted at the end of a with block."""

    def __init__(self, name, user):
        self._top = ctypes.c_void_p()
        self._check(_alsa.snd_config_top(ctypes.byref(self._top)))
        try:
            self._add_module_path()
            device = self._compound(self._compound(self._top, b"ctl"), b"stream")
            self._add(device, _alsa.snd_config_imake_string, b"type", b"headroom")
            self._add(device, _alsa.snd_config_imake_string, b"name", os.fsencode(name))
            if user is not None:
                self._add(device, _alsa.snd_config_imake_integer, b"user", user_id(user))
        except HeadroomError:
            self.__exit__()
            raise

    def __enter__(self):
        return self._top

    def __exit__(self, *_):
        _alsa.snd_config_delete(self._top)

    @staticmethod
    def _check(code):
        if code < 0:
            raise HeadroomError("ALSA's configuration cannot be read: "
                                + _why(code, _alsa.take_complaints()))

    def _add(self, parent, make, key, value):
        node = ctypes.c_void_p()
        self._check(make(ctypes.byref(node), key, value))
        self._check(_alsa.snd_config_add(parent, node))
        return node

    def _compound(self, parent, key):
        return self._add(parent, _alsa.snd_config_make_compound, key, 0)

    def _add_module_path(self):
        """The line ctl_type.headroom.lib, if the user's configuration has it."""
        users, found, copy = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._check(_alsa.snd_config_update_ref(ctypes.byref(users)))
        try:
            if _alsa.snd_config_search(users, b"ctl_type.headroom", ctypes.byref(found)) < 0:
                return
            self._check(_alsa.snd_config_copy(ctypes.byref(copy), found))
            self._check(_alsa.snd_config_add(self._compound(self._top, b"ctl_type"), copy))
        finally:
            _alsa.snd_config_unref(users)


def _why(code, complaints):
    """The error of a call in words: what alsa-lib said, or what the number means."""
    return "; ".join(dict.fromkeys(complaints)) or _alsa.error_text(code)


class _Element:
    """One element of a control device: its id and how its value is read."""

    def __init__(self, handle, identity):
        self.identity = identity
        info = _alsa.buffer("elem_info")
        _alsa.snd_ctl_elem_info_set_id(info, identity)
        code = _alsa.snd_ctl_elem_info(handle, info)
        if code < 0:
            raise StreamGone(_alsa.error_text(code))
        self.type = _alsa.snd_ctl_elem_info_get_type(info)
        self.items = self._item_names(handle, info) if self.type == _ENUMERATED else ()

    @staticmethod
    def _item_names(handle, info):
        names = []
        for item in range(min(_alsa.snd_ctl_elem_info_get_items(info), 64)):
            _alsa.snd_ctl_elem_info_set_item(info, item)
            _alsa.snd_ctl_elem_info(handle, info)
            names.append(_decode(_alsa.snd_ctl_elem_info_get_item_name(info)))
        return tuple(names)

    def value_in(self, memory):
        if self.type == _INTEGER64:
            return _alsa.snd_ctl_elem_value_get_integer64(memory, 0)
        if self.type == _BOOLEAN:
            return bool(_alsa.snd_ctl_elem_value_get_boolean(memory, 0))
        if self.type == _ENUMERATED:
            item = _alsa.snd_ctl_elem_value_get_enumerated(memory, 0)
            return self.items[item] if item < len(self.items) else f"({item})"
        return _alsa.snd_ctl_elem_value_get_integer(memory, 0)

    def set_in(self, memory, value):
        if self.type == _BOOLEAN:
            _alsa.snd_ctl_elem_value_set_boolean(memory, 0, int(value))
        else:
            _alsa.snd_ctl_elem_value_set_integer(memory, 0, int(value))


_ELEMENT = re.compile(r"Headroom (Playback|Capture) (.+)")


def _split_identity(identity):
    """Direction, slot and name of an element of ours; None for any other."""
    if _alsa.snd_ctl_elem_id_get_interface(identity) != _IFACE_PCM:
        return None
    match = _ELEMENT.fullmatch(_decode(_alsa.snd_ctl_elem_id_get_name(identity)))
    if not match:
        return None
    return match[1].lower(), _alsa.snd_ctl_elem_id_get_subdevice(identity), match[2]


_NO_MODULE = ("alsa-lib does not find headroom's control module: install headroom, or say in "
              "~/.asoundrc where it is built: ctl_type.headroom.lib "
              '"/path/to/build/plugin/libasound_module_ctl_headroom.so"')


class ControlDevice:
    """A control device with the streams of one name. Use name() or open() to get one."""

    def __init__(self, name, handle):
        self.name = name
        self._handle = handle
        self._elements = {}         # Stream: {suffix: _Element}
        self._n_elements = -1
        self._value = _alsa.buffer("elem_value")
        self._is_subscribed = False
        self.opened_ns = time.monotonic_ns()
        # What alsa-lib said although it could be opened, such as pages that it refused.
        self.complaints = _alsa.take_complaints()

    @classmethod
    def of_name(cls, name, user=None):
        """The streams that run under a name, of a user (name or number) or one's own.
        No definition of a control device is needed for it."""
        handle = ctypes.c_void_p()
        _alsa.listen()
        with _Configuration(name, user) as configuration:
            code = _alsa.snd_ctl_open_lconf(ctypes.byref(handle), b"stream", _NONBLOCK,
                                            configuration)
        if code < 0:
            why = _why(code, _alsa.take_complaints())
            if "shared library" in why:
                raise HeadroomError(_NO_MODULE)
            raise HeadroomError(f"the counters of '{name}' cannot be read: {why}")
        return cls(name, handle)

    @classmethod
    def open(cls, device):
        """What amixer -D DEVICE would show: a definition of the user's, or a card."""
        handle = ctypes.c_void_p()
        _alsa.listen()
        code = _alsa.snd_ctl_open(ctypes.byref(handle), os.fsencode(device), _NONBLOCK)
        if code < 0:
            raise HeadroomError(f"the control device '{device}' cannot be opened: "
                                + _why(code, _alsa.take_complaints()))
        return cls(device, handle)

    def close(self):
        if self._handle:
            _alsa.snd_ctl_close(self._handle)
            self._handle = None
            self._elements = {}

    def streams(self):
        """The streams that there are now, of slot 0 also those that never ran."""
        self._find_elements()
        return sorted(self._elements)

    def read(self, stream):
        """All counters of a stream."""
        values = {}
        for suffix, element in self._elements_of(stream).items():
            if suffix in FIELDS:
                values[FIELDS[suffix]] = self._read_element(stream, element)
        return Reading(*stream, read_ns=time.monotonic_ns(), **values)

    def read_all(self):
        """A reading of each stream; those that vanish meanwhile are left out. StreamGone
        if the device itself has."""
        readings = []
        for stream in self.streams():
            try:
                readings.append(self.read(stream))
            except StreamGone:
                self._n_elements = -1
        return readings

    def write(self, stream, setting, value):
        """Set Trigger or Clear (percent), or with Reset 1 zero all that count."""
        element = self._elements_of(stream).get(setting)
        if setting not in SETTINGS or element is None:
            raise HeadroomError(f"{stream} has no setting '{setting}': there are "
                                + ", ".join(SETTINGS))
        _alsa.snd_ctl_elem_value_set_id(self._value, element.identity)
        element.set_in(self._value, value)
        code = _alsa.snd_ctl_elem_write(self._handle, self._value)
        _alsa.take_complaints()
        if code < 0:
            raise _write_error(stream, setting, value, code)

    def set_thresholds(self, stream, trigger, clear):
        """Set both, in the order in which neither is refused."""
        if not 1 <= clear < trigger <= 100:
            raise HeadroomError(f"Trigger {trigger} and Clear {clear} cannot be: "
                                "1 <= Clear < Trigger <= 100")
        if clear < self.read(stream).trigger_percent:
            self.write(stream, "Clear", clear)
            self.write(stream, "Trigger", trigger)
        else:
            self.write(stream, "Trigger", trigger)
            self.write(stream, "Clear", clear)

    def subscribe(self):
        """Have descriptors() become readable when something changes."""
        if not self._is_subscribed:
            _check_gone(self.name, _alsa.snd_ctl_subscribe_events(self._handle, 1))
            self._is_subscribed = True

    def descriptors(self):
        count = max(_alsa.snd_ctl_poll_descriptors_count(self._handle), 0)
        # struct pollfd: an int and two shorts.
        entries = (ctypes.c_int * (2 * count))()
        count = _alsa.snd_ctl_poll_descriptors(self._handle, entries, count)
        return [entries[2 * i] for i in range(max(count, 0))]

    def take_events(self):
        """What has changed since the last call: a set of (stream, element)."""
        event, identity = _alsa.buffer("event"), _alsa.buffer("elem_id")
        changes = set()
        while True:
            code = _alsa.snd_ctl_read(self._handle, event)
            if code == -errno.EAGAIN or code == 0:
                return changes
            _check_gone(self.name, code)
            mask = _alsa.snd_ctl_event_elem_get_mask(event)
            if mask == _EVENT_REMOVE or mask & _EVENT_ADD:
                self._n_elements = -1
            _alsa.snd_ctl_event_elem_get_id(event, identity)
            parts = _split_identity(identity)
            if parts and mask != _EVENT_REMOVE and mask & (_EVENT_VALUE | _EVENT_ADD):
                direction, slot, suffix = parts
                changes.add((Stream(self.name, direction, slot), suffix))

    def _elements_of(self, stream):
        if stream not in self._elements:
            self._find_elements()
        if stream not in self._elements:
            raise StreamGone(f"{stream} is not there any more")
        return self._elements[stream]

    def _read_element(self, stream, element):
        _alsa.snd_ctl_elem_value_set_id(self._value, element.identity)
        code = _alsa.snd_ctl_elem_read(self._handle, self._value)
        if code < 0:
            _alsa.take_complaints()
            raise StreamGone(f"{stream} cannot be read: {_alsa.error_text(code)}")
        return element.value_in(self._value)

    def _find_elements(self):
        """List the elements anew, if their number is another than last time."""
        elem_list = _alsa.buffer("elem_list")
        _check_gone(self.name, _alsa.snd_ctl_elem_list(self._handle, elem_list))
        count = _alsa.snd_ctl_elem_list_get_count(elem_list)
        if count == self._n_elements:
            return
        if count:
            _check_gone(self.name, _alsa.snd_ctl_elem_list_alloc_space(elem_list, count))
        try:
            _check_gone(self.name, _alsa.snd_ctl_elem_list(self._handle, elem_list))
            self._elements = self._take_list(elem_list)
            self._n_elements = count
        finally:
            _alsa.snd_ctl_elem_list_free_space(elem_list)

    def _take_list(self, elem_list):
        elements = {}
        for place in range(_alsa.snd_ctl_elem_list_get_used(elem_list)):
            identity = _alsa.buffer("elem_id")
            _alsa.snd_ctl_elem_list_get_id(elem_list, place, identity)
            parts = _split_identity(identity)
            if not parts:
                continue
            direction, slot, suffix = parts
            stream = Stream(self.name, direction, slot)
            try:
                element = _Element(self._handle, identity)
            except StreamGone:
                continue
            elements.setdefault(stream, {})[suffix] = element
        return elements


def _check_gone(name, code):
    if code < 0:
        _alsa.take_complaints()
        raise StreamGone(f"the control device '{name}' is not there any more: "
                         + _alsa.error_text(code))


def _write_error(stream, setting, value, code):
    if code == -errno.EINVAL:
        return HeadroomError(f"{setting} of {stream} cannot be {value}: "
                             "1 <= Clear < Trigger <= 100")
    if code in (-errno.EPERM, -errno.EACCES):
        return HeadroomError(f"{setting} of {stream} can be set only by the user whose "
                             "stream it is")
    if code in (-errno.ENOENT, -errno.ENODEV):
        return StreamGone(f"{stream} is not there any more")
    return HeadroomError(f"{setting} of {stream} cannot be set: {_alsa.error_text(code)}")


def _together(problems):
    """A line for all names of which the same is to be said: another user may have many."""
    kinds = {}
    for problem in problems:
        kind = re.sub(r"counters of '.*' cannot", "counters of these cannot", problem,
                      flags=re.DOTALL)
        kinds.setdefault(kind, []).append(problem)
    return [same[0] if len(same) == 1 else kind.replace("of these", f"of {len(same)} names", 1)
            for kind, same in kinds.items()]


class Monitor:
    """The streams of a user as they come and go, or those of certain names or devices."""

    # A device that cannot be opened is tried again after so long.
    RETRY_NS = 2_000_000_000

    def __init__(self, names=(), devices=(), user=None):
        self._names = tuple(names)
        self._devices = tuple(devices)
        self._user = user
        self._open = {}             # (what, name): ControlDevice
        self._failed = {}           # (what, name): when, problem
        self._is_watching = False
        self.problems = []          # of the last read(), a line each
        if user is not None:
            user_id(user)           # a wrong one is told now

    def close(self):
        for device in self._open.values():
            device.close()
        self._open = {}

    def read(self, include_unused=False):
        """A reading of each stream, in order of name, direction and slot. Those under
        whose name nothing has ever run only where asked for, or where a name is that
        nothing has run under in either direction."""
        readings = []
        self._find_devices()
        for key, device in list(self._open.items()):
            try:
                readings += device.read_all()
            except StreamGone as error:
                self._drop(key)
                self.problems.append(str(error))
        have_run = {r.name for r in readings if r.has_run}
        wanted = [r for r in readings if r.has_run or include_unused
                  or (r.name in self._names and r.name not in have_run)]
        return sorted(wanted, key=lambda reading: reading.stream)

    def write(self, stream, setting, value):
        self._device_of(stream).write(stream, setting, value)

    def set_thresholds(self, stream, trigger, clear):
        self._device_of(stream).set_thresholds(stream, trigger, clear)

    def watch(self, timeout_s):
        """Wait until something changes, or so long. Returns what did, a set of (stream,
        element); empty after the time, and when a name has come or gone."""
        self._is_watching = True
        self._find_devices()
        for device in self._open.values():
            device.subscribe()
        descriptors = {fd: device for device in self._open.values()
                       for fd in device.descriptors()}
        ready, _, _ = select.select(list(descriptors), [], [], timeout_s)
        changes = set()
        for device in {id(descriptors[fd]): descriptors[fd] for fd in ready}.values():
            try:
                changes |= device.take_events()
            except StreamGone:
                continue            # read() sees it too, and says so
        return changes

    def _device_of(self, stream):
        for device in self._open.values():
            if device.name == stream.name:
                return device
        raise StreamGone(f"{stream} is not there any more")

    def _wanted(self):
        if self._devices or self._names:
            return ([("device", device) for device in self._devices]
                    + [("name", name) for name in self._names])
        return [("name", name) for name in stream_names(self._user)]

    def _drop(self, key):
        self._open.pop(key).close()

    def _find_devices(self):
        """Open what has come and close what has gone."""
        self.problems = []
        try:
            wanted = self._wanted()
        except HeadroomError as error:
            self.problems.append(str(error))
            wanted = []
        retry_ns = time.monotonic_ns() - self.RETRY_NS
        for key, device in list(self._open.items()):
            if key not in wanted or (device.complaints and device.opened_ns < retry_ns):
                self._drop(key)
        for key in wanted:
            if key not in self._open:
                self._try_to_open(key)
            if key in self._open:
                self.problems += self._open[key].complaints
        self._failed = {key: entry for key, entry in self._failed.items() if key in wanted}
        self.problems = _together(dict.fromkeys(self.problems))

    def _try_to_open(self, key):
        what, name = key
        now_ns = time.monotonic_ns()
        failed_ns, problem = self._failed.get(key, (None, None))
        if failed_ns is not None and now_ns - failed_ns < self.RETRY_NS:
            self.problems.append(problem)
            return
        try:
            device = (ControlDevice.open(name) if what == "device"
                      else ControlDevice.of_name(name, self._user))
            if self._is_watching:
                device.subscribe()
        except HeadroomError as error:
            self._failed[key] = (now_ns, str(error))
            self.problems.append(str(error))
            return
        self._failed.pop(key, None)
        self._open[key] = device
