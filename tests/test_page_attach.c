/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Pages as other processes of the same user see them: copied, and watched. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/page_fixture.h"

/* ---- attaching ---- */

START_TEST(attach_where_nothing_ever_ran_finds_nothing)
{
	assert_attach_fails(-ENOENT);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("missing"), 1), 0);
	assert_attach_fails(-ENOENT);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(attach_checks_its_arguments)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	static const struct {
		const char *name;
		enum hr_direction direction;
		uint32_t slot;
	} bad[] = {
		{ "", HR_PLAYBACK, 0 },
		{ long_name, HR_PLAYBACK, 0 },
		{ "test", HR_PLAYBACK, HR_PAGE_SLOTS },
		{ "test", HR_PLAYBACK, UINT32_MAX },
		{ "test", (enum hr_direction)9, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hr_page *page = NULL;

		ck_assert_int_eq(hr_page_attach(&page, HR_PAGE_OWN, bad[i].name,
						bad[i].direction, bad[i].slot), -EINVAL);
		ck_assert_ptr_null(page);
	}
}
END_TEST

START_TEST(another_process_sees_values_while_they_change)
{
	struct hr_page *page = open_page();
	int ready[2], go[2];
	pid_t child;

	ck_assert_int_eq(pipe(ready) | pipe(go), 0);
	child = fork();
	if (child == 0) {
		struct hr_page *reader = NULL;
		char byte;

		hr_page_abandon(page);
		ck_assert_int_eq(attach_to(&reader, HR_PAGE_OWN), 0);
		ck_assert(hr_page_is_live(reader));
		ck_assert_int_eq(get_now(reader, HR_STAT_FRAMES), 0);
		ck_assert_int_eq(write(ready[1], "x", 1), 1);
		ck_assert_int_eq(read(go[0], &byte, 1), 1);
		ck_assert_int_eq(get_now(reader, HR_STAT_FRAMES), 4800);
		ck_assert_int_eq(snapshot_of(reader).latency.max, 12345);
		ck_assert_int_eq(hr_page_set_thresholds(reader, 60, 50), 0);
		ck_assert_int_eq(hr_page_reset(reader), 0);
		ck_assert_int_eq(get_now(reader, HR_STAT_FRAMES), 0);
		hr_page_close(reader, 0);
		_exit(0);
	}
	receive_byte(ready[0]);
	hr_page_add(page, HR_STAT_FRAMES, 4800);
	hr_health_chunk(hr_page_health(page), 480, 12345, 101 * S);
	send_byte(go[1]);
	wait_for(child);
	assert_thresholds(page, 60, 50);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert(hr_page_apply_reset(page));
	close_both(ready);
	close_both(go);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(reset_of_a_closed_page_holds_for_the_next_stream)
{
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
	ck_assert_int_eq(hr_page_reset(reader), 0);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 0);
	page = open_page();
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert(!hr_page_apply_reset(page));
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

/* ---- the copy ---- */

START_TEST(attached_page_stays_as_it_was_until_it_is_refreshed)
{
	struct hr_page *page = open_page();
	struct hr_page *reader;
	struct hr_health_snapshot snapshot;
	uint32_t trigger, clear;

	hr_page_set(page, HR_STAT_FRAMES, 1);
	hr_health_chunk(hr_page_health(page), 480, 10, 101 * S);
	reader = attach_page(0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1);

	hr_page_set(page, HR_STAT_FRAMES, 2);
	hr_health_chunk(hr_page_health(page), 480, 30, 101 * S);
	ck_assert_int_eq(hr_page_set_thresholds(reader, 50, 40), 0);
	ck_assert_int_eq(hr_page_reset(reader), 0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1);
	hr_page_get_thresholds(reader, &trigger, &clear);
	ck_assert_uint_eq(trigger, 90);
	ck_assert_uint_eq(clear, 70);
	ck_assert_int_eq(hr_health_get_snapshot(hr_page_health_const(reader),
						hr_page_window_max(reader), &snapshot,
						105 * S), 0);
	ck_assert_uint_eq(snapshot.chunks, 1);
	ck_assert_uint_eq(snapshot.latency.max, 10);

	hr_page_apply_reset(page);
	hr_page_set(page, HR_STAT_FRAMES, 3);
	hr_health_chunk(hr_page_health(page), 480, 20, 101 * S);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 3);
	assert_thresholds(reader, 50, 40);
	ck_assert_uint_eq(snapshot_of(reader).chunks, 1);
	ck_assert_uint_eq(snapshot_of(reader).latency.max, 20);
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(what_is_written_to_the_copy_does_not_reach_the_page)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);

	hr_page_set(reader, HR_STAT_FRAMES, 5);
	hr_health_drop(hr_page_health(reader), 5);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert(hr_health_is_healthy(hr_page_health_const(page)));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 0);
	ck_assert(hr_health_is_healthy(hr_page_health_const(reader)));
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(samples_are_copied_when_asked_for)		/* _i: which window */
{
	static const uint32_t windows[] = { HR_HEALTH_WINDOW_MIN, 1024, HR_HEALTH_WINDOW_MAX };
	struct hr_page_config config = normal;
	struct hr_page *page, *reader;
	struct hr_latency latency;

	config.window = windows[_i];
	ck_assert_int_eq(hr_page_open(&page, &config, 100 * S), 0);
	reader = attach_page(0);
	ck_assert_uint_eq(snapshot_of(reader).latency.n_samples, 0);
	for (uint32_t i = 1; i <= config.window; i++)
		hr_health_chunk(hr_page_health(page), 480, i, 101 * S);
	latency = snapshot_of(reader).latency;
	ck_assert_uint_eq(latency.n_samples, config.window);
	ck_assert_uint_eq(latency.min, 1);
	ck_assert_uint_eq(latency.max, config.window);
	ck_assert_uint_eq(latency.p50, config.window / 2);
	/* The oldest one makes room. */
	hr_health_chunk(hr_page_health(page), 480, 1000000, 101 * S);
	latency = snapshot_of(reader).latency;
	ck_assert_uint_eq(latency.min, 2);
	ck_assert_uint_eq(latency.max, 1000000);
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(refresh_of_a_page_that_is_no_copy_has_nothing_to_do)	/* _i: private */
{
	struct hr_page *page = open_either(_i);

	hr_page_set(page, HR_STAT_FRAMES, 5);
	ck_assert_int_eq(hr_page_refresh(page, true), 0);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 5);
	ck_assert(!hr_page_is_removed(page));
	hr_page_close(page, 101 * S);
}
END_TEST

/* Three values far apart in the page, written one after the other as often as this, and
 * then not for so long that a reader can read twice in between. */
#define N_WRITES 30000u
#define WRITE_PAUSE_NS 50000
#define FIRST HR_STAT_STATE
#define SECOND HR_STAT_POOL_SIZE

/* A number that shows if half of it is another's. */
#define IN_BOTH_HALVES(n) ((uint64_t)(n) << 32 | (uint32_t)(n))

static _Atomic bool done;

static void *writer_main(void *arg)
{
	struct hr_page *page = arg;
	uint64_t next_ns;

	for (uint32_t i = 1; i <= N_WRITES; i++) {
		hr_page_set(page, FIRST, IN_BOTH_HALVES(i));
		hr_page_set(page, SECOND, IN_BOTH_HALVES(i));
		hr_health_drop(hr_page_health(page), IN_BOTH_HALVES(1));
		for (next_ns = hr_now_ns() + WRITE_PAUSE_NS; hr_now_ns() < next_ns; )
			sched_yield();
	}
	atomic_store(&done, true);
	return NULL;
}

/* Whether a copy shows what the page was at one moment, between two writes or in one.
 * Not with ck_assert, which takes a system call each time: the copies would be few. */
static bool is_of_one_moment(const struct hr_page *reader, uint64_t *first)
{
	uint64_t second = hr_page_get(reader, SECOND);
	struct hr_health_snapshot snapshot;
	uint64_t third;

	*first = hr_page_get(reader, FIRST);
	hr_health_get_snapshot(hr_page_health_const(reader), 0, &snapshot, 105 * S);
	third = snapshot.frames_dropped;
	return *first == IN_BOTH_HALVES(*first) && second == IN_BOTH_HALVES(second) &&
	       third == IN_BOTH_HALVES(third) &&
	       (second == *first || second == *first - IN_BOTH_HALVES(1)) &&
	       (third == second || (second == *first && third == second - IN_BOTH_HALVES(1)));
}

START_TEST(values_of_a_copy_are_of_one_moment)		/* _i: with samples */
{
	struct hr_page *page = open_page();
	struct hr_page *reader;
	uint64_t first = 0, last = 0;
	pthread_t writer;

	hr_page_set(page, FIRST, 0);
	reader = attach_page(0);
	ck_assert_int_eq(pthread_create(&writer, NULL, writer_main, page), 0);
	while (!atomic_load(&done)) {
		int err = hr_page_refresh(reader, _i);

		if (err < 0 || !is_of_one_moment(reader, &first) || first < last)
			ck_abort_msg("refresh: %d; at %#llx after %#llx", err,
				     (unsigned long long)first, (unsigned long long)last);
		last = first;
	}
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	ck_assert_int_eq(hr_page_refresh(reader, _i), 0);
	ck_assert(is_of_one_moment(reader, &first));
	ck_assert_uint_eq(first, IN_BOTH_HALVES(N_WRITES));
	ck_assert_uint_eq(hr_page_get(reader, SECOND), IN_BOTH_HALVES(N_WRITES));
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

/* ---- removed pages ---- */

START_TEST(removed_page_is_told_and_keeps_its_values)
{
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	ck_assert(!hr_page_is_removed(reader));
	ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
	ck_assert(hr_page_is_removed(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
	ck_assert(!hr_page_is_live(reader));
	assert_attach_fails(-ENOENT);

	page = open_page();
	ck_assert(hr_page_is_removed(reader));
	ck_assert(!hr_page_is_live(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
	hr_page_close(reader, 0);
	reader = attach_page(0);
	ck_assert(!hr_page_is_removed(reader));
	ck_assert(hr_page_is_live(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 0);
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(replaced_page_counts_as_removed)
{
	char other[2 * PATH_MAX];
	struct hr_page *reader;

	leave_page();
	snprintf(other, sizeof(other), "%s", in_dir("other"));
	ck_assert_int_eq(rename(in_dir(PAGE_FILE), other), 0);
	leave_page();
	reader = attach_page(0);
	ck_assert_int_eq(rename(other, in_dir(PAGE_FILE)), 0);
	ck_assert(hr_page_is_removed(reader));
	hr_page_close(reader, 0);
	reader = attach_page(0);
	ck_assert(!hr_page_is_removed(reader));
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(page_that_only_changes_is_not_removed)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);

	hr_page_announce(page);
	ck_assert_int_eq(hr_page_set_trigger(reader, 80), 1);
	hr_page_close(page, 101 * S);
	ck_assert(!hr_page_is_removed(reader));
	page = open_page();
	ck_assert(!hr_page_is_removed(reader));
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

/* ---- watching ---- */

#define COMES_MS 5000	/* so long may something take that happens */
#define QUIET_MS 50	/* so long nothing comes that does not */

static void drain(void)
{
	char events[4096];

	while (read(watch_fd, events, sizeof(events)) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

static void assert_told(void)
{
	ck_assert(is_told_within(COMES_MS));
	drain();
}

static void assert_not_told(void)
{
	ck_assert(!is_told_within(QUIET_MS));
}

static void begin_watching(void)
{
	open_watch_fd();
	ck_assert_int_ge(hr_page_watch(HR_PAGE_OWN, watch_fd), 0);
	assert_not_told();
}

static void end_watching(void)
{
	assert_not_told();
	close(watch_fd);
}

START_TEST(announcement_is_told)
{
	struct hr_page *page = open_page();

	begin_watching();
	for (int i = 0; i < 3; i++) {
		hr_page_announce(page);
		assert_told();
		assert_not_told();
	}
	end_watching();
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(values_that_change_are_not_told)
{
	struct hr_page *page = open_page();

	begin_watching();
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		hr_page_set(page, stat, 1);
	hr_health_drop(hr_page_health(page), 1);
	ck_assert_int_eq(hr_page_set_trigger(page, 80), 1);
	ck_assert_int_eq(hr_page_reset(page), 0);
	end_watching();
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(page_of_a_new_stream_is_told_and_so_is_its_end)
{
	struct hr_page *page;

	begin_watching();
	page = open_page();
	assert_told();
	assert_not_told();
	hr_page_close(page, 101 * S);
	assert_told();
	end_watching();
}
END_TEST

START_TEST(stream_that_goes_on_with_a_page_is_told_when_it_announces)
{
	struct hr_page *page;

	leave_page();
	begin_watching();
	page = open_page();
	hr_page_announce(page);
	assert_told();
	assert_not_told();
	hr_page_close(page, 101 * S);
	assert_told();
	end_watching();
}
END_TEST

START_TEST(end_that_is_told_has_freed_the_slot)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);

	begin_watching();
	hr_page_close(page, 101 * S);
	assert_told();
	ck_assert(!hr_page_is_live(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_CLOSED);
	hr_page_close(reader, 0);
	end_watching();
}
END_TEST

START_TEST(end_of_a_process_that_was_killed_is_told)
{
	pid_t child = fork_holder();
	struct hr_page *reader = attach_page(0);

	begin_watching();
	ck_assert(hr_page_is_live(reader));
	kill_child(child);
	assert_told();
	ck_assert(!hr_page_is_live(reader));
	hr_page_close(reader, 0);
	end_watching();
}
END_TEST

START_TEST(setting_through_an_attached_page_is_told)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);

	begin_watching();
	ck_assert_int_eq(hr_page_set_thresholds(reader, 60, 50), 0);
	assert_told();
	ck_assert_int_eq(hr_page_set_trigger(reader, 80), 1);
	assert_told();
	ck_assert_int_eq(hr_page_set_clear(reader, 30), 1);
	assert_told();
	ck_assert_int_eq(hr_page_reset(reader), 0);
	assert_told();
	end_watching();
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(page_that_is_made_or_removed_is_told)
{
	begin_watching();
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	assert_told();
	assert_not_told();
	ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
	assert_told();
	end_watching();
}
END_TEST

START_TEST(page_put_in_anothers_place_is_told)
{
	char other[2 * PATH_MAX];

	leave_page();
	snprintf(other, sizeof(other), "%s.moved", dir);
	ck_assert_int_eq(rename(in_dir(PAGE_FILE), other), 0);
	begin_watching();
	ck_assert_int_eq(rename(other, in_dir(PAGE_FILE)), 0);
	assert_told();
	end_watching();
}
END_TEST

/* Else those who watch would wake each other for ever. */
START_TEST(reading_is_not_told)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = NULL;

	begin_watching();
	for (int i = 0; i < 100; i++) {
		reader = attach_page(0);
		snapshot_of(reader);
		assert_thresholds(reader, 90, 70);
		ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_OPEN);
		ck_assert(hr_page_is_live(reader));
		ck_assert(!hr_page_is_removed(reader));
		hr_page_close(reader, 0);
	}
	ck_assert_int_eq(hr_page_attach(&reader, HR_PAGE_OWN, "test", HR_PLAYBACK, 1),
			 -ENOENT);
	ck_assert_int_ge(hr_page_watch(HR_PAGE_OWN, watch_fd), 0);
	end_watching();
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(all_who_watch_are_told)
{
	struct hr_page *page = open_page();
	int first_fd;

	begin_watching();
	first_fd = watch_fd;
	begin_watching();
	hr_page_announce(page);
	assert_told();
	end_watching();
	watch_fd = first_fd;
	assert_told();
	end_watching();
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(directory_that_is_missing_cannot_be_watched)
{
	open_watch_fd();
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("missing"), 1), 0);
	ck_assert_int_eq(hr_page_watch(HR_PAGE_OWN, watch_fd), -ENOENT);
	ck_assert_int_eq(count_entries(dir), 0);

	leave_page();
	ck_assert_int_ge(hr_page_watch(HR_PAGE_OWN, watch_fd), 0);
	leave_page();
	assert_told();
	end_watching();
}
END_TEST

START_TEST(what_is_no_directory_of_ones_own_cannot_be_watched)
{
	open_watch_fd();
	overwrite("file", 0, "x", 1);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("file"), 1), 0);
	ck_assert_int_eq(hr_page_watch(HR_PAGE_OWN, watch_fd), -ENOTDIR);
	ck_assert_int_eq(mkdir(in_dir("real"), 0700), 0);
	ck_assert_int_eq(symlink("real", in_dir("link")), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("link"), 1), 0);
	ck_assert_int_eq(hr_page_watch(HR_PAGE_OWN, watch_fd), -ENOTDIR);
	ck_assert_int_eq(setenv("HEADROOM_DIR", dir, 1), 0);
	ck_assert_int_eq(hr_page_watch(HR_PAGE_OWN, -1), -EBADF);
	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert_int_eq(hr_page_watch(HR_PAGE_OWN, watch_fd), -EPERM);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	end_watching();
}
END_TEST

START_TEST(directory_that_goes_away_is_told)
{
	ck_assert_int_eq(mkdir(in_dir("sub"), 0700), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("sub"), 1), 0);
	begin_watching();
	ck_assert_int_eq(rmdir(in_dir("sub")), 0);
	assert_told();
	end_watching();
}
END_TEST

static void add_watching(Suite *suite)
{
	TCase *watching = add_case(suite, "watching");

	tcase_add_test(watching, announcement_is_told);
	tcase_add_test(watching, values_that_change_are_not_told);
	tcase_add_test(watching, page_of_a_new_stream_is_told_and_so_is_its_end);
	tcase_add_test(watching, stream_that_goes_on_with_a_page_is_told_when_it_announces);
	tcase_add_test(watching, end_that_is_told_has_freed_the_slot);
	tcase_add_test(watching, end_of_a_process_that_was_killed_is_told);
	tcase_add_test(watching, setting_through_an_attached_page_is_told);
	tcase_add_test(watching, page_that_is_made_or_removed_is_told);
	tcase_add_test(watching, page_put_in_anothers_place_is_told);
	tcase_add_test(watching, reading_is_not_told);
	tcase_add_test(watching, all_who_watch_are_told);
	tcase_add_test(watching, directory_that_is_missing_cannot_be_watched);
	tcase_add_test(watching, what_is_no_directory_of_ones_own_cannot_be_watched);
	tcase_add_test(watching, directory_that_goes_away_is_told);
}

int main(void)
{
	Suite *suite = suite_create("page_attach");
	TCase *attaching = add_case(suite, "attaching");
	TCase *copy = add_case(suite, "copy");
	TCase *removed = add_case(suite, "removed");

	tcase_add_test(attaching, attach_where_nothing_ever_ran_finds_nothing);
	tcase_add_test(attaching, attach_checks_its_arguments);
	tcase_add_test(attaching, another_process_sees_values_while_they_change);
	tcase_add_test(attaching, reset_of_a_closed_page_holds_for_the_next_stream);

	tcase_add_test(copy, attached_page_stays_as_it_was_until_it_is_refreshed);
	tcase_add_test(copy, what_is_written_to_the_copy_does_not_reach_the_page);
	tcase_add_loop_test(copy, samples_are_copied_when_asked_for, 0, 3);
	tcase_add_loop_test(copy, refresh_of_a_page_that_is_no_copy_has_nothing_to_do, 0, 2);
	tcase_add_loop_test(copy, values_of_a_copy_are_of_one_moment, 0, 2);

	tcase_add_test(removed, removed_page_is_told_and_keeps_its_values);
	tcase_add_test(removed, replaced_page_counts_as_removed);
	tcase_add_test(removed, page_that_only_changes_is_not_removed);
	add_watching(suite);
	return run_suite(suite);
}
