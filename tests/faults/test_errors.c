/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Errors out of each call of the device. alsa-lib's ioplug lies between: what the
 * pointer returns is an xrun, what a resume returns nobody sees.
 */
#include <errno.h>

#include "tests/faults/account.h"

#define ALL 12000u		/* frames that are played or recorded */
#define FEW 3u			/* so many calls fail */
#define WAIT_MS 150u

static const snd_pcm_stream_t streams[] = { SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE };

/* A device that holds less than the program writes, so that it is always asked. */
static void open_it(snd_pcm_stream_t stream)
{
	account_open(stream, stream == SND_PCM_STREAM_PLAYBACK ? "slave.buffer 2400" : "");
}

/* It runs, and a good part of it is still to come. */
static void run_for_a_while(snd_pcm_stream_t stream)
{
	open_it(stream);
	if (!account.playback)
		account_start();
	ck_assert_int_eq(account_go_on(account.playback ? 10000 : 2000), 0);
}

static void finish(void)
{
	ck_assert_int_eq(account_go_on(ALL), 0);
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
}

/* Nobody is told, and nothing is lost. */
static const struct transient {
	enum clocked_call call;
	int error;
} transients[] = {
	{ CLOCKED_CALL_DELAY, EAGAIN }, { CLOCKED_CALL_DELAY, EINTR },
	{ CLOCKED_CALL_TRANSFER, EAGAIN }, { CLOCKED_CALL_TRANSFER, EINTR },
	{ CLOCKED_CALL_DESCRIPTORS, EAGAIN }, { CLOCKED_CALL_DESCRIPTORS, EIO },
	{ CLOCKED_CALL_REVENTS, EAGAIN }, { CLOCKED_CALL_REVENTS, EIO },
};

START_TEST(what_passes_costs_nothing)
{
	const struct transient *t = &transients[_i / 2];

	run_for_a_while(streams[_i % 2]);
	account_let_fail(t->call, t->error, 0, FEW);
	finish();
	ck_assert_int_eq(account_counter("Frames Dropped"), account.missing);
	ck_assert_int_eq(account_counter("Device Xruns"),
			 rig_log(&account.rig, "xrun", NULL, NULL));
	account_close();
}
END_TEST

/* It stands as long as it does not tell where it is, and goes on then; nobody spins, even if
 * the program waits for two frames more. */
START_TEST(a_device_that_never_answers_stands)
{
	static const int errors[] = { EAGAIN, EINTR };

	run_for_a_while(streams[_i % 2]);
	account_let_fail(CLOCKED_CALL_DELAY, errors[_i / 2], 0, CLOCKED_FAIL_ALWAYS);
	rig_thresholds(&account.rig, 0, 0, snd_pcm_avail_update(account.rig.pcm) + 2);
	account_begin_calm();
	rig_let_pass_ms(WAIT_MS);
	account_assert_calm();
	account_let_fail(CLOCKED_CALL_DELAY, 0, 0, 0);
	rig_thresholds(&account.rig, 0, 0, (long)account.rig.params.period);
	finish();
	account_close();
}
END_TEST

/* A device that fails otherwise is started anew. */
static const struct transient failures[] = {
	{ CLOCKED_CALL_DELAY, EIO }, { CLOCKED_CALL_TRANSFER, EIO },
	{ CLOCKED_CALL_DELAY, EPIPE }, { CLOCKED_CALL_TRANSFER, EPIPE },
	{ CLOCKED_CALL_POINTER, EIO }, { CLOCKED_CALL_POINTER, EAGAIN },
	{ CLOCKED_CALL_POINTER, EINTR }, { CLOCKED_CALL_POINTER, ENODEV },
	{ CLOCKED_CALL_POINTER, ESTRPIPE },
};

START_TEST(a_device_that_fails_is_started_anew)
{
	const struct transient *t = &failures[_i / 2];

	run_for_a_while(streams[_i % 2]);
	account_let_fail(t->call, t->error, 0, 1);
	finish();
	ck_assert_int_ge(account_counter("Device Xruns"), 1);
	account_close();
}
END_TEST

/* However long it does; and it costs the processor little. */
START_TEST(a_device_that_fails_for_ever_keeps_nobody_busy)
{
	static const enum clocked_call calls[] = {
		CLOCKED_CALL_DELAY, CLOCKED_CALL_TRANSFER, CLOCKED_CALL_POINTER,
	};

	run_for_a_while(streams[_i % 2]);
	account_let_fail(calls[_i / 2], EIO, 0, CLOCKED_FAIL_ALWAYS);
	account_begin_calm();
	rig_let_pass_ms(WAIT_MS);
	account_assert_calm();
	account_let_fail(calls[_i / 2], 0, 0, 0);
	finish();
	/* It never said how far it came: some may have been heard and count as well. */
	if (calls[_i / 2] == CLOCKED_CALL_POINTER && account.playback)
		ck_assert_int_ge(account_counter("Frames Dropped") +
				 (int64_t)rig_heard(&account.rig), account.taken);
	else
		account_close();
}
END_TEST

static const enum clocked_call look_calls[] = { CLOCKED_CALL_DELAY, CLOCKED_CALL_TRANSFER };

/* It was not: the resume finds it running, and nothing is lost. */
START_TEST(a_device_that_says_it_is_suspended_is_resumed)
{
	run_for_a_while(streams[_i % 2]);
	account_let_fail(look_calls[_i / 2], ESTRPIPE, 0, 1);
	finish();
	ck_assert_uint_ge(account.n_suspends, 1);
	account_close();
}
END_TEST

/* It plays on until it is stopped all the same. */
START_TEST(a_device_that_says_it_is_gone_is_gone)
{
	run_for_a_while(streams[_i % 2]);
	account_let_fail(look_calls[_i / 2], ENODEV, 0, 1);
	ck_assert_int_eq(account_go_on(ALL), -ENODEV);
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_DISCONNECTED);
	ck_assert_int_lt(snd_pcm_start(account.rig.pcm), 0);
	ck_assert_int_lt(snd_pcm_drain(account.rig.pcm), 0);
	if (account.playback)
		account_close();
}
END_TEST

/* ---- what the program asks for ---- */

static const int all_errors[] = { EAGAIN, EINTR, EIO };

START_TEST(a_start_that_fails_is_told_and_can_be_tried_again)
{
	open_it(streams[_i % 2]);
	account_let_fail(CLOCKED_CALL_START, all_errors[_i / 2], 0, 1);
	account.waits = true;
	if (account.playback)
		ck_assert_int_eq(account_go_on(8000), 0);
	ck_assert_int_eq(snd_pcm_start(account.rig.pcm), -all_errors[_i / 2]);
	account.waits = false;
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_PREPARED);
	account_start();
	finish();
	ck_assert_int_eq(account_counter("Frames Dropped"), account.missing);
	account_close();
}
END_TEST

START_TEST(a_pause_that_fails_is_told_and_the_stream_goes_on)
{
	run_for_a_while(streams[_i % 2]);
	account_let_fail(CLOCKED_CALL_PAUSE, all_errors[_i / 2], 0, 1);
	ck_assert_int_eq(snd_pcm_pause(account.rig.pcm, 1), -all_errors[_i / 2]);
	finish();
	account_close();
}
END_TEST

START_TEST(a_pause_that_does_not_end_can_be_ended_later)
{
	run_for_a_while(streams[_i]);
	ck_assert_int_eq(snd_pcm_pause(account.rig.pcm, 1), 0);
	account_let_fail(CLOCKED_CALL_PAUSE, EIO, 0, 1);
	ck_assert_int_eq(snd_pcm_pause(account.rig.pcm, 0), -EIO);
	ck_assert_int_eq(snd_pcm_pause(account.rig.pcm, 0), 0);
	finish();
	account_close();
}
END_TEST

START_TEST(a_prepare_that_fails_is_told_and_can_be_tried_again)
{
	run_for_a_while(streams[_i % 2]);
	ck_assert_int_eq(snd_pcm_drop(account.rig.pcm), 0);
	account_let_fail(CLOCKED_CALL_PREPARE, all_errors[_i / 2], 0, 1);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), -all_errors[_i / 2]);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_PREPARED);
	if (!account.playback)
		account_start();
	finish();
}
END_TEST

/* The device was stopped for it, which is no loss of the device. */
START_TEST(a_prepare_that_fails_after_an_overrun_is_told_and_can_be_tried_again)
{
	account_open(SND_PCM_STREAM_CAPTURE, _i / 3 ? "depth_ms 0 on_device_loss reconnect" :
						      "depth_ms 0");
	account_start();
	rig_wait_state(&account.rig, SND_PCM_STATE_XRUN);
	account_let_fail(CLOCKED_CALL_PREPARE, all_errors[_i % 3], 0, 1);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), -all_errors[_i % 3]);
	rig_let_pass_ms(50);
	ck_assert_int_eq(account_counter("State"), 5);	/* XRun */
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), 0);
	account_start();
	ck_assert_int_eq(account_go_on(account.next + 2400), 0);
	ck_assert_uint_eq(account.silent, 0);
	ck_assert_int_eq(account_counter("Device Xruns"),
			 rig_log(&account.rig, "xrun", NULL, NULL));
	account_close();
}
END_TEST

/* It does not answer when it is asked what it had: that is no xrun. */
START_TEST(a_device_that_does_not_answer_is_counted_when_it_stands)	/* _i: errors */
{
	account_open(SND_PCM_STREAM_CAPTURE, "depth_ms 0");
	account_start();
	rig_wait_state(&account.rig, SND_PCM_STATE_XRUN);
	account_let_fail(CLOCKED_CALL_DELAY, all_errors[_i], 0, CLOCKED_FAIL_ALWAYS);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), 0);
	account_let_fail(CLOCKED_CALL_DELAY, 0, 0, 0);
	account_start();
	ck_assert_int_eq(account_go_on(account.next + 2400), 0);
	ck_assert_int_eq(account_counter("Device Xruns"),
			 rig_log(&account.rig, "xrun", NULL, NULL));
	account_close();
}
END_TEST

START_TEST(a_prepare_that_fails_while_it_runs_is_an_xrun)
{
	run_for_a_while(streams[_i % 2]);
	account_let_fail(CLOCKED_CALL_PREPARE, all_errors[_i / 2], 0, 1);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), -all_errors[_i / 2]);
	finish();
	ck_assert_uint_ge(account.n_xruns, 1);
	account_close();
}
END_TEST

/* alsa-lib has set its pointers to 0: what waits, or was not read, is lost all the same. */
START_TEST(a_prepare_that_fails_forgets_no_frame)	/* _i: capture; how it is looked at */
{
	struct pollfd fd;
	int64_t unread;

	run_for_a_while(streams[_i % 2]);
	if (!account.playback)
		rig_wait_avail(&account.rig, 2400);
	RIG_COMMAND(&account.rig, suspends, 1);
	rig_wait_state(&account.rig, SND_PCM_STATE_SUSPENDED);
	account_let_fail(CLOCKED_CALL_PREPARE, EIO, 0, 1);
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), -EIO);
	if (_i / 2)
		ck_assert_int_eq(snd_pcm_poll_descriptors(account.rig.pcm, &fd, 1), 1);
	else
		(void)snd_pcm_avail_update(account.rig.pcm);
	unread = account_counter("Frames") - account.read;
	ck_assert_int_eq(snd_pcm_prepare(account.rig.pcm), 0);
	if (!account.playback)
		ck_assert_int_ge(account_counter("Frames Dropped"), unread);
	finish();
	account_close();
}
END_TEST

START_TEST(a_drain_that_fails_is_told_or_gone_on_with)
{
	static const int results[] = { 0, 0, -EIO };
	int64_t lost;

	run_for_a_while(SND_PCM_STREAM_PLAYBACK);
	account_let_fail(CLOCKED_CALL_DRAIN, all_errors[_i], 0, 1);
	ck_assert_int_eq(account_drain(), results[_i]);
	lost = account_counter("Frames Dropped");
	ck_assert_int_eq(lost > 0, results[_i] < 0);
	account_close();
}
END_TEST

/* Each call may be the one that finds out. */
static const struct transient finds[] = {
	{ CLOCKED_CALL_START, ENODEV }, { CLOCKED_CALL_START, ESTRPIPE },
	{ CLOCKED_CALL_PAUSE, ENODEV }, { CLOCKED_CALL_PAUSE, ESTRPIPE },
	{ CLOCKED_CALL_PREPARE, ENODEV },
	{ CLOCKED_CALL_DRAIN, ENODEV }, { CLOCKED_CALL_DRAIN, ESTRPIPE },
};

static int ask(enum clocked_call call)
{
	switch (call) {
	case CLOCKED_CALL_START:
		return snd_pcm_start(account.rig.pcm);
	case CLOCKED_CALL_PAUSE:
		return snd_pcm_pause(account.rig.pcm, 1);
	case CLOCKED_CALL_PREPARE:
		return snd_pcm_prepare(account.rig.pcm);
	default:
		return snd_pcm_drain(account.rig.pcm);
	}
}

START_TEST(a_call_that_finds_it_gone_or_suspended_says_so)
{
	const struct transient *t = &finds[_i / 2];

	if (t->call == CLOCKED_CALL_DRAIN && streams[_i % 2] == SND_PCM_STREAM_CAPTURE)
		return;		/* its device is not drained */
	if (t->call == CLOCKED_CALL_START) {
		open_it(streams[_i % 2]);
		account.waits = true;
		if (account.playback)
			ck_assert_int_eq(account_go_on(8000), 0);
		account.waits = false;
	} else {
		run_for_a_while(streams[_i % 2]);
	}
	if (t->call == CLOCKED_CALL_PREPARE)
		ck_assert_int_eq(snd_pcm_drop(account.rig.pcm), 0);
	account_let_fail(t->call, t->error, 0, 1);
	ck_assert_int_eq(ask(t->call), -t->error);
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), t->error == ENODEV ?
			 SND_PCM_STATE_DISCONNECTED : SND_PCM_STATE_SUSPENDED);
	if (t->error == ENODEV) {
		if (account.playback && t->call != CLOCKED_CALL_PREPARE)
			account_close();
		return;
	}
	/* It was not: it goes on. */
	ck_assert_int_eq(snd_pcm_resume(account.rig.pcm), 0);
	ck_assert_int_ne(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_SUSPENDED);
	if (t->call == CLOCKED_CALL_START)
		account_start();
	if (t->call == CLOCKED_CALL_DRAIN)
		ck_assert_int_eq(account_drain(), 0);
	else
		finish();
	account_close();
}
END_TEST

/* The device has to be started anew, and refuses: the program is told, and when it
 * tries later all is well. */
START_TEST(a_device_that_is_not_to_be_started_anew_is_told)
{
	static const enum clocked_call calls[] = { CLOCKED_CALL_START, CLOCKED_CALL_PREPARE };
	const enum clocked_call call = calls[_i / 2];

	run_for_a_while(streams[_i % 2]);
	account_let_fail(call, EIO, 0, CLOCKED_FAIL_ALWAYS);
	ck_assert(clocked_command_xrun(account.rig.command_fd, 0));
	ck_assert_int_eq(account_go_on(ALL), -EIO);
	account_let_fail(call, 0, 0, 0);
	finish();
	ck_assert_uint_ge(account.n_xruns, 1);
	/* A prepare in vain leaves it as it was, to be told again. */
	ck_assert_uint_eq(account.n_xruns - (call == CLOCKED_CALL_PREPARE),
			  account_counter("Xruns"));
	account_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("errors");
	TCase *tcase = pcm_rig_case(suite, "looks", account_set_up, account_tear_down);

	tcase_add_loop_test(tcase, what_passes_costs_nothing, 0, 2 * N_OF(transients));
	tcase_add_loop_test(tcase, a_device_that_never_answers_stands, 0, 4);
	tcase_add_loop_test(tcase, a_device_that_fails_is_started_anew, 0, 2 * N_OF(failures));
	tcase_add_loop_test(tcase, a_device_that_fails_for_ever_keeps_nobody_busy, 0, 6);
	tcase_add_loop_test(tcase, a_device_that_says_it_is_suspended_is_resumed, 0, 4);
	tcase_add_loop_test(tcase, a_device_that_says_it_is_gone_is_gone, 0, 4);
	tcase = pcm_rig_case(suite, "requests", account_set_up, account_tear_down);
	tcase_add_loop_test(tcase, a_start_that_fails_is_told_and_can_be_tried_again, 0, 6);
	tcase_add_loop_test(tcase, a_pause_that_fails_is_told_and_the_stream_goes_on, 0, 6);
	tcase_add_loop_test(tcase, a_pause_that_does_not_end_can_be_ended_later, 0, 2);
	tcase_add_loop_test(tcase, a_prepare_that_fails_is_told_and_can_be_tried_again, 0, 6);
	tcase_add_loop_test(tcase, a_prepare_that_fails_after_an_overrun_is_told_and_can_be_tried_again,
			    0, 6);
	tcase_add_loop_test(tcase, a_device_that_does_not_answer_is_counted_when_it_stands, 0, 2);
	tcase_add_loop_test(tcase, a_prepare_that_fails_while_it_runs_is_an_xrun, 0, 6);
	tcase_add_loop_test(tcase, a_prepare_that_fails_forgets_no_frame, 0, 4);
	tcase_add_loop_test(tcase, a_drain_that_fails_is_told_or_gone_on_with, 0, 3);
	tcase_add_loop_test(tcase, a_call_that_finds_it_gone_or_suspended_says_so, 0,
			    2 * N_OF(finds));
	tcase_add_loop_test(tcase, a_device_that_is_not_to_be_started_anew_is_told, 0, 4);
	return pcm_rig_run(suite);
}
