/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * on_device_loss reconnect, capture: the card goes and comes back, the stream goes on with
 * silence in real time, and each frame that was recorded is read, or counted: by the logs of
 * the card that went and of the one that is back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "tests/away.h"

/* Between where silence ends and the card begins: a machine may be busy in between. */
#define SLACK (AWAY_RATE / 4)

static struct rig rig;

static void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_CAPTURE, what);
}

/* The card's frame n holds n. */

static uint32_t last_read;
static uint64_t n_read, n_silent;
static bool may_jump;			/* without depth, who is late loses some */

/* Read a step; -EPIPE and -EAGAIN are returned, nothing else may go wrong. */
static int read_step(void)
{
	uint32_t frames[AWAY_STEP];
	snd_pcm_sframes_t n = snd_pcm_readi(rig.pcm, frames, AWAY_STEP);

	if (n == -EPIPE || n == -EAGAIN)
		return (int)n;
	ck_assert_int_gt(n, 0);
	for (snd_pcm_sframes_t i = 0; i < n; i++) {
		/* The world begins with 0 when the card is opened. */
		ck_assert(frames[i] == last_read + 1 || frames[i] == 0 ||
			  (may_jump && frames[i] > last_read));
		n_silent += frames[i] == 0;
		last_read = frames[i];
	}
	n_read += (uint64_t)n;
	return 0;
}

static void read_until(const char *what, int64_t value)
{
	do
		ck_assert_int_eq(read_step(), 0);
	while (counter(what) != value);
}

static void read_for(unsigned int n_steps)
{
	while (n_steps--)
		ck_assert_int_eq(read_step(), 0);
}

static void open_capture(const char *keys)
{
	char all[128];

	last_read = 0;
	n_read = n_silent = 0;
	may_jump = strstr(keys, "depth_ms 0");
	snprintf(all, sizeof(all), "on_device_loss reconnect %s", keys);
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "", all, &away_params);
}

/* Frames that a card recorded, but for those that it took along: all of them are read. */
static int64_t supplied(const struct away *away)
{
	return (int64_t)(away->frames - away->along);
}

/* Let the card that is back record something; before that there was silence. */
static void read_new_world(void)
{
	while (n_silent <= 2 * AWAY_STEP || last_read < 10 * AWAY_STEP)
		ck_assert_int_eq(read_step(), 0);
}

/* Read up to where the card stands, which headroom takes all of; how many frames it has
 * recorded by then. */
static int64_t read_to_the_end(void)
{
	unsigned long long frames;
	int err;

	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 1), 0);
	while ((err = read_step()) == 0)
		;
	ck_assert_int_eq(err, -EAGAIN);
	ck_assert_uint_gt(rig_log(&rig, "stands", &frames, NULL), 1);
	return (int64_t)frames;
}

/* All that was recorded was read, or dropped; what was read beyond it is counted as silence,
 * which is as long as the card was away. */
static void check_capture_account(const struct away *away)
{
	const int64_t end = read_to_the_end();
	const int64_t frames = counter("Frames"),
		      silence = counter("Frames Silence"),
		      dropped = counter("Frames Dropped"),
		      lost = supplied(away) + end - frames;
	unsigned long long world_ns = 0;
	uint64_t away_frames;

	ck_assert_int_eq((int64_t)n_read, frames + silence);
	/* Of the silence some may have been dropped, too. */
	ck_assert_int_ge(lost, 0);
	ck_assert_int_le(lost, may_jump ? dropped : 0);
	/* Each world begins with a frame that looks like it, which a late reader may lose. */
	ck_assert_int_le((int64_t)n_silent, silence + 2);
	ck_assert_int_ge((int64_t)n_silent, silence + (may_jump ? 0 : 2));
	ck_assert_uint_gt(n_silent, 2 * AWAY_STEP);
	ck_assert_int_eq(counter("Device Xruns"), 1);
	(void)rig_log(&rig, "world", NULL, &world_ns);
	ck_assert_uint_gt(world_ns, away->since_ns);
	away_frames = hr_ns_to_frames(world_ns - away->since_ns, AWAY_RATE);
	ck_assert_uint_le((uint64_t)(silence + dropped - lost), away_frames + 2);
	ck_assert_uint_ge((uint64_t)(silence + dropped - lost) + SLACK, away_frames);
}

START_TEST(capture_goes_on_with_silence_and_is_recorded_again)
{
	struct away away;

	open_capture(_i ? "on_overrun drop depth_ms 0" : "on_overrun drop");
	read_for(40);
	RIG_COMMAND(&rig, lost, 1);
	read_until("State", 9);
	away = away_read(&rig, HR_CAPTURE);
	read_for(30);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	RIG_COMMAND(&rig, lost, 0);
	read_until("State", 4);
	read_new_world();
	ck_assert_int_eq(counter("Xruns"), 0);
	if (!_i)	/* without depth a test that is late may lose some */
		ck_assert_int_eq(counter("Frames Dropped"), 0);
	check_capture_account(&away);
}
END_TEST

/* Who wants to be told of an overrun is told of this once it has read what was kept. */
START_TEST(capture_is_told_if_it_wants_to_be)
{
	struct away away;
	int64_t frames;

	open_capture("");
	read_for(40);
	rig_let_pass_ms(50);
	RIG_COMMAND(&rig, lost, 1);
	while (read_step() == 0)
		;
	away = away_read(&rig, HR_CAPTURE);
	frames = counter("Frames");
	ck_assert_int_eq((int64_t)n_read, frames);
	ck_assert_int_eq(frames, supplied(&away));
	ck_assert_uint_le(n_silent, 1);
	ck_assert_int_eq(counter("Xruns"), 1);
	ck_assert_int_eq(counter("Xrun Cause"), 3);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	read_for(30);
	RIG_COMMAND(&rig, lost, 0);
	read_until("State", 4);
	read_new_world();
	ck_assert_int_eq(counter("Xruns"), 1);
	check_capture_account(&away);
}
END_TEST

/* While it is looked for, or just when it was found. */
START_TEST(closing_while_it_is_looked_for_leaves_nothing_behind)
{
	open_capture("on_overrun drop");
	read_for(10);
	RIG_COMMAND(&rig, lost, 1);
	read_until("State", 9);
	if (_i) {
		RIG_COMMAND(&rig, lost, 0);
		read_for(10);
	}
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	ck_assert_int_eq(counter("State"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reconnect capture");
	TCase *tcase = pcm_rig_case(suite, "reconnect", set_up, tear_down);

	tcase_add_loop_test(tcase, capture_goes_on_with_silence_and_is_recorded_again, 0, 2);
	tcase_add_test(tcase, capture_is_told_if_it_wants_to_be);
	tcase_add_loop_test(tcase, closing_while_it_is_looked_for_leaves_nothing_behind, 0, 2);
	return pcm_rig_run(suite);
}
