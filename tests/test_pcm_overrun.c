/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A recorder that does not read for a while: what is kept for it, what it is
 * told, and that the counters say to the frame what it lost. The card records the
 * number of each frame. Bodies with a loop of two run on the bare card (0) and
 * through headroom (1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"
#include "tests/threads.h"

#define DROPPED "Headroom Capture Frames Dropped"
#define CHUNKS_DROPPED "Headroom Capture Chunks Dropped"
#define XRUNS "Headroom Capture Xruns"
#define RATE 48000u
#define PER_MS (RATE / 1000)
#define BUFFER 4800u

/* "Xrun Cause": None Program Scheduler Device */
enum { CAUSE_PROGRAM = 1 };

/* Two seconds in the device: the I/O thread is never late. */
#define DEEP_DEVICE "slave.buffer 96000 "

static struct rig rig;
static uint32_t got[RATE];

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = RATE, .period = 480, .buffer = BUFFER,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void open_capture(bool headroom, const char *keys)
{
	rig_open_either(&rig, headroom, SND_PCM_STREAM_CAPTURE, 0, "", keys, &mono);
}

static void read_exactly(size_t n)
{
	rig_read(&rig, (uint8_t *)got, n);
}

static void assert_continuous(size_t n, uint32_t first)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(got[i], first + i);
}

static void wait_for_counter(const char *name, int64_t least)
{
	while (rig_counter(&rig, name) < least)
		rig_sleep_ms(5);
}

/* ---- a stall that the ring outlasts ---- */

/* Read on until frame `end`; returns how many were missing. */
static uint32_t missing_until(uint32_t next, uint32_t end)
{
	uint32_t missing = 0;

	while (next < end) {
		snd_pcm_sframes_t n = snd_pcm_readi(rig.pcm, got, 1000);

		if (n == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
			continue;
		}
		ck_assert_int_gt(n, 0);
		missing += got[0] - next;
		assert_continuous((size_t)n, got[0]);
		next = got[0] + (uint32_t)n;
	}
	return missing;
}

START_TEST(a_stall_of_three_buffers_costs_frames_on_the_bare_card_only)
{
	struct rig_params params = mono;
	uint32_t missing;

	params.buffer = RATE / 2;
	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0, "", "depth_ms 2000", &params);
	read_exactly(1000);
	assert_continuous(1000, 0);
	rig_let_pass_ms(1500);
	missing = missing_until(1000, 2 * RATE);
	if (!_i) {
		ck_assert_uint_ge(missing, RATE - 1000);
		return;
	}
	ck_assert_uint_eq(missing, 0);
	ck_assert_int_eq(rig_counter(&rig, DROPPED), 0);
	ck_assert_int_eq(rig_counter(&rig, XRUNS), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Healthy"), 1);
	/* The longest wait was that of what came when the stall began. */
	ck_assert_int_ge(rig_counter(&rig, "Headroom Capture Latency Max"), 1400000);
	ck_assert_int_ge(rig_counter(&rig, "Headroom Capture Fill Max"),
			 100 * 1400 / 2500);
}
END_TEST

START_TEST(avail_is_never_above_the_buffer_and_delay_tells_the_truth)
{
	snd_pcm_sframes_t avail, delay;
	snd_pcm_status_t *status;

	open_capture(true, "depth_ms 2000 " DEEP_DEVICE);
	read_exactly(1);
	snd_pcm_status_alloca(&status);
	for (int i = 0; i < 30; i++) {
		rig_sleep_ms(10);
		ck_assert_int_le(snd_pcm_avail(rig.pcm), BUFFER);
		ck_assert_int_le(snd_pcm_avail_update(rig.pcm), BUFFER);
		ck_assert_int_eq(snd_pcm_avail_delay(rig.pcm, &avail, &delay), 0);
		ck_assert_int_le(avail, BUFFER);
		ck_assert_int_ge(delay, avail);
		ck_assert_int_eq(snd_pcm_status(rig.pcm, status), 0);
		ck_assert_uint_le(snd_pcm_status_get_avail(status), BUFFER);
	}
	ck_assert_int_eq(avail, BUFFER);
	/* So old is the next frame. A step of the device may not be in yet. */
	ck_assert_int_ge(delay, 250 * PER_MS);
	read_exactly(BUFFER);
	assert_continuous(BUFFER, 1);
	ck_assert_int_ge(snd_pcm_avail_update(rig.pcm), BUFFER);
}
END_TEST

/* ---- a stall that it does not ---- */

/* World frames that have passed by now, at the least and by the log. */
static int64_t world_at_least(void)
{
	unsigned long long frame = 0, start_ms = 0;

	ck_assert_uint_ge(rig_log(&rig, "start", &frame, &start_ms), 1);
	return (int64_t)frame +
	       (int64_t)(hr_now_ns() / HR_NS_PER_MS - start_ms - 1) * PER_MS;
}

/* The program has read `next` frames and is told of an overrun: it recovers, and
 * all between was counted up to the prepare, and no more. */
static void recover(uint32_t next, int64_t dropped_before)
{
	unsigned long long stopped = 0, started = 0;
	int64_t least, dropped;

	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	least = world_at_least();
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	ck_assert_int_eq(snd_pcm_avail_update(rig.pcm), 0);
	dropped = rig_counter(&rig, DROPPED) - dropped_before;
	rig_log(&rig, "stop", &stopped, NULL);
	ck_assert_int_le(next + dropped, (int64_t)stopped);
	ck_assert_int_ge(next + dropped, least);
	/* Less than a chunk each time is none. */
	ck_assert_int_le(rig_counter(&rig, CHUNKS_DROPPED),
			 (dropped_before + dropped) / 480);
	ck_assert_int_ge(rig_counter(&rig, CHUNKS_DROPPED),
			 dropped_before / 480 - 1 + dropped / 480);

	rig_let_pass_ms(20);
	read_exactly(500);
	rig_log(&rig, "start", &started, NULL);
	ck_assert_uint_ge(started, stopped + 20 * PER_MS);
	assert_continuous(500, (uint32_t)started);	/* fresh: nothing of before */
	ck_assert_int_eq(rig_counter(&rig, DROPPED) - dropped_before, dropped);
}

START_TEST(what_was_kept_is_read_and_then_the_overrun_is_told_once)
{
	int64_t dropped = 0;
	uint32_t next = 0;

	open_capture(true, "depth_ms 100 " DEEP_DEVICE);
	for (int round = 1; round <= 2; round++) {
		snd_pcm_sframes_t n;
		uint32_t first;

		read_exactly(100);
		first = got[0];
		assert_continuous(100, first);
		next = first + 100;
		wait_for_counter(XRUNS, round);
		rig_let_pass_ms(50);
		while ((n = snd_pcm_readi(rig.pcm, got, 1 + next % 1500)) > 0) {
			assert_continuous((size_t)n, next);
			next += (uint32_t)n;
		}
		ck_assert_int_eq(n, -EPIPE);
		/* The buffer and 100 ms, to the frame. */
		ck_assert_uint_eq(next, first + 100 + BUFFER + 100 * PER_MS);
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 1), -EPIPE);
		ck_assert_int_eq(snd_pcm_wait(rig.pcm, 0), -EPIPE);
		recover(next, dropped);
		dropped = rig_counter(&rig, DROPPED);
		ck_assert_int_eq(rig_counter(&rig, XRUNS), round);
	}
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xrun Cause"), CAUSE_PROGRAM);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Device Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Fill Max"), 100);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Pressure Count"), 2);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Healthy"), 0);
}
END_TEST

START_TEST(a_poller_reads_what_was_kept_and_then_hears_of_the_overrun)
{
	uint32_t next = 0;
	snd_pcm_sframes_t n;
	int err;

	open_capture(true, "depth_ms 100 " DEEP_DEVICE);
	ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 1), 0);
	rig_thresholds(&rig, 0, 0, 1000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	wait_for_counter(XRUNS, 1);
	/* 9600 frames are no multiple of 700: the last wait finds less than
	 * avail_min, and must not be for ever. */
	while ((err = snd_pcm_wait(rig.pcm, -1)) == 1) {
		n = snd_pcm_readi(rig.pcm, got, 700);
		if (n < 0)
			break;
		ck_assert_int_gt(n, 0);
		assert_continuous((size_t)n, next);
		next += (uint32_t)n;
	}
	ck_assert(err == -EPIPE || n == -EPIPE);
	ck_assert_uint_eq(next, BUFFER + 100 * PER_MS);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
}
END_TEST

START_TEST(without_depth_an_overrun_is_the_cards)
{
	unsigned long long started = 0;

	open_capture(_i, "depth_ms 0 " DEEP_DEVICE);
	read_exactly(100);
	assert_continuous(100, 0);
	while (snd_pcm_avail(rig.pcm) >= 0)
		rig_sleep_ms(5);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), -EPIPE);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 1), -EPIPE);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, 0), -EPIPE);
	if (_i) {
		recover(100, 0);
		ck_assert_int_eq(rig_counter(&rig, XRUNS), 1);
		return;
	}
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	rig_let_pass_ms(20);
	read_exactly(500);
	rig_log(&rig, "start", &started, NULL);
	assert_continuous(500, (uint32_t)started);
}
END_TEST

START_TEST(without_depth_waiting_ends_with_the_overrun)
{
	open_capture(_i, "depth_ms 0 " DEEP_DEVICE);
	rig_thresholds(&rig, 0, 0, BUFFER + 1);	/* more than there can be */
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), -EPIPE);
}
END_TEST

/* Read until all that the counter says to be lost was seen missing. */
static void read_past_the_gaps(uint32_t next)
{
	int64_t missing = 0;

	while (missing == 0 || missing != rig_counter(&rig, DROPPED)) {
		read_exactly(480);
		assert_continuous(480, got[0]);
		missing += got[0] - next;
		next = got[0] + 480;
		ck_assert_int_le(missing, rig_counter(&rig, DROPPED));
	}
}

/* By the key, or because the program says that the stream is never to stop. */
START_TEST(dropping_tells_no_overrun_and_counts_each_frame)
{
	uint32_t kept = BUFFER + 100 * PER_MS;

	open_capture(true, _i ? "depth_ms 100 " DEEP_DEVICE :
				"depth_ms 100 on_overrun drop " DEEP_DEVICE);
	if (_i)
		rig_thresholds(&rig, 0, -1, 0);
	read_exactly(480);
	for (int round = 0; round < 2; round++) {
		uint32_t next = got[479] + 1;

		wait_for_counter(DROPPED, rig_counter(&rig, DROPPED) + 2400);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
		if (round == 0) {
			read_exactly(kept);
			assert_continuous(kept, next);
			next += kept;
			read_past_the_gaps(next);
		}
	}
	ck_assert_int_eq(rig_counter(&rig, XRUNS), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Device Xruns"), 0);
}
END_TEST

/* Also while nobody reads and what comes is discarded. */
START_TEST(the_rate_is_measured_on_whatever_happens_to_the_frames)
{
	open_capture(true, _i ? "depth_ms 10 " DEEP_DEVICE :
				"depth_ms 10 on_overrun drop " DEEP_DEVICE);
	read_exactly(1);
	wait_for_counter(DROPPED, RATE + RATE / 2);
	ck_assert_int_gt(rig_counter(&rig, "Headroom Capture Rate Measured"),
			 RATE - RATE / 10);
	ck_assert_int_lt(rig_counter(&rig, "Headroom Capture Rate Measured"),
			 RATE + RATE / 10);
}
END_TEST

/* ---- the I/O thread itself is late ---- */

START_TEST(an_overrun_of_the_device_is_told_and_estimated_by_the_clock)
{
	uint32_t next = 100;
	snd_pcm_sframes_t n;

	open_capture(true, "depth_ms 2000");
	read_exactly(100);
	stop_process_ms(500);
	while ((n = snd_pcm_readi(rig.pcm, got, 300)) > 0) {
		assert_continuous((size_t)n, next);
		next += (uint32_t)n;
	}
	ck_assert_int_eq(n, -EPIPE);
	ck_assert_int_ge(rig_counter(&rig, "Headroom Capture Device Xruns"), 1);
	ck_assert_int_eq(rig_counter(&rig, XRUNS), 1);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xrun Cause"), CAUSE_PROGRAM);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	read_exactly(1);
	ck_assert_int_ge(rig_counter(&rig, DROPPED), 400 * PER_MS);
	ck_assert_int_le(rig_counter(&rig, DROPPED), got[0] - next + 10 * PER_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcm_overrun");
	TCase *kept = pcm_rig_case(suite, "kept", set_up, tear_down);
	TCase *lost = pcm_rig_case(suite, "lost", set_up, tear_down);

	tcase_add_loop_test(kept,
		a_stall_of_three_buffers_costs_frames_on_the_bare_card_only, 0, 2);
	tcase_add_test(kept, avail_is_never_above_the_buffer_and_delay_tells_the_truth);
	tcase_add_test(lost, what_was_kept_is_read_and_then_the_overrun_is_told_once);
	tcase_add_test(lost, a_poller_reads_what_was_kept_and_then_hears_of_the_overrun);
	tcase_add_loop_test(lost, without_depth_an_overrun_is_the_cards, 0, 2);
	tcase_add_loop_test(lost, without_depth_waiting_ends_with_the_overrun, 0, 2);
	tcase_add_loop_test(lost, dropping_tells_no_overrun_and_counts_each_frame, 0, 2);
	tcase_add_loop_test(lost, the_rate_is_measured_on_whatever_happens_to_the_frames,
			    0, 2);
	tcase_add_test(lost, an_overrun_of_the_device_is_told_and_estimated_by_the_clock);
	return pcm_rig_run(suite);
}
