# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Where the counters of streams lie, whose they are, and the processes that have them open."""
import os
import pwd
import re

NAME_BYTES_MAX = 63


class HeadroomError(Exception):
    """Something that a person can be told as it is."""


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
