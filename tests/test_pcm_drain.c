/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The end of a stream: drain, drop, and what comes after them. Most bodies run on
 * the bare card (0) and through headroom (1). */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
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

/* Nothing starts by itself, so that no end of a stream can be an underrun. */
static void open_with(bool headroom, int mode, const char *keys, size_t n)
{
	rig_open_either(&rig, headroom, SND_PCM_STREAM_PLAYBACK, mode, "", keys, &stereo);
	rig_thresholds(&rig, 4801, 0, 0);
	data = rig_noise(&rig, n, 11);
}

static void assert_no_xrun(bool headroom)
{
	if (!headroom) {
		ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
		return;
	}
	/* The card behind headroom may have run dry at the end before it was told
	 * to drain; that is not an xrun to anybody else. */
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Device Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Healthy"), 1);
}

static const size_t lengths[] = { 1, 17, 480, 481, 4799, 4800 };
static const char *const sides[] = { "", "slave.buffer 960", "slave.buffer 9600" };

/* The card writes a frame down when it is heard: all are there when drain
 * returns, and it takes at least as long as they do. */
START_TEST(drain_returns_when_the_last_frame_was_heard)
{
	size_t n = lengths[_i % (int)N_OF(lengths)];
	int side = _i / (int)N_OF(lengths);
	uint64_t start_ns;

	open_with(side > 0, 0, side > 0 ? sides[side - 1] : "", n);
	rig_write(&rig, data, n, n);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	start_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_ge(hr_now_ns() - start_ns, hr_frames_to_ns(n, 48000));
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, n);
	assert_no_xrun(side > 0);
}
END_TEST

START_TEST(an_empty_stream_drains_at_once)
{
	open_with(_i, 0, "", 1);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, 0);
	assert_no_xrun(_i);
}
END_TEST

START_TEST(a_non_blocking_drain_ends_by_poll_alone)
{
	unsigned short revents = 0;
	struct pollfd pfd;

	open_with(_i, SND_PCM_NONBLOCK, "", 1200);
	rig_write(&rig, data, 1200, 1200);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EAGAIN);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_DRAINING);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
	while (revents == 0) {
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1, &revents);
	}
	ck_assert_int_eq(revents & ~POLLERR, POLLOUT);	/* as in SETUP */
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, 1200);
	assert_no_xrun(_i);
}
END_TEST

START_TEST(a_non_blocking_drain_ends_by_asking_again)
{
	unsigned int wakes = 0;
	struct pollfd pfd;
	int err;

	open_with(_i, SND_PCM_NONBLOCK, "", 4800);
	rig_write(&rig, data, 4800, 4800);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
	while ((err = snd_pcm_drain(rig.pcm)) == -EAGAIN) {
		unsigned short revents;

		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1, &revents);
		wakes++;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_le(wakes, 3);	/* it does not spin */
	rig_assert_heard(&rig, data, 4800);
}
END_TEST

/* 12 s of sound that nobody wants to hear to the end. */
static void open_long(bool headroom)
{
	struct rig_params params = stereo;

	params.rate = 4000;
	params.buffer = 48000;
	rig_open_either(&rig, headroom, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	data = rig_noise(&rig, 48000, 12);
	rig_write(&rig, data, 48000, 48000);
}

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

	open_long(_i);
	ck_assert_int_eq(pthread_create(&thread, NULL, drop_soon, NULL), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_lt(hr_now_ns() - start_ns, 10 * HR_NS_PER_S);
	pthread_join(thread, NULL);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	rig_assert_heard(&rig, data, rig_heard(&rig));
	ck_assert_uint_lt(rig_heard(&rig), 48000);
}
END_TEST

static void abort_pcm(int signal)
{
	(void)signal;
	snd_pcm_abort(rig.pcm);
}

/* As aplay does on Ctrl-C: the rest is not waited for. */
START_TEST(an_abort_from_a_signal_handler_ends_drain)
{
	uint64_t start_ns = hr_now_ns();

	open_long(_i);
	signal(SIGALRM, abort_pcm);
	ualarm(50000, 0);
	(void)snd_pcm_drain(rig.pcm);
	ck_assert_uint_lt(hr_now_ns() - start_ns, 10 * HR_NS_PER_S);
	ck_assert_uint_lt(rig_heard(&rig), 48000);
}
END_TEST

START_TEST(drop_hears_what_was_consumed_and_no_more)
{
	unsigned long long frame = 0;
	size_t heard;

	open_long(_i);
	rig_wait_avail(&rig, snd_pcm_avail(rig.pcm) + 480);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	heard = rig_heard(&rig);
	ck_assert_uint_ge(heard, 1);
	ck_assert_uint_le(heard, 48000);
	ck_assert_uint_ge(rig_log(&rig, "stop", &frame, NULL), 1);
	ck_assert_uint_eq(frame, heard);
	rig_assert_heard(&rig, data, heard);
	rig_let_pass_ms(20);
	ck_assert_uint_eq(rig_heard(&rig), heard);
}
END_TEST

/* Each round begins with a drop in the midst or a drain of the one before. */
START_TEST(a_stream_plays_again_after_drop_and_after_drain)
{
	size_t expected = 0;
	uint8_t *all;

	open_with(_i, 0, "", 2400);
	all = malloc((size_t)30 * 2400 * 4);
	ck_assert_ptr_nonnull(all);
	for (int round = 0; round < 30; round++) {
		size_t n = 100 + 37 * (size_t)round;

		if (round > 0)
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + round * 4, n),
				 (snd_pcm_sframes_t)n);
		memcpy(all + expected * 4, data + round * 4, n * 4);
		if (round % 3 == 1)
			ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		if (round % 3 == 2)
			ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		if (round % 3 != 1)
			ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		if (round % 3 == 0)
			ck_assert_uint_eq(rig_heard(&rig), expected);
		if (round % 3 == 1)
			ck_assert_uint_eq(rig_heard(&rig), expected + n);
		ck_assert_uint_le(rig_heard(&rig), expected + n);
		expected = rig_heard(&rig);
		rig_assert_heard(&rig, all, expected);
	}
	free(all);
}
END_TEST

START_TEST(prepare_forgets_what_was_written)
{
	open_with(_i, 0, "", 2000);
	rig_write(&rig, data, 700, 700);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 4800);
	rig_write(&rig, data + 2800, 900, 900);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data + 2800, 900);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("end of playback");
	TCase *tcase = pcm_rig_case(suite, "drain", set_up, tear_down);

	tcase_add_loop_test(tcase, drain_returns_when_the_last_frame_was_heard, 0,
			    (int)(N_OF(lengths) * (1 + N_OF(sides))));
	tcase_add_loop_test(tcase, an_empty_stream_drains_at_once, 0, 2);
	tcase_add_loop_test(tcase, a_non_blocking_drain_ends_by_poll_alone, 0, 2);
	tcase_add_loop_test(tcase, a_non_blocking_drain_ends_by_asking_again, 0, 2);
	tcase_add_loop_test(tcase, a_drop_from_another_thread_ends_drain, 0, 2);
	tcase_add_loop_test(tcase, an_abort_from_a_signal_handler_ends_drain, 0, 2);
	tcase = pcm_rig_case(suite, "drop", set_up, tear_down);
	tcase_add_loop_test(tcase, drop_hears_what_was_consumed_and_no_more, 0, 2);
	tcase_add_loop_test(tcase, a_stream_plays_again_after_drop_and_after_drain, 0, 2);
	tcase_add_loop_test(tcase, prepare_forgets_what_was_written, 0, 2);
	return pcm_rig_run(suite);
}
