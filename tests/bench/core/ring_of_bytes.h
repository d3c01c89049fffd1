/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A ring of items made of a ring of bytes, for ring_loops.h, which this includes. Included
 * once by the file of a subject, after it has defined ring_create(), ring_destroy() and
 *
 *   bool bytes_write(ring, const void *from, bytes)   false: no room
 *   bool bytes_read(ring, void *to, bytes)            false: not so many there
 */
#include "subject.h"

static inline bool ring_push(void *ring, void *item)
{
	return bytes_write(ring, &item, sizeof(item));
}

static inline void *ring_pop(void *ring)
{
	void *item;

	return bytes_read(ring, &item, sizeof(item)) ? item : NULL;
}

#include "ring_loops.h"
