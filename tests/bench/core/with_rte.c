/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* DPDK: rte_ring for one producer and one consumer; rte_mempool as its own threads use
 * it, with the cache that each of them has. */
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "rte_start.h"
#include "subject.h"
#include "tests/bench/record.h"

static void *ring_create(void)
{
	struct rte_ring *ring;

	rte_start();
	ring = rte_ring_create(rte_new_name(), RING_CHUNKS, SOCKET_ID_ANY,
			       RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	if (!ring)
		bench_die("rte: rte_ring_create: %s", rte_strerror(rte_errno));
	return ring;
}

static void ring_destroy(void *ring)
{
	rte_ring_free(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	return rte_ring_sp_enqueue(ring, item) == 0;
}

static inline void *ring_pop(void *ring)
{
	void *item;

	return rte_ring_sc_dequeue(ring, &item) == 0 ? item : NULL;
}

#include "ring_loops.h"

#define BUFFER_BYTES 2048u
#define CACHE_ITEMS 64u

static void *pool_create(unsigned int n_threads)
{
	struct rte_mempool *pool;

	(void)n_threads;
	rte_start();
	/* What lies in the caches is in addition. */
	pool = rte_mempool_create(rte_new_name(), POOL_CHUNKS + 4 * CACHE_ITEMS, BUFFER_BYTES,
				  CACHE_ITEMS, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	if (!pool)
		bench_die("rte: rte_mempool_create: %s", rte_strerror(rte_errno));
	return pool;
}

static void pool_destroy(void *pool)
{
	rte_mempool_free(pool);
}

/* A thread that DPDK does not know has no cache. */
static void pool_enter(void)
{
	if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() < 0)
		bench_die("rte: rte_thread_register: %s", rte_strerror(rte_errno));
}

static inline void *pool_acquire(void *pool)
{
	void *buffer;

	return rte_mempool_get(pool, &buffer) == 0 ? buffer : NULL;
}

static inline void pool_release(void *pool, void *buffer)
{
	rte_mempool_put(pool, buffer);
}

#define POOL_ENTER pool_enter
#include "pool_loops.h"

const struct subject subject_rte = { "rte", &ring_ops, NULL, &pool_ops };
