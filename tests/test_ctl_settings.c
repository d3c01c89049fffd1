/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Writing the control device's settings, Trigger, Clear and Reset: which values are
 * taken, where they go, how long they hold and who may set them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "core/clock.h"
#include "tests/ctl_fixture.h"

#define NOBODY 65534

static bool exists(const char *file)
{
	return access(in_directory(file), F_OK) == 0;
}

static void check_owner_sees(const struct hr_page *page, uint32_t trigger, uint32_t clear)
{
	uint32_t trigger_now, clear_now;

	hr_page_get_thresholds(page, &trigger_now, &clear_now);
	ck_assert_uint_eq(trigger_now, trigger);
	ck_assert_uint_eq(clear_now, clear);
}

static void check_reads(snd_ctl_t *ctl, unsigned int slot, int trigger, int clear)
{
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, slot, "Trigger"), trigger);
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, slot, "Clear"), clear);
}

/* Open a stream of these thresholds, see which it gets, and close it. */
static void check_next_stream(uint32_t opened_trigger, uint32_t opened_clear,
			      uint32_t trigger, uint32_t clear)
{
	struct hr_page *page = open_page_with(opened_trigger, opened_clear);

	ck_assert_uint_eq(hr_page_slot(page), 0);
	check_owner_sees(page, trigger, clear);
	hr_page_close(page, hr_now_ns());
}

static unsigned int numid_of(enum hr_direction direction, const char *suffix)
{
	unsigned int i = 0;

	while (strcmp(expected[i].suffix, suffix))
		i++;
	return direction * N_EXPECTED + i + 1;
}

static int write_numid(snd_ctl_t *ctl, unsigned int numid, long number)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_value_set_numid(value, numid);
	snd_ctl_elem_value_set_integer(value, 0, number);
	return snd_ctl_elem_write(ctl, value);
}

/* _i: which, by its name or its numid, in which direction. */
START_TEST(a_setting_is_written_by_name_or_by_numid)
{
	static const struct { const char *suffix; long value, reads; } settings[] = {
		{ "Trigger", 85, 85 },
		{ "Clear", 55, 55 },
		{ "Reset", 1, 0 },
	};
	const char *suffix = settings[_i % 3].suffix;
	long value = settings[_i % 3].value;
	bool by_name = _i / 3 % 2;
	enum hr_direction direction = _i / 6 ? HR_CAPTURE : HR_PLAYBACK;
	struct hr_page *page = open_page(direction, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	for (int i = 0; i < 3; i++) {
		int changed = by_name ? write_slot(ctl, direction, 0, suffix, value) :
			      write_numid(ctl, numid_of(direction, suffix), value);

		/* To reset is a change each time. */
		ck_assert_int_eq(changed, i == 0 || value == 1);
		ck_assert_int_eq(read_slot(ctl, direction, 0, suffix),
				 settings[_i % 3].reads);
	}
	/* The other direction has its own, and needs no page for this. */
	ck_assert_int_eq(read_slot(ctl, !direction, 0, "Trigger"), 90);
	ck_assert_int_eq(read_slot(ctl, !direction, 0, "Clear"), 70);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* _i: of a stream that lives, or none. */
START_TEST(a_value_out_of_range_is_refused_and_changes_nothing)
{
	static const struct { const char *suffix; long values[9]; } bad[] = {
		{ "Trigger", { 1, 101, 0, -1, LONG_MIN, LONG_MAX, UINT_MAX,
			       (1l << 32) + 85, INT_MIN } },
		{ "Clear", { 0, 100, 101, -1, LONG_MIN, LONG_MAX, UINT_MAX,
			     (1l << 32) + 55, INT_MIN } },
		{ "Reset", { -1, 2, 100, 256, LONG_MIN, LONG_MAX, UINT_MAX,
			     (1l << 32) + 1, INT_MIN } },
	};
	struct hr_page *page = _i ? open_busy_page(HR_PLAYBACK) : NULL;
	snd_ctl_t *ctl = open_ctl();

	for (size_t i = 0; i < N_ITEMS(bad); i++) {
		for (size_t j = 0; j < N_ITEMS(bad[i].values); j++)
			ck_assert_int_eq(write_playback(ctl, bad[i].suffix,
							bad[i].values[j]), -EINVAL);
	}
	check_reads(ctl, 0, _i ? 80 : 90, _i ? 60 : 70);
	ck_assert_int_eq(read_playback(ctl, "Frames"), _i ? 5000000002 : 0);
	if (_i)
		check_owner_sees(page, 80, 60);
	else
		ck_assert(!exists("x.playback.0"));
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(clear_stays_below_trigger)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(write_playback(ctl, "Trigger", 60), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 59), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 2), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Clear", 80), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Clear", 81), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Clear", 99), -EINVAL);
	check_reads(ctl, 0, 80, 60);
	check_owner_sees(page, 80, 60);

	ck_assert_int_eq(write_playback(ctl, "Trigger", 61), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 61), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 100), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 99), 1);
	check_owner_sees(page, 100, 99);
	ck_assert_int_eq(write_playback(ctl, "Clear", 1), 1);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 2), 1);
	check_owner_sees(page, 2, 1);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(a_setting_is_seen_by_all)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl(), *fresh = open_ctl(), *used = open_ctl();

	check_reads(ctl, 0, 80, 60);
	check_reads(used, 0, 80, 60);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 55), 1);
	check_owner_sees(page, 85, 55);
	check_reads(ctl, 0, 85, 55);
	check_reads(fresh, 0, 85, 55);
	wait_until_stale();
	check_reads(used, 0, 85, 55);
	/* Nor is what the other handle believed brought back. */
	ck_assert_int_eq(write_playback(used, "Trigger", 86), 1);
	check_owner_sees(page, 86, 55);
	snd_ctl_close(used);
	snd_ctl_close(fresh);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(two_who_set_at_the_same_time_both_have_their_way)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		snd_ctl_t *own = open_ctl();

		for (long i = 0; i < 2000; i++)
			CHILD_ASSERT(write_playback(own, "Trigger", 81 + i % 19) == 1);
		_exit(0);
	}
	for (long i = 0; i < 2000; i++) {
		uint32_t trigger, clear;

		ck_assert_int_eq(write_playback(ctl, "Clear", 1 + i % 59), 1);
		/* Nobody else sets this one. */
		hr_page_get_thresholds(page, &trigger, &clear);
		ck_assert_uint_eq(clear, 1 + i % 59);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	check_owner_sees(page, 81 + 1999 % 19, 1 + 1999 % 59);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* _i: made while the stream lives, or after it. */
START_TEST(a_setting_outlasts_the_stream)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	if (_i)
		hr_page_close(page, hr_now_ns());
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 55), 1);
	if (!_i)
		hr_page_close(page, hr_now_ns());
	check_next_stream(80, 60, 85, 55);
	check_next_stream(80, 60, 85, 55);
	wait_until_stale();
	check_reads(ctl, 0, 85, 55);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_new_configuration_replaces_a_setting)
{
	snd_ctl_t *ctl = open_ctl();

	check_next_stream(80, 60, 80, 60);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	check_next_stream(80, 50, 80, 50);
	/* Once replaced it does not come back. */
	check_next_stream(80, 60, 80, 60);
	wait_until_stale();
	check_reads(ctl, 0, 80, 60);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_setting_with_nothing_there_is_for_the_first_stream)
{
	snd_ctl_t *ctl = open_ctl(), *other = open_ctl();

	ck_assert_int_eq(write_playback(ctl, "Trigger", 95), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 94), 1);
	ck_assert_int_eq(write_playback(ctl, "Clear", 94), 0);
	ck_assert_int_eq(write_playback(ctl, "Clear", 95), -EINVAL);
	check_reads(ctl, 0, 95, 94);
	check_reads(other, 0, 95, 94);
	ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, "Trigger"), 90);
	ck_assert(!exists("x.capture.0"));
	/* Nothing else has come to be. */
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_CLOSED);
	ck_assert_int_eq(read_playback(ctl, "Process"), 0);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 0);
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 1);

	check_next_stream(80, 60, 95, 94);
	check_next_stream(80, 60, 95, 94);
	check_next_stream(75, 60, 75, 60);
	ck_assert_str_eq(complaints, "");
	snd_ctl_close(other);
	snd_ctl_close(ctl);
}
END_TEST

/* The other threshold is then the default. */
START_TEST(with_nothing_there_clear_stays_below_trigger_too)
{
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(write_playback(ctl, "Trigger", 70), -EINVAL);
	ck_assert_int_eq(write_playback(ctl, "Clear", 90), -EINVAL);
	ck_assert(!exists("x.playback.0"));
	ck_assert_int_eq(write_playback(ctl, "Clear", 89), 1);
	check_reads(ctl, 0, 90, 89);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_default_can_be_set_for_the_first_stream)
{
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_ge(write_playback(ctl, "Trigger", 90), 0);
	check_next_stream(80, 60, 90, 70);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_setting_can_come_before_the_directory)
{
	snd_ctl_t *ctl;

	ck_assert_int_eq(setenv("HEADROOM_DIR", in_directory("new"), 1), 0);
	ctl = open_ctl();
	ck_assert_int_eq(write_playback(ctl, "Trigger", 95), 1);
	check_reads(ctl, 0, 95, 70);
	ck_assert(exists("new/x.playback.0"));
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(each_slot_has_its_own_settings)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns());
	struct hr_page *second = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	hr_page_set(first, HR_STAT_FRAMES, 11);
	hr_page_set(second, HR_STAT_FRAMES, 22);
	ck_assert_int_eq(write_slot(ctl, HR_PLAYBACK, 1, "Trigger", 85), 1);
	ck_assert_int_eq(write_slot(ctl, HR_PLAYBACK, 1, "Reset", 1), 1);
	check_owner_sees(first, 80, 60);
	check_owner_sees(second, 85, 60);
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, 0, "Frames"), 11);
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, 1, "Frames"), 0);
	hr_page_close(second, hr_now_ns());
	ck_assert_int_eq(write_slot(ctl, HR_PLAYBACK, 1, "Clear", 55), 1);
	check_reads(ctl, 0, 80, 60);
	check_reads(ctl, 1, 85, 55);
	snd_ctl_close(ctl);
	hr_page_close(first, hr_now_ns());
}
END_TEST

START_TEST(a_page_that_was_removed_has_no_settings)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns());
	struct hr_page *second = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
	ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
	ck_assert_int_eq(unlink(in_directory("x.playback.1")), 0);
	ck_assert_int_eq(write_slot(ctl, HR_PLAYBACK, 1, "Trigger", 85), -ENOENT);
	ck_assert_int_eq(write_slot(ctl, HR_PLAYBACK, 1, "Clear", 55), -ENOENT);
	ck_assert(!exists("x.playback.1"));
	/* Slot 0 is where the next stream will be. */
	ck_assert_int_eq(write_playback(ctl, "Trigger", 95), 1);
	check_next_stream(80, 60, 95, 70);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_setting_goes_to_the_page_that_is_there_now)
{
	struct hr_page *former = open_page(HR_PLAYBACK, hr_now_ns()), *now;
	snd_ctl_t *ctl = open_ctl();

	check_reads(ctl, 0, 80, 60);
	ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
	now = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_set(former, HR_STAT_FRAMES, 11);
	hr_page_set(now, HR_STAT_FRAMES, 22);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	ck_assert_int_eq(write_playback(ctl, "Reset", 1), 1);
	check_owner_sees(now, 85, 60);
	check_owner_sees(former, 80, 60);
	ck_assert_uint_eq(hr_page_get(now, HR_STAT_FRAMES), 0);
	ck_assert_uint_eq(hr_page_get(former, HR_STAT_FRAMES), 11);
	snd_ctl_close(ctl);
	hr_page_close(now, hr_now_ns());
	hr_page_close(former, hr_now_ns());
}
END_TEST

/* What may become of a page before the setting arrives. */
static void spoil_page(int how, const char *path)
{
	static const uint32_t other_version = 9999;
	char moved[128];
	int fd = open(path, O_RDWR | O_CLOEXEC);

	snprintf(moved, sizeof(moved), "%s", in_directory("moved"));
	ck_assert_int_ge(fd, 0);
	switch (how) {
	case 0:
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		break;
	case 1:
		ck_assert_int_eq(ftruncate(fd, 16), 0);
		break;
	case 2:
		ck_assert_int_eq(ftruncate(fd, 4096), 0);
		break;
	case 3:
		ck_assert_int_eq(ftruncate(fd, 1 << 24), 0);
		break;
	case 4:
		ck_assert_int_eq(pwrite(fd, &other_version, 4, 4), 4);
		break;
	case 5:
		ck_assert_int_eq(link(path, moved), 0);
		break;
	case 6:
		ck_assert_int_eq(rename(path, moved), 0);
		ck_assert_int_eq(symlink("moved", path), 0);
		break;
	case 7:
		ck_assert_int_eq(unlink(path), 0);
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		break;
	case 8:
		ck_assert_int_eq(unlink(path), 0);
		ck_assert_int_eq(mkdir(path, 0700), 0);
		break;
	}
	close(fd);
}
#define N_SPOILS 9

/* _i: how, of a stream that has ended or one that lives. */
START_TEST(a_setting_on_a_spoilt_page_ends_in_an_error)
{
	pid_t pid = start_stream(false);
	snd_ctl_t *ctl = open_ctl();
	char path[128];

	if (_i < N_SPOILS)
		kill_stream(pid);
	snprintf(path, sizeof(path), "%s", in_directory("x.playback.0"));
	check_reads(ctl, 0, 80, 60);
	spoil_page(_i % N_SPOILS, path);
	ck_assert_int_lt(write_playback(ctl, "Trigger", 85), 0);
	ck_assert_int_lt(write_playback(ctl, "Clear", 55), 0);
	/* Where there is nothing all counters are zero. */
	ck_assert_int_le(write_playback(ctl, "Reset", 1), 0);
	ck_assert_int_le(read_playback(ctl, "Trigger"), 100);
	if (_i >= N_SPOILS)
		kill_stream(pid);
	snd_ctl_close(ctl);
}
END_TEST

static void set_as_another(void)
{
	snd_ctl_t *ctl = open_ctl();
	int err;

	/* May read it. */
	CHILD_ASSERT(read_playback(ctl, "Frames") == 5000000002);
	for (size_t i = 0; i < N_EXPECTED; i++) {
		if (!is_setting(expected[i].suffix))
			continue;
		err = write_playback(ctl, expected[i].suffix, expected[i].max);
		CHILD_ASSERT(err == -EACCES || err == -EPERM);
		/* Nothing is there. */
		err = write_slot(ctl, HR_CAPTURE, 0, expected[i].suffix, 75);
		CHILD_ASSERT(err < 0);
	}
	snd_ctl_close(ctl);
}

/* _i: a stream that lives, or has ended. */
START_TEST(who_may_only_read_sets_nothing)
{
	struct hr_page_config config = config_of(HR_PLAYBACK);
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(chmod(in_directory("x.playback.0"), 0644), 0);
	if (_i)
		hr_page_close(page, hr_now_ns());
	as_user(NOBODY, set_as_another);
	check_reads(ctl, 0, 80, 60);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
	ck_assert(!exists("x.capture.0"));
	snd_ctl_close(ctl);
	if (_i)
		ck_assert_int_eq(hr_page_open(&page, &config, hr_now_ns()), 0);
	check_owner_sees(page, 80, 60);
	hr_page_close(page, hr_now_ns());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_settings");
	TCase *tcase;

	tcase = add_case(suite, "writing");
	tcase_add_loop_test(tcase, a_setting_is_written_by_name_or_by_numid, 0, 12);
	tcase_add_loop_test(tcase, a_value_out_of_range_is_refused_and_changes_nothing,
			    0, 2);
	tcase_add_test(tcase, clear_stays_below_trigger);
	tcase_add_test(tcase, a_setting_is_seen_by_all);
	tcase_add_test(tcase, two_who_set_at_the_same_time_both_have_their_way);

	tcase = add_case(suite, "streams");
	tcase_add_loop_test(tcase, a_setting_outlasts_the_stream, 0, 2);
	tcase_add_test(tcase, a_new_configuration_replaces_a_setting);
	tcase_add_test(tcase, a_setting_with_nothing_there_is_for_the_first_stream);
	tcase_add_test(tcase, with_nothing_there_clear_stays_below_trigger_too);
	tcase_add_test(tcase, a_default_can_be_set_for_the_first_stream);
	tcase_add_test(tcase, a_setting_can_come_before_the_directory);
	tcase_add_test(tcase, each_slot_has_its_own_settings);
	tcase_add_test(tcase, a_page_that_was_removed_has_no_settings);
	tcase_add_test(tcase, a_setting_goes_to_the_page_that_is_there_now);
	tcase_add_loop_test(tcase, a_setting_on_a_spoilt_page_ends_in_an_error,
			    0, 2 * N_SPOILS);
	if (geteuid() == 0)
		tcase_add_loop_test(tcase, who_may_only_read_sets_nothing, 0, 2);
	return run_suite(suite);
}
