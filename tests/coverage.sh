#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# The share of the lines and branches of core and plugin that the tests come by which have
# been run in BUILD, a build with -Db_coverage=true -Dc_args=-fprofile-update=atomic. Shows
# a table, and each line that no test comes by and that coverage/uncovered does not know.
# Prints "ok NAME" or "not ok NAME: why".
#
# A module writes its counts when its process exits, as a program does. Who ends by a signal
# or by _exit() writes none, and what a forked child does within fork() is forgotten when
# the program itself is counted.
#
# usage: tests/coverage.sh BUILD [--list]   (--list: what is not in the list yet, as it has it)
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/tap.sh"
build=$(cd "${1:?usage: tests/coverage.sh BUILD [--list]}" && pwd)
root=$(dirname "$here")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! gcovr -j "$(nproc)" --root "$root" --filter "$root/core/" --filter "$root/plugin/" \
	--exclude "$root/core/example.c" \
	--json --output "$work/counted.json" "$build" > "$work/log" 2>&1 ||
	! [ -s "$work/counted.json" ]; then
	tail -n 20 "$work/log"
	fail "coverage" "gcovr does not get on with $build"
	end_of_tests
fi
python3 "$here/coverage/report.py" "$work/counted.json" "$here/coverage/uncovered" "$root" "${@:2}"
