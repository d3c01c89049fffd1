/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>

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
}

void clocked_faults_obey(struct clocked_device *dev, const struct clocked_words *words,
			 uint64_t now_ns)
{
	clocked_clock_hold(&dev->clock, now_ns, words->still != 0);
	if (words->lost && dev->state != CLOCKED_LOST) {
		clocked_device_stop(dev, now_ns);
		dev->state = CLOCKED_LOST;
	}
	if (words->suspends != dev->suspends) {
		dev->suspends = words->suspends;
		suspend(dev, words->suspended_ns ? words->suspended_ns : now_ns);
	}
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
	return 0;
}
