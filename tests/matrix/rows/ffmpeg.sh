# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages ffmpeg

row ffmpeg "playback" same_frames "$sounds/song.wav" -- \
	ffmpeg -nostdin -loglevel info -i "$sounds/song.wav" -f alsa "$DEVICE"
row ffmpeg "capture" same_piece got.wav -- ffmpeg -nostdin -loglevel info \
	-f alsa -channels 2 -sample_rate 48000 -i "$DEVICE" -t 3 got.wav
