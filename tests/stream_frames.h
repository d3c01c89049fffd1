/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Frames that say where they belong and when they were written, for the tests
 * of the stream. Helpers return what they found; the tests judge it.
 */
#ifndef TESTS_STREAM_FRAMES_H
#define TESTS_STREAM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include "core/stream.h"

struct frame {
	uint64_t pos;
	uint32_t generation;
	uint32_t check;		/* of the two above: a torn frame fails it */
};

#define FRAME_POISON UINT32_MAX		/* generation of what was never committed */

static inline uint32_t frame_check(const struct frame *frame)
{
	return (uint32_t)frame->pos * 2654435761u ^ frame->generation * 40503u ^
	       (uint32_t)(frame->pos >> 32);
}

static inline struct frame frame_at(uint64_t pos, uint32_t generation)
{
	struct frame frame = { pos, generation, 0 };

	frame.check = frame_check(&frame);
	return frame;
}

static inline bool frame_is(const struct frame *frame, uint64_t pos)
{
	return frame->pos == pos && frame->check == frame_check(frame);
}

static inline struct frame *span_frames(const struct hr_span *span)
{
	return (struct frame *)(void *)span->chunk->data + span->offset;
}

/* Put n frames at the write position, chunk by chunk. Whatever of a span is not
 * committed holds poison. Returns how many there was room for. */
static inline uint32_t put_frames(struct hr_stream *stream, uint32_t n,
				  uint32_t generation, uint64_t now_ns)
{
	uint32_t done = 0;

	while (done < n) {
		uint64_t pos = hr_stream_write_pos(stream);
		struct hr_span span = hr_stream_write_begin(stream, now_ns);
		uint32_t part = n - done < span.frames ? n - done : span.frames;

		if (!span.frames)
			break;
		for (uint32_t i = 0; i < part; i++)
			span_frames(&span)[i] = frame_at(pos + i, generation);
		for (uint32_t i = part; i < span.frames; i++)
			span_frames(&span)[i] = frame_at(pos + i, FRAME_POISON);
		hr_stream_write_commit(stream, part);
		done += part;
	}
	return done;
}

/* Numbers that repeat for the same seed. */
static inline uint32_t next_random(uint32_t *seed)
{
	uint32_t x = *seed;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*seed = x;
	return x >> 3;
}

static inline uint32_t random_below(uint32_t *seed, uint32_t n)
{
	return next_random(seed) % n;
}

#endif
