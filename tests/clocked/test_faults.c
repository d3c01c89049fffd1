/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

#define N 9600			/* frames; 200 ms */

static const struct rig_params params = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 1, 48000, 480, N,
};

/* The number of the frame is in it. */
static const struct rig_params numbered = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S32_LE, 1, 48000, 480, 48000,
};

static struct rig rig;
static uint8_t *data;
static uint32_t got[N];

static void set_up(void)
{
	rig_init(&rig);
	rig_be_commanded(&rig);
	data = NULL;
}

static void tear_down(void)
{
	free(data);
	rig_finish(&rig);
}

/* All of a buffer, not started. */
static void fill(const char *keys)
{
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, keys, &params);
	rig_thresholds(&rig, N + 1, 0, 0);
	data = rig_noise(&rig, N, 5);
	rig_write(&rig, data, N, N);
}

static void record(void)
{
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &numbered);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
}

static unsigned long long lost_by(const char *event, unsigned int times)
{
	unsigned long long lost = 0;

	ck_assert_uint_eq(rig_log(&rig, event, NULL, &lost), times);
	return lost;
}

START_TEST(an_xrun_comes_at_its_frame)
{
	unsigned long long frame = 0;

	fill("");
	ck_assert(clocked_command_xrun(rig.command_fd, 1234));
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_state(&rig, SND_PCM_STATE_XRUN);
	rig_assert_heard(&rig, data, 1234);
	ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, NULL), 1);
	ck_assert_uint_eq(frame, 1234);
	ck_assert_uint_eq(lost_by("unheard", 1), N - 1234);
	/* Once. */
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	rig_write(&rig, data, 4800, 4800);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 1);
}
END_TEST

START_TEST(an_xrun_of_a_recording_comes_at_its_frame)
{
	unsigned long long frame = 0;

	ck_assert(clocked_command_xrun(rig.command_fd, 1234));
	record();
	ck_assert(clocked_command_xrun(rig.command_fd, 3456));
	rig_wait_state(&rig, SND_PCM_STATE_XRUN);
	ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, NULL), 1);
	ck_assert_uint_eq(frame, 3456);
}
END_TEST

START_TEST(xruns_come_in_storms)
{
	RIG_COMMAND(&rig, xrun_every, 300);
	fill("");
	for (int i = 1; i <= 5; i++) {
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		rig_wait_state(&rig, SND_PCM_STATE_XRUN);
		ck_assert_uint_eq(lost_by("unheard", (unsigned int)i), i > 1 ? 100 : N - 300);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		rig_write(&rig, data, 400, 400);
	}
}
END_TEST

START_TEST(in_bursts_it_moves_by_whole_ones)
{
	snd_pcm_sframes_t avail = 0, before = -1;

	RIG_COMMAND(&rig, burst, 1000);
	fill("");
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_thresholds(&rig, 0, 0, 1);
	while (avail < N - 2000) {
		ck_assert_int_eq(snd_pcm_wait(rig.pcm, 10000), 1);
		avail = snd_pcm_avail(rig.pcm);
		ck_assert_int_eq(avail % 1000, 0);
		ck_assert_int_ge(avail, before);
		before = avail;
		rig_sleep_ms(1);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, N);
}
END_TEST

/* What was heard are all frames but n from a place on, or those twice. */
static void assert_heard_with_jump(int32_t jump)
{
	unsigned long long at = 0, n = 0;
	size_t size, b = rig.frame_bytes;
	uint8_t *heard = rig_slurp(rig.heard, &size);
	const uint8_t *then = data;

	ck_assert_uint_eq(rig_log(&rig, jump > 0 ? "jump" : "back", &at, &n), 1);
	ck_assert_uint_eq(n, (unsigned int)abs(jump));
	ck_assert_uint_eq(size, (size_t)(N - jump) * b);
	ck_assert_mem_eq(heard, data, at * b);
	then += (at + (jump > 0 ? n : -n)) * b;
	ck_assert_mem_eq(heard + at * b, then, size - at * b);
	free(heard);
}

START_TEST(its_pointer_jumps_and_so_does_the_sound)
{
	static const int32_t jumps[] = { 700, -700 };

	fill("");
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 2000);
	ck_assert(clocked_command_jump(rig.command_fd, jumps[_i]));
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	assert_heard_with_jump(jumps[_i]);
}
END_TEST

START_TEST(a_recording_that_jumps_has_silence_or_lacks_frames)
{
	unsigned long long at = 0, n = 0;
	uint32_t number = 0;

	record();
	rig_wait_avail(&rig, 2000);
	ck_assert(clocked_command_jump(rig.command_fd, _i ? -500 : 500));
	rig_read(&rig, (uint8_t *)got, N);
	ck_assert_uint_eq(rig_log(&rig, _i ? "back" : "jump", &at, &n), 1);
	ck_assert_uint_eq(n, 500);
	for (size_t i = 0; i < N; i++) {
		if (!_i && i >= at && i < at + n) {
			ck_assert_uint_eq(got[i], 0);
			continue;
		}
		if (_i && number == at - n)
			number = (uint32_t)at;
		ck_assert_uint_eq(got[i], number++);
	}
}
END_TEST

START_TEST(writes_and_reads_are_short)
{
	RIG_COMMAND(&rig, most, 77);
	if (_i == 0) {
		rig_open(&rig, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", &params);
		data = rig_noise(&rig, N, 5);
		RIG_COMMAND(&rig, still, 1);	/* what it has is soon over */
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 480), 77);
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 60), 60);
		return;
	}
	record();
	rig_wait_avail(&rig, 480);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 480), 77);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got + 77, 480), 77);
	for (uint32_t i = 0; i < 2 * 77; i++)
		ck_assert_uint_eq(got[i], i);
}
END_TEST

static unsigned short told(int timeout_ms, int *ready)
{
	unsigned short events = 0xffff;
	struct pollfd fd;

	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), 1);
	*ready = poll(&fd, 1, timeout_ms);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &fd, 1, &events), 0);
	return events;
}

START_TEST(it_wakes_for_nothing_or_not_at_all)
{
	int ready;

	fill("");
	RIG_COMMAND(&rig, still, 1);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(told(0, &ready), 0);
	ck_assert_int_eq(ready, 0);
	RIG_COMMAND(&rig, wakes, CLOCKED_WAKES_ALWAYS);
	ck_assert_int_eq(told(10000, &ready), POLLOUT);
	ck_assert_int_eq(ready, 1);
	RIG_COMMAND(&rig, wakes, CLOCKED_WAKES_FALSELY);
	ck_assert_int_eq(told(10000, &ready), 0);
	ck_assert_int_eq(ready, 1);
	RIG_COMMAND(&rig, wakes, CLOCKED_WAKES_NEVER);
	RIG_COMMAND(&rig, still, 0);
	rig_wait_avail(&rig, 2000);
	ck_assert_int_eq(told(0, &ready), 0);
	ck_assert_int_eq(ready, 0);
}
END_TEST

static void let_fail(enum clocked_call call, uint32_t error, uint32_t skip, uint32_t times)
{
	struct clocked_fail how = { error, skip, times };

	ck_assert(clocked_command_fail(rig.command_fd, call, how));
}

START_TEST(the_calls_that_were_chosen_fail)
{
	snd_pcm_sframes_t delay;
	struct pollfd fd;

	fill("");
	let_fail(CLOCKED_CALL_START, EIO, 0, 2);
	let_fail(CLOCKED_CALL_DELAY, EINTR, 1, 1);
	let_fail(CLOCKED_CALL_PAUSE, EAGAIN, 0, 1);
	let_fail(CLOCKED_CALL_DRAIN, ESTRPIPE, 0, 1);
	let_fail(CLOCKED_CALL_DESCRIPTORS, ENODEV, 0, 1);
	let_fail(CLOCKED_CALL_PREPARE, EBUSY, 0, CLOCKED_FAIL_ALWAYS);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), -EIO);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), -EIO);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), -EINTR);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), -EAGAIN);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), -ENODEV);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), 1);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -ESTRPIPE);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -EBUSY);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -EBUSY);
	let_fail(CLOCKED_CALL_PREPARE, 0, 0, 0);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	let_fail(CLOCKED_CALL_TRANSFER, EIO, 0, 1);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 1), -EIO);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 480), 480);
	let_fail(CLOCKED_CALL_POINTER, EIO, 0, 1);
	ck_assert_int_eq(snd_pcm_avail_update(rig.pcm), -EPIPE);
}
END_TEST

START_TEST(it_can_be_set_up_only_when_it_may)
{
	snd_pcm_hw_params_t *hw;

	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	let_fail(CLOCKED_CALL_HW_PARAMS, EBUSY, 0, 1);
	ck_assert_int_eq(snd_pcm_hw_params(rig.pcm, hw), -EBUSY);
	rig_install(&rig, &params);
}
END_TEST

START_TEST(it_vanishes_and_comes_back_as_another)
{
	unsigned long long unheard;
	snd_pcm_t *old;
	size_t size;

	fill("heard_append 1");
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 1000);
	ck_assert(clocked_command_vanish(rig.command_fd));
	if (_i)
		rig_wait_state(&rig, SND_PCM_STATE_DISCONNECTED);
	old = rig.pcm;
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "card", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), -ENODEV);
	RIG_COMMAND(&rig, open_errno, ENOENT);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "card", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), -ENOENT);
	RIG_COMMAND(&rig, open_errno, 0);
	ck_assert(clocked_command_come_back(rig.command_fd));
	/* Who had it open has lost it for good, if he did not look meanwhile as well. */
	ck_assert_int_lt(snd_pcm_writei(old, data, 1), 0);
	ck_assert_int_eq(snd_pcm_state(old), SND_PCM_STATE_DISCONNECTED);
	unheard = lost_by("unheard", 1);
	free(rig_slurp(rig.heard, &size));
	ck_assert_uint_eq(size / rig.frame_bytes, N - unheard);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "card", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	rig_install(&rig, &params);
	rig_write(&rig, data, 480, 480);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	snd_pcm_close(old);
	free(rig_slurp(rig.heard, &size));
	ck_assert_uint_eq(size / rig.frame_bytes, N - unheard + 480);
}
END_TEST

TCase *clocked_faults_tests(void)
{
	TCase *tcase = tcase_create("faults");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_xrun_comes_at_its_frame);
	tcase_add_test(tcase, an_xrun_of_a_recording_comes_at_its_frame);
	tcase_add_test(tcase, xruns_come_in_storms);
	tcase_add_test(tcase, in_bursts_it_moves_by_whole_ones);
	tcase_add_loop_test(tcase, its_pointer_jumps_and_so_does_the_sound, 0, 2);
	tcase_add_loop_test(tcase, a_recording_that_jumps_has_silence_or_lacks_frames, 0, 2);
	tcase_add_loop_test(tcase, writes_and_reads_are_short, 0, 2);
	tcase_add_test(tcase, it_wakes_for_nothing_or_not_at_all);
	tcase_add_test(tcase, the_calls_that_were_chosen_fail);
	tcase_add_test(tcase, it_can_be_set_up_only_when_it_may);
	tcase_add_loop_test(tcase, it_vanishes_and_comes_back_as_another, 0, 2);
	return tcase;
}
