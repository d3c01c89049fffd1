/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* moodycamel::ConcurrentQueue: any threads; with tokens, as its authors advise for
 * speed. As a pool a queue of free buffers, one token for each side. */
#include <concurrentqueue/concurrentqueue.h>

#include "subject.h"

struct queue {
	/* Twice the room: a block is used again only when all of it is empty. */
	moodycamel::ConcurrentQueue<void *> items{2 * RING_CHUNKS, 2, 0};
	alignas(64) moodycamel::ProducerToken producer{items};
	alignas(64) moodycamel::ConsumerToken consumer{items};
};

static_assert(POOL_CHUNKS <= RING_CHUNKS, "there is room for the pool");

static void *ring_create()
{
	return new queue;
}

static void ring_destroy(void *ring)
{
	delete static_cast<queue *>(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	auto *q = static_cast<queue *>(ring);

	return q->items.try_enqueue(q->producer, item);
}

static inline void *ring_pop(void *ring)
{
	auto *q = static_cast<queue *>(ring);
	void *item;

	return q->items.try_dequeue(q->consumer, item) ? item : nullptr;
}

#include "ring_loops.h"

static void *pool_create(unsigned int)
{
	auto *q = new queue;

	for (uint64_t i = 0; i < POOL_CHUNKS; i++)
		ring_push(q, bench_item(i));
	return q;
}

static void pool_destroy(void *pool)
{
	ring_destroy(pool);
}

static inline void *pool_acquire(void *pool)
{
	return ring_pop(pool);
}

static inline void pool_release(void *pool, void *buffer)
{
	while (!ring_push(pool, buffer))
		;
}

#include "pool_loops.h"

extern "C" const struct subject subject_moodycamel_concurrent, subject_moodycamel_pool;
const struct subject subject_moodycamel_concurrent = {
	"moodycamel concurrent", &ring_ops, nullptr, nullptr
};
/* Of moodycamel's queues the only one for any threads, as a pool must be. */
const struct subject subject_moodycamel_pool = {
	"moodycamel", nullptr, nullptr, &pool_ops
};
