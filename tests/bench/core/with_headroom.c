/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* headroom: the ring and the pool as the streams of the plugin use them. */
#include <stdlib.h>
#include <string.h>

#include "core/pool_cache.h"
#include "core/ring.h"
#include "subject.h"
#include "tests/bench/record.h"

static void *ring_create(void)
{
	struct hr_ring *ring;

	if (hr_ring_create(&ring, RING_CHUNKS) < 0)
		bench_die("headroom: no ring");
	return ring;
}

static void ring_destroy(void *ring)
{
	hr_ring_destroy(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	return hr_ring_push(ring, item);
}

static inline void *ring_pop(void *ring)
{
	return hr_ring_pop(ring);
}

#include "ring_loops.h"

#define FRAME_BYTES 8u		/* stereo, S32 */
#define PERIOD_BUFFERS (2 * PERIOD_CHUNKS)
#define TAKE_BACK_EVERY 8

/* A pool, and the caches of the thread that takes and of the one that gives. */
struct shared_pool {
	struct hr_pool *pool;
	struct hr_pool_cache caches[2];
	struct hr_pool_cache *giver;
};

static void *pool_create(unsigned int n_threads)
{
	struct shared_pool *shared = aligned_alloc(64, sizeof(*shared));

	if (hr_pool_create(&shared->pool, POOL_CHUNKS, POOL_CHUNKS, 256, FRAME_BYTES) < 0)
		bench_die("headroom: no pool");
	for (unsigned int i = 0; i < n_threads; i++)
		if (hr_pool_cache_open(&shared->caches[i], shared->pool, HR_POOL_CACHE_MAX) < 0)
			bench_die("headroom: no cache");
	shared->giver = &shared->caches[n_threads - 1];
	return shared;
}

static void pool_destroy(void *data)
{
	struct shared_pool *shared = data;

	hr_pool_destroy(shared->pool);
	free(shared);
}

static inline void *pool_acquire(void *data)
{
	struct shared_pool *shared = data;

	return hr_pool_cache_acquire(&shared->caches[0]);
}

static inline void pool_release(void *data, void *buffer)
{
	struct shared_pool *shared = data;

	(void)hr_pool_cache_release(shared->giver, buffer);
}

#include "pool_loops.h"

/* As core/stream.c has it: the writer alone takes chunks from the pool and gives them
 * back, by how far the reader is. */
struct way {
	struct hr_ring *ring;
	struct hr_pool *pool;
	struct hr_pool_cache cache;
	struct hr_chunk *out[PERIOD_BUFFERS];	/* by number */
	uint64_t pushed, back;		/* chunks */
	uint32_t frames;
	_Alignas(64) _Atomic uint64_t done;	/* chunks that the reader has left */
};

static void *period_create(uint32_t bytes)
{
	struct way *way = aligned_alloc(64, sizeof(*way));

	memset(way, 0, sizeof(*way));
	way->frames = bytes / FRAME_BYTES;
	if (hr_ring_create(&way->ring, PERIOD_CHUNKS) < 0 ||
	    hr_pool_create(&way->pool, PERIOD_BUFFERS, PERIOD_BUFFERS, way->frames,
			   FRAME_BYTES) < 0 ||
	    hr_pool_cache_open(&way->cache, way->pool, HR_POOL_CACHE_MAX) < 0)
		bench_die("headroom: no ring or no pool");
	return way;
}

static void period_destroy(void *data)
{
	struct way *way = data;

	hr_ring_destroy(way->ring);
	hr_pool_destroy(way->pool);
	free(way);
}

static inline struct hr_chunk *next_buffer(struct way *way)
{
	uint64_t done;

	if (way->pushed % TAKE_BACK_EVERY == 0 || way->pushed - way->back == PERIOD_BUFFERS) {
		/* acquire, pairs with the store in period_read(). */
		done = atomic_load_explicit(&way->done, memory_order_acquire);
		for (; way->back < done; way->back++)
			(void)hr_pool_cache_release(&way->cache,
						    way->out[way->back % PERIOD_BUFFERS]);
	}
	return hr_pool_cache_acquire(&way->cache);
}

static inline bool period_write(void *data, const void *from)
{
	struct way *way = data;
	struct hr_chunk *chunk = next_buffer(way);

	if (!chunk)
		return false;
	memcpy(chunk->data, from, (size_t)way->frames * FRAME_BYTES);
	hr_chunk_set_frames(chunk, way->frames);
	/* There are more chunks than places in the ring. */
	while (!hr_ring_push(way->ring, chunk))
		;
	way->out[way->pushed++ % PERIOD_BUFFERS] = chunk;
	return true;
}

static inline bool period_read(void *data, void *to)
{
	struct way *way = data;
	struct hr_chunk *chunk = hr_ring_pop(way->ring);

	if (!chunk)
		return false;
	memcpy(to, chunk->data, (size_t)hr_chunk_frames(chunk) * FRAME_BYTES);
	/* release, pairs with the load in next_buffer(): the chunk may be filled anew.
	 * relaxed the load: only this thread writes it. */
	atomic_store_explicit(&way->done,
			      atomic_load_explicit(&way->done, memory_order_relaxed) + 1,
			      memory_order_release);
	return true;
}

#include "period_loops.h"

const struct subject subject_headroom = { "headroom", &ring_ops, &period_ops, &pool_ops };
