# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Recordings: the files that headroom-record writes and headroom-report reads.

A recording is text, a JSON object a line. The first line says what it is:

    {"format": "headroom-record 1", "command": ["aplay", "a.wav"], "host": "studio",
     "began": 1764380412.34, "every": 0.1}

began is in seconds since 1970, every is the time between two looks in seconds. Each other
line has t, the seconds since then, and one of these:

    {"t": 0.1, "name": "mine", "direction": "playback", "slot": 0,
     "values": {"state": "Running", "fill_percent": 12}}
        Counters of a stream, by the names that headroom_streams.FIELDS gives them. The
        first line of a stream has all of them, the others have those that have changed.
        A stream that there was before the program began is there with t 0. Besides:
        stopped, whether its process stands still as a whole, and headroom in it, so that
        nothing is measured; broken_off, whenever its process is gone and did not close it:
        how many frames were not heard at most, 0 if that is not known.
    {"t": 3.2, "name": "mine", "direction": "playback", "slot": 0,
     "episode": {"at": 3.05, "what": "xrun", "lasted": 0.085, "going_on": false,
                 "frames": 0, "late": "program", "ring": 0}}
        What befell it, as headroom-log --json has it; at is in seconds since the
        beginning. One that was still going on comes again: the last line of the same
        stream with the same at counts.
    {"t": 9.7, "end": {"status": 0}}        or {"signal": 15}
        The program has ended. Without this line the recording was cut off.
"""
import json

FORMAT = "headroom-record 1"
CAUSES = ("program", "scheduler", "device", "none")
LONGEST = 1e8  # seconds: three years
LARGEST = 2**63
MOVING = ("Running", "Draining", "Paused", "Disconnected")
DIRECTIONS = ("playback", "capture")
SLOTS_MAX = 64


class NotARecording(Exception):
    """The file as a whole cannot be read; the text says why."""


class Stream:
    """The counters of one stream and what befell it."""

    def __init__(self, name, direction, slot):
        self.name = name
        self.direction = direction
        self.slot = slot
        self.changes = {}  # control -> [(t, value)], in order of t
        self.episodes = {}  # at -> episode

    def add_values(self, t, values):
        for field, value in values.items():
            self.changes.setdefault(field, []).append((t, value))

    def numbers(self, field):
        return [(t, value) for t, value in self.changes.get(field, ())
                if isinstance(value, (int, float))]

    def last(self, field):
        values = self.numbers(field)
        return values[-1][1] if values else 0

    def last_known(self, field):
        """Of those that are 0 when the stream is closed: what it was before."""
        values = [value for _, value in self.numbers(field) if value]
        return values[-1] if values else 0

    def most(self, field):
        return max((value for _, value in self.numbers(field)), default=0)

    def counted(self, field):
        """How much a counter went up; from 0 again where it was reset."""
        total = previous = 0
        for t, value in self.numbers(field):
            if t > 0:
                total += value - previous if value >= previous else value
            previous = value
        return total

    def frames_lost(self):
        """Those that were invented are no better."""
        return self.counted("frames_dropped") + self.counted("frames_silence")

    def since_began(self, field):
        """Of a value that is the most so far: what it became in this recording. What it was
        before tells nothing of it."""
        return [(t, value) for t, value in self.numbers(field) if t > 0]

    def before_began(self, field):
        return next((value for t, value in self.numbers(field) if t == 0), 0)

    def own_since(self, counter, window):
        """Since when the last so many that a counter counts are all of this recording: they
        may be of earlier streams at first. None: they never were."""
        numbers = self.numbers(counter)
        if not numbers or numbers[0][0] > 0 or not numbers[0][1]:
            return 0.0
        total, previous = 0, numbers[0][1]
        for t, value in numbers[1:]:
            total += value - previous
            if value < previous or total >= window:     # it was reset, or there is enough
                return t
            previous = value
        return None

    def live(self, end):
        """When a program had it open: [(from, until)]."""
        return spans_of(self.changes.get("state", ()), lambda state: state != "Closed", end)

    def stopped(self, end):
        """When its process stood still as a whole."""
        return spans_of(self.changes.get("stopped", ()), lambda value: value is True, end)

    def measured(self, end):
        """When there was something in its buffer to be measured, and headroom could run."""
        starved = [(episode["at"], episode["at"] + episode["lasted"])
                   for episode in self.episodes.values() if episode["late"] == "scheduler"]
        spans = spans_of(self.changes.get("state", ()), lambda state: state in MOVING, end)
        for hole in self.stopped(end) + starved:
            spans = [part for span in spans for part in without(span, hole)]
        return spans

    def was_stopped(self, episode, end):
        """Whether it had to do with that."""
        return any(since < episode["at"] + episode["lasted"] and episode["at"] < until
                   for since, until in self.stopped(end))

    def broken_off(self):
        """Frames at most, of each time that a program was gone without closing it."""
        return [frames for _, frames in self.numbers("broken_off")]

    def took_part(self, end):
        return bool(self.live(end) or self.episodes or self.counted("frames"))

    def in_order(self):
        return [self.episodes[at] for at in sorted(self.episodes)]


def spans_of(changes, is_on, end):
    """When a value that changes was one of those: [(from, until)]."""
    spans = []
    since = None
    for t, value in changes:
        if is_on(value) and since is None:
            since = t
        elif not is_on(value) and since is not None:
            spans.append((since, t))
            since = None
    if since is not None:
        spans.append((since, max(end, since)))
    return spans


def without(span, hole):
    """What is left of a stretch of time."""
    parts = [(span[0], min(span[1], hole[0])), (max(span[0], hole[1]), span[1])]
    return [(since, until) for since, until in parts if since < until]


class Recording:
    """What a file says. complaints: lines that could not be read, [(number, why)]."""

    def __init__(self, header):
        self.command = header["command"]
        self.host = header["host"]
        self.began = header["began"]
        self.every = header["every"]
        self.streams = {}  # (name, direction, slot) -> Stream
        self.ended = None  # {"status": N} or {"signal": N}
        self.duration = 0.0
        self.complaints = []

    def stream(self, name, direction, slot):
        return self.streams.setdefault((name, direction, slot), Stream(name, direction, slot))

    def that_took_part(self):
        return [self.streams[key] for key in sorted(self.streams)
                if self.streams[key].took_part(self.duration)]


def refuse_constant(text):
    raise ValueError(f"{text} is not a number")


def parse(line):
    """One line, or ValueError."""
    try:
        value = json.loads(line, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("it is not an object")
    return value


def number(value, what, most):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is not a number")
    if not 0 <= value <= most:  # nor is it, of what is no number
        raise ValueError(f"{what} is out of range")
    return value


def text(value, what, most=200):
    if not isinstance(value, str):
        raise ValueError(f"{what} is not a text")
    # Names may have bytes that are no UTF-8.
    return value[:most].encode("utf-8", "replace").decode()


def read_header(line):
    try:
        found = parse(line)
        if found.get("format") != FORMAT:
            raise ValueError(f"it does not begin with \"format\": \"{FORMAT}\"")
        command = found.get("command")
        if not isinstance(command, list):
            raise ValueError("command is not a list")
        return {
            "command": [text(word, "command", 1000) for word in command],
            "host": text(found.get("host"), "host"),
            "began": number(found.get("began"), "began", 1e11),
            "every": number(found.get("every"), "every", LONGEST),
        }
    except ValueError as error:
        raise NotARecording(f"line 1: {short(error)}") from None


def read_value(field, value):
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value, field, 64)
    return number(value, field, LARGEST)


def read_stream(recording, found):
    name = text(found.get("name"), "name")
    direction, slot = found.get("direction"), found.get("slot")
    if direction not in DIRECTIONS:
        raise ValueError("direction is neither playback nor capture")
    if isinstance(slot, bool) or not isinstance(slot, int) or not 0 <= slot < SLOTS_MAX:
        raise ValueError("slot is no number from 0 to 63")
    return recording.stream(name, direction, slot)


def read_episode(found):
    if not isinstance(found, dict):
        raise ValueError("episode is not an object")
    late = text(found.get("late"), "late")
    return {
        "at": number(found.get("at"), "at", LONGEST),
        "what": text(found.get("what"), "what", 20),
        "lasted": number(found.get("lasted"), "lasted", LONGEST),
        "going_on": found.get("going_on") is True,
        "frames": number(found.get("frames"), "frames", LARGEST),
        "late": late if late in CAUSES else "none",
        "ring": number(found.get("ring"), "ring", 100),
    }


def add_line(recording, line):
    """ValueError for one that cannot be."""
    found = parse(line)
    t = number(found.get("t"), "t", LONGEST)
    if t < recording.duration:
        raise ValueError("t goes back")
    if "end" in found:
        if not isinstance(found["end"], dict):
            raise ValueError("end is not an object")
        recording.ended = {key: int(number(found["end"][key], key, 255))
                           for key in ("status", "signal") if key in found["end"]}
        recording.duration = t
        return
    if "episode" in found:
        episode = read_episode(found["episode"])
        read_stream(recording, found).episodes[episode["at"]] = episode
    elif isinstance(found.get("values"), dict):
        values = {field: read_value(field, value) for field, value in found["values"].items()}
        read_stream(recording, found).add_values(t, values)
    else:
        raise ValueError("there are neither values nor an episode in it")
    recording.duration = t


def read(file):
    """A Recording from lines of bytes. Lines that cannot be read are left out and noted."""
    lines = iter(file)
    first = next(lines, b"")
    if not first.strip():
        raise NotARecording("it is empty")
    recording = Recording(read_header(first))
    for count, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            add_line(recording, line)
        except ValueError as error:
            why = "it is cut off" if not line.endswith(b"\n") else short(error)
            recording.complaints.append((count, why))
    return recording


def short(error):
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON at column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "no JSON: bytes that are no text"
    return str(error)
