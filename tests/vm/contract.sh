# shellcheck shell=bash disable=SC2154 # build and here are of tests/vm.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Part of tests/vm.sh: the scenarios of tests/contract on a kernel's cards and through
# headroom on them. The capture is without depth: its overrun is the card's. Sourced
# by it.

part_contract() {
	local card

	for card in HDA Loopback,0,0; do
		from_tap timeout 300 "$build/tests/contract/pair" "hw:$card" "same_as:'hw:$card'" playback 1024 16384
	done
	# The emulated HDA has no sound to record: it never moves.
	for card in Loopback,1,0 Dummy; do
		from_tap timeout 300 "$build/tests/contract/pair" "hw:$card" "same_as:'hw:$card'" capture 1024 16384
	done
}
