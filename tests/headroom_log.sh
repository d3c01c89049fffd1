#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom-log: what it prints of real programs that are stopped, starved and killed, of
# streams that have ended or never were, and of pages that are none.
#
# usage: tests/headroom_log.sh BUILD   (a build folder of meson)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:?usage: tests/headroom_log.sh BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf
cd "$work" || exit 1
page=$work/pages/play.playback.0

cat > asound.conf <<EOF2
<$build/tests/asound.conf>
pcm.card { type clocked }
pcm.play { type headroom slave.pcm card }
pcm.gaps { type headroom slave.pcm card on_underrun silence }
pcm.rec { type headroom slave.pcm card depth_ms 0 }
ctl.play { type headroom }
ctl.gaps { type headroom }
ctl.rec { type headroom }
EOF2
raw=(-q -t raw -f S16_LE -r 48000 -c 1 --period-time=10000 --buffer-time=80000)

headroom_log() { timeout 10 "$build/scripts/headroom-log" "$@" > out 2> err; }

# says NAME STATUS STREAM TEXT ARGUMENT…: with these arguments it ends with STATUS, after
# one line with TEXT on STREAM (out or err) and nothing on the other.
says() {
	local name=$1 wanted=$2 stream=$3 text=$4 other=err status
	shift 4
	[ "$stream" = out ] || other=out
	headroom_log "$@"
	status=$?
	if [ $status -ne "$wanted" ]; then
		fail "$name" "exit status $status"
	elif [ "$(wc -l < "$stream")" -ne 1 ] || ! grep -q "$text" "$stream" || [ -s $other ]; then
		fail "$name" "it says: $(cat out err)"
	else
		pass "$name"
	fi
}

# line NAME PATTERN DEVICE: it ends with 0, and a line of episodes has that pattern.
line() {
	if ! headroom_log "$3"; then
		fail "$1" "exit status $?: $(cat err)"
	elif ! grep -Eq "$2" out; then
		fail "$1" "no line has '$2': $(tail -n +2 out)"
	elif [ "$(awk 'length > most { most = length } END { print most }' out)" -gt 80 ]; then
		fail "$1" "longer than 80 columns: $(cat out)"
	else
		pass "$1"
	fi
}

is_in_state() { [ "$(counter "$1" "$2 State")" = "$3" ]; }
has_counted() { [ "$(counter "$1" "$2" || echo 0)" -gt "$3" ]; }

# account NAME DEVICE DIRECTION: the frames of all lines are those of the counters.
account() {
	headroom_log "$2"
	equal "$1" \
		$(($(counter "$2" "$3 Frames Dropped") + $(counter "$2" "$3 Frames Silence"))) \
		"$(awk 'NR > 1 { n += substr($0, 54, 9) } END { print n + 0 }' out)"
}

# --- wrong calls ---

says "an option that it does not know" 2 err "no such option" -x
says "two names" 2 err "one name" a b
says "nothing has run at all" 0 out "^no stream has run under the name 'headroom'\$"
says "an empty name" 2 err "1 to 63 bytes" ""
says "a name that is too long" 2 err "1 to 63 bytes" "$(printf '%064d' 0)"
says "a user that there is not" 2 err "no user" -u "no such user" play
if headroom_log --help && [ "$(awk 'length > most { most = length } END { print most }' out)" -le 80 ]; then
	pass "it has a help"
else
	fail "it has a help" "$(cat out err)"
fi

# --- no stream, one that went well ---

says "no stream has run" 0 out "no stream has run under the name 'play'" play
head -c 20000 /dev/zero | aplay -D play "${raw[@]}" 2> err.play
says "all went well" 0 out "no episodes since" play
says "no name: it is another's" 0 out "^no stream has run under the name 'headroom', but under: play\$"

# --- a program that is stopped ---

aplay -D play "${raw[@]}" /dev/zero 2> err.play &
player=$!
until_true is_in_state play Playback 4
kill -STOP $player
sleep 0.6
kill -CONT $player
until_true has_counted play "Playback Device Xruns" 0
when=$(date +%m-%d)
line "aplay stopped: the program was late" \
	"^$when ..:..:..\.... +playback 0 +(xrun|card xrun) +[0-9.]+ m?s.* program +[0-9]+%\$" play
kill -INT $player
wait $player
line "aplay has ended: it is still known" "playback 0 .* program" play
account "aplay: the frames are those that are counted" play Playback
frames=$(awk 'NR > 1 { n += substr($0, 54, 9) } END { print n + 0 }' out)
headroom_log --json play
equal "for programs: the same" "1 playback program True $frames" "$(python3 -c '
import json
log = json.load(open("out"))
first = log["episodes"][0]
print(log["streams"], first["direction"], first["late"], first["length_ns"] > 100000000,
      sum(episode["frames"] for episode in log["episodes"]))' 2>&1)"
amixer -q -D play cset iface=PCM,name='Headroom Playback Reset' on
says "a reset empties it" 0 out "no episodes since" play
headroom_log --json play
equal "for programs: a reset empties it" '{"episodes": [ ], "broken_off": [], "streams": 1, "not_kept": 0, "totals": [{"direction": "playback", "slot": 0, "episodes": 0}]}' \
	"$(paste -s -d ' ' out)"

arecord -D rec "${raw[@]}" > /dev/null 2> err.rec &
recorder=$!
until_true is_in_state rec Capture 4
kill -STOP $recorder
sleep 0.6
kill -CONT $recorder
until_true has_counted rec "Capture Xruns" 0
kill -INT $recorder
wait $recorder
line "arecord stopped: the program was late" "capture 0 +xrun .* program" rec
account "arecord: the frames are those that are counted" rec Capture

# --- a gap that goes on; a program that is killed in it ---

mkfifo pipe
aplay -D gaps "${raw[@]}" pipe 2> err.play &
player=$!
exec 9> pipe
head -c 20000 /dev/zero >&9
until_true has_counted gaps "Playback Frames Silence" 4800
line "a gap goes on" "playback 0 +silence +[0-9.]+ m?s\+ .* program" gaps
head -c 20000 /dev/zero >&9
until_true has_counted gaps "Playback Frames" 19000
line "the gap is over" "playback 0 +silence +[0-9.]+ m?s  .* program" gaps
before=$(counter gaps "Playback Frames Silence")
until_true has_counted gaps "Playback Frames Silence" $((before + 4800))
{ kill -KILL $player; wait $player; } 2> /dev/null
exec 9>&-
line "it was killed in a gap" "playback 0 +silence +[0-9.]+ m?s\+ .* program" gaps
account "it was killed: the frames are those that are counted" gaps Playback
line "it was killed: that is said" "^playback 0: process $player was killed, or ended without" gaps
line "it was killed: and what is lost" "is lost: at most 80 ms" gaps
headroom_log --json gaps
equal "for programs: it was killed" "playback 0 $player 3840" "$(python3 -c '
import json
print(*json.load(open("out"))["broken_off"][0].values())' 2>&1)"
head -c 20000 /dev/zero | aplay -D gaps "${raw[@]}" 2> err.play
headroom_log gaps
equal "the next one was not killed" 0 "$(grep -c killed out)"

# --- which names there are ---

names="gaps, play, rec"
says "a name that there is not" 0 out "^no stream has run under the name 'paly', but under: $names\$" paly
says "of another user" 0 out "under the name 'paly'" -u nobody paly
: > pages/a%2Eb.capture.63
: > pages/%1Bc%C3%A9.playback.0
for file in a.b.capture.0 a%2eb.capture.1 %41.playback.0 no.playback.64 no.playback.00 no.other.0 \
	.playback.0 no%.playback.0 no%0.playback.0 %00.playback.0 "$(printf '%064d' 0).playback.0"; do
	: > "pages/$file"
done
says "names as they are, and files that are no pages" 0 out \
	"'paly', but under: ?cé, a.b, $names\$" paly
cp "$page" pages/headroom.playback.0
headroom_log
equal "no name: the line behind it" "(of 'headroom'; there are also: ?cé, a.b, $names)" "$(tail -n 1 out)"
headroom_log headroom
equal "a name: no such line" 0 "$(grep -c 'there are also' out)"
rm pages/{a%2Eb,%1Bc,headroom}*
mv pages aside
mkfifo pages
says "no folder" 0 out "'paly'\$" paly
rm pages
mv aside pages

# --- as it is in the source, beside what scripts/demo has left ---

mkdir -p "a tree/scripts" "a tree/build/demo"
cp "$here/scripts/headroom-log" "a tree/scripts/"
ln -s "$build/scripts" "a tree/build/scripts"
printf 'export HEADROOM_DIR=%q\n' "$work/pages" > "a tree/build/demo/env"
elsewhere() { env -u HEADROOM_DIR -u HEADROOM_BUILD "$work/a tree/scripts/headroom-log" "$@" > out 2> err; }
elsewhere no-such-stream
equal "what the demo has counted is elsewhere: exit status" "0 2" "$? $(wc -l < out)"
line=$(sed -n 's/.*in this terminal: \(.*\))$/\1/p' out)
equal "what the demo has counted is elsewhere: the line" "no episodes since the counters were reset" \
	"$(unset HEADROOM_DIR; eval "$line"; "$work/a tree/scripts/headroom-log" play 2>&1)"
elsewhere --json no-such-stream
equal "what the demo has counted is elsewhere: no word of it for programs" "0 " \
	"$? $(python3 -m json.tool out 2>&1 > json)"
elsewhere a b
equal "what the demo has counted is elsewhere: a wrong call" "2 0 1" "$? $(wc -l < out) $(wc -l < err)"
rm -r "a tree"

# --- pages that are none ---

cp "$page" good
printf '\377' | dd of="$page" bs=1 seek=4 conv=notrunc status=none
says "a page of another version" 1 err "damaged, or of another version" play
cp good "$page"
truncate -s 1000 "$page"
says "a page that was cut off" 1 err "damaged" play
: > "$page"
says "a page that is not made yet" 0 out "no stream has run" play
cp good "$page"
chmod 0666 "$page"
says "a page that others can write" 1 err "others than its owner" play
rm "$page"
mkdir "$page"
if headroom_log play; [ $? -eq 1 ] && [ "$(wc -l < err)" -eq 1 ]; then
	pass "a folder in its place"
else
	fail "a folder in its place" "$(cat out err)"
fi
rmdir "$page"

# Noise where the log is: behind the stamp, one of a seed each.
cp good "$page"
chmod 0600 "$page"
make_noise 10
why=
for seed in {0..9}; do
	dd if="noise$seed" of="$page" bs=16 seek=1 conv=notrunc status=none
	headroom_log play || why="exit status $? after seed $seed: $(cat err)"
	[ "$(awk 'length > most { most = length } END { print most + 0 }' out)" -le 100 ] ||
		why="a line is too long after seed $seed"
	headroom_log --json play || why="exit status $? with --json after seed $seed"
	python3 -m json.tool out > /dev/null 2> err || why="no JSON after seed $seed: $(cat err)"
done
if [ -z "$why" ]; then pass "noise in the page"; else fail "noise in the page" "$why"; fi

end_of_tests
