# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The streams of headroom and their counters, for the tools that are written in Python.

Read as every ALSA program could read them: by alsa-lib, from control devices of the type
headroom, or from the elements on a card.

    monitor = Monitor()                     # all streams of this user, as they come and go
    for reading in monitor.read():          # one reading of each that has ever run
        print(reading.name, reading.direction, reading.state, reading.latency_p99_us)
    monitor.write(reading.stream, "Reset", 1)
    monitor.problems                        # what could not be read, a line each

    monitor = Monitor(names=["mine"])       # only of this name, whether it ever ran or not
    monitor = Monitor(devices=["hw:0"])     # the elements of a card, or a control device

None of it is safe to be called by two threads at once. What alsa-lib complains of goes into
the errors and problems.
"""
import ctypes
import errno
import os
import re
import select
import time
from dataclasses import asdict, dataclass
from typing import NamedTuple

from headroom_alsa import (EVENT_ADD, EVENT_REMOVE, EVENT_VALUE, NONBLOCK, Configuration, Element,
                           StreamGone, alsa, split_identity, why_failed)
from headroom_pages import HeadroomError, stream_names, user_id


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

    @property
    def may_be_broken_off(self):
        """Whether its program may have been killed: then nobody knows how long it was open.
        headroom_episodes.read_log() tells whether it was."""
        return not self.process and not self.uptime_s

    def to_dict(self):
        return asdict(self)


_NO_MODULE = ("alsa-lib does not find headroom's control module: install headroom, or say in "
              "~/.asoundrc where it is built: ctl_type.headroom.lib "
              '"/path/to/build/plugin/libasound_module_ctl_headroom.so"')


class ControlDevice:
    """A control device with the streams of one name. Use name() or open() to get one."""

    def __init__(self, name, handle):
        self.name = name
        self._handle = handle
        self._elements = {}         # Stream: {suffix: Element}
        self._n_elements = -1
        self._value = alsa.buffer("elem_value")
        self._is_subscribed = False
        self.opened_ns = time.monotonic_ns()
        # What alsa-lib said although it could be opened, such as pages that it refused.
        self.complaints = alsa.take_complaints()

    @classmethod
    def of_name(cls, name, user=None):
        """The streams that run under a name, of a user (name or number) or one's own.
        No definition of a control device is needed for it."""
        handle = ctypes.c_void_p()
        alsa.listen()
        with Configuration(name, user) as configuration:
            code = alsa.snd_ctl_open_lconf(ctypes.byref(handle), b"stream", NONBLOCK,
                                            configuration)
        if code < 0:
            why = why_failed(code, alsa.take_complaints())
            if "shared library" in why:
                raise HeadroomError(_NO_MODULE)
            raise HeadroomError(f"the counters of '{name}' cannot be read: {why}")
        return cls(name, handle)

    @classmethod
    def open(cls, device):
        """What amixer -D DEVICE would show: a definition of the user's, or a card."""
        handle = ctypes.c_void_p()
        alsa.listen()
        code = alsa.snd_ctl_open(ctypes.byref(handle), os.fsencode(device), NONBLOCK)
        if code < 0:
            raise HeadroomError(f"the control device '{device}' cannot be opened: "
                                + why_failed(code, alsa.take_complaints()))
        return cls(device, handle)

    def close(self):
        if self._handle:
            alsa.snd_ctl_close(self._handle)
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
        alsa.snd_ctl_elem_value_set_id(self._value, element.identity)
        element.set_in(self._value, value)
        code = alsa.snd_ctl_elem_write(self._handle, self._value)
        alsa.take_complaints()
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
            _check_gone(self.name, alsa.snd_ctl_subscribe_events(self._handle, 1))
            self._is_subscribed = True

    def descriptors(self):
        count = max(alsa.snd_ctl_poll_descriptors_count(self._handle), 0)
        # struct pollfd: an int and two shorts.
        entries = (ctypes.c_int * (2 * count))()
        count = alsa.snd_ctl_poll_descriptors(self._handle, entries, count)
        return [entries[2 * i] for i in range(max(count, 0))]

    def take_events(self):
        """What has changed since the last call: a set of (stream, element)."""
        event, identity = alsa.buffer("event"), alsa.buffer("elem_id")
        changes = set()
        while True:
            code = alsa.snd_ctl_read(self._handle, event)
            if code == -errno.EAGAIN or code == 0:
                return changes
            _check_gone(self.name, code)
            mask = alsa.snd_ctl_event_elem_get_mask(event)
            if mask == EVENT_REMOVE or mask & EVENT_ADD:
                self._n_elements = -1
            alsa.snd_ctl_event_elem_get_id(event, identity)
            parts = split_identity(identity)
            if parts and mask != EVENT_REMOVE and mask & (EVENT_VALUE | EVENT_ADD):
                direction, slot, suffix = parts
                changes.add((Stream(self.name, direction, slot), suffix))

    def _elements_of(self, stream):
        if stream not in self._elements:
            self._find_elements()
        if stream not in self._elements:
            raise StreamGone(f"{stream} is not there any more")
        return self._elements[stream]

    def _read_element(self, stream, element):
        alsa.snd_ctl_elem_value_set_id(self._value, element.identity)
        code = alsa.snd_ctl_elem_read(self._handle, self._value)
        if code < 0:
            alsa.take_complaints()
            raise StreamGone(f"{stream} cannot be read: {alsa.error_text(code)}")
        return element.value_in(self._value)

    def _find_elements(self):
        """List the elements anew, if their number is another than last time."""
        elem_list = alsa.buffer("elem_list")
        _check_gone(self.name, alsa.snd_ctl_elem_list(self._handle, elem_list))
        count = alsa.snd_ctl_elem_list_get_count(elem_list)
        if count == self._n_elements:
            return
        if count:
            _check_gone(self.name, alsa.snd_ctl_elem_list_alloc_space(elem_list, count))
        try:
            _check_gone(self.name, alsa.snd_ctl_elem_list(self._handle, elem_list))
            self._elements = self._take_list(elem_list)
            self._n_elements = count
        finally:
            alsa.snd_ctl_elem_list_free_space(elem_list)

    def _take_list(self, elem_list):
        elements = {}
        for place in range(alsa.snd_ctl_elem_list_get_used(elem_list)):
            identity = alsa.buffer("elem_id")
            alsa.snd_ctl_elem_list_get_id(elem_list, place, identity)
            parts = split_identity(identity)
            if not parts:
                continue
            direction, slot, suffix = parts
            stream = Stream(self.name, direction, slot)
            try:
                element = Element(self._handle, identity)
            except StreamGone:
                continue
            elements.setdefault(stream, {})[suffix] = element
        return elements


def _check_gone(name, code):
    if code < 0:
        alsa.take_complaints()
        raise StreamGone(f"the control device '{name}' is not there any more: "
                         + alsa.error_text(code))


def _write_error(stream, setting, value, code):
    if code == -errno.EINVAL:
        return HeadroomError(f"{setting} of {stream} cannot be {value}: "
                             "1 <= Clear < Trigger <= 100")
    if code in (-errno.EPERM, -errno.EACCES):
        return HeadroomError(f"{setting} of {stream} can be set only by the user whose "
                             "stream it is")
    if code in (-errno.ENOENT, -errno.ENODEV):
        return StreamGone(f"{stream} is not there any more")
    return HeadroomError(f"{setting} of {stream} cannot be set: {alsa.error_text(code)}")


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
