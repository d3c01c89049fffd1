# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages portaudio19-dev

client=$build/tests/matrix/portaudio_client
duplex() { same_frames "$sounds/song.raw" && same_piece got.raw; }
for way in callback blocking; do
	row PortAudio "playback, $way" same_frames "$sounds/song.raw" -- \
		"$client" $way "$DEVICE" "$sounds/song.raw" ""
	row PortAudio "capture, $way" same_piece got.raw -- "$client" $way "$DEVICE" "" got.raw
	row PortAudio "both, $way" duplex -- "$client" $way "$DEVICE" "$sounds/song.raw" got.raw
done
