/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Caches of a pool: what they hold, what they give back, and two threads at once. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "core/pool_cache.h"
#include "core/ring.h"
#include "tests/suite.h"

#define N_PLACES 160u		/* two words of the bitmap and a half */
#define MOST 8u
#define FRAMES 16u
#define N_PASSED 400000u	/* chunks from one thread to the other */

static struct hr_pool *pool;
static struct hr_pool_cache cache, other;

static void setup(void)
{
	ck_assert_int_eq(hr_pool_create(&pool, N_PLACES, N_PLACES + 1, FRAMES, 4), 0);
	ck_assert_int_eq(hr_pool_cache_open(&cache, pool, MOST), 0);
	ck_assert_int_eq(hr_pool_cache_open(&other, pool, MOST), 0);
}

static void teardown(void)
{
	hr_pool_destroy(pool);
}

static struct hr_pool_stats stats_now(void)
{
	struct hr_pool_stats stats;

	hr_pool_get_stats(pool, &stats);
	return stats;
}

/* Take all that the pool and the cache have; returns how many that were. */
static uint32_t take_all(struct hr_chunk **chunks)
{
	uint32_t n = 0;

	while ((chunks[n] = hr_pool_cache_acquire(&cache)))
		n++;
	return n;
}

START_TEST(open_rejects_what_a_cache_cannot_keep)
{
	struct hr_pool_cache bad;

	ck_assert_int_eq(hr_pool_cache_open(&bad, pool, 0), -EINVAL);
	ck_assert_int_eq(hr_pool_cache_open(&bad, pool, HR_POOL_CACHE_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(what_was_given_last_is_taken_next)
{
	struct hr_chunk *a = hr_pool_cache_acquire(&cache);
	struct hr_chunk *b = hr_pool_cache_acquire(&cache);

	ck_assert_ptr_ne(a, b);
	ck_assert_int_eq(hr_pool_cache_release(&cache, b), 0);
	ck_assert_int_eq(hr_pool_cache_release(&cache, a), 0);
	ck_assert_ptr_eq(hr_pool_cache_acquire(&cache), a);
	ck_assert_int_eq(hr_pool_cache_release(&cache, a), 0);
	ck_assert_ptr_eq(hr_pool_cache_acquire(&cache), a);
}
END_TEST

START_TEST(a_chunk_used_before_is_as_new)
{
	struct hr_chunk *chunk = hr_pool_cache_acquire(&cache);

	chunk->seq = 7;
	chunk->rate = 48000;
	chunk->time_ns = 9;
	hr_chunk_set_frames(chunk, 3);
	ck_assert_int_eq(hr_pool_cache_release(&cache, chunk), 0);
	ck_assert_ptr_eq(hr_pool_cache_acquire(&cache), chunk);
	ck_assert_uint_eq(chunk->seq, 0);
	ck_assert_uint_eq(chunk->rate, 0);
	ck_assert_uint_eq(chunk->time_ns, 0);
	ck_assert_uint_eq(hr_chunk_frames(chunk), 0);
}
END_TEST

START_TEST(every_chunk_comes_out_once_and_then_there_is_none)
{
	struct hr_chunk *chunks[N_PLACES + 1];
	bool seen[N_PLACES] = { false };

	ck_assert_uint_eq(take_all(chunks), N_PLACES);
	for (uint32_t i = 0; i < N_PLACES; i++) {
		ck_assert(!seen[chunks[i]->index]);
		seen[chunks[i]->index] = true;
	}
	ck_assert_uint_eq(stats_now().in_use, N_PLACES);
	ck_assert_uint_eq(stats_now().hits, N_PLACES);
	ck_assert_uint_eq(stats_now().misses, 1);
}
END_TEST

START_TEST(a_cache_keeps_no_more_than_it_was_told)
{
	struct hr_chunk *chunks[N_PLACES + 1];
	uint32_t n = 0;

	ck_assert_uint_eq(take_all(chunks), N_PLACES);
	for (uint32_t i = 0; i < N_PLACES; i++)
		ck_assert_int_eq(hr_pool_cache_release(&cache, chunks[i]), 0);
	ck_assert_uint_eq(stats_now().in_use, 0);
	while (hr_pool_acquire(pool, HR_POOL_FIXED))
		n++;
	/* The one given last and the others. */
	ck_assert_uint_ge(n, N_PLACES - MOST - 1);
	ck_assert_uint_lt(n, N_PLACES);
}
END_TEST

START_TEST(close_gives_everything_back)
{
	struct hr_chunk *chunk = hr_pool_cache_acquire(&cache);

	ck_assert_int_eq(hr_pool_cache_release(&cache, chunk), 0);
	hr_pool_cache_close(&cache);
	hr_pool_cache_close(&other);
	ck_assert_uint_eq(stats_now().hits, 1);
	for (uint32_t i = 0; i < N_PLACES; i++)
		ck_assert_ptr_nonnull(hr_pool_acquire(pool, HR_POOL_FIXED));
	ck_assert_ptr_null(hr_pool_acquire(pool, HR_POOL_FIXED));
}
END_TEST

START_TEST(what_is_not_to_be_given_is_refused)
{
	struct hr_chunk *a = hr_pool_cache_acquire(&cache);
	struct hr_chunk *b = hr_pool_cache_acquire(&cache);
	struct hr_chunk foreign;

	ck_assert_int_eq(hr_pool_cache_release(&cache, NULL), 0);
	ck_assert_int_eq(hr_pool_cache_release(&cache, &foreign), -EINVAL);
	ck_assert_int_eq(hr_pool_cache_release(&cache, (struct hr_chunk *)((char *)a + 8)),
			 -EINVAL);
	ck_assert_int_eq(hr_pool_cache_release(&cache, a), 0);
	ck_assert_int_eq(hr_pool_cache_release(&cache, a), -EALREADY);
	ck_assert_int_eq(hr_pool_cache_release(&cache, b), 0);
	ck_assert_int_eq(hr_pool_cache_release(&cache, a), -EALREADY);
}
END_TEST

START_TEST(a_grown_chunk_is_freed_through_a_cache_too)
{
	struct hr_chunk *chunks[N_PLACES + 1], *grown;

	ck_assert_uint_eq(take_all(chunks), N_PLACES);
	grown = hr_pool_acquire(pool, HR_POOL_MAY_GROW);
	ck_assert_ptr_nonnull(grown);
	ck_assert_int_eq(hr_pool_cache_release(&cache, grown), 0);
	ck_assert_uint_eq(stats_now().allocated, N_PLACES);
}
END_TEST

START_TEST(clear_zeroes_the_hits_of_caches)
{
	ck_assert_ptr_nonnull(hr_pool_cache_acquire(&cache));
	hr_pool_clear(pool);
	ck_assert_uint_eq(stats_now().hits, 0);
	ck_assert_uint_eq(stats_now().in_use, 1);
}
END_TEST

/* ---- two threads ---- */

/* The payload is not atomic: that nobody has a chunk twice, the checks of it and the
 * thread sanitizer tell. */
static void *receive(void *arg)
{
	struct hr_ring *ring = arg;
	uintptr_t n_wrong = 0;

	for (uint64_t seq = 0; seq < N_PASSED; seq++) {
		struct hr_chunk *chunk;

		while (!(chunk = hr_ring_pop(ring)))
			sched_yield();
		n_wrong += chunk->seq != seq;
		for (uint32_t i = 0; i < FRAMES; i++)
			n_wrong += ((uint32_t *)(void *)chunk->data)[i] != (uint32_t)seq;
		n_wrong += hr_pool_cache_release(&other, chunk) != 0;
	}
	return (void *)n_wrong;
}

static void send(struct hr_ring *ring, uint64_t seq)
{
	struct hr_chunk *chunk;

	/* All may be on their way, or lie with the receiver. */
	while (!(chunk = hr_pool_cache_acquire(&cache)))
		sched_yield();
	for (uint32_t i = 0; i < FRAMES; i++)
		((uint32_t *)(void *)chunk->data)[i] = (uint32_t)seq;
	chunk->seq = seq;
	while (!hr_ring_push(ring, chunk))
		sched_yield();
}

START_TEST(chunks_go_round_between_two_threads)
{
	struct hr_ring *ring;
	pthread_t receiver;
	void *n_wrong;

	ck_assert_int_eq(hr_ring_create(&ring, 64), 0);
	ck_assert_int_eq(pthread_create(&receiver, NULL, receive, ring), 0);
	for (uint64_t seq = 0; seq < N_PASSED; seq++)
		send(ring, seq);
	ck_assert_int_eq(pthread_join(receiver, &n_wrong), 0);
	ck_assert_uint_eq((uintptr_t)n_wrong, 0);
	ck_assert_uint_eq(stats_now().hits, N_PASSED);
	ck_assert_uint_eq(stats_now().in_use, 0);
	hr_ring_destroy(ring);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool cache");
	TCase *one = tcase_create("one thread"), *two = tcase_create("two threads");

	tcase_add_checked_fixture(one, setup, teardown);
	tcase_add_test(one, open_rejects_what_a_cache_cannot_keep);
	tcase_add_test(one, what_was_given_last_is_taken_next);
	tcase_add_test(one, a_chunk_used_before_is_as_new);
	tcase_add_test(one, every_chunk_comes_out_once_and_then_there_is_none);
	tcase_add_test(one, a_cache_keeps_no_more_than_it_was_told);
	tcase_add_test(one, close_gives_everything_back);
	tcase_add_test(one, what_is_not_to_be_given_is_refused);
	tcase_add_test(one, a_grown_chunk_is_freed_through_a_cache_too);
	tcase_add_test(one, clear_zeroes_the_hits_of_caches);
	suite_add_tcase(suite, one);
	tcase_add_checked_fixture(two, setup, teardown);
	tcase_set_timeout(two, 60);
	tcase_add_test(two, chunks_go_round_between_two_threads);
	suite_add_tcase(suite, two);
	return suite_run(suite);
}
