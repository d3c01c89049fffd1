/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What happens to a card: it is suspended, stands still, is unplugged.
 */
#include <errno.h>

#include "tests/contract/contract.h"

/* Nobody is woken before the buffer is empty. */
static void play(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, (long)t->buffer);
	move_frames(t, 12 * t->period);
	start(t);
}

static void suspend_running(struct trial *t)
{
	snd_pcm_sframes_t delay;

	play(t);
	wait_passed(t, 2 * t->period);
	t->device->suspend(t->device);
	note_result(t, poll_for(t, 10000), "poll");
	note_result(t, move_frames(t, 1), "write");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait");
	note_result(t, snd_pcm_delay(t->pcm, &delay), "delay");
	note_result(t, snd_pcm_start(t->pcm), "start");
	note_result(t, snd_pcm_pause(t->pcm, 1), "pause");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	let_pass(200);		/* longer than what is queued */
	note_result(t, snd_pcm_resume(t->pcm), "resume");
	mark_start(t);
	wait_passed(t, t->period);
	note(t, 0, "going on");
	note(t, move_frames(t, t->period), "write then");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_heard(t, "nothing is lost");
}

static void suspend_prepared(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 5 * t->period);
	t->device->suspend(t->device);
	/* headroom looks at an idle card only when it is asked for something. */
	note_result(t, snd_pcm_start(t->pcm) < 0, "start fails");
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
	t->written = 0;
	note(t, 0, "prepared");
	note(t, move_frames(t, 3 * t->period), "write");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_heard(t, "after that");
}

/* Nothing was given to the card yet, and nobody has asked it anything since. */
static void suspend_prepared_again(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	t->device->suspend(t->device);
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
	note(t, move_frames(t, 5 * t->period), "write");
	start(t);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_heard(t, "all");
}

/* The start of a drain fails; so does another drain, and none waits for ever. */
static void drain_in_vain(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 5 * t->period);
	t->device->suspend(t->device);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_result(t, snd_pcm_drain(t->pcm), "drain again");
	note_result(t, snd_pcm_resume(t->pcm), "resume");
	note_result(t, snd_pcm_drain(t->pcm), "drain at last");
	note_heard(t, "nothing is lost");
}

static void lost_prepared(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 5 * t->period);
	t->device->lose(t->device);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_result(t, snd_pcm_drain(t->pcm), "drain again");
}

/* By no look before: the first call of all is told. */
static void suspend_unseen(struct trial *t)
{
	play(t);
	wait_passed(t, 2 * t->period);
	t->device->suspend(t->device);
	let_pass(20);		/* for those who look by themselves */
	note_result(t, move_frames(t, 100), "write");
	note_result(t, snd_pcm_resume(t->pcm), "resume");
	t->device->suspend(t->device);
	let_pass(20);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_result(t, snd_pcm_resume(t->pcm), "resume again");
	note_result(t, move_frames(t, 100), "write then");
	note_result(t, snd_pcm_drain(t->pcm), "drain at last");
	note_heard(t, "nothing is lost");
}

static void suspend_refused(struct trial *t)
{
	play(t);
	t->device->refuse_resume(t->device);
	t->device->suspend(t->device);
	note_result(t, poll_for(t, 10000), "poll");
	snd_pcm_resume(t->pcm);		/* ioplug lets no error through: the state tells */
	note_result(t, 0, "resume");
	note_result(t, move_frames(t, 1), "write");
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
	t->written = 0;
	t->started_ns = 0;
	note(t, 0, "prepared");
	move_frames(t, 3 * t->period);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
}

static void suspend_reset(struct trial *t)
{
	play(t);
	wait_passed(t, 2 * t->period);
	t->device->suspend(t->device);
	note_result(t, poll_for(t, 10000), "poll");
	note_result(t, snd_pcm_reset(t->pcm), "reset");
	note_result(t, snd_pcm_avail(t->pcm), "avail");
	note_result(t, move_frames(t, 1), "write");
}

static void suspend_recovered(struct trial *t)
{
	play(t);
	t->device->suspend(t->device);
	note_result(t, snd_pcm_wait(t->pcm, -1), "wait");
	note_result(t, snd_pcm_recover(t->pcm, -ESTRPIPE, 1), "recover");
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_heard(t, "nothing is lost");
}

static void stands_still(struct trial *t)
{
	snd_pcm_sframes_t before = 0, after = 0;

	set_thresholds(t, (long)t->boundary, -1, -1);
	move_frames(t, 12 * t->period);
	start(t);
	wait_passed(t, 2 * t->period);
	t->device->stand_still(t->device, true);
	let_pass(50);		/* for a position that is guessed in between */
	snd_pcm_delay(t->pcm, &before);
	set_thresholds(t, -1, -1, (long)t->buffer);
	note_result(t, snd_pcm_wait(t->pcm, 200), "wait");
	note_result(t, snd_pcm_delay(t->pcm, &after), "delay");
	note_near(t, after - before, "moved");
	t->device->stand_still(t->device, false);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	note_heard(t, "all");
}

static void lost_running(struct trial *t)
{
	snd_pcm_sframes_t delay;

	play(t);
	t->device->lose(t->device);
	note_result(t, poll_for(t, 10000), "poll");
	note_result(t, move_frames(t, 1), "write");
	note_result(t, snd_pcm_wait(t->pcm, 0), "wait");
	note_result(t, snd_pcm_delay(t->pcm, &delay), "delay");
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
	note_result(t, snd_pcm_start(t->pcm) < 0, "start fails");
	note_result(t, snd_pcm_drain(t->pcm) < 0, "drain fails");
	note_result(t, snd_pcm_drop(t->pcm), "drop");
	note_result(t, move_frames(t, 1), "write again");
}

static void lost_draining(struct trial *t)
{
	set_thresholds(t, (long)t->boundary, -1, -1);
	snd_pcm_nonblock(t->pcm, 1);
	move_frames(t, 12 * t->period);
	start(t);
	note_result(t, snd_pcm_drain(t->pcm), "drain");
	t->device->lose(t->device);
	snd_pcm_nonblock(t->pcm, 0);
	note_result(t, snd_pcm_drain(t->pcm) < 0, "drain fails");
}

static void lost_recording(struct trial *t)
{
	start(t);
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	set_thresholds(t, -1, -1, (long)t->buffer);
	t->device->lose(t->device);
	note_result(t, poll_for(t, 10000) != 0, "poll");
	wait_state(t, SND_PCM_STATE_DISCONNECTED);
	note_result(t, move_frames(t, t->buffer), "read");
	note_result(t, snd_pcm_prepare(t->pcm), "prepare");
}

static void suspend_recording(struct trial *t)
{
	start(t);
	note_result(t, snd_pcm_wait(t->pcm, 10000), "wait");
	set_thresholds(t, -1, -1, (long)t->buffer);
	t->device->suspend(t->device);
	note_result(t, poll_for(t, 10000), "poll");
	note_result(t, move_frames(t, 1), "read");
	note_result(t, snd_pcm_resume(t->pcm), "resume");
	set_thresholds(t, -1, -1, 1);
	note_result(t, move_frames(t, 2 * t->period), "read then");
}

#define PLAYBACK SND_PCM_STREAM_PLAYBACK
#define COMMANDED (NEEDS_COMMANDS | NEEDS_EAR)

const struct scenario fault_scenarios[] = {
	{ "suspend, running", PLAYBACK, COMMANDED, suspend_running },
	{ "suspend, prepared", PLAYBACK, COMMANDED, suspend_prepared },
	{ "suspend, prepared again", PLAYBACK, COMMANDED, suspend_prepared_again },
	{ "suspend, drain in vain", PLAYBACK, COMMANDED, drain_in_vain },
	{ "suspend, unseen", PLAYBACK, COMMANDED, suspend_unseen },
	{ "suspend, resume refused", PLAYBACK, COMMANDED, suspend_refused },
	{ "suspend, reset", PLAYBACK, COMMANDED, suspend_reset },
	{ "suspend, recovered from", PLAYBACK, COMMANDED, suspend_recovered },
	{ "the card stands still", PLAYBACK, COMMANDED, stands_still },
	{ "lost, running", PLAYBACK, COMMANDED, lost_running },
	{ "lost, prepared", PLAYBACK, COMMANDED, lost_prepared },
	{ "lost, draining", PLAYBACK, COMMANDED, lost_draining },
	{ "lost, recording", SND_PCM_STREAM_CAPTURE, NEEDS_COMMANDS, lost_recording },
	{ "suspend, recording", SND_PCM_STREAM_CAPTURE, NEEDS_COMMANDS,
	  suspend_recording },
	{ .name = NULL },
};
