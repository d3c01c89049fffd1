# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages alsa-utils

row speaker-test "playback, sine" tone 997 -- \
	speaker-test -D "$DEVICE" -F S16_LE -r 48000 -c 2 -t sine -f 997 -l 1
row speaker-test "playback, its own recordings" as_bare -- \
	speaker-test -D "$DEVICE" -F S16_LE -r 48000 -c 2 -t wav -l 1

# The second card records, the device plays: a piece of what was supplied.
looped() {
	local format channels rate
	read -r format channels rate <<< "$(params)"
	python3 "$matrix/content.py" part supply.raw heard.raw "$format" "$channels" 2 "$rate" trim
}
# It goes on until it is told to stop (-s is no end in this version).
row alsaloop "capture to playback" looped -- timeout --preserve-status -s INT 4 \
	alsaloop -C "$SECOND" -P "$DEVICE" -f S16_LE -r 48000 -c 2 -t 100000 -S 0

supply=$sounds/longtone.raw
# Its -n takes for its own failure what looking for a locale left in errno: LC_ALL=C.
row alsabat "playback" tone 997 -- \
	env LC_ALL=C alsabat -P "$DEVICE" -f S16_LE -r 48000 -c 2 -F 997 -n 3s
row alsabat "both, its own analysis" tone 997 -- \
	env LC_ALL=C alsabat -P "$DEVICE" -C "$DEVICE" -f S16_LE -r 48000 -c 2 -F 997 -n 3s
