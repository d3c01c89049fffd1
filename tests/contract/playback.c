/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The states of a playback stream, and what each call does in them.
 */
#include <errno.h>

#include "tests/contract/contract.h"

static void states(struct trial *t)
{
	note(t, 0, "prepared");
	note(t, snd_pcm_start(t->pcm), "start without frames");
	note_result(t, poll_for(t, 0), "poll, prepared");
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause, prepared");
	note_result(t, set_thresholds(t, (long)t->boundary, -1, -1), "never by itself");
	note(t, move_frames(t, 5 * t->period), "write");
	note(t, start(t), "start");
	note(t, snd_pcm_start(t->pcm), "start, running");
	note(t, move_frames(t, 5 * t->period), "write, running");
	begin_anew(t);
	note(t, move_frames(t, 5 * t->period), "write again");
	note(t, start(t), "start again");
	note_result(t, snd_pcm_drop(t->pcm), "drop");
	note_result(t, poll_for(t, 0), "poll, dropped");
	note_result(t, move_frames(t, 1), "write, set up");
	note_result(t, snd_pcm_start(t->pcm), "start, set up");
	note_result(t, snd_pcm_drop(t->pcm), "drop, set up");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait, set up");
	note_result(t, poll_for(t, 0), "poll, set up");
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
	t->started_ns = 0;
	note(t, 0, "prepared again");
}

static void drain(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	note_result(t, snd_pcm_drain(t->pcm), "drain without frames");
	begin_anew(t);
	note(t, move_frames(t, 3 * t->period + 17), "write");
	note_result(t, snd_pcm_drain(t->pcm), "drain a prepared stream");
	note_result(t, snd_pcm_drain(t->pcm), "drain once more");
	begin_anew(t);
	note(t, move_frames(t, 3 * t->period + 17), "write");
	note(t, start(t), "start");
	note_result(t, snd_pcm_drain(t->pcm), "drain a running stream");
	if (t->device->heard)
		note_heard(t, "both");
}

static void drain_without_waiting(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	snd_pcm_nonblock(t->pcm, 1);
	move_frames(t, 8 * t->period);
	start(t);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note(t, 0, "draining");
	note_result(t, move_frames(t, 1), "write, draining");
	note_result(t, snd_pcm_drain(t->pcm), "drain, draining");
	note_result(t, poll_for(t, 10000), "poll, until it is over");
	note_result(t, poll_for(t, 0), "poll, over");
	if (t->device->heard)
		note_heard(t, "drained");
}

/* What is queued at the pause depends on when: only that it stays is compared. */
static void pause_and_go_on(struct trial *t)
{
	snd_pcm_sframes_t before = 0, after = 0;

	note_result(t, can_pause(t), "can pause");
	set_thresholds(t, (long)t->boundary, -1, -1);
	snd_pcm_nonblock(t->pcm, 1);
	move_frames(t, 10 * t->period);
	start(t);
	wait_passed(t, t->period);
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause");
	if (!can_pause(t))
		return;
	snd_pcm_delay(t->pcm, &before);
	let_pass(60);
	note_result(t, snd_pcm_delay(t->pcm, &after), "delay, paused");
	note_result(t, after - before, "moved, paused");
	note_result(t, snd_pcm_avail(t->pcm) + after - (long)t->buffer, "made up");
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause again");
	note_result(t, snd_pcm_start(t->pcm), "start, paused");
	note_result(t, poll_for(t, 0), "poll, paused");
	/* No more than fits: the kernel's write does not see a snd_pcm_nonblock(). */
	move_frames(t, (snd_pcm_uframes_t)snd_pcm_avail(t->pcm));
	note_result(t, snd_pcm_avail(t->pcm), "full");
	note_result(t, poll_for(t, 0), "poll, full");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait, full");
	snd_pcm_delay(t->pcm, &before);
	note_result(t, snd_pcm_pause(t->pcm, 0), "go on");
	snd_pcm_delay(t->pcm, &after);
	note_near(t, before - after, "from where it was");
	mark_start(t);
	wait_passed(t, 2 * t->period);
	note(t, 0, "going on");
	note_result(t, snd_pcm_pause(t->pcm, 0), "go on again");
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause once more");
	note_result(t, snd_pcm_drop(t->pcm), "drop, paused");
	begin_anew(t);
	note(t, 0, "prepared");
}

static void underrun(struct trial *t)
{
	snd_pcm_sframes_t delay;

	set_thresholds(t, (long)t->boundary, -1, (long)t->buffer);
	move_frames(t, 2 * t->period);
	start(t);
	note_result(t, poll_for(t, 10000), "poll, until it is over");
	note(t, snd_pcm_delay(t->pcm, &delay), "delay");
	note_result(t, move_frames(t, 1), "write");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait");
	/* What start and rewind say here is alsa-lib's, and not the kernel's word. */
	note_result(t, poll_for(t, 0), "poll");
	note_result(t, snd_pcm_recover(t->pcm, -EPIPE, 1), "recover");
	t->started_ns = 0;
	t->written = 0;
	note(t, 0, "recovered");
	note(t, move_frames(t, 5 * t->period), "write again");
	note(t, start(t), "start again");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	if (t->device->heard)
		note_heard(t, "both");
}

static void non_blocking_on_and_off(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	note_result(t, snd_pcm_nonblock(t->pcm, 1), "non-blocking");
	note(t, move_frames(t, t->buffer - 5), "write");
	note(t, move_frames(t, 10), "write more than fits");
	note(t, move_frames(t, 1), "write to a full one");
	note(t, start(t), "start");
	note_result(t, snd_pcm_nonblock(t->pcm, 0), "blocking");
	note(t, move_frames(t, 2 * t->period), "write, blocking");
	note_result(t, snd_pcm_nonblock(t->pcm, 1), "non-blocking again");
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait for room");
	note(t, move_frames(t, t->period), "write when there is room");
	note_result(t, snd_pcm_nonblock(t->pcm, 0), "blocking again");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	if (t->device->heard)
		note_heard(t, "all");
}

const struct scenario playback_scenarios[] = {
	{ "states of playback", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, states },
	{ "drain", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, drain },
	{ "drain without waiting", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING,
	  drain_without_waiting },
	{ "pause", SND_PCM_STREAM_PLAYBACK, NEEDS_PAUSE, pause_and_go_on },
	{ "underrun", SND_PCM_STREAM_PLAYBACK, NEEDS_NOTHING, underrun },
	{ "non-blocking on and off", SND_PCM_STREAM_PLAYBACK, VIRTUAL_ONLY,
	  non_blocking_on_and_off },
	{ .name = NULL },
};
