#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What a stream costs that plays or records in real time: processor time of the program
# and of the server it plays to, system calls and voluntary context switches per period.
# Through headroom and through the simplest ioplug that has a thread, on the paced device;
# on that device itself; and through alsa-lib's plug-ins to sound servers that play to
# nowhere, each as it comes, with real-time rights if there are any.
#
# usage: tests/bench/servers.sh BUILD   (a build folder of meson)
#
# One line of JSON for each sample, see record.h. What a subject adds to the bare device is
# the difference within a round. System calls are counted by strace, in runs of their own:
# of all threads of the program, but not of the server; and not those by which the paced
# device sets its timer, where a card has an interrupt. Waiting for that timer is counted,
# as is a wait in the kernel for a card's interrupt.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:?usage: tests/bench/servers.sh BUILD}" && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
# shellcheck source=tests/servers/start.sh
. "$here/tests/servers/start.sh"

rounds=${BENCH_ROUNDS:-15}
periods=(64 256 1024)
declare -A sample_ms=([64]=100 [256]=107 [1024]=171)
count_rounds=2
first_round=0
if [ -n "${BENCH_QUICK-}" ]; then
	sample_ms=([64]=40 [256]=60 [1024]=86)
	count_rounds=1
	first_round=1
	[ "$rounds" -le 3 ] || rounds=3
fi
subjects=(bare threaded headroom pipewire pulse jack)
servers=(pipewire pulse jack)

die() {
	echo "$*" >&2
	exit 1
}

export HEADROOM_DIR=/dev/shm/headroom-bench-$$ ALSA_CONFIG_PATH=$work/asound.conf
export PIPEWIRE_PROPS='{ stream.capture.sink = true }'
cat > asound.conf << END
<$build/tests/asound.conf>
$(server_pcms)
pcm_type.bench_threaded.lib "$build/tests/bench/ioplugs/libasound_module_pcm_bench_threaded.so"
pcm.bare { type clocked }
pcm.threaded { type bench_threaded slave.pcm bare }
pcm.headroom { type headroom slave.pcm bare }
pcm.jack_out_int { type plug slave.pcm jack_alone }
pcm.jack_in_int { type plug slave.pcm jack_in }
END
[ -w /dev/shm ] || HEADROOM_DIR=$work/pages

# pcm_of SUBJECT DIRECTION
pcm_of() {
	local way=out
	[ "$2" = playback ] || way=in
	case $1 in
	jack) echo jack_${way}_int ;;
	pipewire | pulse) echo "$1_$way" ;;
	*) echo "$1" ;;
	esac
}

# Process ids, by server.
declare -A pids

# start_servers: all of them, for periods of $quantum frames.
start_servers() {
	local server first
	realtime=--realtime
	for server in "${servers[@]}"; do
		first=${#running[@]}
		"start_$server" > /dev/null || die "$server does not start: $(tail -n 2 "$server.log")"
		pids[$server]="${running[*]:$first}"
		# Those that work without a stream would disturb.
		kill -STOP "${running[@]:$first}"
	done
}

stop_servers() {
	[ ${#running[@]} -gt 0 ] || return
	kill -TERM "${running[@]}"
	kill -CONT "${running[@]}"
	wait "${running[@]}"
	running=()
	rm -rf run manager
	mkdir -m 700 run
} 2> /dev/null
trap 'stop_servers; rm -rf "$HEADROOM_DIR"; clean_up' EXIT

# stream SUBJECT DIRECTION PERIOD MS ROUND [COMMAND…]: one sample, by COMMAND bench_stream.
stream() {
	local daemons=${pids[$1]-} status pcm
	pcm=$(pcm_of "$1" "$2")
	# shellcheck disable=SC2086 # several ids
	[ -z "$daemons" ] || kill -CONT $daemons
	BENCH_DAEMONS=$daemons timeout 20 "${@:6}" "$build/tests/bench/bench_stream" \
		"$1" "$pcm" "$2" "$3" "$4" "$5" 2> why
	status=$?
	# shellcheck disable=SC2086
	[ -z "$daemons" ] || kill -STOP $daemons
	[ $status -eq 0 ] || die "$1, $2, $3: $(tail -n 1 why)"
}

# count_calls SUBJECT DIRECTION PERIOD ROUND
count_calls() {
	stream "$1" "$2" "$3" "${sample_ms[$3]}" "$4" strace -f -qq -o calls > /dev/null
	awk -v row="alsa: system calls, $2, $3" -v subject="$1" -v round="$4" '
	/write\(-1, "end/ { on = 0; periods = $4 + 0 }
	on && !/ resumed>|timerfd_settime|\+\+\+|---/ { count++ }
	/write\(-1, "begin/ { on = 1 }
	END {
		if (!periods)
			exit 1
		printf "{\"row\": \"%s\", \"subject\": \"%s\", \"round\": %d, " \
			"\"value\": %.6g, \"unit\": \"count\"}\n", row, subject, round, count / periods
	}' calls || die "$1, $2, $3: nothing was counted"
}

measure_period() {
	local period=$1 round subject direction
	quantum=$period
	start_servers
	for ((round = first_round; round <= rounds; round++)); do
		for direction in playback capture; do
			for subject in "${subjects[@]}"; do
				# The first is to warm up.
				stream "$subject" "$direction" "$period" "${sample_ms[$period]}" $round \
					> sample
				[ $round -eq 0 ] || cat sample
				[ $round -eq 0 ] || [ $round -gt "$count_rounds" ] ||
					count_calls "$subject" "$direction" "$period" $round
			done
		done
		echo "periods of $period frames: round $round of $rounds" >&2
	done
	stop_servers
}

# What each adds to the bare device, from samples of which that comes first in its round.
added() {
	awk -F'"' '
	{
		number = $0
		sub(/.*"value": /, "", number)
		sub(/,.*/, "", number)
		round = $11
		gsub(/[^0-9]/, "", round)
		key = $4 round
	}
	/"dropped"/ { next }
	$8 == "bare" { bare[key] = number; next }
	key in bare {
		row = $4
		sub(/,/, " added,", row)
		printf "{\"row\": \"%s\", \"subject\": \"%s\", \"round\": %d, \"value\": %.6g, " \
			"\"unit\": \"%s\"}\n", row, $8, round, number - bare[key], $(NF - 1)
	}'
}

for period in "${periods[@]}"; do
	measure_period "$period" > samples || exit
	cat samples
	added < samples
done
