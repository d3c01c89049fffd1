#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom on a real kernel's sound cards, in a virtual machine (scripts/vm). Time
# is coarse there: what is tested is content, order, counts and states. Prints one
# line a test: "ok NAME" or "not ok NAME: why".
#
# usage: tests/vm.sh BUILD [PART…]   (a build folder of meson; all parts)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
look_every=0.1
build=$(cd "${1:?usage: tests/vm.sh BUILD [PART…]}" && pwd)
shift
if [ -z "${HEADROOM_VM-}" ]; then
	exec "$here/scripts/vm" --timeout "${HEADROOM_VM_TIMEOUT:-1200}" --build "$build" \
		"$here/tests/vm.sh" "$build" "$@"
fi
work=$(mktemp -d)
chmod 755 "$work"
cd "$work" || exit 1
export ALSA_CONFIG_PATH=$work/asound.conf

cat > asound.conf << END
<$build/tests/asound.conf>
pcm.hda { type headroom slave.pcm "hw:HDA" }
pcm.hda_card { type headroom slave.pcm "hw:HDA" card_elements yes }
pcm.hda_keep { type headroom slave.pcm "hw:HDA" card_elements keep }
pcm.plugged { type headroom slave.pcm "plughw:HDA" card_elements yes }
pcm.over_mixed_hda_card { type headroom slave.pcm mixed_hda card_elements yes }
pcm.dummy_keep { type headroom slave.pcm "hw:Dummy" card_elements keep }
pcm.no_card { type headroom slave.pcm "null" card_elements yes }
pcm.send { type headroom slave.pcm "hw:Loopback,0,0" }
pcm.receive { type headroom slave.pcm "hw:Loopback,1,0" }
pcm.hda_back { type headroom slave.pcm "hw:HDA" on_device_loss reconnect card_elements yes }
pcm.dummy_back { type headroom slave.pcm "hw:Dummy" on_device_loss reconnect on_overrun drop }
pcm.dummy { type headroom slave.pcm "hw:Dummy" }
pcm.same_as {
	@args [ CARD ]
	@args.CARD.type string
	type headroom
	name same_as
	depth_ms 0
	slave.pcm \$CARD
}
pcm.mixed_hda {
	type dmix
	ipc_key 48001
	slave { pcm "hw:HDA" format S16_LE rate 48000 channels 2 period_size 1024 buffer_size 16384 }
}
pcm.mixed_send {
	type dmix
	ipc_key 48002
	slave { pcm "hw:Loopback,0,1" format S16_LE rate 48000 channels 2 period_size 1024 buffer_size 16384 }
}
pcm.over_mixed_hda { type headroom slave.pcm mixed_hda }
pcm.over_mixed_send { type headroom slave.pcm mixed_send }
ctl.hda { type headroom }
ctl.hda_card { type headroom }
ctl.hda_keep { type headroom }
ctl.hda_back { type headroom }
ctl.dummy_back { type headroom }
ctl.dummy_keep { type headroom }
ctl.send { type headroom }
ctl.receive { type headroom }
END

frames() { "$here/tests/vm/frames.py" "$@"; }

# state DEVICE DIRECTION: the name of its state.
state() {
	amixer -D "$1" cget "iface=PCM,name=Headroom $2 State" 2> /dev/null | awk -F"'" '
		/Item #/ { split($1, part, /[#\t ]+/); name[$1] = $2; item[n++] = $2 }
		/: values=/ { sub(/.*=/, ""); print item[$0] }'
}

is_in_state() { [ "$(state "$1" "$2")" = "$3" ]; }

raw=(-t raw -f S16_LE -r 48000 -c 2)
card_wav=$HEADROOM_VM_WAV
# Its header is not there before the first sound.
wav_size() {
	local size
	size=$(stat -c %s "$card_wav")
	echo $((size < 44 ? 44 : size))
}
# The last few ms of what the card played are not in the file yet: push them out.
push_wav() { aplay -q -D hw:HDA "${raw[@]}" -d 1 /dev/zero 2> /dev/null; }

# from_here: sets from, past anything that is not of the next test.
from_here() {
	push_wav
	from=$(wav_size)
}

# heard NAME FILE FROM [OPTION…]: the card played FILE since FROM.
heard() {
	local name=$1 file=$2 from=$3 why
	shift 3
	push_wav
	if why=$(frames same "$file" "$card_wav" --from "$from" --after 4800 "$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$why"
	fi
}

# With silence around it: the emulated card, which works in bursts, may swallow what
# it holds when it is stopped, and what dmix mixes in where it is reading.
frames make song 60000 4 9600
frames make long 240000 4 9600

part_playback() {
	local from device
	for device in hw:HDA hda; do
		from_here
		timeout 20 aplay -q -D $device "${raw[@]}" song 2> err || fail "aplay on $device" "$(tail -n 1 err)"
		heard "aplay on $device is heard bit for bit" song "$from"
	done
	for device in hw:HDA hda; do
		from_here
		timeout 20 aplay -q -M -D $device --period-size=480 --buffer-size=9600 "${raw[@]}" song 2> err ||
			fail "aplay on $device with mmap" "$(tail -n 1 err)"
		heard "aplay on $device with mmap is heard bit for bit" song "$from"
	done
	equal "the counters after that: Xruns" 0 "$(counter hda 'Playback Xruns')"
}

# loop_once FORMAT BYTES CHANNELS RATE
loop_once() {
	local name="loopback $1, $3 channels, $4 Hz" frame=$(($2 * $3)) recorder why
	local params=(-t raw -f "$1" -c "$3" -r "$4")
	frames make sent $(($4 / 2)) $frame $(($4 / 4))
	timeout 30 arecord -q -D receive "${params[@]}" got 2> err.rec &
	recorder=$!
	until_true is_in_state receive Capture Running || why="not recording: $(state receive Capture)"
	timeout 30 aplay -q -D send "${params[@]}" sent 2> err || why="aplay: $(tail -n 1 err)"
	pkill -INT -P $recorder arecord
	wait $recorder
	if [ -z "${why-}" ] && why=$(frames same sent got --frame $frame --after 1000 2>&1); then
		pass "$name, bit for bit"
	else
		fail "$name, bit for bit" "$why $(tail -n 1 err.rec)"
	fi
	rm -f got sent
}

part_loopback() {
	loop_once S16_LE 2 2 48000
	loop_once S16_LE 2 1 96000
	loop_once S16_LE 2 8 44100
	loop_once S24_3LE 3 2 48000
	loop_once S24_3LE 3 1 44100
	loop_once S24_LE 4 2 96000
	loop_once S24_LE 4 8 48000
	loop_once S32_LE 4 2 44100
	loop_once S32_LE 4 8 96000
	loop_once FLOAT_LE 4 2 48000
	loop_once FLOAT_LE 4 1 44100
	loop_once FLOAT_LE 4 8 48000
}

# two_programs DEVICE: one plays on the left, one on the right.
two_programs() {
	timeout 30 aplay -q -D "$1" "${raw[@]}" left 2> err.left &
	local first=$! status
	timeout 30 aplay -q -D "$1" "${raw[@]}" right 2> err.right
	status=$?
	wait $first && [ $status -eq 0 ]
}

part_dmix() {
	local from recorder why
	python3 -c '
song = open("song", "rb").read()
left, right = bytearray(song), bytearray(song)
for i in range(0, len(song), 4):
    left[i + 2:i + 4] = bytes(2)
    right[i:i + 2] = bytes(2)
open("left", "wb").write(left)
open("right", "wb").write(right)'
	from_here
	two_programs over_mixed_hda || fail "two programs over dmix on HDA" "$(tail -qn 1 err.left err.right)"
	heard "dmix on HDA: the first program is heard" left "$from" --channel 0
	heard "dmix on HDA: the second program is heard" right "$from" --channel 1

	timeout 60 arecord -q -D hw:Loopback,1,1 "${raw[@]}" got 2> err &
	recorder=$!
	until_true grep -qs RUNNING /proc/asound/Loopback/pcm1c/sub1/status
	two_programs over_mixed_send || fail "two programs over dmix on Loopback" "$(tail -qn 1 err.left err.right)"
	sleep 0.5
	pkill -INT -P $recorder arecord
	wait $recorder
	for side in "0 first left" "1 second right"; do
		# shellcheck disable=SC2086 # words
		set -- $side
		if why=$(frames same "$3" got --channel "$1" --after 1000 2>&1); then
			pass "dmix on Loopback: the $2 program is heard"
		else
			fail "dmix on Loopback: the $2 program is heard" "$why"
		fi
	done
}

# With the elements on the card: they must not keep it from going.
part_unbind() {
	local slot driver=/sys/bus/pci/drivers/snd_hda_intel player unbinder from
	slot=$(basename "$(readlink -f /sys/class/sound/card0/device)")
	timeout -s KILL 60 aplay -D hda_card "${raw[@]}" long 2> err &
	player=$!
	until_true is_in_state hda_card Playback Running
	sleep 1
	# Returns only after the last program has closed the card.
	(echo "$slot" > $driver/unbind) &
	unbinder=$!
	if until_true is_gone $player; then
		wait $player
		equal "the card is taken away: aplay ends with an error" 1 $?
		if grep -q 'No such device' err; then
			pass "the card is taken away: aplay says that there is no such device"
		else
			fail "the card is taken away: aplay says that there is no such device" "$(tail -n 1 err)"
		fi
	else
		fail "the card is taken away: aplay ends with an error" "it hangs: $(tail -n 1 err)"
		pkill -KILL -P $player
	fi
	until_true is_gone $unbinder || fail "the card is taken away: it is let go of" "unbind hangs"
	equal "the card is taken away: Realtime" 0 "$(counter hda_card 'Playback Realtime')"
	timeout 10 aplay -D hda_card "${raw[@]}" song 2> err
	equal "opened without a card: an error" 1 $?
	if grep -q "headroom: cannot open the slave of 'hda_card': No such" err; then
		pass "opened without a card: a clear line"
	else
		fail "opened without a card: a clear line" "$(cat err)"
	fi
	echo "$slot" > $driver/bind
	until_true test -e /dev/snd/pcmC0D0p
	until_true amixer -q -c HDA sset Master 100% unmute 2> /dev/null
	from_here
	timeout 20 aplay -q -D hda_card "${raw[@]}" song 2> err || fail "the card is back" "$(tail -n 1 err)"
	heard "the card is back: aplay is heard bit for bit" song "$from"
}

# The time of day is set, back by years and on again, while a program plays.
part_clock() {
	local from now player
	from_here
	now=$(date +%s)
	timeout -s KILL 60 aplay -q -D hda "${raw[@]}" long 2> err &
	player=$!
	until_true is_in_state hda Playback Running
	date -s @1000000000 > /dev/null
	sleep 1
	date -s "@$((now + 3600))" > /dev/null
	wait $player
	equal "the time of day is set: aplay ends well" 0 $?
	equal "the time of day is set: nothing is said" "" "$(cat err)"
	heard "the time of day is set: aplay is heard bit for bit" long "$from"
}

# goes_and_comes DEVICE DIRECTION DRIVER SLOT: the card of a stream that runs.
goes_and_comes() {
	local way="${2,,} while the card is away"
	until_true is_in_state "$1" "$2" Running
	sleep 1
	echo "$4" > "$3/unbind"
	until_true is_in_state "$1" "$2" Disconnected || fail "$way: State" "$(state "$1" "$2")"
	sleep 1
	echo "$4" > "$3/bind"
	[ "$1" != hda_back ] || until_true amixer -q -c HDA sset Master 100% unmute 2> /dev/null
	until_true is_in_state "$1" "$2" Running || fail "$way: State when it is back" "$(state "$1" "$2")"
}

# went_on DEVICE DIRECTION STATUS COUNTER: the program has noticed nothing, but for what is
# counted as COUNTER.
went_on() {
	local way="${2,,} while the card is away" n
	equal "$way: the program ends as if nothing were" 0 "$3"
	equal "$way: what was said" "is back, is gone" \
		"$(grep -o 'is gone\|is back' err | sort -u | paste -sd, | sed 's/,/, /')"
	equal "$way: Xruns" 0 "$(counter "$1" "$2 Xruns")"
	equal "$way: Device Xruns" 1 "$(counter "$1" "$2 Device Xruns")"
	equal "$way: Xrun Cause" 3 "$(counter "$1" "$2 Xrun Cause")"
	n=$(counter "$1" "$2 $4")
	if [ "$n" -gt 48000 ] && [ "$n" -lt 600000 ]; then
		pass "$way: $4"
	else
		fail "$way: $4" "$n"
	fi
}

card_state() { amixer -c HDA cget 'iface=PCM,name=Headroom Playback State' 2>&1 | tail -n 1; }
has_element_with() { [[ "$(card_state)" == *": values=$1" ]]; }

# A real kernel's cards are unplugged under a program, and plugged in again.
part_reconnect() {
	local slot drivers=/sys/bus why
	slot=$(basename "$(readlink -f /sys/class/sound/card0/device)")
	frames make endless 720000 4 9600
	timeout -s KILL 90 aplay -q -D hda_back "${raw[@]}" endless 2> err &
	goes_and_comes hda_back Playback $drivers/pci/drivers/snd_hda_intel "$slot"
	if until_true has_element_with 4; then
		pass "playback while the card is away: its own elements are there again"
	else
		fail "playback while the card is away: its own elements are there again" "$(card_state)"
	fi
	wait $!
	went_on hda_back Playback $? "Frames Dropped"
	push_wav
	if why=$(frames last endless "$card_wav" 48000 2>&1); then
		pass "playback while the card is away: the last second is heard bit for bit"
	else
		fail "playback while the card is away: the last second is heard bit for bit" "$why"
	fi
	# The emulated card cannot record.
	timeout -s KILL 90 arecord -q -D dummy_back "${raw[@]}" -d 14 got 2> err &
	goes_and_comes dummy_back Capture $drivers/platform/drivers/snd_dummy snd_dummy.0
	wait $!
	went_on dummy_back Capture $? "Frames Silence"
	equal "capture while the card is away: each frame is there" $((14 * 48000 * 4)) "$(stat -c %s got)"
}

# count DEVICE COUNTER: what it has counted; 0 if it never ran.
count() {
	local n
	n=$(counter "$@")
	echo "${n:-0}"
}

# underrun NAME CAUSE FROM XRUNS: one underrun, by what aplay said in err, and by the
# counters since there were XRUNS.
underrun() {
	equal "$1: aplay reports one underrun" 1 "$(grep -c underrun err)"
	equal "$1: Xruns" 1 $(($(count hda 'Playback Xruns') - $4))
	equal "$1: Xrun Cause" "$2" "$(counter hda 'Playback Xrun Cause')"
	heard "$1: every frame is heard, in order" long "$3" --breaks 1
}

part_stalls() {
	local from player recorder sender xruns dropped why
	local program=1 # of the items of Xrun Cause

	# The program has nothing to play.
	xruns=$(count hda 'Playback Xruns')
	from_here
	(head -c 400000 long; sleep 2; state hda Playback > dry; tail -c +400001 long) |
		timeout 60 aplay -D hda --buffer-time=500000 "${raw[@]}" 2> err
	equal "aplay waits: the state" XRun "$(cat dry)"
	underrun "aplay waits" $program "$from" "$xruns"

	# The whole process stands still, with the I/O thread in it.
	xruns=$(count hda 'Playback Xruns')
	from_here
	aplay -D hda --buffer-time=500000 "${raw[@]}" long 2> err &
	player=$!
	until_true is_in_state hda Playback Running
	sleep 1
	kill -STOP $player
	sleep 2
	kill -CONT $player
	until_true is_gone $player || { kill -KILL $player; fail "aplay stopped: it plays on" "it hangs"; }
	wait $player
	equal "aplay stopped: it plays to the end" 0 $?
	underrun "aplay stopped" $program "$from" "$xruns"

	# Who takes what arecord has recorded takes nothing for longer than the pipe
	# and the buffer last.
	frames make sent 192000 4 24000
	dropped=$(count receive 'Capture Frames Dropped')
	mkfifo pipe
	arecord -D receive --buffer-time=500000 "${raw[@]}" > pipe 2> err &
	recorder=$!
	(head -c 100000; sleep 2; cat) < pipe > got &
	until_true is_in_state receive Capture Running
	aplay -q -D hw:Loopback,0,0 "${raw[@]}" sent 2> err.play
	sleep 1
	kill -INT $recorder
	wait
	equal "arecord blocked: it reports no overrun" 0 "$(grep -c overrun err)"
	equal "arecord blocked: Frames Dropped" 0 $(($(count receive 'Capture Frames Dropped') - dropped))
	if why=$(frames same sent got --after 1000 2>&1); then
		pass "arecord blocked: nothing is lost"
	else
		fail "arecord blocked: nothing is lost" "$why"
	fi

	# The whole process: only the device's buffer is filled then. What is lost is
	# counted.
	dropped=$(count receive 'Capture Frames Dropped')
	arecord -D receive --buffer-time=500000 "${raw[@]}" got 2> err &
	recorder=$!
	until_true is_in_state receive Capture Running
	aplay -q -D hw:Loopback,0,0 "${raw[@]}" sent 2> err.play &
	sender=$!
	sleep 1
	kill -STOP $recorder
	sleep 1.5
	kill -CONT $recorder
	wait $sender
	sleep 0.5
	kill -INT $recorder
	wait $recorder
	equal "arecord stopped: it reports one overrun" 1 "$(grep -c overrun err)"
	dropped=$(($(count receive 'Capture Frames Dropped') - dropped))
	if [ $dropped -gt 24000 ]; then
		pass "arecord stopped: what is lost is counted"
	else
		fail "arecord stopped: what is lost is counted" "$dropped frames"
	fi
}

# limits PROGRAM DEVICE FILE: what it can do. Times follow from the sizes; "(0 " and
# "[1 " are the same.
limits() {
	timeout 10 "$1" --dump-hw-params -D "$2" "${raw[@]}" -d 1 "$3" 2>&1 |
		grep -aE '^(FORMAT|SAMPLE_BITS|FRAME_BITS|CHANNELS|RATE|PERIOD_SIZE|PERIOD_BYTES|PERIODS|BUFFER_SIZE|BUFFER_BYTES)' |
		sed 's/(0 /[1 /'
}

part_limits() {
	local program pair file name
	for program in aplay arecord; do
		file=/dev/zero
		[ $program = aplay ] || file=/dev/null
		for pair in hw:HDA=hda hw:Loopback,0,0=send hw:Dummy=dummy; do
			name="$program --dump-hw-params on ${pair%=*} and through headroom"
			limits $program "${pair%=*}" $file > bare
			limits $program "${pair#*=}" $file > through
			if [ ! -s bare ]; then
				fail "$name" "the bare card shows nothing"
			elif cmp -s bare through; then
				pass "$name"
			else
				fail "$name" "$(diff bare through | grep '^[<>]' | tr -s ' \n' ' ')"
			fi
		done
	done
}

# On Loopback: QEMU's HDA goes on at the begin of its memory after a pause.
part_pause() {
	local recorder why
	timeout 60 arecord -q -D hw:Loopback,1,0 "${raw[@]}" got 2> err &
	recorder=$!
	until_true grep -qs RUNNING /proc/asound/Loopback/pcm1c/sub0/status
	(
		until_true is_in_state send Playback Running
		sleep 1
		printf ' '
		until_true is_in_state send Playback Paused && touch paused
		sleep 1
		state send Playback > later
		printf ' '
		until_true is_in_state send Playback Running && touch resumed
		sleep 8
	) | timeout 60 script -qec "aplay -i -D send -t raw -f S16_LE -r 48000 -c 2 long" /dev/null > out 2>&1
	pkill -INT -P $recorder arecord
	wait $recorder
	equal "pause: the state" "yes Paused" "$([ -e paused ] && echo yes) $(cat later)"
	equal "pause: it goes on" yes "$([ -e resumed ] && echo yes)"
	if why=$(frames same long got --breaks 1 2>&1); then
		pass "pause: every frame is heard, in order"
	else
		fail "pause: every frame is heard, in order" "$why"
	fi
}

part_user() {
	local from player as=(setpriv --reuid=4321 --regid=4321 --init-groups)
	aplay -q -D hda "${raw[@]}" song 2> err &
	until_true is_in_state hda Playback Running
	equal "as root: Realtime" 60 "$(counter hda 'Playback Realtime')"
	wait
	from_here
	"${as[@]}" aplay -q -D hda "${raw[@]}" song 2> err &
	player=$!
	# shellcheck disable=SC2317 # called by until_true
	user_running() { "${as[@]}" amixer -D hda cget 'iface=PCM,name=Headroom Playback State' 2>&1 | grep -q 'values=4'; }
	until_true user_running
	equal "as a user without real-time rights: Realtime" 0 "$("${as[@]}" amixer -D hda cget \
		'iface=PCM,name=Headroom Playback Realtime' 2> /dev/null | sed -n 's/.*: values=//p')"
	wait $player || fail "as a user of group audio: aplay" "$(tail -n 1 err)"
	equal "as a user of group audio: nothing is said" "" "$(cat err)"
	heard "as a user of group audio: aplay is heard bit for bit" song "$from"
}

# shellcheck source=tests/vm/card.sh
. "$here/tests/vm/card.sh"
# shellcheck source=tests/vm/contract.sh
. "$here/tests/vm/contract.sh"
# shellcheck source=tests/vm/chains.sh
. "$here/tests/vm/chains.sh"
# shellcheck source=tests/vm/doctor.sh
. "$here/tests/vm/doctor.sh"
# shellcheck source=tests/vm/suspend.sh
. "$here/tests/vm/suspend.sh"

[ $# -gt 0 ] || set -- playback contract loopback dmix stalls limits pause chains user card alsactl watch doctor clock suspend unbind reconnect
# Not by the time of day, which is set here.
uptime() { cut -d. -f1 /proc/uptime; }
for part; do
	began=$(uptime)
	if declare -F "part_$part" > /dev/null; then
		"part_$part"
		echo "# $part: $(($(uptime) - began)) s"
	else
		fail "part $part" "there is none"
	fi
done
rm -rf "$work"
end_of_tests
