/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The account: whatever a program does and whatever befalls the card, each frame is
 * heard, read or counted, once and in order. See book.h for what has to come out even,
 * plan.h for what can happen, seeded.h for how to run it by hand. HEADROOM_ACCOUNT_RUNS is
 * how many runs there are without arguments.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/account/program.h"
#include "tests/account/tally.h"
#include "tests/seeded.h"

static bool begin(bool traces)
{
	(void)traces;
	return card_init() && program_init();
}

static void make(void *it, uint64_t seed, uint64_t index)
{
	plan_make(it, seed, index);
}

static bool play(const void *it, bool shows, char *why, size_t why_bytes)
{
	static struct program program;
	const struct plan *plan = it;

	if (shows)
		plan_print(plan);
	if (program_run(&program, plan, shows))
		return true;
	snprintf(why, why_bytes, "step %u: %s", program.step, program.why);
	return false;
}

static unsigned int length(const void *it)
{
	const struct plan *plan = it;

	return plan->n;
}

static void leave_out(void *it, unsigned int at, unsigned int n)
{
	plan_remove(it, at, n);
}

static const uint64_t fixed_seeds[] = { 1, 20266 };

/* So many in all, unless the environment says otherwise. */
#define RUNS 10000

int main(int argc, char **argv)
{
	const char *wanted = getenv("HEADROOM_ACCOUNT_RUNS");
	uint64_t runs = wanted ? strtoull(wanted, NULL, 10) : RUNS;
	struct seeded account = {
		.name = "account",
		.noun = "runs",
		.case_bytes = sizeof(struct plan),
		.batch = 2000,
		.begin = begin,
		.finish = card_finish,
		.make = make,
		.play = play,
		.judge = tally_judge,
		.length = length,
		.leave_out = leave_out,
		.fixed_seeds = fixed_seeds,
		.n_fixed_seeds = sizeof(fixed_seeds) / sizeof(*fixed_seeds),
		.count = runs / (sizeof(fixed_seeds) / sizeof(*fixed_seeds)),
		.fewer_when_slow = !wanted,
	};

	return tally_begin() ? seeded_main(&account, argc, argv) : EXIT_FAILURE;
}
