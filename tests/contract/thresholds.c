/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What starts, stops and wakes: the thresholds of the software parameters.
 */
#include <stdlib.h>

#include "tests/contract/contract.h"

static void start_threshold(struct trial *t)
{
	const long at[] = { 1, (long)t->period, 3 * (long)t->period / 2, (long)t->buffer,
			    (long)t->buffer + 1, (long)t->boundary };

	snd_pcm_nonblock(t->pcm, 1);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		begin_anew(t);
		note_result(t, set_thresholds(t, at[i], -1, -1), "start_threshold %zu", i);
		for (snd_pcm_uframes_t n = 0; n < t->buffer; n += t->period / 2) {
			long done = move_frames(t, t->period / 2);

			note_result(t, done, "%zu: write at %lu", i, n);
			if (snd_pcm_state(t->pcm) == SND_PCM_STATE_RUNNING)
				break;
		}
	}
}

/* Some frames, and what has become of the stream when they are over. */
static void stop_at(struct trial *t, long at, unsigned int periods, const char *label)
{
	begin_anew(t);
	note_result(t, set_thresholds(t, (long)t->boundary, at, -1), "%s: set", label);
	note(t, move_frames(t, periods * t->period), "%s: write", label);
	note_result(t, start(t), "%s: start", label);
	if (at >= (long)t->boundary)
		let_pass((unsigned int)(2 * periods * t->period * 1000 / RATE));
	else
		wait_state(t, SND_PCM_STATE_XRUN);
	note_result(t, snd_pcm_avail(t->pcm) < 0, "%s: over", label);
	note_result(t, move_frames(t, t->period), "%s: write then", label);
}

static void stop_threshold_below(struct trial *t)
{
	stop_at(t, (long)(10 * t->period), 15, "below, later");
	stop_at(t, (long)(10 * t->period), 11, "below, soon");
}

static void stop_threshold(struct trial *t)
{
	stop_at(t, (long)t->buffer, 3, "the buffer");
	stop_at(t, (long)t->boundary, 3, "the boundary");
	if (t->device->heard)
		begin_anew(t);
}

/* How much is played, silence included, before it stops: the threshold says. */
static void stop_threshold_above(struct trial *t)
{
	size_t n = 0;

	stop_at(t, (long)(t->buffer + 4 * t->period), 3, "above");
	free(t->device->heard(t->device, &n));
	note_near(t, (long)n, "heard until then");
}

/* alsa-lib lets no avail_min below a period through. */
static void waits(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, 4 * (long)t->period);
	move_frames(t, t->buffer);
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, prepared and full");
	note(t, start(t), "start");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0");
	note_result(t, snd_pcm_wait(t->pcm, 1), "wait 1");
	note_result(t, poll_for(t, 0), "poll 0");
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait");
	note_result(t, snd_pcm_avail(t->pcm) >= 4 * (long)t->period, "four periods");
	note_near(t, snd_pcm_avail(t->pcm), "no more than four");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, ready");
	note_result(t, poll_for(t, 0), "poll 0, ready");
	set_thresholds(t, -1, -1, 9 * (long)t->period);
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, for more");
	note_result(t, poll_for(t, 10000), "poll, for more");
	note_result(t, snd_pcm_avail(t->pcm) >= 9 * (long)t->period, "nine periods");
	set_thresholds(t, -1, -1, 1);
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, for less");
	set_thresholds(t, -1, -1, (long)(t->buffer + t->period));
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, for more than there can be");
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait, for more than there can be");
	note(t, 0, "over");
}

/* A program that waits in another way than it wakes: avail_min of a whole buffer. */
static void wait_for_all(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, (long)t->boundary, (long)t->buffer);
	move_frames(t, 3 * t->period);
	note(t, start(t), "start");
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait");
	note_result(t, snd_pcm_avail(t->pcm) >= (long)t->buffer, "all is free");
	note_result(t, snd_pcm_drop(t->pcm), "drop");
}

static int set_period_event(struct trial *t, int on)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(t->pcm, sw);
	snd_pcm_sw_params_set_period_event(t->pcm, sw, on);
	return snd_pcm_sw_params(t->pcm, sw);
}

/* Woken at each period, although it wants to be told of a whole buffer only. */
static void period_event(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, (long)t->buffer);
	note_result(t, set_period_event(t, 1), "period_event");
	move_frames(t, 12 * t->period);
	start(t);
	for (unsigned int i = 1; i <= 4; i++) {
		unsigned short revents;

		wait_passed(t, i * t->period - t->period / 2);
		revents = poll_for(t, 1000);
		note(t, revents, "period %u", i);
	}
	note_result(t, set_period_event(t, 0), "off");
	poll_for(t, 0);			/* one that ended just before */
	note_result(t, poll_for(t, (int)(4 * t->period * 1000 / RATE)), "poll");
}

static long set_silence(struct trial *t, snd_pcm_uframes_t threshold,
			snd_pcm_uframes_t size)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(t->pcm, sw);
	if (snd_pcm_sw_params_set_silence_threshold(t->pcm, sw, threshold) < 0 ||
	    snd_pcm_sw_params_set_silence_size(t->pcm, sw, size) < 0)
		return 1;
	return snd_pcm_sw_params(t->pcm, sw);
}

static void silence_parameters(struct trial *t)
{
	const snd_pcm_uframes_t p = t->period, b = t->buffer, end = t->boundary;
	const snd_pcm_uframes_t tries[][2] = {
		{ 0, 0 }, { p, 0 }, { p, p }, { p, p + 1 }, { 0, 1 }, { b - 1, b - 1 },
		{ b, b }, { b + 1, 0 }, { b + 1, b + 1 }, { 0, end }, { 1, end },
		{ 0, end + 1 }, { p, end + 1 }, { 0, 0 },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		note_result(t, set_silence(t, tries[i][0], tries[i][1]),
			    "silence_threshold, silence_size %zu", i);
	note(t, 0, "unchanged");
}

/* With silence_size at the boundary, a stream that never stops has silence where
 * nothing was written, never old sound. */
static void silence_in_the_gap(struct trial *t)
{
	long silent = 0, sound = 0;
	int16_t *heard;
	size_t n = 0;

	set_thresholds(t, (long)t->boundary, (long)t->boundary, (long)t->buffer);
	note_result(t, set_silence(t, 0, t->boundary), "silence");
	move_frames(t, 3 * t->period);
	start(t);
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait until it is empty");
	let_pass((unsigned int)(30 * t->period * 1000 / RATE));	/* more than a buffer */
	note_result(t, move_frames(t, 3 * t->period), "write");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	heard = t->device->heard(t->device, &n);
	for (size_t i = 0; i < n; i++)
		if (heard[2 * i])
			sound++;
		else
			silent++;
	free(heard);
	note_result(t, sound, "frames of sound");
	note_result(t, silent > 20 * (long)t->period, "and silence in between");
}

const struct scenario threshold_scenarios[] = {
	{ "start_threshold", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, start_threshold },
	{ "stop_threshold below", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING,
	  stop_threshold_below },
	{ "stop_threshold", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, stop_threshold },
	{ "stop_threshold above", SND_PCM_STREAM_PLAYBACK, NEEDS_EAR,
	  stop_threshold_above },
	{ "waits and avail_min", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, waits },
	{ "wait for a whole buffer", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING,
	  wait_for_all },
	{ "period_event", SND_PCM_STREAM_PLAYBACK, NEEDS_PERIODS, period_event },
	{ "silence parameters", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING,
	  silence_parameters },
	{ "silence in the gap", SND_PCM_STREAM_PLAYBACK, NEEDS_EAR, silence_in_the_gap },
	{ .name = NULL },
};
