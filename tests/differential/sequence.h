/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Sequences of calls, made from a seed: what a program does that knows no rules.
 *
 * A call is its kind and a seed of its own, from which whoever makes it draws the
 * arguments. So any sub-set of a sequence is a sequence, and a call keeps what it
 * means when others before it are left out.
 */
#ifndef TESTS_DIFFERENTIAL_SEQUENCE_H
#define TESTS_DIFFERENTIAL_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX 40
#define SETTLINGS_MAX 12	/* more of them are put in between, see compare.h */

enum call_kind {
	CALL_HW_PARAMS, CALL_HW_PARAMS_ABSURD, CALL_HW_FREE, CALL_SW_PARAMS,
	CALL_PREPARE, CALL_START, CALL_DROP, CALL_DRAIN, CALL_DRAIN_AND_DROP,
	CALL_PAUSE, CALL_UNPAUSE, CALL_RESUME, CALL_RESET, CALL_RECOVER,
	CALL_TRANSFER, CALL_WRONG_TRANSFER, CALL_MMAP,
	CALL_REWIND, CALL_FORWARD, CALL_REWINDABLE, CALL_FORWARDABLE,
	CALL_AVAIL, CALL_AVAIL_UPDATE, CALL_AVAIL_DELAY, CALL_DELAY, CALL_STATUS,
	CALL_HWSYNC, CALL_HTIMESTAMP, CALL_WAIT, CALL_POLL, CALL_NONBLOCK,
	CALL_STATE, CALL_INFO, CALL_CHMAP, CALL_DUMP, CALL_LINK,
	CALL_ADVANCE, CALL_SUSPEND,
	CALL_SETTLE,		/* let a period of the device pass; never drawn */
	N_CALL_KINDS
};

struct call {
	uint8_t kind;		/* enum call_kind */
	uint32_t seed;
};

struct sequence {
	uint64_t seed, index;	/* what it was made from */
	bool playback;
	bool nonblock;
	bool commanded;		/* the card may be suspended */
	bool keeps;		/* capture: headroom keeps more than the device */
	unsigned int card;	/* which of side.h's cards */
	unsigned int n;
	struct call calls[CALLS_MAX + SETTLINGS_MAX];
};

struct rng {
	uint64_t state;
};

/** The next of its numbers. */
uint64_t rng_next(struct rng *rng);

/** 0..n-1; n is not 0. */
unsigned long rng_below(struct rng *rng, unsigned long n);

/** True in percent of the cases. */
bool rng_chance(struct rng *rng, unsigned int percent);

/** The sequence with this index of this seed. */
void sequence_make(struct sequence *sequence, uint64_t seed, uint64_t index,
		   unsigned int n_cards);

/** Put a call of that kind before call number at. False if there is no room. */
bool sequence_insert(struct sequence *sequence, unsigned int at, enum call_kind kind);

/** Leave out n calls from number at on. */
void sequence_remove(struct sequence *sequence, unsigned int at, unsigned int n);

#endif
