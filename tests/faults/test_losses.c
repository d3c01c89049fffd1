/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The device vanishes, for a moment or for longer, and is suspended: what it had and
 * what waited is counted, and another open finds it again when it is back.
 */
#include <errno.h>

#include "tests/faults/account.h"

#define FIRST 9600u		/* as much as the buffer holds */

static const snd_pcm_stream_t streams[] = { SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE };

static void begin(snd_pcm_stream_t stream)
{
	account_open_only(stream, "heard_append 1",
			  stream == SND_PCM_STREAM_PLAYBACK ? "slave.buffer 2400" : "");
	account_install(480, FIRST);
	account.waits = true;
	if (account.playback)
		ck_assert_int_eq(account_go_on(FIRST), 0);
	account_start();
	account.waits = false;
}

/* What was kept and cannot be read any more, and what the card has recorded of late. */
static void close_lost_capture(void)
{
	const int64_t kept = account_counter("Frames") - account.read;

	ck_assert_int_ge(account_counter("Frames Dropped"),
			 kept + (int64_t)account_log("unread"));
	ck_assert_int_eq(snd_pcm_close(account.rig.pcm), 0);
	account.rig.pcm = NULL;
}

/* Nobody hangs: each call says so. */
static void assert_all_is_over(void)
{
	snd_pcm_t *pcm = account.rig.pcm;
	snd_pcm_sframes_t delay;

	ck_assert_int_eq(snd_pcm_state(pcm), SND_PCM_STATE_DISCONNECTED);
	ck_assert_int_eq(snd_pcm_wait(pcm, 10000), -ENODEV);
	ck_assert_int_eq(snd_pcm_delay(pcm, &delay), -ENODEV);
	ck_assert_int_eq(snd_pcm_prepare(pcm), -ENODEV);
	ck_assert_int_lt(snd_pcm_start(pcm), 0);
	ck_assert_int_lt(snd_pcm_drain(pcm), 0);
}

/* For a moment only (1): shorter than anybody looks. */
START_TEST(a_device_that_vanished_is_lost_to_who_had_it)
{
	const bool for_a_moment = _i / 2;

	begin(streams[_i % 2]);
	ck_assert(clocked_command_vanish(account.rig.command_fd));
	if (for_a_moment)
		ck_assert(clocked_command_come_back(account.rig.command_fd));
	ck_assert_int_eq(account_go_on(100000), -ENODEV);
	assert_all_is_over();
	if (account.playback)
		account_close();
	else
		close_lost_capture();
}
END_TEST

START_TEST(a_drain_of_a_device_that_vanishes_ends)
{
	begin(SND_PCM_STREAM_PLAYBACK);
	ck_assert_int_eq(snd_pcm_nonblock(account.rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_drain(account.rig.pcm), -EAGAIN);
	ck_assert(clocked_command_vanish(account.rig.command_fd));
	ck_assert_int_eq(snd_pcm_nonblock(account.rig.pcm, 0), 0);
	ck_assert_int_lt(snd_pcm_drain(account.rig.pcm), 0);
	rig_wait_state(&account.rig, SND_PCM_STATE_DISCONNECTED);
	account_close();
}
END_TEST

/* While it is away it cannot be opened; and then it can. */
START_TEST(a_device_that_came_back_is_opened_again)
{
	static const int errors[] = { 0, ENOENT };
	const snd_pcm_stream_t stream = streams[_i % 2];
	const int error = errors[_i / 2] ? errors[_i / 2] : ENODEV;
	snd_config_t *config;

	begin(stream);
	RIG_COMMAND(&account.rig, open_errno, (uint32_t)errors[_i / 2]);
	ck_assert(clocked_command_vanish(account.rig.command_fd));
	ck_assert_int_eq(account_go_on(100000), -ENODEV);
	ck_assert_int_eq(snd_pcm_close(account.rig.pcm), 0);
	account.rig.pcm = NULL;
	config = account.rig.config;
	ck_assert_int_eq(snd_pcm_open_lconf(&account.rig.pcm, "x", stream, 0, config), -error);
	RIG_COMMAND(&account.rig, open_errno, 0);
	ck_assert(clocked_command_come_back(account.rig.command_fd));
	ck_assert_int_eq(snd_pcm_open_lconf(&account.rig.pcm, "x", stream, 0, config), 0);
	account_install(480, FIRST);
	account.next = 0;	/* another world */
	ck_assert_int_eq(account_go_on(account.playback ? account.taken + 4800 : 4800), 0);
	if (account.playback) {
		ck_assert_int_eq(account_drain(), 0);
		account_close();
	}
}
END_TEST

/* A resume goes on where it was: nothing is lost. One that is refused: the stream begins
 * anew, and what was in the device is counted. */
START_TEST(a_suspend_costs_nothing_or_is_counted)
{
	const bool refused = _i / 2;

	begin(streams[_i % 2]);
	RIG_COMMAND(&account.rig, resume_errno, refused ? ENOSYS : 0);
	for (uint32_t n = 1; n <= 3; n++) {
		RIG_COMMAND(&account.rig, suspends, n);
		ck_assert_int_eq(account_go_on((account.playback ? FIRST : 0) + n * 1500), 0);
	}
	ck_assert_uint_ge(account.n_suspends, 1);
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
	if (!refused)
		ck_assert_int_eq(account_counter("Frames Dropped"), 0);
	account_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("losses");
	TCase *tcase = pcm_rig_case(suite, "losses", account_set_up, account_tear_down);

	tcase_add_loop_test(tcase, a_device_that_vanished_is_lost_to_who_had_it, 0, 4);
	tcase_add_test(tcase, a_drain_of_a_device_that_vanishes_ends);
	tcase_add_loop_test(tcase, a_device_that_came_back_is_opened_again, 0, 4);
	tcase_add_loop_test(tcase, a_suspend_costs_nothing_or_is_counted, 0, 4);
	return pcm_rig_run(suite);
}
