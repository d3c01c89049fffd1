/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A chunk: one period of frames on its way between two threads.
 *
 * Chunks are made by a pool (core/pool.h), filled by one thread, handed over by
 * reference through a ring (core/ring.h), read by the other thread and given
 * back to the pool. To the core a frame is frame_bytes bytes.
 *
 * A chunk may be pushed as soon as it holds its first frame and may grow after
 * that: its frame count is atomic, and a reader that has seen a count may read
 * that many frames.
 *
 * Who may call is given per function:
 *   [writer]  the one thread that fills the chunk     [any]  any thread
 *   [reader]  the one thread that empties it
 */
#ifndef HR_CORE_CHUNK_H
#define HR_CORE_CHUNK_H

#include <stdatomic.h>
#include <stdint.h>
#include "core/clock.h"

#define HR_CHUNK_ALIGN 64u	/* bytes: a cache line, and the widest SIMD load */

struct hr_pool;

struct hr_chunk {
	/* Set by the pool when the chunk is made, constant from then on. */
	struct hr_pool *pool;		/* where it must be given back */
	unsigned char *data;		/* payload, HR_CHUNK_ALIGN-aligned */
	uint32_t index;			/* its place in the pool */
	uint32_t capacity_frames;
	uint32_t frame_bytes;
	/* Set by the writer before the chunk is pushed. */
	uint32_t rate;			/* Hz */
	uint64_t seq;			/* sequence number in its stream */
	uint64_t time_ns;		/* CLOCK_MONOTONIC of the first frame */
	/* Grows while the chunk is in the ring; 0 in a chunk fresh from the pool. */
	_Atomic uint32_t frames;
};

/** Frames that may be read now: 0..capacity_frames. [any] */
static inline uint32_t hr_chunk_frames(const struct hr_chunk *chunk)
{
	/* acquire, pairs with the store in hr_chunk_set_frames(): the payload of
	 * every frame counted here has been written. */
	return atomic_load_explicit(&chunk->frames, memory_order_acquire);
}

/** Announce that the first frames of the payload are written. [writer] */
static inline void hr_chunk_set_frames(struct hr_chunk *chunk, uint32_t frames)
{
	/* release, pairs with the load in hr_chunk_frames(): a reader that sees
	 * the count sees the payload. */
	atomic_store_explicit(&chunk->frames, frames, memory_order_release);
}

/** Duration of the frames it holds now, in ns, rounded down; 0 while its rate
 * is not set. [any] */
static inline uint64_t hr_chunk_duration_ns(const struct hr_chunk *chunk)
{
	return chunk->rate ? hr_frames_to_ns(hr_chunk_frames(chunk), chunk->rate) : 0;
}

#endif
