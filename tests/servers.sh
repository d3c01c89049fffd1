#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom on sound servers: over the ALSA plug-ins pulse, pipewire and jack, each
# against its real server, which plays to nowhere and lets that be recorded. What is
# played and recorded is compared bit for bit. Prints one line a test: "ok NAME" or
# "not ok NAME: why".
#
# usage: tests/servers.sh BUILD [SERVER…]   (a build folder of meson; all servers)
#
# The servers are private to this run, see servers/start.sh.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
looks=400
build=$(cd "${1:?usage: tests/servers.sh BUILD [SERVER…]}" && pwd)
shift
# shellcheck source=tests/servers/start.sh
. "$here/tests/servers/start.sh"

frames() { "$here/tests/vm/frames.py" "$@"; }

# --- what is played and recorded ---

export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf
cat > asound.conf << END
<$build/tests/asound.conf>
$(server_pcms)
pcm.jack_out { type jack name player playback_ports { 0 "recorder:in_000" 1 "recorder:in_001" } }
pcm.over_jack_alone { type headroom slave.pcm jack_alone }
ctl.over_jack_alone { type headroom }
END
for server in pulse pipewire jack; do
	for way in out in; do
		echo "pcm.over_${server}_$way { type headroom slave.pcm ${server}_$way }" \
			"ctl.over_${server}_$way { type headroom }"
	done
done >> asound.conf

seconds=3
frames make song $((seconds * 48000)) 4 24000
sox -t raw -r 48000 -c 2 -e signed -b 16 song -t raw -e float -b 32 song.float
whole=$((seconds * 48000 + 48000))

# set_format SERVER: jack takes nothing but floats.
set_format() {
	format=(-t raw -f S16_LE -r 48000 -c 2)
	song=song
	frame=4
	[ "$1" != jack ] || { format[3]=FLOAT_LE; song=song.float; frame=8; }
}

has_begun() { [ -s got ] && { [ "$1" != jack ] || jack_lsp | grep -q recorder:in_001; }; }
# Silence at its end, and as much as was played: worth a closer look.
has_ended() {
	[ "$(stat -c %s got)" -ge $((whole * frame)) ] &&
		[ "$(tail -c $((9600 * frame)) got | tr -d '\0' | wc -c)" -eq 0 ]
}
has_all() { frames same $song got --frame $frame --after 4800 > why 2>&1; }

# took_turns WHAT TURN WHY: a turn failed. Said aloud, and counted for the last line: what
# passes in a second turn only is worth a look.
more_turns=0
took_turns() {
	more_turns=$((more_turns + 1))
	echo "# $1: turn $2 of 3 failed: $3"
}

# carry SERVER IN OUT [OPTION…]: carry_once, up to three times: on a busy machine the
# servers themselves lose sound now and then, also without headroom.
carry() {
	local turn
	for turn in 1 2 3; do
		carry_once "$@"
		[ $same = no ] || [ $status -ne 0 ] || return
		took_turns "$1: $3${4:+ ${*:4}}, heard on $2" $turn "status $status, $(tail -n 1 why)"
	done
}

# record SERVER IN: arecord writes what it hears to the file got, until stop_recording.
record() {
	rm -f got
	PIPEWIRE_PROPS='{ stream.capture.sink = true }' \
		timeout 60 arecord -D "$2" "${format[@]}" got 2> err.rec &
	recorder=$!
	until_true has_begun "$1" || echo "nothing is recorded: $(tail -n 1 err.rec)" > why
}

stop_recording() {
	pkill -INT -P $recorder arecord
	wait $recorder
}

# carry_once SERVER IN OUT [OPTION…]: aplay plays the song to OUT, arecord records it from
# IN. Sets status (of aplay), took, used (ms, of aplay), same.
carry_once() {
	local server=$1 in=$2 out=$3 recorder counters TIMEFORMAT='%R %U %S'
	shift 3
	for counters in "$out Playback" "$in Capture"; do
		amixer -q -D "${counters% *}" cset "iface=PCM,name=Headroom ${counters#* } Reset" on 2> /dev/null
	done
	record "$server" "$in"
	{ time timeout 30 aplay "$@" -D "$out" "${format[@]}" $song 2> err; } 2> used.time
	status=$?
	read -r took used < <(awk '{ printf "%d %d\n", 1000 * $1, 1000 * ($2 + $3) }' used.time)
	same=no
	until_true has_ended
	stop_recording
	! has_all || same=yes
}

# check_content NAME
check_content() {
	if [ $same = yes ]; then pass "$1"; else fail "$1" "$(tail -n 1 why)"; fi
}

# at_most NAME LIMIT GOT
at_most() { if [ "$3" -le "$2" ]; then pass "$1"; else fail "$1" "$3 is more than $2"; fi; }

# counters NAME DEVICE DIRECTION: nothing was lost, and what was moved is counted.
counters() {
	local moved
	equal "$1: Xruns, Device Xruns, Frames Dropped, Frames Silence" "0 0 0 0" \
		"$(for counter in Xruns 'Device Xruns' 'Frames Dropped' 'Frames Silence'; do
			counter "$2" "$3 $counter"
		done | paste -sd ' ')"
	moved=$(counter "$2" "$3 Frames")
	# aplay fills up its last period.
	if [ "${moved:-0}" -ge $whole ] && { [ "$3" = Capture ] || [ "$moved" -le $((whole + 24000)) ]; }; then
		pass "$1: Frames"
	else
		fail "$1: Frames" "$moved, $whole were played"
	fi
}

is_in_state() { [ "$(counter "$1" "$2 State")" = "$3" ]; }

# interrupted SERVER DIRECTION COMMAND…: ends at Ctrl-C, and uses next to nothing
# until then.
interrupted() {
	local direction=$2 device=over_${1}_out name="$1: ${3} ends at once at Ctrl-C" player began
	[ "$1" != jack ] || device=over_jack_alone	# nobody records
	[ "$2" = Playback ] || device=over_${1}_in
	shift 2
	"$@" -D "$device" "${format[@]}" > /dev/null 2> err < /dev/zero &
	player=$!
	if ! until_true is_in_state "$device" "$direction" 4; then
		fail "$name" "it does not run: $(tail -n 1 err)"
	else
		began=$(date +%s%N)
		kill -INT $player
		until_true is_gone $player
		at_most "$name" 2000 $((($(date +%s%N) - began) / 1000000))
	fi
	kill -KILL $player 2> /dev/null
	wait $player 2> /dev/null
}

# facts_of SERVER OUT FILE: fails, with a line in the file broken, if not all are there.
facts_of() {
	local recorder status
	record "$1" "${1}_in"
	timeout 60 "$build/tests/server_facts" "$2" "${format[3]}" got > "$3"
	status=$?
	stop_recording
	[ $status -eq 0 ] || echo "not ok $2: status $status, $(tail -n 1 "$3")" > broken
	return $status
}

# compare_facts BARE THROUGH: a line each fact, "ok NAME" or "not ok NAME: why". A fact is
# good if it is the best or as without headroom, or if it is not farther from the best.
compare_facts() {
	awk -F'|' '
	function off(value) { value -= best; return value < 0 ? -value : value }
	FNR == NR { bare[$1] = $2; next }
	{
		best = $3 != "-" ? $3 : bare[$1]
		good = $2 == best || $2 == bare[$1] ||
			$4 != "-" && off($2) <= off(bare[$1]) + $4
		print good ? "ok " $1 : "not ok " $1 ": " $2 ", not " best \
			", without headroom " bare[$1]
	}' "$1" "$2"
}

# facts SERVER: what a program sees and what is heard meanwhile, as without headroom or
# better. In up to three turns, as with carry.
facts() {
	local turn line
	for turn in 1 2 3; do
		if facts_of "$1" "${1}_out" bare && facts_of "$1" "over_${1}_out" through; then
			compare_facts bare through > compared
		else
			mv broken compared
		fi
		grep -q "^not ok" compared || break
		took_turns "$1: facts" $turn "$(grep "^not ok" compared | paste -sd ';')"
	done
	while read -r line; do
		case $line in
		"ok "*) pass "$1: ${line#ok }" ;;
		*) fail "$1: ${line#not ok }" ;;
		esac
	done < compared
}

test_server() {
	local server=$1 bare_took bare_used options name direction
	if ! "start_$server"; then
		fail "$server" "the server does not start: $(tail -qn 2 "$server.log" manager.log 2> /dev/null)"
		return
	fi
	set_format "$server"
	carry "$server" "${server}_in" "${server}_out"
	if [ $same = no ] || [ $status -ne 0 ]; then
		fail "$server without headroom" "status $status, $(tail -qn 1 why err)"
		return
	fi
	bare_took=$took bare_used=$used
	for options in "" "-M" "--buffer-time=200000 --period-time=50000"; do
		name="$server: aplay${options:+ $options}"
		# shellcheck disable=SC2086 # words
		carry "$server" "${server}_in" "over_${server}_out" $options
		equal "$name: exit status, what it says" "0 0" "$status $(grep -c run err)"
		check_content "$name: bit for bit"
		at_most "$name: ms beyond those without headroom" 2000 $((took - bare_took))
		# What a spin would take is many times this; a slow machine takes more for both.
		at_most "$name: ms of CPU in $took ms, where $bare_used without headroom" \
			$((bare_used + took / 10)) "$used"
		[ -n "$options" ] || counters "$name" "over_${server}_out" Playback
	done
	for options in "over_${server}_in ${server}_out" "over_${server}_in over_${server}_out"; do
		name="$server: arecord, played ${options#* }"
		# shellcheck disable=SC2086 # words
		carry "$server" $options
		check_content "$name: bit for bit"
		equal "$name: overruns it tells" 0 "$(grep -c overrun err.rec)"
	done
	counters "$server: arecord" "over_${server}_in" Capture
	interrupted "$server" Playback aplay
	interrupted "$server" Capture arecord
	facts "$server"
}

[ $# -gt 0 ] || set -- pulse pipewire jack
for server; do
	test_server "$server"
done
[ $more_turns -eq 0 ] || echo "# $more_turns turns failed and were taken again: see above"
end_of_tests
