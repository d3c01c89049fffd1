/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* DPDK's rte_mempool as threads of others use it: with a cache that each brings along,
 * and without one. */
#include <rte_errno.h>
#include <rte_mempool.h>
#include <stdlib.h>

#include "rte_start.h"
#include "subject.h"
#include "tests/bench/record.h"

#define BUFFER_BYTES 2048u
#define CACHE_ITEMS 64u

struct pool {
	struct rte_mempool *pool;
	/* Of the thread that acquires and of the one that releases; NULL: none. */
	struct rte_mempool_cache *acquirer, *releaser;
};

static struct pool *create(void)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	rte_start();
	/* What lies in the caches is in addition. */
	pool->pool = rte_mempool_create(rte_new_name(), POOL_CHUNKS + 4 * CACHE_ITEMS,
					BUFFER_BYTES, 0, 0, NULL, NULL, NULL, NULL,
					SOCKET_ID_ANY, 0);
	if (!pool->pool)
		bench_die("rte: rte_mempool_create: %s", rte_strerror(rte_errno));
	return pool;
}

static void *pool_create(unsigned int n_threads)
{
	struct pool *pool = create();

	pool->acquirer = rte_mempool_cache_create(CACHE_ITEMS, SOCKET_ID_ANY);
	pool->releaser = n_threads == 1 ? pool->acquirer :
		rte_mempool_cache_create(CACHE_ITEMS, SOCKET_ID_ANY);
	return pool;
}

static void drop_cache(struct pool *pool, struct rte_mempool_cache *cache)
{
	rte_mempool_cache_flush(cache, pool->pool);
	rte_mempool_cache_free(cache);
}

static void pool_destroy(void *data)
{
	struct pool *pool = data;

	if (pool->releaser && pool->releaser != pool->acquirer)
		drop_cache(pool, pool->releaser);
	if (pool->acquirer)
		drop_cache(pool, pool->acquirer);
	rte_mempool_free(pool->pool);
	free(pool);
}

static inline void *pool_acquire(void *data)
{
	struct pool *pool = data;
	void *buffer;

	return rte_mempool_generic_get(pool->pool, &buffer, 1, pool->acquirer) == 0 ?
		buffer : NULL;
}

static inline void pool_release(void *data, void *buffer)
{
	struct pool *pool = data;

	rte_mempool_generic_put(pool->pool, &buffer, 1, pool->releaser);
}

#include "pool_loops.h"

static void *pool_create_without_cache(unsigned int n_threads)
{
	(void)n_threads;
	return create();
}

static const struct pool_ops without_cache = {
	pool_create_without_cache, pool_destroy, pool_one_thread, pool_acquire_n,
	pool_release_n,
};

const struct subject subject_rte_own_cache = {
	"rte own cache", NULL, NULL, &pool_ops
};
const struct subject subject_rte_without_cache = {
	"rte without cache", NULL, NULL, &without_cache
};
