# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What the shell tests say and wait for. Sourced by them.

# The results are counted: pass, fail and what calls them are for the script's own shell,
# not for a subshell.
tests_run=0
tests_failed=0
pass() {
	tests_run=$((tests_run + 1))
	echo "ok $1"
}

# fail NAME [WHY]
fail() {
	tests_run=$((tests_run + 1))
	tests_failed=$((tests_failed + 1))
	echo "not ok $1${2:+: $2}"
}

# The last of every script: its plan, as TAP has it. What has none was stopped half way.
end_of_tests() {
	echo "1..$tests_run"
	[ "$tests_failed" -eq 0 ]
	exit
}

# in_own_mounts NAME ARGUMENT: this script again, with that argument, as root and where what it
# mounts nobody else sees; comes back there. NAME fails where that cannot be had.
in_own_mounts() {
	if [ "$(id -u)" -ne 0 ]; then
		sudo -n true 2> /dev/null && exec sudo -n "$0" "$2"
		fail "$1" "they need root, and sudo asks for a password"
		end_of_tests
	fi
	[ "${HAS_OWN_MOUNTS:-}" != yes ] || return 0
	HAS_OWN_MOUNTS=yes unshare -m --propagation private true 2> /dev/null &&
		HAS_OWN_MOUNTS=yes exec unshare -m --propagation private "$0" "$2"
	fail "$1" "no mount namespace can be made here"
	end_of_tests
}

# next_line FD PID: read into line, as long as there is something or whoever writes is there.
next_line() {
	local piece gone
	line=
	while :; do
		gone=no
		is_gone "$2" && gone=yes
		IFS= read -r -t 1 -u "$1" piece && { line+=$piece; return; }
		[ $? -gt 128 ] || return
		line+=$piece
		[ $gone = no ] || { echo "(something it has left behind has its output open)"; return 1; }
	done
}

# from_tap COMMAND…: passes and fails what COMMAND says that passed and failed, and shows
# all else. One more failure if it did not come to its plan, if not all that it has run was
# seen, or if it ended otherwise than with 0 or, after a failure, 1. Whoever it has left behind
# with its output open is not waited for.
from_tap() {
	local line lines command status plan='' seen=0 wrong=0
	exec {lines}< <("$@")
	command=$!
	while next_line "$lines" "$command"; do
		case $line in
		"ok "*) seen=$((seen + 1)); pass "${line#ok }" ;;
		"not ok "*) seen=$((seen + 1)); wrong=1; fail "${line#not ok }" ;;
		1..*) plan=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done
	exec {lines}<&-
	wait "$command"
	status=$?
	if [ -z "$plan" ]; then
		fail "$*" "stopped half way, after $seen results: exit status $status"
	elif [ "$plan" != "$seen" ] || [ "$seen" -eq 0 ]; then
		fail "$*" "$plan results, of which $seen were seen: exit status $status"
	elif [ "$status" -gt "$wrong" ]; then
		fail "$*" "exit status $status, and nothing that failed tells why"
	fi
}

# equal NAME WANTED GOT
equal() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected $2, got $3"; fi
}

# until_true COMMAND…: looked at so many times, with so many seconds in between: 10 s at
# most, unless whoever sources this says otherwise.
looks=200
look_every=0.05
until_true() {
	local tries
	for ((tries = 0; tries < looks; tries++)); do
		"$@" && return
		sleep "$look_every"
	done
	return 1
}

# family PID: it and all that descend from it.
family() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do family "$child"; done
}

# ended_by_force PID: a group's leader that hangs; says who was there, lets them clean up, and
# ends them.
ended_by_force() {
	local all
	all=$(family "$1" | paste -sd,)
	ps --forest -o pid=,etimes=,stat=,wchan:20=,args= -p "$all" | cut -c 1-200
	kill -TERM -- "-$1"
	sleep 2
	kill -KILL ${all//,/ } 2> /dev/null
}

# within SECONDS COMMAND…: its exit status; 124, and who hung, if it had to be ended after so
# long. Nothing that it has left behind in its group outlives it.
within() {
	local command killer which status
	set -m
	"${@:2}" < /dev/null &
	command=$!
	sleep "$1" > /dev/null 2>&1 &
	killer=$!
	set +m
	# Who has a group of its own, as what is begun by this in there, is not in this one.
	# shellcheck disable=SC2064 # these
	trap "kill -KILL -- \$(family $command) -$command -$killer 2> /dev/null; exit 130" INT TERM HUP
	wait -n -p which "$command" "$killer"
	status=$?
	if [ "$which" = "$killer" ]; then
		status=124
		echo "${*:2}: not done after $1 s; there were:"
		ended_by_force "$command"
	fi
	kill -KILL -- "-$command" "-$killer" 2> /dev/null
	wait "$command" "$killer" 2> /dev/null
	trap - INT TERM HUP
	return $status
}

is_gone() { ! kill -0 "$1" 2> /dev/null; }

# counter DEVICE ELEMENT: the value of "Headroom ELEMENT", which may name a subdevice.
counter() { amixer -D "$1" cget "iface=PCM,name=Headroom $2" 2> /dev/null | sed -n 's/.*: values=//p'; }

# make_noise N: the files noise0 to noiseN-1, of one seed each, to be read as a page's.
make_noise() {
	python3 -c '
import random, sys
for seed in range(int(sys.argv[1])):
    random.seed(seed)
    bits = random.choice((1, 2, 8))
    open("noise%d" % seed, "wb").write(bytes(random.getrandbits(bits) for _ in range(3600)))
' "$1"
}
