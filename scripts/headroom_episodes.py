# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What befell the streams of a name, as headroom-log knows it."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import NamedTuple

from headroom_pages import HeadroomError


def is_gap(what):
    """Whether anybody hears it. What a rewind came too late for was heard as it was before."""
    return what != "rewind"


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

    @property
    def is_gap(self):
        return is_gap(self.what)


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
        said = run.stderr.decode("utf-8", "replace").strip() or "it is of another version"
        raise HeadroomError(f"headroom-log: {said}") from error
