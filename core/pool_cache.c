/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A cache holds the chunk given last and, as bits of one word of the pool's bitmap,
 * others. Between the two and the pool chunks move in one direction at a time:
 * one that is pushed out by the next goes to the others; if these are of another
 * word, or as many as they may be, they go to the pool. So what two threads exchange
 * is a word in so many chunks, not a line for each.
 */
#include "core/pool_cache.h"

int hr_pool_cache_open(struct hr_pool_cache *cache, struct hr_pool *pool, uint32_t most)
{
	if (most < 1 || most > HR_POOL_CACHE_MAX)
		return -EINVAL;
	*cache = (struct hr_pool_cache) {
		.most = most,
		.places = pool->places,
		.n_places = pool->initial,
		.pool = pool,
		.next = pool->caches,
	};
	pool->caches = cache;
	return 0;
}

void hr_pool_cache_spill(struct hr_pool_cache *cache)
{
	uint64_t bits = hr_pool_cache_others(cache);

	hr_pool_cache_set_others(cache, 0);
	cache->n_others = 0;
	if (bits)
		hr_bitmap_give_some(&cache->pool->free, bits, cache->word);
}

void hr_pool_cache_close(struct hr_pool_cache *cache)
{
	struct hr_pool_cache **link = &cache->pool->caches;

	hr_pool_cache_spill(cache);
	(void)hr_pool_release(cache->pool, atomic_load_explicit(&cache->warmest,
								memory_order_relaxed));
	atomic_fetch_add_explicit(&cache->pool->hits,
				  atomic_load_explicit(&cache->hits, memory_order_relaxed),
				  memory_order_relaxed);
	while (*link != cache)
		link = &(*link)->next;
	*link = cache->next;
}

bool hr_pool_cache_fill(struct hr_pool_cache *cache)
{
	uint64_t bits;

	if (!hr_bitmap_take_some(&cache->pool->free, cache->most, &bits, &cache->word)) {
		/* relaxed: a number for statistics. */
		atomic_fetch_add_explicit(&cache->pool->misses, 1, memory_order_relaxed);
		return false;
	}
	hr_pool_cache_set_others(cache, bits);
	cache->n_others = hr_bitmap_weight(bits);
	return true;
}
