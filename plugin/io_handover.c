/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the program and the I/O thread tell each other of the stream: the one where it has
 * written or read to, the other where the device is, and who of the two was first at the
 * end. The looks of wake.h are here.
 */
#include "plugin/io_thread.h"

#define AT_ONCE_NS (HR_NS_PER_MS / 10)	/* a look that was asked for, if nobody is in the way */

bool hr_io_ready(const struct hr_io *io)
{
	uint64_t appl, pos, avail;
	int fault;

	/* seq_cst throughout: these are the looks of wake.h. */
	fault = atomic_load_explicit(&io->fault, memory_order_seq_cst);
	if (fault != HR_FAULT_NONE && fault != HR_FAULT_DRY)
		return true;
	if (atomic_load_explicit(&io->draining, memory_order_seq_cst))
		return atomic_load_explicit(&io->drained, memory_order_seq_cst);
	if (atomic_load_explicit(&io->period_over, memory_order_seq_cst))
		return true;
	appl = atomic_load_explicit(&io->appl_pos, memory_order_seq_cst);
	pos = hr_position_last(&io->position);
	if (io->direction == HR_PLAYBACK)
		avail = pos + io->buffer > appl ? pos + io->buffer - appl : 0;
	else
		avail = pos > appl ? pos - appl : 0;
	if (avail > io->buffer)
		avail = io->buffer;
	return avail >= atomic_load_explicit(&io->avail_min, memory_order_seq_cst);
}

bool hr_io_take_period(struct hr_io *io)
{
	/* seq_cst: see hr_io_ready(). */
	return atomic_exchange_explicit(&io->period_over, false, memory_order_seq_cst);
}

/* acquire, pairs with the store in hr_io_set_appl_pos(): who sees a count sees the
 * appl_pos of the move before, so that the next one differs from it. */
uint64_t hr_io_moves(const struct hr_io *io)
{
	return atomic_load_explicit(&io->moves, memory_order_acquire);
}

void hr_io_set_appl_pos(struct hr_io *io, uint64_t appl_pos, uint64_t appl_ptr)
{
	/* relaxed: ordered by appl_pos; see committed(). */
	atomic_store_explicit(&io->appl_ptr, appl_ptr, memory_order_relaxed);
	/* release, pairs with the load in moves(). */
	atomic_store_explicit(&io->moves, hr_io_moves(io) + 1, memory_order_release);
	/* seq_cst: what the I/O thread looks at after arming, see wake.h. */
	atomic_store_explicit(&io->appl_pos, appl_pos, memory_order_seq_cst);
	hr_wake_signal(&io->io_wake);
}

bool hr_io_too_late(struct hr_io *io, uint64_t before)
{
	int dry = HR_FAULT_DRY;
	/* seq_cst: see hr_io_declare_dry(). */
	int fault = atomic_load_explicit(&io->fault, memory_order_seq_cst);

	if (fault != HR_FAULT_DRY)
		return fault == HR_FAULT_XRUN;
	/* What waits from before was in time, so that the I/O thread is about to find it
	 * and to take DRY back: to end the stream here would lose it. */
	if (hr_stream_read_pos(io->stream) < before)
		return false;
	/* seq_cst: as above. Who changes DRY first decides. */
	if (atomic_compare_exchange_strong_explicit(&io->fault, &dry, HR_FAULT_XRUN,
						    memory_order_seq_cst,
						    memory_order_seq_cst))
		return true;
	return dry == HR_FAULT_XRUN;
}

bool hr_io_declare_dry(struct hr_io *io)
{
	int dry = HR_FAULT_DRY;

	/* seq_cst all: this store is ordered before the load of appl_pos, as the
	 * program's store of appl_pos is before its look at the fault. */
	atomic_store_explicit(&io->fault, HR_FAULT_DRY, memory_order_seq_cst);
	if (atomic_load_explicit(&io->appl_pos, memory_order_seq_cst) <= io->taken)
		return true;
	return !atomic_compare_exchange_strong_explicit(&io->fault, &dry, HR_FAULT_NONE,
							memory_order_seq_cst,
							memory_order_seq_cst);
}

bool hr_io_is_overdue(struct hr_io *io, uint64_t before, uint64_t now_ns)
{
	/* relaxed: a setting by itself. */
	if (now_ns <= hr_position_end_ns(&io->position, io->rate, before) ||
	    io->config->underrun_silence ||
	    atomic_load_explicit(&io->stop_threshold, memory_order_relaxed) > io->buffer)
		return false;
	/* relaxed both: ordered by the commit of the frames. */
	atomic_store_explicit(&io->overdue_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&io->overdue, before, memory_order_relaxed);
	return true;
}

void hr_io_settle_overdue(struct hr_io *io)
{
	(void)hr_io_request(io, HR_REQUEST_LOOK);
	/* relaxed: ordered by the next commit. */
	atomic_store_explicit(&io->overdue, 0, memory_order_relaxed);
}

bool hr_io_came_overdue(const struct hr_io *io)
{
	/* relaxed both: who sees the frames sees it. */
	uint64_t overdue = atomic_load_explicit(&io->overdue, memory_order_relaxed);
	uint64_t wrote_ns = atomic_load_explicit(&io->overdue_ns, memory_order_relaxed);

	if (!overdue || overdue > io->taken)
		return false;
	/* It has run dry by now. If that is much later, it need not have by then: the clock
	 * has the last word, by the slowest of cards. */
	return hr_now_ns() <= wrote_ns + AT_ONCE_NS ||
	       wrote_ns > hr_position_late_end_ns(&io->position, io->rate, overdue);
}

void hr_io_wake_program(struct hr_io *io)
{
	if (hr_io_ready(io))
		hr_wake_signal(&io->app_wake);
}

static void note_period(struct hr_io *io, uint64_t pos)
{
	uint64_t n = pos / io->period;

	/* seq_cst: see hr_io_ready(). */
	if (n > io->n_periods && hr_io_wants_periods(io))
		atomic_store_explicit(&io->period_over, true, memory_order_seq_cst);
	io->n_periods = n;
}

void hr_io_publish(struct hr_io *io, uint64_t pos, uint64_t limit, int64_t extra)
{
	hr_position_publish(&io->position, pos, io->now_ns, limit, extra);
	note_period(io, pos);
	hr_io_wake_program(io);
}

/* Frames of a capture that the program has committed since it was last told of. A
 * pointer read in the midst of a change shows too few, or too many for one step, by
 * which an overrun is told that much earlier or later. */
static uint64_t committed(const struct hr_io *io)
{
	/* relaxed all: who saw appl_pos, or a later one, sees the pointer to it. */
	uint64_t boundary = atomic_load_explicit(&io->boundary, memory_order_relaxed);
	uint64_t was = atomic_load_explicit(&io->appl_ptr, memory_order_relaxed);
	uint64_t is = __atomic_load_n(io->live_ptr, __ATOMIC_RELAXED);
	uint64_t ahead = hr_ptr_ahead(is, was, boundary);

	return io->direction == HR_CAPTURE && boundary && ahead <= io->buffer ? ahead : 0;
}

void hr_io_see_appl(struct hr_io *io)
{
	/* Whichever of the two is read first: a move in between changes what the other
	 * is compared with. */
	io->told_moves = hr_io_moves(io);
	/* seq_cst: the look of wake.h. */
	io->told_appl = atomic_load_explicit(&io->appl_pos, memory_order_seq_cst);
	io->seen_appl = io->told_appl + committed(io);
}
