/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a fault of the device costs: frames that were taken and not heard, or recorded
 * and not read, count as dropped, each of them once and no other.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 1, .rate = 48000, .period = 480, .buffer = 24000,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
	data = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

static int64_t dropped(void)
{
	return rig_counter(&rig, "Headroom Playback Frames Dropped");
}

/* What the device played since it was looked at last counts as well where it does not
 * tell any more: a step, and as long as a busy machine does not wake us. Frames that are
 * not counted, or twice, are far more. */
#define A_LATE_STEP (10 * 480)

static void assert_all_accounted_for(int64_t slack)
{
	int64_t lost = 20000 - (int64_t)rig_heard(&rig);

	ck_assert_int_gt(lost, 0);
	ck_assert_int_ge(dropped(), lost);
	ck_assert_int_le(dropped(), lost + slack);
}

/* However the program lets go of the stream. */
static void let_go(int how)
{
	if (how == 0) {
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	} else if (how == 1) {
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	} else {
		ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
		rig.pcm = NULL;
	}
}

/* 20000 frames, and room for 4000 more. */
static void write_first(void)
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &mono);
	rig_thresholds(&rig, 24000, 0, 0);
	data = rig_noise(&rig, 20000, 7);
	rig_write(&rig, data, 20000, 20000);
}

/* Of which some are heard. */
static void play_some(void)
{
	write_first();
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 4000 + 2000);
}

/* As long as it can be resumed nothing is lost. */
START_TEST(a_suspend_costs_what_was_not_heard)
{
	play_some();
	RIG_COMMAND(&rig, suspends, 1);
	rig_wait_state(&rig, SND_PCM_STATE_SUSPENDED);
	ck_assert_int_eq(dropped(), 0);
	if (_i == 3) {
		ck_assert_int_eq(snd_pcm_resume(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		ck_assert_int_eq(dropped(), 0);
		return;
	}
	let_go(_i);
	assert_all_accounted_for(A_LATE_STEP);
}
END_TEST

/* At once, not only when the program gives up; and not again when it does. */
START_TEST(a_lost_device_costs_what_was_not_heard)
{
	int64_t lost;

	play_some();
	RIG_COMMAND(&rig, lost, 1);
	rig_wait_state(&rig, SND_PCM_STATE_DISCONNECTED);
	assert_all_accounted_for(A_LATE_STEP);
	lost = dropped();
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -ENODEV);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -ENODEV);
	snd_pcm_drop(rig.pcm);
	ck_assert_int_eq(dropped(), lost);
	snd_pcm_close(rig.pcm);
	rig.pcm = NULL;
	ck_assert_int_eq(dropped(), lost);
}
END_TEST

START_TEST(a_drain_that_fails_costs_what_was_not_heard)
{
	play_some();
	RIG_COMMAND(&rig, still, 1);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EIO);
	assert_all_accounted_for(0);
}
END_TEST

/* A stop threshold below the buffer stops the stream with sound left. */
START_TEST(a_stop_before_the_end_costs_what_was_left)
{
	play_some();
	rig_thresholds(&rig, 24000, 12000, 0);
	rig_wait_state(&rig, SND_PCM_STATE_XRUN);
	let_go(_i);
	assert_all_accounted_for(A_LATE_STEP);
}
END_TEST

/* What the program throws away itself is no loss. */
START_TEST(a_drop_costs_nothing)
{
	play_some();
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(dropped(), 0);
}
END_TEST

/* It is found out by the start of a stream, the end of a pause, or while it is paused. */
START_TEST(a_lost_device_that_nobody_looked_at_costs_all_that_was_written)
{
	if (_i == 0) {
		write_first();
		RIG_COMMAND(&rig, lost, 1);
		ck_assert_int_eq(snd_pcm_start(rig.pcm), -ENODEV);
	} else {
		play_some();
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
		RIG_COMMAND(&rig, lost, 1);
		if (_i == 1)
			ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), -ENODEV);
		else
			rig_wait_state(&rig, SND_PCM_STATE_DISCONNECTED);
	}
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_DISCONNECTED);
	ck_assert_int_eq(dropped(), 20000 - (_i ? (int64_t)rig_heard(&rig) : 0));
}
END_TEST

/* With depth and without: the program cannot read any more, nor can we what the device
 * recorded since the last look. */
START_TEST(a_lost_device_costs_what_was_not_read)
{
	int64_t frames, lost;

	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", _i ? "depth_ms 0" : "", &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 3000);
	RIG_COMMAND(&rig, lost, 1);
	rig_wait_state(&rig, SND_PCM_STATE_DISCONNECTED);
	frames = rig_counter(&rig, "Headroom Capture Frames");
	ck_assert_int_ge(frames, 3000);
	lost = rig_counter(&rig, "Headroom Capture Frames Dropped");
	ck_assert_int_ge(lost, frames);
	ck_assert_int_le(lost, frames + A_LATE_STEP);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -ENODEV);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), lost);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("losses");
	TCase *tcase = pcm_rig_case(suite, "losses", set_up, tear_down);

	tcase_add_loop_test(tcase, a_suspend_costs_what_was_not_heard, 0, 4);
	tcase_add_loop_test(tcase,
			    a_lost_device_that_nobody_looked_at_costs_all_that_was_written,
			    0, 3);
	tcase_add_test(tcase, a_lost_device_costs_what_was_not_heard);
	tcase_add_test(tcase, a_drain_that_fails_costs_what_was_not_heard);
	tcase_add_loop_test(tcase, a_stop_before_the_end_costs_what_was_left, 0, 3);
	tcase_add_test(tcase, a_drop_costs_nothing);
	tcase_add_loop_test(tcase, a_lost_device_costs_what_was_not_read, 0, 2);
	return pcm_rig_run(suite);
}
