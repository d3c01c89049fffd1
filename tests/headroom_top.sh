#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom-top: what it shows of real programs, in a terminal (tmux), in sentences, and to
# scripts; of streams that come and go, of none, and of pages that are none.
#
# usage: tests/headroom_top.sh BUILD   (a build folder of meson)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
build=$(cd "${1:?usage: tests/headroom_top.sh BUILD}" && pwd)
top=$(cd "$(dirname "$0")/../scripts" && pwd)/headroom-top
work=$(mktemp -d)
export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf LC_ALL=C.UTF-8
export TMUX_TMPDIR=$work PYTHONPATH=${top%/*} PYTHONDONTWRITEBYTECODE=1
unset NO_COLOR COLUMNS LINES TMUX
player='' recorder=''
in_tmux() { tmux -L top -f /dev/null "$@" 2> /dev/null; }
clean_up() {
	in_tmux kill-server
	[ -z "$player$recorder" ] || kill "${player:-$recorder}" "${recorder:-$player}" 2> /dev/null
	rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1

cat > asound.conf <<EOF2
<$build/tests/asound.conf>
pcm.card { type clocked }
pcm.play { type headroom slave.pcm card }
pcm.rec { type headroom slave.pcm card depth_ms 0 }
pcm.new { type headroom slave.pcm card }
pcm.gap { type headroom slave.pcm card on_underrun silence }
pcm.away { type headroom slave.pcm card }
ctl.play { type headroom }
ctl.rec { type headroom }
ctl.new { type headroom }
ctl.gap { type headroom }
EOF2
# A buffer that a busy machine does not empty: half a second.
raw=(-q -t raw -f S16_LE -r 48000 -c 1 --period-time=50000 --buffer-time=500000)

# says NAME STATUS STREAM TEXT ARGUMENT…: it ends with STATUS, and TEXT is on STREAM (out or
# err), the other stream and all tracebacks apart.
says() {
	local name=$1 wanted=$2 stream=$3 text=$4 status
	shift 4
	timeout 10 "$top" "$@" > out 2> err < /dev/null
	status=$?
	if [ $status -ne "$wanted" ]; then
		fail "$name" "exit status $status: $(tail -n 1 err)"
	elif ! grep -Eq -- "$text" "$stream" || grep -q Traceback err; then
		fail "$name" "it says: $(cat out err)"
	else
		pass "$name"
	fi
}

# json EXPRESSION: of the document "all" and of its streams by name, "streams".
json() {
	timeout 10 "$top" --json > out 2> err < /dev/null
	python3 -c '
import json, sys
all = json.load(open("out"))
streams = {stream["name"]: stream for stream in all["streams"]}
print(*eval(sys.argv[1]))' "$1" 2>&1 | tail -n 1
}
# differ.py STREAM: which of its values in the document differ from those that amixer has
# printed to contents, and how many were looked at.
cat > differ.py <<'EOF2'
import json
import re
import sys
from headroom_streams import FIELDS
stream = next(s for s in json.load(open("out"))["streams"] if s["name"] == sys.argv[1])
seen = 0
for name, about, value in re.findall(r"name='Headroom Playback (.*?)'\n(.*?): values=(\S+)",
                                     open("contents").read(), re.S):
    items = dict(re.findall(r"Item #(\d+) '(.*?)'", about))
    wanted = items.get(value, {"on": "True", "off": "False"}.get(value, value))
    seen += name in FIELDS
    if name in FIELDS and str(stream[FIELDS[name]]) != wanted:
        print(f"{name} is {wanted}, not {stream[FIELDS[name]]};", end=" ")
print(seen)
EOF2
too_wide() { wc -L | awk -v most="$1" '$1 > most'; }

# live WIDTH HEIGHT VARIABLE=VALUE… : the live view in a terminal of that size.
live() {
	local width=$1 height=$2
	shift 2
	in_tmux kill-server
	in_tmux new-session -d -s view -x "$width" -y "$height" \
		"env $* '$top' -i 0.1 $live_arguments 2> err.live; echo \$? > status"
}
live_arguments=
press() { in_tmux send-keys -t view "$@"; }
screen() { in_tmux capture-pane -p -t view; }
is_shown() { screen | grep -Eq -- "$1"; }
is_not_shown() { ! is_shown "$1"; }

# shows NAME PATTERN: before long, a line of the screen has that pattern.
shows() {
	if until_true is_shown "$2"; then
		pass "$1"
	else
		fail "$1" "no '$2' on: $(screen | cat -s) $(cat err.live)"
	fi
}

# ends NAME: it was told to end, and does, with 0 and without complaints.
ends() {
	until_true test -s status
	equal "$1" "0 " "$(cat status) $(cat err.live)"
	rm -f status
}

is_in_state() { [ "$(counter "$1" "$2 State")" = "$3" ]; }
has_counted() { [ "$(counter "$1" "$2" || echo 0)" -gt "$3" ]; }
start_player() {
	aplay -D "$1" "${raw[@]}" /dev/zero 2> err.play &
	player=$!
	until_true is_in_state "$1" Playback 4
}
stop_player() {
	kill -INT "$player"
	wait "$player"
	player=
}

# --- wrong calls ---

says "an interval that cannot be" 2 err "0.1 to 3600 seconds, not '0'" -i 0
says "a sort that it does not know" 2 err "choose from 'name'" --sort size
says "two ways of showing" 2 err "not allowed with" --plain --json
says "a user that there is not" 2 err "no user 'no such user'" -u "no such user" --once
says "a control device that there is not" 1 err "'nothing' cannot be opened" -D nothing --once
says "it has a help" 0 out "Exit status" --help
has_all() { for word; do grep -q -- "^ $word  " out || echo "$word"; done; }
equal "its help explains the mark and the columns" "" \
	"$(has_all ! STATE "FILL, PRESSURE" "P50, P95, P99" GAPS "CAUSE, AGO" "LOST, SILENCE")"
equal "its help fits in 80 columns" "" "$(awk 'length > 80' out)"
ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf ALSA_PLUGIN_DIR=$work \
	says "headroom is not installed" 1 err "does not find headroom's control module.*asoundrc" \
	play --once

# --- no stream ---

says "no stream has run: --once" 0 out "^No stream has run yet" --once
equal "no stream has run: --json" "[] []" "$(json '(all["streams"], all["problems"])')"
live 80 24
shows "no stream has run: live" "No stream has run yet"

# --- streams come while it runs ---

head -c 20000 /dev/zero | aplay -D away "${raw[@]}" 2> err.away
shows "one that has ended already" "away +(aplay|-) +play +48k +Closed"
shows "all is well" "1 stream, 0 running, all well"
start_player play
shows "a stream comes" "play +aplay +play +48k +Running"
press End
shows "the chosen one in full" "aplay \(process $player\), 48000 Hz, 1 channel, .*buffer 24000"
arecord -D rec "${raw[@]}" > /dev/null 2> err.rec &
recorder=$!
shows "another one comes" "rec +arecord +rec +48k +Running"
shows "a row is not wrapped" "^    ( *[0-9.]+){3} .{16,20} +[0-9]+ [a-z-]+ +[0-9sm-]+ +[0-9]+ +[0-9]+$"
shows "they are counted" "3 streams, 2 running"

# --- for scripts, of the same streams ---

says "--once: a row" 0 out "^ .play +aplay +play +48k Running +[█░▏▎▍▌▋▊▉]+ +[0-9]+% .*%$" --once
equal "--once: two lines a stream at 80 columns" "8 " "$(wc -l < out) $(too_wide 80 < out)"
COLUMNS=170 says "--once: one line where there is room" 0 out \
	"^ .rec +arecord +rec +48k Running .*% +([0-9.]+ +){3}[0-9]+ .*0$" --once
COLUMNS=40 says "--once: what matters most in 40 columns" 0 out "^ .play .*Running" --once
equal "--once: it is not wider" "" "$(too_wide 40 < out)"
for sort in "name away play rec" "state play rec away"; do
	timeout 10 "$top" --once --sort "${sort%% *}" > out 2> err
	equal "--sort ${sort%% *}" "${sort#* }" \
		"$(sed -n 's/^..\([a-z]*\) .*k [A-Z].*/\1/p' out | paste -s -d ' ')"
done
timeout 10 "$top" --once --live > out 2> err
equal "--live: none that has ended" "0 2" "$(grep -c Closed out) $(grep -c Running out)"
LC_ALL=C says "without UTF-8: bars in ASCII" 0 out "Running +[#+.]+ +[0-9]+%" --once
equal "without UTF-8: nothing but ASCII" "" "$(LC_ALL=C grep '[^ -~]' out)"
n_elements=$(amixer -D play contents | grep -c "Headroom Playback")
equal "--json: what amixer says, a field for each element but Reset" \
	"$(counter play 'Playback Process') 48000 24000 aplay Running $((n_elements - 1))" \
	"$(json '[streams["play"][key]
		for key in ("process", "rate", "buffer_frames", "program", "state")] + [
		len(set(streams["play"]) - {"name", "direction", "slot", "read_ns", "program", "stopped",
			"gaps", "trouble_ago_s", "trouble_cause", "broken_off", "episodes"})]')"
says "--once --json: the same as --json" 0 out '^\{"time"' --once --json
timeout 10 "$top" --json -n 3 -i 0.1 > out 2> err
equal "--json -n 3: three lines" 3 "$(wc -l < out)"
says "-D: what amixer shows" 0 out "^ .play +aplay" -D play --once
says "a name: no other" 0 out "^ .rec +arecord" rec --once
equal "a name: no other is shown" 0 "$(grep -c aplay out)"

# --- keys ---

press Home
shows "Home chooses the first" "^>.away "
press Down Down
shows "Down chooses the next" "^>.rec "
press k
shows "k chooses the one above" "^>.play "
press t
shows "t asks for the Trigger" "Trigger of play playback in percent, now 90: _"
press 80 Enter
shows "the Trigger was changed" "Trigger of play is 80% now"
equal "amixer sees the Trigger" 80 "$(counter play 'Playback Trigger')"
press c 80 Enter
shows "a Clear that cannot be" "Clear must be .* below Trigger, which is 80%"
press c 5 x Enter
shows "a Clear that is no number" "a whole number of percent, not '5x'"
press c 6 BSpace 5 0 Enter
shows "the Clear was changed" "Clear of play is 50% now"
equal "amixer sees the Clear" 50 "$(counter play 'Playback Clear')"
press t Escape
shows "Escape changes nothing" "nothing was changed"
press s
shows "s sorts by the next" "by program"
press S S
shows "S sorts by the one before" "by lost"
press S
shows "sorted by gaps" "by gaps"
press h
shows "h explains" "CAUSE, AGO +who was late"
press q
shows "q closes the help" "^>.play "
press p
shows "p pauses" "PAUSED"

# --- a program that is stopped ---

sleep 0.3
screen | sed '$d' > paused
kill -STOP "$player"
sleep 0.9
says "while it is stopped: --once" 0 out "^ !play +aplay +play +48k stopped" --once
says "while it is stopped: in a sentence" 0 out "play playback: aplay, 48000 hertz, running, but the program is stopped" \
	--once --plain
equal "while it is stopped: --json" True "$(json '[streams["play"]["stopped"]]')"
kill -CONT "$player"
until_true has_counted play "Playback Xruns" 0
sleep 0.3
equal "paused: nothing new is shown" "$(cat paused)" "$(screen | sed '$d')"
press p
shows "a gap, its cause, and how long ago" "^ +([0-9.]+ +){3}.* [1-9][0-9]* program +[0-9]+s"
shows "not well" "^>!play"
shows "what befell it" "[0-9:]{8}  gap \((card )?xrun\) of .*: the program was late"
equal "--json: the cause" "program True" \
	"$(json '(streams["play"]["trouble_cause"], 0 <= streams["play"]["trouble_ago_s"] < 60)')"
frames=$(counter play 'Playback Frames')
press r n
shows "r asks first" "not reset"
if until_true has_counted play 'Playback Frames' "$frames"; then
	pass "it was not reset"
else
	fail "it was not reset"
fi
press r y
shows "r resets" "the counters of play were reset"
has_fewer_frames() { [ "$(counter play 'Playback Frames')" -lt "$frames" ]; }
if until_true has_fewer_frames; then pass "amixer sees it"; else fail "amixer sees it"; fi

# --- sizes ---

in_tmux resize-window -t view -x 170 -y 30
shows "wide: one line" "^..play +aplay +play +48k Running .*% +([0-9.]+ +){3}"
in_tmux resize-window -t view -x 40 -y 8
shows "narrow" "^> ?!?play +.*play +.*Running"
shows "narrow: the title too" "^ headroom-top  3 streams.*~? *$"
for size in "20 5" "5 3" "2 1" "1 2"; do
	in_tmux resize-window -t view -x "${size% *}" -y "${size#* }"
	sleep 0.1
done
in_tmux resize-window -t view -x 80 -y 24
shows "as before" "play +aplay +play +48k +Running"

# --- streams go while it runs ---

stop_player
shows "a stream ends" "play +aplay +play +48k +Closed"
equal "each element has a field of its own, in the order of the table" True "$(python3 -c '
from dataclasses import fields
from headroom_streams import FIELDS, Reading
print([field.name for field in fields(Reading)][4:] == list(FIELDS.values()))' 2>&1)"
amixer -D play contents > contents
timeout 10 "$top" --json > out 2> err
equal "--json: each value is amixer's" 40 "$(python3 differ.py play 2>&1)"
press l
if until_true is_not_shown "Closed"; then pass "l hides it"; else fail "l hides it" "$(screen)"; fi
press l
shows "l shows it again" "Closed"
rm pages/play.playback.0
if until_true is_not_shown "^.. ?play "; then
	pass "a page is removed"
else
	fail "a page is removed" "$(screen)"
fi
{ kill -KILL $recorder; wait $recorder; } 2> /dev/null
recorder=
shows "a program is killed" "rec +arecord +rec +48k +cut off"
press End
shows "a program is killed: what is lost" "^  killed, .*: what was in its buffer is lost"
says "a program is killed: in a sentence" 0 out "^2. rec .*A program was killed.*not read yet is lost" \
	--once --plain
says "a name: no direction that was never used" 0 out "^  rec .*cut off" rec --once
equal "a name: nor that one" 0 "$(grep -c ' play ' out)"
press q
ends "q quits"

# --- colour, and terminals that can do less ---

start_player play
live 80 24 TERM=xterm-256color
shows "with colour" Running
equal "Running is green" 1 "$(in_tmux capture-pane -e -p -t view | grep -c $'\033\[32mRunning')"
press q
ends "q quits with colour"
live 80 24 TERM=xterm-256color NO_COLOR=1 LC_ALL=C
shows "NO_COLOR, no UTF-8" "Running  +[#+.]+ +[0-9]+%"
shows "no UTF-8: a sparkline" "^    ( *[0-9.]+){3} +[-.:=+*%#]+ +[0-9]"
equal "no UTF-8: nothing but ASCII" "" "$(screen | LC_ALL=C grep '[^ -~]')"
equal "NO_COLOR: no colour" 0 \
	"$(in_tmux capture-pane -e -p -t view | grep -Ec $'\033\[[0-9;]*3[0-7]m')"
press C-c
ends "Ctrl-C quits"
live 80 24 TERM=dumb
shows "a dumb terminal: sentences" "^2. play playback: aplay, 48000 hertz, running"
press Enter
is_said_twice() { [ "$(screen | grep -c 'play playback: aplay')" -eq 2 ]; }
if until_true is_said_twice; then
	pass "a dumb terminal: Enter repeats them"
else
	fail "a dumb terminal: Enter repeats them" "$(screen)"
fi
press q Enter
ends "a dumb terminal: q"

# --- sentences ---

mkfifo commands
timeout 30 "$top" --plain -i 0.1 < commands > plain 2> err &
plain=$!
exec 8> commands
is_said() { grep -Eq -- "$1" plain; }
# tells NAME PATTERN: before long, it prints such a line.
tells() {
	if until_true is_said "$2"; then pass "$1"; else fail "$1" "$(cat plain err)"; fi
}
tells "plain: each stream in a sentence" "^2. play playback: aplay, 48000 hertz, running. .*no gaps. [0-9]+ frames lost"
echo "t 2 75" >&8
tells "plain: a threshold" "^Trigger of play is 75% now"
equal "plain: amixer sees it" 75 "$(counter play 'Playback Trigger')"
echo "t 9 75" >&8
tells "plain: a number that there is not" "no stream with the number 9, only 1 to 3"
printf 'r 2\nt 2 7' >&8
tells "plain: a reset" "^the counters of play were reset"
echo 8 >&8
tells "plain: a command that comes in two pieces" "^Trigger of play is 78% now"
echo nonsense >&8
tells "plain: what it does not know" "^Each with Enter"
start=$(wc -l < plain)
kill -STOP "$player"
sleep 0.9
kill -CONT "$player"
tells "plain: a gap" "^play playback: .*1 gap, .* ago, the program was late"
stop_player
tells "plain: a stream ends" "^play playback: .*closed"
start_player new
tells "plain: a stream comes" "^New: new playback: aplay"
equal "plain: no more lines than that" 1 "$([ $(($(wc -l < plain) - start)) -lt 20 ] && echo 1)"
echo q >&8
exec 8>&-
wait $plain
equal "plain: q" "0 " "$? $(cat err)"
equal "plain: nothing that moves the cursor" 0 "$(grep -c $'[\033\r\b]' plain)"
stop_player

# --- one gap, in which the card runs dry more than once ---

mkfifo sound
aplay -D gap -q -t raw -f S16_LE -r 48000 -c 1 --period-time=10000 --buffer-time=80000 sound 2> err.gap &
player=$!
exec 7> sound
head -c 48000 /dev/zero >&7
until_true has_counted gap "Playback Frames Silence" 4800
for _ in 1 2 3; do
	kill -STOP $player
	sleep 0.2
	kill -CONT $player
	sleep 0.1
done
head -c 48000 /dev/zero >&7
exec 7>&-
wait $player
player=
n_gaps=$(python3 -c '
from headroom_episodes import read_log
print(len(read_log("gap").episodes))')
n_dry=$(counter gap 'Playback Device Xruns')
equal "the card counts more than a person hears" yes "$([ "$n_dry" -gt "$n_gaps" ] && echo yes)"
says "a gap: GAPS is what a person hears" 0 out "^    ( *[0-9.]+){3} +$n_gaps [a-z]+ +[0-9]+s" gap --once
says "a gap: in a sentence" 0 out \
	"[.] $n_gaps gaps?, (the last )?[0-9.]+ m?s ago, the program was late[.]" gap --once --plain
equal "a gap: --json" "$n_gaps $n_dry" "$(json '[streams["gap"][key] for key in ("gaps", "device_xruns")]')"
live_arguments=gap live 80 24
shows "a gap: the card's number in the pane" "the card ran dry $n_dry times in (it|them)"
press q
ends "q after a gap"
rm pages/gap.playback.0

# Of one gap and one rewind that came too late.
equal "a rewind that came too late is no gap, to whoever counts them" "1 1 1 gap" "$(python3 -c '
import time
import headroom_doctor_counters, headroom_words
from headroom_episodes import Episode, Log
from headroom_top_watch import Watched
episodes = [Episode("playback", 0, what, "program", time.monotonic_ns(), 0, 0, 0, 0, False, True)
            for what in ("xrun", "rewind")]
headroom_doctor_counters.read_log = lambda name: Log(episodes, [], {})
said = next(headroom_doctor_counters.recent_gaps("play")).says
watched = Watched(1)
watched.episodes, watched.n_episodes = episodes, len(episodes)
print(watched.gaps(), len(headroom_words.gaps([vars(one) for one in episodes])),
      said.partition(" 0 s")[0])' 2>&1)"

# --- pages that are none, names that would move the cursor ---

cp pages/new.playback.0 'pages/%1B%5B2J%0A.playback.0'
says "a name that would clear the screen" 0 out '^.!? ?\?\[2J\? ' --once
equal "its bytes are not printed" 0 "$(grep -c $'\033' out)"
says "it in sentences" 0 out '^1. \?\[2J\? playback' --plain -n 1
rm 'pages/%1B%5B2J%0A.playback.0'
cp pages/new.playback.0 good
truncate -s 1000 pages/new.playback.0
says "a page that was cut off" 1 err "some counters of 'new' cannot be read" --once
says "the same in sentences" 1 err "some counters of 'new' cannot be read" --once --plain
cp pages/new.playback.0 pages/also.playback.0
says "two that were cut off" 1 err "some counters of 2 names cannot be read" --once
equal "two that were cut off: one line" 1 "$(wc -l < err)"
rm pages/also.playback.0
live 80 24
shows "a page that was cut off: live" "some counters of 'new' cannot be read"
cp good pages/new.playback.0
shows "it is whole again" "new +- +play +48k +Closed"
if until_true is_not_shown "cannot be read"; then
	pass "it is whole again: nothing is said any more"
else
	fail "it is whole again: nothing is said any more" "$(screen)"
fi

# Noise behind the stamp, one of a seed each, under a live view.
make_noise 6
why=
for seed in {0..5}; do
	dd if="noise$seed" of=pages/new.playback.0 bs=16 seek=1 conv=notrunc status=none
	amixer -D new contents > contents 2> err
	timeout 10 "$top" --json > out 2> err ||
		why="exit status $? after seed $seed: $(tail -n 1 err)"
	got=$(python3 differ.py new 2>&1 | tail -n 1)
	[ "$got" = 40 ] || why="after seed $seed $got"
	screen | grep -q "^..new " || why="it is not on the screen after seed $seed: $(screen)"
done
press q
ends "q after noise"
if [ -z "$why" ]; then pass "noise in the page"; else fail "noise in the page" "$why"; fi

end_of_tests
