/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Where a playing stream says it is, and going back and forth in it. Most bodies
 * run on the bare card (0) and through headroom (1 and up). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;

/* A second in the buffer: long against a stalled test, short enough to wait. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 1, .rate = 48000, .period = 1000, .buffer = 48000,
};
#define STEP 480	/* frames: 10 ms, the device's step with these */

static const struct {
	bool headroom;
	const char *keys;
} ways[] = {
	{ false, "" },
	{ true, "" },
	{ true, "slave.buffer 2000" },
	{ true, "slave.buffer 100000" },
};
#define N_WAYS ((int)N_OF(ways))

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

/* Nothing starts by itself. */
static void open_with(int way, long stop, size_t n)
{
	rig_open_either(&rig, ways[way].headroom, SND_PCM_STREAM_PLAYBACK, 0, "",
			ways[way].keys, &mono);
	rig_thresholds(&rig, 48001, stop, 0);
	data = rig_noise(&rig, n, 31);
}

static snd_pcm_sframes_t get_delay(void)
{
	snd_pcm_sframes_t delay = -1;

	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_ge(delay, 0);
	return delay;
}

START_TEST(delay_and_avail_of_a_prepared_stream_are_exact)
{
	open_with(_i, 0, 48000);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
	ck_assert_int_eq(get_delay(), 0);
	for (snd_pcm_sframes_t at = 0; at < 48000; at += 8000) {
		rig_write(&rig, data, 8000, 8000);
		ck_assert_int_eq(get_delay(), at + 8000);
		ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000 - at - 8000);
	}
	rig_let_pass_ms(20);
	ck_assert_int_eq(get_delay(), 48000);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 0);
	ck_assert_uint_eq(rig_heard(&rig), 0);
}
END_TEST

/* The card's clock is the machine's. The position is never ahead of it, never
 * goes back, and is seen to be with it. */
START_TEST(the_position_follows_the_clock)
{
	uint64_t before_ns, after_ns, look_ns;
	snd_pcm_sframes_t delay, last = 40000;
	unsigned int close = 0;

	open_with(_i, 0, 40000);
	rig_write(&rig, data, 40000, 40000);
	before_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	after_ns = hr_now_ns();
	for (int i = 0; i < 150; i++) {
		snd_pcm_sframes_t passed;

		look_ns = hr_now_ns();
		if (snd_pcm_delay(rig.pcm, &delay) == -EPIPE)
			break;		/* a slow machine: it has ended */
		ck_assert_int_ge(delay, 0);
		ck_assert_int_le(delay, last);
		last = delay;
		ck_assert_uint_le((uint64_t)(40000 - delay),
				  hr_ns_to_frames(hr_now_ns() - before_ns, 48000));
		passed = (snd_pcm_sframes_t)hr_ns_to_frames(look_ns - after_ns, 48000);
		if (40000 - delay >= passed - STEP)
			close++;
		rig_sleep_ms(1);
	}
	ck_assert_int_lt(last, 40000);
	ck_assert_uint_ge(close, 1);
}
END_TEST

/* Programs that look in between find it moved, though their period is long. */
START_TEST(the_position_moves_between_periods)
{
	snd_pcm_sframes_t last = 40000;
	unsigned int steps = 0;

	open_with(_i, 0, 40000);
	rig_write(&rig, data, 40000, 40000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (;;) {
		snd_pcm_sframes_t avail = snd_pcm_avail(rig.pcm);

		if (avail < 0)
			break;
		if (48000 - avail != last)
			steps++;
		last = 48000 - avail;
		if (steps > 3)
			break;
	}
	/* With steps of the program's period this would take 4000 frames. */
	ck_assert_uint_gt(steps, 3);
	ck_assert_int_gt(last, 0);
}
END_TEST

START_TEST(avail_and_delay_make_up_the_buffer)
{
	open_with(_i, 0, 40000);
	rig_write(&rig, data, 40000, 40000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (int i = 0; i < 50; i++) {
		snd_pcm_sframes_t avail, delay;
		int err = snd_pcm_avail_delay(rig.pcm, &avail, &delay);

		if (err == -EPIPE)
			break;
		ck_assert_int_eq(err, 0);
		ck_assert_int_le(avail, 48000);
		ck_assert_int_ge(delay, 0);
		/* Both move, the one that is read last further. */
		ck_assert_int_le(avail + delay, 48000);
		rig_sleep_ms(1);
	}
}
END_TEST

START_TEST(nothing_is_heard_and_the_position_stands_while_paused)
{
	snd_pcm_sframes_t delay, avail;

	open_with(_i, 0, 24000);
	rig_write(&rig, data, 24000, 24000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (int round = 0; round < 3; round++) {
		rig_wait_avail(&rig, snd_pcm_avail(rig.pcm) + 480);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PAUSED);
		delay = get_delay();
		avail = snd_pcm_avail(rig.pcm);
		ck_assert_uint_eq(rig_heard(&rig), 24000 - (size_t)delay);
		ck_assert_int_eq(avail + delay, 48000);
		rig_let_pass_ms(40);
		ck_assert_int_eq(get_delay(), delay);
		ck_assert_int_eq(snd_pcm_avail(rig.pcm), avail);
		ck_assert_uint_eq(rig_heard(&rig), 24000 - (size_t)delay);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 24000);
}
END_TEST

START_TEST(a_paused_stream_can_be_dropped_and_played_again)
{
	size_t heard;

	open_with(_i, 0, 24000);
	rig_write(&rig, data, 20000, 20000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	heard = rig_heard(&rig);
	rig_assert_heard(&rig, data, heard);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	rig_write(&rig, data + heard * 2, 1000, 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, heard + 1000);
}
END_TEST

/* Ways in which the frames are still the program's: nothing was handed to the
 * device yet, or it holds little and is paused. */
static const struct {
	int way;
	bool running;
} rewindable[] = {
	{ 0, false }, { 0, true }, { 1, false }, { 2, false }, { 2, true }, { 3, false },
};

START_TEST(what_is_rewound_and_written_again_is_heard_as_written_last)
{
	uint8_t *other;

	open_with(rewindable[_i].way, 0, 40000);
	other = rig_noise(&rig, 10000, 32);
	rig_write(&rig, data, 24000, 24000);
	if (rewindable[_i].running) {
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	}
	ck_assert_int_ge(snd_pcm_rewindable(rig.pcm), 10000);
	ck_assert_int_eq(snd_pcm_rewind(rig.pcm, 10000), 10000);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm) + get_delay(), 48000);
	rig_write(&rig, other, 9000, 4500);
	if (rewindable[_i].running)
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	memcpy(data + 14000 * 2, other, 9000 * 2);
	rig_assert_heard(&rig, data, 23000);
	free(other);
}
END_TEST

/* As a mixer does for each new sound, in a stream that plays on: what it rewinds
 * was never handed to the device, as the delay afterwards proves. */
START_TEST(a_running_stream_is_rewound_and_rewritten_again_and_again)
{
	uint8_t *other;

	open_with(2, 0, 30000);
	other = rig_noise(&rig, 30000, 33);
	rig_write(&rig, data, 30000, 30000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (int round = 0; round < 20; round++) {
		const uint8_t *from = round % 2 ? data : other;

		ck_assert_int_eq(snd_pcm_rewind(rig.pcm, 6000), 6000);
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, from + 24000 * 2, 6000), 6000);
		rig_sleep_ms(2);
	}
	if (get_delay() < 6000 + 2000 + 1000) {
		free(other);
		return;		/* a machine so slow proves nothing */
	}
	ck_assert_int_eq(snd_pcm_rewind(rig.pcm, 6000), 6000);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, other + 24000 * 2, 6000), 6000);
	if (get_delay() >= 6000 + 2000 + 1000)
		memcpy(data + 24000 * 2, other + 24000 * 2, 6000 * 2);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 30000);
	free(other);
}
END_TEST

START_TEST(what_is_skipped_forward_is_silence)
{
	open_with(_i, 0, 3000);
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_ge(snd_pcm_forwardable(rig.pcm), 500);
	ck_assert_int_eq(snd_pcm_forward(rig.pcm, 500), 500);
	ck_assert_int_eq(get_delay(), 1500);
	rig_write(&rig, data + 1500 * 2, 1000, 1000);
	ck_assert_int_eq(snd_pcm_forward(rig.pcm, 77), 77);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	memset(data + 1000 * 2, 0, 500 * 2);
	memset(data + 2500 * 2, 0, 77 * 2);
	rig_assert_heard(&rig, data, 2577);
}
END_TEST

START_TEST(reset_forgets_what_is_queued)
{
	open_with(_i, -1, 48000);
	rig_write(&rig, data, 40000, 40000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 8001);
	ck_assert_int_ge(snd_pcm_avail(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_reset(rig.pcm), 0);
	ck_assert_int_eq(get_delay(), 0);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 48000);
}
END_TEST

START_TEST(status_tells_what_the_calls_tell)
{
	snd_pcm_status_t *status;

	open_with(_i, 0, 20000);
	snd_pcm_status_alloca(&status);
	rig_write(&rig, data, 20000, 20000);
	ck_assert_int_eq(snd_pcm_status(rig.pcm, status), 0);
	ck_assert_int_eq(snd_pcm_status_get_state(status), SND_PCM_STATE_PREPARED);
	ck_assert_int_eq(snd_pcm_status_get_delay(status), 20000);
	ck_assert_uint_eq(snd_pcm_status_get_avail(status), 28000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_status(rig.pcm, status), 0);
	ck_assert_int_eq(snd_pcm_status_get_state(status), SND_PCM_STATE_PAUSED);
	ck_assert_int_eq(snd_pcm_status_get_delay(status), get_delay());
	ck_assert_int_eq((snd_pcm_sframes_t)snd_pcm_status_get_avail(status),
			 snd_pcm_avail(rig.pcm));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("positions of playback");
	TCase *tcase = pcm_rig_case(suite, "position", set_up, tear_down);

	tcase_add_loop_test(tcase, delay_and_avail_of_a_prepared_stream_are_exact, 0,
			    N_WAYS);
	tcase_add_loop_test(tcase, the_position_follows_the_clock, 0, N_WAYS);
	tcase_add_loop_test(tcase, the_position_moves_between_periods, 0, N_WAYS);
	tcase_add_loop_test(tcase, avail_and_delay_make_up_the_buffer, 0, N_WAYS);
	tcase_add_loop_test(tcase, status_tells_what_the_calls_tell, 0, N_WAYS);
	tcase = pcm_rig_case(suite, "pause", set_up, tear_down);
	tcase_add_loop_test(tcase, nothing_is_heard_and_the_position_stands_while_paused,
			    0, N_WAYS);
	tcase_add_loop_test(tcase, a_paused_stream_can_be_dropped_and_played_again, 0,
			    N_WAYS);
	tcase = pcm_rig_case(suite, "back and forth", set_up, tear_down);
	tcase_add_loop_test(tcase,
		what_is_rewound_and_written_again_is_heard_as_written_last, 0,
		(int)N_OF(rewindable));
	tcase_add_test(tcase, a_running_stream_is_rewound_and_rewritten_again_and_again);
	tcase_add_loop_test(tcase, what_is_skipped_forward_is_silence, 0, N_WAYS);
	tcase_add_loop_test(tcase, reset_forgets_what_is_queued, 0, N_WAYS);
	return pcm_rig_run(suite);
}
