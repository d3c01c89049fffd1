/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Positions of playback: the clock, underrun, pause, rewind, drop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "core/clock.h"
#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

static struct rig rig;
static uint8_t *data;

/* A second in the buffer: long against a stalled test, short enough to wait. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 1, .rate = 48000, .period = 1000, .buffer = 48000,
};

static void set_up(void)
{
	rig_init(&rig);
}

static void open_with(long start, long stop, size_t n)
{
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &mono);
	rig_thresholds(&rig, start, stop, 0);
	data = rig_noise(&rig, n, 7);
}

static void tear_down(void)
{
	free(data);
	data = NULL;
	rig_finish(&rig);
}

START_TEST(the_position_is_where_the_clock_is)
{
	uint64_t before_ns, after_ns, look_ns;
	snd_pcm_sframes_t delay;

	open_with(48000, -1, 48000);
	rig_write(&rig, data, 40000, 40000);
	before_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	after_ns = hr_now_ns();
	for (int i = 0; i < 100; i++) {
		look_ns = hr_now_ns();
		ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
		if (delay == 0)
			break;		/* a slow machine: it has ended */
		ck_assert_uint_ge((uint64_t)(40000 - delay),
				  hr_ns_to_frames(look_ns - after_ns, 48000));
		ck_assert_uint_le((uint64_t)(40000 - delay),
				  hr_ns_to_frames(hr_now_ns() - before_ns, 48000));
		rig_sleep_ms(1);
	}
}
END_TEST

START_TEST(an_underrun_is_reported_and_logged_once_at_the_last_frame)
{
	unsigned long long frame = 0;
	int16_t more[10] = { 0 };

	open_with(48000, 0, 1500);
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (snd_pcm_avail(rig.pcm) >= 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, more, 10), -EPIPE);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, 0), -EPIPE);
	rig_assert_heard(&rig, data, 1000);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	rig_write(&rig, data + 2000, 500, 500);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 1500);
	ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, NULL), 1);
	ck_assert_uint_eq(frame, 1000);
	ck_assert_uint_eq(rig_log(&rig, "start", &frame, NULL), 2);
	ck_assert_uint_eq(frame, 1000);
}
END_TEST

START_TEST(a_write_that_comes_too_late_does_not_hide_the_underrun)
{
	unsigned long long frame = 0, late = 0;

	open_with(48000, 0, 2000);
	rig_write(&rig, data, 480, 480);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_let_pass_ms(60);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 480), -EPIPE);
	rig_assert_heard(&rig, data, 480);
	ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, &late), 1);
	ck_assert_uint_eq(frame, 480);
	ck_assert_uint_ge(late, 60 * 48 - 480);
}
END_TEST

START_TEST(waiting_ends_with_the_underrun)
{
	open_with(48000, 0, 2000);
	rig_thresholds(&rig, 0, 0, 48001);	/* more than there can be */
	rig_write(&rig, data, 700, 700);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), -EPIPE);
	rig_assert_heard(&rig, data, 700);
}
END_TEST

START_TEST(a_lower_stop_threshold_stops_before_the_end)
{
	open_with(48000, 48000 - 300, 1000);
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (snd_pcm_avail(rig.pcm) >= 0)
		rig_sleep_ms(1);
	rig_assert_heard(&rig, data, 700);
}
END_TEST

START_TEST(a_stream_that_never_stops_plays_silence_when_it_is_empty)
{
	unsigned long long frame = 0, silent = 0;
	snd_pcm_sframes_t delay = 1;
	uint8_t *expected;

	open_with(1, -1, 2000);
	rig_write(&rig, data, 1000, 1000);
	while (delay > 0)
		ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_eq(delay, 0);
	rig_let_pass_ms(20);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + 2000, 1000), 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
	ck_assert_uint_eq(rig_log(&rig, "gap", &frame, &silent), 1);
	ck_assert_uint_eq(frame, 1000);
	ck_assert_uint_ge(silent, 20 * 48);
	expected = calloc(2000 + silent, 2);
	memcpy(expected, data, 2000);
	memcpy(expected + 2000 + silent * 2, data + 2000, 2000);
	rig_assert_heard(&rig, expected, 2000 + silent);
	free(expected);
}
END_TEST

START_TEST(nothing_is_heard_while_paused)
{
	snd_pcm_sframes_t delay, later;
	uint8_t *heard;
	size_t size;

	open_with(48000, 0, 24000);
	rig_write(&rig, data, 24000, 24000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, snd_pcm_avail(rig.pcm) + 480);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	rig_let_pass_ms(600);	/* longer than what is queued */
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &later), 0);
	ck_assert_int_eq(later, delay);
	heard = rig_slurp(rig.heard, &size);
	free(heard);
	ck_assert_uint_eq(size, 2 * (24000 - (size_t)delay));
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 24000);
}
END_TEST

/* Before the start, and while it runs: paused, so that it waits for us. */
START_TEST(what_is_rewound_and_written_again_is_heard_as_written_last)
{
	snd_pcm_sframes_t rewound;
	uint8_t *other;

	open_with(48000, 0, 40000);
	other = rig_noise(&rig, 10000, 8);
	rig_write(&rig, data, 40000, 40000);
	if (_i) {
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		rig_wait_avail(&rig, snd_pcm_avail(rig.pcm) + 240);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	}
	rewound = snd_pcm_rewind(rig.pcm, 10000);
	ck_assert_int_eq(rewound, 10000);
	rig_write(&rig, other, 9000, 4500);
	if (_i)
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	memcpy(data + 30000 * 2, other, 9000 * 2);
	rig_assert_heard(&rig, data, 39000);
	free(other);
}
END_TEST

START_TEST(drop_hears_what_was_consumed_and_no_more)
{
	unsigned long long frame = 0;

	open_with(48000, 0, 48000);
	rig_write(&rig, data, 48000, 48000);
	rig_wait_avail(&rig, 960);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	ck_assert_uint_eq(rig_log(&rig, "stop", &frame, NULL), 1);
	ck_assert_uint_ge(frame, 20 * 48);
	ck_assert_uint_le(frame, 48000);
	rig_assert_heard(&rig, data, frame);
}
END_TEST

START_TEST(reset_forgets_what_is_queued)
{
	snd_pcm_sframes_t delay = 1;

	open_with(48000, -1, 48000);
	rig_write(&rig, data, 40000, 40000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 8001);
	ck_assert_int_ge(snd_pcm_avail(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_reset(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_eq(delay, 0);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
}
END_TEST

TCase *clocked_position_tests(void)
{
	TCase *tcase = tcase_create("position");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_position_is_where_the_clock_is);
	tcase_add_test(tcase,
		an_underrun_is_reported_and_logged_once_at_the_last_frame);
	tcase_add_test(tcase,
		a_write_that_comes_too_late_does_not_hide_the_underrun);
	tcase_add_test(tcase, waiting_ends_with_the_underrun);
	tcase_add_test(tcase, a_lower_stop_threshold_stops_before_the_end);
	tcase_add_test(tcase,
		a_stream_that_never_stops_plays_silence_when_it_is_empty);
	tcase_add_test(tcase, nothing_is_heard_while_paused);
	tcase_add_loop_test(tcase,
		what_is_rewound_and_written_again_is_heard_as_written_last, 0, 2);
	tcase_add_test(tcase, drop_hears_what_was_consumed_and_no_more);
	tcase_add_test(tcase, reset_forgets_what_is_queued);
	return tcase;
}
