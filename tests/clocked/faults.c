/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "tests/clocked/faults.h"

/* As the kernel: a stream that is only set up has nothing to go back to. */
static void suspend(struct clocked_device *dev, uint64_t now_ns)
{
	clocked_device_sync(dev, now_ns);
	if (dev->state == CLOCKED_SETUP || dev->state == CLOCKED_SUSPENDED ||
	    dev->state == CLOCKED_LOST)
		return;
	dev->resume_to = dev->state;
	dev->state = CLOCKED_SUSPENDED;
	clocked_tape_log_event(&dev->tape, "suspend", clocked_device_log_frame(dev));
	clocked_device_note_stand(dev);
}

void clocked_faults_begin(struct clocked_device *dev, const struct clocked_words *words)
{
	dev->seen = *words;
	memcpy(dev->fails, words->fails, sizeof(dev->fails));
}

static void vanish(struct clocked_device *dev, uint64_t now_ns)
{
	bool has_ended;

	clocked_device_sync(dev, now_ns);
	has_ended = dev->state == CLOCKED_SETUP || dev->state == CLOCKED_XRUN;
	clocked_device_stop(dev, now_ns);
	if (!has_ended && clocked_device_holds(dev) > 0)
		clocked_tape_log_loss(&dev->tape, dev->playback ? "unheard" : "unread",
				      clocked_device_log_frame(dev),
				      (uint64_t)clocked_device_holds(dev));
	clocked_tape_log_vanish(&dev->tape, clocked_device_log_frame(dev), now_ns);
	dev->gone = true;
}

void clocked_faults_obey(struct clocked_device *dev, const struct clocked_words *words,
			 uint64_t now_ns)
{
	const struct clocked_words seen = dev->seen;

	clocked_clock_hold(&dev->clock, now_ns, words->still != 0);
	if ((words->lost || words->losses != seen.losses) && !dev->gone)
		vanish(dev, now_ns);
	if (dev->gone)
		dev->state = CLOCKED_LOST;
	if (words->suspends != seen.suspends)
		suspend(dev, words->suspended_ns ? words->suspended_ns : now_ns);
	if (words->jumps != seen.jumps)
		clocked_device_jump(dev, now_ns, words->jump);
	if (words->fails_set != seen.fails_set)
		memcpy(dev->fails, words->fails, sizeof(dev->fails));
	/* What it did up to now it did as before. */
	if (words->xruns != seen.xruns || words->burst != seen.burst ||
	    words->xrun_every != seen.xrun_every)
		clocked_device_sync(dev, now_ns);
	if (words->xruns != seen.xruns)
		dev->xrun_at = words->xrun_at;
	dev->seen = *words;
}

int clocked_faults_fail(struct clocked_device *dev, enum clocked_call call)
{
	struct clocked_fail *fail = &dev->fails[call];

	if (!fail->error || !fail->times)
		return 0;
	if (fail->skip) {
		fail->skip--;
		return 0;
	}
	if (fail->times != CLOCKED_FAIL_ALWAYS)
		fail->times--;
	return -(int)fail->error;
}

int clocked_faults_shorten(struct clocked_device *dev, snd_pcm_uframes_t *frames)
{
	uint32_t most = dev->seen.most;
	bool was_short = dev->was_short;

	dev->was_short = most && *frames > most && !was_short;
	if (most && was_short)
		return -EAGAIN;
	if (dev->was_short)
		*frames = most;
	return 0;
}

unsigned short clocked_faults_events(const struct clocked_device *dev)
{
	unsigned short ready = dev->playback ? POLLOUT : POLLIN;

	switch ((enum clocked_wakes)dev->seen.wakes) {
	case CLOCKED_WAKES_WELL:
		break;
	case CLOCKED_WAKES_ALWAYS:
		return clocked_device_events(dev) | ready;
	case CLOCKED_WAKES_FALSELY:
	case CLOCKED_WAKES_NEVER:
		return clocked_device_events(dev) & POLLERR ?
		       clocked_device_events(dev) : 0;
	}
	return clocked_device_events(dev);
}

int clocked_faults_error(const struct clocked_device *dev)
{
	switch (dev->state) {
	case CLOCKED_XRUN:
		return -EPIPE;
	case CLOCKED_SUSPENDED:
		return -ESTRPIPE;
	case CLOCKED_LOST:
		return -ENODEV;
	case CLOCKED_SETUP:
	case CLOCKED_PREPARED:
	case CLOCKED_RUNNING:
	case CLOCKED_DRAINING:
	case CLOCKED_PAUSED:
		break;
	}
	return 0;
}

int clocked_faults_resume(struct clocked_device *dev, const struct clocked_words *words,
			  uint64_t now_ns)
{
	if (dev->state != CLOCKED_SUSPENDED)
		return -EBADFD;
	if (words->resume_errno)
		return -(int)words->resume_errno;
	dev->world = clocked_clock_frames(&dev->clock, now_ns);
	dev->state = dev->resume_to;
	clocked_tape_log_event(&dev->tape, "resume", clocked_device_log_frame(dev));
	if (dev->state == CLOCKED_RUNNING || dev->state == CLOCKED_DRAINING)
		clocked_device_note_start(dev);
	return 0;
}
