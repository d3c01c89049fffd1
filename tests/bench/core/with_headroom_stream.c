/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* headroom, by the interface that the plugin uses: frames by position, with the
 * health monitor that counts them. The time is given, as it is taken once a period. */
#include <stdlib.h>
#include <string.h>

#include "core/stream.h"
#include "subject.h"
#include "tests/bench/record.h"

#define FRAME_BYTES 8u		/* stereo, S32 */
#define RATE 48000u

struct way {
	/* Constant. */
	struct hr_stream *stream;
	struct hr_health *health;
	uint32_t frames;
	/* The reader's. */
	uint64_t read_pos __attribute__((aligned(64)));
};

static void *period_create(uint32_t bytes)
{
	struct way *way = aligned_alloc(64, sizeof(*way));
	struct hr_stream_config config = {
		.chunk_frames = bytes / FRAME_BYTES,
		.frame_bytes = FRAME_BYTES,
		.rate = RATE,
		.capacity_frames = (uint64_t)(PERIOD_CHUNKS - 1) * (bytes / FRAME_BYTES),
	};

	way->frames = bytes / FRAME_BYTES;
	way->read_pos = 0;
	if (hr_health_create(&way->health, HR_HEALTH_WINDOW_DEFAULT) < 0)
		bench_die("headroom: no health monitor");
	(void)hr_health_open(way->health, HR_HEALTH_WINDOW_DEFAULT, 1);
	config.health = way->health;
	if (hr_stream_create(&way->stream, &config) < 0)
		bench_die("headroom: no stream");
	return way;
}

static void period_destroy(void *data)
{
	struct way *way = data;

	hr_stream_destroy(way->stream);
	hr_health_destroy(way->health);
	free(way);
}

static inline bool period_write(void *data, const void *from)
{
	struct way *way = data;
	struct hr_span span = hr_stream_write_begin(way->stream, 1);

	if (!span.frames)
		return false;
	memcpy(span.chunk->data, from, (size_t)span.frames * FRAME_BYTES);
	hr_stream_write_commit(way->stream, span.frames);
	return true;
}

static inline bool period_read(void *data, void *to)
{
	struct way *way = data;
	struct hr_span span = hr_stream_read_begin(way->stream, way->read_pos, 2);

	if (!span.frames)
		return false;
	memcpy(to, span.chunk->data, (size_t)span.frames * FRAME_BYTES);
	way->read_pos += span.frames;
	hr_stream_read_done(way->stream, way->read_pos, 2);
	return true;
}

#include "period_loops.h"

const struct subject subject_headroom_stream = {
	"headroom stream", NULL, &period_ops, NULL
};
