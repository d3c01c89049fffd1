#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# The trace points of core/probe.h: they are there in a build that has them and not in
# another, cost next to nothing while nobody watches, and scripts/headroom.bt shows what
# happens to a real program, where the kernel lets it. Prints "ok NAME" or "not ok NAME: why".
#
# usage: tests/probes.sh BUILD PROBED   (a build folder of meson, and one configured with
#                                        -Dc_args=-DHEADROOM_PROBES)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
build=$(cd "${1:?usage: tests/probes.sh BUILD PROBED}" && pwd)
probed=$(cd "${2:?usage: tests/probes.sh BUILD PROBED}" && pwd)
work=$(mktemp -d)
player='' tracer=''
clean_up() {
	# shellcheck disable=SC2086 # those that there are
	[ -z "$player$tracer" ] || kill $player $tracer 2> /dev/null
	rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1

# --- they are there ---

# probes BUILD: each with the number of its arguments.
probes() {
	readelf -n "$1/plugin/libasound_module_pcm_headroom.so" |
		awk '/Provider: headroom/ { getline; name = $2 }
			/Arguments:/ { print name, NF - 1 }' | sort | paste -sd, -
}
equal "the trace points and their arguments" "late 2,pop 3,pressure 3,push 3,xrun 4" "$(probes "$probed")"
equal "none without the option" "" "$(probes "$build")"

# --- what they cost ---

# counted BUILD: the instructions of the I/O thread in a period, by row of guard/limits.
counted() {
	"$here/tests/guard.sh" "$1" thread | sed -nE 's/^(not )?ok instructions: (.*): ([0-9.]+)(,.*)?$/\2;\3/p'
}

# cost NAME: with the trace points and without.
cost() { grep -hF "$1;" with without | cut -d';' -f2 | paste -sd' '; }

# An instruction that does nothing for each that is passed, and where the compiler puts what
# stands around it; a hundredth in all.
cost_next_to_nothing() {
	local name
	while IFS=';' read -r name _; do
		cost "$name" | awk '{ exit !(NF == 2 && $1 <= $2 * 1.01 + 4) }' || return
	done < without
}

# As in guard.sh: what is too much is counted again.
for tries in 1 2 3 4; do
	counted "$build" > without
	counted "$probed" > with
	cost_next_to_nothing && break
done
if [ -s without ]; then
	cost_next_to_nothing && pass "they cost next to nothing while nobody watches" ||
		fail "they cost next to nothing while nobody watches" "with them $(paste -sd, with), without $(paste -sd, without)"
else
	echo "  instructions are not compared: see guard/limits"
fi

# --- somebody watches ---

export ALSA_CONFIG_PATH=$work/asound.conf HEADROOM_DIR=$work/pages
cat > asound.conf << END
<$probed/tests/asound.conf>
pcm.play { type headroom slave.pcm { type clocked } }
ctl.play { type headroom }
END

is_traced() { grep -q -- "$1" traced; }

watch_player() {
	local count
	mkfifo sound
	aplay -q -D play -t raw -f S16_LE -r 48000 -c 2 --buffer-time=200000 sound 2> err &
	player=$!
	exec {feed}> sound
	head -c 96000 /dev/zero >&"$feed"
	# It must not keep the pipe open.
	bpftrace -p $player "$here/scripts/headroom.bt" {feed}>&- > traced 2> err.trace &
	tracer=$!
	until_true is_traced ' stream ' || fail "headroom.bt is attached" "$(tail -n 2 err.trace)"
	# A second of sound; then it runs dry.
	head -c 192000 /dev/zero >&"$feed"
	until_true is_traced xrun:
	exec {feed}>&-
	until_true is_gone "$player" || fail "aplay ends with its sound" "$(ps -o stat=,wchan=,args= -p "$player")"
	kill -INT $tracer
	until_true is_gone "$tracer" || fail "bpftrace ends" "$(tail -n 2 err.trace)"
	equal "headroom.bt tells of an underrun and who was late" "xrun: the program was late" \
		"$(grep -o 'xrun: the program was late' traced | head -n 1)"
	count=$(sed -n 's/^@popped.*: \([0-9]*\)$/\1/p' traced | head -n 1)
	if [ "${count:-0}" -gt 10 ]; then
		pass "headroom.bt counts the chunks"
	else
		fail "headroom.bt counts the chunks" "$(tail -n 3 traced)"
	fi
	if grep -q '^@waited_us' traced && grep -q '^@late_us' traced; then
		pass "headroom.bt shows how long they waited, and how late the I/O thread was"
	else
		fail "headroom.bt shows how long they waited, and how late the I/O thread was" "$(tail -n 3 traced)"
	fi
}

# A kernel that lets nobody trace: it is said, and is no failure.
if bpftrace -e 'BEGIN { exit(); }' > out 2> err; then
	watch_player
else
	echo "  headroom.bt is not run: $(grep -v MEMLOCK err | tail -n 1)"
fi
end_of_tests
