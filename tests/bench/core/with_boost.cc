/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Boost.Lockfree: spsc_queue; as a pool a stack of free buffers. Both are faster if
 * they know their capacity when they are compiled. */
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/lockfree/stack.hpp>

#include "subject.h"

namespace lockfree = boost::lockfree;
using queue = lockfree::spsc_queue<void *, lockfree::capacity<RING_CHUNKS>>;
using stack = lockfree::stack<void *, lockfree::capacity<POOL_CHUNKS>>;

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
	return static_cast<queue *>(ring)->push(item);
}

static inline void *ring_pop(void *ring)
{
	void *item;

	return static_cast<queue *>(ring)->pop(item) ? item : nullptr;
}

#include "ring_loops.h"

static void *pool_create(unsigned int)
{
	auto *pool = new stack;

	for (uint64_t i = 0; i < POOL_CHUNKS; i++)
		pool->push(bench_item(i));
	return pool;
}

static void pool_destroy(void *pool)
{
	delete static_cast<stack *>(pool);
}

static inline void *pool_acquire(void *pool)
{
	void *buffer;

	return static_cast<stack *>(pool)->pop(buffer) ? buffer : nullptr;
}

static inline void pool_release(void *pool, void *buffer)
{
	static_cast<stack *>(pool)->push(buffer);
}

#include "pool_loops.h"

extern "C" const struct subject subject_boost;
const struct subject subject_boost = { "boost", &ring_ops, nullptr, &pool_ops };
