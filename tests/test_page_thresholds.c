/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The thresholds of pressure in a page: set together and one by one, by the stream
 * and through pages attached to it; how long they last; and pages made for them.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/page_fixture.h"

#define THRESHOLDS_OFFSET STAMP_BYTES

/* A stream, and the page by which thresholds are set: its own if it is opened or
 * private, else one attached to it. */
enum kind { OPENED, PRIVATE, ATTACHED, N_KINDS };

static struct hr_page *stream;
static struct hr_page *setter;

static void begin(enum kind kind)
{
	stream = open_either(kind == PRIVATE);
	setter = kind == ATTACHED ? attach_page(0) : stream;
}

static void end(void)
{
	if (setter != stream)
		hr_page_close(setter, 0);
	hr_page_close(stream, 101 * S);
}

/* ---- setting ---- */

START_TEST(thresholds_are_stored_as_a_valid_pair)	/* _i: enum kind */
{
	begin(_i);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 100, 1), 0);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 70, 70), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 101, 70), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 90, 0), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 65536 + 90, 70), -EINVAL);
	assert_thresholds(stream, 100, 1);
	assert_thresholds(setter, 100, 1);
	end();
}
END_TEST

START_TEST(one_threshold_is_set_and_the_other_kept)	/* _i: enum kind */
{
	begin(_i);
	ck_assert_int_eq(hr_page_set_trigger(setter, 71), 1);
	assert_thresholds(stream, 71, 70);
	ck_assert_int_eq(hr_page_set_trigger(setter, 100), 1);
	assert_thresholds(stream, 100, 70);
	ck_assert_int_eq(hr_page_set_clear(setter, 99), 1);
	assert_thresholds(stream, 100, 99);
	ck_assert_int_eq(hr_page_set_clear(setter, 1), 1);
	assert_thresholds(stream, 100, 1);
	ck_assert_int_eq(hr_page_set_trigger(setter, 2), 1);
	assert_thresholds(stream, 2, 1);
	assert_thresholds(setter, 2, 1);
	end();
}
END_TEST

START_TEST(setting_a_threshold_to_what_it_is_changes_nothing)	/* _i: enum kind */
{
	begin(_i);
	ck_assert_int_eq(hr_page_set_trigger(setter, 90), 0);
	ck_assert_int_eq(hr_page_set_clear(setter, 70), 0);
	assert_thresholds(stream, 90, 70);
	ck_assert_int_eq(hr_page_set_trigger(setter, 80), 1);
	ck_assert_int_eq(hr_page_set_trigger(setter, 80), 0);
	ck_assert_int_eq(hr_page_set_clear(setter, 60), 1);
	ck_assert_int_eq(hr_page_set_clear(setter, 60), 0);
	assert_thresholds(stream, 80, 60);
	end();
}
END_TEST

START_TEST(one_threshold_may_not_meet_the_other)	/* _i: enum kind */
{
	static const uint32_t bad_triggers[] = {
		0, 1, 69, 70, 101, 65535, 65536 + 90, 0x80000000, UINT32_MAX,
	};
	static const uint32_t bad_clears[] = {
		0, 90, 91, 100, 101, 65535, 65536 + 70, 0x80000000, UINT32_MAX,
	};

	begin(_i);
	for (size_t i = 0; i < sizeof(bad_triggers) / sizeof(bad_triggers[0]); i++) {
		ck_assert_int_eq(hr_page_set_trigger(setter, bad_triggers[i]), -EINVAL);
		ck_assert_int_eq(hr_page_set_clear(setter, bad_clears[i]), -EINVAL);
		assert_thresholds(stream, 90, 70);
	}
	end();
}
END_TEST

START_TEST(thresholds_that_cannot_be_count_as_the_usual_ones)
{
	static const uint32_t bad[] = {
		0, 70 << 16 | 70, 101 << 16 | 70, 90 << 16, 70, 70 << 16 | 90,
		0x7fffffff, 0x80000000, UINT32_MAX,
	};

	begin(ATTACHED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		overwrite(PAGE_FILE, THRESHOLDS_OFFSET, &bad[i], sizeof(bad[i]));
		assert_thresholds(stream, 90, 70);
		assert_thresholds(setter, 90, 70);
		ck_assert_int_eq(hr_page_set_trigger(setter, 80), 1);
		assert_thresholds(stream, 80, 70);

		overwrite(PAGE_FILE, THRESHOLDS_OFFSET, &bad[i], sizeof(bad[i]));
		ck_assert_int_eq(hr_page_set_clear(stream, 60), 1);
		assert_thresholds(setter, 90, 60);
	}
	end();
}
END_TEST

START_TEST(setting_through_an_attached_page_needs_the_page)
{
	begin(ATTACHED);
	ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 50, 40), -ENOENT);
	ck_assert_int_eq(hr_page_set_trigger(setter, 80), -ENOENT);
	ck_assert_int_eq(hr_page_set_clear(setter, 60), -ENOENT);
	ck_assert_int_eq(hr_page_reset(setter), -ENOENT);
	ck_assert_int_eq(count_entries(dir), 0);
	end();

	begin(ATTACHED);
	ck_assert_int_eq(truncate(in_dir(PAGE_FILE), size_of(PAGE_FILE) - 1), 0);
	ck_assert_int_eq(hr_page_set_thresholds(setter, 50, 40), -EPROTO);
	ck_assert_int_eq(hr_page_set_trigger(setter, 80), -EPROTO);
	ck_assert_int_eq(hr_page_set_clear(setter, 60), -EPROTO);
	ck_assert_int_eq(hr_page_reset(setter), -EPROTO);
	assert_thresholds(stream, 90, 70);
	end();
}
END_TEST

/* Of a page that is not mapped each takes a while; but its two meet as easily. */
static uint32_t n_sets;
static const uint32_t sets_of[] = {
	[OPENED] = 100000, [PRIVATE] = 100000, [ATTACHED] = 10000
};

/* Set one threshold over and over. Nobody else sets it, so what was set last is what
 * must be read, whatever is done to the other. Not with ck_assert, which takes a
 * system call each time: the two would hardly meet. */
static void *trigger_main(void *arg)
{
	for (uint32_t i = 0; i < n_sets; i++) {
		uint32_t set = 60 + i % 41;
		int err = hr_page_set_trigger(arg, set);
		uint32_t trigger, clear;

		hr_page_get_thresholds(stream, &trigger, &clear);
		if (err < 0 || trigger != set)
			ck_abort_msg("set %u: %d; then it is %u", set, err, trigger);
	}
	return NULL;
}

static void *clear_main(void *arg)
{
	for (uint32_t i = 0; i < n_sets; i++) {
		uint32_t set = 1 + i % 50;
		int err = hr_page_set_clear(arg, set);
		uint32_t trigger, clear;

		hr_page_get_thresholds(stream, &trigger, &clear);
		if (err < 0 || clear != set)
			ck_abort_msg("set %u: %d; then it is %u", set, err, clear);
	}
	return NULL;
}

START_TEST(two_who_set_one_threshold_each_lose_neither)	/* _i: enum kind */
{
	pthread_t threads[2];
	struct hr_page *other;

	begin(_i);
	n_sets = sets_of[_i];
	ck_assert_int_eq(hr_page_set_thresholds(stream, 60, 50), 0);
	other = _i == ATTACHED ? attach_page(0) : stream;
	ck_assert_int_eq(pthread_create(&threads[0], NULL, trigger_main, setter), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, clear_main, other), 0);
	ck_assert_int_eq(pthread_join(threads[0], NULL), 0);
	ck_assert_int_eq(pthread_join(threads[1], NULL), 0);
	assert_thresholds(stream, 60 + (n_sets - 1) % 41, 1 + (n_sets - 1) % 50);
	if (other != stream)
		hr_page_close(other, 0);
	end();
}
END_TEST

/* ---- lasting ---- */

static struct hr_page *open_with(uint32_t trigger, uint32_t clear)
{
	struct hr_page_config config = normal;
	struct hr_page *page = NULL;

	config.trigger = trigger;
	config.clear = clear;
	ck_assert_int_eq(hr_page_open(&page, &config, 100 * S), 0);
	ck_assert_uint_eq(hr_page_slot(page), 0);
	return page;
}

/* A stream that comes and goes: configured like the first two, it has the last two. */
static void open_and_close(uint32_t trigger, uint32_t clear, uint32_t trigger_now,
			   uint32_t clear_now)
{
	struct hr_page *page = open_with(trigger, clear);

	assert_thresholds(page, trigger_now, clear_now);
	hr_page_close(page, 101 * S);
}

/* A stream with 90 and 70 that somebody sets to 50 and 40. */
static void leave_page_that_was_set(void)
{
	struct hr_page *page = open_with(90, 70);

	assert_thresholds(page, 90, 70);
	ck_assert_int_eq(hr_page_set_thresholds(page, 50, 40), 0);
	hr_page_close(page, 101 * S);
}

START_TEST(thresholds_outlast_the_stream_unless_configured_anew)
{
	leave_page_that_was_set();
	open_and_close(90, 70, 50, 40);
	open_and_close(90, 70, 50, 40);
	open_and_close(80, 60, 80, 60);
	open_and_close(80, 60, 80, 60);
	/* As at first, but not as it was the last time. */
	open_and_close(90, 70, 90, 70);
}
END_TEST

START_TEST(change_of_one_configured_threshold_replaces_both)
{
	leave_page_that_was_set();
	open_and_close(90, 71, 90, 71);
	leave_page_that_was_set();
	open_and_close(91, 70, 91, 70);
}
END_TEST

START_TEST(thresholds_set_between_two_streams_outlast_as_well)
{
	struct hr_page *reader;

	leave_page();
	reader = attach_page(0);
	ck_assert_int_eq(hr_page_set_thresholds(reader, 50, 40), 0);
	open_and_close(90, 70, 50, 40);
	ck_assert_int_eq(hr_page_set_clear(reader, 30), 1);
	open_and_close(90, 70, 50, 30);
	ck_assert_int_eq(hr_page_set_trigger(reader, 60), 1);
	open_and_close(80, 60, 80, 60);
	assert_thresholds(reader, 80, 60);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(thresholds_outlast_a_stream_that_was_killed)
{
	pid_t child = fork_holder();
	struct hr_page *reader = attach_page(0);

	ck_assert_int_eq(hr_page_set_thresholds(reader, 50, 40), 0);
	kill_child(child);
	open_and_close(90, 70, 50, 40);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(thresholds_outlast_a_reset)
{
	struct hr_page *page;

	leave_page_that_was_set();
	page = open_with(90, 70);
	ck_assert_int_eq(hr_page_reset(page), 0);
	hr_page_close(page, 101 * S);
	open_and_close(90, 70, 50, 40);
}
END_TEST

START_TEST(thresholds_that_cannot_be_outlast_nothing)
{
	static const uint32_t bad = 40u << 16 | 50;
	struct hr_page *page;

	leave_page_that_was_set();
	overwrite(PAGE_FILE, THRESHOLDS_OFFSET, &bad, sizeof(bad));
	page = open_with(90, 70);
	assert_thresholds(page, 90, 70);
	hr_page_close(page, 101 * S);
	/* That what was found cannot be does not show in the file. */
	open_and_close(90, 70, 90, 70);
}
END_TEST

START_TEST(what_the_card_shows_outlasts_the_stream)
{
	struct hr_page *page = open_with(90, 70);
	uint32_t trigger, clear;

	ck_assert(!hr_page_get_card_thresholds(page, &trigger, &clear));
	hr_page_set_card_thresholds(page, 60, 50);
	hr_page_close(page, 101 * S);
	page = open_with(80, 70);
	ck_assert(hr_page_get_card_thresholds(page, &trigger, &clear));
	ck_assert_uint_eq(trigger, 60);
	ck_assert_uint_eq(clear, 50);
	assert_thresholds(page, 80, 70);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(slots_have_thresholds_of_their_own)
{
	struct hr_page *first = open_with(90, 70);
	struct hr_page *second = open_page();

	ck_assert_int_eq(hr_page_set_thresholds(second, 50, 40), 0);
	assert_thresholds(first, 90, 70);
	hr_page_close(first, 101 * S);
	hr_page_close(second, 101 * S);
	open_and_close(90, 70, 90, 70);
}
END_TEST

/* ---- pages made for a stream to come ---- */

START_TEST(made_page_is_readable_and_at_rest)
{
	struct hr_page *reader;
	struct hr_health_snapshot snapshot;

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	ck_assert_int_eq(count_entries(dir), 1);
	ck_assert_uint_eq(mode_of(in_dir(PAGE_FILE)), 0600);
	reader = attach_page(0);
	assert_thresholds(reader, 50, 40);
	ck_assert(!hr_page_is_live(reader));
	ck_assert(!hr_page_is_removed(reader));
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		ck_assert_uint_eq(get_now(reader, stat), 0);
	snapshot = snapshot_of(reader);
	ck_assert(snapshot.is_healthy);
	ck_assert_uint_eq(snapshot.chunks, 0);
	ck_assert_uint_eq(snapshot.uptime_ns, 0);
	ck_assert_uint_eq(snapshot.latency.n_samples, 0);
	ck_assert_int_eq(hr_page_set_clear(reader, 30), 1);
	ck_assert_int_eq(hr_page_reset(reader), 0);
	assert_thresholds(reader, 50, 30);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(made_page_is_that_of_the_name_and_direction)
{
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_CAPTURE, 50, 40), 0);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "other", HR_PLAYBACK, 50, 40), 0);
	assert_attach_fails(-ENOENT);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	ck_assert_int_eq(access(in_dir("test.capture.0"), F_OK), 0);
	ck_assert_int_eq(access(in_dir("other.playback.0"), F_OK), 0);
	ck_assert_int_eq(count_entries(dir), 3);
}
END_TEST

START_TEST(page_that_is_there_is_not_made)
{
	struct hr_page *page, *reader;

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 60, 30), -EEXIST);
	reader = attach_page(0);
	assert_thresholds(reader, 50, 40);

	page = open_page();
	hr_page_add(page, HR_STAT_FRAMES, 1000);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 60, 30), -EEXIST);
	ck_assert(hr_page_is_live(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
	assert_thresholds(page, 50, 40);
	hr_page_close(page, 101 * S);

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 60, 30), -EEXIST);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
	assert_thresholds(reader, 50, 40);
	ck_assert(!hr_page_is_removed(reader));
	ck_assert_int_eq(count_entries(dir), 1);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(stream_takes_over_the_page_made_for_it)
{
	struct hr_page *reader, *page;

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	reader = attach_page(0);
	page = open_with(90, 70);
	ck_assert(hr_page_is_live(reader));
	assert_thresholds(page, 50, 40);
	assert_thresholds(reader, 50, 40);
	ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_OPEN);
	for (uint32_t i = 0; i < 3000; i++)
		hr_health_chunk(hr_page_health(page), 480, i, 101 * S);
	ck_assert_uint_eq(snapshot_of(reader).latency.n_samples, normal.window);
	hr_page_close(page, 101 * S);
	ck_assert_int_eq(count_entries(dir), 1);
	hr_page_close(reader, 0);

	/* From now on it is a page like any other. */
	open_and_close(90, 70, 50, 40);
	open_and_close(80, 60, 80, 60);
}
END_TEST

START_TEST(page_is_not_made_of_bad_arguments)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "", HR_PLAYBACK, 50, 40), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, long_name, HR_PLAYBACK, 50, 40), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", (enum hr_direction)2, 50, 40), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 50), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 40, 50), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 101, 40), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 0), -EINVAL);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 65536 + 50, 40), -EINVAL);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(page_is_made_in_a_directory_that_is_ours_alone)
{
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("missing"), 1), 0);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	ck_assert_uint_eq(mode_of(in_dir("missing")), 0700);
	ck_assert_int_eq(count_entries(in_dir("missing")), 1);

	ck_assert_int_eq(mkdir(in_dir("open"), 0700), 0);
	ck_assert_int_eq(chmod(in_dir("open"), 01777), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("open"), 1), 0);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), -EPERM);
	ck_assert_int_eq(count_entries(in_dir("open")), 0);
}
END_TEST

START_TEST(page_that_cannot_be_made_leaves_no_file)
{
	const struct rlimit limit = { .rlim_cur = 10000, .rlim_max = RLIM_INFINITY };
	struct rlimit before;
	static const char full[64 << 10];

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), -EFBIG);
	ck_assert_int_eq(count_entries(dir), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);

	if (!is_root())
		return;
	mount_small("size=64k,mode=700");
	overwrite("full", 0, full, sizeof(full));
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), -ENOSPC);
	ck_assert_int_eq(count_entries(dir), 1);
	ck_assert_int_eq(umount(dir), 0);
}
END_TEST

#define N_MAKERS 4

static pthread_barrier_t start;

/* Returns what is left when one of all makes the page. */
static void *maker_main(void *arg)
{
	uint32_t number = *(uint32_t *)arg;
	int err;

	pthread_barrier_wait(&start);
	err = hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50 + number, 40);
	ck_assert(err == 0 || err == -EEXIST);
	return err == 0 ? arg : NULL;
}

START_TEST(one_of_those_who_make_a_page_at_once_makes_it)
{
	uint32_t numbers[N_MAKERS] = { 0, 1, 2, 3 };

	for (int i = 0; i < 100; i++) {
		pthread_t threads[N_MAKERS];
		uint32_t *winner = NULL;
		struct hr_page *reader;

		ck_assert_int_eq(pthread_barrier_init(&start, NULL, N_MAKERS), 0);
		for (int k = 0; k < N_MAKERS; k++)
			ck_assert_int_eq(pthread_create(&threads[k], NULL, maker_main,
							&numbers[k]), 0);
		for (int k = 0; k < N_MAKERS; k++) {
			void *made;

			ck_assert_int_eq(pthread_join(threads[k], &made), 0);
			ck_assert(!made || !winner);
			winner = made ? made : winner;
		}
		ck_assert_ptr_nonnull(winner);
		reader = attach_page(0);
		assert_thresholds(reader, 50 + *winner, 40);
		hr_page_close(reader, 0);
		ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
		pthread_barrier_destroy(&start);
	}
}
END_TEST

static void add_setting(Suite *suite)
{
	TCase *setting = add_case(suite, "setting");

	tcase_add_loop_test(setting, thresholds_are_stored_as_a_valid_pair, 0, N_KINDS);
	tcase_add_loop_test(setting, one_threshold_is_set_and_the_other_kept, 0, N_KINDS);
	tcase_add_loop_test(setting, setting_a_threshold_to_what_it_is_changes_nothing, 0,
			    N_KINDS);
	tcase_add_loop_test(setting, one_threshold_may_not_meet_the_other, 0, N_KINDS);
	tcase_add_test(setting, thresholds_that_cannot_be_count_as_the_usual_ones);
	tcase_add_test(setting, setting_through_an_attached_page_needs_the_page);
	tcase_add_loop_test(setting, two_who_set_one_threshold_each_lose_neither, 0,
			    N_KINDS);
}

int main(void)
{
	Suite *suite = suite_create("page_thresholds");
	TCase *lasting = add_case(suite, "lasting");
	TCase *made = add_case(suite, "made");

	add_setting(suite);

	tcase_add_test(lasting, thresholds_outlast_the_stream_unless_configured_anew);
	tcase_add_test(lasting, change_of_one_configured_threshold_replaces_both);
	tcase_add_test(lasting, thresholds_set_between_two_streams_outlast_as_well);
	tcase_add_test(lasting, thresholds_outlast_a_stream_that_was_killed);
	tcase_add_test(lasting, thresholds_outlast_a_reset);
	tcase_add_test(lasting, thresholds_that_cannot_be_outlast_nothing);
	tcase_add_test(lasting, what_the_card_shows_outlasts_the_stream);
	tcase_add_test(lasting, slots_have_thresholds_of_their_own);

	tcase_add_test(made, made_page_is_readable_and_at_rest);
	tcase_add_test(made, made_page_is_that_of_the_name_and_direction);
	tcase_add_test(made, page_that_is_there_is_not_made);
	tcase_add_test(made, stream_takes_over_the_page_made_for_it);
	tcase_add_test(made, page_is_not_made_of_bad_arguments);
	tcase_add_test(made, page_is_made_in_a_directory_that_is_ours_alone);
	tcase_add_test(made, page_that_cannot_be_made_leaves_no_file);
	tcase_add_test(made, one_of_those_who_make_a_page_at_once_makes_it);
	return run_suite(suite);
}
