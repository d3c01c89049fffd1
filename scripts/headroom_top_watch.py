# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The streams that headroom-top watches, their past, and their order."""
import collections

import headroom_episodes
import headroom_pages
import headroom_streams
from headroom_pages import HeadroomError

MINUTE_S = 60

SORTS = ("name", "program", "state", "pressure", "latency", "gaps", "lost")


class Watched:
    """A stream that is watched: its last reading, and what was before."""

    def __init__(self, interval_s):
        self._gap_s = 2 * interval_s + 1    # between two readings there is no more
        self.reading = None
        self.program = ""
        self.is_stopped = False     # what befalls it is told when it goes on
        self.episodes = []
        self.n_episodes = None      # also those that are not kept; None: not known
        self.broken_off = None      # a BrokenOff, if its program was killed
        self._latencies = collections.OrderedDict()     # second: highest P99
        self._seen_ns = None        # of trouble that was seen to happen

    def update(self, reading):
        before = self.reading
        self.reading = reading
        self.program = headroom_pages.program_name(reading.process) or self.program
        self.is_stopped = reading.process > 0 and headroom_pages.is_stopped(reading.process)
        if before and sum(trouble_counts(reading)) > sum(trouble_counts(before)):
            self._seen_ns = reading.read_ns
        if not any(trouble_counts(reading)):
            self._seen_ns = None
        if reading.state in ("Running", "Draining"):
            self._keep_latency(reading.read_ns // 10 ** 9, reading.latency_p99_us)

    def _keep_latency(self, second, p99_us):
        last = next(reversed(self._latencies), second)
        if second - last <= self._gap_s:
            for missed in range(last + 1, second):
                self._latencies[missed] = p99_us
        self._latencies[second] = max(self._latencies.get(second, 0), p99_us)
        while len(self._latencies) > MINUTE_S:
            self._latencies.popitem(last=False)

    def minute(self):
        """P99 of each of the last sixty seconds, None where it did not run."""
        now = self.reading.read_ns // 10 ** 9
        return [self._latencies.get(second) for second in range(now - MINUTE_S + 1, now + 1)]

    def is_well(self):
        return self.reading.is_healthy and not self.is_stopped

    def trouble_ago_s(self):
        """How long ago it last had trouble; None: never, or it is not known."""
        if self.episodes:
            last = self.episodes[-1]
            begin_ns = last.begin_ns + (0 if last.going_on else last.length_ns)
        elif self._seen_ns is not None:
            begin_ns = self._seen_ns
        else:
            return None
        return max(self.reading.read_ns - begin_ns, 0) / 1e9

    def gaps(self):
        """As a person would count them. Where there is no log, as the program or the card
        did, whichever is more: a card may run dry several times in one gap."""
        if self.n_episodes is None:
            return max(self.reading.xruns, self.reading.device_xruns)
        return self.n_episodes - sum(not one.is_gap for one in self.episodes)

    def trouble_cause(self):
        cause = self.episodes[-1].late if self.episodes else self.reading.xrun_cause.lower()
        return "" if cause == "none" else cause

    def to_dict(self):
        return {**self.reading.to_dict(), "program": self.program, "stopped": self.is_stopped,
                "gaps": self.gaps(), "trouble_ago_s": self.trouble_ago_s(),
                "trouble_cause": self.trouble_cause(),
                "broken_off": self.broken_off and vars(self.broken_off),
                "episodes": [vars(episode) for episode in self.episodes]}


def trouble_counts(reading):
    return (reading.xruns, reading.device_xruns, reading.frames_dropped, reading.frames_silence)


class Watcher:
    """All streams that are to be seen, and their past."""

    def __init__(self, arguments):
        self.monitor = headroom_streams.Monitor(arguments.names, arguments.devices,
                                                arguments.user)
        self._user = arguments.user
        self._interval_s = arguments.interval
        self._has_log = not arguments.devices
        self._watched = {}
        self._logged = {}           # name: the counts at which its log was last read
        self.problems = []

    def update(self):
        readings = self.monitor.read()
        self.problems = list(self.monitor.problems)
        present = {reading.stream for reading in readings}
        self._watched = {s: w for s, w in self._watched.items() if s in present}
        for reading in readings:
            if reading.stream not in self._watched:
                self._watched[reading.stream] = Watched(self._interval_s)
            self._watched[reading.stream].update(reading)
        if self._has_log:
            self._read_logs(readings)
        return list(self._watched.values())

    def _read_logs(self, readings):
        """Read the log of each name to whose streams something has happened."""
        counts = collections.defaultdict(list)
        for reading in readings:
            counts[reading.name].append((reading.stream, (*trouble_counts(reading),
                                                          reading.may_be_broken_off)))
        for name, now in counts.items():
            if self._logged.get(name) == now:
                continue
            try:
                log = (headroom_episodes.read_log(name, self._user)
                       if any(any(numbers) for _, numbers in now)
                       else headroom_episodes.Log([], [], {}))
            except HeadroomError as error:
                self.problems.append(str(error))
                continue
            self._logged[name] = now
            for stream, _ in now:
                watched = self._watched[stream]
                watched.episodes, watched.broken_off, watched.n_episodes = log.of(stream)


def sort_key(sort_name):
    keys = {
        "name": lambda w: (),
        "program": lambda w: w.program,
        "state": lambda w: (w.reading.state != "Running", w.reading.state),
        "pressure": lambda w: -w.reading.pressure_percent,
        "latency": lambda w: -w.reading.latency_p99_us,
        "gaps": lambda w: -w.gaps(),
        "lost": lambda w: -(w.reading.frames_dropped + w.reading.frames_silence),
    }
    return lambda watched: (keys[sort_name](watched), watched.reading.stream)


def arrange(rows, sort_name, live_only):
    rows = [row for row in rows if row.reading.process or not live_only]
    return sorted(rows, key=sort_key(sort_name))
