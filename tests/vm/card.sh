# shellcheck shell=bash disable=SC2154 # raw and here are of tests/vm.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Parts of tests/vm.sh: the counters as elements of a card, alsactl, and those who
# watch. Sourced by it.

# What there is of headroom on a card, and one value of it.
on_card() { amixer -c "$1" controls | grep -c "name='Headroom"; }
card_get() { amixer -c "$1" cget "iface=PCM,name=Headroom $2" 2>&1; }
card_value() { card_get "$@" | sed -n 's/.*: values=//p'; }
card_set() { amixer -q -c "$1" cset "iface=PCM,name=Headroom $2" "$3" > set.err 2>&1; }
is_on_card() { [ "$(on_card "$1")" -eq "$2" ]; }
has_value() { [ "$(card_value "$1" "$2")" = "$3" ]; }
is_locked() { card_get "$@" | grep -q 'access=rw--l'; }

# at_most NAME LIMIT GOT, at_least NAME LIMIT GOT
at_most() { if [ "$3" -le "$2" ]; then pass "$1"; else fail "$1" "$3 is more than $2"; fi; }
at_least() { if [ "$3" -ge "$2" ]; then pass "$1"; else fail "$1" "$3 is less than $2"; fi; }

# play_on DEVICE SECONDS: in the background; sets player.
play_on() {
	timeout -s KILL 60 aplay -q -D "$1" "${raw[@]}" -d "$2" /dev/zero 2> err &
	player=$!
}
stop_playing() {
	pkill -INT -P "$player" aplay
	wait "$player"
}

part_card() {
	local player second trigger i policies

	play_on hda_card 60
	until_true is_on_card HDA 41
	equal "card: all elements are there" 41 "$(on_card HDA)"
	equal "card: of types that alsactl can restore" "" \
		"$(amixer -c HDA contents | grep -A1 "name='Headroom" | grep 'type=' |
			grep -vE 'type=(INTEGER|BOOLEAN|ENUMERATED),')"
	until_true has_value HDA 'Playback State' 4
	equal "card: State" 4 "$(card_value HDA 'Playback State')"
	equal "card: Process is the one of the control device" "$(counter hda_card 'Playback Process')" \
		"$(card_value HDA 'Playback Process')"
	sleep 1
	at_least "card: Frames go on" 1000 "$(card_value HDA 'Playback Frames')"
	for i in State Frames 'Latency P99' Healthy Uptime; do
		card_set HDA "Playback $i" 1
		equal "card: $i refuses to be written" "1 Operation not permitted" \
			"$? $(grep -o 'Operation not permitted' set.err)"
		# shellcheck disable=SC2015
		is_locked HDA "Playback $i" && pass "card: $i is locked" || fail "card: $i is locked" "$(card_get HDA "Playback $i")"
	done
	policies=$(for i in /proc/"$(card_value HDA 'Playback Process')"/task/*; do
		printf '%s %s\n' "$(cat "$i/comm")" "$(sed 's/.*) //' "$i/stat" | cut -d ' ' -f 39)"
	done | grep headroom | sort | tr '\n' ' ')
	# 1 is SCHED_FIFO.
	equal "card: written by a thread that is not real-time" "headroom-io 1 headroom-report 0 " "$policies"

	# Settings.
	card_set HDA 'Playback Trigger' 80
	equal "card: Trigger can be set" 0 $?
	until_true [ "$(counter hda_card 'Playback Trigger')" = 80 ]
	equal "card: Trigger is the stream's" 80 "$(counter hda_card 'Playback Trigger')"
	card_set HDA 'Playback Trigger' 50
	until_true has_value HDA 'Playback Clear' 49
	equal "card: Trigger takes Clear along" "50 49" "$(counter hda_card 'Playback Trigger') $(counter hda_card 'Playback Clear')"
	card_set HDA 'Playback Clear' 60
	until_true has_value HDA 'Playback Trigger' 61
	equal "card: Clear takes Trigger along" "61 60" "$(card_value HDA 'Playback Trigger') $(card_value HDA 'Playback Clear')"
	amixer -q -D hda_card cset iface=PCM,name='Headroom Playback Trigger' 85
	until_true has_value HDA 'Playback Trigger' 85
	equal "card: shows what is set on the control device" 85 "$(card_value HDA 'Playback Trigger')"
	amixer -q -c HDA cset iface=PCM,name='Headroom Playback Trigger' 101 2> set.err
	at_most "card: no threshold above 100" 100 "$(card_value HDA 'Playback Trigger')"
	i=$(counter hda_card 'Playback Frames')
	card_set HDA 'Playback Reset' on
	until_true has_value HDA 'Playback Reset' off
	equal "card: Reset reads off again" off "$(card_value HDA 'Playback Reset')"
	at_most "card: Reset zeroes" "$i" "$(counter hda_card 'Playback Frames')"

	# A second stream, of another name, and one in the other direction.
	timeout -s KILL 60 arecord -q -D hda_card "${raw[@]}" -d 60 /dev/null 2> err.rec &
	second=$!
	until_true is_on_card HDA 82
	equal "card: playback and capture" 82 "$(on_card HDA)"
	pkill -INT -P $second arecord
	wait $second
	stop_playing
	equal "card: removed at close" 0 "$(on_card HDA)"

	# Killed: what is left belongs to nobody, and the next takes it over.
	play_on hda_card 60
	until_true has_value HDA 'Playback State' 4
	pkill -KILL -P "$player" aplay
	wait "$player" 2> /dev/null
	equal "card: a killed program leaves them" 41 "$(on_card HDA)"
	# shellcheck disable=SC2015
	is_locked HDA 'Playback Frames' && fail "card: they belong to nobody then" "locked" || pass "card: they belong to nobody then"
	play_on hda_card 60
	until_true is_locked HDA 'Playback Frames'
	until_true has_value HDA 'Playback State' 4
	equal "card: the next stream takes them over" "41 4" "$(on_card HDA) $(card_value HDA 'Playback State')"
	stop_playing
	equal "card: and removes them" 0 "$(on_card HDA)"

	# Kept.
	timeout 20 aplay -q -D hda_keep "${raw[@]}" song 2> err
	equal "card: kept at close" 41 "$(on_card HDA)"
	equal "card: as the stream ended" "0 0 $(counter hda_keep 'Playback Frames')" \
		"$(card_value HDA 'Playback State') $(card_value HDA 'Playback Process') $(card_value HDA 'Playback Frames')"
	for i in 'Clear 40' 'Trigger 60'; do
		amixer -q -D hda_keep cset iface=PCM,name="Headroom Playback ${i% *}" "${i#* }"
	done
	timeout 20 aplay -q -D hda_keep "${raw[@]}" song 2> err
	equal "card: what was set on the control device in between counts" "60 40 60 40" \
		"$(counter hda_keep 'Playback Trigger') $(counter hda_keep 'Playback Clear') $(card_value HDA 'Playback Trigger') $(card_value HDA 'Playback Clear')"
	for i in 'Clear 30' 'Trigger 50'; do
		card_set HDA "Playback ${i% *}" "${i#* }"
	done
	timeout 20 aplay -q -D hda_keep "${raw[@]}" song 2> err
	equal "card: what was set on the card in between counts" "50 30 50 30" \
		"$(counter hda_keep 'Playback Trigger') $(counter hda_keep 'Playback Clear') $(card_value HDA 'Playback Trigger') $(card_value HDA 'Playback Clear')"
	card_set HDA 'Playback Clear' 90
	card_set HDA 'Playback Reset' on
	timeout 20 aplay -q -D hda_keep "${raw[@]}" song 2> err
	equal "card: Clear takes Trigger along in between too" "91 90" \
		"$(card_value HDA 'Playback Trigger') $(card_value HDA 'Playback Clear')"
	# aplay fills up its last period, of 6000 frames.
	equal "card: and Reset resets" off "$(card_value HDA 'Playback Reset')"
	at_most "card: and Reset resets: Frames" $(($(wc -c < song) / 4 + 6000)) "$(card_value HDA 'Playback Frames')"
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err
	equal "card: removed by the next that does not keep" 0 "$(on_card HDA)"

	# Through other plug-ins.
	for i in plugged over_mixed_hda_card; do
		play_on $i 60
		until_true is_on_card HDA 41
		equal "card: through $i" 41 "$(on_card HDA)"
		[ $i = plugged ] || break
		stop_playing
	done
	trigger=$player
	play_on over_mixed_hda_card 60
	until_true is_on_card HDA 82
	equal "card: two streams have a subdevice each" "41 41" \
		"$(amixer -c HDA controls | grep "name='Headroom" | grep -vc subdevice) $(amixer -c HDA controls | grep "name='Headroom" | grep -c subdevice=1)"
	stop_playing
	player=$trigger
	stop_playing
	equal "card: both are removed" 0 "$(on_card HDA)"

	# No card, no room: one line, and sound.
	timeout 20 aplay -q -D no_card "${raw[@]}" song 2> err
	equal "no card: sound goes on, one line" "0 1" "$? $(grep -c 'headroom: card_elements' err)"
	"$here/tests/vm/fill_card.py" hw:HDA fill > filled
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err
	equal "no room: sound goes on, one line" "0 1" "$? $(grep -c 'headroom: card_elements' err)"
	equal "no room: nothing half made" 0 "$(on_card HDA)"
	"$here/tests/vm/fill_card.py" hw:HDA empty > emptied
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err
	equal "room again: nothing is said" "" "$(cat err)"
}

# On a card on which no element was ever removed: alsactl takes a hole in the numids for
# a card that it does not know. That it knows no use cases for it is not about us.
part_alsactl() {
	local player

	play_on dummy_keep 60
	until_true has_value Dummy 'Playback State' 4
	card_set Dummy 'Playback Clear' 20
	card_set Dummy 'Playback Trigger' 40
	alsactl -f state store Dummy > out 2>&1
	equal "alsactl store: exit status" 0 $?
	equal "alsactl store: all are saved" 41 "$(grep -c "name 'Headroom" state)"
	alsactl -f state restore Dummy > out 2>&1
	equal "alsactl restore while a stream runs: exit status" 0 $?
	stop_playing
	alsactl -f state restore Dummy > out 2>&1
	equal "alsactl restore onto elements that were kept: exit status" "0 " "$? $(grep -v snd_use_case out)"

	# As after a reboot: no counters, nothing on the card.
	rm -rf /dev/shm/headroom-0
	alsactl clean Dummy > out 2>&1
	equal "alsactl: nothing on the card" 0 "$(on_card Dummy)"
	alsactl -f state restore Dummy > out 2>&1
	equal "alsactl restore before any stream: exit status, says nothing" "0 " "$? $(grep -v snd_use_case out)"
	equal "alsactl restore before any stream: thresholds" "41 40 20" \
		"$(on_card Dummy) $(card_value Dummy 'Playback Trigger') $(card_value Dummy 'Playback Clear')"
	play_on dummy_keep 60
	until_true is_locked Dummy 'Playback Frames'
	until_true has_value Dummy 'Playback State' 4
	equal "alsactl restore: the next stream uses them" "40 20 40 20" \
		"$(counter dummy_keep 'Playback Trigger') $(counter dummy_keep 'Playback Clear') $(card_value Dummy 'Playback Trigger') $(card_value Dummy 'Playback Clear')"
	equal "alsactl restore: its elements are taken over" 41 "$(on_card Dummy)"
	stop_playing
	timeout 20 aplay -q -D dummy_keep "${raw[@]}" song 2> err
	equal "alsactl restore: and so does the one after it" "40 20" \
		"$(counter dummy_keep 'Playback Trigger') $(counter dummy_keep 'Playback Clear')"
}

# watch NAME COMMAND…: in the background; sets watcher.
watch() {
	local out=$1
	shift
	stdbuf -oL "$@" > "$out" 2>&1 &
	watcher=$!
}
wakeups() { awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"; }
has_line() { grep -q "$2" "$1"; }

part_watch() {
	local player watcher watchers=() before

	# Made ready, so that a page is there and then nothing lives.
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err
	watch card.events alsactl monitor hw:HDA
	watchers+=("$watcher")
	watch ctl.events alsactl monitor hda_card
	watchers+=("$watcher")
	watch amixer.events amixer -D hda_card events
	watchers+=("$watcher")
	until_true has_line amixer.events 'Ready to listen'
	sleep 2
	before=$(wakeups "$watcher")
	sleep 4
	equal "watch: nothing lives, amixer events sleeps" "$before" "$(wakeups "$watcher")"
	play_on hda_card 60
	until_true has_line amixer.events "event value: .*Headroom Playback State"
	until_true has_line ctl.events 'Headroom Playback State,0) VALUE'
	until_true has_line card.events 'Headroom Playback State,0) VALUE'
	until_true has_value HDA 'Playback State' 4
	for i in amixer.events ctl.events card.events; do
		equal "watch: $i has the state" yes "$(has_line $i 'Headroom Playback State' && echo yes)"
	done
	: > card.events
	: > ctl.events
	before=$(wakeups "$watcher")
	sleep 5
	at_most "watch: a stream that runs wakes amixer events twice a second" 12 $(($(wakeups "$watcher") - before))
	for i in card.events ctl.events; do
		at_most "watch: $i has a counter at most twice a second" 12 "$(grep -c 'Playback Frames,' $i)"
		at_least "watch: $i has counters" 3 "$(grep -c 'Playback Frames,' $i)"
	done
	amixer -q -D hda_card cset iface=PCM,name='Headroom Playback Trigger' 88
	until_true has_line ctl.events 'Headroom Playback Trigger,0) VALUE'
	equal "watch: a setting is told" yes "$(has_line ctl.events 'Headroom Playback Trigger' && echo yes)"
	: > ctl.events
	pkill -KILL -P "$player" aplay
	wait "$player" 2> /dev/null
	until_true has_line ctl.events 'Headroom Playback State,0) VALUE'
	equal "watch: a killed stream is told" yes "$(has_line ctl.events 'Headroom Playback State' && echo yes)"
	kill "${watchers[@]}"
	wait
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err
}

# For a build with the address sanitizer, and not among the parts run by default: aplay and
# amixer with it, everything else without, or it would take for ever.
part_sanitized() {
	local player i
	asan() {
		LD_PRELOAD=$(gcc -print-file-name=libasan.so) \
			ASAN_OPTIONS=detect_leaks=0:log_path=$PWD/found \
			UBSAN_OPTIONS=print_stacktrace=1:log_path=$PWD/found "$@"
	}
	asan aplay -q -D hda_card "${raw[@]}" -d 60 /dev/zero 2> err &
	player=$!
	until_true has_value HDA 'Playback State' 4
	card_set HDA 'Playback Trigger' 60
	card_set HDA 'Playback Reset' on
	until_true has_value HDA 'Playback Clear' 59
	equal "sanitized: it plays, and obeys" "4 59" "$(card_value HDA 'Playback State') $(card_value HDA 'Playback Clear')"
	asan amixer -D hda_card contents > out
	pkill -INT -P "$player" aplay || kill -INT "$player"
	wait "$player"
	for i in hda_keep hda_keep hda_card no_card over_mixed_hda_card; do
		asan aplay -q -D $i "${raw[@]}" song 2> err || fail "sanitized: aplay on $i" "$(tail -n 1 err)"
	done
	equal "sanitized: it lists, and removes" "yes 0" "$(grep -q 'Playback Frames' out && echo yes) $(on_card HDA)"
	equal "sanitized: nothing was found" "" "$(cat found* 2> /dev/null | head -n 20)"
}
