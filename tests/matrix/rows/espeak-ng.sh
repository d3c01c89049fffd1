# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages espeak-ng espeak-ng-data

row espeak-ng "playback, default device" as_bare -- \
	espeak-ng "The quick brown fox jumps over the lazy dog, and then it does so again."
