/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Concurrency Kit: ck_ring for one producer and one consumer; as a pool a ck_ring of
 * free buffers for any threads, which is what its interface offers for that. */
#include <ck_ring.h>
#include <stdlib.h>

#include "subject.h"

struct ck {
	ck_ring_t ring;
	ck_ring_buffer_t *buffer;
};

static struct ck *ck_create(unsigned int chunks)
{
	struct ck *ck = aligned_alloc(64, (sizeof(*ck) + 63) / 64 * 64);

	/* One place stays empty. */
	ck->buffer = aligned_alloc(64, 2 * chunks * sizeof(*ck->buffer));
	ck_ring_init(&ck->ring, 2 * chunks);
	return ck;
}

static void ck_destroy(void *ring)
{
	struct ck *ck = ring;

	free(ck->buffer);
	free(ck);
}

static void *ring_create(void)
{
	return ck_create(RING_CHUNKS);
}

static void ring_destroy(void *ring)
{
	ck_destroy(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	struct ck *ck = ring;

	return ck_ring_enqueue_spsc(&ck->ring, ck->buffer, item);
}

static inline void *ring_pop(void *ring)
{
	struct ck *ck = ring;
	void *item;

	return ck_ring_dequeue_spsc(&ck->ring, ck->buffer, &item) ? item : NULL;
}

#include "ring_loops.h"

static void *pool_create(unsigned int n_threads)
{
	struct ck *ck = ck_create(POOL_CHUNKS);

	(void)n_threads;
	for (uint64_t i = 0; i < POOL_CHUNKS; i++)
		ck_ring_enqueue_mpmc(&ck->ring, ck->buffer, bench_item(i));
	return ck;
}

static void pool_destroy(void *pool)
{
	ck_destroy(pool);
}

static inline void *pool_acquire(void *pool)
{
	struct ck *ck = pool;
	void *buffer;

	return ck_ring_dequeue_mpmc(&ck->ring, ck->buffer, &buffer) ? buffer : NULL;
}

static inline void pool_release(void *pool, void *buffer)
{
	struct ck *ck = pool;

	ck_ring_enqueue_mpmc(&ck->ring, ck->buffer, buffer);
}

#include "pool_loops.h"

const struct subject subject_ck = { "ck", &ring_ops, NULL, &pool_ops };
