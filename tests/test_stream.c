/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The stream, one call after the other; two threads: test_stream_threads.c. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include "core/health.h"
#include "tests/stream_frames.h"
#include "tests/suite.h"

#define CHUNK 10u
#define CAPACITY 40u
#define HOLD 25u
#define RATE 48000u

static struct hr_stream *stream;
static struct hr_health *health;

static struct hr_stream_config usual(void)
{
	return (struct hr_stream_config) {
		.chunk_frames = CHUNK, .frame_bytes = sizeof(struct frame),
		.rate = RATE, .capacity_frames = CAPACITY, .hold_frames = HOLD,
		.health = health,
	};
}

static void setup(void)
{
	struct hr_stream_config config;

	ck_assert_int_eq(hr_health_create(&health, HR_HEALTH_WINDOW_MIN), 0);
	config = usual();
	ck_assert_int_eq(hr_stream_create(&stream, &config), 0);
}

static void teardown(void)
{
	hr_stream_destroy(stream);
	hr_health_destroy(health);
}

static void put(uint32_t n, uint32_t generation)
{
	ck_assert_uint_eq(put_frames(stream, n, generation, 0), n);
}

/* Exactly these n frames are readable from pos on, and perhaps more. */
static void look(uint64_t pos, uint32_t n, uint32_t generation)
{
	while (n > 0) {
		struct hr_span span = hr_stream_read_begin(stream, pos, 0);
		uint32_t part = n < span.frames ? n : span.frames;

		ck_assert_uint_gt(span.frames, 0);
		for (uint32_t i = 0; i < part; i++) {
			ck_assert(frame_is(&span_frames(&span)[i], pos + i));
			ck_assert_uint_eq(span_frames(&span)[i].generation, generation);
		}
		pos += part;
		n -= part;
	}
}

static void look_and_be_done(uint64_t pos, uint32_t n, uint32_t generation)
{
	look(pos, n, generation);
	hr_stream_read_done(stream, pos + n, 0);
}

static void assert_nothing_at(uint64_t pos)
{
	struct hr_span span = hr_stream_read_begin(stream, pos, 0);

	ck_assert_uint_eq(span.frames, 0);
	ck_assert_ptr_null(span.chunk);
}

static struct hr_health_snapshot snapshot(void)
{
	struct hr_health_snapshot s;

	ck_assert_int_eq(hr_health_get_snapshot(health, HR_HEALTH_WINDOW_MIN, &s, 0), 0);
	return s;
}

/* ---- creation ---- */

static const struct hr_stream_config bad_configs[] = {
	{ .chunk_frames = 0, .frame_bytes = 4, .rate = 1, .capacity_frames = 1 },
	{ .chunk_frames = 1, .frame_bytes = 0, .rate = 1, .capacity_frames = 1 },
	{ .chunk_frames = 1, .frame_bytes = 4, .rate = 0, .capacity_frames = 1 },
	{ .chunk_frames = 1, .frame_bytes = 4, .rate = 1, .capacity_frames = 0 },
	{ .chunk_frames = 1, .frame_bytes = 4, .rate = 1,
	  .capacity_frames = HR_POOL_LIMIT_MAX },
	{ .chunk_frames = 1, .frame_bytes = 4, .rate = 1,
	  .capacity_frames = UINT64_MAX },
	{ .chunk_frames = 1, .frame_bytes = 4, .rate = 1, .capacity_frames = 1,
	  .hold_frames = UINT64_MAX },
	{ .chunk_frames = UINT32_MAX, .frame_bytes = 4, .rate = 1,
	  .capacity_frames = UINT64_MAX, .hold_frames = UINT64_MAX },
	/* the payload of a chunk would have 2^31 bytes */
	{ .chunk_frames = 1u << 29, .frame_bytes = 4, .rate = 1,
	  .capacity_frames = 1 },
};

START_TEST(create_rejects_a_configuration_out_of_bounds)
{
	struct hr_stream *untouched = stream;

	ck_assert_int_eq(hr_stream_create(&untouched, &bad_configs[_i]), -EINVAL);
	ck_assert_ptr_eq(untouched, stream);
}
END_TEST

START_TEST(destroy_accepts_null)
{
	hr_stream_destroy(NULL);
}
END_TEST

START_TEST(a_new_stream_is_empty)
{
	ck_assert_uint_eq(hr_stream_write_pos(stream), 0);
	ck_assert_uint_eq(hr_stream_read_pos(stream), 0);
	assert_nothing_at(0);
	ck_assert_uint_eq(hr_stream_rewind(stream, 0), 0);
}
END_TEST

START_TEST(a_stream_of_single_frames_works)
{
	struct hr_stream_config config = usual();

	hr_stream_destroy(stream);
	config.chunk_frames = 1;
	config.capacity_frames = 1;
	config.hold_frames = 0;
	ck_assert_int_eq(hr_stream_create(&stream, &config), 0);
	for (uint32_t i = 0; i < 100; i++) {
		put(1, i);
		look_and_be_done(i, 1, i);
	}
}
END_TEST

/* ---- order ---- */

START_TEST(frames_are_read_by_position_over_the_ends_of_chunks)
{
	for (uint64_t pos = 0; pos < 50 * 7; pos += 7) {
		put(7, 1);
		look_and_be_done(pos, 7, 1);
		ck_assert_uint_eq(hr_stream_write_pos(stream), pos + 7);
		ck_assert_uint_eq(hr_stream_read_pos(stream), pos + 7);
		assert_nothing_at(pos + 7);
	}
}
END_TEST

START_TEST(an_open_chunk_is_readable_from_its_first_frame)
{
	for (uint32_t i = 0; i < 3 * CHUNK; i++) {
		put(1, 1);
		ck_assert_uint_eq(hr_stream_read_begin(stream, i, 0).frames, 1);
		look(0, i + 1, 1);
	}
}
END_TEST

START_TEST(a_span_that_is_not_committed_is_not_readable)
{
	ck_assert_uint_eq(hr_stream_write_begin(stream, 0).frames, CHUNK);
	assert_nothing_at(0);
	hr_stream_write_commit(stream, 0);
	assert_nothing_at(0);
	ck_assert_uint_eq(hr_stream_write_begin(stream, 0).frames, CHUNK);
	ck_assert_uint_eq(hr_stream_write_pos(stream), 0);
}
END_TEST

START_TEST(a_position_may_be_looked_at_again_until_it_is_done)
{
	put(17, 1);
	for (int i = 0; i < 3; i++)
		look(0, 17, 1);
	look(4, 13, 1);
	ck_assert_uint_eq(hr_stream_read_pos(stream), 0);
}
END_TEST

START_TEST(the_reader_may_go_back_as_far_as_it_holds)
{
	uint64_t pos = 0;

	for (; pos < 200; pos += 5) {
		put(5, 1);
		look_and_be_done(pos, 5, 1);
		if (pos < HOLD)
			continue;
		look(pos + 5 - HOLD, HOLD, 1);
		hr_stream_read_done(stream, pos + 5 - HOLD, 0);
		ck_assert_uint_eq(hr_stream_read_pos(stream), pos + 5 - HOLD);
		look_and_be_done(pos + 5 - HOLD, HOLD, 1);
	}
}
END_TEST

START_TEST(what_is_not_held_any_more_is_not_readable)
{
	put(40, 1);
	look_and_be_done(0, 40, 1);
	assert_nothing_at(0);		/* 40 - HOLD is in the second chunk */
	look(CHUNK, 30, 1);
}
END_TEST

START_TEST(capacity_is_free_again_and_again_wherever_the_reader_is)
{
	uint64_t read = 0, written = 0;
	uint32_t seed = 77;

	while (written < 5000) {
		uint32_t n = 1 + random_below(&seed, CAPACITY);

		put((uint32_t)(read + CAPACITY - written), 1);
		written = read + CAPACITY;
		look_and_be_done(read, n, 1);
		read += n;
	}
}
END_TEST

START_TEST(a_full_stream_refuses_and_loses_nothing)
{
	uint32_t n = put_frames(stream, 1000, 1, 0);

	ck_assert_uint_ge(n, CAPACITY);
	ck_assert_uint_lt(n, 1000);
	ck_assert_ptr_null(hr_stream_write_begin(stream, 0).chunk);
	ck_assert_uint_eq(hr_stream_write_begin(stream, 0).frames, 0);
	ck_assert_uint_eq(hr_stream_write_pos(stream), n);
	look_and_be_done(0, n, 1);
	put(CAPACITY, 1);
	look_and_be_done(n, CAPACITY, 1);
}
END_TEST

/* A reader that skips must not leave its chunks in the ring, or the writer would
 * find no room though nothing waits to be read. */
START_TEST(frames_skipped_without_a_look_make_room)
{
	struct hr_stream_config config = usual();
	uint64_t pos = 0;

	hr_stream_destroy(stream);
	config.capacity_frames = 3 * CHUNK;	/* leaves the ring no spare place */
	config.hold_frames = 0;
	ck_assert_int_eq(hr_stream_create(&stream, &config), 0);
	for (int i = 0; i < 20; i++) {
		put(3 * CHUNK - 1, 1);
		pos += 3 * CHUNK - 1;
		hr_stream_read_done(stream, pos, 0);
	}
	put(4, 1);
	look(pos, 4, 1);
	hr_stream_read_done(stream, pos + 4, 0);
	ck_assert_uint_eq(snapshot().chunks, (pos + 4) / CHUNK);
}
END_TEST

START_TEST(the_pool_never_misses_within_the_capacity)
{
	struct hr_ring_stats ring;
	struct hr_pool_stats pool;
	uint64_t pos = 0;

	for (int i = 0; i < 200; i++) {
		put(CAPACITY, 1);
		look_and_be_done(pos, CAPACITY, 1);
		pos += CAPACITY;
	}
	hr_stream_get_stats(stream, &ring, &pool);
	ck_assert_uint_eq(pool.misses, 0);
	ck_assert_uint_eq(ring.refused, 0);
	ck_assert_uint_eq(ring.pushed, pos / CHUNK);
	ck_assert_uint_eq(ring.popped, pos / CHUNK);
}
END_TEST

/* ---- rewind ---- */

START_TEST(unread_frames_can_be_written_again)
{
	put(8, 1);
	look_and_be_done(0, 3, 1);
	ck_assert_uint_eq(hr_stream_rewind(stream, 5), 5);
	ck_assert_uint_eq(hr_stream_write_pos(stream), 5);
	look(3, 2, 1);
	assert_nothing_at(5);
	put(20, 2);
	look(3, 2, 1);
	look_and_be_done(5, 20, 2);
}
END_TEST

START_TEST(rewind_goes_over_several_chunks)
{
	put(38, 1);
	for (uint32_t back = 38; back-- > 0;) {
		ck_assert_uint_eq(hr_stream_rewind(stream, back), back);
		put(38 - back, 2);
		ck_assert_uint_eq(hr_stream_write_pos(stream), 38);
		look(back, 38 - back, 2);
		hr_stream_read_done(stream, 0, 0);
		ck_assert_uint_eq(hr_stream_rewind(stream, back), back);
		put(38 - back, 1);
	}
}
END_TEST

START_TEST(frames_of_chunks_rewound_over_stay_unreadable)
{
	put(35, 1);
	ck_assert_uint_eq(hr_stream_rewind(stream, 4), 4);
	for (uint64_t pos = 4; pos < 40; pos++)
		assert_nothing_at(pos);
	put(10, 2);
	for (uint64_t pos = 14; pos < 40; pos++)
		assert_nothing_at(pos);
	look(0, 4, 1);
	look(4, 10, 2);
}
END_TEST

START_TEST(rewind_to_the_end_or_beyond_changes_nothing)
{
	put(13, 1);
	ck_assert_uint_eq(hr_stream_rewind(stream, 13), 13);
	ck_assert_uint_eq(hr_stream_rewind(stream, 14), 13);
	ck_assert_uint_eq(hr_stream_write_pos(stream), 13);
	look(0, 13, 1);
}
END_TEST

START_TEST(rewind_stops_at_what_the_reader_has_claimed)
{
	put(25, 1);
	look(0, 1, 1);			/* claims what the first chunk has */
	ck_assert_uint_eq(hr_stream_rewind(stream, 3), CHUNK);
	put(5, 2);
	look(0, CHUNK, 1);
	look(CHUNK, 5, 2);
	ck_assert_uint_eq(hr_stream_rewind(stream, 0), 15);
}
END_TEST

/* A device takes less than it was offered: the rest may be written again. */
START_TEST(frames_claimed_and_not_taken_can_be_rewound_after_done)
{
	put(10, 1);
	look(0, 10, 1);
	hr_stream_read_done(stream, 3, 0);
	ck_assert_uint_eq(hr_stream_rewind(stream, 0), 3);
	put(7, 2);
	look(3, 7, 2);
}
END_TEST

/* The second span is as good as the first until the reader is done. */
START_TEST(several_spans_are_claimed_until_done)
{
	put(30, 1);
	look(0, 30, 1);
	look(0, 10, 1);
	ck_assert_uint_eq(hr_stream_rewind(stream, 5), 30);
	hr_stream_read_done(stream, 0, 0);
	ck_assert_uint_eq(hr_stream_rewind(stream, 5), 5);
}
END_TEST

START_TEST(what_was_read_cannot_be_rewound_while_the_reader_looks_back)
{
	put(30, 1);
	look_and_be_done(0, 30, 1);
	look(10, 5, 1);
	ck_assert_uint_eq(hr_stream_rewind(stream, 20), 30);
}
END_TEST

START_TEST(a_look_that_finds_nothing_claims_nothing)
{
	put(12, 1);
	assert_nothing_at(12);
	assert_nothing_at(30);
	ck_assert_uint_eq(hr_stream_rewind(stream, 2), 2);
	put(6, 2);
	look(2, 6, 2);
}
END_TEST

START_TEST(a_full_stream_has_room_again_after_rewind)
{
	uint32_t n = put_frames(stream, 1000, 1, 0);

	ck_assert_uint_eq(hr_stream_rewind(stream, 1), 1);
	ck_assert_uint_eq(put_frames(stream, 1000, 2, 0), n - 1);
	look(0, 1, 1);
	look(1, n - 1, 2);
}
END_TEST

/* ---- reset and health ---- */

START_TEST(reset_begins_again_at_0_with_all_room)
{
	for (int i = 0; i < 20; i++) {
		uint32_t n = put_frames(stream, 1000, 1, 0);

		look_and_be_done(0, n / 2 + (uint32_t)i % 3, 1);
		hr_stream_reset(stream, 0);
		ck_assert_uint_eq(hr_stream_write_pos(stream), 0);
		ck_assert_uint_eq(hr_stream_read_pos(stream), 0);
		assert_nothing_at(0);
		ck_assert_uint_eq(put_frames(stream, 1000, 2, 0), n);
		look(0, n, 2);
		hr_stream_reset(stream, 0);
	}
}
END_TEST

START_TEST(reset_forgets_what_was_claimed)
{
	put(30, 1);
	look(0, 30, 1);
	hr_stream_reset(stream, 0);
	put(30, 2);
	ck_assert_uint_eq(hr_stream_rewind(stream, 4), 4);
}
END_TEST

START_TEST(a_chunk_counts_once_when_all_of_it_is_read)
{
	put(30, 1);
	look_and_be_done(0, CHUNK - 1, 1);
	ck_assert_uint_eq(snapshot().chunks, 0);
	look_and_be_done(CHUNK - 1, 1, 1);
	ck_assert_uint_eq(snapshot().chunks, 1);
	hr_stream_read_done(stream, 0, 0);		/* back ... */
	look_and_be_done(0, 30, 1);			/* ... and once more */
	ck_assert_uint_eq(snapshot().chunks, 3);
	ck_assert_uint_eq(snapshot().frames, 30);
}
END_TEST

START_TEST(reset_counts_a_chunk_read_in_part)
{
	put(30, 1);
	look_and_be_done(0, 13, 1);
	hr_stream_reset(stream, 0);
	ck_assert_uint_eq(snapshot().chunks, 2);
	ck_assert_uint_eq(snapshot().frames, 13);
	hr_stream_reset(stream, 0);
	ck_assert_uint_eq(snapshot().chunks, 2);
}
END_TEST

START_TEST(latency_is_from_the_first_frame_written_to_the_first_look)
{
	struct hr_latency latency;

	ck_assert_uint_eq(put_frames(stream, 4, 1, 1000), 4);
	ck_assert_uint_eq(put_frames(stream, 6, 1, 2000), 6);	/* same chunk */
	ck_assert_uint_eq(put_frames(stream, 10, 1, 3000), 10);
	hr_stream_read_begin(stream, 0, 1500);
	hr_stream_read_begin(stream, 0, 9000);
	hr_stream_read_done(stream, 10, 9000);
	hr_stream_read_begin(stream, 10, 3100);
	hr_stream_read_done(stream, 20, 9000);
	latency = snapshot().latency;
	ck_assert_uint_eq(latency.n_samples, 2);
	ck_assert_uint_eq(latency.max, 500);
	ck_assert_uint_eq(latency.min, 100);
}
END_TEST

START_TEST(a_chunk_begun_again_has_the_time_of_its_new_beginning)
{
	ck_assert_uint_eq(put_frames(stream, 20, 1, 1000), 20);
	ck_assert_uint_eq(hr_stream_rewind(stream, 10), 10);
	ck_assert_uint_eq(put_frames(stream, 10, 2, 5000), 10);
	hr_stream_read_begin(stream, 0, 1001);
	hr_stream_read_begin(stream, 10, 5002);
	hr_stream_read_done(stream, 20, 9000);
	ck_assert_uint_eq(snapshot().latency.max, 2);
}
END_TEST

START_TEST(a_chunk_skipped_without_a_look_has_waited_until_then)
{
	ck_assert_uint_eq(put_frames(stream, 10, 1, 1000), 10);
	hr_stream_read_done(stream, 10, 1700);
	ck_assert_uint_eq(snapshot().latency.max, 700);
}
END_TEST

START_TEST(a_stream_without_health_works)
{
	struct hr_stream_config config = usual();

	hr_stream_destroy(stream);
	config.health = NULL;
	ck_assert_int_eq(hr_stream_create(&stream, &config), 0);
	put(33, 1);
	look_and_be_done(0, 33, 1);
	hr_stream_reset(stream, 0);
}
END_TEST

/* ---- against a model ---- */

#define N_OPERATIONS 100000u
#define MODEL_FRAMES (1u << 20)		/* more than are ever written */

struct model {
	uint64_t written, read, furthest, claimed;
	uint32_t generation, seed;
	uint32_t *generations;		/* by position, as written last */
};

static void model_write(struct model *m)
{
	uint64_t unread = m->written - m->read;
	uint64_t room = unread < CAPACITY ? CAPACITY - unread : 0;
	uint32_t n = random_below(&m->seed, 2 * CHUNK + 2);

	if (n > room)
		n = (uint32_t)room;
	m->generation++;
	put(n, m->generation);
	for (uint32_t i = 0; i < n; i++)
		m->generations[m->written++] = m->generation;
}

static void model_rewind(struct model *m)
{
	uint64_t back = random_below(&m->seed, CAPACITY);
	uint64_t to = m->written > back ? m->written - back : 0;
	uint64_t reached = to > m->claimed ? to : m->claimed;

	ck_assert_uint_eq(hr_stream_rewind(stream, to), reached);
	m->written = reached;
}

static void model_look(struct model *m)
{
	uint64_t pos = m->read + random_below(&m->seed, CHUNK);
	struct hr_span span = hr_stream_read_begin(stream, pos, 0);
	uint64_t end = (pos / CHUNK + 1) * CHUNK;

	if (end > m->written)
		end = m->written;
	ck_assert_uint_eq(span.frames, pos < end ? end - pos : 0);
	for (uint32_t i = 0; i < span.frames; i++) {
		ck_assert(frame_is(&span_frames(&span)[i], pos + i));
		ck_assert_uint_eq(span_frames(&span)[i].generation,
				  m->generations[pos + i]);
	}
	if (span.frames && end > m->claimed)
		m->claimed = end;
}

/* Within what was claimed, or back into what is held. */
static void model_done(struct model *m)
{
	uint64_t lowest = m->furthest > HOLD ? m->furthest - HOLD : 0;

	if (m->written < m->furthest || random_below(&m->seed, 4))
		lowest = m->read;
	m->read = lowest + random_below(&m->seed, (uint32_t)(m->claimed - lowest) + 1);
	m->claimed = m->read;
	if (m->read > m->furthest)
		m->furthest = m->read;
	hr_stream_read_done(stream, m->read, 0);
	ck_assert_uint_eq(hr_stream_read_pos(stream), m->read);
}

START_TEST(random_operations_do_what_a_plain_array_would)
{
	struct model m = { .seed = 0x9e3779b9u + (uint32_t)_i };

	m.generations = calloc(MODEL_FRAMES, sizeof(uint32_t));
	ck_assert_ptr_nonnull(m.generations);
	for (uint32_t i = 0; i < N_OPERATIONS; i++) {
		switch (random_below(&m.seed, 8)) {
		case 0: case 1: case 2:
			model_write(&m);
			break;
		case 3:
			model_rewind(&m);
			break;
		case 4: case 5:
			model_look(&m);
			break;
		default:
			model_done(&m);
		}
		ck_assert_uint_eq(hr_stream_write_pos(stream), m.written);
	}
	ck_assert_uint_gt(m.furthest, N_OPERATIONS / 10);	/* it went somewhere */
	free(m.generations);
}
END_TEST

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_rewind_tests(TCase *tcase)
{
	tcase_add_test(tcase, unread_frames_can_be_written_again);
	tcase_add_test(tcase, rewind_goes_over_several_chunks);
	tcase_add_test(tcase, frames_of_chunks_rewound_over_stay_unreadable);
	tcase_add_test(tcase, rewind_to_the_end_or_beyond_changes_nothing);
	tcase_add_test(tcase, rewind_stops_at_what_the_reader_has_claimed);
	tcase_add_test(tcase, frames_claimed_and_not_taken_can_be_rewound_after_done);
	tcase_add_test(tcase, several_spans_are_claimed_until_done);
	tcase_add_test(tcase, what_was_read_cannot_be_rewound_while_the_reader_looks_back);
	tcase_add_test(tcase, a_look_that_finds_nothing_claims_nothing);
	tcase_add_test(tcase, a_full_stream_has_room_again_after_rewind);
}

static Suite *stream_suite(void)
{
	Suite *suite = suite_create("stream");
	TCase *create = add_tcase(suite, "create");
	TCase *order = add_tcase(suite, "order");
	TCase *counts = add_tcase(suite, "reset and health");

	tcase_add_loop_test(create, create_rejects_a_configuration_out_of_bounds,
			    0, N_OF(bad_configs));
	tcase_add_test(create, destroy_accepts_null);
	tcase_add_test(create, a_new_stream_is_empty);
	tcase_add_test(create, a_stream_of_single_frames_works);
	tcase_add_test(order, frames_are_read_by_position_over_the_ends_of_chunks);
	tcase_add_test(order, an_open_chunk_is_readable_from_its_first_frame);
	tcase_add_test(order, a_span_that_is_not_committed_is_not_readable);
	tcase_add_test(order, a_position_may_be_looked_at_again_until_it_is_done);
	tcase_add_test(order, the_reader_may_go_back_as_far_as_it_holds);
	tcase_add_test(order, what_is_not_held_any_more_is_not_readable);
	tcase_add_test(order, capacity_is_free_again_and_again_wherever_the_reader_is);
	tcase_add_test(order, a_full_stream_refuses_and_loses_nothing);
	tcase_add_test(order, frames_skipped_without_a_look_make_room);
	tcase_add_test(order, the_pool_never_misses_within_the_capacity);
	add_rewind_tests(add_tcase(suite, "rewind"));
	tcase_add_test(counts, reset_begins_again_at_0_with_all_room);
	tcase_add_test(counts, reset_forgets_what_was_claimed);
	tcase_add_test(counts, a_chunk_counts_once_when_all_of_it_is_read);
	tcase_add_test(counts, reset_counts_a_chunk_read_in_part);
	tcase_add_test(counts, latency_is_from_the_first_frame_written_to_the_first_look);
	tcase_add_test(counts, a_chunk_begun_again_has_the_time_of_its_new_beginning);
	tcase_add_test(counts, a_chunk_skipped_without_a_look_has_waited_until_then);
	tcase_add_test(counts, a_stream_without_health_works);
	tcase_add_loop_test(add_tcase(suite, "model"),
			    random_operations_do_what_a_plain_array_would, 0, 3);
	return suite;
}

int main(void)
{
	return suite_run(stream_suite());
}
