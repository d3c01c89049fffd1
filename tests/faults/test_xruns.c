/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The device stops in an xrun: at a frame, with sound in it and without, and in storms. */
#include <errno.h>

#include "tests/faults/account.h"

#define PLAYBACK SND_PCM_STREAM_PLAYBACK
#define CAPTURE SND_PCM_STREAM_CAPTURE

/* What the device has lost is counted; what waits goes on, and the program is not told. */
START_TEST(an_xrun_with_sound_waiting_costs_what_the_device_had)
{
	account_open(PLAYBACK, "slave.buffer 2400");
	ck_assert_int_eq(account_go_on(9000), 0);
	ck_assert(clocked_command_xrun(account.rig.command_fd, 1234));
	if (snd_pcm_state(account.rig.pcm) == SND_PCM_STATE_PREPARED)
		account_start();
	ck_assert_int_eq(account_go_on(24000), 0);
	ck_assert_int_eq(account_drain(), 0);
	ck_assert_int_ge(account_counter("Device Xruns"), 1);
	ck_assert_uint_gt(account_log("unheard"), 0);
	ck_assert_uint_eq(account.n_xruns, account_counter("Xruns"));
	account_close();
}
END_TEST

/* All of it was in the device: the program is told. */
START_TEST(an_xrun_with_all_sound_in_the_device_is_told)
{
	account_open(PLAYBACK, "");
	ck_assert_int_eq(account_go_on(9000), 0);
	ck_assert(clocked_command_xrun(account.rig.command_fd, 5000));
	rig_wait_state(&account.rig, SND_PCM_STATE_XRUN);
	ck_assert_int_eq(account_counter("Device Xruns"), 1);
	ck_assert_int_eq(account_counter("Xruns"), 1);
	ck_assert_int_eq(account_go_on(16000), 0);
	ck_assert_int_eq(account_drain(), 0);
	ck_assert_uint_eq(account.n_xruns, 1);
	account_close();
}
END_TEST

START_TEST(an_xrun_in_a_stream_that_never_stops_is_filled_with_silence)
{
	account_open(PLAYBACK, "on_underrun silence");
	ck_assert_int_eq(account_go_on(9000), 0);
	ck_assert(clocked_command_xrun(account.rig.command_fd, 5000));
	while (account_counter("Device Xruns") == 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(account_go_on(16000), 0);
	ck_assert_int_eq(account_drain(), 0);
	ck_assert_uint_eq(account.n_xruns, 0);
	account_close();
}
END_TEST

START_TEST(a_storm_of_xruns_is_played_through)
{
	RIG_COMMAND(&account.rig, xrun_every, 1000);
	account_open(PLAYBACK, _i ? "slave.buffer 2400" : "slave.buffer 2400 on_underrun silence");
	ck_assert_int_eq(account_go_on(24000), 0);
	RIG_COMMAND(&account.rig, xrun_every, 0);
	ck_assert_int_eq(account_drain(), 0);
	ck_assert_int_ge(account_counter("Device Xruns"), 3);
	account_close();
}
END_TEST

/* It breaks off, with what it had. */
START_TEST(an_xrun_in_a_drain_is_told_and_counted)
{
	static const uint64_t at[] = { 100, 5000, 8000 };

	account_open(PLAYBACK, "");
	account.waits = true;
	ck_assert_int_eq(account_go_on(9000), 0);
	ck_assert(clocked_command_xrun(account.rig.command_fd, at[_i]));
	ck_assert_int_eq(account_drain(), -EIO);
	ck_assert_int_eq(account_counter("Frames Dropped"), 9000 - (int64_t)at[_i]);
	account_close();
}
END_TEST

START_TEST(an_xrun_of_a_recording_is_told_and_counted)
{
	account_open(CAPTURE, "");
	ck_assert(clocked_command_xrun(account.rig.command_fd, 12345));
	account_start();
	ck_assert_int_eq(account_go_on(16000), 0);
	ck_assert_int_eq(account_counter("Device Xruns"),
			 rig_log(&account.rig, "xrun", NULL, NULL));
	ck_assert_int_ge(account_counter("Device Xruns"), 1);
	ck_assert_uint_eq(account.n_xruns, account_counter("Xruns"));
	account_close();
}
END_TEST

START_TEST(a_recording_that_drops_goes_on_through_a_storm)
{
	RIG_COMMAND(&account.rig, xrun_every, 3000);
	account_open(CAPTURE, "on_overrun drop");
	account_start();
	ck_assert_int_eq(account_go_on(24000), 0);
	RIG_COMMAND(&account.rig, xrun_every, 0);
	ck_assert_int_ge(account_counter("Device Xruns"), 3);
	ck_assert_uint_eq(account.n_xruns, 0);
	account_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xruns");
	TCase *tcase = pcm_rig_case(suite, "playback", account_set_up, account_tear_down);

	tcase_add_test(tcase, an_xrun_with_sound_waiting_costs_what_the_device_had);
	tcase_add_test(tcase, an_xrun_with_all_sound_in_the_device_is_told);
	tcase_add_test(tcase, an_xrun_in_a_stream_that_never_stops_is_filled_with_silence);
	tcase_add_loop_test(tcase, a_storm_of_xruns_is_played_through, 0, 2);
	tcase_add_loop_test(tcase, an_xrun_in_a_drain_is_told_and_counted, 0, 3);
	tcase = pcm_rig_case(suite, "capture", account_set_up, account_tear_down);
	tcase_add_test(tcase, an_xrun_of_a_recording_is_told_and_counted);
	tcase_add_test(tcase, a_recording_that_drops_goes_on_through_a_storm);
	return pcm_rig_run(suite);
}
