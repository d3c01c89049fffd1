/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The pool: what is handed out, what is taken back, and many threads at once. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "core/pool.h"
#include "tests/suite.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#elif __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

#ifdef ASAN
#include <sanitizer/asan_interface.h>
#endif

#define INITIAL 4u
#define LIMIT 6u
#define FRAMES 100u
#define FRAME_BYTES 4u
#define PAYLOAD_BYTES (FRAMES * FRAME_BYTES)

#define NOBODY 65534

#define N_THREADS 4u
#define N_OPERATIONS 100000u	/* per thread */
#define N_CONTESTS 2000u	/* rounds of one release against another */

static struct hr_pool *pool;
static struct hr_chunk *held[LIMIT];

static void setup(void)
{
	ck_assert_int_eq(hr_pool_create(&pool, INITIAL, LIMIT, FRAMES, FRAME_BYTES), 0);
}

static void teardown(void)
{
	hr_pool_destroy(pool);
}

static void acquire_n(uint32_t n, enum hr_pool_growth growth)
{
	for (uint32_t i = 0; i < n; i++) {
		held[i] = hr_pool_acquire(pool, growth);
		ck_assert_ptr_nonnull(held[i]);
	}
}

static struct hr_pool_stats stats_now(void)
{
	struct hr_pool_stats stats;

	hr_pool_get_stats(pool, &stats);
	return stats;
}

/* ---- creation ---- */

START_TEST(a_new_pool_has_its_initial_chunks)
{
	struct hr_pool_stats stats = stats_now();

	ck_assert_uint_eq(stats.hits, 0);
	ck_assert_uint_eq(stats.misses, 0);
	ck_assert_uint_eq(stats.allocated, INITIAL);
	ck_assert_uint_eq(stats.in_use, 0);
	ck_assert_uint_eq(stats.initial, INITIAL);
	ck_assert_uint_eq(stats.limit, LIMIT);
}
END_TEST

static const struct {
	uint32_t initial, limit, frames, frame_bytes;
	int err;
} bad_arguments[] = {
	{ 0, 0, FRAMES, 4, -EINVAL },
	{ 2, 1, FRAMES, 4, -EINVAL },
	{ 0, HR_POOL_LIMIT_MAX + 1, FRAMES, 4, -EINVAL },
	{ UINT32_MAX, UINT32_MAX, FRAMES, 4, -EINVAL },
	{ 1, 1, 0, 4, -EINVAL },
	{ 1, 1, FRAMES, 0, -EINVAL },
	{ 1, 1, 1u << 29, 4, -EINVAL },		/* 2^31 bytes */
	{ 1, 1, 1u << 30, 4, -EINVAL },		/* 0 in 32 bits */
	{ 1, 1, UINT32_MAX, UINT32_MAX, -EINVAL },
	/* Within the bounds, but more than any address space of today. */
	{ HR_POOL_LIMIT_MAX, HR_POOL_LIMIT_MAX, (1u << 29) - 1, 4, -ENOMEM },
};

START_TEST(create_rejects_what_cannot_be_and_leaves_the_pointer_alone)
{
	struct hr_pool *untouched = pool;

	ck_assert_int_eq(hr_pool_create(&untouched, bad_arguments[_i].initial,
					bad_arguments[_i].limit,
					bad_arguments[_i].frames,
					bad_arguments[_i].frame_bytes),
			 bad_arguments[_i].err);
	ck_assert_ptr_eq(untouched, pool);
}
END_TEST

START_TEST(destroy_accepts_null)
{
	hr_pool_destroy(NULL);
}
END_TEST

/* Nothing to assert: ASan's leak check and valgrind see what is left over. */
START_TEST(destroy_frees_the_chunks_that_are_still_out)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	memset(held, 0, sizeof(held));
}
END_TEST

START_TEST(a_pool_of_one_chunk_works)
{
	struct hr_chunk *chunk;
	struct hr_pool *one;

	ck_assert_int_eq(hr_pool_create(&one, 1, 1, 1, 1), 0);
	chunk = hr_pool_acquire(one, HR_POOL_MAY_GROW);
	ck_assert_ptr_nonnull(chunk);
	chunk->data[0] = 1;
	ck_assert_ptr_null(hr_pool_acquire(one, HR_POOL_MAY_GROW));
	ck_assert_int_eq(hr_pool_release(one, chunk), 0);
	ck_assert_ptr_eq(hr_pool_acquire(one, HR_POOL_FIXED), chunk);
	hr_pool_destroy(one);
}
END_TEST

START_TEST(every_place_of_a_pool_of_many_words_is_handed_out_once)
{
	uint32_t initial = 501, limit = 1001;
	struct hr_chunk *last = NULL;
	struct hr_pool *large;

	ck_assert_int_eq(hr_pool_create(&large, initial, limit, 1, 1), 0);
	for (uint32_t i = 0; i < limit; i++) {
		last = hr_pool_acquire(large, HR_POOL_MAY_GROW);
		ck_assert_ptr_nonnull(last);
		ck_assert_uint_eq(last->index, i);
	}
	ck_assert_ptr_null(hr_pool_acquire(large, HR_POOL_MAY_GROW));
	ck_assert_int_eq(hr_pool_release(large, last), 0);
	ck_assert_ptr_eq(hr_pool_acquire(large, HR_POOL_MAY_GROW), last);
	hr_pool_destroy(large);
}
END_TEST

START_TEST(a_pool_of_the_largest_limit_works)
{
	struct hr_pool_stats stats;
	struct hr_pool *large;
	struct hr_chunk *chunk;

	ck_assert_int_eq(hr_pool_create(&large, 1, HR_POOL_LIMIT_MAX, 1, 1), 0);
	ck_assert_ptr_nonnull(hr_pool_acquire(large, HR_POOL_MAY_GROW));
	chunk = hr_pool_acquire(large, HR_POOL_MAY_GROW);
	ck_assert_ptr_nonnull(chunk);
	hr_pool_get_stats(large, &stats);
	ck_assert_uint_eq(stats.limit, HR_POOL_LIMIT_MAX);
	ck_assert_uint_eq(stats.in_use, 2);
	ck_assert_int_eq(hr_pool_release(large, chunk), 0);
	hr_pool_destroy(large);
}
END_TEST

/* ---- the chunks ---- */

START_TEST(a_chunk_knows_its_pool_and_its_size)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	for (uint32_t i = 0; i < LIMIT; i++) {
		ck_assert_ptr_eq(held[i]->pool, pool);
		ck_assert_uint_eq(held[i]->index, i);
		ck_assert_uint_eq(held[i]->capacity_frames, FRAMES);
		ck_assert_uint_eq(held[i]->frame_bytes, FRAME_BYTES);
	}
}
END_TEST

START_TEST(payloads_are_aligned)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	for (uint32_t i = 0; i < LIMIT; i++)
		ck_assert_uint_eq((uintptr_t)held[i]->data % HR_CHUNK_ALIGN, 0);
}
END_TEST

START_TEST(payloads_are_zero_at_first)
{
	static const unsigned char zero[PAYLOAD_BYTES];

	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	for (uint32_t i = 0; i < LIMIT; i++)
		ck_assert_mem_eq(held[i]->data, zero, PAYLOAD_BYTES);
}
END_TEST

START_TEST(payloads_do_not_overlap)
{
	unsigned char expected[PAYLOAD_BYTES];

	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	for (uint32_t i = 0; i < LIMIT; i++)
		memset(held[i]->data, (int)i + 1, PAYLOAD_BYTES);
	for (uint32_t i = 0; i < LIMIT; i++) {
		memset(expected, (int)i + 1, PAYLOAD_BYTES);
		ck_assert_mem_eq(held[i]->data, expected, PAYLOAD_BYTES);
	}
}
END_TEST

START_TEST(every_page_of_a_payload_is_there_before_its_first_use)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t n_pages = 16;
	struct hr_chunk *chunk;
	struct hr_pool *paged;
	unsigned char resident[32];
	uintptr_t start;

	ck_assert_int_eq(hr_pool_create(&paged, 3, 3, n_pages, (uint32_t)page_bytes), 0);
	for (uint32_t i = 0; i < 3; i++) {
		chunk = hr_pool_acquire(paged, HR_POOL_FIXED);
		start = (uintptr_t)chunk->data / page_bytes * page_bytes;
		memset(resident, 0, sizeof(resident));
		ck_assert_int_eq(mincore((void *)start, n_pages * page_bytes, resident), 0);
		for (uint32_t p = 0; p < n_pages; p++)
			ck_assert_msg(resident[p] & 1, "chunk %u page %u", i, p);
	}
	hr_pool_destroy(paged);
}
END_TEST

#ifdef ASAN
START_TEST(use_of_a_payload_that_is_not_out_is_a_finding)
{
	unsigned char *data;

	acquire_n(1, HR_POOL_FIXED);
	data = held[0]->data;
	ck_assert_ptr_null(__asan_region_is_poisoned(data, PAYLOAD_BYTES));
	ck_assert_int_eq(__asan_address_is_poisoned(data + PAYLOAD_BYTES), 1);
	ck_assert_int_eq(hr_pool_release(pool, held[0]), 0);
	ck_assert_int_eq(__asan_address_is_poisoned(data), 1);
	ck_assert_int_eq(__asan_address_is_poisoned(data + PAYLOAD_BYTES - 1), 1);
}
END_TEST
#endif

/* ---- acquire and release ---- */

START_TEST(acquire_from_what_is_there_is_a_hit)
{
	struct hr_pool_stats stats;

	acquire_n(1, HR_POOL_FIXED);
	stats = stats_now();
	ck_assert_uint_eq(stats.hits, 1);
	ck_assert_uint_eq(stats.misses, 0);
	ck_assert_uint_eq(stats.in_use, 1);
	ck_assert_uint_eq(stats.allocated, INITIAL);
}
END_TEST

START_TEST(acquire_from_an_empty_pool_is_a_miss)
{
	struct hr_pool_stats stats;

	acquire_n(INITIAL, HR_POOL_FIXED);
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
	stats = stats_now();
	ck_assert_uint_eq(stats.hits, INITIAL);
	ck_assert_uint_eq(stats.misses, 1);
	ck_assert_uint_eq(stats.in_use, INITIAL);
	ck_assert_uint_eq(stats.allocated, INITIAL);
}
END_TEST

START_TEST(a_released_chunk_can_be_acquired_again)
{
	acquire_n(INITIAL, HR_POOL_FIXED);
	ck_assert_int_eq(hr_pool_release(pool, held[2]), 0);
	ck_assert_uint_eq(stats_now().in_use, INITIAL - 1);
	ck_assert_ptr_eq(hr_pool_acquire(pool, HR_POOL_FIXED), held[2]);
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
}
END_TEST

START_TEST(lowest_free_place_is_taken_first)
{
	acquire_n(INITIAL, HR_POOL_FIXED);
	for (uint32_t i = 0; i < INITIAL; i++)
		ck_assert_uint_eq(held[i]->index, i);
	ck_assert_int_eq(hr_pool_release(pool, held[3]), 0);
	ck_assert_int_eq(hr_pool_release(pool, held[1]), 0);
	ck_assert_ptr_eq(hr_pool_acquire(pool, HR_POOL_FIXED), held[1]);
	ck_assert_ptr_eq(hr_pool_acquire(pool, HR_POOL_FIXED), held[3]);
}
END_TEST

START_TEST(a_cycle_of_acquire_and_release_uses_one_chunk)
{
	struct hr_pool_stats stats;

	for (uint32_t i = 0; i < 1000; i++) {
		struct hr_chunk *chunk = hr_pool_acquire(pool, HR_POOL_MAY_GROW);

		ck_assert_ptr_nonnull(chunk);
		ck_assert_uint_eq(chunk->index, 0);
		ck_assert_int_eq(hr_pool_release(pool, chunk), 0);
	}
	stats = stats_now();
	ck_assert_uint_eq(stats.hits, 1000);
	ck_assert_uint_eq(stats.misses, 0);
	ck_assert_uint_eq(stats.in_use, 0);
	ck_assert_uint_eq(stats.allocated, INITIAL);
}
END_TEST

static void use(struct hr_chunk *chunk)
{
	memset(chunk->data, 0xa5, PAYLOAD_BYTES);
	chunk->rate = 48000;
	chunk->seq = 7;
	chunk->time_ns = 8;
	hr_chunk_set_frames(chunk, FRAMES);
}

START_TEST(a_chunk_used_before_shows_no_stale_data)
{
	/* The first is kept by the pool, the last grown. */
	for (uint32_t round = 0; round < 2; round++) {
		acquire_n(LIMIT, HR_POOL_MAY_GROW);
		for (uint32_t i = 0; i < LIMIT; i++) {
			ck_assert_uint_eq(hr_chunk_frames(held[i]), 0);
			ck_assert_uint_eq(hr_chunk_duration_ns(held[i]), 0);
			ck_assert_uint_eq(held[i]->rate, 0);
			ck_assert_uint_eq(held[i]->seq, 0);
			ck_assert_uint_eq(held[i]->time_ns, 0);
			use(held[i]);
		}
		for (uint32_t i = 0; i < LIMIT; i++)
			ck_assert_int_eq(hr_pool_release(pool, held[i]), 0);
	}
}
END_TEST

START_TEST(release_accepts_null)
{
	ck_assert_int_eq(hr_pool_release(pool, NULL), 0);
	ck_assert_uint_eq(stats_now().in_use, 0);
}
END_TEST

START_TEST(a_second_release_is_refused)
{
	acquire_n(2, HR_POOL_FIXED);
	ck_assert_int_eq(hr_pool_release(pool, held[0]), 0);
	ck_assert_int_eq(hr_pool_release(pool, held[0]), -EALREADY);
	ck_assert_uint_eq(stats_now().in_use, 1);
	/* It is in the pool once, not twice. */
	ck_assert_ptr_eq(hr_pool_acquire(pool, HR_POOL_FIXED), held[0]);
	ck_assert_ptr_ne(hr_pool_acquire(pool, HR_POOL_FIXED), held[0]);
}
END_TEST

START_TEST(a_second_release_of_a_grown_chunk_is_refused)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	ck_assert_int_eq(hr_pool_release(pool, held[LIMIT - 1]), 0);
	ck_assert_int_eq(hr_pool_release(pool, held[LIMIT - 1]), -EALREADY);
	ck_assert_uint_eq(stats_now().allocated, LIMIT - 1);
	ck_assert_uint_eq(stats_now().in_use, LIMIT - 1);
}
END_TEST

START_TEST(a_chunk_of_another_pool_is_refused_and_left_alone)
{
	struct hr_chunk *foreign;
	struct hr_pool *other;

	ck_assert_int_eq(hr_pool_create(&other, INITIAL, LIMIT, FRAMES, FRAME_BYTES), 0);
	foreign = hr_pool_acquire(other, HR_POOL_FIXED);
	ck_assert_ptr_nonnull(foreign);
	use(foreign);
	acquire_n(1, HR_POOL_FIXED);
	ck_assert_int_eq(hr_pool_release(pool, foreign), -EINVAL);
	ck_assert_uint_eq(stats_now().in_use, 1);
	ck_assert_uint_eq(hr_chunk_frames(foreign), FRAMES);
	ck_assert_uint_eq(foreign->seq, 7);
	ck_assert_uint_eq(foreign->data[PAYLOAD_BYTES - 1], 0xa5);
	ck_assert_int_eq(hr_pool_release(other, foreign), 0);
	hr_pool_destroy(other);
}
END_TEST

START_TEST(a_chunk_that_no_pool_made_is_refused)
{
	struct hr_chunk forged = { .pool = pool, .index = 0 };
	unsigned char *inside;

	acquire_n(1, HR_POOL_FIXED);
	ck_assert_int_eq(hr_pool_release(pool, &forged), -EINVAL);
	/* Between two chunks of this pool, and nowhere at all. */
	inside = (unsigned char *)held[0] + 8;
	ck_assert_int_eq(hr_pool_release(pool, (struct hr_chunk *)(void *)inside),
			 -EINVAL);
	ck_assert_int_eq(hr_pool_release(pool, (struct hr_chunk *)(uintptr_t)64),
			 -EINVAL);
	ck_assert_uint_eq(stats_now().in_use, 1);
}
END_TEST

/* ---- growth ---- */

START_TEST(pool_grows_only_for_those_who_allow_it)
{
	struct hr_pool_stats stats;

	acquire_n(INITIAL, HR_POOL_MAY_GROW);
	ck_assert_uint_eq(stats_now().misses, 0);
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
	ck_assert_uint_eq(stats_now().allocated, INITIAL);
	held[INITIAL] = hr_pool_acquire(pool, HR_POOL_MAY_GROW);
	ck_assert_ptr_nonnull(held[INITIAL]);
	use(held[INITIAL]);
	stats = stats_now();
	ck_assert_uint_eq(stats.allocated, INITIAL + 1);
	ck_assert_uint_eq(stats.in_use, INITIAL + 1);
	ck_assert_uint_eq(stats.hits, INITIAL);
	ck_assert_uint_eq(stats.misses, 2);
}
END_TEST

START_TEST(pool_does_not_grow_beyond_its_limit)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_MAY_GROW));
	ck_assert_uint_eq(stats_now().allocated, LIMIT);
	ck_assert_uint_eq(stats_now().in_use, LIMIT);
}
END_TEST

START_TEST(a_grown_chunk_is_freed_when_it_is_released)
{
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	ck_assert_int_eq(hr_pool_release(pool, held[INITIAL]), 0);
	ck_assert_ptr_null(held[INITIAL]->data);
	ck_assert_uint_eq(stats_now().allocated, LIMIT - 1);
	/* Freed, not kept: it is no hit for those who must not allocate. */
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
	ck_assert_ptr_nonnull(hr_pool_acquire(pool, HR_POOL_MAY_GROW));
	ck_assert_uint_eq(stats_now().allocated, LIMIT);
}
END_TEST

START_TEST(a_pool_without_initial_chunks_lives_on_growth)
{
	struct hr_chunk *chunk;
	struct hr_pool *none;

	ck_assert_int_eq(hr_pool_create(&none, 0, 1, FRAMES, FRAME_BYTES), 0);
	ck_assert_ptr_null(hr_pool_acquire(none, HR_POOL_FIXED));
	chunk = hr_pool_acquire(none, HR_POOL_MAY_GROW);
	ck_assert_ptr_nonnull(chunk);
	ck_assert_ptr_null(hr_pool_acquire(none, HR_POOL_MAY_GROW));
	ck_assert_int_eq(hr_pool_release(none, chunk), 0);
	hr_pool_destroy(none);
}
END_TEST

/* ---- counters, memory ---- */

START_TEST(hit_rate_is_100_percent_until_something_was_missed)
{
	ck_assert_uint_eq(hr_pool_hit_rate(pool), 100);
	acquire_n(INITIAL, HR_POOL_FIXED);
	ck_assert_uint_eq(hr_pool_hit_rate(pool), 100);
}
END_TEST

START_TEST(hit_rate_is_the_share_of_hits_rounded_down)
{
	acquire_n(INITIAL, HR_POOL_FIXED);
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
	ck_assert_uint_eq(hr_pool_hit_rate(pool), 80);		/* 4 of 5 */
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
	ck_assert_uint_eq(hr_pool_hit_rate(pool), 66);		/* 4 of 6 */
}
END_TEST

START_TEST(clear_zeroes_counters_and_leaves_chunks_where_they_are)
{
	struct hr_pool_stats stats;

	acquire_n(LIMIT - 1, HR_POOL_MAY_GROW);
	hr_pool_clear(pool);
	stats = stats_now();
	ck_assert_uint_eq(stats.hits, 0);
	ck_assert_uint_eq(stats.misses, 0);
	ck_assert_uint_eq(stats.allocated, LIMIT - 1);
	ck_assert_uint_eq(stats.in_use, LIMIT - 1);
	ck_assert_uint_eq(hr_pool_hit_rate(pool), 100);
	for (uint32_t i = 0; i < LIMIT - 1; i++)
		ck_assert_int_eq(hr_pool_release(pool, held[i]), 0);
	ck_assert_uint_eq(stats_now().in_use, 0);
}
END_TEST

/* Of this process, in KiB; -1 if the kernel does not tell. */
static long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %ld", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib;
}

START_TEST(locked_memory_is_locked_until_destroy)
{
	long before = locked_kib();
	struct hr_pool *big;
	int err;

	ck_assert_int_eq(hr_pool_create(&big, 4, 8, 4096, 1), 0);
	err = hr_pool_lock_memory(big);
	ck_assert(err == 0 || err == -ENOMEM || err == -EPERM || err == -EAGAIN);
#if !defined(ASAN) && !defined(TSAN)	/* which make mlock() do nothing */
	if (err == 0 && before >= 0)
		ck_assert_int_ge(locked_kib(), before + 16);
#endif
	ck_assert_ptr_nonnull(hr_pool_acquire(big, HR_POOL_FIXED));
	hr_pool_destroy(big);
	ck_assert_int_eq(locked_kib(), before);
}
END_TEST

START_TEST(a_pool_that_may_not_be_locked_works_unlocked)
{
	struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
	const uid_t us = geteuid();
	int err;

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	/* Root may lock whatever the limit. */
	if (us == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	err = hr_pool_lock_memory(pool);
	ck_assert_int_eq(seteuid(us), 0);
#if !defined(ASAN) && !defined(TSAN)	/* which make mlock() do nothing */
	ck_assert_int_eq(err, -EPERM);
#endif
	ck_assert_int_le(err, 0);
	acquire_n(LIMIT, HR_POOL_MAY_GROW);
	for (uint32_t i = 0; i < LIMIT; i++)
		use(held[i]);
}
END_TEST

/* ---- many threads ---- */

/* Threads note what went wrong; the test's own thread asserts. */
struct worker {
	pthread_t thread;
	struct hr_pool *pool;
	uint32_t id;		/* not 0 */
	uint64_t n_acquired;
	uint64_t n_missed;
	uint64_t n_wrong;
};

static void run_workers(struct worker *workers, uint32_t n, void *(*work)(void *))
{
	for (uint32_t i = 0; i < n; i++) {
		workers[i].id = i + 1;
		workers[i].pool = pool;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]), 0);
	}
	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
}

static void sign(struct hr_chunk *chunk, uint32_t id)
{
	uint32_t *words = (uint32_t *)(void *)chunk->data;

	for (uint32_t w = 0; w < PAYLOAD_BYTES / sizeof(*words); w++)
		words[w] = id;
	chunk->seq = id;
	hr_chunk_set_frames(chunk, FRAMES);
}

static bool is_signed(const struct hr_chunk *chunk, uint32_t id)
{
	const uint32_t *words = (const uint32_t *)(const void *)chunk->data;
	uint32_t n_other = 0;

	for (uint32_t w = 0; w < PAYLOAD_BYTES / sizeof(*words); w++)
		n_other += words[w] != id;
	return n_other == 0 && chunk->seq == id && hr_chunk_frames(chunk) == FRAMES;
}

/* Holds up to two chunks, fewer than there are for all. */
static void *own_chunks(void *arg)
{
	struct worker *me = arg;
	struct hr_chunk *mine[2] = { NULL, NULL };

	for (uint32_t i = 0; i < N_OPERATIONS; i++) {
		struct hr_chunk **slot = &mine[i % 2];

		if (*slot) {
			me->n_wrong += !is_signed(*slot, me->id);
			me->n_wrong += hr_pool_release(me->pool, *slot) != 0;
		}
		*slot = hr_pool_acquire(me->pool, HR_POOL_FIXED);
		if (!*slot) {
			me->n_missed++;
			sched_yield();
			continue;
		}
		me->n_acquired++;
		me->n_wrong += hr_chunk_frames(*slot) != 0 || (*slot)->seq != 0;
		sign(*slot, me->id);
		/* Let others meet us while we hold it, on few CPUs too. */
		if (i % 64 == 0)
			sched_yield();
	}
	for (uint32_t i = 0; i < 2; i++)
		me->n_wrong += hr_pool_release(me->pool, mine[i]) != 0;
	return NULL;
}

START_TEST(four_threads_never_own_the_same_chunk)
{
	struct worker workers[N_THREADS] = { 0 };
	uint64_t n_acquired = 0, n_missed = 0;
	struct hr_pool_stats stats;

	run_workers(workers, N_THREADS, own_chunks);
	for (uint32_t i = 0; i < N_THREADS; i++) {
		ck_assert_uint_eq(workers[i].n_wrong, 0);
		n_acquired += workers[i].n_acquired;
		n_missed += workers[i].n_missed;
	}
	stats = stats_now();
	ck_assert_uint_eq(stats.hits, n_acquired);
	ck_assert_uint_eq(stats.misses, n_missed);
	ck_assert_uint_eq(stats.hits + stats.misses, N_THREADS * N_OPERATIONS);
	ck_assert_uint_eq(stats.in_use, 0);
	/* Nothing got lost: all are there to be taken. */
	acquire_n(INITIAL, HR_POOL_FIXED);
}
END_TEST

/* Like own_chunks(), by growth alone: three are wanted where two can grow, so
 * that the limit is met even by a thread that runs alone. */
static void *grow_chunks(void *arg)
{
	struct worker *me = arg;
	struct hr_chunk *mine[3] = { NULL, NULL, NULL };
	struct hr_pool_stats stats;

	for (uint32_t i = 0; i < N_OPERATIONS / 4; i++) {
		struct hr_chunk **slot = &mine[i % 3];

		if (*slot) {
			me->n_wrong += !is_signed(*slot, me->id);
			me->n_wrong += hr_pool_release(me->pool, *slot) != 0;
		}
		*slot = hr_pool_acquire(me->pool, HR_POOL_MAY_GROW);
		if (*slot) {
			me->n_wrong += (*slot)->index >= LIMIT;
			sign(*slot, me->id);
		} else {
			me->n_missed++;
			sched_yield();
		}
		if (i % 64 == 0)
			sched_yield();
		hr_pool_get_stats(me->pool, &stats);
		me->n_wrong += stats.allocated > LIMIT || stats.in_use > LIMIT;
	}
	for (uint32_t i = 0; i < 3; i++)
		me->n_wrong += hr_pool_release(me->pool, mine[i]) != 0;
	return NULL;
}

START_TEST(concurrent_growth_never_exceeds_the_limit)
{
	struct worker workers[N_THREADS] = { 0 };

	acquire_n(INITIAL, HR_POOL_FIXED);
	run_workers(workers, N_THREADS, grow_chunks);
	for (uint32_t i = 0; i < N_THREADS; i++) {
		ck_assert_uint_eq(workers[i].n_wrong, 0);
		ck_assert_uint_gt(workers[i].n_missed, 0);
	}
	ck_assert_uint_eq(stats_now().allocated, INITIAL);
	ck_assert_uint_eq(stats_now().in_use, INITIAL);
}
END_TEST

/* Two words of places, all out but two per thread, half of them in each word. */
#define N_SPREAD 128u

/* Never wants more than two, so that there is always one for everybody. */
static void *never_miss(void *arg)
{
	struct worker *me = arg;
	struct hr_chunk *mine[2] = { NULL, NULL };

	for (uint32_t i = 0; i < N_OPERATIONS; i++) {
		struct hr_chunk **slot = &mine[i % 2];

		me->n_wrong += hr_pool_release(me->pool, *slot) != 0;
		*slot = hr_pool_acquire(me->pool, HR_POOL_FIXED);
		me->n_missed += !*slot;
		if (i % 64 == 0)
			sched_yield();
	}
	for (uint32_t i = 0; i < 2; i++)
		me->n_wrong += hr_pool_release(me->pool, mine[i]) != 0;
	return NULL;
}

START_TEST(threads_that_want_no_more_than_there_is_never_miss)
{
	struct worker workers[N_THREADS] = { 0 };
	struct hr_chunk *all[N_SPREAD];

	hr_pool_destroy(pool);
	ck_assert_int_eq(hr_pool_create(&pool, N_SPREAD, N_SPREAD, FRAMES, 4), 0);
	for (uint32_t i = 0; i < N_SPREAD; i++)
		all[i] = hr_pool_acquire(pool, HR_POOL_FIXED);
	for (uint32_t i = 0; i < N_THREADS; i++) {
		ck_assert_int_eq(hr_pool_release(pool, all[i]), 0);
		ck_assert_int_eq(hr_pool_release(pool, all[N_SPREAD - 1 - i]), 0);
	}
	run_workers(workers, N_THREADS, never_miss);
	for (uint32_t i = 0; i < N_THREADS; i++) {
		ck_assert_uint_eq(workers[i].n_wrong, 0);
		ck_assert_uint_eq(workers[i].n_missed, 0);
	}
}
END_TEST

/* Two threads release the same chunk in each round. */
struct contest {
	pthread_barrier_t start, end;
	struct hr_chunk *chunk;
	atomic_uint n_won, n_refused;
};

static void contest_release(struct contest *contest)
{
	int err;

	pthread_barrier_wait(&contest->start);
	err = hr_pool_release(pool, contest->chunk);
	/* relaxed: read after the barrier. */
	if (err == 0)
		atomic_fetch_add_explicit(&contest->n_won, 1, memory_order_relaxed);
	if (err == -EALREADY)
		atomic_fetch_add_explicit(&contest->n_refused, 1, memory_order_relaxed);
	pthread_barrier_wait(&contest->end);
}

static void *contest_all(void *arg)
{
	for (uint32_t i = 0; i < N_CONTESTS; i++)
		contest_release(arg);
	return NULL;
}

/* 0: a chunk that the pool keeps, 1: one that it grew. */
START_TEST(of_two_releases_at_once_one_is_refused)
{
	struct contest contest = { .chunk = NULL };
	pthread_t rival;

	acquire_n(_i == 0 ? 0 : INITIAL, HR_POOL_FIXED);
	ck_assert_int_eq(pthread_barrier_init(&contest.start, NULL, 2), 0);
	ck_assert_int_eq(pthread_barrier_init(&contest.end, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(&rival, NULL, contest_all, &contest), 0);
	for (uint32_t i = 0; i < N_CONTESTS; i++) {
		contest.chunk = hr_pool_acquire(pool, HR_POOL_MAY_GROW);
		ck_assert_ptr_nonnull(contest.chunk);
		contest_release(&contest);
		ck_assert_uint_eq(atomic_load(&contest.n_won), i + 1);
		ck_assert_uint_eq(atomic_load(&contest.n_refused), i + 1);
	}
	ck_assert_int_eq(pthread_join(rival, NULL), 0);
	pthread_barrier_destroy(&contest.start);
	pthread_barrier_destroy(&contest.end);
}
END_TEST

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static TCase *add_tcase(Suite *suite, const char *aspect)
{
	TCase *tcase = tcase_create(aspect);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_chunk_tests(Suite *suite)
{
	TCase *create = add_tcase(suite, "create");
	TCase *chunks = add_tcase(suite, "chunks");

	tcase_add_test(create, a_new_pool_has_its_initial_chunks);
	tcase_add_loop_test(create,
			    create_rejects_what_cannot_be_and_leaves_the_pointer_alone,
			    0, N_OF(bad_arguments));
	tcase_add_test(create, destroy_accepts_null);
	tcase_add_test(create, destroy_frees_the_chunks_that_are_still_out);
	tcase_add_test(create, a_pool_of_one_chunk_works);
	tcase_add_test(create, every_place_of_a_pool_of_many_words_is_handed_out_once);
	tcase_add_test(create, a_pool_of_the_largest_limit_works);

	tcase_add_test(chunks, a_chunk_knows_its_pool_and_its_size);
	tcase_add_test(chunks, payloads_are_aligned);
	tcase_add_test(chunks, payloads_are_zero_at_first);
	tcase_add_test(chunks, payloads_do_not_overlap);
	tcase_add_test(chunks, every_page_of_a_payload_is_there_before_its_first_use);
#ifdef ASAN
	tcase_add_test(chunks, use_of_a_payload_that_is_not_out_is_a_finding);
#endif
}

static void add_use_tests(Suite *suite)
{
	TCase *cycle = add_tcase(suite, "acquire and release");
	TCase *growth = add_tcase(suite, "growth");
	TCase *counters = add_tcase(suite, "counters and memory");

	tcase_add_test(cycle, acquire_from_what_is_there_is_a_hit);
	tcase_add_test(cycle, acquire_from_an_empty_pool_is_a_miss);
	tcase_add_test(cycle, a_released_chunk_can_be_acquired_again);
	tcase_add_test(cycle, lowest_free_place_is_taken_first);
	tcase_add_test(cycle, a_cycle_of_acquire_and_release_uses_one_chunk);
	tcase_add_test(cycle, a_chunk_used_before_shows_no_stale_data);
	tcase_add_test(cycle, release_accepts_null);
	tcase_add_test(cycle, a_second_release_is_refused);
	tcase_add_test(cycle, a_second_release_of_a_grown_chunk_is_refused);
	tcase_add_test(cycle, a_chunk_of_another_pool_is_refused_and_left_alone);
	tcase_add_test(cycle, a_chunk_that_no_pool_made_is_refused);

	tcase_add_test(growth, pool_grows_only_for_those_who_allow_it);
	tcase_add_test(growth, pool_does_not_grow_beyond_its_limit);
	tcase_add_test(growth, a_grown_chunk_is_freed_when_it_is_released);
	tcase_add_test(growth, a_pool_without_initial_chunks_lives_on_growth);

	tcase_add_test(counters, hit_rate_is_100_percent_until_something_was_missed);
	tcase_add_test(counters, hit_rate_is_the_share_of_hits_rounded_down);
	tcase_add_test(counters, clear_zeroes_counters_and_leaves_chunks_where_they_are);
	tcase_add_test(counters, locked_memory_is_locked_until_destroy);
	tcase_add_test(counters, a_pool_that_may_not_be_locked_works_unlocked);
}

static void add_thread_tests(Suite *suite)
{
	TCase *threads = add_tcase(suite, "threads");

	tcase_add_test(threads, four_threads_never_own_the_same_chunk);
	tcase_add_test(threads, concurrent_growth_never_exceeds_the_limit);
	tcase_add_test(threads, threads_that_want_no_more_than_there_is_never_miss);
	tcase_add_loop_test(threads, of_two_releases_at_once_one_is_refused, 0, 2);
}

static Suite *pool_suite(void)
{
	Suite *suite = suite_create("pool");

	add_chunk_tests(suite);
	add_use_tests(suite);
	add_thread_tests(suite);
	return suite;
}

int main(void)
{
	return suite_run(pool_suite());
}
