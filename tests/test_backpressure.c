/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>

#include "core/backpressure.h"
#include "tests/suite.h"

#define MS 1000000ull

static struct hr_bp bp;

static void setup(void)
{
	ck_assert_int_eq(hr_bp_init(&bp, 90, 70), 0);
}

static struct hr_bp_snapshot snapshot_at(uint64_t now_ns)
{
	struct hr_bp_snapshot snapshot;

	memset(&snapshot, 0xa5, sizeof(snapshot));
	hr_bp_get_snapshot(&bp, &snapshot, now_ns);
	return snapshot;
}

static void assert_snapshot(uint64_t now_ns, uint64_t count, uint64_t current_ns,
			    uint64_t total_ns, bool raised)
{
	struct hr_bp_snapshot snapshot = snapshot_at(now_ns);

	ck_assert_uint_eq(snapshot.count, count);
	ck_assert_uint_eq(snapshot.current_ns, current_ns);
	ck_assert_uint_eq(snapshot.total_ns, total_ns);
	ck_assert_int_eq(snapshot.raised, raised);
}

START_TEST(starts_normal_with_zero_counters)
{
	ck_assert_uint_eq(bp.trigger, 90);
	ck_assert_uint_eq(bp.clear, 70);
	assert_snapshot(123 * MS, 0, 0, 0, false);
}
END_TEST

START_TEST(defaults_are_valid_thresholds)
{
	ck_assert_int_eq(hr_bp_init(&bp, HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT), 0);
}
END_TEST

static const struct {
	uint32_t trigger, clear;
} bad[] = {
	{ 90, 0 }, { 0, 0 }, { 1, 1 }, { 70, 70 }, { 70, 90 }, { 101, 70 },
	{ 256 + 90, 70 }, { 90, 256 + 70 }, { UINT32_MAX, 1 }, { 90, UINT32_MAX },
};

START_TEST(invalid_thresholds_are_refused_and_change_nothing)
{
	struct hr_bp before;

	hr_bp_update(&bp, 95, 1 * MS);
	memcpy(&before, &bp, sizeof(bp));
	ck_assert(!hr_bp_thresholds_valid(bad[_i].trigger, bad[_i].clear));
	ck_assert_int_eq(hr_bp_init(&bp, bad[_i].trigger, bad[_i].clear), -EINVAL);
	ck_assert_mem_eq(&before, &bp, sizeof(bp));
	ck_assert_int_eq(hr_bp_set_thresholds(&bp, bad[_i].trigger, bad[_i].clear),
			 -EINVAL);
	ck_assert_mem_eq(&before, &bp, sizeof(bp));
}
END_TEST

START_TEST(narrowest_and_widest_thresholds_are_accepted)
{
	ck_assert_int_eq(hr_bp_init(&bp, 2, 1), 0);
	ck_assert_int_eq(hr_bp_init(&bp, 100, 99), 0);
	ck_assert_int_eq(hr_bp_init(&bp, 100, 1), 0);
	ck_assert_int_eq(hr_bp_update(&bp, 99, 0), HR_BP_STEADY);
	ck_assert_int_eq(hr_bp_update(&bp, 100, 0), HR_BP_RAISED);
	ck_assert_int_eq(hr_bp_update(&bp, 2, 0), HR_BP_STEADY);
	ck_assert_int_eq(hr_bp_update(&bp, 1, 0), HR_BP_CLEARED);
}
END_TEST

START_TEST(raises_at_the_trigger_and_not_below)
{
	ck_assert_int_eq(hr_bp_update(&bp, 89, 1 * MS), HR_BP_STEADY);
	ck_assert(!bp.raised);
	ck_assert_int_eq(hr_bp_update(&bp, 90, 2 * MS), HR_BP_RAISED);
	ck_assert(bp.raised);
}
END_TEST

START_TEST(clears_at_the_clear_level_and_not_above)
{
	hr_bp_update(&bp, 91, 1 * MS);
	ck_assert_int_eq(hr_bp_update(&bp, 71, 2 * MS), HR_BP_STEADY);
	ck_assert(bp.raised);
	ck_assert_int_eq(hr_bp_update(&bp, 70, 3 * MS), HR_BP_CLEARED);
	ck_assert(!bp.raised);
}
END_TEST

START_TEST(levels_beyond_100_percent_raise)
{
	ck_assert_int_eq(hr_bp_update(&bp, UINT32_MAX, 0), HR_BP_RAISED);
	ck_assert_int_eq(hr_bp_update(&bp, 0, 0), HR_BP_CLEARED);
}
END_TEST

START_TEST(each_change_is_returned_once)
{
	ck_assert_int_eq(hr_bp_update(&bp, 95, 1 * MS), HR_BP_RAISED);
	ck_assert_int_eq(hr_bp_update(&bp, 95, 2 * MS), HR_BP_STEADY);
	ck_assert_int_eq(hr_bp_update(&bp, 10, 3 * MS), HR_BP_CLEARED);
	ck_assert_int_eq(hr_bp_update(&bp, 10, 4 * MS), HR_BP_STEADY);
	ck_assert_uint_eq(snapshot_at(5 * MS).count, 1);
}
END_TEST

START_TEST(levels_between_the_thresholds_do_not_toggle)
{
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(hr_bp_update(&bp, i % 2 ? 71 : 89, i), HR_BP_STEADY);
	ck_assert_int_eq(hr_bp_update(&bp, 90, 1000), HR_BP_RAISED);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(hr_bp_update(&bp, i % 2 ? 71 : 99, 1001 + i),
				 HR_BP_STEADY);
	ck_assert_uint_eq(bp.count, 1);
}
END_TEST

START_TEST(every_episode_is_counted)
{
	for (uint32_t i = 0; i < 25; i++) {
		ck_assert_int_eq(hr_bp_update(&bp, 100, 2 * i * MS), HR_BP_RAISED);
		ck_assert_int_eq(hr_bp_update(&bp, 0, (2 * i + 1) * MS), HR_BP_CLEARED);
	}
	assert_snapshot(100 * MS, 25, 0, 25 * MS, false);
}
END_TEST

START_TEST(present_episode_grows_with_time_and_ends_with_it)
{
	hr_bp_update(&bp, 95, 10 * MS);
	assert_snapshot(10 * MS, 1, 0, 0, true);
	assert_snapshot(17 * MS, 1, 7 * MS, 7 * MS, true);
	hr_bp_update(&bp, 80, 18 * MS);
	assert_snapshot(20 * MS, 1, 10 * MS, 10 * MS, true);
	hr_bp_update(&bp, 60, 30 * MS);
	assert_snapshot(90 * MS, 1, 0, 20 * MS, false);
}
END_TEST

START_TEST(total_adds_up_all_episodes_and_the_present_one)
{
	hr_bp_update(&bp, 95, 10 * MS);
	hr_bp_update(&bp, 50, 15 * MS);
	hr_bp_update(&bp, 95, 40 * MS);
	hr_bp_update(&bp, 50, 47 * MS);
	assert_snapshot(50 * MS, 2, 0, 12 * MS, false);
	hr_bp_update(&bp, 95, 60 * MS);
	assert_snapshot(61 * MS, 3, 1 * MS, 13 * MS, true);
}
END_TEST

START_TEST(time_before_the_episode_counts_as_none)
{
	hr_bp_update(&bp, 95, 10 * MS);
	assert_snapshot(9 * MS, 1, 0, 0, true);
	hr_bp_update(&bp, 0, 9 * MS);
	assert_snapshot(10 * MS, 1, 0, 0, false);
}
END_TEST

START_TEST(reset_zeroes_counters_when_normal)
{
	hr_bp_update(&bp, 95, 10 * MS);
	hr_bp_update(&bp, 50, 15 * MS);
	hr_bp_reset(&bp, 20 * MS);
	assert_snapshot(30 * MS, 0, 0, 0, false);
	ck_assert_uint_eq(bp.trigger, 90);
	ck_assert_uint_eq(bp.clear, 70);
	ck_assert_int_eq(hr_bp_update(&bp, 90, 40 * MS), HR_BP_RAISED);
}
END_TEST

START_TEST(reset_during_an_episode_lets_it_begin_now)
{
	hr_bp_update(&bp, 95, 1 * MS);
	hr_bp_update(&bp, 50, 2 * MS);
	hr_bp_update(&bp, 95, 10 * MS);
	hr_bp_reset(&bp, 20 * MS);
	assert_snapshot(23 * MS, 1, 3 * MS, 3 * MS, true);
	ck_assert_int_eq(hr_bp_update(&bp, 50, 25 * MS), HR_BP_CLEARED);
	assert_snapshot(30 * MS, 1, 0, 5 * MS, false);
}
END_TEST

START_TEST(new_thresholds_count_from_the_next_update)
{
	hr_bp_update(&bp, 80, 1 * MS);
	ck_assert_int_eq(hr_bp_set_thresholds(&bp, 80, 50), 0);
	ck_assert(!bp.raised);
	ck_assert_int_eq(hr_bp_update(&bp, 80, 2 * MS), HR_BP_RAISED);
	ck_assert_int_eq(hr_bp_update(&bp, 51, 3 * MS), HR_BP_STEADY);
	ck_assert_int_eq(hr_bp_set_thresholds(&bp, 90, 70), 0);
	assert_snapshot(4 * MS, 1, 2 * MS, 2 * MS, true);
	ck_assert_int_eq(hr_bp_update(&bp, 70, 5 * MS), HR_BP_CLEARED);
}
END_TEST

START_TEST(agrees_with_a_plain_model_on_random_levels)
{
	bool raised = false;
	uint64_t count = 0, total = 0;
	uint64_t now = 0, since = 0;

	srand(1);
	for (int i = 0; i < 100000; i++) {
		uint32_t level = (uint32_t)rand() % 120;

		now += (uint64_t)rand() % 1000;
		if (!raised && level >= 90) {
			raised = true;
			since = now;
			count++;
		} else if (raised && level <= 70) {
			raised = false;
			total += now - since;
		}
		hr_bp_update(&bp, level, now);
		assert_snapshot(now, count, raised ? now - since : 0,
				total + (raised ? now - since : 0), raised);
	}
}
END_TEST

START_TEST(fits_48_bytes)
{
	ck_assert_uint_le(sizeof(struct hr_bp), 48);
}
END_TEST

static Suite *backpressure_suite(void)
{
	Suite *suite = suite_create("backpressure");
	TCase *thresholds = tcase_create("thresholds");
	TCase *times = tcase_create("times");

	tcase_set_timeout(times, 60);	/* a hundred thousand levels, each asserted */
	tcase_add_checked_fixture(thresholds, setup, NULL);
	tcase_add_test(thresholds, starts_normal_with_zero_counters);
	tcase_add_test(thresholds, defaults_are_valid_thresholds);
	tcase_add_loop_test(thresholds, invalid_thresholds_are_refused_and_change_nothing,
			    0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(thresholds, narrowest_and_widest_thresholds_are_accepted);
	tcase_add_test(thresholds, raises_at_the_trigger_and_not_below);
	tcase_add_test(thresholds, clears_at_the_clear_level_and_not_above);
	tcase_add_test(thresholds, levels_beyond_100_percent_raise);
	tcase_add_test(thresholds, each_change_is_returned_once);
	tcase_add_test(thresholds, levels_between_the_thresholds_do_not_toggle);
	tcase_add_test(thresholds, new_thresholds_count_from_the_next_update);
	tcase_add_test(thresholds, fits_48_bytes);
	suite_add_tcase(suite, thresholds);

	tcase_add_checked_fixture(times, setup, NULL);
	tcase_add_test(times, every_episode_is_counted);
	tcase_add_test(times, present_episode_grows_with_time_and_ends_with_it);
	tcase_add_test(times, total_adds_up_all_episodes_and_the_present_one);
	tcase_add_test(times, time_before_the_episode_counts_as_none);
	tcase_add_test(times, reset_zeroes_counters_when_normal);
	tcase_add_test(times, reset_during_an_episode_lets_it_begin_now);
	tcase_add_test(times, agrees_with_a_plain_model_on_random_levels);
	suite_add_tcase(suite, times);
	return suite;
}

int main(void)
{
	return suite_run(backpressure_suite());
}
