/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* jack_ringbuffer: bytes, copied in and out. */
#include <jack/ringbuffer.h>
#include <stdbool.h>
#include <stdlib.h>

#include "subject.h"

struct way {
	jack_ringbuffer_t *ring;
	uint32_t bytes;			/* of a period */
};

static inline bool bytes_write(jack_ringbuffer_t *ring, const void *from, size_t bytes)
{
	if (jack_ringbuffer_write_space(ring) < bytes)
		return false;
	jack_ringbuffer_write(ring, from, bytes);
	return true;
}

static inline bool bytes_read(jack_ringbuffer_t *ring, void *to, size_t bytes)
{
	if (jack_ringbuffer_read_space(ring) < bytes)
		return false;
	jack_ringbuffer_read(ring, to, bytes);
	return true;
}

/* One byte stays empty, and the size is a power of two: twice the room. */
static jack_ringbuffer_t *bytes_create(size_t bytes)
{
	jack_ringbuffer_t *ring = jack_ringbuffer_create(bytes + 1);

	/* Touches every page. */
	jack_ringbuffer_mlock(ring);
	return ring;
}

static void *ring_create(void)
{
	return bytes_create(RING_CHUNKS * sizeof(void *));
}

static void ring_destroy(void *ring)
{
	jack_ringbuffer_free(ring);
}

#include "ring_of_bytes.h"

static void *period_create(uint32_t bytes)
{
	struct way *way = malloc(sizeof(*way));

	way->ring = bytes_create(PERIOD_CHUNKS * bytes);
	way->bytes = bytes;
	return way;
}

static void period_destroy(void *data)
{
	struct way *way = data;

	jack_ringbuffer_free(way->ring);
	free(way);
}

static inline bool period_write(void *data, const void *from)
{
	struct way *way = data;

	return bytes_write(way->ring, from, way->bytes);
}

static inline bool period_read(void *data, void *to)
{
	struct way *way = data;

	return bytes_read(way->ring, to, way->bytes);
}

#include "period_loops.h"

const struct subject subject_jack = { "jack", &ring_ops, &period_ops, NULL };
