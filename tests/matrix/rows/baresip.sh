# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages baresip-core python3
card='formats [ S16_LE ] rates [ 48000 ] channels_min 2 channels_max 2'

# phone NAME PORT SOURCE PLAYER MODE: the folder of one that needs no registrar, on loopback.
phone() {
	mkdir "$1"
	cat > "$1/config" <<-END
		sip_listen 127.0.0.1:$2
		net_interface 127.0.0.1
		audio_source $3
		audio_player $4
		audio_buffer 200
		jitter_buffer_delay 5-50
		ringback_disabled yes
		statmode_default off
		module_path /usr/lib/baresip/modules
		module opus.so
		module alsa.so
		module ausine.so
		module_tmp account.so
		module_app menu.so
	END
	echo "<sip:$1@127.0.0.1:$2>;regint=0;answermode=$5" > "$1/accounts"
	touch "$1/contacts"
}

# free_port: in the shell alone, since what it costs counts as the phone's.
free_port() {
	local port=$((20000 + RANDOM % 10000))
	while (: > "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((port + 1)); done
	echo "$port"
}

# call SOURCE: one phone calls another, which answers at once. Each plays what the other
# says: the one that was called on the device, the caller on the second one. What they
# give to the devices and get from them is written down on the way.
call() {
	local called caller port status
	cat >> asound.conf <<-END
		pcm.told { type file slave.pcm $DEVICE file "$PWD/told.raw" format raw }
		pcm.told_second { type file slave.pcm $SECOND file "$PWD/told_second.raw" format raw }
		pcm.recorded { type file slave.pcm $SECOND file "$PWD/recorded.raw" format raw }
	END
	port=$(free_port)
	phone called "$port" ausine,440 alsa,told auto
	phone caller "$(free_port)" "$1" alsa,told_second manual
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

# said HZ HEARD TOLD: what was heard is bit for bit what the phone played, and that is about
# this tone: what the phones send is timed by their own clock, and with the bare card, too,
# a packet may come too late.
said() {
	local hz
	hz=$(sox -q -t raw -r 48000 -c 2 -e signed -b 16 "$2" -n remix 1 stat 2>&1 |
		awk '/^Rough/ { print $3 }')
	if [ "$((hz * 20))" -lt "$(($1 * 19))" ] || [ "$((hz * 20))" -gt "$(($1 * 21))" ]; then
		echo "about $hz Hz, not $1 Hz"
		return 1
	fi
	python3 "$matrix/content.py" part "$3" "$2" S16_LE 2 3 48000 trim
}

both_said() { said 997 heard.raw told.raw && said 440 second.raw told_second.raw; }
recorded_too() {
	both_said && python3 "$matrix/content.py" part supply.raw recorded.raw S16_LE 2 3 48000
}

row baresip "playback, a call" both_said -- call ausine,997
supply=$sounds/longtone.raw
row baresip "both, a call" recorded_too -- call alsa,recorded
