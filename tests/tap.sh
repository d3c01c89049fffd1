# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What the shell tests say and wait for. Sourced by them.

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; }

# equal NAME WANTED GOT
equal() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected $2, got $3"; fi
}

# until_true COMMAND…: looked at so many times, with so many seconds in between: 10 s at
# most, unless whoever sources this says otherwise.
looks=200
look_every=0.05
until_true() {
	local tries
	for ((tries = 0; tries < looks; tries++)); do
		"$@" && return
		sleep "$look_every"
	done
	return 1
}

is_gone() { ! kill -0 "$1" 2> /dev/null; }

# counter DEVICE ELEMENT: the value of "Headroom ELEMENT", which may name a subdevice.
counter() { amixer -D "$1" cget "iface=PCM,name=Headroom $2" 2> /dev/null | sed -n 's/.*: values=//p'; }
