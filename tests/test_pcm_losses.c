/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a fault of the device costs: frames that were taken and not heard, or recorded
 * and not read, count as dropped, each of them once and no other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 1, .rate = 48000, .period = 480, .buffer = 24000,
};

/* A kernel's card that is gone does not tell where it was; a virtual one does. */
static _Atomic bool is_mute;

int snd_pcm_status(snd_pcm_t *pcm, snd_pcm_status_t *status)
{
	union {
		void *symbol;
		__typeof__(&snd_pcm_status) function;
	} real = { .symbol = dlsym(RTLD_NEXT, "snd_pcm_status") };

	return is_mute && pcm != rig.pcm ? -ENODEV : real.function(pcm, status);
}

static void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
	is_mute = false;
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
START_TEST(a_lost_device_costs_what_was_not_heard)	/* _i: it does not tell what that is */
{
	int64_t lost;

	play_some();
	is_mute = _i;
	RIG_COMMAND(&rig, lost, 1);
	rig_wait_state(&rig, SND_PCM_STATE_DISCONNECTED);
	assert_all_accounted_for(_i ? A_LATE_STEP : 0);
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

/* Also what it had when it was paused, and there was no room for. */
START_TEST(a_device_that_is_lost_in_a_pause_costs_what_it_had)	/* _i: it is looked for */
{
	unsigned long long recorded = 0;
	int64_t kept;

	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", _i ?
			  "depth_ms 0 on_overrun drop on_device_loss reconnect" :
			  "depth_ms 0 on_overrun drop", &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (rig_counter(&rig, "Headroom Capture Frames Dropped") == 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	RIG_COMMAND(&rig, lost, 1);
	while (rig_counter(&rig, "Headroom Capture State") != 9)
		(void)snd_pcm_avail(rig.pcm);
	ck_assert_uint_gt(rig_log(&rig, "stands", &recorded, NULL), 0);
	/* What was kept can be read still, or is lost as well. */
	kept = _i ? rig_counter(&rig, "Headroom Capture Frames") : 0;
	if (rig_log(&rig, "xrun", NULL, NULL) == 0)
		ck_assert_int_eq(kept + rig_counter(&rig, "Headroom Capture Frames Dropped"),
				 (int64_t)recorded);
}
END_TEST

/* Memory that holds up whoever reads into it until the stream has ended. */
static struct {
	uint8_t *memory;
	size_t bytes;
	bool loses;		/* the device, or the program is as late as that takes */
	_Atomic bool is_sprung, is_open;
} trap;

static void spring_trap(int signal)
{
	(void)signal;
	trap.is_sprung = true;
	while (!trap.is_open)
		rig_sleep_ms(1);
}

static void *open_trap(void *unused)
{
	while (!trap.is_sprung)
		rig_sleep_ms(1);
	if (trap.loses)
		RIG_COMMAND(&rig, lost, 1);
	while (rig_counter(&rig, "Headroom Capture Frames Dropped") == 0)
		rig_sleep_ms(1);
	if (mprotect(trap.memory, trap.bytes, PROT_READ | PROT_WRITE) < 0)
		abort();
	trap.is_open = true;
	return unused;
}

static snd_pcm_sframes_t read_into_trap(snd_pcm_uframes_t frames)
{
	const struct sigaction action = { .sa_handler = spring_trap };
	struct sigaction before;
	snd_pcm_sframes_t done;
	pthread_t opener;

	trap.bytes = frames * rig.frame_bytes;
	trap.memory = mmap(NULL, trap.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(trap.memory, MAP_FAILED);
	ck_assert_int_eq(pthread_create(&opener, NULL, open_trap, NULL), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &action, &before), 0);
	done = snd_pcm_readi(rig.pcm, trap.memory, frames);
	ck_assert_int_eq(sigaction(SIGSEGV, &before, NULL), 0);
	pthread_join(opener, NULL);
	munmap(trap.memory, trap.bytes);
	return done;
}

/* It is read or lost, but not both. */
START_TEST(what_a_loss_was_quicker_than_is_not_read)	/* _i: overrun; lost */
{
	const snd_pcm_uframes_t half = 12000;
	unsigned long long recorded = 0;
	int64_t lost;

	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", _i ? "" : "depth_ms 0", &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, (snd_pcm_sframes_t)half);
	trap.loses = _i;
	ck_assert_int_eq(read_into_trap(half), _i ? -ENODEV : -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), _i ? SND_PCM_STATE_DISCONNECTED :
						      SND_PCM_STATE_XRUN);
	snd_pcm_drop(rig.pcm);
	lost = rig_counter(&rig, "Headroom Capture Frames Dropped");
	ck_assert_uint_gt(rig_log(&rig, "stands", &recorded, NULL), 0);
	/* Of the last step it is known by the clock. */
	ck_assert_int_ge(lost + 2, (int64_t)recorded);
	ck_assert_int_le(lost, (int64_t)recorded + A_LATE_STEP);
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
	tcase_add_loop_test(tcase, a_lost_device_costs_what_was_not_heard, 0, 2);
	tcase_add_test(tcase, a_drain_that_fails_costs_what_was_not_heard);
	tcase_add_loop_test(tcase, a_stop_before_the_end_costs_what_was_left, 0, 3);
	tcase_add_test(tcase, a_drop_costs_nothing);
	tcase_add_loop_test(tcase, a_lost_device_costs_what_was_not_read, 0, 2);
	tcase_add_loop_test(tcase, a_device_that_is_lost_in_a_pause_costs_what_it_had, 0, 2);
	tcase_add_loop_test(tcase, what_a_loss_was_quicker_than_is_not_read, 0, 2);
	return pcm_rig_run(suite);
}
