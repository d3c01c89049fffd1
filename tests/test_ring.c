/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The ring: order, refusal, counters, and two threads at once. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include "core/ring.h"
#include "core/ring_internal.h"
#include "tests/suite.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define N_STREAMED 200000u
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define N_STREAMED 200000u
#endif
#endif
#ifndef N_STREAMED
#define N_STREAMED 4000000u	/* chunks from one thread to the other */
#endif
/* In a tiny ring nearly every chunk costs a switch of threads. */
#define N_STREAMED_TINY (N_STREAMED / 16)

#define CAPACITY 8u

static struct hr_ring *ring;
static struct hr_chunk chunks[2 * CAPACITY];	/* told apart by their address */

static void setup(void)
{
	ck_assert_int_eq(hr_ring_create(&ring, CAPACITY), 0);
}

static void teardown(void)
{
	hr_ring_destroy(ring);
}

static void push_n(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ck_assert(hr_ring_push(ring, &chunks[i]));
}

static void pop_n(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ck_assert_ptr_nonnull(hr_ring_pop(ring));
}

/* ---- creation ---- */

START_TEST(a_new_ring_is_empty)
{
	struct hr_ring_stats stats;

	ck_assert_uint_eq(hr_ring_capacity(ring), CAPACITY);
	ck_assert_uint_eq(hr_ring_fill(ring), 0);
	ck_assert_ptr_null(hr_ring_peek(ring));
	ck_assert_ptr_null(hr_ring_pop(ring));
	hr_ring_get_stats(ring, &stats);
	ck_assert_uint_eq(stats.pushed, 0);
	ck_assert_uint_eq(stats.popped, 0);
	ck_assert_uint_eq(stats.refused, 0);
	ck_assert_uint_eq(stats.fill, 0);
	ck_assert_uint_eq(stats.capacity, CAPACITY);
}
END_TEST

static const uint32_t bad_capacities[] = {
	0, 3, 5, 6, 7, 9, 1000, HR_RING_CAPACITY_MAX - 1, HR_RING_CAPACITY_MAX + 1,
	HR_RING_CAPACITY_MAX * 2, 1u << 31, UINT32_MAX,
};

START_TEST(create_rejects_a_capacity_that_is_zero_too_large_or_no_power_of_two)
{
	struct hr_ring *untouched = ring;

	ck_assert_int_eq(hr_ring_create(&untouched, bad_capacities[_i]), -EINVAL);
	ck_assert_ptr_eq(untouched, ring);
}
END_TEST

START_TEST(destroy_accepts_null)
{
	hr_ring_destroy(NULL);
}
END_TEST

START_TEST(a_ring_of_one_chunk_alternates)
{
	struct hr_ring *one;

	ck_assert_int_eq(hr_ring_create(&one, 1), 0);
	for (uint32_t i = 0; i < 5; i++) {
		ck_assert(hr_ring_push(one, &chunks[i]));
		ck_assert_uint_eq(hr_ring_usage(one), 100);
		ck_assert(hr_ring_is_above(one));
		ck_assert(!hr_ring_push(one, &chunks[i + 1]));
		ck_assert_ptr_eq(hr_ring_pop(one), &chunks[i]);
		ck_assert_ptr_null(hr_ring_pop(one));
		ck_assert(!hr_ring_is_above(one));
	}
	hr_ring_destroy(one);
}
END_TEST

START_TEST(the_largest_ring_can_be_filled_and_emptied)
{
	struct hr_ring *large;

	ck_assert_int_eq(hr_ring_create(&large, HR_RING_CAPACITY_MAX), 0);
	for (uint32_t i = 0; i < HR_RING_CAPACITY_MAX; i++)
		if (!hr_ring_push(large, &chunks[i % CAPACITY]))
			ck_abort_msg("refused chunk %u", i);
	ck_assert(!hr_ring_push(large, &chunks[0]));
	ck_assert_uint_eq(hr_ring_usage(large), 100);
	ck_assert(hr_ring_is_above(large));
	for (uint32_t i = 0; i < HR_RING_CAPACITY_MAX; i++)
		if (hr_ring_pop(large) != &chunks[i % CAPACITY])
			ck_abort_msg("chunk %u out of order", i);
	ck_assert_ptr_null(hr_ring_pop(large));
	hr_ring_destroy(large);
}
END_TEST

/* ---- push and pop ---- */

START_TEST(chunks_come_out_in_the_order_they_went_in)
{
	push_n(CAPACITY);
	for (uint32_t i = 0; i < CAPACITY; i++)
		ck_assert_ptr_eq(hr_ring_pop(ring), &chunks[i]);
	ck_assert_ptr_null(hr_ring_pop(ring));
}
END_TEST

START_TEST(push_to_a_full_ring_leaves_the_chunk_with_the_caller)
{
	struct hr_chunk *extra = &chunks[CAPACITY];

	push_n(CAPACITY);
	ck_assert(!hr_ring_push(ring, extra));
	ck_assert_uint_eq(hr_ring_fill(ring), CAPACITY);
	ck_assert_ptr_eq(hr_ring_pop(ring), &chunks[0]);
	/* The refusal took nothing: the same chunk goes in at the end. */
	ck_assert(hr_ring_push(ring, extra));
	for (uint32_t i = 1; i <= CAPACITY; i++)
		ck_assert_ptr_eq(hr_ring_pop(ring), &chunks[i]);
	ck_assert_ptr_null(hr_ring_pop(ring));
}
END_TEST

START_TEST(peek_shows_the_oldest_chunk_and_leaves_it)
{
	push_n(2);
	ck_assert_ptr_eq(hr_ring_peek(ring), &chunks[0]);
	ck_assert_ptr_eq(hr_ring_peek(ring), &chunks[0]);
	ck_assert_uint_eq(hr_ring_fill(ring), 2);
	ck_assert_ptr_eq(hr_ring_pop(ring), &chunks[0]);
	ck_assert_ptr_eq(hr_ring_peek(ring), &chunks[1]);
}
END_TEST

START_TEST(a_chunk_may_grow_while_it_is_queued)
{
	chunks[0].rate = 48000;
	hr_chunk_set_frames(&chunks[0], 1);
	push_n(1);
	hr_chunk_set_frames(&chunks[0], 480);
	ck_assert_uint_eq(hr_chunk_frames(hr_ring_peek(ring)), 480);
	ck_assert_uint_eq(hr_chunk_duration_ns(hr_ring_peek(ring)), 10 * HR_NS_PER_MS);
}
END_TEST

static const struct {
	uint32_t frames, rate;
	uint64_t ns;
} durations[] = {
	{ 0, 48000, 0 },
	{ 480, 48000, 10000000 },
	{ 441, 44100, 10000000 },
	{ 1, 44100, 22675 },			/* 22675.7, rounded down */
	{ 1, 192000, 5208 },			/* 5208.3 */
	{ 1024, 0, 0 },				/* rate not set yet */
	{ UINT32_MAX, 8000, 536870911875000 },	/* six days: beyond 32 bits */
};

START_TEST(duration_of_a_chunk_follows_from_its_frames_and_rate)
{
	chunks[0].rate = durations[_i].rate;
	hr_chunk_set_frames(&chunks[0], durations[_i].frames);
	ck_assert_uint_eq(hr_chunk_duration_ns(&chunks[0]), durations[_i].ns);
}
END_TEST

/* ---- clear ---- */

struct given_back {
	struct hr_chunk *chunks[CAPACITY];
	uint32_t n;
};

static void note_given_back(struct hr_chunk *chunk, void *arg)
{
	struct given_back *given = arg;

	ck_assert_uint_lt(given->n, CAPACITY);
	given->chunks[given->n++] = chunk;
}

START_TEST(clear_hands_every_chunk_back_in_order)
{
	struct given_back given = { .n = 0 };
	struct hr_ring_stats stats;

	push_n(3);
	ck_assert_uint_eq(hr_ring_clear(ring, note_given_back, &given), 3);
	ck_assert_uint_eq(given.n, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_ptr_eq(given.chunks[i], &chunks[i]);
	ck_assert_ptr_null(hr_ring_pop(ring));
	hr_ring_get_stats(ring, &stats);
	ck_assert_uint_eq(stats.pushed, 3);
	ck_assert_uint_eq(stats.popped, 3);
}
END_TEST

START_TEST(clear_without_a_receiver_leaves_a_ring_that_works)
{
	push_n(CAPACITY);
	ck_assert_uint_eq(hr_ring_clear(ring, NULL, NULL), CAPACITY);
	ck_assert_uint_eq(hr_ring_fill(ring), 0);
	ck_assert_uint_eq(hr_ring_clear(ring, NULL, NULL), 0);
	push_n(CAPACITY);
	ck_assert_ptr_eq(hr_ring_pop(ring), &chunks[0]);
}
END_TEST

static void push_again(struct hr_chunk *chunk, void *arg)
{
	ck_assert(hr_ring_push(arg, chunk));
}

START_TEST(clear_ends_though_the_producer_goes_on_pushing)
{
	push_n(2);
	ck_assert_uint_eq(hr_ring_clear(ring, push_again, ring), CAPACITY);
	ck_assert_uint_eq(hr_ring_fill(ring), 2);
}
END_TEST

/* ---- fill, threshold, statistics ---- */

static const struct {
	uint32_t fill, percent;
} usages[] = {
	{ 0, 0 }, { 1, 12 }, { 2, 25 }, { 3, 37 }, { 5, 62 }, { 7, 87 }, { 8, 100 },
};

START_TEST(usage_is_the_fill_in_percent_rounded_down)
{
	push_n(usages[_i].fill);
	ck_assert_uint_eq(hr_ring_usage(ring), usages[_i].percent);
}
END_TEST

/* first: the smallest fill that is above. */
static const struct {
	uint32_t capacity, percent, first;
} thresholds[] = {
	{ 1, 1, 1 },	{ 1, 100, 1 },	{ 2, 50, 1 },	{ 2, 51, 2 },
	{ 4, 75, 3 },	{ 4, 76, 4 },	{ 8, 12, 1 },	{ 8, 13, 2 },
	{ 8, 90, 8 },	{ 16, 90, 15 },	{ 64, 90, 58 },	{ 1024, 90, 922 },
	{ 128, 1, 2 },	{ 128, 99, 127 }, { 128, 100, 128 },
};

START_TEST(threshold_is_reached_exactly_at_its_share_of_the_capacity)
{
	struct hr_ring *other;

	ck_assert_int_eq(hr_ring_create(&other, thresholds[_i].capacity), 0);
	ck_assert_int_eq(hr_ring_set_threshold(other, thresholds[_i].percent), 0);
	for (uint32_t fill = 0; fill < thresholds[_i].capacity; fill++) {
		ck_assert_int_eq(hr_ring_is_above(other), fill >= thresholds[_i].first);
		ck_assert(hr_ring_push(other, &chunks[0]));
	}
	ck_assert(hr_ring_is_above(other));
	hr_ring_destroy(other);
}
END_TEST

START_TEST(threshold_is_left_again_when_the_fill_falls)
{
	ck_assert_int_eq(hr_ring_set_threshold(ring, 50), 0);
	push_n(CAPACITY / 2);
	ck_assert(hr_ring_is_above(ring));
	pop_n(1);
	ck_assert(!hr_ring_is_above(ring));
}
END_TEST

START_TEST(threshold_is_90_percent_until_it_is_set)
{
	push_n(CAPACITY - 1);			/* 87.5 % */
	ck_assert(!hr_ring_is_above(ring));
	ck_assert(hr_ring_push(ring, &chunks[CAPACITY - 1]));
	ck_assert(hr_ring_is_above(ring));
}
END_TEST

START_TEST(a_threshold_out_of_range_is_rejected_and_changes_nothing)
{
	ck_assert_int_eq(hr_ring_set_threshold(ring, 50), 0);
	ck_assert_int_eq(hr_ring_set_threshold(ring, 0), -EINVAL);
	ck_assert_int_eq(hr_ring_set_threshold(ring, 101), -EINVAL);
	ck_assert_int_eq(hr_ring_set_threshold(ring, UINT32_MAX), -EINVAL);
	push_n(CAPACITY / 2 - 1);
	ck_assert(!hr_ring_is_above(ring));
	ck_assert(hr_ring_push(ring, &chunks[CAPACITY / 2]));
	ck_assert(hr_ring_is_above(ring));
}
END_TEST

START_TEST(statistics_count_pushes_pops_and_refusals)
{
	struct hr_ring_stats stats;

	push_n(CAPACITY);
	ck_assert(!hr_ring_push(ring, &chunks[CAPACITY]));
	ck_assert(!hr_ring_push(ring, &chunks[CAPACITY]));
	pop_n(3);
	hr_ring_get_stats(ring, &stats);
	ck_assert_uint_eq(stats.pushed, CAPACITY);
	ck_assert_uint_eq(stats.popped, 3);
	ck_assert_uint_eq(stats.refused, 2);
	ck_assert_uint_eq(stats.fill, CAPACITY - 3);
	ck_assert_uint_eq(stats.capacity, CAPACITY);
}
END_TEST

static const struct {
	uint64_t popped, pushed;
	uint32_t fill;
} counts[] = {
	{ 5, 5, 0 }, { 5, 6, 1 }, { 5, 13, 8 },
	{ 5, 14, 8 }, { 5, 5 + (1ull << 32), 8 },	/* pushed loaded late */
	{ UINT64_MAX, 0, 1 }, { UINT64_MAX - 3, 4, 8 }, { UINT64_MAX - 3, 900, 8 },
};

START_TEST(fill_stays_within_the_capacity_however_late_the_second_count)
{
	ck_assert_uint_eq(hr_ring_fill_between(CAPACITY, counts[_i].popped,
					       counts[_i].pushed), counts[_i].fill);
}
END_TEST

/* ---- index wrap ---- */

static const struct {
	uint64_t start;		/* shortly before the wrap */
	uint32_t capacity;
} wraps[] = {
	{ UINT32_MAX - 1ull, 1 }, { UINT32_MAX - 9ull, 8 }, { UINT32_MAX, 8 },
	{ UINT64_MAX - 1, 1 }, { UINT64_MAX - 9, 8 }, { UINT64_MAX, 8 },
	{ INT64_MAX, 8 }, { 3, 8 },
};

START_TEST(indexes_wrap_without_losing_order_or_count)
{
	uint64_t start = wraps[_i].start;
	uint32_t capacity = wraps[_i].capacity;
	struct hr_ring_stats stats;
	struct hr_ring *old;
	uint32_t n_pushed = 0;

	ck_assert_int_eq(hr_ring_create_at(&old, capacity, start), 0);
	for (uint32_t n_popped = 0; n_popped < 3 * capacity + 4; n_popped++) {
		while (hr_ring_push(old, &chunks[n_pushed % (2 * CAPACITY)]))
			n_pushed++;
		ck_assert_uint_eq(n_pushed, n_popped + capacity);
		ck_assert_uint_eq(hr_ring_fill(old), capacity);
		ck_assert_uint_eq(hr_ring_usage(old), 100);
		ck_assert_ptr_eq(hr_ring_pop(old), &chunks[n_popped % (2 * CAPACITY)]);
		ck_assert_uint_eq(hr_ring_fill(old), capacity - 1);
	}
	hr_ring_get_stats(old, &stats);
	ck_assert_uint_eq(stats.pushed, start + n_pushed);
	ck_assert_uint_eq(stats.popped, start + n_pushed - capacity + 1);
	ck_assert_uint_eq(hr_ring_clear(old, NULL, NULL), capacity - 1);
	hr_ring_destroy(old);
}
END_TEST

/* ---- two threads ---- */

#define N_WORDS 8u	/* of payload in a streamed chunk: one cache line */

/*
 * One more chunk than the ring and the consumer can hold between them, used in
 * turn. There is no pool: that a chunk may be filled anew is learnt from the
 * ring alone, from the slot that the consumer emptied after it was done with the
 * chunk. So the payload, which is not atomic, checks the order in both directions.
 */
struct streaming {
	struct hr_ring *ring;
	struct hr_chunk *chunks;
	uint32_t n_chunks;
	uint64_t n_streamed;
	uint64_t n_refused;	/* by the producer, read after it was joined */
};

static void *produce(void *arg)
{
	struct streaming *s = arg;

	for (uint64_t seq = 0; seq < s->n_streamed; seq++) {
		struct hr_chunk *chunk = &s->chunks[seq % s->n_chunks];
		uint64_t *words = (uint64_t *)(void *)chunk->data;

		chunk->seq = seq;
		for (uint32_t w = 0; w < N_WORDS; w++)
			words[w] = seq * N_WORDS + w;
		while (!hr_ring_push(s->ring, chunk)) {
			s->n_refused++;
			sched_yield();
		}
	}
	return NULL;
}

/* Pops all that is streamed. Returns how many were not what they should be. */
static uint64_t consume(struct streaming *s)
{
	uint64_t n_wrong = 0;

	for (uint64_t seq = 0; seq < s->n_streamed; seq++) {
		struct hr_chunk *chunk;
		uint64_t *words;

		while (!(chunk = hr_ring_pop(s->ring)))
			sched_yield();
		words = (uint64_t *)(void *)chunk->data;
		n_wrong += chunk->seq != seq;
		for (uint32_t w = 0; w < N_WORDS; w++)
			n_wrong += words[w] != seq * N_WORDS + w;
	}
	return n_wrong;
}

static void streaming_init(struct streaming *s, uint32_t capacity,
			   uint64_t n_streamed)
{
	ck_assert_int_eq(hr_ring_create(&s->ring, capacity), 0);
	s->n_chunks = capacity + 2;
	s->chunks = calloc(s->n_chunks, sizeof(*s->chunks));
	ck_assert_ptr_nonnull(s->chunks);
	for (uint32_t i = 0; i < s->n_chunks; i++) {
		s->chunks[i].data = calloc(N_WORDS, sizeof(uint64_t));
		ck_assert_ptr_nonnull(s->chunks[i].data);
	}
	s->n_streamed = n_streamed;
	s->n_refused = 0;
}

static void streaming_finish(struct streaming *s)
{
	for (uint32_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i].data);
	free(s->chunks);
	hr_ring_destroy(s->ring);
}

static const struct {
	uint32_t capacity, n_streamed;
} streamings[] = {
	{ 1, N_STREAMED_TINY }, { 2, N_STREAMED_TINY }, { 64, N_STREAMED },
};

START_TEST(two_threads_see_every_chunk_in_order)
{
	uint32_t capacity = streamings[_i].capacity;
	struct hr_ring_stats stats;
	struct streaming s;
	pthread_t producer;

	streaming_init(&s, capacity, streamings[_i].n_streamed);
	ck_assert_int_eq(pthread_create(&producer, NULL, produce, &s), 0);
	ck_assert_uint_eq(consume(&s), 0);
	ck_assert_int_eq(pthread_join(producer, NULL), 0);
	ck_assert_ptr_null(hr_ring_pop(s.ring));
	hr_ring_get_stats(s.ring, &stats);
	ck_assert_uint_eq(stats.pushed, s.n_streamed);
	ck_assert_uint_eq(stats.popped, s.n_streamed);
	ck_assert_uint_eq(stats.refused, s.n_refused);
	streaming_finish(&s);
}
END_TEST

#define N_LOOKS (N_STREAMED / 8)

static atomic_bool watched_enough;

/* Looks at a ring that holds CAPACITY or one less at every instant. Returns how
 * often it saw anything else. */
static void *watch(void *arg)
{
	const struct hr_ring *full = arg;
	uint64_t pushed_before = 0;
	uintptr_t n_wrong = 0;

	for (uint32_t i = 0; i < N_LOOKS; i++) {
		uint32_t fill = hr_ring_fill(full);
		struct hr_ring_stats stats;

		hr_ring_get_stats(full, &stats);
		n_wrong += fill != CAPACITY && fill != CAPACITY - 1;
		n_wrong += stats.fill != CAPACITY && stats.fill != CAPACITY - 1;
		n_wrong += stats.popped > stats.pushed;
		n_wrong += stats.pushed < pushed_before;
		n_wrong += hr_ring_usage(full) > 100;
		pushed_before = stats.pushed;
	}
	/* relaxed: nothing but the end is taken from it. */
	atomic_store_explicit(&watched_enough, true, memory_order_relaxed);
	return (void *)n_wrong;
}

/* Both sides in one thread, as fast as it can, so that they move between any two
 * loads of the bystander even where there are but two CPUs. */
START_TEST(a_bystander_never_sees_a_fill_that_cannot_be)
{
	pthread_t watcher;
	void *n_wrong;

	push_n(CAPACITY);
	ck_assert_int_eq(pthread_create(&watcher, NULL, watch, ring), 0);
	for (uint32_t i = 1; !atomic_load_explicit(&watched_enough,
						   memory_order_relaxed); i++) {
		struct hr_chunk *chunk = hr_ring_pop(ring);

		if (!chunk || !hr_ring_push(ring, chunk))
			ck_abort_msg("a full ring gave nothing or took nothing back");
		if (i % 4096 == 0)
			sched_yield();
	}
	ck_assert_int_eq(pthread_join(watcher, &n_wrong), 0);
	ck_assert_ptr_null(n_wrong);
}
END_TEST

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void add_tcase(Suite *suite, TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
}

static Suite *ring_suite(void)
{
	Suite *suite = suite_create("ring");
	TCase *create = tcase_create("create");
	TCase *order = tcase_create("order");
	TCase *clear = tcase_create("clear");
	TCase *counters = tcase_create("counters");
	TCase *threads = tcase_create("threads");

	add_tcase(suite, create);
	tcase_add_test(create, a_new_ring_is_empty);
	tcase_add_loop_test(create,
		create_rejects_a_capacity_that_is_zero_too_large_or_no_power_of_two,
		0, N_OF(bad_capacities));
	tcase_add_test(create, destroy_accepts_null);
	tcase_add_test(create, a_ring_of_one_chunk_alternates);
	tcase_add_test(create, the_largest_ring_can_be_filled_and_emptied);

	add_tcase(suite, order);
	tcase_add_test(order, chunks_come_out_in_the_order_they_went_in);
	tcase_add_test(order, push_to_a_full_ring_leaves_the_chunk_with_the_caller);
	tcase_add_test(order, peek_shows_the_oldest_chunk_and_leaves_it);
	tcase_add_test(order, a_chunk_may_grow_while_it_is_queued);
	tcase_add_loop_test(order, duration_of_a_chunk_follows_from_its_frames_and_rate,
			    0, N_OF(durations));
	tcase_add_loop_test(order, indexes_wrap_without_losing_order_or_count,
			    0, N_OF(wraps));

	add_tcase(suite, clear);
	tcase_add_test(clear, clear_hands_every_chunk_back_in_order);
	tcase_add_test(clear, clear_without_a_receiver_leaves_a_ring_that_works);
	tcase_add_test(clear, clear_ends_though_the_producer_goes_on_pushing);

	add_tcase(suite, counters);
	tcase_add_loop_test(counters, usage_is_the_fill_in_percent_rounded_down,
			    0, N_OF(usages));
	tcase_add_loop_test(counters,
			    threshold_is_reached_exactly_at_its_share_of_the_capacity,
			    0, N_OF(thresholds));
	tcase_add_loop_test(counters,
			    fill_stays_within_the_capacity_however_late_the_second_count,
			    0, N_OF(counts));
	tcase_add_test(counters, threshold_is_left_again_when_the_fill_falls);
	tcase_add_test(counters, threshold_is_90_percent_until_it_is_set);
	tcase_add_test(counters,
		       a_threshold_out_of_range_is_rejected_and_changes_nothing);
	tcase_add_test(counters, statistics_count_pushes_pops_and_refusals);

	add_tcase(suite, threads);
	tcase_set_timeout(threads, 60);
	tcase_add_loop_test(threads, two_threads_see_every_chunk_in_order,
			    0, N_OF(streamings));
	tcase_add_test(threads, a_bystander_never_sees_a_fill_that_cannot_be);
	return suite;
}

int main(void)
{
	return suite_run(ring_suite());
}
