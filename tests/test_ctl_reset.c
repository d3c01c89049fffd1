/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the control device's Reset does to the counters.
 */
#include <string.h>
#include "core/clock.h"
#include "tests/ctl_fixture.h"

static const char *const counters[] = {
	"Fill Max", "Pressure Count", "Pressure Time", "Pressure Time Now",
	"Chunks Pushed", "Chunks Popped", "Chunks Dropped", "Frames", "Frames Dropped",
	"Frames Silence", "Drop Rate", "Xruns", "Device Xruns", "Xrun Cause",
	"Latency Avg", "Latency Min", "Latency Max", "Latency P50", "Latency P95",
	"Latency P99", "Wakeup Late Max", "Pool Hits", "Pool Misses",
};

static void check_zero(snd_ctl_t *ctl)
{
	for (size_t i = 0; i < N_ITEMS(counters); i++) {
		int64_t value = read_playback(ctl, counters[i]);

		ck_assert_msg(value == 0, "%s is %lld", counters[i], (long long)value);
	}
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 1);
	ck_assert_int_eq(read_playback(ctl, "Reset"), 0);
}

START_TEST(reset_zeroes_all_counters_and_nothing_else)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	struct hr_page *other = open_busy_page(HR_CAPTURE);
	snd_ctl_t *ctl = open_ctl(), *fresh = open_ctl();

	/* All but one are something else before. */
	for (size_t i = 0; i < N_ITEMS(counters); i++)
		ck_assert(read_playback(ctl, counters[i]) != 0 ||
			  !strcmp(counters[i], "Pressure Time Now"));
	ck_assert_int_eq(write_playback(ctl, "Reset", 1), 1);
	check_zero(ctl);
	check_zero(fresh);
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_RUNNING);
	ck_assert_int_eq(read_playback(ctl, "Process"), getpid());
	ck_assert_int_eq(read_playback(ctl, "Realtime"), 60);
	ck_assert_int_eq(read_playback(ctl, "Rate"), 48000);
	ck_assert_int_eq(read_playback(ctl, "Buffer"), 1920);
	ck_assert_int_eq(read_playback(ctl, "Fill"), 41);
	ck_assert_int_eq(read_playback(ctl, "Pool Size"), 50);
	ck_assert_int_ge(read_playback(ctl, "Uptime"), 10);
	ck_assert_int_eq(read_playback(ctl, "Trigger"), 80);
	ck_assert_int_eq(read_playback(ctl, "Clear"), 60);
	ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, "Frames"), 5000000002);

	/* Counting goes on from there. */
	ck_assert(hr_page_apply_reset(page));
	hr_page_add(page, HR_STAT_FRAMES, 7);
	hr_health_overrun(hr_page_health(page));
	wait_until_stale();
	ck_assert_int_eq(read_playback(ctl, "Frames"), 7);
	ck_assert_int_eq(read_playback(ctl, "Xruns"), 1);
	snd_ctl_close(fresh);
	snd_ctl_close(ctl);
	hr_page_close(other, hr_now_ns());
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(reset_ends_no_pressure)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();

	hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, hr_now_ns() - 5 * HR_NS_PER_S);
	hr_page_set(page, HR_STAT_PRESSURE_RAISED, 1);
	hr_page_add(page, HR_STAT_PRESSURE_COUNT, 1);
	hr_health_set_pressure(hr_page_health(page), true);
	ck_assert_int_eq(write_playback(ctl, "Reset", 1), 1);
	ck_assert_int_eq(read_playback(ctl, "Pressure Count"), 0);
	ck_assert_int_eq(read_playback(ctl, "Pressure State"), 1);
	ck_assert_int_eq(read_playback(ctl, "Healthy"), 0);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(reset_zeroes_a_stream_that_has_ended)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();

	hr_page_close(page, hr_now_ns());
	ck_assert_int_eq(write_playback(ctl, "Reset", 1), 1);
	check_zero(ctl);
	ck_assert_int_eq(read_playback(ctl, "Rate"), 48000);
	page = open_page(HR_PLAYBACK, hr_now_ns());
	wait_until_stale();
	check_zero(ctl);
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_OPEN);
	hr_page_close(page, hr_now_ns());
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(reset_with_nothing_there_is_no_change)
{
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(write_playback(ctl, "Reset", 1), 0);
	ck_assert_int_eq(write_playback(ctl, "Reset", 0), 0);
	check_zero(ctl);
	ck_assert_int_lt(access(in_directory("x.playback.0"), F_OK), 0);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(to_switch_reset_off_is_no_change)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(write_playback(ctl, "Reset", 0), 0);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_reset");
	TCase *tcase = add_case(suite, "reset");

	tcase_add_test(tcase, reset_zeroes_all_counters_and_nothing_else);
	tcase_add_test(tcase, reset_ends_no_pressure);
	tcase_add_test(tcase, reset_zeroes_a_stream_that_has_ended);
	tcase_add_test(tcase, reset_with_nothing_there_is_no_change);
	tcase_add_test(tcase, to_switch_reset_off_is_no_change);
	return run_suite(suite);
}
