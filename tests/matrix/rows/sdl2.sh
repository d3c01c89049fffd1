# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages libsdl2-dev

client=$build/tests/matrix/sdl2_client
export SDL_AUDIODRIVER=alsa SDL_VIDEODRIVER=dummy
row SDL2 "playback" same_frames "$sounds/song.raw" -- \
	env AUDIODEV="$DEVICE" "$client" play "$sounds/song.raw"
row SDL2 "capture" same_piece got.raw -- env AUDIODEV="$DEVICE" "$client" record got.raw
