#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom-record and headroom-report: real streams that end, are held up or are none, what
# becomes of the program's exit status and signals, and recordings that are none.
#
# usage: tests/headroom_report.sh BUILD   (a build folder of meson)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
scripts=$(cd "$(dirname "$0")/../scripts" && pwd)
tests=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: tests/headroom_report.sh BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf PYTHONDONTWRITEBYTECODE=1
cd "$work" || exit 1

cat > asound.conf <<EOF
<$build/tests/asound.conf>
pcm.card { type clocked }
pcm.play { type headroom rt_priority 0 slave.pcm card }
pcm.gaps { type headroom rt_priority 0 slave.pcm card on_underrun silence }
pcm.rec { type headroom rt_priority 0 slave.pcm card }
EOF
raw=(-q -t raw -f S16_LE -r 48000 -c 1)
record() { timeout 20 "$scripts/headroom-record" "$@"; }
report() { timeout 20 "$scripts/headroom-report" "$@" > out 2> err; }
lines() { grep -c "$1" "$2"; }

# stretches PAGE: of how many the first line of pressure is made; a busy machine adds some.
stretches() { sed -n 's/.*path class="line pressure" d="\([^"]*\)".*/\1/p' "$1" | head -n 1 | tr -cd M | wc -c; }

# has NAME PATTERN FILE
has() {
	if grep -Eqs -- "$2" "$3"; then pass "$1"; else fail "$1" "no '$2' in: $(head -c 600 "$3")"; fi
}

# --- the program's exit status and signals; no stream at all ---

echo "the recording before" > none.jsonl
record -o none.jsonl -- sh -c 'exit 7' 2> err
equal "the program's exit status" 7 $?
has "no stream: that is said, and how to check" "no sound went through headroom.*headroom-doctor" err
equal "no stream: no page is offered, and the recording before stays" "0 the recording before" \
	"$(lines 'headroom-report' err) $(cat none.jsonl none.jsonl.old none.jsonl.new 2> /dev/null)"
record -o /dev/stdout -- sh -c 'exit 7' 2> err | cat > pipe.jsonl
has "no stream: how the program ended" '"end": \{"status": 7\}' pipe.jsonl
report pipe.jsonl
equal "no stream: the page" "0 No sound went through headroom." "$? $(head -n 1 out)"
record -q -o killed.jsonl -- sh -c "aplay -D play ${raw[*]} -s 4800 /dev/zero; kill -TERM \$\$" 2> err
equal "the program's signal" 143 $?
has "a signal: it is recorded" '"end": \{"signal": 15\}' killed.jsonl

# shellcheck disable=SC2016 # for the shell that is run
"$scripts/headroom-record" -q -o told.jsonl -- bash -c \
	'trap "exit 9" USR1; echo > ready; for i in {1..200}; do sleep 0.02; done' 2> err &
recorder=$!
until_true test -e ready
kill -USR1 $recorder
wait $recorder
equal "a signal goes on to the program" 9 $?
equal "the program's signals are not blocked" "$(grep SigBlk /proc/self/status)" \
	"$(record -q -o mask.jsonl -- grep SigBlk /proc/self/status 2> /dev/null)"

record -o x.jsonl -- ./no-such-program 2> err
equal "no such program" "127 1" "$? $(lines "there is no program './no-such-program'" err)"
record -o x.jsonl -- ./asound.conf 2> err
equal "a program that is none" "126 1" "$? $(lines "cannot be run" err)"
record -o no/where.jsonl -- touch was-run 2> err
equal "it cannot be written: the program is not run" "125 1 no" \
	"$? $(lines "no/where.jsonl cannot be written" err) $([ -e was-run ] && echo was || echo no)"
record -o /dev/full -- sh -c 'exit 3' 2> err
equal "the disk is full: the program goes on" "3 1" \
	"$? $(lines "/dev/full cannot be written any more" err)"
record --every 0 -- true 2> err
equal "a wrong time between looks" "125 1" "$? $(lines "it takes seconds" err)"
record -o x.jsonl 2> err
equal "no program" "125 1" "$? $(lines "which program" err)"
record -u "no such user" -o x.jsonl -- true 2> err
equal "no such user" "125 1" "$? $(lines "there is no user" err)"

# --- a stream that is held up, and ends while the program goes on ---

cat > held-up.sh <<EOF
aplay -D gaps ${raw[*]} --period-time=10000 --buffer-time=80000 -d 2 /dev/zero &
player=\$!
sleep 0.7
kill -STOP \$player
sleep 0.4
kill -CONT \$player
wait \$player
sleep 0.3
EOF
record -o gap.jsonl -- bash held-up.sh 2> err
equal "a stream: exit status" 0 $?
has "a stream: that is said" "1 stream: gap.jsonl" err
has "a stream: the episode is recorded" '"what": "(silence|card xrun)".*"late": "program"' gap.jsonl
has "a stream: it has ended" '"state": "Closed"' gap.jsonl
equal "a stream: only what changes is written" 1 "$(lines '"name": "gaps".*"rate": 48000' gap.jsonl)"
report gap.jsonl
equal "a stream: a page" 0 $?
has "a stream: the sentence" "gaps?, [0-9.]+ m?s.* because the program was late" out
has "a stream: the plots" 'path class="line pressure" d="M[0-9.]+ [0-9.]+H' gap.html
has "a stream: the gap is in the plots" 'rect class="mark program"' gap.html
has "a stream: and in the table" 'class="who program">program' gap.html
has "a stream: where it was" "Playback through gaps" gap.html
equal "a stop: no line while nothing is measured" yes "$([ "$(stretches gap.html)" -ge 2 ] && echo yes)"
has "a stop: it is shown" 'class="unmeasured"' gap.html
has "a stop: it is said" "stopped as a whole for [3-9][0-9]{2} ms: nothing was measured" gap.html
has "a stop: no larger buffer is recommended" "stops headroom, which lives in it" gap.html
equal "a stop: that is printed as well, before the name of the page" \
	"What stops a program as a whole gap.html" "$(sed -n '2,$p' out | cut -d '(' -f 1 | xargs)"

# The same counters, which still know of it; and a short stream, seen only at its end.
record -q -o gap.jsonl -- aplay -D gaps "${raw[@]}" -s 9600 /dev/zero
report gap.jsonl
equal "what was before does not count" "0 No gap" "$? $(cat err; head -n 1 out | cut -d ' ' -f 1-2)"
has "the recording before is kept" '"what"' gap.jsonl.old
has "a lateness from before is none of this recording" \
	"None was later than the [0-9.]+ m?s from before this recording" gap.html
has "a lateness from before: at most that" \
	"<b class=\"\">≤ [0-9.]+ m?s</b><span>latest wake-up" gap.html
equal "a lateness from before is not drawn" 0 "$(lines 'line late' gap.html)"
has "latencies from before are none of this recording" \
	"Of the last 1024 chunks, some were of earlier streams all the time: left out" gap.html
equal "latencies from before are not drawn" 0 "$(lines 'line p99' gap.html)"
equal "since when they are of this recording" "0.0 0.0 2.5 None 2.0" "$(PYTHONPATH=$tests/../scripts python3 -c '
import headroom_recording
def since(*numbers):
    stream = headroom_recording.Stream("a", "playback", 0)
    for t, value in numbers:
        stream.add_values(t, {"chunks": value})
    return stream.own_since("chunks", 1024)
print(since(), since((0.5, 9)), since((0, 9), (1, 1000), (2.5, 1033), (3, 2000)),
      since((0, 9), (1, 1032)), since((0, 9), (1, 50), (2.0, 3)))')"
record -q -e 10 -o short.jsonl -- aplay -D play "${raw[@]}" -s 9600 /dev/zero
report short.jsonl
equal "a stream between two looks" "0 No gap 1" \
	"$? $(head -n 1 out | cut -d ' ' -f 1-2) $(lines "less than the time between two looks" short.html)"

# What a control device shows may be a moment old: the last state is that after the end.
for _ in {1..6}; do
	record -q -e 0.01 -o last.jsonl -- aplay -D play "${raw[@]}" -s 4800 /dev/zero
	grep -o '"state": "[A-Za-z]*' last.jsonl | tail -n 1
done > states
equal "the last state is the one after the end" 6 "$(lines Closed states)"

# One that waits for its input, and is told of the gap; one that is killed.
record -q -o dry.jsonl -- bash -c "(head -c 48000 /dev/zero; sleep 1; head -c 48000 /dev/zero) |
	aplay -D play ${raw[*]} --period-time=10000 --buffer-time=80000" 2> err
report dry.jsonl
equal "a gap: no pressure of a buffer that is empty" yes "$([ "$(stretches dry.html)" -ge 2 ] && echo yes)"
has "a gap: what would have been enough" "The program was [0-9.]+ m?s late with a buffer of 80 ms: \
ask for [0-9.]+ m?s \(aplay --buffer-time=[0-9]+0000\)" dry.html
has "a gap: that is printed, too" "^The program was [0-9.]+ m?s late with a buffer of 80 ms: ask" out
has "a gap: no frame is lost, and that is said" "0 frames: the sound was late" dry.html
cat > killed.sh <<EOF
aplay -D play ${raw[*]} --buffer-time=80000 -d 9 /dev/zero &
sleep 0.7
kill -KILL \$!
sleep 0.2
EOF
record -q -o broken.jsonl -- bash killed.sh 2> err
report broken.jsonl
has "a program that is killed: what was lost" \
	"^No gap in [0-9.]+ m?s. A program was killed, .*: what it had written .*at most 80 ms, is lost" out
has "a program that is killed: the badge" 'class="badge bad">cut off<' broken.html
record -o broken.jsonl -- true 2> err
has "one that was killed before does not count" "no sound went through headroom" err

# Two at once, of which one is asked for.
record -q -n rec -o one.jsonl -- bash -c "aplay -D play ${raw[*]} -s 24000 /dev/zero &
	arecord -D rec ${raw[*]} -s 24000 /dev/null; wait"
report one.jsonl
equal "only the name that was asked for" "1 0" \
	"$(lines "Recording through rec" one.html) $(lines "through play" one.html)"
equal "no direction that was never used" 0 "$(lines '"direction": "playback"' one.jsonl)"

# --- the page ---

python3 "$tests/headroom_report/made.py" > made.jsonl
report made.jsonl
equal "each cause: the sentence" "6 gaps, 4.29 s in all: 1 because the program was late, 2 because \
headroom did not get to run in time, 2 because the card stopped or was late, 1 because of a reason \
unknown. 1 rewind came too late: the card had the old sound already. A program was killed, or ended \
without closing its stream: what it had written and was not heard yet, at most 200 ms, is lost." "$(head -n 1 out)"
why=$(python3 "$tests/headroom_report/check_page.py" made.html 2>&1)
equal "a page that needs no other, and is well formed" "" "$why"
equal "xruns that the log does not know: no word of frames" \
	"2 gaps, and the log does not say why." "$(PYTHONPATH=$tests/../scripts python3 -c '
import headroom_words
print(headroom_words.verdict([], 1, 0, 2))')"
helps() {
	PYTHONPATH=$tests/../scripts python3 -c '
import sys, headroom_words
print(*headroom_words.advice([{"late": "program", "ring": int(sys.argv[1]), "what": "xrun",
                               "lasted": 3.08}], "capture", 60, "mine"))' "$1"
}
equal "a recorder that was stopped as a whole: depth does not help" 0 "$(helps 4 | grep -c depth_ms)"
equal "a recorder that did not read: so much depth helps" 1 \
	"$(helps 100 | grep -c '3100 more would.*Add them to the depth_ms of pcm.mine;.*"depth_ms 5100"')"
equal "a player: a buffer as long as the longest gap and the one it had" \
	"1.19 s late with a buffer of 500 ms: ask for 1.7 s (aplay --buffer-time=1700000)" \
	"$(PYTHONPATH=$tests/../scripts python3 -c '
import headroom_words
late = [{"late": "program", "what": "xrun", "lasted": s, "ring": 0} for s in (0.2, 1.19, 9)]
print(*headroom_words.advice(late, "playback", 60, "mine", 0.5, late[2:]))' |
		grep -o '1.19 s late.*)')"
# What is printed of two streams, one of which has a name that would clear the screen.
cat > two.jsonl << 'END'
{"format": "headroom-record 1", "command": [], "host": "kiosk", "began": 1, "every": 0.1}
{"t": 1, "name": "\u001b[2J", "direction": "capture", "slot": 0, "values": {"state": "Running"}}
{"t": 1, "name": "play", "direction": "playback", "slot": 0, "values": {"state": "Running", "realtime": 60}}
{"t": 3, "name": "\u001b[2J", "direction": "capture", "slot": 0, "episode": {"at": 2, "what": "xrun", "lasted": 1, "frames": 0, "late": "device", "ring": 0}}
{"t": 3, "name": "play", "direction": "playback", "slot": 0, "episode": {"at": 2, "what": "xrun", "lasted": 1, "frames": 0, "late": "device", "ring": 0}}
{"t": 3, "name": "play", "direction": "playback", "slot": 0, "episode": {"at": 2.5, "what": "xrun", "lasted": 0.1, "frames": 0, "late": "scheduler", "ring": 0}}
{"t": 4, "end": {"status": 0}}
END
report two.jsonl
equal "two streams: what helps both is printed once, other with its title" \
	"3 gaps,|The card stopped|Playback through play: headroom's thread has|two.html" \
	"$(sed -E 's/ (by itself|a real|[0-9.]+ s in).*//' out | paste -sd '|')"
sed 's/"play"/"\\u001b[3J"/; s/"device"/"program"/; s/"ring": 0/"ring": 100/' two.jsonl > codes.jsonl
report codes.jsonl
equal "two streams: no bytes of their names that are no text" "0 3" "$(lines $'\033' out) $(lines '?\[[23]J' out)"
has "what the recording says is no HTML" '&lt;b&gt;' made.html
equal "counters that were reset meanwhile" 1 "$(lines '>7&#x27;000<\|>7.000<' made.html)"
equal "what happened is not weighed against what nearly did" 0 "$(lines 'of the way to a gap' made.html)"
report - -o - < made.jsonl
equal "to standard output" "0 1" "$? $(lines '^<!DOCTYPE html>' out)"
{
	sed 's|</body></html>|<script>|' made.html
	cat "$tests/headroom_report/look.js"
	echo "</script></body></html>"
} > look.html
# A window is never as narrow as that.
echo '<script>onmessage = message => document.title = message.data</script>
	<iframe width="400" height="900" frameborder="0" src="look.html"></iframe>' > frame.html
timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" \
	--virtual-time-budget=1000 --dump-dom "file://$work/frame.html" > dom 2> /dev/null
has "in a browser, 400 pixels wide: all of it is to be seen" '<title>fits in 400:' dom
has "in a browser: the values under the pointer" '<title>.*: 30% 24% .* ms' dom

# --- recordings that are none ---

# refuses NAME TEXT FILE
refuses() {
	report "$3" -o refused.html
	equal "$1" "1 1 1 no" "$? $(wc -l < err) $(lines "$2" err) $([ -e refused.html ] && echo page || echo no)"
}
: > empty.jsonl
refuses "an empty file" "empty.jsonl is not a recording of headroom-record: it is empty" empty.jsonl
refuses "a file that is not there" "there.jsonl cannot be read: No such file" there.jsonl
refuses "a folder" "cannot be read: Is a directory" pages
echo hello > text.jsonl
refuses "some text" "line 1: no JSON at column 1" text.jsonl
echo '{"format": "headroom-record 2"}' > other.jsonl
refuses "another version" "does not begin with \"format\": \"headroom-record 1\"" other.jsonl
head -c 3000 /dev/urandom > noise.jsonl
refuses "noise" "is not a recording" noise.jsonl
report made.jsonl -o no/where.html
equal "a page that cannot be written" "1 1" "$? $(lines "no/where.html cannot be written" err)"

head -c -20 made.jsonl > cut.jsonl
report cut.jsonl
equal "a recording that was cut off" "0 1 1" \
	"$? $(lines "line [0-9]*, it is cut off" err) $(lines "was cut off before the program ended" cut.html)"
python3 "$tests/headroom_report/spoil.py" made.jsonl "$scripts" > spoilt.txt 2>&1
equal "a hundred that were spoilt" "" "$(cat spoilt.txt)"

end_of_tests
