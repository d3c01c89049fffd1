# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages vlc-bin vlc-plugin-base

# It refuses to run as root: then it runs as nobody, who is given the folder.
as_nobody() {
	[ "$(id -u)" -eq 0 ] || { "$@"; return; }
	mkdir -p "$HEADROOM_DIR"
	chmod 755 "$(dirname "$sounds")" "$(dirname "$(dirname "$PWD")")" ..
	chown -R nobody: .
	setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
}
row VLC "playback" same_frames "$sounds/song.wav" -- as_nobody \
	vlc -I dummy --no-video --no-dbus --aout=alsa --alsa-audio-device="$DEVICE" \
	--play-and-exit "$sounds/song.wav"
