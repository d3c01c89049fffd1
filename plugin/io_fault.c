/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream that does not go on, for a time or at all.
 */
#include <errno.h>
#include "plugin/episodes.h"
#include "plugin/io_absent.h"
#include "plugin/io_stats.h"
#include "plugin/io_thread.h"

void hr_io_latch(struct hr_io *io, enum hr_fault fault)
{
	static const enum hr_state states[] = {
		[HR_FAULT_XRUN] = HR_STATE_XRUN,
		[HR_FAULT_SUSPENDED] = HR_STATE_SUSPENDED,
		[HR_FAULT_LOST] = HR_STATE_DISCONNECTED,
	};

	hr_stats_state(io, states[fault]);
	hr_stats_rate_restart(io);
	/* seq_cst: see hr_io_ready(). */
	atomic_store_explicit(&io->fault, fault, memory_order_seq_cst);
	hr_io_wake_program(io);
}

void hr_io_stand(struct hr_io *io)
{
	uint64_t pos = hr_position_last(&io->position);

	hr_position_publish(&io->position, pos, io->now_ns, pos,
			    hr_position_extra(&io->position));
}

void hr_io_note_rest(struct hr_io *io, snd_pcm_sframes_t avail)
{
	uint64_t buffer = io->slave->buffer, left;

	if (avail < 0)
		return;
	/* A card's pointer may be beyond what it was given. */
	left = (uint64_t)avail < buffer ? buffer - (uint64_t)avail : 0;
	if (io->direction == HR_PLAYBACK && left < io->queued)
		io->queued = left;
	else if (io->direction == HR_CAPTURE && (uint64_t)avail <= buffer)
		io->unheard = (uint64_t)avail;
}

/* What a recording device had in an xrun was counted then; by the clock it may be less than a
 * frame. */
static bool has_rest(const struct hr_io *io)
{
	/* relaxed: written by this side. */
	return io->direction == HR_PLAYBACK || io->unheard ||
	       atomic_load_explicit(&io->fault, memory_order_relaxed) == HR_FAULT_SUSPENDED;
}

void hr_io_settle(struct hr_io *io)
{
	snd_pcm_sframes_t avail = hr_io_is_absent(io) ? -ENODEV : hr_slave_rest(io->slave);

	if (has_rest(io))
		hr_io_note_rest(io, avail);
}

void hr_io_lose(struct hr_io *io)
{
	uint64_t lost = io->direction == HR_PLAYBACK ? hr_playback_unheard(io) :
						       hr_capture_unread(io);

	lost += io->unheard;
	if (lost <= io->lost)
		return;
	hr_stats_dropped(io, lost - io->lost);
	io->lost = lost;
}

void hr_io_halt(struct hr_io *io, enum hr_fault fault)
{
	if (io->run != HR_RUN_FAULT) {
		io->interrupted = io->run;
		io->halted_ns = io->now_ns;
		io->settled = false;
		if (io->direction == HR_CAPTURE)
			io->unheard = hr_capture_unseen(io);
	}
	io->run = HR_RUN_FAULT;
	hr_io_stand(io);
	hr_stats_calm(io);
	hr_io_latch(io, fault);
	/* What a suspend costs is known when it is not resumed. */
	if (fault != HR_FAULT_SUSPENDED)
		hr_episode_keep(io, fault == HR_FAULT_LOST ? HR_EPISODE_LOST :
				HR_EPISODE_XRUN, HR_CAUSE_DEVICE);
	if (fault == HR_FAULT_LOST) {
		hr_io_settle(io);
		hr_io_lose(io);
	}
}

uint64_t hr_io_gap_left(const struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	uint64_t stop = atomic_load_explicit(&io->stop_threshold, memory_order_relaxed);

	if (stop == UINT64_MAX)
		return UINT64_MAX;
	return stop > io->buffer + io->gap ? stop - io->buffer - io->gap : 0;
}

enum hr_fault hr_io_fault_of(int err)
{
	switch (err) {
	case -ENODEV:
	case -EBADFD:
	case -EBADF:
		return HR_FAULT_LOST;
	case -ESTRPIPE:
		return HR_FAULT_SUSPENDED;
	default:
		return HR_FAULT_XRUN;	/* -EPIPE, and whatever else stopped it */
	}
}
