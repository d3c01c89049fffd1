/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Tests that play many cases, each made from a seed and an index: in processes of
 * their own, so that a crash, a hang or a spin is the failure of one case; a case that
 * fails is made shorter as long as it does, and shown.
 *
 * usage: test_…                                what Check runs
 *        test_… --seed N [--from K] [--count M] [--jobs J]   any range
 *        test_… --seed N --from K --show [--trace]           one, in full
 *
 * Of more jobs than one each has a processor to itself: the threads of a player take
 * turns most of the time, which costs the less the nearer they are.
 */
#ifndef TESTS_SEEDED_H
#define TESTS_SEEDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a case is. */
struct seeded {
	const char *name;		/* of the suite */
	const char *noun;		/* of a case */
	size_t case_bytes;
	uint64_t batch;			/* cases that one process plays */
	/** In the process that plays, before and after. False after a line on stderr. */
	bool (*begin)(bool traces);
	void (*finish)(void);
	/** The case with this index of this seed. */
	void (*make)(void *it, uint64_t seed, uint64_t index);
	/** Play it. False if it fails, and why. */
	bool (*play)(const void *it, bool shows, char *why, size_t why_bytes);
	/** After a range that was played, in the parent: print what there is to say. False if
	 * that is a failure. NULL: nothing. */
	bool (*judge)(void);
	/** Its steps; leave out n from number at on. */
	unsigned int (*length)(const void *it);
	void (*leave_out)(void *it, unsigned int at, unsigned int n);
	/* What Check runs. */
	const uint64_t *fixed_seeds;
	unsigned int n_fixed_seeds;
	uint64_t count;			/* of each */
	bool fewer_when_slow;		/* by CK_TIMEOUT_MULTIPLIER */
};

/** main() of such a test. */
int seeded_main(const struct seeded *what, int argc, char **argv);

#endif
