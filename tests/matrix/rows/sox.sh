# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages sox libsox-fmt-alsa

row sox "playback" same_frames "$sounds/song.wav" -- sox -q "$sounds/song.wav" -t alsa "$DEVICE"
row play "playback" same_frames "$sounds/song.wav" -- \
	env AUDIODRIVER=alsa AUDIODEV="$DEVICE" play -q "$sounds/song.wav"
row sox "capture" same_piece got.wav -- \
	sox -q -t alsa "$DEVICE" -b 16 -r 48000 -c 2 got.wav trim 0 3
row rec "capture" same_piece got.wav -- \
	env AUDIODRIVER=alsa AUDIODEV="$DEVICE" rec -q -b 16 -r 48000 -c 2 got.wav trim 0 3
