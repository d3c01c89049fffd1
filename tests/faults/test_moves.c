/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A device that moves otherwise than by its clock, period by period: in bursts, too
 * fast, too slow, by jumps, not at all; that takes and gives less than it is asked for;
 * and that wakes for nothing, or never.
 */
#include <errno.h>

#include "tests/faults/account.h"

#define FIRST 9600u		/* as much as the buffer holds */
#define ALL 12000u
#define STILL_MS 150u

static const snd_pcm_stream_t streams[] = { SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE };

static void open_it(snd_pcm_stream_t stream, const char *card_keys)
{
	account_open_only(stream, card_keys, stream == SND_PCM_STREAM_PLAYBACK ?
			  "slave.buffer 2400" : "");
	account_install(480, FIRST);
}

/* It runs, and a part of it is still to come. */
static void begin(void)
{
	account.waits = true;
	if (account.playback)
		ck_assert_int_eq(account_go_on(FIRST), 0);
	account_start();
	account.waits = false;
}

static void finish(void)
{
	ck_assert_int_eq(account_go_on(ALL), 0);
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
}

/* Nothing is lost, and no xrun is counted but those that the card had. */
static void assert_nothing_lost(void)
{
	if (rig_log(&account.rig, "xrun", NULL, NULL) == 0)
		ck_assert_int_eq(account_counter("Frames Dropped"), 0);
	ck_assert_int_eq(account_counter("Device Xruns"),
			 rig_log(&account.rig, "xrun", NULL, NULL));
	account_close();
}

START_TEST(bursts_are_as_good_as_periods)
{
	static const uint32_t bursts[] = { 100, 700, 1440 };

	RIG_COMMAND(&account.rig, burst, bursts[_i / 2]);
	open_it(streams[_i % 2], "");
	begin();
	finish();
	assert_nothing_lost();
}
END_TEST

START_TEST(a_clock_that_drifts_costs_nothing)
{
	open_it(streams[_i % 2], _i / 2 ? "rate_ppm 10000" : "rate_ppm -10000");
	begin();
	finish();
	assert_nothing_lost();
}
END_TEST

/* What it leaves out it was given, and repeats only once: no frame is counted. */
START_TEST(a_jump_is_the_cards_own)
{
	static const int32_t jumps[] = { 300, 1500, -300, -1500 };

	open_it(streams[_i % 2], "");
	begin();
	ck_assert_int_eq(account_go_on(account.playback ? FIRST + 1000 : 3000), 0);
	ck_assert(clocked_command_jump(account.rig.command_fd, jumps[_i / 2]));
	finish();
	ck_assert_uint_eq(rig_log(&account.rig, jumps[_i / 2] > 0 ? "jump" : "back", NULL,
				  NULL), 1);
	assert_nothing_lost();
}
END_TEST

/* One that has more than it was given is as good as dry, and goes on all the same. */
START_TEST(a_jump_beyond_the_end_is_an_xrun)
{
	open_it(SND_PCM_STREAM_PLAYBACK, "");
	begin();
	ck_assert(clocked_command_jump(account.rig.command_fd, 100000));
	finish();
	ck_assert_int_ge(account_counter("Device Xruns"), 1);
	account_close();
}
END_TEST

START_TEST(short_writes_and_reads_lose_nothing)
{
	static const uint32_t most[] = { 1, 77, 479 };

	RIG_COMMAND(&account.rig, most, most[_i / 2]);
	open_it(streams[_i % 2], "");
	begin();
	if (!account.playback)
		rig_wait_avail(&account.rig, 480);
	ck_assert_int_eq(account_go_on(account.playback ? FIRST + 200 : 2000), 0);
	/* One frame at a time is slower than the world. */
	RIG_COMMAND(&account.rig, most, 0);
	finish();
	account_close();
}
END_TEST

START_TEST(wake_ups_are_not_relied_upon)
{
	static const uint32_t wakes[] = {
		CLOCKED_WAKES_ALWAYS, CLOCKED_WAKES_FALSELY, CLOCKED_WAKES_NEVER,
	};


	RIG_COMMAND(&account.rig, wakes, wakes[_i / 2]);
	open_it(streams[_i % 2], "");
	begin();
	account_begin_calm();
	finish();
	account_assert_calm();
	assert_nothing_lost();
}
END_TEST

/* Nobody spins, and where it stood it goes on. */
START_TEST(a_device_that_stands_and_wakes_keeps_nobody_busy)
{
	const uint32_t wakes = (uint32_t)_i / 2;

	open_it(streams[_i % 2], "");
	begin();
	RIG_COMMAND(&account.rig, wakes, wakes);
	RIG_COMMAND(&account.rig, still, 1);
	account_begin_calm();
	rig_let_pass_ms(STILL_MS);
	account_assert_calm();
	RIG_COMMAND(&account.rig, still, 0);
	finish();
	assert_nothing_lost();
}
END_TEST

/* It is waited for, but a drain is not for ever: what it has is counted then. */
START_TEST(a_device_that_stands_for_ever_ends_a_drain)
{
	open_it(SND_PCM_STREAM_PLAYBACK, "");
	begin();
	RIG_COMMAND(&account.rig, still, 1);
	ck_assert_int_eq(account_drain(), -EIO);
	ck_assert_int_gt(account_counter("Frames Dropped"), 0);
	account_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("moves");
	TCase *tcase = pcm_rig_case(suite, "moves", account_set_up, account_tear_down);

	tcase_add_loop_test(tcase, bursts_are_as_good_as_periods, 0, 6);
	tcase_add_loop_test(tcase, a_clock_that_drifts_costs_nothing, 0, 4);
	tcase_add_loop_test(tcase, a_jump_is_the_cards_own, 0, 8);
	tcase_add_test(tcase, a_jump_beyond_the_end_is_an_xrun);
	tcase_add_loop_test(tcase, short_writes_and_reads_lose_nothing, 0, 6);
	tcase_add_loop_test(tcase, wake_ups_are_not_relied_upon, 0, 6);
	tcase_add_loop_test(tcase, a_device_that_stands_and_wakes_keeps_nobody_busy, 0, 8);
	tcase_add_test(tcase, a_device_that_stands_for_ever_ends_a_drain);
	return pcm_rig_run(suite);
}
