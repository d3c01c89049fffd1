# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What the files in rows/ are written with. Such a file is sourced once and says, for
# one program:
#
#   packages PACKAGE…         Debian packages; the version shown is the first one's
#   card=KEYS                 keys of the card (tests/clocked/config.h), for the rows below
#   block=KEYS                keys of headroom's block, likewise
#   supply=FILE               what the card supplies to recorders, likewise
#   row PROGRAM "DIRECTION, MODE" CHECK [ARGUMENT]… -- COMMAND [ARGUMENT]…
#
# COMMAND is a program or a function of that file. It runs twice, in an empty folder
# of its own each time, which is HOME too: first on the bare card, then through headroom.
# The device has the same name in both, $DEVICE, and is the default device too (under
# plug, so that it may be asked for anything). $SECOND is a second card of that kind. Its
# output goes to the files out and err. What COMMAND started it must have ended and waited
# for: only then does its CPU time count. A run is killed after 60 s.
#
# Files for it: $sounds/song.wav, a plucked guitar, and $sounds/tone.wav, a sine of
# 997 Hz at -6 dB: 3 s, S16_LE, 48000 Hz, stereo; *.raw the same without a header,
# long.wav and long.raw 8 s of other music, longtone.wav and longtone.raw 8 s of tone.
#
# CHECK looks at the files of a run, in its folder; $where says bare or headroom:
#
#   same_frames FILE          the card heard FILE (.raw or .wav), bit for bit, and silence
#   same_piece FILE [SECONDS] FILE is what the card supplied, bit for bit, without a hole
#   tone HZ [FILE]            what the card heard (or FILE, .raw as the card's, or .wav) is an
#                             unbroken sine, of the bare card's level within 0.5 dB
#   as_bare                   what the card heard is what it heard without headroom, but
#                             for silence before and after
#
# or any function of that file: status and a line on stdout.

DEVICE=device
SECOND=second
export DEVICE SECOND

common_card='formats [ S16_LE S32_LE ] rates [ 44100 48000 96000 ] channels_min 2 channels_max 2'
card=$common_card
block=
supply=
version=
absent=

packages() {
	local package
	absent=
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed ||
			absent+=" $package"
	done
	version=$(dpkg-query -W -f '${Version}' "$1" 2> /dev/null | sed -E 's/^[0-9]+://; s/[-+].*//')
	card=$common_card block='' supply=$sounds/long.raw
}

# One row: its number is the index in these.
programs=() versions=() modes=() checks=() commands=() cards=() blocks=() supplies=() absents=()

row() {
	local check=() i=${#programs[@]}
	wanted_row "$1: $2" || return 0
	programs[i]=$1 versions[i]=$version modes[i]=$2 cards[i]=$card blocks[i]=$block
	supplies[i]=$supply absents[i]=$absent
	shift 2
	while [ "$1" != -- ]; do check+=("$1"); shift; done
	shift
	checks[i]=$(printf '%q ' "${check[@]}")
	commands[i]=$(printf '%q ' "$@")
}

# params [DIRECTION [LOG]]: FORMAT CHANNELS RATE of the card, as it was set last.
params() {
	awk -v way="${1:-playback}" '$1 == "params" && $2 == way { line = $3 " " $4 " " $6 }
		END { print line }' "${2:-card.log}" 2> /dev/null
}

# as_raw FILE: its frames in FILE.raw, unless it is raw already; prints the name.
as_raw() {
	case $1 in
	*.raw) echo "$1" ;;
	*) sox -q -D "$1" -t raw -e signed -b 16 "$(basename "$1").raw" && echo "$(basename "$1").raw" ;;
	esac
}

same_frames() {
	local format channels rate source
	read -r format channels rate <<< "$(params)"
	source=$(as_raw "$1") || { echo "no source"; return 1; }
	[ -n "$format" ] || { echo "the card was never set up"; return 1; }
	python3 "$matrix/content.py" same "$source" heard.raw "$format" "$channels"
}

same_piece() {
	local format channels rate got
	[ -s "$1" ] || { echo "nothing was recorded"; return 1; }
	read -r format channels rate <<< "$(params capture)"
	[ -n "$format" ] || { echo "the card was never set up"; return 1; }
	got=$(as_raw "$1") || { echo "no recording"; return 1; }
	python3 "$matrix/content.py" part supply.raw "$got" "$format" "$channels" "${2:-2.5}" "$rate"
}

tone() {
	local hz=$1 file=${2:-heard.raw} format channels rate line level found seconds breaks bare
	read -r format channels rate <<< "$(params)"
	[ -n "${2-}" ] && read -r format channels rate <<< "$(params capture)"
	case $file in
	*.wav) read -r format channels rate <<< "S16_LE $(soxi -c "$file") $(soxi -r "$file")" ;;
	esac
	file=$(as_raw "$file") && [ -s "$file" ] || { echo "no sound"; return 1; }
	line=$(python3 "$matrix/content.py" tone "$file" "$format" "$channels" "$rate" "$hz") ||
		{ echo "$line"; return 1; }
	echo "$line" > "tone.$hz"
	read -r level found seconds breaks <<< "$line"
	bare=$line
	[ "$where" = headroom ] && bare=$(cat "../bare/tone.$hz")
	awk -v level="$level" -v found="$found" -v hz="$hz" -v seconds="$seconds" -v breaks="$breaks" \
		-v bare="$bare" 'BEGIN {
		split(bare, b, " ")
		text = sprintf("%.1f Hz at %.1f dB for %.2f s", found, level, seconds)
		if (found < hz * 0.999 || found > hz * 1.001) { print text ", not " hz " Hz"; exit 1 }
		if (level < b[1] - 0.5 || level > b[1] + 0.5) { print text ", bare at " b[1] " dB"; exit 1 }
		if (seconds < 1 || seconds < b[3] * 0.95) { print text ", bare " b[3] " s"; exit 1 }
		if (breaks > 0) { print text ", broken " breaks " times"; exit 1 }
		print text
	}'
}

as_bare() {
	local format channels rate
	read -r format channels rate <<< "$(params)"
	[ -s heard.raw ] || { echo "nothing was heard"; return 1; }
	if [ "$where" = bare ]; then
		tr -d '\0' < heard.raw | head -c 10000 | wc -c | grep -qx 10000 || { echo "silence"; return 1; }
		return
	fi
	python3 "$matrix/content.py" same ../bare/heard.raw heard.raw "$format" "$channels" |
		sed 's/^bit for bit/as bare, bit for bit/'
	return "${PIPESTATUS[0]}"
}

# ready COMMAND…: wait until it succeeds, for 10 s at most.
ready() {
	local end=$((SECONDS + 10))
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

heard_bytes() { stat -c %s heard.raw 2> /dev/null || echo 0; }

# heard_more SECONDS PROCESS: until the card has heard so much more, at S16_LE, 48000 Hz,
# stereo; fails when the process has ended before.
# Wall time is no measure of that: a program that is slow to start or to end would be
# heard for longer. Nor is it looked at again and again: that would cost several times what
# a program does, and counts as its CPU time.
heard_more() {
	local bytes=$(($1 * 48000 * 4))
	ready test -e heard.raw || return 1
	[ "$(tail --pid="$2" -c +$(($(heard_bytes) + 1)) -f heard.raw 2> /dev/null |
		head -c $bytes | wc -c)" -eq $bytes ]
}
