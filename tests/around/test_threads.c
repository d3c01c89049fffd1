/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Programs that use a stream from several threads, and calls at the wrong time. Each
 * on the bare card (0) and through headroom (1).
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

#define SOON_NS (20 * HR_NS_PER_S)	/* far beyond any delay that is none */

/* Without its mutex alsa-lib's own fields are nobody's: not what is tested here. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libasound.so.2\n";
}

static struct rig rig;
static uint8_t *data;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 24000,
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

static void open_with(int headroom, snd_pcm_stream_t stream, long start)
{
	rig_open_either(&rig, headroom, stream, 0, "", "", &stereo);
	rig_thresholds(&rig, start, 0, 0);
	data = rig_noise(&rig, 48000, 81);
}

/* Run a part of the program in a thread of its own, to its end. */
static void in_a_thread(void *(*part)(void *))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, part, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void *write_first(void *unused)
{
	rig_write(&rig, data, 20000, 777);
	return unused;
}

static void *start(void *unused)
{
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	return unused;
}

static void *write_rest(void *unused)
{
	rig_write(&rig, data + 20000 * 4, 28000, 1234);
	return unused;
}

static void *drain(void *unused)
{
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	return unused;
}

static void *close_it(void *unused)
{
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	return unused;
}

START_TEST(each_call_may_come_from_another_thread)
{
	open_with(_i, SND_PCM_STREAM_PLAYBACK, 48000);
	in_a_thread(write_first);
	in_a_thread(start);
	in_a_thread(write_rest);
	in_a_thread(drain);
	in_a_thread(close_it);
	rig_assert_heard(&rig, data, 48000);
}
END_TEST

static void take_back_the_last(void)
{
	rig_write(&rig, data, 20000, 20000);
	rig_write(&rig, data + 20000 * 4, 3000, 3000);
	ck_assert_int_eq(snd_pcm_rewind(rig.pcm, 3000), 3000);
}

START_TEST(what_one_thread_has_taken_back_another_does_not_play)
{
	open_with(_i, SND_PCM_STREAM_PLAYBACK, 48000);
	take_back_the_last();
	in_a_thread(drain);
	rig_assert_heard(&rig, data, 20000);
}
END_TEST

static void *poll_once(void *revents)
{
	struct pollfd fds[4];
	int n = snd_pcm_poll_descriptors(rig.pcm, fds, 4);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(poll(fds, (nfds_t)n, 0), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, fds, (unsigned int)n,
							  revents), 0);
	return revents;
}

static struct pollfd known_fds[4];
static int n_known;

/* Many programs ask for the descriptors once. */
static void *poll_what_is_known(void *revents)
{
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, known_fds,
							  (unsigned int)n_known, revents), 0);
	return revents;
}

START_TEST(room_that_one_thread_has_made_another_sees)
{
	unsigned short revents = 0;
	pthread_t thread;

	open_with(_i & 1, SND_PCM_STREAM_PLAYBACK, 48000);
	rig_thresholds(&rig, 48000, 0, 2000);
	n_known = snd_pcm_poll_descriptors(rig.pcm, known_fds, 4);
	take_back_the_last();
	ck_assert_int_eq(pthread_create(&thread, NULL, _i & 2 ? poll_what_is_known : poll_once,
					&revents), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(revents, POLLOUT);
}
END_TEST

static void *drain_whatever_comes(void *result)
{
	*(int *)result = snd_pcm_drain(rig.pcm);
	return NULL;
}

START_TEST(drop_ends_the_drain_of_another_thread)
{
	uint64_t end_ns = hr_now_ns() + SOON_NS;
	struct timespec until;
	pthread_t thread;
	int result;

	open_with(_i, SND_PCM_STREAM_PLAYBACK, 48000);
	for (int round = 0; round < 5; round++) {
		rig_write(&rig, data, 24000, 24000);
		ck_assert_int_eq(pthread_create(&thread, NULL, drain_whatever_comes,
						&result), 0);
		while (snd_pcm_state(rig.pcm) == SND_PCM_STATE_PREPARED &&
		       hr_now_ns() < end_ns)
			rig_sleep_ms(1);
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 20;
		ck_assert_int_eq(pthread_timedjoin_np(thread, NULL, &until), 0);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	}
	rig_write(&rig, data, 480, 480);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
}
END_TEST

/* ---- one thread moves frames, another looks ---- */

static _Atomic bool over;

static void poll_by_hand(void)
{
	struct pollfd fds[4];
	unsigned short revents;
	int n = snd_pcm_poll_descriptors(rig.pcm, fds, 4);

	ck_assert_int_gt(n, 0);
	snd_pcm_poll_descriptors_revents(rig.pcm, fds, (unsigned int)n, &revents);
}

static void *look(void *by_hand)
{
	snd_pcm_sframes_t delay;

	/* relaxed: nothing goes with it. */
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		if (by_hand)
			poll_by_hand();
		else
			snd_pcm_wait(rig.pcm, 1);
		snd_pcm_delay(rig.pcm, &delay);
	}
	return NULL;
}

/* _i: 1 through headroom, 2 polled by hand. Small writes: many moments at which the
 * other thread may come in between. */
START_TEST(what_is_written_is_heard_while_another_thread_looks)
{
	pthread_t looker;

	open_with(_i & 1, SND_PCM_STREAM_PLAYBACK, 12000);
	atomic_store_explicit(&over, false, memory_order_relaxed);
	ck_assert_int_eq(pthread_create(&looker, NULL, look, _i & 2 ? &rig : NULL), 0);
	rig_write(&rig, data, 48000, 17);
	atomic_store_explicit(&over, true, memory_order_relaxed);
	pthread_join(looker, NULL);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 48000);
}
END_TEST

/* All that a program may call although it has set nothing up, as one row. */
static void call_too_early(snd_pcm_t *pcm, long results[static 9])
{
	static int16_t few[64];
	snd_pcm_sframes_t delay;

	results[0] = snd_pcm_writei(pcm, few, 16);
	results[1] = snd_pcm_start(pcm);
	results[2] = snd_pcm_prepare(pcm);
	results[3] = snd_pcm_drain(pcm);
	results[4] = snd_pcm_drop(pcm);
	results[5] = snd_pcm_avail(pcm);
	results[6] = snd_pcm_delay(pcm, &delay);
	results[7] = snd_pcm_wait(pcm, 0);
	results[8] = snd_pcm_state(pcm);
}

START_TEST(calls_before_hw_params_fail_as_on_the_card)
{
	long results[2][9];

	for (int headroom = 0; headroom < 2; headroom++) {
		if (headroom)
			ck_assert_int_eq(rig_try_open_headroom(
				&rig, SND_PCM_STREAM_PLAYBACK, 0, "", ""), 0);
		else
			ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_PLAYBACK, 0,
						      ""), 0);
		call_too_early(rig.pcm, results[headroom]);
		if (!headroom)
			pcm_rig_finish(&rig), pcm_rig_init(&rig);
	}
	for (int i = 0; i < 9; i++)
		ck_assert_msg(results[0][i] == results[1][i], "call %d: the card %ld, headroom %ld",
			      i, results[0][i], results[1][i]);
}
END_TEST

/* Sizes that no buffer has. */
START_TEST(absurd_sizes_fail_as_on_the_card)
{
	long results[2][4];

	for (int headroom = 0; headroom < 2; headroom++) {
		open_with(headroom, SND_PCM_STREAM_PLAYBACK, 48000);
		ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 1), 0);
		results[headroom][0] = snd_pcm_writei(rig.pcm, data, 0);
		results[headroom][1] = snd_pcm_writei(rig.pcm, data, 48000);
		results[headroom][2] = snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)1 << 40);
		results[headroom][3] = snd_pcm_forward(rig.pcm, (snd_pcm_uframes_t)1 << 40);
		if (!headroom) {
			pcm_rig_finish(&rig);
			free(data);
			pcm_rig_init(&rig);
		}
	}
	for (int i = 0; i < 4; i++)
		ck_assert_msg(results[0][i] == results[1][i], "call %d: the card %ld, headroom %ld",
			      i, results[0][i], results[1][i]);
}
END_TEST

/* Without its mutex alsa-lib may count one step of a device twice when two threads look
 * at once, on the bare card as well: nothing that a plug-in can mend. */
static bool alsa_locks(void)
{
	const char *safe = getenv("LIBASOUND_THREAD_SAFE");

	return !safe || *safe != '0';
}

int main(void)
{
	Suite *suite = suite_create("threads of the program");
	TCase *tcase = pcm_rig_case(suite, "threads", set_up, tear_down);

	tcase_add_loop_test(tcase, each_call_may_come_from_another_thread, 0, 2);
	tcase_add_loop_test(tcase, drop_ends_the_drain_of_another_thread, 1, 2);
	if (alsa_locks()) {
		tcase_add_loop_test(tcase, room_that_one_thread_has_made_another_sees, 0, 4);
		tcase_add_loop_test(tcase,
				    what_one_thread_has_taken_back_another_does_not_play,
				    0, 2);
		tcase_add_loop_test(tcase,
				    what_is_written_is_heard_while_another_thread_looks,
				    0, 4);
	}
	tcase = pcm_rig_case(suite, "wrong times", set_up, tear_down);
	tcase_add_test(tcase, calls_before_hw_params_fail_as_on_the_card);
	tcase_add_test(tcase, absurd_sizes_fail_as_on_the_card);
	return pcm_rig_run(suite);
}
