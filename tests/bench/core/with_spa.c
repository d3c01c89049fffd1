/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* spa_ringbuffer, PipeWire's: bytes, copied in and out. */
#include <spa/utils/ringbuffer.h>
#include <stdbool.h>
#include <stdlib.h>

#include "subject.h"

struct bytes {
	struct spa_ringbuffer ring;
	uint32_t size;			/* a power of two */
	uint32_t bytes;			/* that are passed at a time */
	void *data;
};

static struct bytes *bytes_create(uint32_t n, uint32_t bytes)
{
	struct bytes *b = calloc(1, sizeof(*b));

	spa_ringbuffer_init(&b->ring);
	b->size = n * bytes;
	b->bytes = bytes;
	b->data = aligned_alloc(64, b->size);
	memset(b->data, 0, b->size);
	return b;
}

static void bytes_destroy(void *data)
{
	struct bytes *b = data;

	free(b->data);
	free(b);
}

static inline bool bytes_write(struct bytes *b, const void *from, uint32_t bytes)
{
	uint32_t index;
	int32_t fill = spa_ringbuffer_get_write_index(&b->ring, &index);

	if ((uint32_t)fill + bytes > b->size)
		return false;
	spa_ringbuffer_write_data(&b->ring, b->data, b->size, index & (b->size - 1), from,
				  bytes);
	spa_ringbuffer_write_update(&b->ring, (int32_t)(index + bytes));
	return true;
}

static inline bool bytes_read(struct bytes *b, void *to, uint32_t bytes)
{
	uint32_t index;
	int32_t fill = spa_ringbuffer_get_read_index(&b->ring, &index);

	if (fill < (int32_t)bytes)
		return false;
	spa_ringbuffer_read_data(&b->ring, b->data, b->size, index & (b->size - 1), to, bytes);
	spa_ringbuffer_read_update(&b->ring, (int32_t)(index + bytes));
	return true;
}

static void *ring_create(void)
{
	return bytes_create(RING_CHUNKS, sizeof(void *));
}

static void ring_destroy(void *ring)
{
	bytes_destroy(ring);
}

#include "ring_of_bytes.h"

static void *period_create(uint32_t bytes)
{
	return bytes_create(PERIOD_CHUNKS, bytes);
}

static void period_destroy(void *way)
{
	bytes_destroy(way);
}

static inline bool period_write(void *way, const void *from)
{
	struct bytes *b = way;

	return bytes_write(b, from, b->bytes);
}

static inline bool period_read(void *way, void *to)
{
	struct bytes *b = way;

	return bytes_read(b, to, b->bytes);
}

#include "period_loops.h"

const struct subject subject_spa = { "spa", &ring_ops, &period_ops, NULL };
