/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Random sequences of calls on the virtual card and on headroom: the same answers,
 * and never a crash, a hang or a spin. See seeded.h for how to run it by hand.
 */
#include <stdio.h>

#include "tests/differential/compare.h"
#include "tests/seeded.h"

static bool begin(bool traces)
{
	side_trace = traces;
	return side_init();
}

static void make(void *it, uint64_t seed, uint64_t index)
{
	sequence_make(it, seed, index, N_CARDS);
}

static bool play(const void *it, bool shows, char *why, size_t why_bytes)
{
	struct verdict verdict;

	if (play_and_compare(it, shows, &verdict))
		return true;
	snprintf(why, why_bytes, "call %u, %s", verdict.at, verdict.why);
	return false;
}

static unsigned int length(const void *it)
{
	const struct sequence *sequence = it;

	return sequence->n;
}

static void leave_out(void *it, unsigned int at, unsigned int n)
{
	sequence_remove(it, at, n);
}

static const uint64_t fixed_seeds[] = { 1, 20261, 0xa15a };

int main(int argc, char **argv)
{
	static const struct seeded differential = {
		.name = "differential",
		.noun = "sequences",
		.case_bytes = sizeof(struct sequence),
		.batch = 2000,
		.begin = begin,
		.finish = side_finish,
		.make = make,
		.play = play,
		.length = length,
		.leave_out = leave_out,
		.fixed_seeds = fixed_seeds,
		.n_fixed_seeds = sizeof(fixed_seeds) / sizeof(*fixed_seeds),
		.count = 2000,
	};

	return seeded_main(&differential, argc, argv);
}
