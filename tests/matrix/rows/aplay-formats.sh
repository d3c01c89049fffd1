# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Every format that a card may have; what the bytes mean is no matter to the cards.
packages alsa-utils sox python3
card='channels_min 2 channels_max 2'

in_format() { sox -q -D "$sounds/song.wav" -t raw "${@:2}" "$sounds/$1.raw" trim 0 2; }
in_format S8 -e signed -b 8
in_format U8 -e unsigned -b 8
in_format S16_LE -e signed -b 16
in_format S16_BE -e signed -b 16 -B
in_format S24_3LE -e signed -b 24
in_format S32_LE -e signed -b 32
in_format FLOAT_LE -e floating -b 32
in_format FLOAT64_LE -e floating -b 64
python3 -c 'import array, sys
samples = array.array("i", sys.stdin.buffer.read())
sys.stdout.buffer.write(array.array("i", (s >> 8 for s in samples)).tobytes())' \
	< "$sounds/S32_LE.raw" > "$sounds/S24_LE.raw"

for format in S8 U8 S16_LE S16_BE S24_LE S24_3LE S32_LE FLOAT_LE FLOAT64_LE; do
	supply=$sounds/$format.raw
	row aplay "playback, $format" same_frames "$supply" -- \
		aplay -q -D "$DEVICE" -t raw -f $format -r 48000 -c 2 "$supply"
	row arecord "capture, $format" same_piece got.raw 1.5 -- \
		arecord -q -D "$DEVICE" -t raw -f $format -r 48000 -c 2 --samples=76800 got.raw
done
