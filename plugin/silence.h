/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Silence among the program's frames in the device's queue: translates what the
 * device has played into what it has played of the program.
 *
 * A plain value of the I/O thread. Positions are frames given to the device.
 */
#ifndef HR_PLUGIN_SILENCE_H
#define HR_PLUGIN_SILENCE_H

#include <stdint.h>

#define HR_SILENCE_GAPS 32u	/* more in one queue are told apart no further */

struct hr_silence {
	struct {
		uint64_t at, frames;
	} gap[HR_SILENCE_GAPS];		/* oldest first */
	uint32_t n_gaps;
	uint64_t before;		/* frames of gaps that have been played whole */
};

/** No gaps. */
void hr_silence_reset(struct hr_silence *silence);

/** frames of silence were given to the device at position at, behind all gaps
 * so far. */
void hr_silence_add(struct hr_silence *silence, uint64_t at, uint64_t frames);

/** Frames of the program among the first `played` frames given to the device.
 * played must not go back. */
uint64_t hr_silence_program_frames(struct hr_silence *silence, uint64_t played);

/** Frames of the program at the end of the first `handed`, behind the last gap. */
uint64_t hr_silence_since(const struct hr_silence *silence, uint64_t handed);

#endif
