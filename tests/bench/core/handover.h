/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The way that buffers take from the thread that acquired them to the one that
 * releases them: the same for all pools, so that only the pools differ. As cheap as
 * can be, not as quick: a line of references is announced at a time.
 * crossbeam.rs has the same in Rust.
 */
#ifndef TESTS_BENCH_CORE_HANDOVER_H
#define TESTS_BENCH_CORE_HANDOVER_H

#include <stdint.h>

#define HANDOVER_ITEMS 64u
#define HANDOVER_BATCH 8u

struct handover {
	uint64_t written __attribute__((aligned(64)));	/* by the one who acquires */
	uint64_t read __attribute__((aligned(64)));	/* by the one who releases */
	void *items[HANDOVER_ITEMS] __attribute__((aligned(64)));
};

static inline void handover_announce(uint64_t *count, uint64_t now)
{
	if (now % HANDOVER_BATCH == 0)
		__atomic_store_n(count, now, __ATOMIC_RELEASE);
}

static inline void handover_give(struct handover *way, uint64_t i, void *item)
{
	if (i % HANDOVER_BATCH == 0)
		while (i - __atomic_load_n(&way->read, __ATOMIC_ACQUIRE) >
		       HANDOVER_ITEMS - HANDOVER_BATCH)
			;
	way->items[i % HANDOVER_ITEMS] = item;
	handover_announce(&way->written, i + 1);
}

static inline void *handover_take(struct handover *way, uint64_t i)
{
	void *item;

	if (i % HANDOVER_BATCH == 0)
		while (__atomic_load_n(&way->written, __ATOMIC_ACQUIRE) <= i)
			;
	item = way->items[i % HANDOVER_ITEMS];
	handover_announce(&way->read, i + 1);
	return item;
}

#endif
