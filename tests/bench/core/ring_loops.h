/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The loops that measure a ring. Included once by the file of a subject, after it
 * has defined
 *
 *   void *ring_create(void), void ring_destroy(void *ring)
 *   bool ring_push(void *ring, void *item)    false: no room
 *   void *ring_pop(void *ring)                NULL: empty
 *
 * Defines ring_ops. C and C++.
 */
#include "subject.h"

static uint64_t ring_one_thread(void *ring, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		if (ring_push(ring, bench_item(i)))
			sum += bench_item_number(ring_pop(ring));
	}
	return sum;
}

static void ring_push_waiting(void *ring, void *item)
{
	while (!ring_push(ring, item))
		;
}

static void *ring_pop_waiting(void *ring)
{
	void *item;

	while (!(item = ring_pop(ring)))
		;
	return item;
}

static void ring_produce(void *ring, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		ring_push_waiting(ring, bench_item(i));
}

static uint64_t ring_consume(void *ring, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += bench_item_number(ring_pop_waiting(ring));
	return sum;
}

static void ring_ping(void *there, void *back, uint64_t n)
{
	void *item = bench_item(1);

	for (uint64_t i = 0; i < n; i++) {
		ring_push_waiting(there, item);
		item = ring_pop_waiting(back);
	}
}

static void ring_pong(void *there, void *back, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		ring_push_waiting(back, ring_pop_waiting(there));
}

static int ring_push_one(void *ring, void *item)
{
	return ring_push(ring, item);
}

static void *ring_pop_one(void *ring)
{
	return ring_pop(ring);
}

static const struct ring_ops ring_ops = {
	ring_create, ring_destroy, ring_one_thread, ring_produce, ring_consume,
	ring_ping, ring_pong, ring_push_one, ring_pop_one,
};
