#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""A server of the Slim protocol with one tune and for one player.

usage: slim.py FILE PORT

FILE is raw: S16_LE, 48000 Hz, two channels. The number of a free port of 127.0.0.1
is written to the file PORT; the tune comes over HTTP from another one. The server
tells the player to play at once; when the player says that all is played it prints
"played" and tells it to stop. It ends with the player. Exit status 0: it was played.
"""
import os
import socket
import struct
import sys
import threading


def command(letter, port=0, request=b""):
    """strm: autostart, PCM, 16 bits, 48 kHz, stereo, little endian; start with 16 KiB."""
    body = b"strm" + struct.pack(
        "!c c c c c c c B B B c B B B I H I", letter, b"1", b"p", b"1", b"4", b"2", b"1",
        16, 0, 0, b"0", 0, 0, 0, 0, port, 0) + request
    return struct.pack("!H", len(body)) + body


def full_volume():
    """audg: 16.16, both channels; without it the player is silent."""
    body = b"audg" + struct.pack("!IIBBII", 128, 128, 1, 255, 1 << 16, 1 << 16)
    return struct.pack("!H", len(body)) + body


def send_tune(listener, path):
    with listener.accept()[0] as peer, open(path, "rb") as file:
        while not peer.recv(4096).endswith(b"\r\n\r\n"):
            pass
        peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: audio/L16\r\n\r\n" + file.read())


def messages(peer):
    """What the player says, as (operation, data)."""
    with peer.makefile("rb") as stream:
        while len(head := stream.read(8)) == 8:
            operation, size = struct.unpack("!4sI", head)
            yield operation, stream.read(size)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    control, tune = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    threading.Thread(target=send_tune, args=(tune, sys.argv[1]), daemon=True).start()
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as file:
        print(control.getsockname()[1], file=file)
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    peer = control.accept()[0]
    played = False
    for operation, data in messages(peer):
        if operation == b"HELO":
            peer.sendall(full_volume())
            peer.sendall(command(b"s", tune.getsockname()[1], b"GET /tune HTTP/1.0\r\n\r\n"))
        elif operation == b"STAT" and data[:4] == b"STMu":
            played = True
            print("played", flush=True)
            peer.sendall(command(b"q"))
        elif operation == b"STAT" and data[:4] == b"STMn":
            print("the player cannot play it", file=sys.stderr)
    sys.exit(not played)


main()
