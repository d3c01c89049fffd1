# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages mpd mpc

# mpd_plays FILE: a server of its own, told by a socket in its folder; it ends when the
# queue has been played.
mpd_plays() {
	local server status
	cat > mpd.conf <<-END
		bind_to_address "$PWD/socket"
		audio_output {
			type "alsa"
			name "card"
			device "$DEVICE"
			mixer_type "none"
			auto_resample "no"
			auto_format "no"
			auto_channels "no"
		}
	END
	mpd --no-daemon --stderr --verbose mpd.conf &
	server=$!
	export MPD_HOST=$PWD/socket
	ready mpc status || return 1
	mpc add "file://$1" && mpc play || return 1
	# Until the song has ended.
	while mpc status | grep -q '\[playing\]'; do mpc idle player > /dev/null; done
	status=$(mpc status | grep -c ERROR)
	kill "$server"
	wait "$server" || return
	return "$status"
}
row MPD "playback" same_frames "$sounds/song.wav" -- mpd_plays "$sounds/song.wav"
