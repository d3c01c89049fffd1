/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdint.h>

#include <check.h>

#include "tests/clocked/clock.h"
#include "tests/clocked/tests.h"

static const struct {
	uint32_t rate;
	int ppm;
} clocks[] = {
	{ 8000, 0 }, { 11025, 0 }, { 44100, 0 }, { 48000, 1 }, { 48000, -37 },
	{ 192000, 0 }, { 384000, 500000 }, { 4001, -500000 },
	{ CLOCKED_RATE_MAX, CLOCKED_PPM_MAX },
};
#define N_CLOCKS (int)(sizeof(clocks) / sizeof(clocks[0]))

static struct clocked_clock started(int i)
{
	struct clocked_clock clock;

	clocked_clock_init(&clock, clocks[i].ppm);
	clocked_clock_set_rate(&clock, clocks[i].rate);
	clocked_clock_start(&clock, 12345678901u);
	return clock;
}

START_TEST(a_million_seconds_are_exact_to_the_frame)
{
	struct clocked_clock clock = started(_i);
	/* In 10^6 s the drift is a whole number of frames. */
	uint64_t frames = clocks[_i].rate * (uint64_t)(1000000 + clocks[_i].ppm);
	uint64_t end = clock.start_ns + UINT64_C(1000000) * 1000000000u;

	ck_assert_uint_eq(clocked_clock_frames(&clock, clock.start_ns), 0);
	ck_assert_uint_eq(clocked_clock_frames(&clock, end), frames);
	ck_assert_uint_eq(clocked_clock_frames(&clock, end - 1), frames - 1);
	ck_assert_uint_eq(clocked_clock_time(&clock, frames), end);
}
END_TEST

START_TEST(time_is_the_first_nanosecond_of_a_frame)
{
	struct clocked_clock clock = started(_i);

	for (uint64_t frame = 1; frame < UINT64_C(1) << 40; frame = frame * 3 + 1) {
		uint64_t ns = clocked_clock_time(&clock, frame);

		ck_assert_uint_eq(clocked_clock_frames(&clock, ns), frame);
		ck_assert_uint_eq(clocked_clock_frames(&clock, ns - 1), frame - 1);
	}
}
END_TEST

START_TEST(another_rate_is_another_world)
{
	struct clocked_clock clock = started(0);

	clocked_clock_start(&clock, clock.start_ns + 5000000000u);
	ck_assert_uint_eq(clocked_clock_frames(&clock, clock.start_ns + 1000000000u),
			  8000);
	clocked_clock_set_rate(&clock, 8000);
	ck_assert(clock.started);
	clocked_clock_set_rate(&clock, 16000);
	ck_assert_uint_eq(clocked_clock_frames(&clock, UINT64_MAX), 0);
}
END_TEST

TCase *clocked_clock_tests(void)
{
	TCase *tcase = tcase_create("clock");

	tcase_add_loop_test(tcase, a_million_seconds_are_exact_to_the_frame, 0,
			    N_CLOCKS);
	tcase_add_loop_test(tcase, time_is_the_first_nanosecond_of_a_frame, 0,
			    N_CLOCKS);
	tcase_add_test(tcase, another_rate_is_another_world);
	return tcase;
}
