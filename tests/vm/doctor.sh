# shellcheck shell=bash disable=SC2154 # raw and here are of tests/vm.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Part of tests/vm.sh: headroom-doctor, as far as it takes a real card, a real kernel's
# /proc/asound and a root who may all. The rest is tests/headroom_doctor.sh. Sourced by it.

# examined DEVICE: what the doctor says of it is in the file said, line by line.
examined() { "$here/scripts/headroom-doctor" "$1" > said 2>&1; }

# says NAME PATTERN: it does.
says() {
	if grep -Eq -- "$2" said; then pass "doctor: $1"; else fail "doctor: $1" "$(cat said)"; fi
}

# line_after PATTERN: the first line to type after that one.
line_after() { sed -n "/$1/,\$s/^             //p" said | head -n 1; }

part_doctor() {
	local holder terminal line

	examined hda
	equal "doctor: all is well" "0 Nothing hinders 'hda'." "$? $(tail -n 1 said)"

	aplay -q -D hw:HDA "${raw[@]}" /dev/zero 2> err &
	holder=$!
	until_true grep -qs RUNNING /proc/asound/HDA/pcm0p/sub0/status
	examined hda
	equal "doctor: a card that is held: exit status" 1 $?
	says "a card that is held" "free: it is held by aplay .process $holder"
	eval "$(line_after 'free:')"
	wait $holder
	examined hda
	says "a card that is held: the line" "^ok +free: nobody else has it"

	aplay -q -D hda_card "${raw[@]}" /dev/zero 2> err &
	holder=$!
	until_true is_on_card HDA 41
	until_true grep -qs RUNNING /proc/asound/HDA/pcm0p/sub0/status
	examined hda_card
	says "held through headroom" "^ok +free: in use, through headroom, by aplay .process $holder"
	says "elements of a stream that lives" "^ok +card elements: hw:[0-9]: none left over"
	{ kill -KILL $holder; wait $holder; } 2> /dev/null
	examined hda_card
	says "elements left over" "^note +card elements: 41 elements"
	eval "$(line_after 'card elements:')" > removed
	equal "doctor: elements left over: the line" "hw:0: 41 removed, 0 are there" \
		"$(cat removed), $(on_card HDA) are there"

	# A terminal of a user who is in no group.
	mkfifo typed
	chmod 777 .
	(
		ulimit -r 0
		exec setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all \
			--bounding-set=-all bash < typed > /dev/null 2>&1
	) &
	terminal=$!
	exec 8> typed
	echo "$here/scripts/headroom-doctor hda > their.new; mv their.new theirs" >&8
	until_true test -e theirs
	mv theirs said
	says "a card of group audio" "nobody may not open /dev/snd/pcmC0D0p: that is for group audio"
	says "no real-time priority" "^note +real-time: priority 60 is asked for, and nobody may have none"
	line=$(line_after 'real-time:' | sed 's/^sudo //; s/^su - -c "\(.*\)"$/\1/')
	eval "${line//\$\$/$terminal}"
	echo "$here/scripts/headroom-doctor hda > their.new; mv their.new theirs" >&8
	until_true test -e theirs
	mv theirs said
	says "no real-time priority: the line" "^ok +real-time: headroom gets priority 60"
	exec 8>&-
	wait $terminal
}
