/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream of a program on the paced device (tests/clocked), either on the device
 * itself or through headroom, 48 kHz, S16 stereo; and what the device can tell of it
 * afterwards. A frame is a number: capture delivers its place in the world, from 0;
 * playback is to write numbers from 1 on, as 0 is silence.
 *
 * Whatever fails ends the process with a line. HEADROOM_PCM_LIB and CLOCKED_LIB are the
 * paths of the modules; files go to a new directory in TMPDIR, which stays.
 */
#ifndef TESTS_BENCH_STALLS_PACED_H
#define TESTS_BENCH_STALLS_PACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#include "tests/bench/hardware.h"

#define PACED_PERIODS 4u	/* in the buffer */

struct paced {
	bool headroom, playback;
	snd_pcm_uframes_t period;	/* frames */
	uint32_t *frames;		/* a period of them */
	snd_pcm_t *pcm;
	snd_config_t *config;
	char dir[64], heard[80], log[80];
};

/** Open it; the program is woken for whole periods. A playback starts when the buffer
 * is full if self_start is set, else by snd_pcm_start() only; a capture with the first
 * read. */
void paced_open(struct paced *paced, bool headroom, bool playback,
		snd_pcm_uframes_t period, bool self_start);

/** Write paced->frames, or read them. Returns how many were moved: fewer than a period
 * at an xrun only, and the stream is prepared again then. */
snd_pcm_uframes_t paced_move(struct paced *paced);

/** Close. What it has left behind can be asked for until paced_remove(). */
void paced_close(struct paced *paced);

/** When the device's world began, CLOCK_MONOTONIC. */
uint64_t paced_began_ns(const struct paced *paced);

/** How often the device ran dry or over. */
unsigned int paced_breaks(const struct paced *paced);

/** All that was heard; to be freed. */
uint32_t *paced_heard(const struct paced *paced, size_t *n_frames);

/** Remove what was heard, and the log. */
void paced_remove(struct paced *paced);

#endif
