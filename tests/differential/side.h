/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * One of the two sides of a comparison: a sequence is played on the virtual card
 * itself or on headroom with the same card behind it, and what every call gave is
 * written down.
 *
 * headroom goes first. Its position is told in steps, so it may take or give a few
 * frames less at a moment than the card: the card's run then goes back by the
 * difference, and both programs are at the same place again. Calls that took time
 * are padded for the same reason, and both go on at the same time.
 */
#ifndef TESTS_DIFFERENTIAL_SIDE_H
#define TESTS_DIFFERENTIAL_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#include "tests/differential/sequence.h"

#define N_CARDS 7
#define EXACT_MAX 16
#define ROUGH_MAX 6

/* From here on what the two do says nothing, until the program begins anew. */
enum limit {
	LIMIT_NONE,
	LIMIT_POSITION,		/* the program's pointer is outside of the buffer */
	LIMIT_RESET,		/* reset at the end of a stream */
	LIMIT_END,		/* suspended near an xrun */
	LIMIT_DRAINING,		/* committed while it drains */
	LIMIT_SILENCE,		/* the end of a stream kept going by silence */
	LIMIT_IDLE,		/* suspended while it stood still */
	LIMIT_REFUSED,		/* suspended, and cannot be resumed */
	LIMIT_FREED,		/* no setup, but ioplug stays in its state */
	N_LIMITS
};

struct result {
	char text[120];			/* the call as it was made */
	uint8_t kind;			/* enum call_kind */
	long ret;
	unsigned int n_exact, n_rough;
	long exact[EXACT_MAX];		/* the same on both sides */
	long rough[ROUGH_MAX];		/* positions: frames, a step apart at most */
	snd_pcm_state_t before, after;
	uint64_t begin_ns, raw_end_ns, end_ns;	/* virtual; end is padded */
	long frames;			/* what the other side is to do as well */
	long step, apart;		/* frames: the device's, and see calls.h */
	long given_step;		/* frames that a reset may not take back */
	unsigned int rate;
	uint64_t patience_ns;
	bool goes_on, was_reset;	/* see calls.h */
	bool transfers;			/* ret counts frames, and data may be there */
	enum limit limit;
	uint8_t *data;			/* capture: what was read */
	size_t frame_bytes;
};

struct record {
	int open_ret, close_ret;
	unsigned int n;
	struct result results[CALLS_MAX + SETTLINGS_MAX];
	uint8_t *heard;
	size_t heard_bytes;
	bool same_sound;		/* heard must be equal */
	uint64_t wakeups, end_ns;
	unsigned int threads;		/* left after close */
};

/** Say each call as it is made, for those that do not come back. */
extern bool side_trace;

/** Make the folder and the configurations. To be called in the process that plays.
 * Returns false after a line on stderr. */
bool side_init(void);

/** Remove the folder. */
void side_finish(void);

/** Play on headroom (first is NULL), or on the card after headroom's record. */
void side_play(const struct sequence *sequence, const struct record *first,
	       struct record *record);

/** Free what a record holds. */
void record_finish(struct record *record);

#endif
