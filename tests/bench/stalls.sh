#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# How late sound is, and what is lost of it when a program stalls: the bare device beside
# headroom. Needs stress-ng, and the right to real-time priorities.
#
# usage: tests/bench/stalls.sh BUILD
#
# Lines of JSON on standard output; BENCH_ROUNDS and BENCH_QUICK as for all of the
# benchmark. Exit status 0: all was measured.
set -u
export LC_ALL=C

if [ $# -ne 1 ] || [ ! -d "$1/tests" ]; then
	echo "usage: tests/bench/stalls.sh BUILD" >&2
	exit 2
fi
build=$(cd "$1" && pwd)
export HEADROOM_PCM_LIB="$build/plugin/libasound_module_pcm_headroom.so"
export CLOCKED_LIB="$build/tests/clocked/libasound_module_pcm_clocked.so"

# What was heard is not to wait for a disk.
shm=/dev/shm
[ -w "$shm" ] || shm=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d "$shm/headroom-bench-XXXXXX") || exit 1
export TMPDIR
stress=
cleanup() {
	[ -z "$stress" ] || kill "$stress" 2> /dev/null
	wait
	rm -rf "$TMPDIR"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

if ! command -v stress-ng > /dev/null; then
	echo "stalls: stress-ng is missing; scripts/setup bench installs it" >&2
	exit 1
fi
"$build/tests/bench/stalls/bench_latency" || exit 1
"$build/tests/bench/stalls/bench_stalls" idle || exit 1
stress-ng --quiet --cpu "$(nproc)" --timeout 300 >&2 &
stress=$!
sleep 0.5
if ! kill -0 "$stress" 2> /dev/null; then
	echo "stalls: stress-ng does not run" >&2
	exit 1
fi
"$build/tests/bench/stalls/bench_stalls" loaded
