# shellcheck shell=bash disable=SC2154 # raw and here are of tests/vm.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Part of tests/vm.sh: the machine is suspended, and woken, under programs that play and
# record on the bare cards and then through headroom. The drivers of Loopback and Dummy
# resume; that of HDA refuses to, so that its streams are prepared anew. Sourced by it.

# All devices go to sleep, the cards first, up to one that refuses: so all wake up again,
# and what this machine's root hangs on has not been asked (scripts/vm).
suspend_cards() {
	echo 0 > /sys/power/pm_async
	! { echo freeze > /sys/power/state; } 2> /dev/null
}

are_running() { [ "$(cat /proc/asound/card*/pcm*/sub*/status | grep -c RUNNING)" -eq "$1" ]; }

# sleep_under WAY HDA LOOPBACK DUMMY: two that play and one that records on these devices,
# and one that listens at the other end of the loopback, while the machine sleeps.
sleep_under() {
	local way=$1 players=() player listener name status

	timeout -s KILL 60 arecord -q -D hw:Loopback,1,6 --buffer-time=2000000 "${raw[@]}" "heard.$way" 2> err.listener &
	listener=$!
	timeout -s KILL 30 aplay -D "$2" "${raw[@]}" long 2> "err.$way.HDA" &
	players+=($!)
	timeout -s KILL 30 aplay -D "$3" --buffer-time=2000000 "${raw[@]}" long 2> "err.$way.Loopback" &
	players+=($!)
	timeout -s KILL 30 arecord -D "$4" "${raw[@]}" -d 4 "got.$way" 2> "err.$way.Dummy" &
	players+=($!)
	until_true are_running 4 || fail "suspend, $way: all run" "$(tail -qn 1 err.$way.*)"
	sleep 1
	suspend_cards || fail "suspend, $way: the machine" "nothing refused to sleep"
	for name in HDA Loopback Dummy; do
		player=${players[0]}
		players=("${players[@]:1}")
		wait "$player"
		status=$?
		equal "suspend, $way, $name: the program ends as if nothing were" 0 $status
	done
	pkill -INT -P $listener arecord
	wait $listener
}

# What a program has said of it; and how often of an xrun, which a machine that is busy
# may give it at any time.
said() { head -c 10000 "err.$1" | grep -o 'Suspended\|Failed' | paste -sd ' '; }
xruns() { grep -c 'run!!!' "err.$1"; }

# slept_through CARD DEVICE DIRECTION SAID: on the bare card that was said.
slept_through() {
	local name=$1 device=$2 direction=$3

	equal "suspend, $name: what the driver can" "$4" "$(said "bare.$name")"
	# Of a plug-in alsa-lib says that it was resumed.
	equal "suspend, $name: headroom's program is told the same" Suspended "$(said "through.$name")"
	equal "suspend, $name: Xruns" "$(xruns "through.$name")" "$(count "$device" "$direction Xruns")"
}

part_suspend() {
	local from left dropped why

	cat >> asound.conf <<- END
		pcm.asleep { type headroom slave.pcm "hw:HDA" }
		pcm.asleep_send { type headroom slave.pcm "hw:Loopback,0,6" }
		pcm.asleep_dummy { type headroom slave.pcm "hw:Dummy" }
		ctl.asleep { type headroom }
		ctl.asleep_send { type headroom }
		ctl.asleep_dummy { type headroom }
	END
	sleep_under bare hw:HDA hw:Loopback,0,6 hw:Dummy
	from_here
	sleep_under through asleep asleep_send asleep_dummy

	slept_through HDA asleep Playback "Suspended Failed"
	slept_through Loopback asleep_send Playback Suspended
	slept_through Dummy asleep_dummy Capture Suspended

	# Resumed: nothing is lost.
	[ "$(count asleep_send 'Playback Device Xruns')" -gt 0 ] ||
		equal "suspend, Loopback: Frames Dropped" 0 "$(count asleep_send 'Playback Frames Dropped')"
	if why=$(frames last long heard.through 48000 2>&1); then
		pass "suspend, Loopback: the last second is heard bit for bit"
	else
		fail "suspend, Loopback: the last second is heard bit for bit" "$why $(tail -n 1 err.listener)"
	fi
	[ "$(count asleep_dummy 'Capture Device Xruns')" -gt 0 ] ||
		equal "suspend, Dummy: Frames Dropped" 0 "$(count asleep_dummy 'Capture Frames Dropped')"
	equal "suspend, Dummy: each frame is there" "$(stat -c %s got.bare)" "$(stat -c %s got.through)"

	# Prepared anew: what was written and not heard is counted.
	push_wav
	dropped=$(count asleep 'Playback Frames Dropped')
	at_least "suspend, HDA: Frames Dropped" 1 "$dropped"
	if left=$(frames missing long "$card_wav" --from "$from" 2>&1); then
		# What the emulated card holds when it is stopped, it swallows.
		at_least "suspend, HDA: what is not heard is counted" "$left" $((dropped + 4800))
		# Up to a step more, of a card that moves in bursts.
		at_most "suspend, HDA: and no more" $((left + 2400)) "$dropped"
	else
		fail "suspend, HDA: what is not heard is counted" "$left"
	fi
	"$build/scripts/headroom-log" asleep > log
	equal "suspend, HDA: the log of episodes has it" "$dropped" \
		"$(awk 'NR > 1 { n += substr($0, 54, 9) } END { print n + 0 }' log)"
}
