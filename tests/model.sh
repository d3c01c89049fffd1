#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What two threads may do to each other, by Spin: each model of model/ in two sizes, every
# state it can get to; then each of its rules broken, by which it must fail. Prints
# "ok NAME" or "not ok NAME: why".
#
# usage: tests/model.sh
#        tests/model.sh MODEL SIZE [NUMBER]   (shows how it fails, with a rule broken)
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Those that take longest first.
models=("stream 2" "stream 1" "wake 2" "io 2" "pool 2" "ring 2" "io 1" "ring 1" "wake 1"
	"pool 1" "dry 2" "dry 1" "position 2" "position 1")

# make_search MODEL SIZE: into the present directory; the larger search is worth more of the
# compiler's time. What it needs stays well below the limit, in MB.
make_search() {
	local level=-O0
	[ "$2" = 1 ] || level=-O1
	cp "$here"/model/*.pml . &&
		spin -a -DSIZE="$2" "$1.pml" > spin.log 2>&1 &&
		gcc $level -w -DSAFETY -DNOCLAIM -DCOLLAPSE -DMEMLIM=1500 -o search pan.c > gcc.log 2>&1
}

# search NUMBER: with that rule broken; 0: none.
search() { BROKEN=$1 ./search -m5000 -w18 2>&1; }

value() { sed -nE "s/.*$1.*/\1/p" log | head -n 1; }

# What a search was stopped by, if by something that says that the code is wrong.
violation() { sed -nE 's/^pan:1: ((assertion violated|invalid end state).*)/\1/p' log | grep -v too_small_; }

# all_states NAME: the search has come to its end, through all states.
all_states() {
	search 0 > log
	if ! grep -q 'errors: 0' log; then
		fail "$1" "$(grep -m 1 '^pan:' log)"
	elif grep -qE 'max search depth|Search not completed' log; then
		fail "$1" "not all states were visited"
	else
		pass "$1: $(value '^ *([0-9.e+]+) states, stored') states, $(value 'depth reached ([0-9]+)') steps deep"
	fi
}

# The rules that are broken in this size: "NUMBER NAME".
rules() {
	sed -nE 's/^#define ([a-z0-9_]+) MUTANT\(([0-9]+)\)[[:space:]]*(.*)/\2 \1 \3/p' "$here/model/$1.pml" |
		while read -r number name remark; do
			case $2:$remark in
			1: | 2:*"size 2"*) echo "$number ${name//_/ }" ;;
			esac
		done
}

# check MODEL SIZE
check() {
	local number rule
	mkdir "$work/$1.$2" && cd "$work/$1.$2" || exit 1
	if ! make_search "$1" "$2"; then
		fail "model $1, size $2" "$(cat spin.log gcc.log 2> /dev/null | head -n 3)"
		return
	fi
	all_states "model $1, size $2"
	while read -r number rule; do
		search "$number" > log
		if [ -n "$(violation)" ]; then
			pass "model $1 fails if $rule"
		else
			fail "model $1 fails if $rule" "$(grep -m 1 -E '^pan:|errors:' log)"
		fi
	done < <(rules "$1" "$2")
}

# show MODEL SIZE NUMBER: the steps up to the failure, as they stand in the model.
show() {
	cd "$work" && make_search "$1" "$2" || { cat spin.log gcc.log; exit 1; }
	search "$3" > log
	grep -E '^pan:1|errors:' log
	[ -f "$1.pml.trail" ] || return
	BROKEN=$3 ./search -r | awk '
		/^ *[0-9]+:\tproc / && match($0, /[a-z]+\.pml:[0-9]+/) {
			split(substr($0, RSTART, RLENGTH), at, ":")
			if (!(at[1] in known)) {
				known[at[1]] = 1
				for (n = 1; (getline line < at[1]) > 0; n++)
					text[at[1], n] = line
			}
			who = $4
			if (who at[2] != last)
				printf "%-12s%5d %s\n", who, at[2], text[at[1], at[2]]
			last = who at[2]
		}'
}

if [ $# -ge 2 ]; then
	show "$1" "$2" "${3-0}"
	exit
fi

for model in "${models[@]}"; do
	# shellcheck disable=SC2086 # model and size
	{ check $model; echo over; } > "$work/${model/ /-}" 2>&1 &
	[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
done
wait
for model in "${models[@]}"; do
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "${line#ok }" ;;
		"not ok "*) fail "${line#not ok }" ;;
		over) ;;
		*) echo "  $line" ;;
		esac
	done < "$work/${model/ /-}"
	grep -qx over "$work/${model/ /-}" || fail "model ${model/ /, size }" "stopped half way"
done
end_of_tests
