#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# A thousand players that are killed at random moments, four at a time, under the eyes
# of one `amixer events`: what stays behind of them, here and there. And how long it
# takes to list what eight streams show. Prints "ok NAME" or "not ok NAME: why".
#
# usage: tests/killed.sh BUILD [STREAMS]
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
build=$(cd "${1:?usage: tests/killed.sh BUILD [STREAMS]}" && pwd)
streams=${2:-1000}
work=$(mktemp -d)
cd "$work" || exit 1
export HEADROOM_DIR=$work/counters ALSA_CONFIG_PATH=$work/asound.conf
mkdir "$HEADROOM_DIR"

cat > asound.conf << END
<$build/tests/asound.conf>
pcm.x { type headroom slave.pcm { type clocked } }
ctl.x { type headroom }
END

finish() {
	kill "$watcher" 2> /dev/null
	pkill -KILL -P $$ 2> /dev/null
	rm -rf "$work"
}
watcher=
trap finish EXIT

play() { exec aplay -q -D x -t raw -f S16_LE -r 48000 -c 2 -d 60 /dev/zero 2> /dev/null; }
value() { counter x "Playback $1,subdevice=$2"; }
pages() { find "$HEADROOM_DIR" -type f | wc -l; }
fds_of() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
maps_of() { wc -l < "/proc/$1/maps"; }
is_running() { [ "$(value State "$1")" = 4 ]; }

# start N: players that run at the same time; their pids in players.
start() {
	local i
	players=()
	for ((i = 0; i < $1; i++)); do
		play &
		players+=($!)
		until_true is_running "$i"
	done
}
stop() {
	kill -KILL "${players[@]}"
	wait "${players[@]}" 2> /dev/null
}

# kill_many TIMES SEED: one after the other, each 10 to 69 ms after it was
# started; sooner, and within each call, is what hostile_killed does.
kill_many() {
	local i player
	RANDOM=$2
	for ((i = 0; i < $1; i++)); do
		play &
		player=$!
		sleep "0.0$((RANDOM % 60 + 10))"
		kill -KILL $player
		wait $player
	done
} 2> /dev/null

# The first four, so that their elements are known to all from here on.
stdbuf -oL amixer -D x events > events 2>&1 &
watcher=$!
until_true grep -qs Ready events
start 4
stop
until_true grep -q 'event add: .*Playback Reset.*subdevice=3' events
sleep 1
fds=$(fds_of $watcher)
maps=$(maps_of $watcher)
# Also the page of the capture side, if there were one.
equal "four players at once have four pages" 4 "$(pages)"

loops=()
for seed in 1 2 3 4; do
	kill_many $((streams / 4)) $seed &
	loops+=($!)
done
wait "${loops[@]}"
equal "$streams killed players leave no further page" 4 "$(pages)"
start 4
equal "each slot is used again" "${players[*]}" "$(for i in 0 1 2 3; do value Process $i; done | tr '\n' ' ' | sed 's/ $//')"
equal "by four players at once, without a further page" 4 "$(pages)"
stop
until_true grep -q . events
sleep 1
equal "all are seen to have ended" "0 0 0 0 " "$(for i in 0 1 2 3; do value State $i; done | tr '\n' ' ')"
if [ "$(wc -l < events)" -gt "$((streams / 4))" ]; then
	pass "amixer events told of them"
else
	fail "amixer events told of them" "$(wc -l < events) lines"
fi
equal "amixer events has leaked no descriptor" "$fds" "$(fds_of $watcher)"
equal "amixer events has leaked no mapping" "$maps" "$(maps_of $watcher)"
frames=$(value Frames 0)
timeout 10 aplay -q -D x -t raw -f S16_LE -r 48000 -c 2 -d 1 /dev/zero
equal "the counters go on as if nothing had happened" $((frames + 48000)) "$(value Frames 0)"

# Processor time, and the best of twenty: how busy the machine is does not count.
start 8
best=1000000
TIMEFORMAT='%3U %3S'
for ((i = 0; i < 20; i++)); do
	took=$({ time amixer -D x contents > contents; } 2>&1 | tail -n 1 |
		awk '{ printf "%d", ($1 + $2) * 1000000 }')
	[ "$took" -lt $best ] && best=$took
done
lines=$(wc -l < contents)
stop
if [ "$lines" -lt $((9 * 41 * 2)) ]; then
	fail "contents of eight streams" "only $lines lines"
elif [ $best -lt 50000 ]; then
	pass "contents of eight streams in less than 50 ms of a processor: $best µs"
else
	fail "contents of eight streams in less than 50 ms of a processor" "$best µs"
fi
end_of_tests
