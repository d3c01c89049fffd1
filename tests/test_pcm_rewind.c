/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that takes back what it has written and writes something else there, as
 * those do that want to be quick and keep a large buffer full: heard is what was
 * written last, and nothing but that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

#define RATE 48000
#define BUFFER 24000
#define N (4 * RATE)

static struct rig rig;

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = RATE, .period = 480, .buffer = BUFFER,
};

/* What is to be heard: each frame tells its place and which time it was written. */
static uint32_t want[N];
static size_t written;
static size_t heard_before;		/* frames, of a stream before this one */
static uint32_t version;

static void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
	written = 0;
	heard_before = 0;
	version = 1;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void open_with(const char *keys, long stop)
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", keys, &mono);
	rig_thresholds(&rig, BUFFER + 1, stop, 0);
}

static snd_pcm_sframes_t write_some(size_t n)
{
	snd_pcm_sframes_t done;

	ck_assert_uint_le(written + n, N);
	for (size_t i = written; i < written + n; i++)
		want[i] = version << 20 | (uint32_t)(i + 1);
	done = snd_pcm_writei(rig.pcm, want + written, n);
	if (done > 0)
		written += (size_t)done;
	return done;
}

static void start_with(size_t n)
{
	ck_assert_int_eq(write_some(n), (snd_pcm_sframes_t)n);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
}

/* Take back all but `left` of what was not heard yet and write it anew. False if the
 * stream has ended: a machine may be too slow for what was left. */
static bool write_anew(snd_pcm_sframes_t left)
{
	snd_pcm_sframes_t avail, delay, n;

	if (snd_pcm_avail_delay(rig.pcm, &avail, &delay) < 0 || delay <= left)
		return false;
	n = snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)(delay - left));
	if (n <= 0)
		return false;
	written -= (size_t)n;
	version++;
	return write_some((size_t)n) == n;
}

/* Write on while there is room for much. False if the stream has ended. */
static bool keep_full(void)
{
	snd_pcm_sframes_t avail = snd_pcm_avail(rig.pcm);

	return avail >= 0 && (avail < BUFFER / 2 || write_some(BUFFER / 2) > 0);
}

/* Until so many frames more were played. False if the stream has ended. */
static bool let_play(snd_pcm_sframes_t frames)
{
	snd_pcm_sframes_t from = snd_pcm_avail(rig.pcm), avail = from;

	while (avail >= 0 && avail < from + frames) {
		rig_sleep_ms(1);
		avail = snd_pcm_avail(rig.pcm);
	}
	return avail >= 0;
}

static void assert_all_heard(void)
{
	size_t size;
	uint32_t *heard = (uint32_t *)rig_slurp(rig.heard, &size) + heard_before;
	size_t n = size / 4 - heard_before;

	ck_assert_uint_eq(n, written);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(heard[i] == want[i], "frame %zu: place %u, version %u, not %u",
			      i, heard[i] & 0xfffff, heard[i] >> 20, want[i] >> 20);
	free(heard - heard_before);
}

/* The card takes a millisecond to tell where it is: meanwhile the program goes back
 * and writes as much again, and is where it was. Returns how often the card ran dry;
 * it does once in a while, since what is left lasts for 40 ms. -1 if the machine was
 * too slow for that altogether. */
static int take_back_as_much_again_and_again(int *rounds)
{
	*rounds = 0;
	open_with("slave.period 2400", 0);
	RIG_COMMAND(&rig, slow_us, 1000);
	start_with(20000);
	while (written < N - BUFFER) {
		if (!let_play(2880) || !write_anew(2000))
			return -1;
		++*rounds;
		if (!keep_full())
			return -1;
	}
	if (snd_pcm_drain(rig.pcm) < 0)
		return -1;
	return (int)rig_counter(&rig, "Headroom Playback Device Xruns");
}

/* A busy machine may be late now and then; a thread that is not woken always is. */
START_TEST(as_much_as_was_taken_back_is_played_on_time)
{
	int rounds, xruns = take_back_as_much_again_and_again(&rounds);

	for (int tries = 1; xruns < 0 || xruns >= rounds / 4; tries++) {
		ck_assert_int_lt(tries, 10);
		tear_down();
		set_up();
		xruns = take_back_as_much_again_and_again(&rounds);
	}
	ck_assert_int_gt(rounds, 20);
}
END_TEST

/* Silence, should the program be late, is not to come before what it is about to
 * write: here it has taken back all but 1.3 ms, less than silence is kept ready for.
 * The card's clock stands still meanwhile. */
START_TEST(no_silence_comes_before_what_is_written_anew)
{
	snd_pcm_sframes_t delay, n;

	open_with(_i ? "on_underrun silence" : "", _i ? 0 : -1);
	start_with(20000);
	ck_assert(let_play(960));
	RIG_COMMAND(&rig, still, 1);
	/* A paused stream tells exactly where it is. */
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	n = snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)delay - 64);
	ck_assert_int_eq(n, delay - 64);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	rig_let_pass_ms(20);
	written -= (size_t)n;
	version++;
	ck_assert_int_eq(write_some((size_t)n), n);
	RIG_COMMAND(&rig, still, 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	assert_all_heard();
}
END_TEST

START_TEST(after_an_xrun_too)
{
	snd_pcm_sframes_t avail, delay;

	open_with("", 0);
	start_with(10000);
	ck_assert(let_play(1440));
	ck_assert_int_eq(snd_pcm_avail_delay(rig.pcm, &avail, &delay), 0);
	ck_assert_int_gt(snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)delay), 0);
	while (snd_pcm_state(rig.pcm) == SND_PCM_STATE_RUNNING)
		(void)snd_pcm_avail(rig.pcm);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	written = 0;
	heard_before = rig_heard(&rig);
	start_with(20000);
	ck_assert(let_play(1440));
	ck_assert(write_anew(5000));
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	assert_all_heard();
}
END_TEST

/* The device has little room and takes frames slowly: a step under way has its hand
 * on a chunk of which it leaves the most. What the device has lasts for 200 ms, what
 * is left for 50 ms more. */
START_TEST(what_the_device_did_not_take_is_taken_back)
{
	open_with("slave.period 4800 slave.buffer 9600", 0);
	RIG_COMMAND(&rig, slow_us, 5000);
	start_with(20000);
	while (written < N - BUFFER) {
		(void)write_anew(12000);
		ck_assert(keep_full());
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	assert_all_heard();
}
END_TEST

/* Then the program is told no lie: what it gave again was not heard. */
START_TEST(what_the_device_keeps_is_heard_and_the_rest_counted)
{
	open_with("", 0);
	RIG_COMMAND(&rig, keeps, 1);
	start_with(20000);
	ck_assert_int_eq(snd_pcm_rewind(rig.pcm, 10000), 10000);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, want, 7000), 7000);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, want, 3000), 3000);
	ck_assert_int_eq(write_some(2000), 2000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	assert_all_heard();
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 10000);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), 22000);
}
END_TEST

/* A drain that was in vain says so once. */
START_TEST(a_drain_does_not_remember_another)
{
	open_with("", 0);
	start_with(5000);
	RIG_COMMAND(&rig, still, 1);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EIO);
	RIG_COMMAND(&rig, still, 0);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	start_with(2000);
	while (rig_counter(&rig, "Headroom Playback Xruns") == 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rewind");
	TCase *tcase = pcm_rig_case(suite, "rewind", set_up, tear_down);

	tcase_add_test(tcase, as_much_as_was_taken_back_is_played_on_time);
	tcase_add_loop_test(tcase, no_silence_comes_before_what_is_written_anew, 0, 2);
	tcase_add_test(tcase, after_an_xrun_too);
	tcase_add_test(tcase, what_the_device_did_not_take_is_taken_back);
	tcase_add_test(tcase, what_the_device_keeps_is_heard_and_the_rest_counted);
	tcase_add_test(tcase, a_drain_does_not_remember_another);
	return pcm_rig_run(suite);
}
