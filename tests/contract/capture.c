/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A capture stream: its states, its waits, its overrun. headroom is given no depth
 * here, so that the overrun is the device's.
 */
#include <errno.h>

#include "tests/contract/contract.h"

static void states(struct trial *t)
{
	note(t, 0, "prepared");
	note_result(t, poll_for(t, 0), "poll, prepared");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait, prepared");
	note(t, start(t), "start");
	note_result(t, snd_pcm_start(t->pcm), "start, running");
	note_result(t, move_frames(t, 2 * t->period), "read");
	note(t, 0, "running");
	note_result(t, snd_pcm_drop(t->pcm), "drop");
	note_result(t, poll_for(t, 0), "poll, dropped");
	note_result(t, move_frames(t, 1), "read, set up");
	note_result(t, snd_pcm_start(t->pcm), "start, set up");
	/* An error, or success: by the frames that had come until the drop. */
	note_result(t, snd_pcm_wait(t->pcm, 0) != 0, "no waiting, set up");
	note_result(t, poll_for(t, 0), "poll, set up");
	begin_anew(t);
	note(t, 0, "prepared again");
	note_result(t, set_thresholds(t, (long)(2 * t->period), -1, -1), "two periods");
	snd_pcm_nonblock(t->pcm, 1);
	move_frames(t, 2 * t->period);	/* a kernel's read blocks all the same */
	note_result(t, 0, "read what starts it");
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	note_result(t, snd_pcm_avail(t->pcm) >= (long)t->period, "a period");
}

static void waits(struct trial *t)
{
	set_thresholds(t, -1, -1, 4 * (long)t->period);
	note(t, start(t), "start");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0");
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait");
	note_result(t, snd_pcm_avail(t->pcm) >= 4 * (long)t->period, "four periods");
	note_near(t, snd_pcm_avail(t->pcm), "no more than four");
	note(t, move_frames(t, 2 * t->period), "read two");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait 0, for the rest");
	note_result(t, poll_for(t, 10000), "poll, for the rest");
	note_result(t, snd_pcm_avail(t->pcm) >= 4 * (long)t->period, "four again");
	set_thresholds(t, -1, -1, (long)(t->buffer + t->period));
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait for more than there can be");
	note(t, 0, "over");
}

static void overrun(struct trial *t)
{
	snd_pcm_sframes_t delay;

	set_thresholds(t, -1, -1, (long)(t->buffer + t->period));
	start(t);
	note_result(t, poll_for(t, 10000), "poll, until it is over");
	note(t, snd_pcm_delay(t->pcm, &delay), "delay");
	note_result(t, move_frames(t, 1), "read");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait");
	note_result(t, snd_pcm_recover(t->pcm, -EPIPE, 1), "recover");
	t->started_ns = 0;
	t->written = 0;
	note(t, 0, "recovered");
	set_thresholds(t, -1, -1, 1);
	note_result(t, move_frames(t, t->period), "read again");
}

static void pause_and_go_on(struct trial *t)
{
	snd_pcm_sframes_t before, after;

	note_result(t, can_pause(t), "can pause");
	start(t);
	wait_passed(t, 3 * t->period);
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause");
	if (!can_pause(t))
		return;
	before = snd_pcm_avail(t->pcm);
	let_pass(60);
	after = snd_pcm_avail(t->pcm);
	note_result(t, after - before, "moved, paused");
	note_result(t, before >= 3 * (long)t->period, "something is there");
	note_result(t, move_frames(t, t->period), "read, paused");
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause again");
	note_result(t, snd_pcm_pause(t->pcm, 0), "go on");
	note_result(t, move_frames(t, 4 * t->period), "read");
	mark_start(t);
	note(t, 0, "going on");
}

static void stops_by_drain(struct trial *t)
{
	start(t);
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_result(t, move_frames(t, 1), "read");
}

static void rewind_and_forward(struct trial *t)
{
	start(t);
	note_result(t, snd_pcm_rewindable(t->pcm) >= 0, "rewindable");
	note_result(t, move_frames(t, 3 * t->period), "read");
	note_result(t, snd_pcm_rewind(t->pcm, t->period), "rewind");
	t->written -= t->period;
	note(t, 0, "rewound");
	note_result(t, move_frames(t, t->period), "read again");
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	/* A kernel's device knows by itself; ioplug only what was asked for. */
	snd_pcm_avail(t->pcm);
	note_result(t, snd_pcm_forwardable(t->pcm) >= (long)t->period, "forwardable");
	note_result(t, snd_pcm_forward(t->pcm, t->period / 2), "forward");
	t->written += t->period / 2;
	note(t, 0, "skipped");
}

static void non_blocking_on_and_off(struct trial *t)
{
	long last;

	set_thresholds(t, (long)t->boundary, -1, -1);
	snd_pcm_nonblock(t->pcm, 1);
	/* It starts the card, and on a busy machine may find its first frames. */
	last = move_frames(t, t->period);
	note_result(t, last > 0 ? -EAGAIN : last, "read, prepared");
	note(t, start(t), "start");
	note_result(t, snd_pcm_nonblock(t->pcm, 0), "blocking");
	note(t, move_frames(t, 3 * t->period), "read, blocking");
	note_result(t, snd_pcm_nonblock(t->pcm, 1), "non-blocking again");
	while ((last = move_frames(t, t->period)) > 0)
		;
	note(t, last, "read what is not there");
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	note(t, move_frames(t, t->period / 2), "read what is there");
}

#define CAPTURE SND_PCM_STREAM_CAPTURE

const struct scenario capture_scenarios[] = {
	{ "states of capture", CAPTURE, NEEDS_NOTHING, states },
	{ "waits and avail_min of capture", CAPTURE, NEEDS_NOTHING, waits },
	{ "overrun", CAPTURE, NEEDS_NOTHING, overrun },
	{ "pause of capture", CAPTURE, NEEDS_PAUSE, pause_and_go_on },
	/* The kernel's keeps what it has and drains on: no ioplug can. */
	{ "drain of capture", CAPTURE, VIRTUAL_ONLY, stops_by_drain },
	{ "rewind and forward of capture", CAPTURE, NEEDS_NOTHING, rewind_and_forward },
	{ "non-blocking capture on and off", CAPTURE, VIRTUAL_ONLY,
	  non_blocking_on_and_off },
	{ .name = NULL },
};
