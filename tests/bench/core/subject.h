/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Who is measured: a subject is one way to pass chunks between two threads, in up to
 * three roles. Each subject's file defines its operations as static inline functions
 * and includes the loops for the roles that it plays (ring_loops.h, period_loops.h,
 * pool_loops.h), so that they are inlined as in a program that uses it.
 *
 * Who waits spins, without a pause instruction: a hypervisor may take one for leave
 * to run another guest.
 */
#ifndef TESTS_BENCH_CORE_SUBJECT_H
#define TESTS_BENCH_CORE_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RING_CHUNKS 256u	/* capacity of a ring, at least; some know it when compiled */
#define POOL_CHUNKS 256u
#define PERIOD_CHUNKS 16u	/* periods that lie between writer and reader at most */
#define N_ITEMS 64u

/* What is passed through rings: references to these, in turn. */
struct bench_item {
	unsigned char line[64];
};
extern struct bench_item bench_items[N_ITEMS];

static inline void *bench_item(uint64_t i)
{
	return &bench_items[i % N_ITEMS];
}

/* What came out is summed up, so that a lost or doubled one is noticed. */
static inline uint64_t bench_item_number(const void *item)
{
	return (uint64_t)((uintptr_t)item - (uintptr_t)bench_items);
}

/* References from one thread to another. */
struct ring_ops {
	void *(*create)(void);
	void (*destroy)(void *ring);
	/* Push and pop, n times. Returns the sum. */
	uint64_t (*one_thread)(void *ring, uint64_t n);
	void (*produce)(void *ring, uint64_t n);
	uint64_t (*consume)(void *ring, uint64_t n);
	/* One item there and back, n times, and the other side of it. */
	void (*ping)(void *there, void *back, uint64_t n);
	void (*pong)(void *there, void *back, uint64_t n);
	/* One push of an item; 0 if there was no room. For who measures each. */
	int (*push_one)(void *ring, void *item);
	void *(*pop_one)(void *ring);
};

/* Periods of sound: copied in, passed, copied out, released. */
struct period_ops {
	void *(*create)(uint32_t bytes);
	void (*destroy)(void *way);
	void (*one_thread)(void *way, const void *from, void *to, uint64_t n);
	void (*write)(void *way, const void *from, uint64_t n);
	void (*read)(void *way, void *to, uint64_t n);
};

struct handover;

/* Buffers that are made beforehand. */
struct pool_ops {
	void *(*create)(unsigned int n_threads);
	void (*destroy)(void *pool);
	/* Acquire and release, n times. */
	void (*one_thread)(void *pool, uint64_t n);
	/* Acquired here, released there. */
	void (*acquire)(void *pool, struct handover *handover, uint64_t n);
	void (*release)(void *pool, struct handover *handover, uint64_t n);
};

struct subject {
	const char *name;
	const struct ring_ops *ring;		/* NULL: not what it does */
	const struct period_ops *period;
	const struct pool_ops *pool;
};

/** All of them, NULL at the end. */
extern const struct subject *const subjects[];

#ifdef __cplusplus
}
#endif

#endif
