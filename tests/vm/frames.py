#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Sound that can be recognized, and the comparison of what was heard.

make FILE FRAMES FRAME_BYTES SILENT   noise without a byte of 0, and SILENT frames of
                                      0 before and after it
same WANTED GOT [option...]           is the noise of WANTED in GOT, after silence?
    --from N       bytes of GOT to leave out
    --frame N      bytes per frame, 4
    --channel N    only this channel of 16-bit stereo
    --after N      frames of silence there must be after it
    --breaks N     so many times it may be broken off and gone on with later
last WANTED GOT N     are the last N frames of the noise of WANTED in GOT, unbroken?
missing WANTED GOT [--from N]   how many frames of the noise of WANTED were left out, where
                                it was broken off once

What a card plays when it has run dry is not looked at: it is what its memory held.
"""
import argparse
import random
import sys


def make(args):
    noise = random.Random(args.file)
    body = bytes(noise.choices(range(1, 256), k=args.frames * args.frame_bytes))
    silence = bytes(args.silent * args.frame_bytes)
    with open(args.file, "wb") as file:
        file.write(silence + body + silence)


def read(path, start, args):
    """The frames of a file."""
    with open(path, "rb") as file:
        file.seek(start)
        data = file.read()
    first, size = 0, args.frame
    if args.channel is not None:
        first, size = 2 * args.channel, 2
    return [data[i + first:i + first + size]
            for i in range(0, len(data) - args.frame + 1, args.frame)]


def skip_silence(frames):
    """Where the first frame is that is not silent."""
    return next((i for i, frame in enumerate(frames) if any(frame)), len(frames))


def find(frames, piece, start):
    """Where the piece is in frames, or -1."""
    for i in range(start, len(frames) - len(piece) + 1):
        if frames[i] == piece[0] and frames[i:i + len(piece)] == piece:
            return i
    return -1


def same(args):
    wanted, got = read(args.wanted, 0, args), read(args.got, args.start, args)
    wanted = wanted[skip_silence(wanted):]
    while wanted and not any(wanted[-1]):
        wanted.pop()
    begin = at = skip_silence(got)
    done, broken = 0, []
    while True:
        while done < len(wanted) and at < len(got) and got[at] == wanted[done]:
            done, at = done + 1, at + 1
        if done == len(wanted) or len(broken) == args.breaks:
            break
        broken.append(done)
        at = find(got, wanted[done:done + 16], at)
        if at < 0:
            at = len(got)
    if done < len(wanted):
        shown = got[at].hex() if at < len(got) else "the end"
        if at < len(got):
            where = find(wanted, got[at:at + 4], 0)
            shown += f", which is frame {where}" if where >= 0 else ", not of it"
        sys.exit(f"{done} of {len(wanted)} frames (broken off at {broken}), then {shown}; "
                 f"{len(got) - begin} frames in all")
    silent = next((i for i, frame in enumerate(got[at:at + args.after]) if any(frame)),
                  len(got) - at)
    if silent < args.after:
        sys.exit(f"{silent} frames of silence after it, not {args.after}; "
                 f"{len(got) - at - silent} more frames")


def last(args):
    with open(args.wanted, "rb") as file:
        wanted = file.read().rstrip(b"\0")[-args.n * args.frame:]
    with open(args.got, "rb") as file:
        if wanted not in file.read():
            sys.exit("they are not, as a whole")


def missing(args):
    with open(args.wanted, "rb") as file:
        wanted = file.read().strip(b"\0")
    with open(args.got, "rb") as file:
        file.seek(args.start)
        got = file.read().lstrip(b"\0")
    size, end = args.frame, wanted[-1000 * args.frame:]
    heard = next((i for i in range(0, len(wanted), size)
                  if got[i:i + size] != wanted[i:i + size]), len(wanted))
    at, back = got.rfind(end), len(wanted) - len(end)
    if at < 0:
        sys.exit(f"{heard // size} frames are heard, and the last are not")
    while back > heard and at >= size and got[at - size:at] == wanted[back - size:back]:
        at, back = at - size, back - size
    print((back - heard) // size)


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(required=True)
command = commands.add_parser("make")
command.add_argument("file")
command.add_argument("frames", type=int)
command.add_argument("frame_bytes", type=int)
command.add_argument("silent", type=int)
command.set_defaults(run=make)
command = commands.add_parser("same")
command.add_argument("wanted")
command.add_argument("got")
command.add_argument("--from", dest="start", type=int, default=0)
command.add_argument("--frame", type=int, default=4)
command.add_argument("--channel", type=int)
command.add_argument("--after", type=int, default=0)
command.add_argument("--breaks", type=int, default=0)
command.set_defaults(run=same)
command = commands.add_parser("last")
command.add_argument("wanted")
command.add_argument("got")
command.add_argument("n", type=int)
command.add_argument("--frame", type=int, default=4)
command.set_defaults(run=last)
command = commands.add_parser("missing")
command.add_argument("wanted")
command.add_argument("got")
command.add_argument("--from", dest="start", type=int, default=0)
command.add_argument("--frame", type=int, default=4)
command.set_defaults(run=missing)
arguments = parser.parse_args()
arguments.run(arguments)
