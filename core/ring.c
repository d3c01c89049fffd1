/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "core/ring.h"
#include "core/ring_internal.h"

/* Otherwise libatomic would take a lock behind our back, in both threads. */
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "pointers must be lock-free");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit counts must be lock-free");
_Static_assert(HR_RING_CAPACITY_MAX <= UINT32_MAX / 100, "percents fit 32 bits");

static bool capacity_is_valid(uint32_t capacity)
{
	return capacity > 0 && capacity <= HR_RING_CAPACITY_MAX &&
	       (capacity & (capacity - 1)) == 0;
}

/* Bytes of a ring, in whole cache lines as aligned_alloc() wants them. */
static size_t ring_bytes(uint32_t capacity)
{
	size_t bytes = sizeof(struct hr_ring) +
		       capacity * sizeof(_Atomic uintptr_t);

	return (bytes + HR_LINE - 1) / HR_LINE * HR_LINE;
}

int hr_ring_create_at(struct hr_ring **ringp, uint32_t capacity, uint64_t passed)
{
	struct hr_ring *ring;

	if (!capacity_is_valid(capacity))
		return -EINVAL;
	ring = aligned_alloc(HR_LINE, ring_bytes(capacity));
	if (!ring)
		return -ENOMEM;

	ring->capacity = capacity;
	ring->mask = capacity - 1;
	atomic_init(&ring->threshold_percent, HR_RING_THRESHOLD_DEFAULT);
	ring->room_end = passed + capacity;
	atomic_init(&ring->pushed, passed);
	atomic_init(&ring->refused, 0);
	atomic_init(&ring->popped, passed);
	/* As if filled in the round before. Also touches every page of the slots, so
	 * that no push faults. */
	for (uint32_t i = 0; i < capacity; i++)
		atomic_init(&ring->slots[(passed + i) & ring->mask],
			    hr_ring_mark(ring, passed + i) ^ 1);
	*ringp = ring;
	return 0;
}

int hr_ring_create(struct hr_ring **ringp, uint32_t capacity)
{
	return hr_ring_create_at(ringp, capacity, 0);
}

void hr_ring_destroy(struct hr_ring *ring)
{
	free(ring);
}

static void count_refusal(struct hr_ring *ring)
{
	/* relaxed, and no read-modify-write: only the producer writes it, and it
	 * announces nothing. */
	uint64_t refused = atomic_load_explicit(&ring->refused, memory_order_relaxed);

	atomic_store_explicit(&ring->refused, refused + 1, memory_order_relaxed);
}

bool hr_ring_look_for_room(struct hr_ring *ring)
{
	/* acquire, pairs with the store in hr_ring_pop(): what the consumer did before
	 * it counted a chunk out is over, its look at the slot included. */
	ring->room_end = atomic_load_explicit(&ring->popped, memory_order_acquire) +
			 ring->capacity;
	/* relaxed: only the producer writes it. */
	if (atomic_load_explicit(&ring->pushed, memory_order_relaxed) != ring->room_end)
		return true;
	count_refusal(ring);
	return false;
}

uint32_t hr_ring_clear(struct hr_ring *ring,
		       void (*give_back)(struct hr_chunk *chunk, void *arg),
		       void *arg)
{
	struct hr_chunk *chunk;
	uint32_t n_cleared = 0;

	/* No more than this can have been queued at the start: a producer that
	 * goes on pushing must not keep us here. */
	while (n_cleared < ring->capacity && (chunk = hr_ring_pop(ring))) {
		n_cleared++;
		if (give_back)
			give_back(chunk, arg);
	}
	return n_cleared;
}

uint32_t hr_ring_capacity(const struct hr_ring *ring)
{
	return ring->capacity;
}

uint32_t hr_ring_fill(const struct hr_ring *ring)
{
	/* acquire, pairs with the store in hr_ring_pop(): else pushed could be the
	 * older of the two and the fill negative. */
	uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
	/* relaxed: any value at least as new as popped will do. */
	uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);

	return hr_ring_fill_between(ring->capacity, popped, pushed);
}

uint32_t hr_ring_usage(const struct hr_ring *ring)
{
	return hr_ring_fill(ring) * 100u / ring->capacity;
}

int hr_ring_set_threshold(struct hr_ring *ring, uint32_t percent)
{
	if (percent < 1 || percent > 100)
		return -EINVAL;
	/* relaxed: a value on its own, nothing else changes with it. */
	atomic_store_explicit(&ring->threshold_percent, percent, memory_order_relaxed);
	return 0;
}

bool hr_ring_is_above(const struct hr_ring *ring)
{
	/* relaxed: see hr_ring_set_threshold(). */
	uint32_t percent = atomic_load_explicit(&ring->threshold_percent,
						memory_order_relaxed);

	return hr_ring_fill(ring) * 100u >= percent * ring->capacity;
}

void hr_ring_get_stats(const struct hr_ring *ring, struct hr_ring_stats *stats)
{
	/* acquire, pairs with the store in hr_ring_pop(), as in hr_ring_fill(). */
	stats->popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
	/* relaxed, these two: each is a number on its own. */
	stats->pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
	stats->refused = atomic_load_explicit(&ring->refused, memory_order_relaxed);
	stats->capacity = ring->capacity;
	stats->fill = hr_ring_fill_between(ring->capacity, stats->popped,
					   stats->pushed);
}
