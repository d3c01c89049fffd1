# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages gstreamer1.0-alsa gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good

row GStreamer "playback, alsasink" same_frames "$sounds/song.wav" -- gst-launch-1.0 \
	filesrc location="$sounds/song.wav" ! wavparse ! alsasink device="$DEVICE"
row GStreamer "capture, alsasrc" same_piece got.wav -- gst-launch-1.0 \
	alsasrc device="$DEVICE" num-buffers=300 ! \
	audio/x-raw,format=S16LE,rate=48000,channels=2 ! wavenc ! filesink location=got.wav
