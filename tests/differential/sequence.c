/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/sequence.h"

#include <string.h>

/* How often each kind is drawn, in relation to the others. */
static const uint8_t weights[N_CALL_KINDS] = {
	[CALL_HW_PARAMS] = 3, [CALL_HW_PARAMS_ABSURD] = 1, [CALL_HW_FREE] = 1,
	[CALL_SW_PARAMS] = 5, [CALL_PREPARE] = 7, [CALL_START] = 7, [CALL_DROP] = 3,
	[CALL_DRAIN] = 3, [CALL_DRAIN_AND_DROP] = 1, [CALL_PAUSE] = 3,
	[CALL_UNPAUSE] = 3, [CALL_RESUME] = 1, [CALL_RESET] = 1, [CALL_RECOVER] = 3,
	[CALL_TRANSFER] = 30, [CALL_WRONG_TRANSFER] = 2, [CALL_MMAP] = 9,
	[CALL_REWIND] = 3, [CALL_FORWARD] = 2, [CALL_REWINDABLE] = 1,
	[CALL_FORWARDABLE] = 1, [CALL_AVAIL] = 2, [CALL_AVAIL_UPDATE] = 3,
	[CALL_AVAIL_DELAY] = 2, [CALL_DELAY] = 3, [CALL_STATUS] = 2,
	[CALL_HWSYNC] = 2, [CALL_HTIMESTAMP] = 1, [CALL_WAIT] = 4, [CALL_POLL] = 5,
	[CALL_NONBLOCK] = 1, [CALL_STATE] = 1, [CALL_INFO] = 1, [CALL_CHMAP] = 1,
	[CALL_DUMP] = 1, [CALL_LINK] = 1, [CALL_ADVANCE] = 16,
};

uint64_t rng_next(struct rng *rng)
{
	/* The steps of an additive counter, well mixed. */
	uint64_t x = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

unsigned long rng_below(struct rng *rng, unsigned long n)
{
	return (unsigned long)(rng_next(rng) % n);
}

bool rng_chance(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

static enum call_kind draw_kind(struct rng *rng)
{
	unsigned int total = 0, at;

	for (unsigned int i = 0; i < N_CALL_KINDS; i++)
		total += weights[i];
	at = (unsigned int)rng_below(rng, total);
	for (unsigned int i = 0; ; i++) {
		if (at < weights[i])
			return (enum call_kind)i;
		at -= weights[i];
	}
}

void sequence_make(struct sequence *sequence, uint64_t seed, uint64_t index,
		   unsigned int n_cards)
{
	struct rng rng = { seed };
	unsigned int n;

	/* So that neighbours have nothing in common. */
	rng.state = rng_next(&rng) ^ index;
	rng.state = rng_next(&rng);
	*sequence = (struct sequence) {
		.seed = seed,
		.index = index,
		.playback = rng_chance(&rng, 55),
		.nonblock = rng_chance(&rng, 50),
		.keeps = rng_chance(&rng, 10),
		.commanded = rng_chance(&rng, 25),
		.card = (unsigned int)rng_below(&rng, n_cards),
	};
	n = 5 + (unsigned int)rng_below(&rng, CALLS_MAX - 4);
	for (unsigned int i = 0; i < n; i++) {
		enum call_kind kind = draw_kind(&rng);

		if (sequence->commanded && i > 2 && rng_chance(&rng, 8))
			kind = CALL_SUSPEND;
		if (i > 0 && sequence->calls[i - 1].kind == CALL_SUSPEND &&
		    rng_chance(&rng, 40))
			kind = rng_chance(&rng, 60) ? CALL_RESUME : CALL_RECOVER;
		/* Most programs begin like this; the others get no further. */
		if (i == 0 && rng_chance(&rng, 90))
			kind = CALL_HW_PARAMS;
		if (i == 1 && rng_chance(&rng, 40))
			kind = CALL_SW_PARAMS;
		sequence->calls[i] = (struct call){ (uint8_t)kind,
						    (uint32_t)rng_next(&rng) };
	}
	sequence->n = n;
}

bool sequence_insert(struct sequence *sequence, unsigned int at, enum call_kind kind)
{
	if (sequence->n == CALLS_MAX + SETTLINGS_MAX)
		return false;
	memmove(&sequence->calls[at + 1], &sequence->calls[at],
		(sequence->n - at) * sizeof(*sequence->calls));
	sequence->calls[at] = (struct call){ (uint8_t)kind, 0 };
	sequence->n++;
	return true;
}

void sequence_remove(struct sequence *sequence, unsigned int at, unsigned int n)
{
	memmove(&sequence->calls[at], &sequence->calls[at + n],
		(sequence->n - at - n) * sizeof(*sequence->calls));
	sequence->n -= n;
}
