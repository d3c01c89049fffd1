#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# The matrix of real programs: each plays or records on the bare card, and then the
# same command does through headroom. Content, exit status, messages, xruns and CPU time
# are compared. Prints "ok NAME" or "not ok NAME: why" for each row as it is done,
# and at last all of them as a table, its lines beginning with "| ".
#
# usage: tests/matrix.sh BUILD [ROW…]   (a build folder of meson; ROW: a file in
#                                        tests/matrix/rows, or how a row's name begins)
#
# MATRIX_JOBS: rows at a time, 2 by default. MATRIX_KEEP: a folder where the files of the
# rows that failed are left.
set -u
build=$(cd "${1:?usage: tests/matrix.sh BUILD [ROW…]}" && pwd)
shift
matrix=$(cd "$(dirname "$0")/matrix" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sounds=$work/sounds
wanted=("$@")
# Percentage points of a processor. Above the first, a row is tried again; what it takes on a
# busy machine says nothing of headroom, so that only a loop that never rests fails one:
# tests/guard.sh counts instructions, calls and waits.
cpu_bound=3.0 cpu_spins=25.0
unset XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME PULSE_SERVER DISPLAY WAYLAND_DISPLAY
export LC_ALL=C.UTF-8 build matrix sounds

wanted_row() {
	local one
	[ ${#wanted[@]} -eq 0 ] && return 0
	for one in "${wanted[@]}"; do
		[ "$one" = "$file" ] && return 0
		case $1 in "$one"*) return 0 ;; esac
	done
	return 1
}

# shellcheck source=tests/tap.sh
. "$matrix/../tap.sh"
# shellcheck source=tests/matrix/lib.sh
. "$matrix/lib.sh"

mkdir "$sounds"
cd "$sounds" || exit 1
sox -q -n -r 48000 -c 2 -b 16 song.wav synth 3 pluck C3 pluck G3 gain -3 2> /dev/null
sox -q -n -r 48000 -c 2 -b 16 long.wav synth 8 pluck E3 pluck A2 gain -3 2> /dev/null
sox -q -n -r 48000 -c 2 -b 16 tone.wav synth 3 sine 997 gain -6
sox -q -n -r 48000 -c 2 -b 16 longtone.wav synth 8 sine 997 gain -6
for one in song long tone longtone; do sox -q $one.wav -t raw $one.raw; done

for path in "$matrix"/rows/*.sh; do
	file=$(basename "$path" .sh)
	# shellcheck source=/dev/null
	. "$path" || fail "matrix: $path" "it cannot be read"
done

# configuration WHERE ROW
configuration() {
	local beneath
	echo "<$build/tests/asound.conf>"
	echo "defaults.pcm.dmix.rate 48000"
	for beneath in device second; do
		local heard=heard.raw log=card.log
		[ $beneath = second ] && heard=second.raw log=second.log
		local as=$beneath
		[ "$1" = headroom ] && as=card_$beneath
		echo "pcm.$as { type clocked heard \"$PWD/$heard\" log \"$PWD/$log\" supply \"$PWD/supply.raw\" ${cards[$2]} }"
		[ "$1" = headroom ] || continue
		echo "pcm.$beneath { type headroom slave.pcm card_$beneath name $beneath ${blocks[$2]} }"
		echo "ctl.counters_$beneath { type headroom name $beneath }"
	done
	echo "pcm.!default { type plug slave.pcm device }"
}

# once WHERE ROW: one run, in the current folder; status, wall, CPU time and content
# in files of these names.
once() {
	local where=$1 status
	configuration "$1" "$2" > asound.conf
	cp "${supplies[$2]}" supply.raw
	export HOME=$PWD HEADROOM_DIR=$PWD/pages ALSA_CONFIG_PATH=$PWD/asound.conf
	TIMEFORMAT='%R %U %S'
	{ time within 60 eval "${commands[$2]}" > out 2> err; } 2> usage
	status=$?
	echo "$status" > status
	tail -n 1 usage | awk 'NF == 3 && $1 > 0 { printf "%.2f\n", ($2 + $3) / $1 * 100 }' > cpu
	[ "$status" = 0 ] || { echo "exit status $status: $(tail -n 1 err)" > content; return 1; }
	eval "${checks[$2]}" > content 2>&1
}

xruns() { cat card.log second.log 2> /dev/null | grep -c '^xrun'; }

# complaints FOLDER: lines that tell of trouble, without what differs each time.
complaints() {
	cat "$1/out" "$1/err" | tr '\r' '\n' | sed "s|$PWD/$1||g" |
		grep -aiE 'xrun|underrun|overrun|warn|error|fail|broken|cannot|unable|not |ALSA lib' |
		sed -E 's/0x[0-9a-fA-F]+|\[[0-9a-f]{16}\]|[0-9]+/N/g' | sort -u
}

# compared: what headroom did otherwise than the bare card, if anything.
compared() {
	local extra moved
	extra=$(comm -13 <(complaints bare) <(complaints headroom) | head -n 1)
	[ -z "$extra" ] || { echo "it says: $extra"; return; }
	if [ "$(cat headroom/xruns)" -gt "$(cat bare/xruns)" ]; then
		echo "$(cat headroom/xruns) xruns, bare $(cat bare/xruns)"
		return
	fi
	for way in playback capture; do
		if [ "$(params $way bare/card.log)" != "$(params $way headroom/card.log)" ]; then
			echo "another format: $(params $way headroom/card.log), bare $(params $way bare/card.log)"
			return
		fi
	done
	moved=$(cat headroom/moved)
	[ "$moved" -gt 0 ] || { echo "no frame went through headroom"; return; }
	awk -v a="$(cat bare/cpu)" -v b="$(cat headroom/cpu)" -v bound=$cpu_bound \
		'BEGIN { if (b - a > bound) printf "CPU %.1f %% -> %.1f %%", a, b }'
}

# both ROW: once each, in the current folder. Prints what is wrong, if anything.
both() {
	local where
	for where in bare headroom; do
		rm -rf "$where"
		mkdir "$where"
		(cd "$where" && once "$where" "$1") 2> trouble
		echo $? > "$where/result"
		(cd "$where" && xruns > xruns)
		if [ "$(cat "$where/result")" -ne 0 ]; then
			[ "$where" = headroom ] || printf 'on the bare card: '
			cat "$where/content"
			return
		fi
	done
	echo $(($(export HEADROOM_DIR=$PWD/headroom/pages ALSA_CONFIG_PATH=$PWD/headroom/asound.conf
		counter counters_device 'Playback Frames'; echo +; counter counters_device 'Capture Frames'))) > headroom/moved
	compared
}

# was_lost NAME: other sound through headroom although no card ran dry: no busy machine is an
# excuse for that. But JACK goes on without a client that is late, and no card knows of it.
was_lost() {
	[[ $1 != JACK* ]] && [ "$(cat bare/result)" -eq 0 ] && [ -f headroom/result ] &&
		[ "$(cat headroom/result)" -ne 0 ] && [ "$(cat headroom/xruns)" -eq 0 ]
}

# one_row ROW: its line of the table, and the one that is counted. A machine that was busy
# with something else may have spoilt a run (a card ran dry, CPU time was higher): a row
# has three tries, and tells of it.
one_row() {
	local i=$1 dir=$work/$1 try wrong name="${programs[$1]}: ${modes[$1]}" heads
	mkdir "$dir"
	cd "$dir" || exit 1
	if [ -n "${absents[i]}" ]; then
		wrong="not installed:${absents[i]}"
	else
		for try in 1 2 3; do
			[ "$try" -lt 3 ] || cpu_bound=$cpu_spins
			wrong=$(both "$i" | tr '\n|' '  ')
			[ -n "$wrong" ] || break
			echo "$wrong" >> tries
			! was_lost "$name" || break
		done
	fi
	cell() { cat "$@" 2> /dev/null || echo -; }
	heads=ok
	[ -z "$wrong" ] || heads="not ok"
	[ "$(cell bare/result)" = 0 ] && bare=ok || bare="not ok"
	printf '| %s | %s | %s | %s | %s | %s%% -> %s%% | %s -> %s%s |\n' \
		"${programs[i]} ${versions[i]}" "${modes[i]}" "$bare" "$heads" \
		"$(cell headroom/content | head -n 1 | tr '|' ' ')" "$(cell bare/cpu)" "$(cell headroom/cpu)" \
		"$(cell bare/xruns)" "$(cell headroom/xruns)" \
		"$([ "${try:-1}" -gt 1 ] && [ -z "$wrong" ] && echo " (try $try: $(tail -n 1 tries))")" > line
	if [ -z "$wrong" ]; then
		echo "ok matrix: $name"
	else
		echo "not ok matrix: $name: $wrong"
		touch failed
		[ -z "${MATRIX_KEEP-}" ] || { mkdir -p "$MATRIX_KEEP" && cp -r "$dir" "$MATRIX_KEEP/$i"; }
	fi
	rm -rf bare headroom
}

every_row() {
	local i
	for i in "${!programs[@]}"; do
		while [ "$(jobs -rp | wc -l)" -ge "${MATRIX_JOBS:-2}" ]; do wait -n; done
		(one_row "$i") &
	done
	wait
	echo "1..${#programs[@]}"
	[ -z "$(find "$work" -mindepth 2 -maxdepth 2 -name failed)" ]
}

# one_row's results come from jobs of their own.
from_tap every_row
{
	echo "| program | direction, mode | bare | headroom | content | CPU bare -> headroom | xruns |"
	for i in "${!programs[@]}"; do cat "$work/$i/line"; done
} | column -t -s '|' -o '|'
end_of_tests
