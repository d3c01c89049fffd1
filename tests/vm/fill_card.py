#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Fill the memory that the kernel has for the user-defined elements of a card, or
give it back.

fill_card.py CARD fill|empty    CARD as in "hw:0"
"""
import ctypes
import errno
import sys

alsa = ctypes.CDLL("libasound.so.2")
IFACE_CARD = 0


def element(number):
    ident = ctypes.c_void_p()
    alsa.snd_ctl_elem_id_malloc(ctypes.byref(ident))
    alsa.snd_ctl_elem_id_set_interface(ident, IFACE_CARD)
    alsa.snd_ctl_elem_id_set_name(ident, b"Ballast")
    alsa.snd_ctl_elem_id_set_index(ident, number)
    return ident


def main():
    ctl = ctypes.c_void_p()
    if alsa.snd_ctl_open(ctypes.byref(ctl), sys.argv[1].encode(), 0) < 0:
        sys.exit("cannot open " + sys.argv[1])
    # Ever smaller ones, until not even the smallest finds room.
    number, items = 0, 1000
    while True:
        if sys.argv[2] == "empty":
            err = alsa.snd_ctl_elem_remove(ctl, element(number))
        else:
            names = (ctypes.c_char_p * items)(*[b"%062d" % i for i in range(items)])
            err = alsa.snd_ctl_elem_add_enumerated(ctl, element(number), 1, items, names)
        if err >= 0:
            number += 1
        elif sys.argv[2] == "fill" and err == -errno.ENOMEM and items > 1:
            items //= 2
        else:
            break
    print(number, "elements:", errno.errorcode.get(-err, err))


main()
