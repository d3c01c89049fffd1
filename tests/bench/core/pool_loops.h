/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The loops that measure a pool. Included once by the file of a subject, after it has
 * defined
 *
 *   void *pool_create(unsigned int n_threads)     that will use it: 1 or 2
 *   void pool_destroy(void *pool)
 *   void *pool_acquire(void *pool)                NULL: none free
 *   void pool_release(void *pool, void *buffer)
 *
 * and, if each thread has something to do first, POOL_ENTER, a function's name.
 * Defines pool_ops. C and C++.
 */
#include "handover.h"
#include "subject.h"

#ifndef POOL_ENTER
static inline void pool_enter_free(void)
{
}
#define POOL_ENTER pool_enter_free
#endif

static void *pool_acquire_waiting(void *pool)
{
	void *buffer;

	while (!(buffer = pool_acquire(pool)))
		;
	return buffer;
}

static void pool_one_thread(void *pool, uint64_t n)
{
	POOL_ENTER();
	for (uint64_t i = 0; i < n; i++) {
		void *buffer = pool_acquire_waiting(pool);

		/* As if it were used: the compiler must not know where it came from. */
		__asm__ volatile("" : "+r"(buffer) : : "memory");
		pool_release(pool, buffer);
	}
}

/* n is a multiple of HANDOVER_BATCH, here and below. */
static void pool_acquire_n(void *pool, struct handover *handover, uint64_t n)
{
	POOL_ENTER();
	for (uint64_t i = 0; i < n; i++)
		handover_give(handover, i, pool_acquire_waiting(pool));
}

static void pool_release_n(void *pool, struct handover *handover, uint64_t n)
{
	POOL_ENTER();
	for (uint64_t i = 0; i < n; i++)
		pool_release(pool, handover_take(handover, i));
}

static const struct pool_ops pool_ops = {
	pool_create, pool_destroy, pool_one_thread, pool_acquire_n, pool_release_n,
};
