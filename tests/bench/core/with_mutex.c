/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* A mutex around an array: what a queue is without any of this. A period is put into
 * memory of its own, allocated and freed for it. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "subject.h"

struct queue {
	pthread_mutex_t mutex;
	uint32_t capacity;		/* a power of two */
	uint32_t bytes;			/* of a period */
	uint64_t head, tail;
	void *items[];
};

static struct queue *queue_create(uint32_t capacity)
{
	struct queue *queue = calloc(1, sizeof(*queue) + capacity * sizeof(void *));

	pthread_mutex_init(&queue->mutex, NULL);
	queue->capacity = capacity;
	return queue;
}

static void queue_destroy(void *ring)
{
	struct queue *queue = ring;

	pthread_mutex_destroy(&queue->mutex);
	free(queue);
}

static inline bool queue_push(struct queue *queue, void *item)
{
	bool has_room;

	pthread_mutex_lock(&queue->mutex);
	has_room = queue->tail - queue->head < queue->capacity;
	if (has_room)
		queue->items[queue->tail++ & (queue->capacity - 1)] = item;
	pthread_mutex_unlock(&queue->mutex);
	return has_room;
}

static inline void *queue_pop(struct queue *queue)
{
	void *item = NULL;

	pthread_mutex_lock(&queue->mutex);
	if (queue->head < queue->tail)
		item = queue->items[queue->head++ & (queue->capacity - 1)];
	pthread_mutex_unlock(&queue->mutex);
	return item;
}

static void *ring_create(void)
{
	return queue_create(RING_CHUNKS);
}

static void ring_destroy(void *ring)
{
	queue_destroy(ring);
}

static inline bool ring_push(void *ring, void *item)
{
	return queue_push(ring, item);
}

static inline void *ring_pop(void *ring)
{
	return queue_pop(ring);
}

#include "ring_loops.h"

static void *period_create(uint32_t bytes)
{
	struct queue *queue = queue_create(PERIOD_CHUNKS);

	queue->bytes = bytes;
	return queue;
}

static void period_destroy(void *way)
{
	queue_destroy(way);
}

static inline bool period_write(void *way, const void *from)
{
	struct queue *queue = way;
	void *period = malloc(queue->bytes);

	if (!period)
		return false;
	memcpy(period, from, queue->bytes);
	while (!queue_push(queue, period))
		;
	return true;
}

static inline bool period_read(void *way, void *to)
{
	struct queue *queue = way;
	void *period = queue_pop(queue);

	if (!period)
		return false;
	memcpy(to, period, queue->bytes);
	free(period);
	return true;
}

#include "period_loops.h"

static void *pool_create(unsigned int n_threads)
{
	struct queue *queue = queue_create(POOL_CHUNKS);

	(void)n_threads;
	for (uint64_t i = 0; i < POOL_CHUNKS; i++)
		queue_push(queue, bench_item(i));
	return queue;
}

static void pool_destroy(void *pool)
{
	queue_destroy(pool);
}

static inline void *pool_acquire(void *pool)
{
	return queue_pop(pool);
}

static inline void pool_release(void *pool, void *buffer)
{
	(void)queue_push(pool, buffer);
}

#include "pool_loops.h"

const struct subject subject_mutex = { "mutex", &ring_ops, &period_ops, &pool_ops };
