# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages alsa-utils

row aplay "playback, rw" same_frames "$sounds/song.wav" -- aplay -q -D "$DEVICE" "$sounds/song.wav"
row aplay "playback, mmap" same_frames "$sounds/song.wav" -- aplay -q -M -D "$DEVICE" "$sounds/song.wav"
row aplay "playback, non-blocking" same_frames "$sounds/song.wav" -- aplay -q -N -D "$DEVICE" "$sounds/song.wav"
row aplay "playback of a tone" tone 997 -- aplay -q -D "$DEVICE" "$sounds/tone.wav"

record=(arecord -q -D "$DEVICE" -f S16_LE -r 48000 -c 2 -d 3)
row arecord "capture, rw" same_piece got.wav -- "${record[@]}" got.wav
row arecord "capture, mmap" same_piece got.wav -- "${record[@]}" -M got.wav
row arecord "capture, non-blocking" same_piece got.wav -- "${record[@]}" -N got.wav
supply=$sounds/longtone.raw
row arecord "capture of a tone" tone 997 got.wav -- "${record[@]}" got.wav
