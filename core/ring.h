/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Ring of chunk references between one producer and one consumer thread.
 *
 * The ring moves references, never samples: pushing a chunk hands it to the
 * consumer, popping it takes it over. Nothing here blocks, and nothing
 * allocates after hr_ring_create(), so both sides may be real-time.
 *
 * Who may call is given per function:
 *   [producer]  the one thread that pushes     [any]    any thread
 *   [consumer]  the one thread that pops       [setup]  no other call in progress
 *
 * Technique: a full slot is known by the slot itself, so that the consumer learns
 * of a chunk and gets its reference with one cache line (J. Giacomoni, T. Moseley,
 * M. Vachharajani: "FastForward for Efficient Pipeline Parallelism", PPoPP 2008).
 * Other than there the consumer does not empty it: the round in which a slot was
 * filled is marked in it, and how far the consumer is the producer asks only when
 * the room that it knows of is used up. So lines of slots travel one way, and the
 * producer never waits for one. See ring_inline.h.
 */
#ifndef HR_CORE_RING_H
#define HR_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include "core/chunk.h"

#define HR_RING_CAPACITY_MAX (1u << 20)		/* chunks */
#define HR_RING_THRESHOLD_DEFAULT 90u		/* percent */

struct hr_ring;

/* Counters of a ring since it was made. Counters of different sides, read while
 * both run, need not agree with each other. */
struct hr_ring_stats {
	uint64_t pushed;		/* chunks accepted */
	uint64_t popped;		/* chunks taken, by pop or clear */
	uint64_t refused;		/* pushes that found the ring full */
	uint32_t fill;			/* chunks queued now */
	uint32_t capacity;		/* chunks */
};

/**
 * Create an empty ring. [setup]
 *
 * capacity is in chunks: a power of two, 1..HR_RING_CAPACITY_MAX; all of it is
 * usable. The threshold is HR_RING_THRESHOLD_DEFAULT.
 * Returns 0, -EINVAL for a capacity out of these bounds, -ENOMEM. *ringp is
 * written only on success.
 */
int hr_ring_create(struct hr_ring **ringp, uint32_t capacity);

/** Free a ring. Chunks still queued are not given back to their pool: clear it
 * first. NULL is allowed. [setup] */
void hr_ring_destroy(struct hr_ring *ring);

/** Hand a chunk (not NULL) to the consumer. False if the ring is full: the
 * caller then still owns the chunk, and the refusal is counted. Wait-free.
 * [producer] */
static inline bool hr_ring_push(struct hr_ring *ring, struct hr_chunk *chunk)
	__attribute__((warn_unused_result));

/** Take the oldest chunk; NULL if the ring is empty. Wait-free. [consumer] */
static inline struct hr_chunk *hr_ring_pop(struct hr_ring *ring)
	__attribute__((warn_unused_result));

/** Look at the oldest chunk and leave it; NULL if empty. Wait-free. [consumer] */
static inline struct hr_chunk *hr_ring_peek(const struct hr_ring *ring);

/** Pop every queued chunk and hand each to give_back (NULL: nothing is done
 * with them). Returns how many there were; capacity at most, so that a producer
 * that goes on pushing cannot hold the consumer up. [consumer] */
uint32_t hr_ring_clear(struct hr_ring *ring,
		       void (*give_back)(struct hr_chunk *chunk, void *arg),
		       void *arg);

/** Chunks it can hold. [any] */
uint32_t hr_ring_capacity(const struct hr_ring *ring);

/** Chunks queued: 0..capacity, out of date when it returns. Not a promise about
 * the next push or pop. [any] */
uint32_t hr_ring_fill(const struct hr_ring *ring);

/** Fill in percent of the capacity, 0..100, rounded down. [any] */
uint32_t hr_ring_usage(const struct hr_ring *ring);

/** Set the threshold of hr_ring_is_above(), in percent, 1..100. Returns 0 or
 * -EINVAL. [any] */
int hr_ring_set_threshold(struct hr_ring *ring, uint32_t percent);

/** Whether the fill has reached the threshold: fill / capacity >= percent / 100,
 * computed without rounding. [any] */
bool hr_ring_is_above(const struct hr_ring *ring);

/** Copy of the counters. [any] */
void hr_ring_get_stats(const struct hr_ring *ring, struct hr_ring_stats *stats);

#include "core/ring_inline.h"

#endif
