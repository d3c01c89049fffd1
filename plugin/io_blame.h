/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the I/O thread knows about who was late, gathered step by step for hr_blame().
 * All calls: [io].
 */
#ifndef HR_PLUGIN_IO_BLAME_H
#define HR_PLUGIN_IO_BLAME_H

#include "plugin/blame.h"

struct hr_io;
struct hr_plan;

/* What is known at the end of a step, for the case that the next one finds a loss. What
 * follows from it is computed then: each step has this to pay. */
struct hr_blame_mark {
	uint64_t period_ns;		/* of the device */
	uint64_t looked_ns;		/* when it was */
	uint64_t queued;		/* playback: frames in the device */
	uint64_t moved, moved_ns;	/* the device's position, and when it was first there */
	uint64_t appl, told_ns;		/* the program's; as in struct hr_facts */
	uint64_t deadline_ns;		/* for which the thread has set its alarm, */
	bool polls;			/* and whether the device wakes it as well */
	bool waited;			/* as in struct hr_facts */
	uint64_t woke_ns;		/* 0 = it did not sleep */
	bool was_stopped;
	long kept;			/* how often the thread had to leave its processor */
};

/** The device starts, or goes on after a pause. */
void hr_blame_begin(struct hr_io *io);

/** A step is over; the next is as planned. */
void hr_blame_mark(struct hr_io *io, const struct hr_plan *plan);

/** The thread has been woken. */
void hr_blame_woken(struct hr_io *io, uint64_t now_ns);

/** The queue was taken back in part. */
void hr_blame_rewound(struct hr_io *io);

/** Who it was: the device is at its end, or all but; and whether sound waits. */
enum hr_cause hr_blame_for_xrun(struct hr_io *io, bool waits);

/** Who it was: the program's stop threshold is reached, with sound left. */
enum hr_cause hr_blame_for_stop(struct hr_io *io);

/** When the device is at its end by its rate. */
uint64_t hr_blame_end_ns(const struct hr_io *io);

/** Who it was: the device had so many frames, where there was room for fewer. */
enum hr_cause hr_blame_for_full_ring(struct hr_io *io, uint64_t came, uint64_t room);

#endif
