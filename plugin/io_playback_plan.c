/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What is to end the wait for the next step of playback.
 */
#include "plugin/io_absent.h"
#include "plugin/io_playback.h"

/* Frames that the program may write when the device wakes us: all that the two buffers
 * differ by, and what is in the stream by then, is not the device's to tell. */
static uint64_t avail_when_woken(const struct hr_io *io)
{
	uint64_t queued_then = io->slave->buffer - io->slave->avail_min;
	uint64_t taken = queued_then + hr_playback_waiting(io, io->taken);

	return io->buffer > taken ? io->buffer - taken : 0;
}

/* Whether the program is to wake us when it writes into a device with so much room. Not
 * if the device does soon enough, even if the program fills its buffer. If it writes less
 * it may be ready before, but at no end of a period before, as on the device itself. */
static bool wants_frames(const struct hr_io *io, uint64_t room)
{
	/* relaxed: a setting by itself. */
	uint64_t need = atomic_load_explicit(&io->avail_min, memory_order_relaxed);

	return room > 0 && (!io->slave->lags || room >= io->slave->avail_min ||
			    need + room < io->slave->avail_min);
}

/* The clock is all that wakes us: each period, and when the stream runs dry. */
static void plan_without_device(const struct hr_io *io, struct hr_plan *plan)
{
	uint64_t left = io->queued + hr_playback_waiting(io, io->taken);
	uint64_t dry_ns = hr_frames_to_ns(left, io->rate) + HR_DRY_SLACK_NS;

	hr_plan_within(io, plan, left && dry_ns < hr_io_period_ns(io) ? dry_ns :
								 hr_io_period_ns(io));
}

void hr_playback_plan(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t avail = io->slave->buffer - (io->queued < io->slave->buffer ?
					      io->queued : io->slave->buffer);
	uint64_t period_ns = hr_io_period_ns(io);
	uint64_t pos = hr_position_last(&io->position);

	plan->wait_program = io->run == HR_RUN_RUNNING && !hr_io_is_absent(io) &&
			     wants_frames(io, avail);
	plan->poll_device = avail < io->slave->avail_min && !io->device_lied &&
			    !hr_io_is_absent(io);
	if (hr_io_is_absent(io)) {
		plan_without_device(io, plan);
	} else if (plan->poll_device) {
		hr_plan_for_device(io, plan);
		plan->due_ns = io->now_ns + period_ns +
			       hr_frames_to_ns(io->slave->avail_min - avail, io->rate);
		/* A draining device wakes us at the end only; the program wants to know
		 * on the way. */
		if (io->run == HR_RUN_DRAINING)
			hr_plan_within(io, plan, period_ns);
	} else if (io->queued || io->run == HR_RUN_DRAINING) {
		uint64_t dry_ns = hr_frames_to_ns(io->queued, io->rate) + HR_DRY_SLACK_NS;

		hr_plan_within(io, plan, dry_ns < period_ns ? dry_ns : period_ns);
	}
	if (hr_playback_plays_silence(io) && io->run == HR_RUN_RUNNING && !hr_io_is_absent(io)) {
		uint64_t margin = hr_playback_silence_margin(io);

		hr_plan_within(io, plan, io->queued > margin ?
			       hr_frames_to_ns(io->queued - margin, io->rate) :
			       HR_DRY_SLACK_NS);
	}
	if (io->run == HR_RUN_RUNNING)
		hr_plan_for_program(io, plan, pos + io->buffer > io->seen_appl ?
				    pos + io->buffer - io->seen_appl : 0,
				    avail_when_woken(io));
}
