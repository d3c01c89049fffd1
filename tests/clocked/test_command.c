/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <check.h>

#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

#define N 9600			/* frames; 200 ms */

static const struct rig_params params = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 1, 48000, 480, N,
};

static struct rig rig;
static uint8_t *data;

static void set_up(void)
{
	rig_init(&rig);
	rig_be_commanded(&rig);
}

static void tear_down(void)
{
	free(data);
	data = NULL;
	rig_finish(&rig);
}

static void play(void)
{
	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	data = rig_noise(&rig, N, 3);
	rig_write(&rig, data, N, N);
	/* that started it */
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
}

START_TEST(a_suspend_wakes_who_waits_and_a_resume_goes_on)
{
	snd_pcm_sframes_t delay;

	play();
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, 1000), 1);
	rig_thresholds(&rig, 0, 0, N);
	RIG_COMMAND(&rig, suspends, 1);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), -ESTRPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SUSPENDED);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), -ESTRPIPE);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 1), -ESTRPIPE);
	rig_let_pass_ms(250);	/* longer than what is queued */
	ck_assert_int_eq(snd_pcm_resume(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, N);
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
}
END_TEST

START_TEST(a_resume_can_be_refused_and_prepare_helps)
{
	play();
	RIG_COMMAND(&rig, resume_errno, ENOSYS);
	RIG_COMMAND(&rig, suspends, 1);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm) < 0, 0);	/* it looks */
	snd_pcm_resume(rig.pcm);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SUSPENDED);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
}
END_TEST

START_TEST(a_card_that_stands_still_goes_on_where_it_was)
{
	snd_pcm_sframes_t before, after;

	play();
	RIG_COMMAND(&rig, still, 1);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &before), 0);
	rig_thresholds(&rig, 0, 0, N);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, 300), 0);	/* nothing will come */
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &after), 0);
	ck_assert_int_eq(after, before);
	RIG_COMMAND(&rig, still, 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, N);
}
END_TEST

START_TEST(a_lost_card_is_lost_for_good)
{
	struct pollfd fd;
	unsigned short events;

	play();
	rig_thresholds(&rig, 0, 0, N);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &fd, 1), 1);
	RIG_COMMAND(&rig, lost, 1);
	ck_assert_int_eq(poll(&fd, 1, 10000), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &fd, 1, &events), 0);
	ck_assert_int_eq(events, POLLOUT | POLLERR);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_DISCONNECTED);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 1), -ENODEV);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), -ENODEV);
}
END_TEST

START_TEST(a_card_that_is_lost_cannot_be_opened)
{
	RIG_COMMAND(&rig, lost, 1);
	ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_CAPTURE, 0, ""), -ENODEV);
}
END_TEST

/* As by the kernel; what alsa-lib refuses by itself does not come here. */
START_TEST(impossible_software_parameters_are_refused)
{
	static const struct { long threshold, size; int err; } tries[] = {
		{ 0, 0, 0 }, { 0, -1, 0 },
		{ 1, -1, -EINVAL }, { 480, 480, 0 }, { 480, 481, -EINVAL },
	};
	snd_pcm_uframes_t boundary;
	snd_pcm_sw_params_t *sw;

	rig_open(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", &params);
	snd_pcm_sw_params_alloca(&sw);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		ck_assert_int_eq(snd_pcm_sw_params_current(rig.pcm, sw), 0);
		snd_pcm_sw_params_get_boundary(sw, &boundary);
		snd_pcm_sw_params_set_silence_threshold(rig.pcm, sw,
			(snd_pcm_uframes_t)tries[i].threshold);
		snd_pcm_sw_params_set_silence_size(rig.pcm, sw, tries[i].size < 0 ?
			boundary : (snd_pcm_uframes_t)tries[i].size);
		ck_assert_msg(snd_pcm_sw_params(rig.pcm, sw) == tries[i].err, "%zu", i);
	}
}
END_TEST

TCase *clocked_command_tests(void)
{
	TCase *tcase = tcase_create("command");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_suspend_wakes_who_waits_and_a_resume_goes_on);
	tcase_add_test(tcase, a_resume_can_be_refused_and_prepare_helps);
	tcase_add_test(tcase, a_card_that_stands_still_goes_on_where_it_was);
	tcase_add_test(tcase, a_lost_card_is_lost_for_good);
	tcase_add_test(tcase, a_card_that_is_lost_cannot_be_opened);
	tcase_add_test(tcase, impossible_software_parameters_are_refused);
	return tcase;
}
