/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that carries out a plan on headroom, and keeps its book.
 */
#ifndef TESTS_ACCOUNT_PROGRAM_H
#define TESTS_ACCOUNT_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#include "tests/account/book.h"
#include "tests/account/card.h"
#include "tests/account/plan.h"
#include "tests/differential/sequence.h"

#define MS UINT64_C(1000000)

struct program {
	const struct plan *plan;
	struct card card;
	struct book book;
	snd_pcm_t *pcm;
	bool traces;			/* says each call */
	bool failed;
	char why[240];			/* the first reason, and */
	unsigned int step;		/* where it was seen */

	/* As installed. */
	snd_pcm_uframes_t period, buffer, boundary, start, stop;
	uint32_t number;		/* of the next frame that is written */
	uint64_t end_ns;		/* of all that is yet to befall it */

	/* Since prepare. */
	snd_pcm_state_t state;		/* as last seen */
	bool has_jumped, has_lied, was_reset;
	bool fails_to_tell;	/* a call that asks where it is */
	bool refuses;		/* a start or a drain */
	bool loses_its_place;	/* the card does: alsa-lib ends a drain then, as if played */
	bool saw_xrun, was_paused;
	bool drain_failed;
	bool was_drained;
	bool may_fault;			/* the card was suspended or lost, */
	uint64_t fault_ns;		/* or will be then, the last time; UINT64_MAX: for good */
	uint64_t first_fault_ns;
	bool stopped_early;		/* the stop threshold was below the buffer */
	bool was_fault;			/* and the program was told */
	bool is_disturbed;		/* the I/O thread may have been late, or slow */
	unsigned int befell;		/* of episodes.h */
	bool is_unsteady;		/* the card stands still, or moves by fits and starts */
	uint64_t begin_ns;
	uint32_t slow_us;		/* the most */
	unsigned int n_unnoticed;	/* losses that headroom has not met with yet */
	unsigned int failing;		/* the call that fails: one at once */
	unsigned int fails;		/* so many may have looked like an xrun of the card's */
};

/** Carry it out. False if something does not come out even: program->why. */
bool program_run(struct program *program, const struct plan *plan, bool traces);

/** Memory for all runs. */
bool program_init(void);

/** So long do frames last. */
static inline uint64_t frames_ns(const struct program *p, uint64_t frames)
{
	return frames * 1000 * MS / p->plan->rate;
}

/* program.c */

/** Something is wrong; only the first is kept. */
void program_fail(struct program *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Note a call and what it gave, and look at the state. */
void program_note(struct program *p, long ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The stream has ended, in the state that it was in before: close the account, and
 * begin the next. */
void program_close_account(struct program *p, snd_pcm_state_t ended_in);

/** prepare, drop; what the stream was in before is what it ends in. */
int program_prepare(struct program *p);
int program_drop(struct program *p);

/* move.c */

/** Write or read n frames at most, as this program does. Returns how many, or -errno. */
snd_pcm_sframes_t program_move(struct program *p, snd_pcm_uframes_t n);

/** Read all there is, without waiting. */
void program_read_rest(struct program *p);

/* befall.c */

/** Let it befall the card, or the I/O thread, soon. */
void program_befall(struct program *p, enum step_kind kind, struct rng *rng);

/* steps.c */
void program_step(struct program *p, const struct step *step);

/** The last of the steps. */
void program_end(struct program *p);

/** Set thresholds; NULL: those the plan begins with. */
void program_set_thresholds(struct program *p, struct rng *rng);

#endif
