#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Real programs through headroom, content compared. Prints one line a test, in
# TAP: "ok NAME" or "not ok NAME: why".
#
# usage: tests/programs.sh BUILD   (a build folder of meson)
set -u
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
ctl.headroom { type headroom }
ctl.steady { type headroom }
EOF

# A second and a bit: its end falls into no period.
sox -q -n -r 48000 -c 2 -b 16 song.wav synth 1.2345 pluck C3 pluck G3 gain -3 2>/dev/null
sox -q song.wav -t raw song.raw
frames=$(($(stat -c %s song.raw) / 4))

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; }

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

value() { amixer -D "$1" cget "iface=PCM,name=Headroom $2" | sed -n 's/.*: values=//p'; }

# equal NAME WANTED GOT
equal() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected $2, got $3"; fi
}

plays aplay card headroom aplay -q -D @ song.wav
played=$(($(stat -c %s heard.raw) / 4))
equal "amixer after aplay: Frames" "$played" "$(value headroom 'Playback Frames')"
equal "amixer after aplay: Xruns" 0 "$(value headroom 'Playback Xruns')"
equal "amixer after aplay: Chunks Pushed is Chunks Popped" \
	"$(value headroom 'Playback Chunks Pushed')" "$(value headroom 'Playback Chunks Popped')"
equal "amixer after aplay: every chunk came from the pool" \
	"$(value headroom 'Playback Chunks Pushed') 0" \
	"$(value headroom 'Playback Pool Hits') $(value headroom 'Playback Pool Misses')"
plays "aplay with mmap" card headroom aplay -q -M -D @ song.wav
plays "aplay non-blocking" card headroom aplay -q -N -D @ song.wav
plays "aplay with small periods" card headroom \
	aplay -q --period-size=128 --buffer-size=2048 -D @ song.wav
plays "aplay through plug" plug:card plug:headroom aplay -q -D @ song.wav
plays sox card headroom sox -q song.wav -t alsa @
plays ffmpeg card headroom ffmpeg -nostdin -loglevel error -i song.wav -f alsa @
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
records "arecord with mmap" rec.wav arecord -q -M -D headroom -f S16_LE -r 48000 -c 2 -d 1 rec.wav
records "sox recording" rec.wav sox -q -t alsa headroom -b 16 -r 48000 -c 2 rec.wav trim 0 0.6
records "ffmpeg recording" rec.wav ffmpeg -nostdin -y -loglevel error -f alsa \
	-channels 2 -sample_rate 48000 -i headroom -t 0.6 rec.wav
equal "amixer after recording: Frames Dropped" 0 "$(value headroom 'Capture Frames Dropped')"

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
# timerfd_settime), wakes the program (a write of 8 bytes), and calls nothing else.
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
	others=$(awk '$2 !~ /^(ppoll|read|wake|timerfd_settime|restart_syscall)$/ { printf "%s ", $2 }' calls)
	if [ "${waits:-0}" -lt 100 ]; then
		fail "$name" "it was not seen at work: $(tr '\n' ' ' < calls)"
	elif [ -n "$others" ]; then
		fail "$name" "it also called $others"
	else
		pass "$name"
	fi
fi
