/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What happens when the program is late: it is told once, or silence fills the
 * gap; never old sound, never a loss that is not counted. Most bodies run on the
 * bare card (0) and through headroom (1). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

#define CAUSE_PROGRAM 1		/* "Xrun Cause": None Program Scheduler Device */

static struct rig rig;
static uint8_t *data;

/* A second in the buffer and half of one as the device's step: long against a
 * machine that stalls, so that nobody but the program is ever late. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 1, .rate = 48000, .period = 1000, .buffer = 48000,
};
#define LONG_STEP "slave.period 24000 "

static void set_up(void)
{
	pcm_rig_init(&rig);
	data = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

/* No byte is 0, so that silence is told from sound. */
static void open_with(bool headroom, const char *keys, long start, long stop, size_t n)
{
	rig_open_either(&rig, headroom, SND_PCM_STREAM_PLAYBACK, 0, "", keys, &mono);
	rig_thresholds(&rig, start, stop, 0);
	data = rig_noise(&rig, n, 21);
	for (size_t i = 0; i < n * rig.frame_bytes; i++)
		data[i] |= 1;
}

static void run_dry(void)
{
	snd_pcm_sframes_t avail;

	while ((avail = snd_pcm_avail(rig.pcm)) >= 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(avail, -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
}

START_TEST(an_underrun_is_reported_and_counted_once)
{
	unsigned long long frame = 0;
	snd_pcm_sframes_t delay;

	open_with(_i, LONG_STEP, 48000, 0, 3 * 1500);
	for (size_t round = 0; round < 3; round++) {
		uint8_t *sound = data + round * 1500 * 2;

		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, 1000), 1000);
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		run_dry();
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, 10), -EPIPE);
		ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), -EPIPE);
		ck_assert_int_eq(snd_pcm_wait(rig.pcm, 0), -EPIPE);
		rig_assert_heard(&rig, data, round * 1500 + 1000);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound + 2000, 500), 500);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		rig_assert_heard(&rig, data, round * 1500 + 1500);
		ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, NULL), round + 1);
		ck_assert_uint_eq(frame, round * 1500 + 1000);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		if (!_i)
			continue;
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"),
				 (int64_t)round + 1);
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Device Xruns"),
				 (int64_t)round + 1);
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xrun Cause"),
				 CAUSE_PROGRAM);
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Healthy"), 0);
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Silence"), 0);
	}
}
END_TEST

/* Blocked in a write, in wait, and in poll; the threshold is never reached. */
START_TEST(who_waits_is_woken_by_the_underrun)
{
	unsigned short revents = 0;
	struct pollfd pfd;

	open_with(_i % 2, LONG_STEP, 48000, 0, 1000);
	rig_thresholds(&rig, 0, 0, 48001);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 700), 700);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	if (_i / 2 == 0) {
		ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), -EPIPE);
	} else {
		ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
		while (!revents) {
			ck_assert_int_eq(poll(&pfd, 1, -1), 1);
			snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1, &revents);
		}
		ck_assert_int_eq(revents, POLLOUT | POLLERR);
	}
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	rig_assert_heard(&rig, data, 700);
}
END_TEST

START_TEST(a_write_that_comes_too_late_does_not_hide_the_underrun)
{
	open_with(_i, LONG_STEP, 48000, 0, 1000);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 480), 480);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (rig_log(&rig, "xrun", NULL, NULL) == 0) {
		/* The bare card notices nothing unless it is looked at. */
		if (!_i)
			break;
		rig_sleep_ms(5);
	}
	rig_let_pass_ms(60);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 480), -EPIPE);
	rig_assert_heard(&rig, data, 480);
}
END_TEST

/* The last look at the stream was before the underrun: what is committed after
 * it would never be heard, and must not be taken. */
START_TEST(what_is_committed_after_the_underrun_is_refused)
{
	struct rig_params params = mono;
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, frames = 500;

	params.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	data = rig_noise(&rig, 20000, 22);
	ck_assert_int_eq(snd_pcm_mmap_writei(rig.pcm, data, 19200), 19200);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	ck_assert_int_ge(snd_pcm_avail_update(rig.pcm), 500);
	ck_assert_int_eq(snd_pcm_mmap_begin(rig.pcm, &areas, &offset, &frames), 0);
	/* The bare card notices nothing unless it is looked at. */
	while (_i && rig_counter(&rig, "Headroom Playback Xruns") == 0)
		rig_sleep_ms(1);
	rig_let_pass_ms(_i ? 1 : 500);
	ck_assert_int_eq(snd_pcm_mmap_commit(rig.pcm, offset, frames), -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_mmap_writei(rig.pcm, data + 19200 * 2, 800), 800);
	(void)snd_pcm_drain(rig.pcm);
	rig_assert_heard(&rig, data, 20000);
}
END_TEST

/* Heard is data in order and whole, with silence in between only. Returns how
 * many frames of that. */
static size_t assert_heard_with_silence(size_t n)
{
	size_t size, at = 0, silence = 0;
	uint8_t *heard = rig_slurp(rig.heard, &size);

	for (size_t i = 0; i < size; i += 2) {
		if (heard[i] == 0 && heard[i + 1] == 0) {
			silence++;
		} else {
			ck_assert_uint_lt(at, n);
			ck_assert_msg(memcmp(heard + i, data + at * 2, 2) == 0,
				      "frame %zu is not heard after %zu of silence",
				      at, silence);
			at++;
		}
	}
	ck_assert_uint_eq(at, n);
	free(heard);
	return silence;
}

/* Bare and through headroom with a threshold at the boundary, and headroom told
 * to play silence. */
static const struct {
	bool headroom;
	const char *keys;
	long stop;
} never_stops[] = {
	{ false, "", -1 },
	{ true, LONG_STEP, -1 },
	{ true, LONG_STEP "on_underrun silence", 0 },
	{ true, "on_underrun silence", 0 },
	{ true, "slave.buffer 960 on_underrun silence", 0 },
};

START_TEST(a_stream_that_never_stops_has_silence_in_its_gaps)
{
	bool headroom = never_stops[_i].headroom;
	size_t silence;

	open_with(headroom, never_stops[_i].keys, 1, never_stops[_i].stop, 4000);
	for (size_t at = 0; at < 4000; at += 1000) {
		snd_pcm_sframes_t delay = 1;

		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + at * 2, 1000), 1000);
		while (delay > 0) {
			ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
			ck_assert_int_ge(delay, 0);
			rig_sleep_ms(1);
		}
		rig_let_pass_ms(10);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
		ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	silence = assert_heard_with_silence(4000);
	ck_assert_uint_ge(silence, 3 * 480);
	if (!headroom)
		return;
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), 4000);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Silence"),
			 (int64_t)silence);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
}
END_TEST

/* A program that is one period ahead, but sometimes late, in little pieces. */
START_TEST(a_slow_program_with_silence_loses_nothing)
{
	size_t silence;

	open_with(true, "on_underrun silence", 1, 0, 6000);
	for (size_t at = 0; at < 6000; at += 60) {
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + at * 2, 60), 60);
		rig_sleep_ms(at % 480 ? 1 : 3);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	silence = assert_heard_with_silence(6000);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Silence"),
			 (int64_t)silence);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
}
END_TEST

/* It stops when a tenth is free, though there is sound for the rest of a second. */
START_TEST(a_lower_stop_threshold_stops_before_the_end)
{
	open_with(_i, "slave.period 16", 48000, 4800, 48000);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 48000), 48000);
	run_dry();
	ck_assert_uint_ge(rig_heard(&rig), 4800);
	ck_assert_uint_lt(rig_heard(&rig), 48000);
	rig_assert_heard(&rig, data, rig_heard(&rig));
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	if (_i)
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 1);
}
END_TEST

/* The end of a stream is none. */
START_TEST(a_program_in_time_has_no_underrun)
{
	open_with(_i, "", 24000, 0, 48000 + 6000);
	for (size_t at = 0; at < 48000 + 6000; at += 6000)
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + at * 2, 6000), 6000);
	ck_assert_int_ne(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	rig_assert_heard(&rig, data, rig_heard(&rig));
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
	if (!_i)
		return;
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Device Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Healthy"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("underrun");
	TCase *tcase = pcm_rig_case(suite, "told", set_up, tear_down);

	tcase_add_loop_test(tcase, an_underrun_is_reported_and_counted_once, 0, 2);
	tcase_add_loop_test(tcase, who_waits_is_woken_by_the_underrun, 0, 4);
	tcase_add_loop_test(tcase,
		a_write_that_comes_too_late_does_not_hide_the_underrun, 0, 2);
	tcase_add_loop_test(tcase,
		what_is_committed_after_the_underrun_is_refused, 0, 2);
	tcase_add_loop_test(tcase, a_lower_stop_threshold_stops_before_the_end, 0, 2);
	tcase_add_loop_test(tcase, a_program_in_time_has_no_underrun, 0, 2);
	tcase = pcm_rig_case(suite, "silence", set_up, tear_down);
	tcase_add_loop_test(tcase, a_stream_that_never_stops_has_silence_in_its_gaps, 0,
			    (int)N_OF(never_stops));
	tcase_add_test(tcase, a_slow_program_with_silence_loses_nothing);
	return pcm_rig_run(suite);
}
