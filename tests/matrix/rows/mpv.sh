# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages mpv

row mpv "playback" same_frames "$sounds/song.wav" -- \
	mpv --no-config --no-video --msg-level=all=v --ao=alsa --audio-device="alsa/$DEVICE" "$sounds/song.wav"
