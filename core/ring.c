/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Each side walks the slots with an index of its own and learns from the slot
 * alone whether it may go on, so in the steady state the only cache line that
 * travels between the two is the one that holds the slot.
 *
 * The counts `pushed` and `popped` are for bystanders. Each is published before
 * the slot operation it counts, which makes them agree with the slots at every
 * instant, not only between calls:
 *
 *   popped <= pushed            a chunk is counted in before it can be taken
 *   pushed <= popped + capacity a chunk is counted out before its slot is reused
 */
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "core/ring.h"
#include "core/ring_internal.h"

#define CACHE_LINE 64u

/* Otherwise libatomic would take a lock behind our back, in both threads. */
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "pointers must be lock-free");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit counts must be lock-free");
_Static_assert(HR_RING_CAPACITY_MAX <= UINT32_MAX / 100, "percents fit 32 bits");

struct hr_ring {
	/* Set by create, constant from then on; the threshold changes about as
	 * often as a user touches a mixer, so it may share their line. */
	alignas(CACHE_LINE) uint32_t capacity;
	uint32_t mask;
	_Atomic uint32_t threshold_percent;

	/* Written by the producer. The plain members are private to it: that they
	 * are not atomic lets TSan name a second producer. */
	alignas(CACHE_LINE) uint64_t tail;	/* chunks pushed; next slot, masked */
	uint64_t popped_seen;		/* lower bound of popped */
	_Atomic uint64_t pushed;
	_Atomic uint64_t refused;
	_Atomic uint32_t high_water;

	/* Written by the consumer; plain and private likewise. */
	alignas(CACHE_LINE) uint64_t head;	/* chunks popped; next slot, masked */
	_Atomic uint64_t popped;

	/* NULL is empty. The producer fills empty slots, the consumer empties
	 * full ones: no slot is ever written by both at once. */
	alignas(CACHE_LINE) _Atomic(struct hr_chunk *) slots[];
};

static bool capacity_is_valid(uint32_t capacity)
{
	return capacity > 0 && capacity <= HR_RING_CAPACITY_MAX &&
	       (capacity & (capacity - 1)) == 0;
}

/* Bytes of a ring, in whole cache lines as aligned_alloc() wants them. */
static size_t ring_bytes(uint32_t capacity)
{
	size_t bytes = sizeof(struct hr_ring) +
		       capacity * sizeof(_Atomic(struct hr_chunk *));

	return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

int hr_ring_create_at(struct hr_ring **ringp, uint32_t capacity, uint64_t passed)
{
	struct hr_ring *ring;

	if (!capacity_is_valid(capacity))
		return -EINVAL;
	ring = aligned_alloc(CACHE_LINE, ring_bytes(capacity));
	if (!ring)
		return -ENOMEM;

	ring->capacity = capacity;
	ring->mask = capacity - 1;
	atomic_init(&ring->threshold_percent, HR_RING_THRESHOLD_DEFAULT);
	ring->tail = passed;
	ring->popped_seen = passed;
	atomic_init(&ring->pushed, passed);
	atomic_init(&ring->refused, 0);
	atomic_init(&ring->high_water, 0);
	ring->head = passed;
	atomic_init(&ring->popped, passed);
	/* Also touches every page of the slots, so that no push faults. */
	for (uint32_t i = 0; i < capacity; i++)
		atomic_init(&ring->slots[i], NULL);
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

/* Called with the chunk about to be queued already counted in tail. The count
 * kept from an earlier look errs towards too many queued, so the consumer's line
 * is loaded only when that would make a new record. */
static void update_high_water(struct hr_ring *ring)
{
	/* relaxed: only the producer writes it. */
	uint32_t high_water = atomic_load_explicit(&ring->high_water,
						   memory_order_relaxed);
	uint64_t fill;

	if (ring->tail - ring->popped_seen <= high_water)
		return;
	/* relaxed: a late value gives a fill that is too high, and never above the
	 * capacity, because the slot just found empty was counted out before: see
	 * hr_ring_pop(). */
	ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_relaxed);
	fill = ring->tail - ring->popped_seen;
	if (fill > high_water)
		/* relaxed: a number for statistics, it announces nothing. */
		atomic_store_explicit(&ring->high_water, (uint32_t)fill,
				      memory_order_relaxed);
}

bool hr_ring_push(struct hr_ring *ring, struct hr_chunk *chunk)
{
	_Atomic(struct hr_chunk *) *slot = &ring->slots[ring->tail & ring->mask];

	/* acquire, pairs with the store of NULL in hr_ring_pop(): what the consumer
	 * did before it emptied the slot is over and visible, its count included. */
	if (atomic_load_explicit(slot, memory_order_acquire)) {
		count_refusal(ring);
		return false;
	}
	ring->tail++;
	update_high_water(ring);
	/* relaxed: the store to the slot below carries it to the consumer, and the
	 * consumer's count carries it on to hr_ring_fill(). */
	atomic_store_explicit(&ring->pushed, ring->tail, memory_order_relaxed);
	/* release, pairs with the load in hr_ring_peek(): the chunk, its payload
	 * and the count are visible to whoever finds it in the slot. */
	atomic_store_explicit(slot, chunk, memory_order_release);
	return true;
}

struct hr_chunk *hr_ring_peek(const struct hr_ring *ring)
{
	/* acquire, pairs with the store in hr_ring_push(): without it the consumer
	 * could read the chunk as it was before the producer filled it. */
	return atomic_load_explicit(&ring->slots[ring->head & ring->mask],
				    memory_order_acquire);
}

struct hr_chunk *hr_ring_pop(struct hr_ring *ring)
{
	_Atomic(struct hr_chunk *) *slot = &ring->slots[ring->head & ring->mask];
	struct hr_chunk *chunk = hr_ring_peek(ring);

	if (!chunk)
		return NULL;
	ring->head++;
	/* release, pairs with the load in hr_ring_fill(): who sees this chunk
	 * counted out also sees it counted in. */
	atomic_store_explicit(&ring->popped, ring->head, memory_order_release);
	/* release, pairs with the load in hr_ring_push(): the producer must not
	 * reuse the slot and miss the count, and may take from it that we are done
	 * with all chunks popped before this one. */
	atomic_store_explicit(slot, NULL, memory_order_release);
	return chunk;
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
	/* relaxed, these three: each is a number on its own. */
	stats->pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
	stats->refused = atomic_load_explicit(&ring->refused, memory_order_relaxed);
	stats->high_water = atomic_load_explicit(&ring->high_water,
						 memory_order_relaxed);
	stats->capacity = ring->capacity;
	stats->fill = hr_ring_fill_between(ring->capacity, stats->popped,
					   stats->pushed);
}
