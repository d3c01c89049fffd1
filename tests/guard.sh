#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Guards what was gained in speed, by what can be counted whatever else the machine does:
# instructions, by callgrind; calls to the system, waits and readings of the clock, in
# virtual time; the same in real time, in the best of some windows, so that a machine that
# is busy makes none fail. guard/limits says what and how many. Prints "ok NAME" or "not ok
# NAME: why".
#
# usage: tests/guard.sh BUILD [WORD]   (only lines of guard/limits that begin so)
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/tap.sh"
build=$(cd "${1:?usage: tests/guard.sh BUILD [WORD]}" && pwd)
only=${2-}
guard=$build/tests/guard
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export HEADROOM_DIR=$work/counters ALSA_CONFIG_PATH=$work/asound.conf
mkdir "$HEADROOM_DIR"

# Nobody's rights make a difference.
cat > asound.conf << END
<$build/tests/asound.conf>
pcm.guarded { type headroom rt_priority 0 slave.pcm { type clocked } }
END

is_within() { awk -v is="$1" -v limit="$2" 'BEGIN { exit !(is <= limit) }'; }

# judge NAME COUNTED LIMIT: nothing counted is a failure, too.
judge() {
	if [ -z "$2" ]; then
		fail "$1" "nothing was counted${why:+: $why}"
	elif is_within "$2" "$3"; then
		pass "$1: $2"
	else
		fail "$1" "$2, at most $3"
	fi
}

# --- instructions ---

# callgrind FUNCTION PROGRAM ARGS…: writes what was counted in the calls of FUNCTION to a file
# and its name to profile. Each but once. libc's functions for all processors are asked for,
# so that it makes no difference on which this is.
callgrind() {
	profile=$work/$(tr -c '[:alnum:]\n' _ <<< "$*")
	[ ! -f "$profile" ] || return
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-SSSE3,-ERMS,-FSRM \
		timeout 100 valgrind -q --tool=callgrind --callgrind-out-file="$profile" \
		--collect-atstart=no --toggle-collect="$1" --compress-strings=no --compress-pos=no \
		"$guard/$2" "${@:3}" > out 2>&1 || { why=$(tail -n 1 out); : > "$profile"; }
}

# in_objects OBJECTS TIMES: the instructions of profile in objects so named, at one time.
in_objects() {
	awk -v objects="$1" -v times="$2" '
	/^ob=/ { sub(/.*\//, ""); counts = $0 ~ objects; next }
	/^calls=/ { getline; next }
	/^[0-9]/ && counts { sum += $2 }
	END { if (sum) printf "%.1f", sum / times }' "$profile"
}

periods=256

# profile_of KIND ROW TIMES
profile_of() {
	case $1 in
	core) callgrind "guard_$2" guard_core "$2" "$3" ;;
	program) callgrind guard_move guard_virtual "$2" "$3" 256 $periods ;;
	thread) callgrind io_main guard_virtual "$2" "$3" 256 $periods ;;
	esac
}

# Where two threads meet a little otherwise than they mostly do, some steps more are taken:
# what is too much is counted again.
instructions() {
	local times=$periods tries counted
	[ "$1" != core ] || times=$3
	for tries in 1 2 3 4; do
		profile_of "$1" "$2" "$3"
		counted=$(in_objects "$4" "$times")
		[ -n "$counted" ] && is_within "$counted" "$6" && break
		[ "$tries" -eq 4 ] || rm -f "$profile"
	done
	judge "instructions: ${*:7}" "$counted" "$6"
}

# --- calls, waits, readings of the clock ---

# in_virtual_time WAY DIRECTION PERIOD WHAT COUNTED LIMIT
in_virtual_time() {
	local said=$work/virtual-$1-$2-$3 way=waiting
	[ "$1" = waits ] || way="with room"
	[ -f "$said" ] || timeout 60 "$guard/guard_virtual" "$1" "$2" "$3" $periods > "$said" 2> out ||
		{ why=$(tail -n 1 out); : > "$said"; }
	judge "virtual time, $2 of $3 frames, $way: $4 a period" \
		"$(awk -v what="$4" '$1 == what { print $2 }' "$said")" "$6"
}

best() { sort -n | head -n 1; }

# Windows of so many periods: long enough that one call more is no more than the tolerance.
declare -A window=([64]=32 [256]=24 [1024]=12)
declare -A windows=([64]=8 [256]=5 [1024]=3)

switches_in_windows() {
	timeout 60 "$guard/guard_real" windows "$1" "$2" "${window[$2]}" "${windows[$2]}" 2> out |
		awk '$1 == "switches" { print $2 }'
}

# Not those by which the device sets its timer: a card has an interrupt.
calls_in_windows() {
	timeout 60 strace -f -qq -o calls "$guard/guard_real" windows "$1" "$2" "${window[$2]}" "${windows[$2]}" > out 2>&1
	awk '/write\(-1, "end/ {
		on = 0
		if ($4 + 0)
			printf "%.2f\n", count / ($4 + 0)
	}
	on && !/ resumed>|timerfd_settime|\+\+\+|---/ { count++ }
	/write\(-1, "begin/ { on = 1; count = 0 }' calls
}

calls_with_room() {
	timeout 60 "$guard/guard_real" room "$1" "$2" 2> out | awk '$1 == "calls" { print $2 }'
}

# best_of_tries NAME LIMIT COMMAND…
best_of_tries() {
	local tries counted='' now
	for ((tries = 0; tries < 8; tries++)); do
		now=$("${@:3}" | best)
		counted=$(printf '%s\n' "$counted" "$now" | grep . | best)
		why=$(tail -n 1 out)
		[ -z "$counted" ] || ! is_within "$counted" "$2" || break
	done
	judge "$1" "$counted" "$2"
}

# --- the lines of guard/limits ---

# Elsewhere the instructions are others: it is said, and is no failure.
is=$("$guard/guard_core") || fail "instructions" "guard_core does not run"
was=$(sed -n 's/^built //p' "$here/guard/limits")
[ "$is" = "$was" ] || echo "  instructions are not judged: this is $is, and the limits are of $was"

while read -r kind rest; do
	why=
	[ -z "$only" ] || [ "$kind" = "$only" ] || continue
	# shellcheck disable=SC2086 # columns
	set -- $rest
	case $kind in
	core | program | thread) [ "$is" != "$was" ] || instructions "$kind" "$@" ;;
	virtual) in_virtual_time "$@" ;;
	real) best_of_tries "real time, $1 of $2 frames: $3 a period" "$5" "$3_in_windows" "$1" "$2" ;;
	room) best_of_tries "real time, $1 of $2 frames, with room: system calls" "$4" calls_with_room "$1" "$2" ;;
	esac
done < <(grep -v -e '^#' -e '^built ' "$here/guard/limits")
end_of_tests
