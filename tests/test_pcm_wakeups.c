/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Programs that poll the bare descriptors, and corners of start, stop and drain.
 * Bodies with a loop of two run on the bare card (0) and through headroom (1).
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

#define RATE 48000u

static struct rig rig;
static uint8_t *data;
static uint32_t got[RATE];

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = RATE, .period = 480, .buffer = 4800,
};

/* Records the number of each frame. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = RATE, .period = 480, .buffer = 4800,
};

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

/* ---- prepared ---- */

static struct pollfd descriptor(void)
{
	struct pollfd fd;

	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), 1);
	return fd;
}

static void assert_writable(struct pollfd fd)
{
	unsigned short revents = 0;

	ck_assert_int_eq(poll(&fd, 1, 10000), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &fd, 1, &revents), 0);
	ck_assert_int_eq(revents, POLLOUT);
}

START_TEST(prepared_playback_is_writable_by_its_descriptor_alone)
{
	struct pollfd fd;

	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	assert_writable(descriptor());
	data = rig_noise(&rig, 4800, 71);
	for (int round = 0; round < 3; round++) {
		rig_thresholds(&rig, 4801, 0, 0);
		rig_write(&rig, data, 4800, 4800);	/* full: not writable */
		fd = descriptor();
		ck_assert_int_eq(poll(&fd, 1, 0), 0);
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		if (round == 1)
			ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
		if (round < 2)
			rig_install(&rig, &stereo);
		else
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		assert_writable(descriptor());
	}
}
END_TEST

static void ask_for_period_events(int on)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	ck_assert_int_eq(snd_pcm_sw_params_current(rig.pcm, sw), 0);
	ck_assert_int_eq(snd_pcm_sw_params_set_period_event(rig.pcm, sw, on), 0);
	ck_assert_int_eq(snd_pcm_sw_params(rig.pcm, sw), 0);
}

/* How often it is woken while a buffer is played. */
static int wakes_of_a_buffer(void)
{
	int wakes = 0;

	rig_write(&rig, data, 4800, 4800);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (snd_pcm_wait(rig.pcm, 5000) == 1 && snd_pcm_avail(rig.pcm) >= 0)
		wakes++;
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	return wakes;
}

/* avail_min is the whole buffer: nothing else could wake it on the way. A machine
 * that is busy may wake it once for two periods. */
START_TEST(with_period_event_each_period_wakes_once)
{
	int wakes = 0;

	rig_open_either(&rig, 1, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	rig_thresholds(&rig, 4801, 0, 4800);
	data = rig_noise(&rig, 4800, 71);
	ck_assert_int_le(wakes_of_a_buffer(), 1);
	ask_for_period_events(1);
	for (int round = 0; round < 20 && wakes < 8; round++) {
		wakes = wakes_of_a_buffer();
		ck_assert_int_le(wakes, 10);
	}
	ck_assert_int_ge(wakes, 8);
	ask_for_period_events(0);
	ck_assert_int_le(wakes_of_a_buffer(), 1);
}
END_TEST

START_TEST(prepared_capture_is_not_readable_by_its_descriptor)
{
	struct pollfd fd;

	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0, "", "", &mono);
	for (int round = 0; round < 3; round++) {
		fd = descriptor();
		ck_assert_int_eq(poll(&fd, 1, 20), 0);
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		if (round == 0)
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		else
			rig_install(&rig, &mono);
	}
}
END_TEST

/* ---- a recorder that sleeps ---- */

#define N_WAITS 100
#define N_TRIES 10

/* Sleep until a period is there, and read whole ones. How many frames there were; 0 if
 * the program was too late, and the stream begins anew. */
static snd_pcm_sframes_t sleep_and_read(bool headroom)
{
	int err = snd_pcm_wait(rig.pcm, -1);
	snd_pcm_sframes_t n = err < 0 ? err : snd_pcm_avail_update(rig.pcm);
	snd_pcm_uframes_t whole = n > 0 ? (snd_pcm_uframes_t)(n - n % 480) : 0;

	if (whole)
		err = (int)snd_pcm_readi(rig.pcm, got, whole);
	/* headroom first hands out what it has kept, then tells of an overrun. */
	if (n == -EPIPE || err == -EPIPE || (headroom && n < 480)) {
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		return 0;
	}
	ck_assert_int_ge(n, 480);
	ck_assert_int_eq(err, (int)whole);
	return n;
}

/* How many periods ended without it, of N_WAITS. */
static unsigned int count_missed(bool headroom)
{
	unsigned int missed = 0;

	for (int i = 0; i < N_WAITS; i++) {
		snd_pcm_sframes_t n = sleep_and_read(headroom);

		missed += n == 0 || n >= 2 * 480;
	}
	return missed;
}

/* As most programs record: whole periods are read when they are there, so that the rest
 * is there sooner than a period later. On the bare card and through headroom, with a
 * buffer of ten periods and of two. */
START_TEST(a_recorder_is_woken_at_the_end_of_each_period)
{
	struct rig_params params = mono;
	int tries = 0;

	params.buffer = _i & 2 ? 960 : 4800;
	rig_open_either(&rig, _i & 1, SND_PCM_STREAM_CAPTURE, 0, "", "", &params);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	/* A busy machine misses some, and many now and then. */
	while (count_missed(_i & 1) * 4 > N_WAITS)
		ck_assert_int_lt(++tries, N_TRIES);
}
END_TEST

/* The thread sanitizer has a thread of its own, which wakes ten times a second. */
#define WAKES_OF_OTHERS 30

struct effort {
	struct rusage usage;
	uint64_t at_ns;
};

static struct effort effort_now(void)
{
	struct effort effort = { .at_ns = hr_now_ns() };

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &effort.usage), 0);
	return effort;
}

static uint64_t cpu_ns(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * HR_NS_PER_S +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

/* No more than so many wake-ups, and no spin, which is none. */
static void assert_little_effort(const struct effort *before, long wakes)
{
	struct effort after = effort_now();

	ck_assert_int_le(after.usage.ru_nvcsw - before->usage.ru_nvcsw, wakes);
	ck_assert_uint_lt(cpu_ns(&after.usage) - cpu_ns(&before->usage),
			  (after.at_ns - before->at_ns) / 2);
}

/* A second of 10 ms periods, read when the call returns or when poll does; from the card,
 * and from a converter over it. */
START_TEST(a_recorder_wakes_seldom)
{
	static const char text[] =
		"pcm.y { type plug slave { pcm card rate 44100 } }\n"
		"pcm.x { type headroom slave.pcm y }\n"
		"pcm.z { type headroom slave.pcm card }\n";
	struct effort before;

	ck_assert_int_eq(rig_try_open_defined(&rig, _i & 2 ? "x" : "z", text,
				SND_PCM_STREAM_CAPTURE, 0, ""), 0);
	rig_install(&rig, &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	before = effort_now();
	for (int i = 0; i < N_WAITS; i++) {
		if (_i & 1)
			ck_assert_int_eq(snd_pcm_wait(rig.pcm, 10000), 1);
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 480), 480);
	}
	assert_little_effort(&before, 3 * N_WAITS + 10 + WAKES_OF_OTHERS);
}
END_TEST

/* However short its periods are: it is looked at the less the longer it stands. */
START_TEST(a_card_that_stands_still_wakes_nobody)
{
	struct rig_params params = mono;
	struct effort before;

	params.period = 16;
	rig_be_commanded(&rig);
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", "", &params);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 480), 480);
	RIG_COMMAND(&rig, still, 1);
	rig_let_pass_ms(100);
	before = effort_now();
	rig_let_pass_ms(1000);
	assert_little_effort(&before, 50 + WAKES_OF_OTHERS);
	RIG_COMMAND(&rig, still, 0);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 480), 480);
}
END_TEST

/* ---- an overrun, and a program of whole periods ---- */

#define DROPPED "Headroom Capture Frames Dropped"
#define XRUNS "Headroom Capture Xruns"
#define WAKES_MAX 500

/* Read whole periods until told of the overrun; returns how many frames. */
static size_t read_periods_until_told(void)
{
	struct pollfd fd = descriptor();
	unsigned short revents;
	size_t total = 0;

	for (int wakes = 0; wakes < WAKES_MAX; wakes++) {
		snd_pcm_sframes_t n;

		ck_assert_int_ge(poll(&fd, 1, -1), 0);
		ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &fd, 1,
								  &revents), 0);
		n = snd_pcm_avail_update(rig.pcm);
		if (n == -EPIPE)
			return total;
		ck_assert_int_ge(n, 0);
		n -= n % 480;
		if (n == 0)
			continue;
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, (snd_pcm_uframes_t)n), n);
		for (snd_pcm_sframes_t i = 0; i < n; i++)
			ck_assert_uint_eq(got[i], total + (size_t)i);
		total += (size_t)n;
	}
	ck_abort_msg("woken %d times, and not told", WAKES_MAX);
	return 0;
}

/* 101 ms: what is kept is no multiple of the period. */
START_TEST(a_program_that_reads_whole_periods_is_told_of_the_overrun)
{
	unsigned long long stopped = 0;
	size_t total;

	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "",
			  "depth_ms 101 slave.buffer 96000", &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (rig_counter(&rig, XRUNS) == 0)
		rig_sleep_ms(5);
	total = read_periods_until_told();
	ck_assert_uint_eq(total, (4800 + 4848) / 480 * 480);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_uint_eq(rig_log(&rig, "stop", &stopped, NULL), 1);
	/* The card may have gone on by some frames between the last look at it and
	 * its stop; the rest of the ring is 48. */
	ck_assert_int_le(rig_counter(&rig, DROPPED), (int64_t)(stopped - total));
	ck_assert_int_ge(rig_counter(&rig, DROPPED), 48);
	rig_read(&rig, (uint8_t *)got, 1000);
	for (size_t i = 1; i < 1000; i++)
		ck_assert_uint_eq(got[i], got[0] + i);
}
END_TEST

/* ---- thresholds ---- */

static void stop_at(bool boundary)
{
	snd_pcm_uframes_t stop = 0;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	ck_assert_int_eq(snd_pcm_sw_params_current(rig.pcm, sw), 0);
	if (boundary)
		snd_pcm_sw_params_get_boundary(sw, &stop);
	ck_assert_int_eq(snd_pcm_sw_params_set_stop_threshold(rig.pcm, sw, stop), 0);
	ck_assert_int_eq(snd_pcm_sw_params(rig.pcm, sw), 0);
}

START_TEST(a_capture_that_stops_at_once_can_be_prepared_again)
{
	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0, "", "depth_ms 0", &mono);
	for (int round = 0; round < 3; round++) {
		stop_at(false);
		(void)snd_pcm_start(rig.pcm);
		while (snd_pcm_avail(rig.pcm) >= 0)
			rig_sleep_ms(1);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	}
	rig_thresholds(&rig, 0, 48000, 0);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
}
END_TEST

START_TEST(an_empty_stream_that_never_stops_can_be_started)
{
	size_t size, n_bytes = 1000 * 4;
	uint8_t *heard;

	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	stop_at(true);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	rig_let_pass_ms(50);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 4800);
	data = rig_noise(&rig, 1000, 72);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 1000), 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	heard = rig_slurp(rig.heard, &size);
	/* Silence before, and all of it; the drain may end in some more. */
	while (size > n_bytes && memcmp(heard + size - n_bytes, data, n_bytes) != 0 &&
	       memcmp(heard + size - 4, "\0\0\0\0", 4) == 0)
		size -= 4;
	ck_assert_uint_gt(size, n_bytes);
	ck_assert_int_eq(memcmp(heard + size - n_bytes, data, n_bytes), 0);
	for (size_t i = 0; i < size - n_bytes; i++)
		ck_assert_uint_eq(heard[i], 0);
	free(heard);
}
END_TEST

/* ---- drain ---- */

static void *drain(void *over)
{
	(void)snd_pcm_drain(rig.pcm);
	atomic_store((_Atomic bool *)over, true);
	return NULL;
}

/* The watchdog of the test case ends it if the drain does not. */
START_TEST(a_drain_ends_when_another_thread_drops_and_prepares)
{
	struct rig_params params = stereo;

	params.buffer = 96000;		/* two seconds, which nobody waits for */
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	rig_thresholds(&rig, 96001, 0, 0);
	data = rig_noise(&rig, 96000, 73);
	for (int round = 0; round < 50; round++) {
		_Atomic bool over = false;
		pthread_t drainer;

		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		rig_write(&rig, data, 96000, 96000);
		ck_assert_int_eq(pthread_create(&drainer, NULL, drain, &over), 0);
		while (!atomic_load(&over) &&
		       snd_pcm_state(rig.pcm) != SND_PCM_STATE_DRAINING)
			rig_sleep_ms(1);
		if (round % 2)
			rig_let_pass_ms(5);	/* it sleeps by now, most likely */
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(pthread_join(drainer, NULL), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wakeups");
	TCase *tcase = pcm_rig_case(suite, "poll", set_up, tear_down);

	tcase_add_test(tcase, with_period_event_each_period_wakes_once);
	tcase_add_loop_test(tcase, prepared_playback_is_writable_by_its_descriptor_alone,
			    0, 2);
	tcase_add_loop_test(tcase, prepared_capture_is_not_readable_by_its_descriptor,
			    0, 2);
	tcase_add_test(tcase, a_program_that_reads_whole_periods_is_told_of_the_overrun);
	tcase_add_loop_test(tcase, a_recorder_is_woken_at_the_end_of_each_period, 0, 4);
	tcase_add_loop_test(tcase, a_recorder_wakes_seldom, 0, 4);
	tcase_add_test(tcase, a_card_that_stands_still_wakes_nobody);
	tcase = pcm_rig_case(suite, "corners", set_up, tear_down);
	tcase_add_loop_test(tcase, a_capture_that_stops_at_once_can_be_prepared_again,
			    0, 2);
	tcase_add_loop_test(tcase, an_empty_stream_that_never_stops_can_be_started, 0, 2);
	tcase_add_test(tcase, a_drain_ends_when_another_thread_drops_and_prepares);
	return pcm_rig_run(suite);
}
