#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What judges the tests is tested: what crashes, hangs, stops half way or leaves somebody behind
# is seen (tap.sh), and what is tried once more and what is not (meson_log.sh). Prints "ok NAME"
# or "not ok NAME: why".
#
# usage: tests/judges.sh
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/meson_log.sh
. "$here/meson_log.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# --- within ---

# status_of SECONDS COMMAND…: in a shell of its own, whose job it would be otherwise.
status_of() { (within "$@" > said 2>&1); }

ends_with() {
	status_of 10 bash -c "$2"
	equal "within: what $1" "$3" $?
}
ends_with "is well" : 0
ends_with "fails" 'exit 7' 7
ends_with "crashes" 'ulimit -c 0; kill -SEGV $$' 139

status_of 1 bash -c 'trap "" TERM; echo $$ > hung; setsid sleep 333 & echo $! >> hung; sleep 333; sleep 333'
equal "within: what hangs" 124 $?
none_is_there() { while read -r pid; do is_gone "$pid" || return; done < "$1"; }
equal "within: nobody of it is left" yes "$(until_true none_is_there hung && echo yes)"

# One in there has a group of its own.
cat > outer << END
. "$here/tap.sh"
within 300 bash -c 'echo \$\$ > inner; . "$here/tap.sh"; within 300 bash -c "echo \\\$\\\$ >> inner; exec sleep 333"'
END
for signal in TERM HUP; do
	rm -f inner
	bash outer > said 2>&1 &
	until_true grep -qs '^[0-9]*$' inner
	until_true eval '[ "$(wc -l < inner)" -eq 2 ]'
	kill "-$signal" $!
	wait $!
	equal "within: nobody is left by SIG$signal" yes "$(until_true none_is_there inner && echo yes)"
done

# --- from_tap ---

# judged COMMAND…: what is made of it, in a script of its own.
judged() {
	(
		tests_failed=0
		from_tap within 2 bash -c "$1" > said 2>&1
		[ "$tests_failed" -eq 0 ] && echo well || echo failed
	)
}
is_judged() { equal "from_tap: what $1" "$3" "$(judged "$2")"; }
is_judged "is well" 'echo ok 1; echo 1..1' well
is_judged "says that it failed" 'echo ok 1; echo not ok 2; echo 1..2; exit 1' failed
is_judged "stops half way" 'echo ok 1' failed
is_judged "has run less than it says" 'echo ok 1; echo 1..2' failed
is_judged "has run nothing" 'echo 1..0' failed
is_judged "crashes at its end" 'echo ok 1; echo 1..1; ulimit -c 0; kill -SEGV $$' failed
is_judged "hangs at its end" 'echo ok 1; echo 1..1; sleep 333' failed
began=$SECONDS
is_judged "leaves one behind that has its output" 'echo ok 1; echo 1..1; setsid sleep 20 & sleep 0.5' well
equal "from_tap: it is not waited for" yes "$([ $((SECONDS - began)) -lt 10 ] && echo yes)"
is_judged "says half a line, and later the rest" 'printf "not "; sleep 1.5; echo ok 1; echo 1..1; exit 1' failed

# --- meson's log ---

# log_of SUITE NAME RESULT LINE…: as meson writes it.
log_of() {
	printf '%s\n' "test:         headroom:$1 / $2" "start time:   10:00:00" "result:       $3" \
		'----------------------------------- stdout -----' "${@:4}" > log
}
tried() { equal "a program that $1" "$2" "$([ -n "$(failed_by_chance log)" ] && echo tried)"; }
one='90%: Checks: 10, Failures: 1, Errors: 0'
no='../tests/test_x.c:12:F:x:y:0: no'
log_of plugin pcm_x 'exit status 1' "$one" "$no"
tried "failed at a check is tried once more" tried
for name in account held io_look hostile_keys; do
	log_of plugin "$name" 'exit status 1' "$one" "$no"
	tried "is not by the clock is not: $name" ''
done
log_of core ring 'exit status 1' "$one" "$no"
tried "is not by the clock is not: ring" ''
log_of plugin pcm_x 'exit status 1' '90%: Checks: 10, Failures: 0, Errors: 1' \
	'../tests/test_x.c:12:E:x:y:0: (after this point) Test timeout expired'
tried "hung is not" ''
log_of plugin pcm_x 'killed by signal 11 SIGSEGV' "$one" "$no"
tried "crashed at its end is not" ''
log_of plugin pcm_x 'exit status 1' "$one" '../tests/test_x.c:12:E:x:y:0: (after this point) Received signal 11 (Segmentation fault)'
tried "crashed is not" ''
log_of plugin pcm_x 'exit status 1' "$one" "$no" 'SUMMARY: ThreadSanitizer: data race'
tried "a sanitizer has found out is not" ''
log_of plugin pcm_x 'killed by signal 15 SIGTERM'
tried "was ended is not" ''

end_of_tests
