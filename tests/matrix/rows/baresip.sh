# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages baresip-core python3
card='formats [ S16_LE ] rates [ 48000 ] channels_min 2 channels_max 2'

# phone NAME PORT SOURCE PLAYER MODE: the folder of one that needs no registrar, on
# loopback, and speaks uncompressed sound.
phone() {
	mkdir "$1"
	cat > "$1/config" <<-END
		sip_listen 127.0.0.1:$2
		net_interface 127.0.0.1
		audio_source $3
		audio_player $4
		ringback_disabled yes
		statmode_default off
		ausrc_channels 2
		auplay_channels 2
		module_path /usr/lib/baresip/modules
		module l16.so
		module alsa.so
		module ausine.so
		module_tmp account.so
		module_app menu.so
	END
	echo "<sip:$1@127.0.0.1:$2>;regint=0;answermode=$5;audio_codecs=L16/48000/2" > "$1/accounts"
	touch "$1/contacts"
}

free_port() {
	python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# call SOURCE: one phone calls another, which answers at once. Each plays what the other
# says: the one that was called on the device, the caller on the second one.
call() {
	local called caller port status
	port=$(free_port)
	phone called "$port" ausine,440 "alsa,$DEVICE" auto
	phone caller "$(free_port)" "$1" "alsa,$SECOND" manual
	baresip -4 -f called &
	called=$!
	ready eval ": > /dev/tcp/127.0.0.1/$port" || return 1
	baresip -4 -f caller -e "/dial sip:called@127.0.0.1:$port" &
	caller=$!
	heard_more 4 "$caller"
	status=$?
	kill -INT "$caller"
	wait "$caller" || status=1
	kill -INT "$called"
	wait "$called" || status=1
	return "$status"
}

# about HZ FILE: it is that tone, perhaps with holes: what the phones send is timed by
# their own clock, and with the bare card, too, the listener's buffer runs dry.
about() {
	local hz
	hz=$(sox -q -t raw -r 48000 -c 2 -e signed -b 16 "$2" -n remix 1 stat 2>&1 |
		awk '/^Rough/ { print $3 }')
	echo "about $hz Hz"
	[ "$((hz * 20))" -ge "$(($1 * 19))" ] && [ "$((hz * 20))" -le "$(($1 * 21))" ]
}

both_heard() { about 440 second.raw && about 997 heard.raw; }

row baresip "playback, a call, both ends" both_heard -- call ausine,997
supply=$sounds/longtone.raw
row baresip "capture, a call, both ends" both_heard -- call "alsa,$SECOND"
