/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A run, made from a seed: a configuration, and what a program does and what befalls it.
 *
 * A step is its kind and a seed of its own, from which whoever makes it draws the
 * numbers. So a run of which steps are left out is a run, and the others keep what they
 * mean.
 */
#ifndef TESTS_ACCOUNT_PLAN_H
#define TESTS_ACCOUNT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#define STEPS_MAX 24

enum step_kind {
	/* What a program does. */
	STEP_MOVE,		/* write or read for a while, as this program does */
	STEP_STALL,
	STEP_REWIND, STEP_FORWARD,
	STEP_PAUSE, STEP_UNPAUSE,
	STEP_START, STEP_DROP, STEP_DRAIN, STEP_PREPARE, STEP_RESUME,
	STEP_SW_PARAMS,
	STEP_LOOK,
	STEP_RESET,
	STEP_EMPTY,		/* pause and read, or drain, all that there is */
	/* What befalls it, a little later. */
	STEP_HOLD,		/* the I/O thread gets no processor */
	STEP_SUSPEND,
	STEP_STILL,
	STEP_SLOW,
	STEP_XRUN, STEP_STORM,	/* it stops in an xrun, once or again and again */
	STEP_BURST,
	STEP_SHORT,		/* it takes or gives a part of what it could */
	STEP_WAKE,		/* its descriptor tells too much, or nothing */
	STEP_KEEP,		/* it gives back nothing */
	STEP_LOSE,		/* for good, or for a while */
	STEP_FAIL,		/* one of its calls fails */
	STEP_JUMP,		/* it is somewhere else all of a sudden */
	N_STEP_KINDS
};

/* How a program waits for room, or for frames. */
enum habit {
	HABIT_BLOCKS,		/* in the call itself */
	HABIT_WAITS,		/* snd_pcm_wait() */
	HABIT_SLEEPS,		/* by its own timer */
	N_HABITS
};

struct step {
	uint8_t kind;		/* enum step_kind */
	uint32_t seed;
};

struct plan {
	uint64_t seed, index;	/* what it was made from */
	bool playback;
	bool serial;		/* never two threads at once */
	enum habit habit;
	snd_pcm_access_t access;
	unsigned int format;	/* of plan_formats */
	unsigned int rate;
	snd_pcm_uframes_t period, buffer;
	/* The definition. */
	unsigned int slave_period, slave_buffer, depth_ms;
	bool on_underrun_silence, on_overrun_drop, reconnects;
	int rate_ppm;
	/* As most of its sw_params go. */
	bool starts_itself, never_stops;
	unsigned int n;
	struct step steps[STEPS_MAX];
};

struct plan_format {
	snd_pcm_format_t format;
	unsigned int channels;
};

/* Frames of a multiple of four bytes, for the number of the frame. */
#define N_PLAN_FORMATS 6
extern const struct plan_format plan_formats[N_PLAN_FORMATS];

/** The run with this index of this seed. */
void plan_make(struct plan *plan, uint64_t seed, uint64_t index);

/** Leave out n steps from number at on. */
void plan_remove(struct plan *plan, unsigned int at, unsigned int n);

/** One line, for a trace. */
void plan_print(const struct plan *plan);

#endif
