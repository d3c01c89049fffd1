/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Two bitmaps say where each place stands:
 *
 *   `free`    places below initial: set = the chunk is in the pool
 *   `vacant`  places from initial on: set = there is no chunk
 *
 * A bit is cleared before its place is touched and set after it was left, so
 * whoever cleared it has the place to itself. To grow is to take a vacant place
 * first and to allocate then: the limit holds without being counted.
 *
 * All that the streaming path touches lies in one mapping of its own: locking it
 * locks no page of the program's heap, and unmapping it unlocks none. (Locks do
 * not nest: munlock() on heap pages would undo a program's mlockall().)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "core/pool.h"
#include "core/pool_cache.h"
#include "core/pool_internal.h"

#ifdef HR_HAVE_ASAN
#define REDZONE HR_CHUNK_ALIGN		/* bytes after each payload */
#else
#define REDZONE 0u
#endif

#define PAYLOAD_BYTES_MAX (1ull << 31)

/* Otherwise libatomic would take a lock behind our back. */
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "pointers must be lock-free");

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
	return (bytes + to - 1) / to * to;
}

/* From one payload to the next, in bytes. Under ASan a redzone separates them,
 * else running over the end of a chunk would go unseen in the shared mapping. */
static uint64_t payload_stride(const struct hr_pool *pool)
{
	return round_up(pool->payload_bytes, HR_CHUNK_ALIGN) + REDZONE;
}

/* Where the parts of the mapping start, in bytes. The places come last because
 * those from initial on stay untouched until they grow. */
struct layout {
	uint64_t free_words;
	uint64_t vacant_words;
	uint64_t payloads;
	uint64_t places;
	uint64_t places_grown;
	uint64_t end;
};

static void compute_layout(struct layout *at, const struct hr_pool *pool)
{
	uint32_t n_grown = pool->limit - pool->initial;

	at->free_words = sizeof(struct hr_pool);
	at->vacant_words = at->free_words +
		round_up(hr_bitmap_words(pool->initial) * sizeof(uint64_t), HR_LINE);
	at->payloads = at->vacant_words +
		round_up(hr_bitmap_words(n_grown) * sizeof(uint64_t), HR_LINE);
	at->places = at->payloads + pool->initial * payload_stride(pool);
	at->places_grown = at->places + pool->initial * sizeof(struct hr_pool_place);
	at->end = at->places_grown + n_grown * sizeof(struct hr_pool_place);
}

static void place_init(struct hr_pool *pool, uint32_t index, unsigned char *data)
{
	struct hr_chunk *chunk = &pool->places[index].chunk;

	chunk->pool = pool;
	chunk->data = data;
	chunk->index = index;
	chunk->capacity_frames = pool->capacity_frames;
	chunk->frame_bytes = pool->frame_bytes;
}

static int check_arguments(uint32_t initial, uint32_t limit,
			   uint32_t capacity_frames, uint32_t frame_bytes)
{
	if (limit < 1 || limit > HR_POOL_LIMIT_MAX || initial > limit)
		return -EINVAL;
	if (!capacity_frames || !frame_bytes ||
	    (uint64_t)capacity_frames * frame_bytes >= PAYLOAD_BYTES_MAX)
		return -EINVAL;
	return 0;
}

/* Lay out a mapping that starts with the pool, its constants set. */
static void fill_mapping(struct hr_pool *pool, const struct layout *at)
{
	unsigned char *map = (unsigned char *)pool;

	pool->map_bytes = (size_t)at->end;
	pool->lock_bytes = (size_t)at->places_grown;
	pool->places = (struct hr_pool_place *)(map + at->places);
	hr_bitmap_init(&pool->free, (_Atomic uint64_t *)(map + at->free_words),
		       pool->initial);
	hr_bitmap_init(&pool->vacant, (_Atomic uint64_t *)(map + at->vacant_words),
		       pool->limit - pool->initial);
	for (uint32_t i = 0; i < pool->initial; i++)
		place_init(pool, i, map + at->payloads + i * payload_stride(pool));
	/* A chunk's payload may be used while the chunk is out, and then only. */
	ASAN_POISON_MEMORY_REGION(map + at->payloads, at->places - at->payloads);
}

/* The mapping is zero already, but only a write gives each page its memory: all at once
 * where the kernel can (Linux 5.14), which takes a tenth of the time. */
static void touch(void *map, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
	if (madvise(map, bytes, MADV_POPULATE_WRITE) == 0)
		return;
#endif
	memset(map, 0, bytes);
}

int hr_pool_create(struct hr_pool **poolp, uint32_t initial, uint32_t limit,
		   uint32_t capacity_frames, uint32_t frame_bytes)
{
	struct hr_pool proto = {
		.initial = initial,
		.limit = limit,
		.capacity_frames = capacity_frames,
		.frame_bytes = frame_bytes,
	};
	struct layout at;
	void *map;
	int err;

	err = check_arguments(initial, limit, capacity_frames, frame_bytes);
	if (err < 0)
		return err;
	proto.payload_bytes = (size_t)capacity_frames * frame_bytes;
	compute_layout(&at, &proto);
	if (at.end > PTRDIFF_MAX)
		return -ENOMEM;
	map = mmap(NULL, (size_t)at.end, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;

	touch(map, (size_t)at.places_grown);
	*poolp = map;
	**poolp = proto;
	fill_mapping(*poolp, &at);
	return 0;
}

void hr_pool_destroy(struct hr_pool *pool)
{
	if (!pool)
		return;
	/* relaxed: no other call is in progress. */
	for (uint32_t i = pool->initial; i < pool->limit; i++)
		free(atomic_load_explicit(&pool->places[i].grown, memory_order_relaxed));
	/* The next mapping at this address may be anybody's. */
	ASAN_UNPOISON_MEMORY_REGION(pool, pool->map_bytes);
	munmap(pool, pool->map_bytes);
}

static void count_one(_Atomic uint64_t *counter)
{
	/* relaxed: a number for statistics, it announces nothing. */
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Fill a vacant place. NULL if there is none or memory is out. */
static struct hr_chunk *grow(struct hr_pool *pool)
{
	struct hr_pool_place *place;
	uint32_t vacancy;
	void *data;

	if (!hr_bitmap_take(&pool->vacant, &vacancy))
		return NULL;
	if (posix_memalign(&data, HR_CHUNK_ALIGN, pool->payload_bytes) != 0) {
		hr_bitmap_give(&pool->vacant, vacancy);
		return NULL;
	}
	/* Nothing of the heap's former content, and all pages in place. */
	memset(data, 0, pool->payload_bytes);
	place = &pool->places[pool->initial + vacancy];
	place_init(pool, pool->initial + vacancy, data);
	/* relaxed: the chunk reaches the thread that releases it by a hand-over,
	 * which carries this too. */
	atomic_store_explicit(&place->grown, data, memory_order_relaxed);
	return &place->chunk;
}

struct hr_chunk *hr_pool_acquire(struct hr_pool *pool, enum hr_pool_growth growth)
{
	struct hr_chunk *chunk = NULL;
	uint32_t index;

	if (hr_bitmap_take(&pool->free, &index)) {
		count_one(&pool->hits);
		chunk = &pool->places[index].chunk;
		return hr_pool_reset_chunk(chunk);
	}
	count_one(&pool->misses);
	if (growth == HR_POOL_MAY_GROW)
		chunk = grow(pool);
	return chunk ? hr_pool_reset_chunk(chunk) : NULL;
}

static int release_kept(struct hr_pool *pool, uint32_t index)
{
	/* Before giving: afterwards the payload may be another thread's. */
	hr_pool_poison_chunk(&pool->places[index].chunk);
	return hr_bitmap_give(&pool->free, index) ? 0 : -EALREADY;
}

static int release_grown(struct hr_pool *pool, uint32_t index)
{
	struct hr_pool_place *place = &pool->places[index];
	/* relaxed: of two releases one gets the payload, and that alone matters;
	 * the accesses to it are ordered by the hand-over that brought it here. */
	unsigned char *data = atomic_exchange_explicit(&place->grown, NULL,
						       memory_order_relaxed);

	if (!data)
		return -EALREADY;
	/* The place is ours until it is given: a use of the released chunk finds
	 * NULL, not memory that has become something else. */
	place->chunk.data = NULL;
	free(data);
	hr_bitmap_give(&pool->vacant, index - pool->initial);
	return 0;
}

int hr_pool_release(struct hr_pool *pool, struct hr_chunk *chunk)
{
	uint64_t index = hr_pool_index(pool->places, chunk);

	if (!chunk)
		return 0;
	if (index >= pool->limit)
		return -EINVAL;
	return index < pool->initial ? release_kept(pool, (uint32_t)index)
				     : release_grown(pool, (uint32_t)index);
}

void hr_pool_clear(struct hr_pool *pool)
{
	/* relaxed, all: no other call is in progress. */
	atomic_store_explicit(&pool->hits, 0, memory_order_relaxed);
	atomic_store_explicit(&pool->misses, 0, memory_order_relaxed);
	for (struct hr_pool_cache *cache = pool->caches; cache; cache = cache->next)
		atomic_store_explicit(&cache->hits, 0, memory_order_relaxed);
}

static uint64_t count_hits(const struct hr_pool *pool)
{
	/* relaxed, both: numbers that need not agree. */
	uint64_t hits = atomic_load_explicit(&pool->hits, memory_order_relaxed);

	for (const struct hr_pool_cache *cache = pool->caches; cache; cache = cache->next)
		hits += atomic_load_explicit(&cache->hits, memory_order_relaxed);
	return hits;
}

/* Chunks that lie in caches. */
static uint32_t count_cached(const struct hr_pool *pool)
{
	const struct hr_pool_cache *cache;
	uint32_t n = 0;

	/* relaxed, both: numbers that need not agree. */
	for (cache = pool->caches; cache; cache = cache->next) {
		n += atomic_load_explicit(&cache->warmest, memory_order_relaxed) != NULL;
		n += hr_bitmap_weight(
			atomic_load_explicit(&cache->others, memory_order_relaxed));
	}
	return n;
}

uint32_t hr_pool_hit_rate(const struct hr_pool *pool)
{
	uint64_t hits = count_hits(pool);
	/* relaxed: the two need not agree. */
	uint64_t misses = atomic_load_explicit(&pool->misses, memory_order_relaxed);

	return (hits + misses) ? (uint32_t)(hits * 100 / (hits + misses)) : 100;
}

void hr_pool_get_stats(const struct hr_pool *pool, struct hr_pool_stats *stats)
{
	uint32_t n_grown = pool->limit - pool->initial - hr_bitmap_count(&pool->vacant);
	uint32_t n_inside = hr_bitmap_count(&pool->free) + count_cached(pool);

	stats->hits = count_hits(pool);
	/* relaxed: the counters need not agree. */
	stats->misses = atomic_load_explicit(&pool->misses, memory_order_relaxed);
	stats->allocated = pool->initial + n_grown;
	/* A chunk on its way between cache and pool may be seen in both. */
	stats->in_use = n_grown + (n_inside < pool->initial ? pool->initial - n_inside : 0);
	stats->initial = pool->initial;
	stats->limit = pool->limit;
}

int hr_pool_lock_memory(struct hr_pool *pool)
{
	return mlock(pool, pool->lock_bytes) < 0 ? -errno : 0;
}
