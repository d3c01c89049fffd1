# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages mpg123 ffmpeg

ffmpeg -nostdin -loglevel error -y -i "$sounds/song.wav" -b:a 192k "$sounds/song.mp3" &&
	mpg123 -q -w "$sounds/decoded.wav" "$sounds/song.mp3"
row mpg123 "playback" same_frames "$sounds/decoded.wav" -- \
	mpg123 -o alsa -a "$DEVICE" "$sounds/song.mp3"
