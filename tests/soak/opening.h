/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * One opening of a stream through headroom on a virtual card: from the open over the
 * moving of frames, each of which is made or checked, to its share of the account.
 */
#ifndef TESTS_SOAK_OPENING_H
#define TESTS_SOAK_OPENING_H

#include <alsa/asoundlib.h>

#include "tests/soak/random.h"
#include "tests/soak/shared.h"

struct soak_setup {
	unsigned int rate;			/* Hz */
	unsigned int period, buffer;		/* frames */
	unsigned int depth_ms;			/* capture */
	bool tolerant;		/* on_underrun silence, on_overrun drop: the program is not
				 * told; else xrun */
	bool by_mmap;
	bool drains;		/* playback: ends with a drain; else with a drop */
	bool is_live;		/* the account shows how far it got, meanwhile */
	unsigned int stall_ms;		/* most that must be survived */
	unsigned int stall_one_in;	/* periods: how often */
	unsigned int provoke_ms;	/* one that is not survived; 0 = none */
};

struct soak_opening {
	/* Set before soak_opening_begin(). */
	struct soak_shared *shared;
	const struct soak_options *options;
	enum soak_stream stream;
	struct soak_random *random;
	struct soak_setup setup;
	uint64_t next;		/* playback: number of the next frame, goes on from one
				 * opening to the next */

	/* The rest is its own. */
	bool playback;
	snd_config_t *config;
	snd_pcm_t *pcm;
	snd_ctl_t *ctl;
	char log[96];
	uint32_t *frames;		/* two periods */
	bool provoked;
	/* Playback: as the far end was before. */
	uint64_t heard_before, silence_before, total_before;
	uint64_t first;
	uint64_t moved;			/* taken from the program, or read by it */
	/* Capture. */
	uint64_t expected;		/* number of the next frame */
	uint64_t damaged;
	unsigned int restarts;		/* after an xrun that the program was told of */
};

/** Open and install. */
void soak_opening_begin(struct soak_opening *opening);

/** Move frames until CLOCK_MONOTONIC is end_ns, or the monitor says stop. */
void soak_opening_run(struct soak_opening *opening, uint64_t end_ns);

/** Close, and add it to the account. */
void soak_opening_end(struct soak_opening *opening);

#endif
