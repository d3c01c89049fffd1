/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The I/O thread is kept from its processor, in virtual time: what a program that is in time
 * may notice of it. The periods are longer than what a position may be old, so that the
 * thread is asked for a look whenever the program asks where the stream is.
 */
#include <check.h>
#include "tests/differential/world.h"
#include "tests/pcm_rig.h"

#define RATE 48000
#define PERIOD 1024			/* 21 ms, and so is the card's */
#define BUFFER (4 * PERIOD)
#define PER_MS (RATE / 1000)
#define MS UINT64_C(1000000)
#define PATIENCE_NS (1 * MS)		/* of who asks for a look, and */
#define FRESH_MS 10			/* how old one may be */

#define LATENESSES 51			/* ms from the first to the last */

static struct rig rig;
static int16_t sound[BUFFER];

static void set_up(void)
{
	world_begin();
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void sleep_ms(unsigned int ms)
{
	world_advance_to(world_now_ns() + ms * MS);
}

static void hold_for_ms(unsigned int ms)
{
	world_hold_others(world_now_ns(), world_now_ns() + ms * MS);
}

/* ---- who asks ---- */

static snd_pcm_sframes_t ask_delay(snd_pcm_t *pcm)
{
	snd_pcm_sframes_t delay;
	int err = snd_pcm_delay(pcm, &delay);

	if (err < 0)
		return err;
	return snd_pcm_stream(pcm) == SND_PCM_STREAM_PLAYBACK ? BUFFER - delay : delay;
}

static snd_pcm_sframes_t ask_hwsync(snd_pcm_t *pcm)
{
	int err = snd_pcm_hwsync(pcm);

	return err < 0 ? err : snd_pcm_avail_update(pcm);
}

static snd_pcm_sframes_t ask_status(snd_pcm_t *pcm)
{
	snd_pcm_status_t *status;
	int err;

	snd_pcm_status_alloca(&status);
	err = snd_pcm_status(pcm, status);
	return err < 0 ? err : (snd_pcm_sframes_t)snd_pcm_status_get_avail(status);
}

static snd_pcm_sframes_t (*const asks[])(snd_pcm_t *) = {
	snd_pcm_avail, snd_pcm_avail_update, ask_delay, ask_hwsync, ask_status,
};

/* The clock answers in its place. */
static snd_pcm_sframes_t ask(int i)
{
	uint64_t before_ns = world_now_ns();
	snd_pcm_sframes_t n = asks[i](rig.pcm);

	ck_assert_uint_le(world_now_ns() - before_ns, PATIENCE_NS);
	return n;
}

/* ---- who plays ---- */

static void write_what_there_is_room_for(int i)
{
	snd_pcm_sframes_t n = ask(i);

	ck_assert_msg(n >= 0, "told %s", snd_strerror((int)n));
	if (n > 0)
		ck_assert_int_gt(snd_pcm_writei(rig.pcm, sound, (snd_pcm_uframes_t)n), 0);
}

static void play_for_ms(int i, unsigned int ms, unsigned int step_ms)
{
	for (; ms >= step_ms; ms -= step_ms) {
		write_what_there_is_room_for(i);
		sleep_ms(step_ms);
	}
}

static void start_with(snd_pcm_stream_t stream, const char *keys)
{
	const struct rig_params params = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED,
		.format = SND_PCM_FORMAT_S16_LE,
		.channels = 1, .rate = RATE, .period = PERIOD, .buffer = BUFFER,
	};

	rig_open_headroom(&rig, stream, SND_PCM_NONBLOCK, "", keys, &params);
	if (stream == SND_PCM_STREAM_PLAYBACK)
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, BUFFER), BUFFER);
	else
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
}

static void start(snd_pcm_stream_t stream)
{
	start_with(stream, "");
}

START_TEST(a_player_that_asks_is_not_kept_nor_told)		/* _i: of asks */
{
	start(SND_PCM_STREAM_PLAYBACK);
	for (unsigned int held_ms = 20; held_ms <= 400; held_ms += 35) {
		play_for_ms(_i, 200, 5);
		hold_for_ms(held_ms);
		play_for_ms(_i, held_ms + 50, 5);
	}
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
}
END_TEST

/* Sleep until so long before all that was written is over; the thread is held up since
 * held_ms before the end, and for 30 ms after it. */
static void sleep_until_left_ms(int left_ms, unsigned int held_ms)
{
	snd_pcm_sframes_t delay;

	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	sleep_ms((unsigned int)delay / PER_MS - held_ms);
	hold_for_ms(held_ms + 30);
	sleep_ms((unsigned int)((int)held_ms - left_ms));
}

static void play_late(int i, unsigned int left_ms, unsigned int held_ms)
{
	play_for_ms(i, 200, 10);
	sleep_until_left_ms((int)left_ms, held_ms);
	write_what_there_is_room_for(i);
	sleep_ms(31 + left_ms);
}

START_TEST(a_player_that_asks_just_before_the_end_is_in_time)	/* _i: of asks */
{
	start(SND_PCM_STREAM_PLAYBACK);
	for (unsigned int left_ms = 3; left_ms <= 33; left_ms += 3)
		for (unsigned int held_ms = left_ms + 5; held_ms < 70; held_ms += 13)
			play_late(_i, left_ms, held_ms);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
}
END_TEST

/* It writes without a question. What it is told is what a card would tell, though the thread
 * has not seen it; the end is known to a millisecond or two. */
START_TEST(a_player_is_told_if_it_was_late_and_only_then)	/* _i: ms, and how long held */
{
	int left_ms = _i % LATENESSES - LATENESSES / 2;

	start(SND_PCM_STREAM_PLAYBACK);
	play_for_ms(0, 200, 10);
	/* For so short a time that by then the card had it all. */
	sleep_until_left_ms(left_ms, 30 + 10 * (unsigned int)(_i / LATENESSES));
	if (left_ms > 0)
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, PERIOD), PERIOD);
	else if (left_ms < -3)
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, PERIOD), -EPIPE);
}
END_TEST

/* The program is gone for a second, and the thread late by 4 ms time and again: the card has
 * enough for that, and the thread is not busy with it. */
START_TEST(a_long_gap_of_silence_is_one)
{
	uint64_t wakeups;

	start_with(SND_PCM_STREAM_PLAYBACK, "on_underrun silence");
	sleep_ms(BUFFER / PER_MS + 100);
	wakeups = world_wakeups();
	sleep_ms(500);
	ck_assert_uint_le(world_wakeups() - wakeups,
			  3 * 500 * PER_MS / (PERIOD / 2));
	for (unsigned int i = 0; i < 50; i++) {
		hold_for_ms(4);
		sleep_ms(4 + i % 13);
	}
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Device Xruns"), 0);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, PERIOD), PERIOD);
	play_for_ms(0, 100, 5);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Device Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
}
END_TEST

#define KEPT_MS 20			/* of what was written; the rest is taken back */

/* What it goes back to is heard anew if the thread comes before the card does. If not, it
 * has been waited for as long as there was sound, and no longer. */
START_TEST(a_player_that_goes_back_is_in_time)			/* _i: how long held, in 5 ms */
{
	uint64_t held_ns = (uint64_t)_i * 5 * MS, before_ns;
	snd_pcm_sframes_t delay, n;

	start(SND_PCM_STREAM_PLAYBACK);
	play_for_ms(0, 200, 5);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	n = delay - KEPT_MS * PER_MS;
	hold_for_ms((unsigned int)_i * 5);
	before_ns = world_now_ns();
	ck_assert_int_eq(snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)n), n);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, (snd_pcm_uframes_t)n), n);
	ck_assert_uint_le(world_now_ns() - before_ns, (KEPT_MS + 1) * MS);
	play_for_ms(0, 200, 5);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Xruns"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"),
			 held_ns < KEPT_MS * MS ? 0 : n);
}
END_TEST

/* So much was recorded since all was read that there was; in between it is not always looked. */
static void assert_recorded_ms(snd_pcm_sframes_t avail, unsigned int ms)
{
	ck_assert_int_ge(avail, (snd_pcm_sframes_t)(ms - FRESH_MS - 1) * PER_MS);
	ck_assert_int_le(avail, (snd_pcm_sframes_t)(ms + FRESH_MS + 1) * PER_MS);
}

/* The answer is the card's whenever the thread can be asked, from one hold to the next. */
START_TEST(a_recorder_is_told_the_truth_by_a_thread_that_is_not_held)	/* _i: of asks */
{
	snd_pcm_sframes_t n;

	start(SND_PCM_STREAM_CAPTURE);
	for (unsigned int i = 0; i < 20; i++) {
		sleep_ms(15);
		n = ask(_i);
		assert_recorded_ms(n, 15);
		hold_for_ms(30);
		sleep_ms(20);
		(void)ask(_i);
		sleep_ms(22);
		assert_recorded_ms(ask(_i), 15 + 20 + 22);
		n = asks[0](rig.pcm);
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, sound, (snd_pcm_uframes_t)n), n);
	}
}
END_TEST

START_TEST(a_recorder_that_asks_is_not_kept)			/* _i: of asks */
{
	start(SND_PCM_STREAM_CAPTURE);
	for (unsigned int i = 0; i < 20; i++) {
		sleep_ms(50);
		hold_for_ms(60);
		sleep_ms(30);
		(void)ask(_i);
		sleep_ms(40);
		ck_assert_int_ge(ask(_i), 0);
		while (snd_pcm_readi(rig.pcm, sound, BUFFER) > 0)
			;
	}
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Xruns"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("held");
	TCase *tcase = pcm_rig_case(suite, "held", set_up, tear_down);
	int n = (int)N_OF(asks);

	tcase_add_loop_test(tcase, a_player_that_asks_is_not_kept_nor_told, 0, n);
	tcase_add_loop_test(tcase, a_player_that_asks_just_before_the_end_is_in_time, 0, n);
	tcase_add_loop_test(tcase, a_player_is_told_if_it_was_late_and_only_then, 0,
			    2 * LATENESSES);
	tcase_add_test(tcase, a_long_gap_of_silence_is_one);
	tcase_add_loop_test(tcase, a_player_that_goes_back_is_in_time, 0, 21);
	tcase_add_loop_test(tcase, a_recorder_is_told_the_truth_by_a_thread_that_is_not_held, 0, n);
	tcase_add_loop_test(tcase, a_recorder_that_asks_is_not_kept, 0, n);
	return pcm_rig_run(suite);
}
