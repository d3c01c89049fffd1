/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A thread's own share of a pool: chunks that it takes and gives without an atomic
 * read-modify-write, as long as it has one or has room for one. What is wanting or
 * too much goes between cache and pool by the word: up to 64 chunks with one swap.
 *
 * The chunk that was given last is the next that is taken, so whoever takes and
 * gives in turn keeps to one buffer that is warm in its processor's cache.
 *
 * After J. Bonwick, J. Adams: "Magazines and Vmem: Extending the Slab Allocator to
 * Many CPUs and Arbitrary Resources", USENIX 2001; the magazine is a word of the
 * pool's bitmap here, so that it needs no memory and is exchanged by one operation.
 *
 * Who may call is given per function:
 *   [owner]  the one thread that uses the cache      [any]    any thread
 *   [setup]  no other call to the pool or to any of its caches in progress
 */
#ifndef HR_CORE_POOL_CACHE_H
#define HR_CORE_POOL_CACHE_H

#include <errno.h>
#include "core/pool.h"
#include "core/pool_internal.h"

#define HR_POOL_CACHE_MAX 64u		/* chunks */

/* A plain object of the caller's, on lines of its own. Its members are private; the
 * atomic ones are written by the owner alone and read for statistics. */
struct hr_pool_cache {
	alignas(HR_LINE) _Atomic(struct hr_chunk *) warmest;	/* given last */
	_Atomic uint64_t others;	/* bit b: place word * 64 + b lies here */
	uint32_t word;
	uint32_t n_others;
	uint32_t most;			/* of others */
	struct hr_pool_place *places;	/* the pool's */
	uint64_t n_places;		/* those that a cache may hold */
	_Atomic uint64_t hits;
	struct hr_pool *pool;
	struct hr_pool_cache *next;	/* in pool->caches */
};

/** Make an empty cache that keeps up to `most` chunks, 1..HR_POOL_CACHE_MAX, beside
 * the one given last. Those count as taken for everybody else. Returns 0 or -EINVAL.
 * [setup] */
int hr_pool_cache_open(struct hr_pool_cache *cache, struct hr_pool *pool, uint32_t most);

/** Give all it holds back to the pool, and its counters. The cache may not be used
 * any more; hr_pool_destroy() needs no close before it. [setup] */
void hr_pool_cache_close(struct hr_pool_cache *cache);

/** As hr_pool_acquire() with HR_POOL_FIXED. Lock-free, and wait-free while the cache
 * has one. [owner] */
static inline struct hr_chunk *hr_pool_cache_acquire(struct hr_pool_cache *cache)
	__attribute__((warn_unused_result));

/** As hr_pool_release(), of a chunk that came from wherever. Returns 0; -EINVAL for a
 * chunk of another pool; -EALREADY for one that lies in this cache, while one that lies
 * in the pool again is not told from a rightful release. Either is left alone.
 * Lock-free, and wait-free while the cache has room. [owner] */
static inline int hr_pool_cache_release(struct hr_pool_cache *cache,
					struct hr_chunk *chunk);

/* The rare parts of the two: what goes between cache and pool. */
bool hr_pool_cache_fill(struct hr_pool_cache *cache);
void hr_pool_cache_spill(struct hr_pool_cache *cache);

/* relaxed, all of these: only the owner writes them; what the chunks hold is ordered by
 * the bitmap's operations, which move them. */
static inline uint64_t hr_pool_cache_others(const struct hr_pool_cache *cache)
{
	return atomic_load_explicit(&cache->others, memory_order_relaxed);
}

static inline void hr_pool_cache_set_others(struct hr_pool_cache *cache, uint64_t bits)
{
	atomic_store_explicit(&cache->others, bits, memory_order_relaxed);
}

static inline struct hr_chunk *hr_pool_cache_take_other(struct hr_pool_cache *cache)
{
	uint64_t bits = hr_pool_cache_others(cache);
	uint32_t bit = (uint32_t)__builtin_ctzll(bits);

	hr_pool_cache_set_others(cache, bits & (bits - 1));
	cache->n_others--;
	return &cache->places[cache->word * HR_BITMAP_WORD_PLACES + bit].chunk;
}

/* Make room for the next by moving the warmest to the others. */
static inline void hr_pool_cache_put_down(struct hr_pool_cache *cache,
					  const struct hr_chunk *warmest)
{
	uint64_t index = hr_pool_index(cache->places, warmest);
	uint32_t word = (uint32_t)(index / HR_BITMAP_WORD_PLACES);

	if (word != cache->word || cache->n_others >= cache->most) {
		hr_pool_cache_spill(cache);
		cache->word = word;
	}
	hr_pool_cache_set_others(cache, hr_pool_cache_others(cache) |
					1ull << index % HR_BITMAP_WORD_PLACES);
	cache->n_others++;
}

/* Whether the chunk of an index is among the others. */
static inline bool hr_pool_cache_has_other(const struct hr_pool_cache *cache,
					   uint64_t index)
{
	return index / HR_BITMAP_WORD_PLACES == cache->word &&
	       (hr_pool_cache_others(cache) >> index % HR_BITMAP_WORD_PLACES & 1);
}

static inline struct hr_chunk *hr_pool_cache_acquire(struct hr_pool_cache *cache)
{
	/* relaxed, here and below: only the owner writes these. */
	struct hr_chunk *chunk = atomic_load_explicit(&cache->warmest,
						      memory_order_relaxed);

	if (chunk) {
		atomic_store_explicit(&cache->warmest, NULL, memory_order_relaxed);
	} else {
		if (!hr_pool_cache_others(cache) && !hr_pool_cache_fill(cache))
			return NULL;
		chunk = hr_pool_cache_take_other(cache);
	}
	atomic_store_explicit(&cache->hits,
			      atomic_load_explicit(&cache->hits, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	return hr_pool_reset_chunk(chunk);
}

static inline int hr_pool_cache_release(struct hr_pool_cache *cache,
					struct hr_chunk *chunk)
{
	uint64_t index = hr_pool_index(cache->places, chunk);
	const struct hr_chunk *warmest = atomic_load_explicit(&cache->warmest,
							      memory_order_relaxed);

	if (__builtin_expect(index >= cache->n_places, 0))
		return hr_pool_release(cache->pool, chunk);
	if (warmest == chunk || hr_pool_cache_has_other(cache, index))
		return -EALREADY;
	hr_pool_poison_chunk(chunk);
	if (warmest)
		hr_pool_cache_put_down(cache, warmest);
	atomic_store_explicit(&cache->warmest, chunk, memory_order_relaxed);
	return 0;
}

#endif
