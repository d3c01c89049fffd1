# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What meson's log says of test programs that Check runs: a section for each. Sourced by
# scripts/test, whose passed and failed these count up.

# count_checks LOG: add up the lines that Check prints; a program that printed none
# counts as one failure.
count_checks() {
	local line checks failures errors
	while read -r line; do
		checks=$(sed -E 's/.*Checks: ([0-9]+).*/\1/' <<< "$line")
		failures=$(sed -E 's/.*Failures: ([0-9]+).*/\1/' <<< "$line")
		errors=$(sed -E 's/.*Errors: ([0-9]+).*/\1/' <<< "$line")
		passed=$((passed + checks - failures - errors))
		failed=$((failed + failures + errors))
	done < <(grep -aE '^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+' "$1")
}

# section_of PROGRAM LOG, without_section_of PROGRAM LOG: from its line "test:" to the next.
section_of() { awk -v name="$1" '/^test: / { on = $NF == name } on' "$2"; }
without_section_of() { awk -v name="$1" '/^test: / { off = $NF == name } !off' "$2"; }

finding='SUMMARY: |runtime error: '

# Of a section or a log on stdin: what did not hold, and what a sanitizer found.
assertions_in() { grep -aE "^[^ ]+\.c:[0-9]+:[FE]:|$finding"; }

failed_in() { awk '/^test: / { name = $NF } /^result: / && !/ exit status 0$/ { print name }' "$1"; }

# not_by_its_checks LOG: the programs that failed although no check of theirs did: by a
# sanitizer's finding at the exit, for one.
not_by_its_checks() {
	awk '/^test: / { name = $NF }
		/^result: / { failed = $0 !~ / exit status 0$/ }
		/^[0-9]+%: Checks: / && failed && /Failures: 0, Errors: 0$/ { print name }' "$1"
}

# Nothing of these is by the machine's clock, or they draw what they do: what they find is
# wrong, though it need not be found a second time.
timeless='^test: +[^ ]*:core / |^test: .* / (account|blame|differential|held|hostile_keys|hostile_killed|io_dry|io_look)$'

# failed_by_chance LOG: the programs that failed at one or two of their checks, but did not
# crash or hang, and without a finding; if they are no more than two: many of the tests are by
# the clock, and a machine that stands still for some milliseconds makes one fail. What is wrong
# fails once more.
failed_by_chance() {
	local program n chosen=()
	for program in $(failed_in "$1"); do
		section_of "$program" "$1" | grep -qx 'result: *exit status 1' || continue
		section_of "$program" "$1" |
			grep -qaE "$timeless|$finding|Received signal|Early exit|Test timeout expired" && continue
		n=$(section_of "$program" "$1" | assertions_in | wc -l)
		if [ "$n" -eq 1 ] || [ "$n" -eq 2 ]; then chosen+=("$program"); fi
	done
	[ "${#chosen[@]}" -gt 2 ] || echo "${chosen[@]}"
}
