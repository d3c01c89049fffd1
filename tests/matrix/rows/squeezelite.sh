# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages squeezelite python3
# One rate: until the tune comes it would play silence at 44100 Hz.
card='formats [ S16_LE ] rates [ 48000 ] channels_min 2 channels_max 2'

# It opens the card more than once before it plays.
played_and_closed() { [ -s played ] && tail -n 1 card.log | grep -q '^close'; }

# squeezelite_plays MMAP: from a server of its own. It fills the card with silence after
# the tune until it has been idle for a second, and then closes it: all has been heard.
squeezelite_plays() {
	local server player
	python3 "$matrix/slim.py" "$sounds/song.raw" port > played &
	server=$!
	ready test -s port || return 1
	squeezelite -s "127.0.0.1:$(cat port)" -o "$DEVICE" -a "80:4:16:$1" -r 48000 -C 1 -n matrix &
	player=$!
	until played_and_closed; do
		kill -0 "$player" "$server" || return 1
		sleep 0.05
	done
	kill "$player"
	wait "$player" || return
	wait "$server"
}
row squeezelite "playback, mmap" same_frames "$sounds/song.raw" -- squeezelite_plays 1
row squeezelite "playback, rw" same_frames "$sounds/song.raw" -- squeezelite_plays 0
