# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages libopenal-dev libopenal1

client=$build/tests/matrix/openal_client
export ALSOFT_DRIVERS=alsa ALSOFT_CONF=$sounds/alsoft.conf
cat > "$ALSOFT_CONF" << END
[general]
channels = stereo
sample-type = int16
frequency = 48000
stereo-mode = speakers
hrtf = false
output-limiter = false
dither = false
[alsa]
device = $DEVICE
capture = $DEVICE
END
row OpenAL "playback" tone 997 -- "$client" play "$sounds/tone.raw"
row OpenAL "capture" same_piece got.raw -- "$client" record got.raw
