# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages fluidsynth timgm6mb-soundfont python3

# A chord of three seconds.
python3 -c 'import struct, sys
notes = (60, 64, 67)
track = b"\x00\xc0\x30" + b"".join(bytes((0, 0x90, n, 100)) for n in notes)
track += b"\x8b\x20" + b"\x00".join(bytes((0x80, n, 0)) for n in notes) + b"\x00\xff\x2f\x00"
sys.stdout.buffer.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 240)
	+ b"MTrk" + struct.pack(">I", len(track)) + track)' > "$sounds/chord.mid"

# Its player ends by a timer of its own, a few ms sooner or later: the shorter of the two
# is how the longer begins, bit for bit.
as_bare_so_far() {
	local bytes
	as_bare > /dev/null && { as_bare; return; }
	[ "$where" = headroom ] || { as_bare; return; }
	bytes=$(stat -c %s heard.raw ../bare/heard.raw | sort -n | head -n 1)
	# Its last 0.2 s: the notes were let go at another frame.
	bytes=$((bytes - 48000 * 4 / 5))
	[ "$bytes" -gt 384000 ] && cmp -n "$bytes" heard.raw ../bare/heard.raw &&
		echo "as bare, bit for bit, $((bytes / 4)) frames"
}
row fluidsynth "playback" as_bare_so_far -- fluidsynth -n -i -a alsa -o "audio.alsa.device=$DEVICE" \
	-r 48000 -z 256 -c 8 -R 0 -C 0 -g 0.6 /usr/share/sounds/sf2/TimGM6mb.sf2 "$sounds/chord.mid"
