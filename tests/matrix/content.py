#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What is in a file of raw, interleaved frames.

usage: content.py same SOURCE HEARD FORMAT CHANNELS
           HEARD is all of SOURCE, with nothing but silence before and after
       content.py part SOURCE GOT FORMAT CHANNELS SECONDS RATE [trim]
           GOT is a piece of SOURCE, whole, of that length at least;
           trim: but for silence before and after
       content.py tone FILE FORMAT CHANNELS RATE HZ
           prints "LEVEL HZ SECONDS BREAKS" of a sine: dB of full scale, of all
           channels the quietest; its length from the first sound to the last; how
           many times it is broken: samples lost, repeated, or silent

FORMAT is a name of ALSA. Exit status 0, and a line that says what was found;
1, and a line that says what is wrong.
"""
import array
import math
import sys

BYTES = {"S8": 1, "U8": 1, "S16_LE": 2, "S16_BE": 2, "S24_LE": 4, "S24_3LE": 3,
         "S32_LE": 4, "FLOAT_LE": 4, "FLOAT64_LE": 8}


def slurp(path):
    with open(path, "rb") as file:
        return file.read()


def bounds(data, frame, silence):
    """The frames of data from the first that is not silent to the last."""
    begin = (len(data) - len(data.lstrip(silence))) // frame
    end = -(-len(data.rstrip(silence)) // frame)
    return begin, max(begin, end)


def same(source, heard, name, channels):
    frame = BYTES[name] * int(channels)
    silence = b"\x80" if name == "U8" else b"\0"
    source, heard = slurp(source), slurp(heard)
    begin, end = bounds(source, frame, silence)
    first, last = bounds(heard, frame, silence)
    wanted = source[begin * frame:end * frame]
    found = heard[first * frame:last * frame]
    if found != wanted:
        at = next((i for i, (a, b) in enumerate(zip(wanted, found)) if a != b),
                  min(len(wanted), len(found)))
        return 1, (f"{last - first} frames for {end - begin}, "
                   f"other from frame {at // frame} on")
    return 0, (f"bit for bit, silence {first - begin} before, "
               f"{len(heard) // frame - last} after")


def part(source, got, name, channels, seconds, rate, trim=""):
    frame = BYTES[name] * int(channels)
    source, got = slurp(source), slurp(got)
    if trim:
        first, last = bounds(got, frame, b"\x80" if name == "U8" else b"\0")
        got = got[first * frame:last * frame]
    frames = len(got) // frame
    if len(got) % frame or frames < float(seconds) * int(rate):
        return 1, f"only {frames} frames were recorded"
    # Its first frames, found in the source where a frame begins.
    at = source.find(got[:64 * frame])
    while at > 0 and at % frame:
        at = source.find(got[:64 * frame], at + 1)
    if at < 0:
        return 1, "its beginning was never supplied"
    if source[at:at + len(got)] != got:
        bad = next(i for i, b in enumerate(got) if source[at + i:at + i + 1] != bytes((b,)))
        return 1, f"other from frame {bad // frame} of {frames} on"
    return 0, f"bit for bit, from frame {at // frame} on"


def decode(data, name):
    data = data[:len(data) - len(data) % BYTES[name]]
    if name == "S24_3LE":
        data = b"".join(b"\0" + data[i:i + 3] for i in range(0, len(data), 3))
    if name == "U8":
        return [(b - 128) / 128 for b in data]
    code, scale = {"S8": ("b", 2**7), "S16_LE": ("h", 2**15), "S16_BE": ("h", 2**15),
                   "S24_LE": ("i", 2**23), "S24_3LE": ("i", 2**31), "S32_LE": ("i", 2**31),
                   "FLOAT_LE": ("f", 1), "FLOAT64_LE": ("d", 1)}[name]
    values = array.array(code, data)
    if (name == "S16_BE") != (sys.byteorder == "big"):
        values.byteswap()
    return [v / scale for v in values]


def tone_of(x, rate, hz):
    """Level, frequency, seconds, breaks of one channel."""
    loud = [i for i, v in enumerate(x) if abs(v) > 0.01]
    if not loud:
        return -120.0, 0.0, 0.0, 0
    x = x[loud[0]:loud[-1] + 1]
    seconds = len(x) / rate
    margin = min(len(x) // 4, int(rate * 0.05))    # programs fade in and out
    x = x[margin:len(x) - margin]
    level = math.sqrt(sum(v * v for v in x) / len(x)) * math.sqrt(2)
    ups = [i + x[i] / (x[i] - x[i + 1]) for i in range(len(x) - 1) if x[i] < 0 <= x[i + 1]]
    found = (len(ups) - 1) * rate / (ups[-1] - ups[0]) if len(ups) > 1 else 0.0
    # x[n+1] + x[n-1] = 2 cos(w) x[n] in an unbroken sine. Samples that follow
    # each other are one break.
    k, limit = 2 * math.cos(2 * math.pi * hz / rate), 0.02 * level
    breaks, last = 0, -rate
    for i in range(1, len(x) - 1):
        if abs(x[i + 1] - k * x[i] + x[i - 1]) > limit:
            breaks += i > last + rate // 100
            last = i
    return 20 * math.log10(level), found, seconds, breaks


def tone(path, name, channels, rate, hz):
    x, channels = decode(slurp(path), name), int(channels)
    each = [tone_of(x[c::channels], int(rate), float(hz)) for c in range(channels)]
    level, _, seconds, _ = (min(values) for values in zip(*each))
    found = max((one[1] for one in each), key=lambda f: abs(f - float(hz)))
    return 0, f"{level:.2f} {found:.2f} {seconds:.3f} {max(one[3] for one in each)}"


def main():
    run = {"same": same, "part": part, "tone": tone}.get(sys.argv[1] if sys.argv[1:] else "")
    if not run:
        sys.exit(__doc__)
    try:
        status, line = run(*sys.argv[2:])
    except (OSError, KeyError) as problem:
        status, line = 1, f"cannot be checked: {problem}"
    print(line)
    sys.exit(status)


main()
