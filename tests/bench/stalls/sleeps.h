/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * When a program sleeps, and for how long: a list that is the same for all programs
 * that are compared.
 */
#ifndef TESTS_BENCH_STALLS_SLEEPS_H
#define TESTS_BENCH_STALLS_SLEEPS_H

#include <stdbool.h>
#include <stdint.h>

#define SLEEPS_MAX 512u

struct sleeps {
	unsigned int n, next;
	struct {
		uint64_t at_ns, length_ns;
	} list[SLEEPS_MAX];
};

/** Make the list for a program that runs for total_ms: all of length_ms, or, if it is to
 * be random, up to that long and the first of them as long. Pauses let a stream recover,
 * and the last one ends the list. The same seed gives the same list. */
void sleeps_make(struct sleeps *sleeps, unsigned int length_ms, bool random,
		 unsigned int total_ms, uint32_t seed);

/** Sleep if it is time, begin_ns being when the program began. */
void sleeps_take(struct sleeps *sleeps, uint64_t begin_ns);

#endif
