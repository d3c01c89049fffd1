#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Real programs through headroom, content compared. Prints one line a test, in
# TAP: "ok NAME" or "not ok NAME: why".
#
# usage: tests/programs.sh BUILD   (a build folder of meson)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
build=$(cd "${1:?usage: tests/programs.sh BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf
cd "$work" || exit 1

cat > asound.conf <<EOF
<$build/tests/asound.conf>
pcm.card { type clocked heard "$work/heard.raw" log "$work/card.log" supply "$work/song.raw" }
pcm.quiet { type clocked log "$work/card.log" }
pcm.headroom { type headroom slave.pcm card }
pcm.steady { type headroom slave.pcm quiet }
pcm.bare_file { type file file "$work/heard.raw" format raw slave.pcm null }
pcm.tofile { type headroom slave.pcm bare_file }
pcm.tonull { type headroom slave.pcm null name headroom }
pcm.loop { type headroom slave.pcm loop }
pcm.nowhere { type headroom slave.pcm "no_such_device" }
pcm.other_card { type clocked heard "$work/other.raw" }
pcm.other { type headroom slave.pcm other_card }
pcm.joined {
	type multi
	slaves.a { pcm headroom channels 1 }
	slaves.b { pcm other channels 1 }
	bindings.0 { slave a channel 0 }
	bindings.1 { slave b channel 0 }
}
ctl.headroom { type headroom }
ctl.other { type headroom }
ctl.steady { type headroom }
EOF

# A second and a bit: its end falls into no period.
sox -q -n -r 48000 -c 2 -b 16 song.wav synth 1.2345 pluck C3 pluck G3 gain -3 2>/dev/null
sox -q song.wav -t raw song.raw
frames=$(($(stat -c %s song.raw) / 4))

# heard NAME: what was heard is what was heard from the bare card (bare.raw): the
# song and, from programs that fill up their last period, silence.
heard() {
	local extra=$(($(stat -c %s heard.raw) - $(stat -c %s bare.raw)))
	if ! cmp -s -n $((frames * 4)) bare.raw song.raw; then
		fail "$1" "the bare card itself did not play the song"
	elif [ "$extra" -ne 0 ]; then
		fail "$1" "$((extra / 4)) frames more than on the bare card"
	elif ! cmp -s heard.raw bare.raw; then
		fail "$1" "other frames than on the bare card"
	else
		pass "$1"
	fi
}

# plays NAME BARE DEVICE COMMAND…: COMMAND plays the song, on the card BARE and
# through headroom on DEVICE; @ in it stands for the device.
plays() {
	local name=$1 bare=$2 device=$3 status
	shift 3
	rm -f heard.raw bare.raw
	if ! timeout 30 "${@//@/$bare}" > out 2> err < /dev/null || ! mv heard.raw bare.raw; then
		fail "$name" "it does not play on the bare card: $(tail -n 1 err)"
		return
	fi
	timeout 30 "${@//@/$device}" > out 2> err < /dev/null
	status=$?
	if [ "$status" -ne 0 ]; then
		fail "$name" "exit status $status: $(tail -n 1 err)"
	else
		heard "$name"
	fi
}

# records NAME FILE COMMAND…: COMMAND records the first half second at least of
# what the card supplies into FILE.
records() {
	local name=$1 file=$2
	shift 2
	rm -f "$file"
	if ! timeout 30 "$@" > out 2> err < /dev/null; then
		fail "$name" "exit status $?: $(tail -n 1 err)"
		return
	fi
	sox -q "$file" -t raw -e signed -b 16 got.raw 2> err || { fail "$name" "no recording"; return; }
	if [ "$(stat -c %s got.raw)" -lt 96000 ]; then
		fail "$name" "only $(($(stat -c %s got.raw) / 4)) frames were recorded"
	elif cmp -s -n 96000 got.raw song.raw; then
		pass "$name"
	else
		fail "$name" "other frames were recorded than were supplied"
	fi
}

# refused NAME DEVICE TEXT: aplay fails, with TEXT in a line of headroom's.
refused() {
	if timeout 10 aplay -q -D "$2" song.wav > out 2> err; then
		fail "$1" "it was opened"
	elif grep -q "headroom: .*$3" err; then
		pass "$1"
	else
		fail "$1" "no line with '$3': $(tail -n 1 err)"
	fi
}


plays aplay card headroom aplay -q -D @ song.wav
played=$(($(stat -c %s heard.raw) / 4))
equal "amixer after aplay: Frames" "$played" "$(counter headroom 'Playback Frames')"
equal "amixer after aplay: Xruns" 0 "$(counter headroom 'Playback Xruns')"
equal "amixer after aplay: Chunks Pushed is Chunks Popped" \
	"$(counter headroom 'Playback Chunks Pushed')" "$(counter headroom 'Playback Chunks Popped')"
equal "amixer after aplay: every chunk came from the pool" \
	"$(counter headroom 'Playback Chunks Pushed') 0" \
	"$(counter headroom 'Playback Pool Hits') $(counter headroom 'Playback Pool Misses')"
plays "aplay with small periods" card headroom \
	aplay -q --period-size=128 --buffer-size=2048 -D @ song.wav
plays "aplay through plug" plug:card plug:headroom aplay -q -D @ song.wav
plays "aplay to file" bare_file tofile aplay -q -D @ song.wav
plays "sox to file" bare_file tofile sox -q song.wav -t alsa @
plays "ffmpeg to file" bare_file tofile ffmpeg -nostdin -loglevel error -i song.wav -f alsa @

for program in "aplay -q -D tonull song.wav" "sox -q song.wav -t alsa tonull" \
	"ffmpeg -nostdin -loglevel error -i song.wav -f alsa tonull"; do
	if timeout 30 $program > out 2> err < /dev/null; then
		pass "${program%% *} to null"
	else
		fail "${program%% *} to null" "exit status $?: $(tail -n 1 err)"
	fi
done

records arecord rec.wav arecord -q -D headroom -f S16_LE -r 48000 -c 2 -d 1 rec.wav
equal "amixer after recording: Frames Dropped" 0 "$(counter headroom 'Capture Frames Dropped')"

# is_running DEVICE: playback is.
is_running() { [ "$(counter "$1" 'Playback State')" = 4 ]; }

# holds FILE FRAMES FROM: the file has these frames of the song, wherever.
holds() {
	python3 -c '
import sys
file, frames, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
song = open("song.raw", "rb").read()[4 * first:4 * (first + frames)]
sys.exit(0 if open(file, "rb").read().find(song) >= 0 else 1)' "$@"
}

# From one card to another, for as long as it takes.
rm -f other.raw
timeout 30 alsaloop -C headroom -P other -f S16_LE -r 48000 -c 2 -t 200000 -S 0 > out 2> err &
loop=$!
until_true is_running other
has_looped() { [ "$(stat -c %s other.raw)" -gt 480000 ]; }
until_true has_looped
pkill -INT -P $loop alsaloop
wait $loop
if holds other.raw 40000 4800; then
	pass "alsaloop from headroom to headroom"
else
	fail "alsaloop from headroom to headroom" "the song is not in what was heard: $(tail -n 1 err)"
fi

# One channel each on two cards.
rm -f heard.raw other.raw
if ! timeout 30 aplay -q -D joined song.wav > out 2> err; then
	fail "multi joins two" "$(tail -n 1 err)"
elif python3 -c '
import sys
song = open("song.raw", "rb").read()
sides = [b"".join(song[i + 2 * c:i + 2 * c + 2] for i in range(0, len(song), 4)) for c in (0, 1)]
heard = [open(name, "rb").read() for name in ("heard.raw", "other.raw")]
sys.exit(0 if all(h.startswith(s) for h, s in zip(heard, sides)) else 1)'; then
	pass "multi joins two"
else
	fail "multi joins two" "other frames were heard"
fi

# Starved for 0.7 s, on a busy machine more than once; the time it says is of the clock of the
# time stamps.
(head -c 100000 song.raw; sleep 0.7; tail -c +100001 song.raw) |
	timeout 30 aplay -D headroom --buffer-time=100000 -t raw -f S16_LE -r 48000 -c 2 > out 2> err
late=$(sed -n 's/.*at least \([0-9]*\)\.[0-9]* ms long.*/\1/p' err | sort -n | tail -n 1)
if [ -n "$late" ] && [ "$late" -lt 5000 ]; then
	pass "aplay's underrun message is believable"
else
	fail "aplay's underrun message is believable" "'$(tail -n 1 err)'"
fi

# The best of five: how busy the machine is does not count.
best=1000000
for ((i = 0; i < 5; i++)); do
	aplay -q -D headroom -t raw -f S16_LE -r 48000 -c 2 /dev/zero > out 2> err &
	player=$!
	until_true is_running headroom
	begun=$(date +%s%N)
	kill -INT $player
	wait $player
	took=$((($(date +%s%N) - begun) / 1000))
	[ $took -lt $best ] && best=$took
done
if [ $best -lt 100000 ]; then
	pass "Ctrl-C ends aplay in less than 100 ms: $best µs"
else
	fail "Ctrl-C ends aplay in less than 100 ms" "$best µs"
fi
rm -f heard.raw

refused "a slave that leads back to itself" loop "leads back to itself"
refused "a slave that does not exist" nowhere "cannot open the slave"

if timeout 10 aplay -v -D headroom song.wav 2>&1 | grep -q "Health of 'headroom'"; then
	pass "aplay -v shows the stream's health"
else
	fail "aplay -v shows the stream's health" "no such line"
fi
rm -f heard.raw

# Ten seconds of steady playback under strace: from its third second to its ninth
# the I/O thread waits (ppoll), reads the card's clock and its own wake-up (read,
# timerfd_settime), wakes the program (a write of 8 bytes), and calls nothing else. When
# it was late, as it may be on a busy machine, it asks whose fault that was.
sox -q -n -r 48000 -c 2 -b 16 long.wav synth 10 sine 440 gain -6
name="steady playback: the I/O thread only waits and wakes"
if ! timeout 60 strace -f -ttt -o trace aplay -q -D steady long.wav 2> err; then
	fail "$name" "$(tail -n 1 err)"
else
	thread=$(awk '/PR_SET_NAME, "headroom-io"/ { print $1; exit }' trace)
	awk -v io="$thread" '
		$1 != io { next }
		!begin { begin = $2 }
		$2 < begin + 2 || $2 > begin + 9 || $3 ~ /^[<+]/ { next }
		/ write\([0-9]+, "\\1\\0\\0\\0\\0\\0\\0\\0", 8/ { print "wake"; next }
		{ sub(/\(.*/, "", $3); print $3 }
	' trace | sort | uniq -c > calls
	waits=$(awk '$2 == "ppoll" { print $1 }' calls)
	others=$(awk -v waits="${waits:-0}" '
		$2 ~ /^(ppoll|read|wake|timerfd_settime|restart_syscall)$/ { next }
		$2 ~ /^(getrusage|pread64)$/ && $1 < waits / 2 { next }
		{ printf "%s ", $2 }
	' calls)
	if [ "${waits:-0}" -lt 100 ]; then
		fail "$name" "it was not seen at work: $(tr '\n' ' ' < calls)"
	elif [ -n "$others" ]; then
		fail "$name" "it also called $others"
	else
		pass "$name"
	fi
fi
end_of_tests
