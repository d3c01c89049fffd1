/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Pool of chunk buffers, allocated beforehand, lock-free for any number of
 * threads.
 *
 * A place in the pool is a bit in a word: set is free. Taking a place clears
 * its bit, giving back sets it, each by one compare-and-swap on the word, which
 * holds the whole truth about its places: there is no pointer that could be
 * recycled between a look and a swap, hence no ABA. The lowest free place is
 * taken first, so a lightly used pool keeps to a few warm buffers.
 *
 * The first `initial` places are filled at creation and kept for good. Places
 * up to `limit` are filled on demand, only for a caller that says it may
 * allocate, and freed again as soon as their chunk is released.
 *
 * Who may call is given per function:
 *   [any]    any thread, any number at once
 *   [setup]  no other call in progress
 */
#ifndef HR_CORE_POOL_H
#define HR_CORE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "core/chunk.h"

#define HR_POOL_LIMIT_MAX (1u << 20)	/* chunks */

struct hr_pool;

enum hr_pool_growth {
	HR_POOL_FIXED,		/* never allocate: the streaming path */
	HR_POOL_MAY_GROW,	/* allocate up to the limit */
};

/* Counters since creation; read while the pool is used they need not agree. */
struct hr_pool_stats {
	uint64_t hits;		/* acquired from what was there */
	uint64_t misses;	/* nothing was there: grown or refused */
	uint32_t allocated;	/* chunks that exist, in the pool or out of it */
	uint32_t in_use;	/* chunks out of it */
	uint32_t initial;
	uint32_t limit;
};

/**
 * Create a pool with `initial` chunks of capacity_frames frames of frame_bytes
 * bytes, zeroed. [setup]
 *
 * 0 <= initial <= limit, 1 <= limit <= HR_POOL_LIMIT_MAX, capacity_frames and
 * frame_bytes not 0, payload of one chunk below 2^31 bytes.
 * Every page of the payloads is touched, so that no later use faults.
 * Returns 0, -EINVAL, -ENOMEM. *poolp is written only on success.
 */
int hr_pool_create(struct hr_pool **poolp, uint32_t initial, uint32_t limit,
		   uint32_t capacity_frames, uint32_t frame_bytes);

/** Free the pool and every chunk it made, also those still out. NULL is
 * allowed. [setup] */
void hr_pool_destroy(struct hr_pool *pool);

/**
 * Take a chunk: reset, that is frames, seq, time_ns and rate 0, so that nothing
 * of its former content can be read. [any]
 *
 * NULL when none is free and growth is HR_POOL_FIXED, the limit is reached or
 * memory is out. Lock-free; with HR_POOL_FIXED it never allocates. Threads that
 * together never hold or ask for more than `initial` chunks never miss.
 */
struct hr_chunk *hr_pool_acquire(struct hr_pool *pool, enum hr_pool_growth growth)
	__attribute__((warn_unused_result));

/**
 * Give a chunk back. NULL is allowed. [any]
 *
 * The payload of a chunk beyond the first `initial` is freed: this is not for
 * the streaming path unless the pool was created with initial == limit.
 * Returns 0; -EINVAL for a chunk of another pool and -EALREADY for one that is
 * already back, which are left alone (checked in every build: it costs nothing,
 * and reads nothing behind a pointer that is not this pool's).
 * Not to be told from a rightful release, and hence not refused: giving back a
 * second time what another thread has acquired, or put into its cache
 * (core/pool_cache.h), in between.
 */
int hr_pool_release(struct hr_pool *pool, struct hr_chunk *chunk);

/** Reset counters to zero. Chunks stay where they are. [setup] */
void hr_pool_clear(struct hr_pool *pool);

/** hits / (hits + misses) in percent, rounded down; 100 before the first
 * acquire. [any] */
uint32_t hr_pool_hit_rate(const struct hr_pool *pool);

/** Copy of the counters. [any] */
void hr_pool_get_stats(const struct hr_pool *pool, struct hr_pool_stats *stats);

/** Lock the pool and its first `initial` chunks into memory, so that they are
 * never paged out; what grows is not for the streaming path and stays unlocked.
 * Undone by hr_pool_destroy(). Returns 0, or -errno of mlock (-ENOMEM, -EPERM,
 * -EAGAIN): then all works, unlocked. [setup] */
int hr_pool_lock_memory(struct hr_pool *pool);

#endif
