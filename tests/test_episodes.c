/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The log of episodes in a page: what was written is read, by anybody, whole; a reset
 * empties it together with the counters; a page that somebody has scribbled on shows
 * nothing that cannot be.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/episodes.h"
#include "tests/page_fixture.h"

static struct hr_episode got[HR_EPISODES_KEPT];

/* An episode of which each part follows from n. */
static struct hr_episode nth(uint64_t n)
{
	return (struct hr_episode){
		.kind = (enum hr_episode_kind)(n % (HR_EPISODE_REWIND + 1)),
		.cause = (enum hr_cause)(n % (HR_CAUSE_DEVICE + 1)),
		.fill = (uint32_t)(n % 101),
		.begin_ns = 100 * S + n,
		.wall_ns = 7 * n,
		.length_ns = 5 * n,
		.frames = 3 * n,
	};
}

static bool is_nth(const struct hr_episode *episode, uint64_t n)
{
	struct hr_episode should = nth(n);

	return episode->kind == should.kind && episode->cause == should.cause &&
	       episode->fill == should.fill && !episode->going_on &&
	       episode->begin_ns == should.begin_ns && episode->wall_ns == should.wall_ns &&
	       episode->length_ns == should.length_ns && episode->frames == should.frames;
}

static void begin_nth(struct hr_page *page, uint64_t n)
{
	struct hr_episode episode = nth(n);

	hr_page_begin_episode(page, &episode);
}

static void begin_going_on(struct hr_page *page, uint64_t n)
{
	struct hr_episode episode = nth(n);

	episode.going_on = true;
	hr_page_begin_episode(page, &episode);
}

/* That a reader in another process, and one in this, see those before n. */
static void assert_shows(struct hr_page *page, uint64_t n)
{
	uint64_t from = n > HR_EPISODES_KEPT ? n - HR_EPISODES_KEPT : 0;
	struct hr_page *reader = attach_page(0);

	for (int i = 0; i < 2; i++) {
		const struct hr_page *shows = i ? reader : page;

		ck_assert_uint_eq(hr_page_count_episodes(shows), n);
		ck_assert_uint_eq(hr_page_get_episodes(shows, got), n - from);
		for (uint64_t k = from; k < n; k++)
			ck_assert(is_nth(&got[k - from], k));
	}
	hr_page_close(reader, 0);
}

START_TEST(the_last_64_episodes_are_kept_in_order)
{
	struct hr_page *page = open_page();

	for (uint64_t n = 0; n < 3 * HR_EPISODES_KEPT; n++) {
		assert_shows(page, n);
		begin_nth(page, n);
	}
	assert_shows(page, 3 * HR_EPISODES_KEPT);
	hr_page_close(page, 200 * S);
}
END_TEST

START_TEST(an_episode_that_goes_on_is_one_that_grows)		/* _i: private */
{
	struct hr_page *page = open_either(_i);

	ck_assert(!hr_page_grow_episode(page, 1, 100 * S));
	begin_going_on(page, 10);
	for (uint64_t k = 1; k <= 100; k++) {
		ck_assert(hr_page_grow_episode(page, 2, 100 * S + 10 + k));
		ck_assert_uint_eq(hr_page_get_episodes(page, got), 1);
		ck_assert(got[0].going_on);
		ck_assert_uint_eq(got[0].frames, 3 * 10 + 2 * k);
		ck_assert_uint_eq(got[0].length_ns, k);
	}
	hr_page_end_episode(page, 100 * S + 10 + 500);
	hr_page_end_episode(page, 100 * S + 10 + 600);
	ck_assert(!hr_page_grow_episode(page, 1, 200 * S));
	ck_assert_uint_eq(hr_page_get_episodes(page, got), 1);
	ck_assert(!got[0].going_on);
	ck_assert_uint_eq(got[0].length_ns, 500);
	ck_assert_uint_eq(got[0].frames, 230);
	hr_page_close(page, 200 * S);
}
END_TEST

START_TEST(an_episode_ends_where_the_next_begins)
{
	struct hr_page *page = open_page();

	begin_going_on(page, 10);
	begin_nth(page, 60);
	ck_assert_uint_eq(hr_page_get_episodes(page, got), 2);
	ck_assert(!got[0].going_on);
	ck_assert_uint_eq(got[0].length_ns, 50);
	hr_page_close(page, 200 * S);
}
END_TEST

START_TEST(it_outlasts_the_stream_and_the_next_goes_on)
{
	struct hr_page *page = open_page(), *reader;

	begin_nth(page, 0);
	begin_going_on(page, 1);
	hr_page_close(page, 200 * S);
	reader = attach_page(0);
	ck_assert_uint_eq(hr_page_get_episodes(reader, got), 2);
	hr_page_close(reader, 0);

	/* A process that was killed leaves one that seems to go on. */
	page = open_page();
	ck_assert_uint_eq(hr_page_get_episodes(page, got), 2);
	ck_assert(!got[1].going_on);
	ck_assert(!hr_page_grow_episode(page, 1, 300 * S));
	begin_nth(page, 2);
	ck_assert_uint_eq(hr_page_count_episodes(page), 3);
	hr_page_close(page, 301 * S);
}
END_TEST

/* ---- reset ---- */

static uint64_t frames_in_log(const struct hr_page *page)
{
	uint64_t frames = 0;
	uint32_t n = hr_page_get_episodes(page, got);

	for (uint32_t i = 0; i < n; i++)
		frames += got[i].frames;
	return frames;
}

static uint64_t frames_counted(struct hr_page *page)
{
	struct hr_health_snapshot snapshot = snapshot_of(page);

	return snapshot.frames_dropped + snapshot.frames_silence;
}

START_TEST(a_reset_empties_it)
{
	struct hr_page *page = open_page();

	begin_nth(page, 0);
	begin_going_on(page, 1);
	ck_assert_int_eq(hr_page_reset(page), 0);
	ck_assert_uint_eq(hr_page_count_episodes(page), 0);
	ck_assert_uint_eq(hr_page_get_episodes(page, got), 0);
	ck_assert(hr_page_apply_reset(page));
	ck_assert_uint_eq(hr_page_get_episodes(page, got), 0);
	/* What is going on is another one from here on. */
	ck_assert(!hr_page_grow_episode(page, 1, 200 * S));
	begin_nth(page, 0);
	assert_shows(page, 1);
	hr_page_close(page, 200 * S);
}
END_TEST

/* Lose frames as the plug-in does: counted first, then added. */
static void lose(struct hr_page *page, uint64_t n, bool silence)
{
	if (silence)
		hr_health_silence(hr_page_health(page), n);
	else
		hr_health_drop(hr_page_health(page), n);
	if (hr_page_grow_episode(page, n, 200 * S))
		return;
	begin_going_on(page, 0);
	ck_assert(hr_page_grow_episode(page, n, 200 * S));
}

/* Wherever a reset comes, both have it or neither. */
START_TEST(it_has_the_frames_that_are_counted)		/* _i: of the seed */
{
	struct hr_page *page = open_page();

	seed = (uint64_t)_i;
	for (int k = 0; k < 2000; k++) {
		switch (random_below(5)) {
		case 0:
			hr_page_reset(page);
			ck_assert_uint_eq(frames_in_log(page), 0);
			break;
		case 1:
			hr_page_apply_reset(page);
			break;
		case 2:
			hr_page_end_episode(page, 200 * S);
			break;
		default:
			if (hr_page_count_episodes(page) == HR_EPISODES_KEPT)
				hr_page_reset(page);
			lose(page, 1 + random_below(10), random_below(2));
		}
		ck_assert_msg(frames_in_log(page) == frames_counted(page),
			      "at step %d of seed %d: %llu in the log, %llu counted", k, _i,
			      (unsigned long long)frames_in_log(page),
			      (unsigned long long)frames_counted(page));
	}
	hr_page_close(page, 200 * S);
}
END_TEST

/* ---- while it is written ---- */

static _Atomic bool stop;
static uint64_t n_written;

/* Parts that belong together: length and frames are the same while it goes on. */
static void *write_on(void *arg)
{
	struct hr_page *page = arg;

	for (uint64_t n = 0; !atomic_load_explicit(&stop, memory_order_relaxed); n++) {
		struct hr_episode episode = {
			.begin_ns = n, .wall_ns = n, .frames = 0, .going_on = true,
		};

		hr_page_begin_episode(page, &episode);
		for (uint64_t k = 1; k < 4; k++)
			hr_page_grow_episode(page, 1, n + k);
		n_written = n + 1;
	}
	return NULL;
}

static void assert_whole(const struct hr_page *page)
{
	uint32_t n = hr_page_get_episodes(page, got);

	ck_assert_uint_le(n, HR_EPISODES_KEPT);
	for (uint32_t i = 0; i < n; i++) {
		const struct hr_episode *episode = &got[i];
		/* It has ended where the next one began. */
		uint64_t length_ns = episode->going_on ? episode->frames : 1;

		if (episode->begin_ns != episode->wall_ns ||
		    episode->length_ns != length_ns || (!episode->going_on &&
							episode->frames != 3))
			ck_abort_msg("begin %llu wall %llu frames %llu length %llu",
				     (unsigned long long)episode->begin_ns,
				     (unsigned long long)episode->wall_ns,
				     (unsigned long long)episode->frames,
				     (unsigned long long)episode->length_ns);
		if (i && episode->begin_ns <= got[i - 1].begin_ns)
			ck_abort_msg("%llu comes after %llu",
				     (unsigned long long)episode->begin_ns,
				     (unsigned long long)got[i - 1].begin_ns);
	}
}

/* In the same memory, and as another process reads it. */
START_TEST(no_reader_sees_half_an_episode)
{
	struct hr_page *page = open_page(), *reader = attach_page(0);
	pthread_t writer;

	atomic_store_explicit(&stop, false, memory_order_relaxed);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_on, page), 0);
	for (int k = 0; k < 5000; k++) {
		assert_whole(page);
		if (k % 2)
			continue;
		ck_assert_int_eq(hr_page_refresh(reader, false), 0);
		assert_whole(reader);
	}
	atomic_store_explicit(&stop, true, memory_order_relaxed);
	pthread_join(writer, NULL);
	ck_assert_uint_eq(hr_page_count_episodes(page), n_written);
	hr_page_close(reader, 0);
	hr_page_close(page, 200 * S);
}
END_TEST

/* ---- scribbled on ---- */

static void assert_possible(const struct hr_page *page)
{
	uint32_t n = hr_page_get_episodes(page, got);

	ck_assert_uint_le(n, HR_EPISODES_KEPT);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_le(got[i].kind, HR_EPISODE_REWIND);
		ck_assert_uint_le(got[i].cause, HR_CAUSE_DEVICE);
		ck_assert_uint_le(got[i].fill, 100);
	}
}

/* Where the log may be: behind the stamp, before the samples. */
static off_t some_word(void)
{
	off_t head = size_of(PAGE_FILE) - (off_t)(HR_HEALTH_WINDOW_MAX * sizeof(uint64_t));

	return STAMP_BYTES + 4 * random_below((uint32_t)(head - STAMP_BYTES) / 4);
}

START_TEST(a_page_that_is_scribbled_on_shows_only_what_can_be)	/* _i: of the seed */
{
	struct hr_page *page = open_page(), *reader;

	seed = (uint64_t)_i;
	for (uint64_t n = 0; n < 100; n++)
		begin_nth(page, n);
	reader = attach_page(0);
	for (int k = 0; k < 1000; k++) {
		/* Small numbers are the more probable ones. */
		uint32_t word = random_u32() >> random_below(32);

		overwrite(PAGE_FILE, some_word(), &word, sizeof(word));
		ck_assert_int_eq(hr_page_refresh(reader, false), 0);
		assert_possible(reader);
		/* The stream itself goes on in it. */
		if (random_below(2))
			begin_going_on(page, (uint64_t)k);
		else if (random_below(2))
			hr_page_grow_episode(page, 1, 200 * S);
		else
			hr_page_end_episode(page, 200 * S);
		assert_possible(page);
	}
	hr_page_close(reader, 0);
	hr_page_close(page, 200 * S);
}
END_TEST

START_TEST(every_name_is_a_word)
{
	for (int i = -1; i < 300; i++) {
		ck_assert_uint_gt(strlen(hr_cause_name((enum hr_cause)i)), 0);
		ck_assert_uint_gt(strlen(hr_episode_kind_name((enum hr_episode_kind)i)), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("episodes");
	TCase *tcase = add_case(suite, "log");

	tcase_add_test(tcase, the_last_64_episodes_are_kept_in_order);
	tcase_add_loop_test(tcase, an_episode_that_goes_on_is_one_that_grows, 0, 2);
	tcase_add_test(tcase, an_episode_ends_where_the_next_begins);
	tcase_add_test(tcase, it_outlasts_the_stream_and_the_next_goes_on);
	tcase_add_test(tcase, every_name_is_a_word);
	tcase = add_case(suite, "reset");
	tcase_add_test(tcase, a_reset_empties_it);
	tcase_add_loop_test(tcase, it_has_the_frames_that_are_counted, 1, 5);
	tcase = add_case(suite, "readers");
	tcase_add_test(tcase, no_reader_sees_half_an_episode);
	tcase_add_loop_test(tcase, a_page_that_is_scribbled_on_shows_only_what_can_be, 1, 5);
	return run_suite(suite);
}
