/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The three calls of core/ring.h that a stream makes for each chunk, and what the
 * ring is made of. Included by core/ring.h; nobody else looks inside.
 *
 * Which cache line moves when, from one processor to the other:
 *
 *   a line of slots   to the consumer, once for all that was pushed into it since
 *                     its last look: it carries the news and the reference. Back to
 *                     the producer only by its next store, for which it does not
 *                     wait: it never loads a slot, and a store that waits for its
 *                     line lies in the store buffer, those after it too.
 *   popped            to the producer, once for all that was popped since its last
 *                     look, which it takes when the room of that look is used up:
 *                     once in `capacity` chunks while the consumer keeps up.
 *
 * Fewer will not do: a chunk cannot be known without a line from the producer, nor
 * room without one from the consumer. `pushed` and its line are asked for by
 * bystanders only.
 *
 * How a slot says that it is full: the lowest bit of a reference is free, and is
 * set in every second round through the slots. A slot is full for a consumer that
 * finds its own round's bit there. One bit will do, because a slot holds nothing but
 * a reference of this round or of the last one: the producer is never more than one
 * round ahead.
 */
#ifndef HR_CORE_RING_INLINE_H
#define HR_CORE_RING_INLINE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include "core/line.h"
#include "core/ring.h"

struct hr_ring {
	/* Set by create, constant from then on; the threshold changes about as
	 * often as a user touches a mixer, so it may share their line. */
	alignas(HR_LINE) uint32_t capacity;
	uint32_t mask;
	_Atomic uint32_t threshold_percent;

	/* Written by the producer; room_end is private to it. */
	alignas(HR_LINE) _Atomic uint64_t pushed;	/* chunks; next slot, masked */
	uint64_t room_end;		/* pushed may go so far without another look */
	_Atomic uint64_t refused;

	/* Written by the consumer. */
	alignas(HR_LINE) _Atomic uint64_t popped;	/* chunks; next slot, masked */

	/* Reference and mark of the round. Written by the producer only. */
	alignas(HR_LINE) _Atomic uintptr_t slots[];
};

_Static_assert(alignof(struct hr_chunk) > 1, "the lowest bit of a reference is free");

/* The mark of the round that a position belongs to: 0 or 1. */
static inline uintptr_t hr_ring_mark(const struct hr_ring *ring, uint64_t position)
{
	return (position & ring->capacity) != 0;
}

/* See how far the consumer is. False, and a refusal, if the ring is full. [producer] */
bool hr_ring_look_for_room(struct hr_ring *ring);

static inline bool hr_ring_push(struct hr_ring *ring, struct hr_chunk *chunk)
{
	/* relaxed: only the producer writes it. */
	uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);

	if (__builtin_expect(pushed == ring->room_end, 0) && !hr_ring_look_for_room(ring))
		return false;
	/* relaxed: the store to the slot below carries it to the consumer, and the
	 * consumer's count carries it on to hr_ring_fill(). Before the slot, so that
	 * a chunk is counted in before it can be taken: popped <= pushed. */
	atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_relaxed);
	/* release, pairs with the load in hr_ring_at(): the chunk, its payload
	 * and the count are visible to whoever finds it in the slot. */
	atomic_store_explicit(&ring->slots[pushed & ring->mask],
			      (uintptr_t)chunk | hr_ring_mark(ring, pushed),
			      memory_order_release);
	return true;
}

/* The chunk of a position. False if it has not been pushed yet. [consumer] */
static inline bool hr_ring_at(const struct hr_ring *ring, uint64_t position,
			      struct hr_chunk **chunkp)
{
	/* acquire, pairs with the store in hr_ring_push(): without it the consumer
	 * could read the chunk as it was before the producer filled it. */
	uintptr_t slot = atomic_load_explicit(&ring->slots[position & ring->mask],
					      memory_order_acquire);
	uintptr_t unmarked = slot ^ hr_ring_mark(ring, position);

	*chunkp = (struct hr_chunk *)unmarked;
	return !(unmarked & 1);
}

static inline struct hr_chunk *hr_ring_peek(const struct hr_ring *ring)
{
	struct hr_chunk *chunk;
	/* relaxed: only the consumer writes it. */
	uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);

	return hr_ring_at(ring, popped, &chunk) ? chunk : NULL;
}

static inline struct hr_chunk *hr_ring_pop(struct hr_ring *ring)
{
	struct hr_chunk *chunk;
	/* relaxed: only the consumer writes it. */
	uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);

	if (!hr_ring_at(ring, popped, &chunk))
		return NULL;
	/* release, pairs with the load in hr_ring_look_for_room(): the slot has been
	 * read before the producer fills it anew, and the producer may take from the
	 * count that we are done with all chunks popped before this one. Pairs also
	 * with the load in hr_ring_fill(): who sees this chunk counted out sees it
	 * counted in. */
	atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
	return chunk;
}

#endif
