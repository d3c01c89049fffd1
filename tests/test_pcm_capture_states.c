/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A recording that is prepared, started, paused, stopped, drained and started
 * again, and what the counters show of it. The card records the number of each
 * frame. Bodies with a loop of two run on the bare card (0) and through headroom
 * (1).
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

#define RATE 48000u
#define PER_MS (RATE / 1000)

/* Ten seconds in the device: nobody is ever late. */
#define DEEP_DEVICE "slave.buffer 480000 "

static struct rig rig;
static uint32_t got[RATE];

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = RATE, .period = 480, .buffer = RATE,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void open_capture(bool headroom, const struct rig_params *params)
{
	rig_open_either(&rig, headroom, SND_PCM_STREAM_CAPTURE, 0, "", DEEP_DEVICE,
			params);
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

static uint32_t last_start(void)
{
	unsigned long long frame = 0;

	ck_assert_uint_ge(rig_log(&rig, "start", &frame, NULL), 1);
	return (uint32_t)frame;
}

/* ---- states ---- */

static int polled(unsigned short *revents)
{
	struct pollfd fd;
	int n;

	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), 1);
	n = poll(&fd, 1, 0);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &fd, 1, revents), 0);
	return n;
}

START_TEST(a_prepared_capture_is_not_readable)
{
	unsigned short revents = 0;

	open_capture(_i, &mono);
	rig_let_pass_ms(30);
	ck_assert_int_eq(polled(&revents), 0);
	ck_assert_int_eq(revents, 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, 20), 0);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
	ck_assert_int_ge(polled(&revents), 0);
	ck_assert_int_eq(revents, POLLIN);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	polled(&revents);
	ck_assert_int_eq(revents & (POLLERR | POLLOUT), POLLERR);
}
END_TEST

START_TEST(the_first_read_starts_the_stream)
{
	open_capture(_i, &mono);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	read_exactly(700);
	assert_continuous(700, 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
}
END_TEST

START_TEST(drain_of_a_capture_stops_it_at_once)
{
	open_capture(_i, &mono);
	read_exactly(1);
	rig_wait_avail(&rig, 480);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	ck_assert_uint_eq(rig_log(&rig, "stop", NULL, NULL), 1);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
}
END_TEST

START_TEST(a_pause_keeps_what_is_there_and_skips_what_passes)
{
	snd_pcm_sframes_t kept;

	open_capture(_i, &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PAUSED);
	kept = snd_pcm_avail(rig.pcm);
	ck_assert_int_ge(kept, 480);
	rig_let_pass_ms(50);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), kept);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	read_exactly((size_t)kept);
	assert_continuous((size_t)kept, 0);
	read_exactly(100);
	ck_assert_uint_ge(got[0], (uint32_t)kept + 50 * PER_MS);
	assert_continuous(100, got[0]);
}
END_TEST

START_TEST(what_is_kept_can_be_read_while_paused)
{
	open_capture(_i, &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_ge(snd_pcm_avail(rig.pcm), 480);
	read_exactly(480);
	assert_continuous(480, 0);
}
END_TEST

START_TEST(a_stream_that_was_stopped_starts_again_fresh)
{
	open_capture(_i, &mono);
	for (int round = 0; round < 3; round++) {
		read_exactly(500);
		assert_continuous(500, last_start());
		rig_wait_avail(&rig, 1);		/* for some to be unread */
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 1), -EBADFD);
		rig_let_pass_ms(10);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_avail_update(rig.pcm), 0);
	}
	ck_assert_uint_eq(rig_log(&rig, "start", NULL, NULL), 3);
	if (_i)	/* what a program leaves unread is its own will */
		ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
}
END_TEST

START_TEST(prepare_of_a_running_stream_begins_anew)
{
	open_capture(_i, &mono);
	read_exactly(500);
	rig_wait_avail(&rig, 1);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	ck_assert_int_eq(snd_pcm_avail_update(rig.pcm), 0);
	read_exactly(500);
	assert_continuous(500, last_start());
}
END_TEST

START_TEST(reset_forgets_what_was_not_read)
{
	open_capture(_i, &mono);
	read_exactly(500);
	rig_wait_avail(&rig, 40 * PER_MS);
	ck_assert_int_gt(snd_pcm_avail(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_reset(rig.pcm), 0);
	read_exactly(500);
	ck_assert_uint_ge(got[0], 500 + 40 * PER_MS);
	assert_continuous(500, got[0]);
	read_exactly(500);
	ck_assert_uint_ge(got[0], 1000 + 40 * PER_MS);
	assert_continuous(500, got[0]);
}
END_TEST

/* ---- stopped by another thread ---- */

static void *read_much(void *arg)
{
	_Atomic bool *reading = arg;
	snd_pcm_sframes_t n;

	while ((n = snd_pcm_readi(rig.pcm, got, RATE)) > 0)
		atomic_store(reading, true);
	return (void *)(intptr_t)n;
}

START_TEST(drop_ends_a_blocked_read_in_another_thread)
{
	struct rig_params params = mono;
	_Atomic bool reading = false;
	pthread_t reader;
	void *result;

	params.buffer = 4800;
	open_capture(true, &params);
	rig_thresholds(&rig, 0, 0, 4800);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_much, &reading), 0);
	while (!atomic_load(&reading) && rig_counter(&rig, "Headroom Capture Frames") < 24000)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(pthread_join(reader, &result), 0);
	ck_assert_int_lt((intptr_t)result, 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	read_exactly(500);
	assert_continuous(500, last_start());
}
END_TEST

/* ---- a slave that is always ready ---- */

static uint64_t cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void open_null(const char *keys)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "pcm.x { type headroom slave.pcm { type null } %s }\n", keys);
	ck_assert_int_eq(rig_try_open_defined(&rig, "x", text,
					      SND_PCM_STREAM_CAPTURE, 0, ""), 0);
	rig_install(&rig, &mono);
	rig.params = mono;
	rig.frame_bytes = 4;
}

START_TEST(capture_from_null_is_idle_when_nobody_reads)
{
	uint64_t before;

	open_null("");
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_let_pass_ms(100);
	before = cpu_us();
	rig_let_pass_ms(1000);
	ck_assert_uint_lt(cpu_us() - before, 200000);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	for (int i = 0; i < 20; i++) {		/* several times the ring */
		read_exactly(RATE);
		for (size_t k = 0; k < RATE; k++)
			ck_assert_uint_eq(got[k], 0);
	}
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
}
END_TEST

/* The device may hold more than the program's buffer and what is kept beyond it. */
START_TEST(capture_from_null_into_a_small_ring_does_not_overrun)
{
	struct rig_params params = mono;

	params.period = 120;
	params.buffer = 480;
	ck_assert_int_eq(rig_try_open_defined(&rig, "x",
		"pcm.x { type headroom slave.pcm { type null } depth_ms 10 }\n",
		SND_PCM_STREAM_CAPTURE, 0, ""), 0);
	rig_install(&rig, &params);
	rig.params = params;
	rig.frame_bytes = 4;
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 120), 120);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
}
END_TEST

/* ---- counters ---- */

enum { STATE_CLOSED, STATE_OPEN, STATE_SETUP, STATE_PREPARED, STATE_RUNNING };

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_CAPTURE, what);
}

static void assert_in_order(const char *const *suffixes)
{
	int64_t least = 0;

	for (; *suffixes; suffixes++) {
		int64_t value = counter(*suffixes);

		ck_assert_msg(value >= least, "%s is %lld, below %lld", *suffixes,
			      (long long)value, (long long)least);
		least = value;
	}
}

START_TEST(the_counters_agree_with_what_was_read)
{
	static const char *const by_rank[] = {
		"Latency Min", "Latency P50", "Latency P95", "Latency P99",
		"Latency Max", NULL,
	};
	static const char *const by_mean[] = {
		"Latency Min", "Latency Avg", "Latency Max", NULL,
	};

	open_capture(true, &mono);
	ck_assert_int_eq(counter("State"), STATE_PREPARED);
	ck_assert_int_eq(counter("Frames"), 0);
	read_exactly(10 * 480);
	ck_assert_int_eq(counter("State"), STATE_RUNNING);
	rig_let_pass_ms(300);
	read_exactly(10 * 480);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(counter("State"), STATE_SETUP);

	ck_assert_int_eq(counter("Rate"), RATE);
	ck_assert_int_eq(counter("Channels"), 1);
	ck_assert_int_eq(counter("Period"), 480);
	ck_assert_int_eq(counter("Buffer"), RATE);
	ck_assert_int_eq(counter("Process"), getpid());
	ck_assert_int_eq(counter("Healthy"), 1);
	ck_assert_int_eq(counter("Pool Misses"), 0);

	/* What the device gave, in chunks of 480, of which the last may be open. */
	ck_assert_int_ge(counter("Frames"), 20 * 480);
	ck_assert_int_ge(counter("Chunks Pushed") * 480, counter("Frames"));
	ck_assert_int_lt((counter("Chunks Pushed") - 2) * 480, counter("Frames"));
	ck_assert_int_eq(counter("Chunks Popped"), counter("Chunks Pushed"));
	ck_assert_int_eq(counter("Pool Hits"), counter("Chunks Pushed"));

	assert_in_order(by_rank);
	assert_in_order(by_mean);
	ck_assert_int_ge(counter("Latency Max"), 280000);
	ck_assert_int_ge(counter("Fill Max"), 100 * 280 / 3000);
	ck_assert_int_le(counter("Fill Max"), 100);
	ck_assert_int_eq(counter("Fill"), 0);
}
END_TEST

START_TEST(counters_outlive_the_stream)
{
	int64_t frames;

	open_capture(true, &mono);
	read_exactly(4800);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	frames = counter("Frames");
	ck_assert_int_ge(frames, 4800);
	ck_assert_int_eq(counter("State"), STATE_CLOSED);
	ck_assert_int_eq(counter("Process"), 0);
	snd_config_delete(rig.config);
	open_capture(true, &mono);
	read_exactly(4800);
	ck_assert_int_ge(counter("Frames"), frames + 4800);
}
END_TEST

/* A program that prepares, because the card is not to be resumed, begins anew. */
START_TEST(what_a_suspend_has_cost_is_counted)
{
	int64_t frames, dropped;

	rig_be_commanded(&rig);
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", _i ? "depth_ms 0" : "",
			  &mono);
	read_exactly(4800);
	rig_wait_avail(&rig, 2000);
	RIG_COMMAND(&rig, suspends, 1);
	rig_wait_state(&rig, SND_PCM_STATE_SUSPENDED);
	frames = rig_counter(&rig, "Headroom Capture Frames");
	ck_assert_int_gt(frames, 4800);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	/* And what the card had recorded since it was looked at. */
	dropped = rig_counter(&rig, "Headroom Capture Frames Dropped");
	ck_assert_int_ge(dropped, frames - 4800);
	ck_assert_int_le(dropped, frames - 4800 + 10 * 480);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcm_capture_states");
	TCase *states = pcm_rig_case(suite, "states", set_up, tear_down);
	TCase *others = pcm_rig_case(suite, "others", set_up, tear_down);
	TCase *counters = pcm_rig_case(suite, "counters", set_up, tear_down);

	tcase_add_loop_test(states, a_prepared_capture_is_not_readable, 0, 2);
	tcase_add_loop_test(states, the_first_read_starts_the_stream, 0, 2);
	tcase_add_loop_test(states, drain_of_a_capture_stops_it_at_once, 0, 2);
	tcase_add_loop_test(states, a_pause_keeps_what_is_there_and_skips_what_passes,
			    0, 2);
	tcase_add_loop_test(states, what_is_kept_can_be_read_while_paused, 0, 2);
	tcase_add_loop_test(states, a_stream_that_was_stopped_starts_again_fresh, 0, 2);
	tcase_add_loop_test(states, prepare_of_a_running_stream_begins_anew, 0, 2);
	tcase_add_loop_test(states, reset_forgets_what_was_not_read, 0, 2);
	tcase_add_test(others, drop_ends_a_blocked_read_in_another_thread);
	tcase_add_test(others, capture_from_null_is_idle_when_nobody_reads);
	tcase_add_test(others, capture_from_null_into_a_small_ring_does_not_overrun);
	tcase_add_test(counters, the_counters_agree_with_what_was_read);
	tcase_add_loop_test(counters, what_a_suspend_has_cost_is_counted, 0, 2);
	tcase_add_test(counters, counters_outlive_the_stream);
	return pcm_rig_run(suite);
}
