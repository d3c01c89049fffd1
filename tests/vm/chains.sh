# shellcheck shell=bash disable=SC2154 # raw and here are of tests/vm.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Part of tests/vm.sh: headroom above and below alsa-lib's own plug-ins on a kernel's
# cards, and the channel maps of these. Sourced by it.

# chain NAME DEFINITION: defines NAME, where "@" is the bare card, NAME_below, where it
# is headroom, and NAME_above, with headroom on top.
chain() {
	cat >> asound.conf <<- END
		pcm.$1 { ${2//@/hw:HDA} }
		pcm.$1_below { ${2//@/hda} }
		pcm.$1_above { type headroom slave.pcm $1 }
	END
}

define_chains() {
	# shellcheck disable=SC2016 # ALSA's
	local soft='type softvol slave.pcm "@" control { name "Chain Playback Volume" card HDA }'

	chain soft "$soft"
	chain laid_out 'type plug slave.pcm "@"'
	chain converted 'type plug slave { pcm "@" rate 48000 }'
	chain swapped 'type route slave { pcm "@" channels 2 } ttable.0.1 1 ttable.1.0 1'
	chain mixed_down 'type plug slave { pcm "@" rate 48000 channels 2 }
		ttable.0.0 0.5 ttable.0.1 0.25 ttable.1.1 0.75'
	cat >> asound.conf <<- END
		pcm.snooped {
			type dsnoop
			ipc_key 48003
			slave { pcm "hw:Loopback,1,2" format S16_LE rate 48000 channels 2 period_size 1024 buffer_size 16384 }
		}
		pcm.over_snooped { type headroom slave.pcm snooped }
		pcm.wider { type plug slave { pcm "hw:Loopback,1,3" format S16_LE } }
		pcm.over_wider { type headroom slave.pcm wider }
		pcm.second { type headroom slave.pcm "hw:Loopback,0,4" }
		pcm.joined {
			type multi
			slaves.a { pcm hda channels 2 }
			slaves.b { pcm second channels 2 }
			bindings.0 { slave a channel 0 }
			bindings.1 { slave a channel 1 }
			bindings.2 { slave b channel 0 }
			bindings.3 { slave b channel 1 }
		}
		pcm.named {
			type hw
			card Loopback
			subdevice 5
			chmap [ "FL,FR" "RL,RR" "FL,FR,RL,RR" ]
		}
		pcm.over_named { type headroom slave.pcm named }
		ctl.over_snooped { type headroom }
		ctl.over_wider { type headroom }
		ctl.second { type headroom }
	END
}

# reshape FROM TO EXPRESSION: TO is what the expression makes of the bytes of each
# frame, of 4, in FROM.
reshape() {
	python3 -c '
import sys
data = open(sys.argv[1], "rb").read()
make = eval("lambda f: " + sys.argv[3])
open(sys.argv[2], "wb").write(b"".join(make(data[i:i + 4]) for i in range(0, len(data), 4)))' "$@"
}

# play_chain DEVICE FILE FORMAT RATE CHANNELS: in periods of 10 ms. headroom serves the
# card in steps of no more, and a rate converter begins anew with each period: with
# others, what it makes of the same sound is not the same. Sets from: what was before has
# been pushed out.
play_chain() {
	from=$(wav_size)
	timeout 30 aplay -q -D "$1" -t raw -f "$3" -r "$4" -c "$5" --period-size=$(($4 / 100)) \
		--buffer-size=$(($4 / 5)) "$2" 2> err || fail "aplay on $1" "$(tail -n 1 err)"
}

# keep_heard FILE: what was heard since from.
keep_heard() {
	push_wav
	tail -c +$((from + 1)) "$card_wav" > "$1"
}

# decibels FILE: its mean level between silence and silence, in tenths of them.
decibels() {
	python3 -c '
import array, math, sys
sound = array.array("h", open(sys.argv[1], "rb").read())
loud = [i for i, sample in enumerate(sound) if sample]
sound = sound[loud[0]:loud[-1] + 1] if loud else [0]
power = sum(sample * sample for sample in sound) / len(sound)
print(round(100 * math.log10(power)) if power else -9999)' "$1"
}

# chain_heard NAME CHAIN FILE WANTED FORMAT RATE CHANNELS: FILE is heard as WANTED on the
# bare chain, and with headroom below it and above it. WANTED "": as on the bare chain,
# where it is heard, whatever that makes of it.
chain_heard() {
	local name=$1 chain=$2 file=$3 wanted=$4 from place
	shift 4
	push_wav
	play_chain "$chain" "$file" "$@"
	if [ -n "$wanted" ]; then
		heard "$name without headroom" "$wanted" "$from"
	else
		wanted=bare.$chain
		keep_heard "$wanted"
		at_least "$name: it is heard without headroom" $(($(decibels "$file") - 120)) "$(decibels "$wanted")"
	fi
	for place in below above; do
		play_chain "${chain}_$place" "$file" "$@"
		heard "$name, headroom $place" "$wanted" "$from"
	done
}

softvol_chain() {
	local lowered

	chain_heard "softvol at 0 dB is bit for bit" soft song song S16_LE 48000 2
	equal "softvol at 0 dB: the control is on the card" 255,255 "$(soft_volume)"
	# 0.2 dB a step.
	amixer -q -c HDA cset 'name=Chain Playback Volume' 225
	chain_heard "softvol at -6 dB is the same" soft song "" S16_LE 48000 2
	equal "softvol at -6 dB: the control is as it was set" 225,225 "$(soft_volume)"
	lowered=$(($(decibels song) - $(decibels bare.soft)))
	equal "softvol at -6 dB: it is lower by that" "6 dB" "$(((lowered + 5) / 10)) dB"
}
soft_volume() { amixer -c HDA cget 'name=Chain Playback Volume' 2>&1 | sed -n 's/.*: values=//p'; }

convert_chains() {
	frames make half 30000 4 9600
	# The upper half of what is noise in all bits, on both channels.
	reshape song wanted 'f[2:] * 2'
	chain_heard "plug from S32, one channel, is bit for bit" laid_out song wanted S32_LE 48000 1
	reshape song wanted 'f[2:] + f[:2]'
	chain_heard "route that swaps is bit for bit" swapped song wanted S16_LE 48000 2

	# Half of the samples are made by the converter.
	chain_heard "plug from 24000 Hz is the same" converted half "" S16_LE 24000 2
	chain_heard "plug from 44100 Hz is the same" converted half "" S16_LE 44100 2
	chain_heard "plug from 24000 Hz with a route is the same" mixed_down half "" S16_LE 24000 2
}

# record DEVICE FILE ARECORD'S OPTION…: in the background; adds to recorders. Once it
# has written something, it is recording.
record() {
	local device=$1 file=$2
	shift 2
	timeout 60 arecord -q -D "$device" -t raw "$@" "$file" 2> "$file.err" &
	recorders+=($!)
	until_true test -s "$file" || fail "arecord on $device" "it records nothing: $(tail -n 1 "$file.err")"
}
stop_recorders() {
	local recorder
	for recorder in "${recorders[@]}"; do
		pkill -INT -P "$recorder" arecord
		wait "$recorder"
	done
	recorders=()
}

# recorded NAME WANTED GOT [OPTION…]
recorded() {
	local name=$1 wanted=$2 got=$3 why
	shift 3
	if why=$(frames same "$wanted" "$got" --after 1000 "$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$why $(tail -n 1 "$got.err")"
	fi
}

record_chains() {
	local recorders=()

	record snooped got.bare -f S16_LE -r 48000 -c 2
	record over_snooped got.over -f S16_LE -r 48000 -c 2
	timeout 30 aplay -q -D hw:Loopback,0,2 "${raw[@]}" song 2> err || fail "aplay to dsnoop" "$(tail -n 1 err)"
	sleep 0.5
	stop_recorders
	recorded "dsnoop records bit for bit without headroom" song got.bare
	recorded "headroom over dsnoop at the same time too" song got.over
	equal "headroom over dsnoop: Frames Dropped" 0 "$(counter over_snooped 'Capture Frames Dropped')"

	reshape song wanted 'bytes(2) + f[:2] + bytes(2) + f[2:]'
	record over_wider got.wider -f S32_LE -r 48000 -c 2
	timeout 30 aplay -q -D hw:Loopback,0,3 "${raw[@]}" song 2> err || fail "aplay to plug" "$(tail -n 1 err)"
	sleep 0.5
	stop_recorders
	recorded "headroom over plug records S32 from S16 bit for bit" wanted got.wider --frame 8
}

# Two cards, each with headroom of its own, and a program that has them as one.
join_cards() {
	local recorders=() from

	frames make four 60000 8 9600
	python3 -c '
data = open("four", "rb").read()
for name, first in ("four.a", 0), ("four.b", 4):
    open(name, "wb").write(b"".join(data[i + first:i + first + 4] for i in range(0, len(data), 8)))'
	record hw:Loopback,1,4 got.second -f S16_LE -r 48000 -c 2
	from_here
	timeout 30 aplay -q -D joined -t raw -f S16_LE -r 48000 -c 4 four 2> err ||
		fail "multi joins two cards" "$(tail -n 1 err)"
	sleep 0.5
	stop_recorders
	heard "multi joins two cards: the first is heard bit for bit" four.a "$from"
	recorded "multi joins two cards: the second too" four.b got.second
}

# maps_of PCM DIRECTION CHANNELS
maps_of() { timeout 30 "$here/tests/vm/chmaps.py" "$@" 2>> err; }

# same_maps NAME BARE THROUGH CHANNELS WANTED: the maps of BARE, of which the first is
# WANTED, are those of THROUGH.
same_maps() {
	local direction name

	for direction in playback capture; do
		name="channel maps of $1, $4 channels, $direction"
		: > err
		maps_of "$2" $direction "$4" > maps.bare
		maps_of "$3" $direction "$4" > maps.through
		if ! grep -qx "prepared: $5" maps.bare; then
			fail "$name" "the bare card has others: $(tr '\n' ';' < maps.bare) $(tail -n 1 err)"
		elif cmp -s maps.bare maps.through; then
			pass "$name"
		else
			fail "$name" "$(diff maps.bare maps.through | grep '^[<>]' | tr '\n' ';') $(tail -n 1 err)"
		fi
	done
}

part_chains() {
	define_chains
	softvol_chain
	convert_chains
	record_chains
	join_cards
	same_maps HDA hw:HDA hda 2 FL,FR
	same_maps Dummy hw:Dummy dummy 2 none
	same_maps "a card that is told its maps" named over_named 4 FL,FR,RL,RR
}
