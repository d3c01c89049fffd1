/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

static struct rig rig;
static unsigned int n_lines;
static char last_line[256];

__attribute__((format(printf, 5, 6)))
static void count_line(const char *file, int line, const char *function, int err,
		       const char *format, ...)
{
	va_list args;

	(void)file, (void)line, (void)function, (void)err;
	va_start(args, format);
	vsnprintf(last_line, sizeof(last_line), format, args);
	va_end(args);
	n_lines++;
}

static void set_up(void)
{
	rig_init(&rig);
	n_lines = 0;
}

static void tear_down(void)
{
	rig_finish(&rig);
}

/* Keys, and what the one line must name. */
static const char *const bad[][2] = {
	{ "colour 1", "colour" },
	{ "supply 1", "supply" },
	{ "supply [ a b ]", "supply" },
	{ "rate_ppm \"fast\"", "rate_ppm" },
	{ "rate_ppm 1.5", "rate_ppm" },
	{ "rate_ppm 500001", "rate_ppm" },
	{ "rate_ppm -500001", "rate_ppm" },
	{ "rate_min 0", "rate_min" },
	{ "rate_min 48000 rate_max 44100", "rate_max" },
	{ "channels_max 33", "channels_max" },
	{ "channels_min 3 channels_max 2", "channels_min" },
	{ "period_min 0", "period_min" },
	{ "period_max 10 period_min 11", "period_min" },
	{ "buffer_max -1", "buffer_max" },
	{ "buffer_max 31", "buffer_max" },
	{ "periods_min 3 periods_max 2", "periods_max" },
	{ "formats \"S16_LE,U16_LE\"", "U16_LE" },
	{ "formats [ S16_LE MU_LAW ]", "MU_LAW" },
	{ "formats [ ]", "formats" },
	{ "formats 16", "formats" },
	{ "access [ RW_SIDEWAYS ]", "RW_SIDEWAYS" },
	{ "access [ ]", "access" },
	{ "rates [ 44100 fast ]", "fast" },
	{ "rates [ 44100 999 ]", "999" },
	{ "extra_delay -1", "extra_delay" },
};

START_TEST(a_bad_block_is_refused_with_one_line_that_names_it)
{
	snd_lib_error_set_handler(count_line);
	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, bad[_i][0]),
			 -EINVAL);
	snd_lib_error_set_handler(NULL);
	ck_assert_uint_eq(n_lines, 1);
	ck_assert_ptr_nonnull(strstr(last_line, bad[_i][1]));
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_fails_the_open)
{
	snd_lib_error_set_handler(count_line);
	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_CAPTURE, 0,
				      "supply \"/nonexistent/file\""), -ENOENT);
	snd_lib_error_set_handler(NULL);
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

START_TEST(limits_are_those_of_the_block)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_uframes_t low, high;
	unsigned int value;

	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_CAPTURE, 0,
		"formats \"S24_3LE\" rate_min 22050 rate_max 96000 "
		"channels_min 6 channels_max 6 period_min 100 period_max 1000 "
		"buffer_max 4000 periods_min 3 periods_max 7"), 0);
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	ck_assert_int_lt(snd_pcm_hw_params_test_format(rig.pcm, hw,
						       SND_PCM_FORMAT_S16_LE), 0);
	ck_assert_int_eq(snd_pcm_hw_params_test_format(rig.pcm, hw,
						       SND_PCM_FORMAT_S24_3LE), 0);
	snd_pcm_hw_params_get_rate_min(hw, &value, NULL);
	ck_assert_uint_eq(value, 22050);
	snd_pcm_hw_params_get_rate_max(hw, &value, NULL);
	ck_assert_uint_eq(value, 96000);
	snd_pcm_hw_params_get_channels(hw, &value);
	ck_assert_uint_eq(value, 6);
	snd_pcm_hw_params_get_period_size_min(hw, &low, NULL);
	snd_pcm_hw_params_get_period_size_max(hw, &high, NULL);
	ck_assert_uint_eq(low, 100);
	ck_assert_uint_eq(high, 1000);
	snd_pcm_hw_params_get_buffer_size_min(hw, &low);
	snd_pcm_hw_params_get_buffer_size_max(hw, &high);
	ck_assert_uint_eq(low, 300);
	ck_assert_uint_eq(high, 4000);
	snd_pcm_hw_params_get_periods_min(hw, &value, NULL);
	ck_assert_uint_eq(value, 3);
	snd_pcm_hw_params_get_periods_max(hw, &value, NULL);
	ck_assert_uint_eq(value, 7);
	ck_assert(snd_pcm_hw_params_can_pause(hw));
	ck_assert(snd_pcm_hw_params_can_resume(hw));
}
END_TEST

START_TEST(open_and_close_are_logged)
{
	unsigned long long frame = 1;

	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	ck_assert_uint_eq(rig_log(&rig, "open", &frame, NULL), 1);
	ck_assert_uint_eq(frame, 0);
	ck_assert_uint_eq(rig_log(&rig, "close", NULL, NULL), 0);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	ck_assert_uint_eq(rig_log(&rig, "close", NULL, NULL), 1);
}
END_TEST

TCase *clocked_config_tests(void)
{
	TCase *tcase = tcase_create("config");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase,
			    a_bad_block_is_refused_with_one_line_that_names_it,
			    0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, a_file_that_cannot_be_opened_fails_the_open);
	tcase_add_test(tcase, limits_are_those_of_the_block);
	tcase_add_test(tcase, open_and_close_are_logged);
	return tcase;
}
