/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The program's pointer by other ways than writing: rewind, forward, reset.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/contract/contract.h"

static long rewind_by(struct trial *t, snd_pcm_uframes_t n)
{
	snd_pcm_sframes_t done = snd_pcm_rewind(t->pcm, n);

	if (done > 0)
		t->written -= (size_t)done;
	return done;
}

static long forward_by(struct trial *t, snd_pcm_uframes_t n)
{
	snd_pcm_sframes_t done = snd_pcm_forward(t->pcm, n);

	if (done > 0)
		t->written += (size_t)done;
	return done;
}

/* What is written from here on differs from what was written before. */
static void another_sound(struct trial *t)
{
	for (size_t i = 2 * t->written; i < 16 * t->buffer; i++)
		t->sound[i] = (int16_t)(t->sound[i] + 1000);
}

static void rewind_prepared(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	note_result(t, snd_pcm_rewindable(t->pcm), "rewindable, empty");
	note_result(t, snd_pcm_forwardable(t->pcm), "forwardable, empty");
	move_frames(t, 8 * t->period);
	note_result(t, snd_pcm_rewindable(t->pcm), "rewindable");
	note_result(t, snd_pcm_forwardable(t->pcm), "forwardable");
	note(t, rewind_by(t, 0), "rewind 0");
	note(t, rewind_by(t, 3 * t->period + 5), "rewind");
	another_sound(t);
	note(t, move_frames(t, t->period), "write");
	note(t, forward_by(t, 0), "forward 0");
	note(t, rewind_by(t, t->written), "rewind all");
	note(t, move_frames(t, 2 * t->period), "write again");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	if (t->device->heard)
		note_heard(t, "as written last");
}

/* Into frames that the device holds already, with five periods to spare. */
static void rewind_running(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 12 * t->period);
	start(t);
	wait_passed(t, 2 * t->period);
	note(t, rewind_by(t, 4 * t->period), "rewind");
	another_sound(t);
	note(t, move_frames(t, 3 * t->period), "write");
	note(t, rewind_by(t, t->period / 2), "rewind a little");
	another_sound(t);
	note(t, move_frames(t, 2 * t->period), "write again");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	if (t->device->heard)
		note_heard(t, "as written last");
}

static void forward_prepared(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 2 * t->period);
	note(t, forward_by(t, t->period + 3), "forward");
	note(t, move_frames(t, t->period), "write");
	note(t, start(t), "start");
	note(t, forward_by(t, t->period), "forward, running");
	note(t, move_frames(t, t->period), "write, running");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	if (t->device->heard)
		note_heard(t, "with silence where nothing was written");
}

/* Frames before a reset are forgotten: written counts anew. */
static void reset(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, (long)t->boundary, -1);
	note(t, snd_pcm_reset(t->pcm), "reset, empty");
	move_frames(t, 3 * t->period);
	note(t, 0, "three periods");
	note(t, snd_pcm_reset(t->pcm), "reset, prepared");
	begin_anew(t);
	move_frames(t, 5 * t->period);
	start(t);
	wait_passed(t, t->period);
	note_result(t, snd_pcm_reset(t->pcm), "reset, running");
	note_result(t, snd_pcm_avail(t->pcm) >= (long)t->buffer, "all is free");
	note_result(t, move_frames(t, 2 * t->period), "write");
	note_result(t, snd_pcm_drop(t->pcm), "drop");
}

const struct scenario move_scenarios[] = {
	{ "rewind, prepared", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, rewind_prepared },
	{ "rewind, running", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, rewind_running },
	{ "forward", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, forward_prepared },
	{ "reset", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, reset },
	{ .name = NULL },
};
