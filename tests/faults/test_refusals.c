/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A device that is not to be set up, or otherwise than it was asked to: the program is
 * told, can try again, and has its own sizes all the same.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/faults/account.h"

#define BUFFER 9600u
#define ALL 14400u
#define SOME 2400u
#define ONE_FRAME "formats S32_LE channels_min 1 channels_max 1 "

static const snd_pcm_stream_t streams[] = { SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE };

static void play_and_close(uint32_t n)
{
	ck_assert_int_eq(account_go_on(n), 0);
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
	if (rig_log(&account.rig, "xrun", NULL, NULL) == 0)
		ck_assert_int_eq(account_counter("Frames Dropped"), 0);
	account_close();
}

static int try_hw_params(void)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(account.rig.pcm, hw), 0);
	return snd_pcm_hw_params(account.rig.pcm, hw);
}

START_TEST(hw_params_that_are_refused_can_be_tried_again)
{
	static const enum clocked_call calls[] = {
		CLOCKED_CALL_HW_PARAMS, CLOCKED_CALL_SW_PARAMS, CLOCKED_CALL_PREPARE,
	};
	static const int errors[] = { EBUSY, EIO, EAGAIN, EINTR };
	const int error = errors[_i / 2 % 4];

	account_open_only(streams[_i % 2], "", "");
	account_let_fail(calls[_i / 8], error, 0, CLOCKED_FAIL_ALWAYS);
	ck_assert_int_eq(try_hw_params(), -error);
	ck_assert_int_eq(try_hw_params(), -error);
	ck_assert_int_lt(snd_pcm_prepare(account.rig.pcm), 0);
	account_let_fail(calls[_i / 8], 0, 0, 0);
	account_install(480, BUFFER);
	play_and_close(SOME);
}
END_TEST

static char refusal[512];

__attribute__((format(printf, 5, 6)))
static void keep_refusal(const char *file, int line, const char *function, int err,
			 const char *format, ...)
{
	va_list args;

	(void)file, (void)line, (void)function, (void)err;
	va_start(args, format);
	vsnprintf(refusal, sizeof(refusal), format, args);
	va_end(args);
}

/* The first are alsa-lib's own, within hw_params, the second headroom's. */
START_TEST(sw_params_that_are_refused_to_headroom_can_be_tried_again)
{
	static const int errors[] = { EBUSY, EIO, EAGAIN, EINTR };
	const int error = errors[_i / 2];

	snd_lib_error_set_handler(keep_refusal);
	account_open_only(streams[_i % 2], "", "");
	for (int n = 0; n < 2; n++) {
		refusal[0] = '\0';
		account_let_fail(CLOCKED_CALL_SW_PARAMS, error, 1, CLOCKED_FAIL_ALWAYS);
		ck_assert_int_eq(try_hw_params(), -error);
		ck_assert_ptr_nonnull(strstr(refusal, "headroom: the slave refuses software"));
		ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_OPEN);
	}
	account_let_fail(CLOCKED_CALL_SW_PARAMS, 0, 0, 0);
	account_install(480, BUFFER);
	play_and_close(SOME);
}
END_TEST

/* The third would let the device lag, which is a favour. */
START_TEST(a_device_that_may_not_lag_does_as_well)
{
	account_open_only(SND_PCM_STREAM_PLAYBACK, "", "");
	account_let_fail(CLOCKED_CALL_SW_PARAMS, EIO, 2, CLOCKED_FAIL_ALWAYS);
	account_install(480, BUFFER);
	play_and_close(SOME);
}
END_TEST

/* Gone between open and hw_params. */
START_TEST(hw_params_of_a_device_that_vanished_fail)
{
	account_open_only(streams[_i], "", "");
	ck_assert(clocked_command_vanish(account.rig.command_fd));
	ck_assert_int_eq(try_hw_params(), -ENODEV);
	ck_assert_int_eq(try_hw_params(), -ENODEV);
}
END_TEST

/* Longer periods than the device is to have, shorter ones, a smaller buffer, few
 * periods; the program has what it asked for. */
START_TEST(other_sizes_than_asked_for_do_as_well)
{
	static const struct {
		const char *keys;
		snd_pcm_uframes_t period, buffer;
	} sizes[] = {
		{ ONE_FRAME "period_min 1024 period_max 1024", 1024, 8192 },
		{ ONE_FRAME "period_min 16 period_max 128", 128, 9600 },
		{ ONE_FRAME "buffer_max 4096", 512, 4096 },
		{ ONE_FRAME "period_min 4096", 4096, 16384 },
		{ ONE_FRAME "periods_min 3 periods_max 3", 3200, 9600 },
	};

	account_open_only(streams[_i % 2], sizes[_i / 2].keys,
			  "slave.period 480 slave.buffer 5000");
	account_install(sizes[_i / 2].period, sizes[_i / 2].buffer);
	play_and_close(ALL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refusals");
	TCase *tcase = pcm_rig_case(suite, "refusals", account_set_up, account_tear_down);

	tcase_add_loop_test(tcase, hw_params_that_are_refused_can_be_tried_again, 0, 24);
	tcase_add_loop_test(tcase, sw_params_that_are_refused_to_headroom_can_be_tried_again, 0, 8);
	tcase_add_test(tcase, a_device_that_may_not_lag_does_as_well);
	tcase_add_loop_test(tcase, hw_params_of_a_device_that_vanished_fail, 0, 2);
	tcase_add_loop_test(tcase, other_sizes_than_asked_for_do_as_well, 0, 10);
	return pcm_rig_run(suite);
}
