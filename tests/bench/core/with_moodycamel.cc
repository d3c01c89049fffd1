/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* moodycamel::ReaderWriterQueue: one producer, one consumer. */
#include <readerwriterqueue/readerwriterqueue.h>

#include "subject.h"

using queue = moodycamel::ReaderWriterQueue<void *>;

static void *ring_create()
{
	return new queue(RING_CHUNKS);
}

static void ring_destroy(void *ring)
{
	delete static_cast<queue *>(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	return static_cast<queue *>(ring)->try_enqueue(item);
}

static inline void *ring_pop(void *ring)
{
	void *item;

	return static_cast<queue *>(ring)->try_dequeue(item) ? item : nullptr;
}

#include "ring_loops.h"

extern "C" const struct subject subject_moodycamel;
const struct subject subject_moodycamel = { "moodycamel", &ring_ops, nullptr, nullptr };
