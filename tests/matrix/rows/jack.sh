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
	jackd -R -P 50 -S -n "$JACK_DEFAULT_SERVER" -d alsa -r 48000 -p 2048 -n 3 $ways &
	server=$!
	ready jack_lsp || return 1
	"$@"
	status=$?
	kill -INT "$server"
	wait "$server" || return
	return "$status"
}

connected() { jack_lsp -c "$1" 2> /dev/null | grep -q '^ '; }

# JACK's own client: a sine of 240 Hz on the left, and one of 720 Hz on the right. The
# server plays on after it, so that all of it is heard.
sine() {
	local client
	jack_simple_client &
	client=$!
	ready connected system:playback_2 || return 1
	heard_more 4 "$client"
	kill -INT "$client"
	wait "$client"
	heard_more 1 "$server"
}

# A file, by a client that ends by itself.
filed() {
	mpv --no-config --no-video --really-quiet --ao=jack "$sounds/song.wav" || return 1
	heard_more 1 "$server"
}

recorded() {
	jack_capture -c 2 -d 3 -b 16 -f wav -p 'system:capture_*' -hbu got.wav
}

# What is recorded is played, by the server alone.
through() {
	jack_connect system:capture_1 system:playback_1 &&
		jack_connect system:capture_2 system:playback_2 && heard_more 4 "$server"
}

# channel N FILE: of S16_LE, stereo.
channel() { sox -q -t raw -r 48000 -c 2 -e signed -b 16 "$2" "$1.$(basename "$2")" remix "$1"; }

two_tones() {
	sox -q -t raw -r 48000 -c 2 -e signed -b 16 heard.raw 1.wav remix 1 &&
		sox -q -t raw -r 48000 -c 2 -e signed -b 16 heard.raw 2.wav remix 2 &&
		tone 240 1.wav && tone 720 2.wav
}

# One channel was connected before the other: each is a piece of its own.
looped() {
	local n
	for n in 1 2; do
		channel $n heard.raw
		channel $n supply.raw
		python3 "$matrix/content.py" part $n.supply.raw $n.heard.raw S16_LE 1 3.5 48000 trim || return 1
	done
}

row JACK "playback, mmap" two_tones -- jack "-P $DEVICE -o 2" sine
row JACK "playback, mmap, a file by mpv" as_bare -- jack "-P $DEVICE -o 2" filed
row JACK "both, mmap" looped -- jack "-C $DEVICE -P $DEVICE -i 2 -o 2" through
supply=$sounds/longtone.raw
row JACK "capture, mmap" tone 997 got.wav -- jack "-C $DEVICE -i 2" recorded
