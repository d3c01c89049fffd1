# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""A statsd that prints what it has at the end: the sum of each counter, the last of each
gauge, a line each. It says on which port it listens in the file that is named, and ends
when a file of that name with .end is there.
"""
import os
import re
import socket
import sys

LINE = re.compile(r"(headroom\.[A-Za-z0-9_-]+\.(?:playback|capture)\.[0-9]+\.[a-z0-9_]+)"
                  r":([0-9]+(?:\.[0-9]+)?(?:e-[0-9]+)?)\|([cg])")


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(0.05)
    with open(sys.argv[1] + ".tmp", "w", encoding="ascii") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(sys.argv[1] + ".tmp", sys.argv[1])
    values = {}
    while not os.path.exists(sys.argv[1] + ".end"):
        try:
            datagram = listener.recv(65536)
        except TimeoutError:
            continue
        if len(datagram) > 1400:
            print(f"a datagram of {len(datagram)} bytes")
        for line in datagram.decode().split("\n"):
            match = LINE.fullmatch(line)
            if not match:
                print(f"no statsd: {line!r}")
                continue
            before = values.get(match[1], 0) if match[3] == "c" else 0
            values[match[1]] = before + float(match[2])
    for metric, value in values.items():
        print(f"{metric} {value:.9g}")


main()
