/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The I/O thread: the only one that touches the device while it exists. It
 * moves frames between the stream and the device, publishes where the device is,
 * and keeps the page.
 *
 * The program's threads steer it by requests, which they make one at a time
 * (holding hr_pcm's lock) and which it answers between two steps.
 * It never waits for a lock; it sleeps only in one ppoll() on its wake-up and the
 * device.
 *
 * Who may call or write is given as
 *   [program]  a thread of the program that holds hr_pcm's lock
 *   [io]       the I/O thread
 *   [any]      either
 */
#ifndef HR_PLUGIN_IO_THREAD_H
#define HR_PLUGIN_IO_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "core/backpressure.h"
#include "core/episodes.h"
#include "core/health_page.h"
#include "core/line.h"
#include "core/stream.h"
#include "plugin/io_blame.h"
#include "plugin/position.h"
#include "plugin/reporter.h"
#include "plugin/silence.h"
#include "plugin/slave.h"
#include "plugin/wake.h"

enum hr_request {
	HR_REQUEST_NONE,
	HR_REQUEST_PREPARE,	/* stop, forget, make the device ready */
	HR_REQUEST_START,
	HR_REQUEST_STOP,
	HR_REQUEST_PAUSE,
	HR_REQUEST_UNPAUSE,
	HR_REQUEST_DRAIN,	/* begin; `drained` says when it is over */
	HR_REQUEST_RESUME,	/* after a suspend; the answer is an enum hr_run */
	HR_REQUEST_LOOK,	/* see where the device is */
	HR_REQUEST_REWIND,	/* playback: take back frames, down to rewind_pos */
	HR_REQUEST_QUIT,
	HR_REQUEST_TAKEN,	/* none: the one that is being carried out */
};

/* Latched by the I/O thread until the next prepare. */
enum hr_fault {
	HR_FAULT_NONE,
	HR_FAULT_DRY,		/* playback: an xrun unless frames have just come */
	HR_FAULT_XRUN,
	HR_FAULT_SUSPENDED,
	HR_FAULT_LOST,		/* the device is gone */
};

/* What the I/O thread is doing. */
enum hr_run {
	HR_RUN_IDLE,		/* set up or prepared */
	HR_RUN_RUNNING,
	HR_RUN_PAUSED,
	HR_RUN_DRAINING,	/* playback */
	HR_RUN_DISCARDING,	/* capture after an overrun: count what is lost */
	HR_RUN_FAULT,		/* nothing more until prepare */
};

/* How the I/O thread will wait after a step. */
struct hr_plan {
	bool poll_device;
	bool errors_only;	/* of the device: it may be ready all the time */
	bool wait_program;	/* wake me when appl_pos changes */
	uint64_t deadline_ns;	/* CLOCK_MONOTONIC, UINT64_MAX = none */
	uint64_t due_ns;	/* by then the device should have woken us */
};

struct hr_io {
	/* Set by hr_io_create(), constant until hr_io_destroy(). */
	enum hr_direction direction;
	struct hr_slave *slave;
	struct hr_seeker *seeker;	/* NULL: a device that goes is an error */
	struct hr_stream *stream;
	struct hr_page *page;
	struct hr_reporter *reporter;	/* [io] notifies */
	const struct hr_pcm_config *config;
	uint64_t buffer, period;	/* the program's, frames */
	uint32_t rate;			/* Hz */
	const volatile snd_pcm_uframes_t *live_ptr;	/* alsa-lib's pointer itself */
	struct hr_chunk *scratch;	/* silence, or what is discarded */
	struct hr_pool *scratch_pool;
	pthread_t thread;

	/* Requests: [program] writes, [io] answers. */
	_Atomic int request;
	int result;			/* ordered by `answered` */
	uint64_t rewind_pos;		/* ordered by `request` */
	sem_t answered;

	/* Written by [program], the first three with each write. */
	alignas(HR_LINE) _Atomic uint64_t appl_pos;	/* frames since prepare */
	_Atomic uint64_t appl_ptr;	/* alsa-lib's pointer when it was there */
	_Atomic uint64_t moves;		/* how often appl_pos was set: it may come back */
	_Atomic uint64_t boundary;	/* of alsa-lib's pointers; 0 = not known yet */
	_Atomic uint64_t avail_min;
	_Atomic bool period_event;	/* to be woken at the end of each period, too */
	_Atomic uint64_t stop_threshold; /* frames, UINT64_MAX = never stop */
	_Atomic uint64_t late;		/* playback: frames taken that the device had others for */
	_Atomic uint64_t overdue;	/* playback: what is written from here on is; 0 = nothing */
	_Atomic uint64_t overdue_ns;	/* when it was written */
	_Atomic bool draining;

	/* Written by [io], the position with each step. */
	alignas(HR_LINE) struct hr_position position;
	_Atomic int fault;		/* enum hr_fault */
	_Atomic bool period_over;	/* one has ended; [program] takes note of it */
	_Atomic bool drained;
	_Atomic int drain_error;	/* 0 or -errno; valid once drained */

	struct hr_wake io_wake;		/* [io] waits */
	struct hr_wake app_wake;	/* [program] waits; made and finished by the caller */

	/* The I/O thread's own. */
	alignas(HR_LINE) enum hr_run run;
	enum hr_run interrupted;	/* what a suspend has put an end to */
	uint64_t now_ns;		/* of this step */
	uint64_t told_moves;		/* moves and */
	uint64_t told_appl;		/* appl_pos at the begin of this step */
	uint64_t seen_appl;		/* the same, with what was committed since by mmap */
	uint64_t taken;			/* playback: frames taken from the stream */
	uint64_t handed;		/* playback: frames given to the device */
	uint64_t queued;		/* playback: frames in the device at the last look */
	uint64_t taken_back;		/* playback: frames counted that will be given again */
	bool rewound;			/* playback: nothing was given since frames were taken back */
	uint64_t gap;			/* frames invented or dropped since the last of the program's */
	uint64_t unheard;		/* the program's in the device when it stopped */
	bool settled;			/* at rest it was asked what it had */
	uint64_t lost;			/* by a fault, and counted since the last prepare */
	uint64_t dropped_part;		/* dropped frames short of a chunk */
	uint64_t n_periods;		/* of the program's, that have passed whole */
	uint64_t moved_ns;		/* when the position last changed */
	uint64_t drain_ns;		/* when the drain began */
	struct hr_silence silence;
	bool device_woke;		/* this step was begun by the device */
	bool device_lied;		/* its descriptor was ready, it was not */
	bool unpaced;			/* capture: frames come faster than time passes */
	uint64_t discarded;		/* capture: frames read from the device for nobody */
	uint64_t beyond;		/* capture: frames taken since a period of the device ended */
	uint64_t looked_ns;		/* capture: last successful look */
	uint64_t paused_rest;		/* capture: frames that a pause has left in the device */
	uint64_t absent_ns;		/* the device is gone: since then, and */
	uint64_t absent_passed;		/* frames of that time taken note of */
	uint64_t halted_ns;		/* when a suspend was met */

	struct hr_blame_mark mark;	/* kept by blame.c */
	struct hr_episode episode;	/* kept by episodes.c: the last that began */

	/* Kept by io_stats.c. */
	struct hr_bp bp;
	uint64_t last_pushed, last_popped, last_hits, last_misses, last_late;
	uint64_t mark_pos, mark_ns;	/* begin of the rate measurement */
	uint64_t told;			/* what the reporter knows, see tell_changes() */
	enum hr_state state;		/* of the stream; the page's if the device is there */
};

/** Make the thread; it is idle. All pointers in the constant part are set by the
 * caller. Returns 0 or -errno after one line. [program] */
int hr_io_create(struct hr_io *io);

/** Stop and join the thread. One that was not created (zeroed, io_wake.fd -1) is
 * allowed. [program] */
void hr_io_destroy(struct hr_io *io);

/** Have a request carried out; returns its result, 0 or -errno. [program] */
int hr_io_request(struct hr_io *io, enum hr_request request);

/** The same, given up if the thread has not begun by then: what keeps it from its processor
 * is not to keep the program. Returns whether it was carried out. [program] */
bool hr_io_request_until(struct hr_io *io, enum hr_request request, uint64_t until_ns);

/** Wait until the I/O thread has answered, or is there. [program] */
void hr_io_await_answer(struct hr_io *io);

/** Carry out a request if there is one. False after the one to quit. [io] */
bool hr_io_serve_request(struct hr_io *io);

/** Whether the program is to be woken: avail has reached avail_min, or the
 * stream is drained, or at fault, or a period has ended if it asked for that. [any] */
bool hr_io_ready(const struct hr_io *io);

/** The program takes note that a period has ended. False if none has. [program] */
bool hr_io_take_period(struct hr_io *io);

/** The program has moved to appl_pos, where alsa-lib's pointer is appl_ptr: tell the
 * I/O thread. [program] */
void hr_io_set_appl_pos(struct hr_io *io, uint64_t appl_pos, uint64_t appl_ptr);

/**
 * After hr_io_set_appl_pos(): whether the frames that were written from position before
 * on came too late, because the stream has ended in an xrun. If not, they will be played.
 * One of the two sides sees the other: the program moves appl_pos and looks at the fault,
 * the I/O thread sets HR_FAULT_DRY and looks at appl_pos. [program]
 */
bool hr_io_too_late(struct hr_io *io, uint64_t before);

/**
 * Playback: whether what is written now_ns, from position before on, is overdue: all before
 * it should have been heard, and the stream is to end then. If so, the I/O thread is to look
 * once it is written, and then hr_io_settle_overdue(). [program]
 */
bool hr_io_is_overdue(struct hr_io *io, uint64_t before, uint64_t now_ns);

/** What was overdue is written: have the I/O thread see whether the device has run dry, as
 * a card does with each write. Before hr_io_too_late(). [program] */
void hr_io_settle_overdue(struct hr_io *io);

/** Playback: the device has run dry. Whether all that waits was written after that, as far
 * as can be known. [io] */
bool hr_io_came_overdue(const struct hr_io *io);

/** Playback: declare the stream dry. False if frames have come meanwhile: it is
 * none then. [io] */
bool hr_io_declare_dry(struct hr_io *io);

/** How often the program has told where it is. [io] */
uint64_t hr_io_moves(const struct hr_io *io);

/** Whether the program wants to be told of each period. [any] */
static inline bool hr_io_wants_periods(const struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	return atomic_load_explicit(&io->period_event, memory_order_relaxed);
}

/** Wake the program if it is ready. [io] */
void hr_io_wake_program(struct hr_io *io);

/** Latch a fault and wake the program. [io] */
void hr_io_latch(struct hr_io *io, enum hr_fault fault);

/** The position stands where it was last seen: it does not go on by the clock. [io] */
void hr_io_stand(struct hr_io *io);

/** Do nothing more until prepare, or a resume, and latch why. [io] */
void hr_io_halt(struct hr_io *io, enum hr_fault fault);

/** Stop the device, and see what it had not played, or what was not read, where it has
 * come to rest: closer than by the clock, if it tells. [io] */
void hr_io_settle(struct hr_io *io);

/** The same of a device that was stopped, and could be written or read so far. [io] */
void hr_io_note_rest(struct hr_io *io, snd_pcm_sframes_t avail);

/** The stream does not go on after its fault: what was written and not heard, or
 * captured and not read, counts as dropped, each frame once. [io] */
void hr_io_lose(struct hr_io *io);

/** Frames that may still be invented or dropped before the stream has to stop: what the
 * stop threshold is above the buffer; UINT64_MAX if it never stops. [io] */
uint64_t hr_io_gap_left(const struct hr_io *io);

/** Publish the device's position and wake the program if that makes it ready.
 * limit as for hr_position_publish(). [io] */
void hr_io_publish(struct hr_io *io, uint64_t pos, uint64_t limit, int64_t extra);

/** How far `is` is ahead of `was`, both pointers that wrap at boundary. [any] */
static inline uint64_t hr_ptr_ahead(uint64_t is, uint64_t was, uint64_t boundary)
{
	return is >= was ? is - was : boundary - (was - is);
}

/** Whether the device is going on. [io] */
static inline bool hr_io_is_active(const struct hr_io *io)
{
	return io->run == HR_RUN_RUNNING || io->run == HR_RUN_DRAINING ||
	       io->run == HR_RUN_DISCARDING;
}

/** One step of the stream's direction. [io] */
void hr_io_step(struct hr_io *io, struct hr_plan *plan);

/** See where the device is, or that it is there no more; io->now_ns is the time. [io] */
void hr_io_look(struct hr_io *io);

/* One step of each direction, and their answers to requests: io_playback.h,
 * io_capture.c. [io] */
void hr_playback_step(struct hr_io *io, struct hr_plan *plan);
void hr_playback_reset(struct hr_io *io);
int hr_playback_start(struct hr_io *io);
void hr_playback_pause(struct hr_io *io);
void hr_playback_rewind(struct hr_io *io);
void hr_playback_end_drain(struct hr_io *io, int error);
uint64_t hr_playback_unheard(struct hr_io *io);
uint64_t hr_playback_in_device(struct hr_io *io);
uint64_t hr_playback_fill(const struct hr_io *io);	/* % */
void hr_capture_step(struct hr_io *io, struct hr_plan *plan);
void hr_capture_reset(struct hr_io *io);
int hr_capture_start(struct hr_io *io);
void hr_capture_pause(struct hr_io *io);
uint64_t hr_capture_unread(struct hr_io *io);
uint64_t hr_capture_fill(const struct hr_io *io);	/* % */
uint64_t hr_capture_unseen(const struct hr_io *io);

/** The program lets go of the stream: count what an overrun has cost until now. Whether it
 * is one of the device that nobody had seen: what the device has is counted then. [io] */
bool hr_capture_settle(struct hr_io *io);

/** Note where the program is; the look of wake.h. Capture: a commit by mmap calls
 * nobody, and is noticed here. [io] */
void hr_io_see_appl(struct hr_io *io);

/** Duration of a period of the device. [any] */
static inline uint64_t hr_io_period_ns(const struct hr_io *io)
{
	return hr_frames_to_ns(io->slave->period, io->rate);
}

/** What an error of the device means: it is gone, suspended, or it stopped. [io] */
enum hr_fault hr_io_fault_of(int err);

/** So little that a device that woke us for it is to wait: else one that is always ready
 * would be looked at without end. [io] */
static inline uint64_t hr_io_too_little(const struct hr_io *io)
{
	return io->slave->period < 16 ? 1 : io->slave->period / 8;
}

/** Sleep until one of what is planned has come. [io] */
void hr_io_wait(struct hr_io *io, const struct hr_plan *plan);

/** Plan to look at a device that should wake us, should it not. [io] */
void hr_plan_for_device(const struct hr_io *io, struct hr_plan *plan);

/** Make plan->deadline_ns no later than `ns` from this step. [io] */
static inline void hr_plan_within(const struct hr_io *io, struct hr_plan *plan, uint64_t ns)
{
	if (io->now_ns + ns < plan->deadline_ns)
		plan->deadline_ns = io->now_ns + ns;
}

/** Plan for the moment at which the program becomes ready, unless the device wakes
 * us at that moment anyway. avail: frames for the program now; device_from: how
 * many there are at least when it does. [io] */
void hr_plan_for_program(const struct hr_io *io, struct hr_plan *plan,
			 uint64_t avail, uint64_t device_from);

#endif
