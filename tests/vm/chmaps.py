#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Say all about the channel maps of a PCM: those it offers, the one it has in each
state, and what it answers when one is set.

chmaps.py DEVICE playback|capture CHANNELS
"""
import ctypes
import errno
import sys

alsa = ctypes.CDLL("libasound.so.2")
RW_INTERLEAVED, S16_LE = 3, 2


class Chmap(ctypes.Structure):
    _fields_ = [("channels", ctypes.c_uint), ("pos", ctypes.c_uint * 64)]


class Query(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("map", Chmap)]


alsa.snd_pcm_query_chmaps.restype = ctypes.POINTER(ctypes.POINTER(Query))
alsa.snd_pcm_query_chmaps.argtypes = [ctypes.c_void_p]
alsa.snd_pcm_free_chmaps.argtypes = [ctypes.c_void_p]
alsa.snd_pcm_get_chmap.restype = ctypes.POINTER(Chmap)
alsa.snd_pcm_get_chmap.argtypes = [ctypes.c_void_p]
alsa.snd_pcm_set_chmap.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
alsa.snd_pcm_chmap_name.restype = ctypes.c_char_p
alsa.snd_pcm_chmap_type_name.restype = ctypes.c_char_p


def text(chmap):
    return ",".join(alsa.snd_pcm_chmap_name(pos).decode()
                    for pos in chmap.pos[:chmap.channels])


def offered(pcm):
    """The offered maps, each as its kind and its positions."""
    maps, found = alsa.snd_pcm_query_chmaps(pcm), []
    if not maps:
        return found
    i = 0
    while maps[i]:
        query = maps[i].contents
        found.append((alsa.snd_pcm_chmap_type_name(query.type).decode(),
                      list(query.map.pos[:query.map.channels]), text(query.map)))
        i += 1
    alsa.snd_pcm_free_chmaps(maps)
    return found


def say_map(pcm, when):
    chmap = alsa.snd_pcm_get_chmap(pcm)
    print(f"{when}:", text(chmap.contents) if chmap else "none")


def set_map(pcm, when, positions):
    chmap = Chmap(len(positions))
    chmap.pos[:len(positions)] = positions
    err = alsa.snd_pcm_set_chmap(pcm, ctypes.byref(chmap))
    print(f"{when}, set {text(chmap)}:", errno.errorcode.get(-err, err))
    say_map(pcm, "after that")


def main():
    device, direction, channels = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pcm = ctypes.c_void_p()
    if alsa.snd_pcm_open(ctypes.byref(pcm), device.encode(), direction == "capture", 0) < 0:
        sys.exit("cannot open " + device)
    maps = offered(pcm)
    for kind, _, positions in maps:
        print("offers", kind, positions)
    say_map(pcm, "open")
    if alsa.snd_pcm_set_params(pcm, S16_LE, RW_INTERLEAVED, channels, 48000, 0, 300000) < 0:
        sys.exit("cannot set up " + device)
    say_map(pcm, "prepared")
    if offered(pcm) != maps:
        print("offers others now:", offered(pcm))
    # What is offered, the same the other way round, and what nobody has.
    for positions in [m[1] for m in maps if len(m[1]) == channels] + [list(range(3, 3 + channels))]:
        set_map(pcm, "prepared", positions)
        set_map(pcm, "prepared", positions[::-1])
    if direction == "playback":
        alsa.snd_pcm_writei(pcm, bytes(24000 * 2 * channels), ctypes.c_ulong(12000))
    alsa.snd_pcm_start(pcm)
    say_map(pcm, "running")
    set_map(pcm, "running", list(range(3, 3 + channels)))
    alsa.snd_pcm_drop(pcm)
    say_map(pcm, "stopped")
    alsa.snd_pcm_close(pcm)


main()
