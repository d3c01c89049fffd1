/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* That what is written is heard, by every way there is to write. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "core/clock.h"
#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

static struct rig rig;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

static void set_up(void)
{
	rig_init(&rig);
}

static void tear_down(void)
{
	rig_finish(&rig);
}

static const struct {
	snd_pcm_format_t format;
	unsigned int channels;
} shapes[] = {
	{ SND_PCM_FORMAT_S8, 1 }, { SND_PCM_FORMAT_U8, 3 },
	{ SND_PCM_FORMAT_S16_LE, 1 }, { SND_PCM_FORMAT_S16_BE, 2 },
	{ SND_PCM_FORMAT_S24_LE, 6 }, { SND_PCM_FORMAT_S24_3LE, 5 },
	{ SND_PCM_FORMAT_S32_LE, 32 }, { SND_PCM_FORMAT_FLOAT_LE, 2 },
	{ SND_PCM_FORMAT_FLOAT64_LE, 7 },
};

/* Some laps of the ring, with a tail of 17 frames. */
START_TEST(every_format_is_heard_bit_for_bit)
{
	const size_t n = 3 * 4800 + 2 * 480 + 17;
	struct rig_params params = stereo;
	uint8_t *data;

	params.format = shapes[_i].format;
	params.channels = shapes[_i].channels;
	params.rate = 96000;
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	data = rig_noise(&rig, n, 1);
	rig_write(&rig, data, n, 1 + 333 * (size_t)_i);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, n);
	free(data);
}
END_TEST

static const struct {
	unsigned int rate;
	const char *keys;
	uint64_t ns;	/* that 1000 frames last, rounded down */
} rates[] = {
	{ 4000, "", 250000000 },
	{ 8000, "", 125000000 },
	{ 11025, "", 90702947 },
	{ 44100, "", 22675736 },
	{ 31337, "", 31911159 },
	{ 192000, "", 5208333 },
	{ 384000, "", 2604166 },
	{ 48000, "rate_ppm -500000", 41666666 },
	{ 48000, "rate_ppm 500000", 13888888 },
};

START_TEST(drain_lasts_as_long_as_the_sound)
{
	struct rig_params params = stereo;
	uint64_t start_ns;
	uint8_t *data;

	params.rate = rates[_i].rate;
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, rates[_i].keys, &params);
	rig_thresholds(&rig, 4800, 0, 0);
	data = rig_noise(&rig, 1000, 2);
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	start_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_ge(hr_now_ns() - start_ns, rates[_i].ns);
	rig_assert_heard(&rig, data, 1000);
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
	free(data);
}
END_TEST

START_TEST(an_empty_stream_drains_at_once_and_does_not_start)
{
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &stereo);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, NULL, 0);
}
END_TEST

START_TEST(non_interleaved_writes_are_heard_interleaved)
{
	const size_t n = 4 * 480 + 7;
	struct rig_params params = stereo;
	int16_t left[480], right[480], *heard;
	size_t size;

	params.access = SND_PCM_ACCESS_RW_NONINTERLEAVED;
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	for (size_t at = 0; at < n;) {
		size_t part = n - at < 480 ? n - at : 480;
		void *channels[2] = { left, right };
		snd_pcm_sframes_t done;

		for (size_t i = 0; i < part; i++) {
			left[i] = (int16_t)(at + i);
			right[i] = (int16_t)~(at + i);
		}
		done = snd_pcm_writen(rig.pcm, channels, part);
		if (done == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
			continue;
		}
		ck_assert_int_gt(done, 0);
		at += (size_t)done;
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	heard = (int16_t *)(void *)rig_slurp(rig.heard, &size);
	ck_assert_uint_eq(size, n * 4);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(heard[2 * i], (int16_t)i);
		ck_assert_int_eq(heard[2 * i + 1], (int16_t)~i);
	}
	free(heard);
}
END_TEST

/* Copy frames of interleaved data to mmap areas. */
static void put(const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		const uint8_t *data, snd_pcm_uframes_t n)
{
	for (snd_pcm_uframes_t i = 0; i < n; i++)
		for (unsigned int c = 0; c < 2; c++)
			memcpy((char *)areas[c].addr + areas[c].first / 8 +
			       (offset + i) * areas[c].step / 8,
			       data + i * 4 + c * 2, 2);
}

/* Commit the next frames, as far as they go; 0 if the stream has to be waited
 * for. */
static size_t commit_some(const uint8_t *data, size_t n)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, frames = n;
	snd_pcm_sframes_t done = snd_pcm_avail_update(rig.pcm);

	if (done >= 0) {
		ck_assert_int_eq(snd_pcm_mmap_begin(rig.pcm, &areas, &offset,
						    &frames), 0);
		if (frames == 0)
			return 0;
		put(areas, offset, data, frames);
		done = snd_pcm_mmap_commit(rig.pcm, offset, frames);
	}
	if (done == -EPIPE) {
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		return 0;
	}
	ck_assert_int_eq(done, (snd_pcm_sframes_t)frames);
	return frames;
}

START_TEST(mmap_playback_is_heard_bit_for_bit)
{
	const size_t n = 2 * 4800 + 480 + 5;
	struct rig_params params = stereo;
	uint8_t *data;

	params.access = _i ? SND_PCM_ACCESS_MMAP_NONINTERLEAVED :
			     SND_PCM_ACCESS_MMAP_INTERLEAVED;
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	data = rig_noise(&rig, n, 3);
	for (size_t at = 0; at < n;) {
		size_t part = n - at < 331 ? n - at : 331;
		size_t done = commit_some(data + at * 4, part);

		at += done;
		if (done == 0)
			snd_pcm_wait(rig.pcm, -1);
		else if (snd_pcm_state(rig.pcm) == SND_PCM_STATE_PREPARED)
			ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, n);
	free(data);
}
END_TEST

/* Write what goes without waiting; -EAGAIN or 0 at the end of the data. */
static int write_some(const uint8_t *data, size_t n, size_t *atp)
{
	while (*atp < n) {
		snd_pcm_sframes_t done =
			snd_pcm_writei(rig.pcm, data + *atp * 4,
				       n - *atp < 200 ? n - *atp : 200);

		if (done == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
			continue;
		}
		if (done == -EAGAIN)
			return -EAGAIN;
		ck_assert_int_gt(done, 0);
		*atp += (size_t)done;
	}
	return 0;
}

/* The descriptors are asked for once, as by a program with an event loop. */
START_TEST(poll_wakes_a_non_blocking_writer_once_per_period)
{
	const size_t n = 4 * 4800 + 99;
	unsigned int wakes = 0, drain_wakes = 0;
	unsigned short revents;
	struct pollfd pfd;
	size_t at = 0;
	uint8_t *data;
	int err;

	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", &stereo);
	rig_thresholds(&rig, 0, 0, 480);
	ck_assert_int_eq(snd_pcm_poll_descriptors_count(rig.pcm), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
	data = rig_noise(&rig, n, 4);
	while (write_some(data, n, &at) == -EAGAIN) {
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1,
								  &revents), 0);
		ck_assert_int_eq(revents & ~(POLLOUT | POLLERR), 0);
		wakes++;
	}
	ck_assert_uint_le(wakes, 2 * n / 480);
	while ((err = snd_pcm_drain(rig.pcm)) == -EAGAIN) {
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1, &revents);
		drain_wakes++;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_le(drain_wakes, 3);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, n);
	free(data);
}
END_TEST

START_TEST(a_non_blocking_drain_ends_by_poll_alone)
{
	unsigned short revents = 0;
	struct pollfd pfd;
	uint8_t *data;

	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", &stereo);
	rig_thresholds(&rig, 4800, 0, 0);
	data = rig_noise(&rig, 1200, 5);
	rig_write(&rig, data, 1200, 1200);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EAGAIN);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
	while (revents == 0) {
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1, &revents);
	}
	ck_assert_int_eq(revents, POLLOUT | POLLERR);	/* as of a kernel's card */
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, 1200);
	free(data);
}
END_TEST

/* 12 s of sound that nobody wants to hear to the end. */
static void open_long(void)
{
	struct rig_params params = stereo;
	uint8_t *data;

	params.rate = 4000;
	params.buffer = 48000;
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	data = rig_noise(&rig, 48000, 6);
	rig_write(&rig, data, 48000, 48000);
	free(data);
}

static void abort_pcm(int signal)
{
	(void)signal;
	snd_pcm_abort(rig.pcm);
}

START_TEST(an_abort_from_a_signal_handler_ends_drain)
{
	uint64_t start_ns = hr_now_ns();

	open_long();
	signal(SIGALRM, abort_pcm);
	ualarm(50000, 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EINTR);
	ck_assert_uint_lt(hr_now_ns() - start_ns, 10 * HR_NS_PER_S);
}
END_TEST

static void *drop_soon(void *unused)
{
	(void)unused;
	while (snd_pcm_state(rig.pcm) != SND_PCM_STATE_DRAINING)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	return NULL;
}

START_TEST(a_drop_from_another_thread_ends_drain)
{
	uint64_t start_ns = hr_now_ns();
	pthread_t thread;

	open_long();
	ck_assert_int_eq(pthread_create(&thread, NULL, drop_soon, NULL), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_lt(hr_now_ns() - start_ns, 10 * HR_NS_PER_S);
	pthread_join(thread, NULL);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
}
END_TEST

START_TEST(one_handle_plays_at_one_rate_after_the_other)
{
	struct rig_params params = stereo;
	uint8_t *data, *all;

	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	all = rig_noise(&rig, 2000, 6);
	data = all;
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_set_params(rig.pcm, SND_PCM_FORMAT_S16_LE,
					    SND_PCM_ACCESS_RW_INTERLEAVED, 2,
					    96000, 0, 100000), 0);
	rig_write(&rig, data + 4000, 1000, 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, all, 2000);
	free(all);
}
END_TEST

TCase *clocked_playback_tests(void)
{
	TCase *tcase = tcase_create("playback");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, every_format_is_heard_bit_for_bit, 0,
			    (int)(sizeof(shapes) / sizeof(shapes[0])));
	tcase_add_loop_test(tcase, drain_lasts_as_long_as_the_sound, 0,
			    (int)(sizeof(rates) / sizeof(rates[0])));
	tcase_add_test(tcase, an_empty_stream_drains_at_once_and_does_not_start);
	tcase_add_test(tcase, non_interleaved_writes_are_heard_interleaved);
	tcase_add_loop_test(tcase, mmap_playback_is_heard_bit_for_bit, 0, 2);
	tcase_add_test(tcase, poll_wakes_a_non_blocking_writer_once_per_period);
	tcase_add_test(tcase, a_non_blocking_drain_ends_by_poll_alone);
	tcase_add_test(tcase, an_abort_from_a_signal_handler_ends_drain);
	tcase_add_test(tcase, a_drop_from_another_thread_ends_drain);
	tcase_add_test(tcase, one_handle_plays_at_one_rate_after_the_other);
	return tcase;
}
