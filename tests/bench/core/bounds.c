/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "bounds.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Far apart: a processor that fetches a line may fetch its neighbour too. */
struct lines {
	_Alignas(256) _Atomic uint64_t there;
	_Alignas(256) _Atomic uint64_t back;
};

static void *lines_create(void)
{
	struct lines *lines = aligned_alloc(256, sizeof(*lines));

	memset(lines, 0, sizeof(*lines));
	return lines;
}

static void wait_for(_Atomic uint64_t *line, uint64_t value)
{
	while (atomic_load_explicit(line, memory_order_acquire) != value)
		;
}

static void tell(_Atomic uint64_t *line, uint64_t value)
{
	atomic_store_explicit(line, value, memory_order_release);
}

/* Both write one line in turn: it moves there and back. */
static void one_line_ping(void *there, void *back, uint64_t n)
{
	struct lines *lines = there;

	(void)back;
	for (uint64_t i = 0; i < n; i++) {
		tell(&lines->there, 1);
		wait_for(&lines->there, 0);
	}
}

static void one_line_pong(void *there, void *back, uint64_t n)
{
	struct lines *lines = there;

	(void)back;
	for (uint64_t i = 0; i < n; i++) {
		wait_for(&lines->there, 1);
		tell(&lines->there, 0);
	}
}

/* Each has a line that it alone writes. */
static void two_lines_ping(void *there, void *back, uint64_t n)
{
	struct lines *lines = there;

	(void)back;
	for (uint64_t i = 1; i <= n; i++) {
		tell(&lines->there, i);
		wait_for(&lines->back, i);
	}
	tell(&lines->there, 0);
	wait_for(&lines->back, 0);
}

static void two_lines_pong(void *there, void *back, uint64_t n)
{
	struct lines *lines = there;

	(void)back;
	for (uint64_t i = 1; i <= n; i++) {
		wait_for(&lines->there, i);
		tell(&lines->back, i);
	}
	wait_for(&lines->there, 0);
	tell(&lines->back, 0);
}

const struct ring_ops limit_one_line = {
	.create = lines_create, .destroy = free,
	.ping = one_line_ping, .pong = one_line_pong,
};
const struct ring_ops limit_two_lines = {
	.create = lines_create, .destroy = free,
	.ping = two_lines_ping, .pong = two_lines_pong,
};

/* The copies, through buffers used in turn. In two threads what is written is
 * announced HALF buffers at a time: the lines of the payload move, and next to nothing
 * else. */
#define HALF PERIOD_CHUNKS

struct copies {
	uint32_t bytes;
	unsigned char *buffers;		/* 2 * HALF */
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t read;
};

static void *copies_create(uint32_t bytes)
{
	struct copies *copies = aligned_alloc(64, sizeof(*copies));
	size_t all = (size_t)2 * HALF * bytes;

	copies->bytes = bytes;
	copies->buffers = aligned_alloc(64, all);
	memset(copies->buffers, 0, all);
	atomic_init(&copies->written, 0);
	atomic_init(&copies->read, 0);
	return copies;
}

static void copies_destroy(void *way)
{
	struct copies *copies = way;

	free(copies->buffers);
	free(copies);
}

static void *buffer(const struct copies *copies, uint64_t i)
{
	void *start = copies->buffers + i % (2 * HALF) * copies->bytes;

	/* The compiler must not know that nobody reads it. */
	__asm__ volatile("" : "+r"(start) : : "memory");
	return start;
}

static void wait_for_more(const _Atomic uint64_t *count, uint64_t than)
{
	while (atomic_load_explicit(count, memory_order_acquire) <= than)
		;
}

static uint64_t begin_of_half(uint64_t i)
{
	return i / HALF * HALF;
}

static void copies_write(void *way, const void *from, uint64_t n)
{
	struct copies *copies = way;
	uint64_t begin = atomic_load(&copies->written), end = begin + n;

	for (uint64_t i = begin; i < end; i++) {
		/* The half has been read out. */
		if ((i == begin || i % HALF == 0) && i >= 2 * HALF)
			wait_for_more(&copies->read, begin_of_half(i) - HALF - 1);
		memcpy(buffer(copies, i), from, copies->bytes);
		if ((i + 1) % HALF == 0 || i + 1 == end)
			tell(&copies->written, i + 1);
	}
}

static void copies_read(void *way, void *to, uint64_t n)
{
	struct copies *copies = way;
	uint64_t begin = atomic_load(&copies->read), end = begin + n;

	for (uint64_t i = begin; i < end; i++) {
		uint64_t half_end = begin_of_half(i) + HALF;

		if (i == begin || i % HALF == 0)
			wait_for_more(&copies->written,
				      (half_end < end ? half_end : end) - 1);
		memcpy(to, buffer(copies, i), copies->bytes);
		if ((i + 1) % HALF == 0 || i + 1 == end)
			tell(&copies->read, i + 1);
	}
}

/* One buffer, as a pool that gives out the warmest has it. */
static void copies_one_thread(void *way, const void *from, void *to, uint64_t n)
{
	struct copies *copies = way;

	for (uint64_t i = 0; i < n; i++) {
		memcpy(buffer(copies, 0), from, copies->bytes);
		memcpy(to, buffer(copies, 0), copies->bytes);
	}
}

static const struct period_ops limit_copies = {
	copies_create, copies_destroy, copies_one_thread, copies_write, copies_read,
};

/* No pool: what is left is the way from thread to thread. */
static void *pool_create(unsigned int n_threads)
{
	static uint64_t next;

	(void)n_threads;
	return &next;
}

static void pool_destroy(void *pool)
{
	(void)pool;
}

static inline void *pool_acquire(void *pool)
{
	uint64_t *next = pool;

	return bench_item((*next)++);
}

static inline void pool_release(void *pool, void *item)
{
	(void)pool;
	__asm__ volatile("" : : "r"(item));
}

#include "pool_loops.h"

const struct subject subject_limit_one_line = {
	"limit: one cache line", &limit_one_line, NULL, NULL
};
const struct subject subject_limit_two_lines = {
	"limit: two cache lines", &limit_two_lines, NULL, NULL
};
const struct subject subject_limit_copies = {
	"limit: two memcpys", NULL, &limit_copies, NULL
};
const struct subject subject_limit_no_pool = {
	"limit: no pool", NULL, NULL, &pool_ops
};
