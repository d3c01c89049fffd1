# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages jackd2 jack-capture
# One format, which is that of what the card supplies: JACK would rather have 32 bits.
card='formats [ S16_LE ] rates [ 48000 ] channels_min 2 channels_max 2'

# jack WAYS COMMAND…: a server of its own on the device; while
# it runs, COMMAND does. Real time, since without it the bare card has xruns already.
jack() {
	local ways=$1 server status
	shift
	JACK_DEFAULT_SERVER=matrix$BASHPID
	export JACK_DEFAULT_SERVER JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1
	# shellcheck disable=SC2086 # words
	jackd -R -P 50 -S -n "$JACK_DEFAULT_SERVER" -d alsa -d "$DEVICE" -r 48000 -p 2048 -n 3 $ways &
	server=$!
	ready jack_lsp || return 1
	"$@"
	status=$?
	kill -INT "$server"
	wait "$server" || return
	return "$status"
}

# JACK's own client: a sine of 240 Hz on the left, and one of 720 Hz on the right.
sine() {
	local client
	jack_simple_client &
	client=$!
	sleep 3
	kill -INT "$client"
	wait "$client"
	return 0
}

recorded() {
	jack_capture -c 2 -d 3 -b 16 -f wav -p 'system:capture_*' -hbu got.wav
}

left() {
	sox -q -t raw -r 48000 -c 2 -e signed -b 16 heard.raw left.wav remix 1 && tone 240 left.wav
}

row JACK "playback, mmap" left -- jack "-P -o 2" sine
supply=$sounds/longtone.raw
row JACK "capture, mmap" tone 997 got.wav -- jack "-C -i 2" recorded
