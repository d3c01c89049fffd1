/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Two threads, each on a processor of its own: the one that measures, and a partner
 * that sleeps unless it is needed.
 */
#ifndef TESTS_BENCH_CORE_PAIR_H
#define TESTS_BENCH_CORE_PAIR_H

#include <stdint.h>

struct pair_half {
	void (*run)(void *arg);
	void *arg;
};

/** Pin the calling thread and start its partner. Once. */
void pair_start(void);

/** Run both halves, here and at the partner. Returns the time from when both are
 * there until both are done, ns. */
uint64_t pair_run(struct pair_half here, struct pair_half there);

/**
 * Nanoseconds of a round trip of two cache lines between the two, which tells how far
 * apart the processors are now. A hypervisor moves virtual processors about; what was
 * measured in between is to be believed only if this is the same before and after.
 */
double pair_probe(void);

#endif
