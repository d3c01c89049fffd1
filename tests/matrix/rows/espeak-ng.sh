# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages espeak-ng espeak-ng-data

# It opens the card once more at its end, which empties the file of what was heard:
# not so a pipe.
speak() {
	local status
	mkfifo heard.raw
	cat < heard.raw > kept.raw &
	exec 3> heard.raw
	espeak-ng "$@"
	status=$?
	exec 3>&-
	wait
	mv kept.raw heard.raw
	return "$status"
}
row espeak-ng "playback, default device" as_bare -- \
	speak "The quick brown fox jumps over the lazy dog, and then it does so again."
