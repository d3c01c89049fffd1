/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the control device shows of streams that come, run, go and are killed.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/clock.h"
#include "tests/ctl_fixture.h"

/* What stays of a busy stream when it has ended. */
static const struct { const char *suffix; int64_t value; } busy_lasting[] = {
	{ "Healthy", 0 },
	{ "Fill Max", 42 },
	{ "Pressure Count", 44 },
	{ "Pressure Time", 2000 },
	{ "Pressure Time Now", 0 },
	{ "Chunks Pushed", 5000000000 },
	{ "Chunks Popped", 5000000001 },
	{ "Chunks Dropped", 2 },
	{ "Frames", 5000000002 },
	{ "Frames Dropped", 1000 },
	{ "Frames Silence", 52 },
	{ "Drop Rate", 100000 },
	{ "Xruns", 3 },
	{ "Device Xruns", 47 },
	{ "Xrun Cause", HR_CAUSE_SCHEDULER },
	{ "Latency Avg", 50500 },
	{ "Latency Min", 1000 },
	{ "Latency Max", 100000 },
	{ "Latency P50", 50000 },
	{ "Latency P95", 95000 },
	{ "Latency P99", 99000 },
	{ "Wakeup Late Max", 2 },
	{ "Pool Hits", 48 },
	{ "Pool Misses", 49 },
	{ "Rate", 48000 },
	{ "Channels", 2 },
	{ "Period", 480 },
	{ "Buffer", 1920 },
	{ "Trigger", 80 },
	{ "Clear", 60 },
	{ "Reset", 0 },
};

static void check_busy_lasting(snd_ctl_t *ctl, enum hr_direction direction)
{
	for (size_t i = 0; i < N_ITEMS(busy_lasting); i++) {
		int64_t value = read_slot(ctl, direction, 0, busy_lasting[i].suffix);

		ck_assert_msg(value == busy_lasting[i].value, "%s is %lld",
			      busy_lasting[i].suffix, (long long)value);
	}
}

static void check_busy(snd_ctl_t *ctl, enum hr_direction direction, pid_t pid)
{
	check_busy_lasting(ctl, direction);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "State"), HR_STATE_RUNNING);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Process"), pid);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Realtime"), 60);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Fill"), 41);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Pressure"), 43);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Rate Measured"), 47999);
	ck_assert_int_eq(read_slot(ctl, direction, 0, "Pool Size"), 50);
	ck_assert_int_ge(read_slot(ctl, direction, 0, "Uptime"), 10);
	ck_assert_int_lt(read_slot(ctl, direction, 0, "Uptime"), 100);
}

static void check_ended(snd_ctl_t *ctl)
{
	static const char *const zero[] = {
		"State", "Process", "Realtime", "Fill", "Pressure",
		"Pressure State", "Pressure Time Now", "Throughput",
		"Rate Measured", "Pool Size",
	};

	for (size_t i = 0; i < N_ITEMS(zero); i++) {
		int64_t value = read_playback(ctl, zero[i]);

		ck_assert_msg(value == 0, "%s is %lld", zero[i], (long long)value);
	}
}

START_TEST(values_of_a_stream_are_shown)
{
	struct hr_page *page = open_busy_page((enum hr_direction)_i);
	snd_ctl_t *ctl = open_ctl();

	check_busy(ctl, (enum hr_direction)_i, getpid());
	ck_assert_int_eq(read_slot(ctl, !_i ? HR_CAPTURE : HR_PLAYBACK, 0, "State"),
			 HR_STATE_CLOSED);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(values_of_another_process_are_shown)
{
	pid_t pid = start_stream(false);
	snd_ctl_t *ctl = open_ctl();

	check_busy(ctl, HR_PLAYBACK, pid);
	snd_ctl_close(ctl);
	kill_stream(pid);
}
END_TEST

START_TEST(a_new_value_is_seen_in_time)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	for (int i = 1; i <= 10; i++) {
		hr_page_set(page, HR_STAT_FRAMES, (uint64_t)i);
		wait_until_stale();
		ck_assert_int_eq(read_playback(ctl, "Frames"), i);
	}
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(the_present_episode_counts_as_pressure)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();
	uint64_t now_ns = hr_now_ns();

	hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, now_ns - 5 * HR_NS_PER_S);
	hr_page_set(page, HR_STAT_PRESSURE_RAISED, 1);
	ck_assert_int_eq(read_playback(ctl, "Pressure State"), 1);
	ck_assert_int_ge(read_playback(ctl, "Pressure Time Now"), 5000);
	ck_assert_int_lt(read_playback(ctl, "Pressure Time Now"), 65000);
	ck_assert_int_ge(read_playback(ctl, "Pressure Time"), 7000);
	ck_assert_int_lt(read_playback(ctl, "Pressure Time"), 67000);

	/* One that begins only now is no negative time. */
	hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, hr_now_ns() + 60 * HR_NS_PER_S);
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Pressure Time Now"), 0);
	ck_assert_int_eq(read_playback(ctl, "Pressure Time"), 2000);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(pressure_without_loss_is_unhealthy_while_it_lasts)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(read_playback(ctl, "Healthy"), 1);
	hr_health_set_pressure(hr_page_health(page), true);
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 0);
	hr_page_close(page, hr_now_ns());
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 1);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(values_beyond_the_range_are_limited)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	for (int stat = 0; stat < HR_STAT_COUNT; stat++)
		hr_page_set(page, (enum hr_stat)stat, UINT64_MAX);
	ck_assert_int_eq(read_playback(ctl, "State"), 0);
	ck_assert_int_eq(read_playback(ctl, "Xrun Cause"), 0);
	ck_assert_int_eq(read_playback(ctl, "Pressure State"), 1);
	ck_assert_int_eq(read_playback(ctl, "Fill"), 100);
	ck_assert_int_eq(read_playback(ctl, "Pressure"), 100);
	ck_assert_int_eq(read_playback(ctl, "Realtime"), 99);
	ck_assert_int_eq(read_playback(ctl, "Process"), INT_MAX);
	ck_assert_int_eq(read_playback(ctl, "Pool Hits"), INT_MAX);
	ck_assert_int_eq(read_playback(ctl, "Wakeup Late Max"), INT_MAX);
	ck_assert_int_eq(read_playback(ctl, "Frames"), INT64_MAX);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(a_stream_that_starts_later_is_picked_up)
{
	snd_ctl_t *ctl = open_ctl();
	struct hr_page *page;

	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_CLOSED);
	page = open_busy_page(HR_PLAYBACK);
	wait_until_stale();
	check_busy(ctl, HR_PLAYBACK, getpid());
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(a_second_stream_is_subdevice_1)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns());
	struct hr_page *second = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(hr_page_slot(second), 1);
	hr_page_set(first, HR_STAT_FRAMES, 11);
	hr_page_set(second, HR_STAT_FRAMES, 22);
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, 0, "Frames"), 11);
	ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, 1, "Frames"), 22);
	ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, "Frames"), 0);
	snd_ctl_close(ctl);
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
}
END_TEST

START_TEST(counters_stay_when_the_stream_ends)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl(), *later;

	check_busy(ctl, HR_PLAYBACK, getpid());
	hr_page_close(page, hr_now_ns());
	wait_until_stale();
	check_busy_lasting(ctl, HR_PLAYBACK);
	check_ended(ctl);
	ck_assert_int_ge(read_playback(ctl, "Uptime"), 10);
	later = open_ctl();
	check_busy_lasting(later, HR_PLAYBACK);
	check_ended(later);
	snd_ctl_close(later);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(the_next_stream_in_the_slot_is_seen_by_an_old_handle)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();

	hr_page_close(page, hr_now_ns());
	wait_until_stale();
	check_ended(ctl);
	page = open_page(HR_PLAYBACK, hr_now_ns());
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_OPEN);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
	hr_page_close(page, hr_now_ns());
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_page_that_was_removed_is_forgotten)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
	hr_page_close(page, hr_now_ns());
	ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Frames"), 0);
	page = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_set(page, HR_STAT_FRAMES, 33);
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Frames"), 33);
	hr_page_close(page, hr_now_ns());
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_killed_process_reads_closed)
{
	pid_t pid = start_stream(false);
	snd_ctl_t *ctl = open_ctl();

	check_busy(ctl, HR_PLAYBACK, pid);
	kill_stream(pid);
	wait_until_stale();
	check_busy_lasting(ctl, HR_PLAYBACK);
	check_ended(ctl);
	ck_assert_int_eq(read_playback(ctl, "Uptime"), 0);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_killed_process_is_under_no_pressure)
{
	pid_t pid = start_stream(true);
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(read_playback(ctl, "Pressure State"), 1);
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 0);
	kill_stream(pid);
	wait_until_stale();
	check_ended(ctl);
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 1);
	snd_ctl_close(ctl);
}
END_TEST

static void fill_randomly(unsigned char *bytes, size_t n_bytes, unsigned int seed)
{
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < n_bytes; i++) {
		state = state * 1664525u + 1013904223u;
		/* Every fourth time all ones: the greatest number everywhere. */
		bytes[i] = seed % 4 == 0 ? 0xff : (unsigned char)(state >> 24);
	}
}

/* True if what is shown differs from nothing at all: the page was believed. */
static bool check_ranges(snd_ctl_t *ctl)
{
	bool is_believed = false;

	for (size_t i = 0; i < N_EXPECTED; i++) {
		int64_t value = read_playback(ctl, expected[i].suffix);

		ck_assert_msg(value >= expected[i].min && value <= expected[i].max,
			      "%s is %lld", expected[i].suffix, (long long)value);
		if (value != expected[i].at_rest)
			is_believed = true;
	}
	return is_believed;
}

START_TEST(a_file_that_is_no_page_is_told_and_left_out)
{
	FILE *file = fopen(in_directory("x.playback.0"), "we");
	snd_ctl_t *ctl;

	ck_assert_ptr_nonnull(file);
	fputs("no page", file);
	fclose(file);
	ctl = open_ctl();
	ck_assert_msg(strstr(complaints, "'x'") != NULL, "%s", complaints);
	ck_assert(!check_ranges(ctl));
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(hostile_pages_read_within_the_ranges)
{
	static unsigned char bytes[1 << 22];
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	unsigned int n_believed = 0;
	ssize_t size;
	int fd;

	/* _i: of a stream that lives, or one that has ended. */
	if (_i)
		hr_page_close(page, hr_now_ns());
	fd = open(in_directory("x.playback.0"), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	size = pread(fd, bytes, sizeof(bytes), 0);
	ck_assert_int_gt(size, 1024);
	ck_assert_int_lt(size, sizeof(bytes));
	/* From the back to the front, so that ever more of the header goes. */
	for (off_t from = 1024; from >= 0; from -= 8) {
		snd_ctl_t *ctl;

		fill_randomly(bytes, (size_t)(size - from), (unsigned int)from / 8);
		ck_assert_int_eq(pwrite(fd, bytes, (size_t)(size - from), from),
				 size - from);
		ctl = open_ctl();
		n_believed += check_ranges(ctl);
		snd_ctl_close(ctl);
	}
	ck_assert_int_gt(n_believed, 10);
	close(fd);
	if (!_i)
		hr_page_close(page, hr_now_ns());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_streams");
	TCase *tcase;

	tcase = add_case(suite, "values");
	tcase_add_loop_test(tcase, values_of_a_stream_are_shown, 0, 2);
	tcase_add_test(tcase, values_of_another_process_are_shown);
	tcase_add_test(tcase, a_new_value_is_seen_in_time);
	tcase_add_test(tcase, the_present_episode_counts_as_pressure);
	tcase_add_test(tcase, pressure_without_loss_is_unhealthy_while_it_lasts);
	tcase_add_test(tcase, values_beyond_the_range_are_limited);

	tcase = add_case(suite, "streams");
	tcase_add_test(tcase, a_stream_that_starts_later_is_picked_up);
	tcase_add_test(tcase, a_second_stream_is_subdevice_1);
	tcase_add_test(tcase, counters_stay_when_the_stream_ends);
	tcase_add_test(tcase, the_next_stream_in_the_slot_is_seen_by_an_old_handle);
	tcase_add_test(tcase, a_page_that_was_removed_is_forgotten);
	tcase_add_test(tcase, a_killed_process_reads_closed);
	tcase_add_test(tcase, a_killed_process_is_under_no_pressure);
	tcase_add_test(tcase, a_file_that_is_no_page_is_told_and_left_out);
	tcase_add_loop_test(tcase, hostile_pages_read_within_the_ranges, 0, 2);
	return run_suite(suite);
}
