/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Signals by the thousand: to the thread that uses the stream and to the process, with
 * and without SA_RESTART, while it plays and records, and while streams are set up and
 * taken down. No frame is lost and no call fails for it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define FRAMES 24000
#define ENOUGH 2000

static struct rig rig;
static pthread_t program, sender;
static _Atomic bool stop;
static _Atomic unsigned int n_handled, n_elsewhere;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 96000, .period = 480, .buffer = 9600,
};

static void handle(int signal)
{
	(void)signal;
	atomic_fetch_add(&n_handled, 1);
	if (!pthread_equal(pthread_self(), program) && !pthread_equal(pthread_self(), sender))
		atomic_fetch_add(&n_elsewhere, 1);
}

static void *send_signals(void *unused)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	while (!atomic_load(&stop)) {
		pthread_kill(program, SIGUSR1);
		kill(getpid(), SIGALRM);
		pthread_kill(program, SIGRTMIN + 3);
		nanosleep(&pause, NULL);
	}
	return unused;
}

static void begin_storm(bool restart)
{
	struct sigaction action = {
		.sa_handler = handle, .sa_flags = restart ? SA_RESTART : 0,
	};

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(sigaction(SIGRTMIN + 3, &action, NULL), 0);
	program = pthread_self();
	ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, NULL), 0);
}

static void end_storm(void)
{
	atomic_store(&stop, true);
	pthread_join(sender, NULL);
	ck_assert_uint_eq(atomic_load(&n_elsewhere), 0);
}

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

START_TEST(playback_in_a_storm_of_signals_is_heard_bit_for_bit)	/* _i: SA_RESTART */
{
	uint8_t *data;
	size_t n = 0;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	data = rig_noise(&rig, 10 * FRAMES, 71);
	begin_storm(_i);
	for (; n < FRAMES || (atomic_load(&n_handled) < ENOUGH && n < 10 * FRAMES); n += 960)
		rig_write(&rig, data + n * 4, 960, 313);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	end_storm();
	ck_assert_uint_ge(atomic_load(&n_handled), ENOUGH);
	rig_assert_heard(&rig, data, n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), (int64_t)n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
	free(data);
}
END_TEST

START_TEST(capture_in_a_storm_of_signals_has_every_frame)	/* _i: SA_RESTART */
{
	uint32_t got[960], next = 0, missing = 0;

	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", "on_overrun drop", &stereo);
	begin_storm(_i);
	for (size_t n = 0; n < FRAMES || atomic_load(&n_handled) < ENOUGH; n += N_OF(got)) {
		rig_read(&rig, (uint8_t *)got, N_OF(got));
		for (size_t i = 0; i < N_OF(got); i++) {
			ck_assert_uint_ge(got[i], next);
			missing += got[i] - next;
			next = got[i] + 1;
		}
	}
	end_storm();
	/* The card itself may lose some, if the machine is late: these are counted. */
	if (rig_log(&rig, "xrun", NULL, NULL) == 0)
		ck_assert_uint_eq(missing, 0);
	ck_assert_int_le(missing, rig_counter(&rig, "Headroom Capture Frames Dropped"));
}
END_TEST

START_TEST(streams_open_and_close_in_a_storm_of_signals)	/* _i: SA_RESTART */
{
	uint8_t *data;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	data = rig_noise(&rig, 960, 72);
	begin_storm(_i);
	for (int n = 0; n < 20 || atomic_load(&n_handled) < ENOUGH; n++) {
		ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
		rig.pcm = NULL;
		ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK,
						    0, rig.config), 0);
		rig_install(&rig, &stereo);
		rig_write(&rig, data, 960, 960);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	}
	end_storm();
	rig_assert_heard(&rig, data, 960);
	free(data);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *tcase = pcm_rig_case(suite, "signals", set_up, tear_down);

	tcase_add_loop_test(tcase, playback_in_a_storm_of_signals_is_heard_bit_for_bit, 0, 2);
	tcase_add_loop_test(tcase, capture_in_a_storm_of_signals_has_every_frame, 0, 2);
	tcase_add_loop_test(tcase, streams_open_and_close_in_a_storm_of_signals, 0, 2);
	return pcm_rig_run(suite);
}
