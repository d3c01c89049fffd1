/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a pool is made of, for pool.c and pool_cache.[ch].
 */
#ifndef HR_CORE_POOL_INTERNAL_H
#define HR_CORE_POOL_INTERNAL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "core/bitmap.h"
#include "core/chunk.h"
#include "core/line.h"

#if defined(__SANITIZE_ADDRESS__)
#define HR_HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HR_HAVE_ASAN 1
#endif
#endif

#ifdef HR_HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

struct hr_pool_cache;

struct hr_pool_place {
	/* On a line of its own: neighbours are used by different threads. */
	alignas(HR_LINE) struct hr_chunk chunk;
	/* The payload if it was grown, freed by the one who swaps it for NULL;
	 * NULL otherwise, which the fresh mapping is already. */
	_Atomic(unsigned char *) grown;
};

_Static_assert(sizeof(struct hr_pool_place) == HR_LINE, "a chunk is one line");

struct hr_pool {
	/* Set by create, constant from then on. */
	struct hr_bitmap free;
	struct hr_bitmap vacant;
	struct hr_pool_place *places;	/* limit of them */
	size_t payload_bytes;		/* of one chunk */
	size_t map_bytes;		/* the mapping, which starts with this struct */
	size_t lock_bytes;		/* the part of it that the first initial need */
	uint32_t initial;
	uint32_t limit;
	uint32_t capacity_frames;
	uint32_t frame_bytes;
	struct hr_pool_cache *caches;	/* open ones; changed in [setup] only */
	/* Written by every acquire, apart from what every call reads. */
	alignas(HR_LINE) _Atomic uint64_t hits;
	_Atomic uint64_t misses;
};

/* Nothing of what a chunk held before is to be read: all that a user may look at is
 * as in a new one, and the payload may be used. [the taker] */
static inline struct hr_chunk *hr_pool_reset_chunk(struct hr_chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk->data,
				    (size_t)chunk->capacity_frames * chunk->frame_bytes);
	chunk->rate = 0;
	chunk->seq = 0;
	chunk->time_ns = 0;
	/* relaxed: nobody else has the chunk, the ring's push publishes it. */
	atomic_store_explicit(&chunk->frames, 0, memory_order_relaxed);
	return chunk;
}

/* Its payload may not be used. Without a sanitizer this is nothing. [the giver] */
static inline void hr_pool_poison_chunk(const struct hr_chunk *chunk)
{
	ASAN_POISON_MEMORY_REGION(chunk->data,
				  (size_t)chunk->capacity_frames * chunk->frame_bytes);
}

/* The index of a chunk among the places, from its address alone: what lies behind a
 * pointer that is not the pool's must not be read. More than any index if it is none
 * of them. */
static inline uint64_t hr_pool_index(const struct hr_pool_place *places,
				     const struct hr_chunk *chunk)
{
	/* A pointer below the places wraps to an offset far above them, and so does,
	 * turned round, one that is not where a place begins. */
	uint64_t offset = (uint64_t)((uintptr_t)chunk - (uintptr_t)places);

	return offset >> 6 | offset << 58;
}

#endif
