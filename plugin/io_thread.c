/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/io_thread.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "plugin/io_stats.h"
#include "plugin/thread.h"

#define NEVER UINT64_MAX
/* A device that is late to signal a period is looked at after this much more. */
#define DEVICE_GRACE_NS (10 * HR_NS_PER_MS)
#define PAUSED_LOOK_NS (HR_NS_PER_S / 4)
#define POLL_FDS_MAX 16		/* as alsa-lib's own snd_pcm_wait() */
#define STACK_TOUCHED (64 * 1024)

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
static uint64_t moves(const struct hr_io *io)
{
	return atomic_load_explicit(&io->moves, memory_order_acquire);
}

void hr_io_set_appl_pos(struct hr_io *io, uint64_t appl_pos, uint64_t appl_ptr)
{
	/* relaxed: ordered by appl_pos; see committed(). */
	atomic_store_explicit(&io->appl_ptr, appl_ptr, memory_order_relaxed);
	/* release, pairs with the load in moves(). */
	atomic_store_explicit(&io->moves, moves(io) + 1, memory_order_release);
	/* seq_cst: what the I/O thread looks at after arming, see wake.h. */
	atomic_store_explicit(&io->appl_pos, appl_pos, memory_order_seq_cst);
	hr_wake_signal(&io->io_wake);
}

bool hr_io_too_late(struct hr_io *io)
{
	int dry = HR_FAULT_DRY;

	/* seq_cst: see hr_io_declare_dry(). Who changes DRY first decides. */
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

static void wake_program_if_ready(struct hr_io *io)
{
	if (hr_io_ready(io))
		hr_wake_signal(&io->app_wake);
}

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
	wake_program_if_ready(io);
}

void hr_io_stand(struct hr_io *io)
{
	uint64_t pos = hr_position_last(&io->position);

	hr_position_publish(&io->position, pos, io->now_ns, pos,
			    hr_position_extra(&io->position));
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
		if (io->direction == HR_CAPTURE)
			io->unheard = hr_capture_unseen(io);
	}
	io->run = HR_RUN_FAULT;
	hr_io_stand(io);
	hr_stats_calm(io);
	hr_io_latch(io, fault);
	if (fault == HR_FAULT_LOST)
		hr_io_lose(io);
}

uint64_t hr_io_gap_left(const struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	uint64_t stop = atomic_load_explicit(&io->stop_threshold, memory_order_relaxed);

	if (stop == UINT64_MAX)
		return UINT64_MAX;
	return stop > io->buffer + io->gap ? stop - io->buffer - io->gap : 0;
}

static bool wants_periods(const struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	return atomic_load_explicit(&io->period_event, memory_order_relaxed);
}

static void note_period(struct hr_io *io, uint64_t pos)
{
	uint64_t n = pos / io->period;

	/* seq_cst: see hr_io_ready(). */
	if (n > io->n_periods && wants_periods(io))
		atomic_store_explicit(&io->period_over, true, memory_order_seq_cst);
	io->n_periods = n;
}

void hr_io_publish(struct hr_io *io, uint64_t pos, uint64_t limit, int64_t extra)
{
	hr_position_publish(&io->position, pos, io->now_ns, limit, extra);
	note_period(io, pos);
	wake_program_if_ready(io);
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
	io->told_moves = moves(io);
	/* seq_cst: the look of wake.h. */
	io->told_appl = atomic_load_explicit(&io->appl_pos, memory_order_seq_cst);
	io->seen_appl = io->told_appl + committed(io);
}

uint64_t hr_io_period_ns(const struct hr_io *io)
{
	return hr_frames_to_ns(io->slave->period, io->rate);
}

bool hr_io_was_late(const struct hr_io *io)
{
	return io->late_ns > hr_io_period_ns(io);
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

void hr_plan_for_device(const struct hr_io *io, struct hr_plan *plan)
{
	hr_plan_within(io, plan, 2 * hr_io_period_ns(io) + DEVICE_GRACE_NS);
}

void hr_plan_within(const struct hr_io *io, struct hr_plan *plan, uint64_t ns)
{
	if (io->now_ns + ns < plan->deadline_ns)
		plan->deadline_ns = io->now_ns + ns;
}

/* For the end of the period that the program is in. */
static void plan_for_its_period(const struct hr_io *io, struct hr_plan *plan)
{
	uint64_t left = io->period - hr_position_last(&io->position) % io->period;
	uint64_t ns = hr_frames_to_ns(left + 1, io->rate);

	hr_plan_within(io, plan, ns > HR_NS_PER_MS ? ns : HR_NS_PER_MS);
}

void hr_plan_for_program(const struct hr_io *io, struct hr_plan *plan, uint64_t avail)
{
	/* relaxed: a hint for the time; readiness is decided by hr_io_ready(). */
	uint64_t need = atomic_load_explicit(&io->avail_min, memory_order_relaxed);

	if (wants_periods(io))
		plan_for_its_period(io, plan);
	/* Whether it waits is not asked: it may begin to while we sleep. */
	if (need <= avail || need > io->buffer)
		return;
	/* The device's periods end where the program's do: it wakes us in time. */
	if (plan->poll_device && need % io->slave->period == 0)
		return;
	hr_plan_within(io, plan, hr_frames_to_ns(need - avail + 1, io->rate));
}

/* --- waiting --- */

static int device_fds(struct hr_io *io, struct pollfd *fds, int room)
{
	int n = snd_pcm_poll_descriptors_count(io->slave->pcm);

	if (n <= 0 || n > room)
		return 0;
	n = snd_pcm_poll_descriptors(io->slave->pcm, fds, (unsigned int)n);
	return n > 0 ? n : 0;
}

/* Whether the device's descriptors say that it is ready; lets it clear them. */
static bool device_is_ready(struct hr_io *io, struct pollfd *fds, int n)
{
	unsigned short revents = 0;

	if (n <= 0 ||
	    snd_pcm_poll_descriptors_revents(io->slave->pcm, fds, (unsigned int)n,
					     &revents) < 0)
		return false;
	return revents != 0;
}

/* The time to sleep; NULL for ever. Already late: not at all. */
static struct timespec *timeout_until(uint64_t deadline_ns, struct timespec *ts)
{
	uint64_t now_ns, left_ns;

	if (deadline_ns == NEVER)
		return NULL;
	now_ns = hr_now_ns();
	left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	ts->tv_sec = (time_t)(left_ns / HR_NS_PER_S);
	ts->tv_nsec = (long)(left_ns % HR_NS_PER_S);
	return ts;
}

/* Whether something came up between the step and the arming. */
static bool must_not_wait(struct hr_io *io, const struct hr_plan *plan)
{
	/* acquire, pairs with the store in hr_io_request(). A request also makes
	 * the descriptor readable, so seeing it late costs nothing. */
	if (atomic_load_explicit(&io->request, memory_order_acquire) != HR_REQUEST_NONE)
		return true;
	if (!plan->wait_program)
		return false;
	/* seq_cst: the look of wake.h. Who sees an appl_pos sees the count of the moves
	 * to it; after a rewind, and as much written again, that alone has changed. */
	return atomic_load_explicit(&io->appl_pos, memory_order_seq_cst) !=
	       io->told_appl || moves(io) != io->told_moves;
}

/* Whatever woke the thread: after the deadline it is late. */
static void note_lateness(struct hr_io *io, const struct hr_plan *plan)
{
	uint64_t due_ns = plan->due_ns < plan->deadline_ns ? plan->due_ns :
			  plan->deadline_ns;
	uint64_t now_ns = hr_now_ns();

	io->late_ns = now_ns > due_ns ? now_ns - due_ns : 0;
	hr_page_raise(io->page, HR_STAT_LATE_MAX_NS, io->late_ns);
}

static void wait_as_planned(struct hr_io *io, const struct hr_plan *plan)
{
	struct pollfd fds[1 + POLL_FDS_MAX] = { { io->io_wake.fd, POLLIN, 0 } };
	int n_device = 0, n;
	struct timespec ts;

	io->device_woke = false;
	if (plan->wait_program)
		hr_wake_announce(&io->io_wake);
	if (must_not_wait(io, plan)) {
		hr_wake_disarm(&io->io_wake);
		return;
	}
	if (plan->poll_device)
		n_device = device_fds(io, fds + 1, POLL_FDS_MAX);
	n = ppoll(fds, (nfds_t)(1 + n_device), timeout_until(plan->deadline_ns, &ts), NULL);
	hr_wake_disarm(&io->io_wake);
	if (n > 0 && fds[0].revents)
		hr_wake_clear(&io->io_wake);
	note_lateness(io, plan);
	if (n > 0 && n_device)
		io->device_woke = device_is_ready(io, fds + 1, n_device);
}

/* --- the thread --- */

static bool is_active(const struct hr_io *io)
{
	return io->run == HR_RUN_RUNNING || io->run == HR_RUN_DRAINING ||
	       io->run == HR_RUN_DISCARDING;
}

void hr_io_step(struct hr_io *io, struct hr_plan *plan)
{
	io->now_ns = hr_now_ns();
	if (io->direction == HR_PLAYBACK)
		hr_playback_step(io, plan);
	else
		hr_capture_step(io, plan);
	hr_stats_counters(io);
}

/* A paused device does not move, but it may be suspended, or go. It may be ready all the
 * time, so it does not wake us for that. */
static void watch_paused(struct hr_io *io, struct hr_plan *plan)
{
	snd_pcm_sframes_t delay, avail = hr_slave_avail(io->slave, &delay);

	io->now_ns = hr_now_ns();
	if (avail == -ENODEV || avail == -ESTRPIPE) {
		hr_io_halt(io, hr_io_fault_of((int)avail));
		hr_stats_counters(io);
		return;
	}
	hr_plan_within(io, plan, PAUSED_LOOK_NS);
}

/* Touch the stack that the steps will use, so that they take no page fault. */
static void touch_stack(void)
{
	volatile char stack[STACK_TOUCHED];

	for (size_t i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 0;
}

static void *io_main(void *arg)
{
	struct hr_io *io = arg;

	pthread_setname_np(pthread_self(), "headroom-io");
	touch_stack();
	while (hr_io_serve_request(io)) {
		struct hr_plan plan = { false, false, NEVER, NEVER };

		if (is_active(io))
			hr_io_step(io, &plan);
		else if (io->run == HR_RUN_PAUSED)
			watch_paused(io, &plan);
		wait_as_planned(io, &plan);
	}
	return NULL;
}

/* Ask for SCHED_FIFO. Without the right to it the thread runs on as it is, and
 * the page shows so. */
static void ask_for_realtime(struct hr_io *io)
{
	struct sched_param param = { .sched_priority = (int)io->config->rt_priority };
	uint64_t got = 0;

	if (param.sched_priority &&
	    pthread_setschedparam(io->thread, SCHED_FIFO, &param) == 0)
		got = io->config->rt_priority;
	hr_page_set(io->page, HR_STAT_REALTIME, got);
}

/* A chunk of silence for playback, of room to discard into for capture. */
static int make_scratch(struct hr_io *io)
{
	snd_pcm_channel_area_t areas[HR_CHANNELS_MAX];
	int err;

	err = hr_pool_create(&io->scratch_pool, 1, 1, (uint32_t)io->slave->period,
			     io->slave->frame_bytes);
	if (err < 0)
		return err;
	io->scratch = hr_pool_acquire(io->scratch_pool, HR_POOL_FIXED);
	hr_slave_areas(io->slave, io->scratch, areas);
	return snd_pcm_areas_silence(areas, 0, io->slave->channels, io->slave->period,
				     io->slave->format);
}

int hr_io_create(struct hr_io *io)
{
	int err;

	sem_init(&io->answered, 0, 0);
	if ((err = hr_wake_init(&io->io_wake)) < 0 || (err = make_scratch(io)) < 0)
		goto err_line;
	io->run = HR_RUN_IDLE;
	hr_stats_begin(io);
	err = hr_thread_start(&io->thread, false, io_main, io);
	if (err < 0)
		goto err_line;
	ask_for_realtime(io);
	return 0;

err_line:
	SNDERR("headroom: cannot make the I/O thread: %s", snd_strerror(err));
	hr_wake_finish(&io->io_wake);
	hr_pool_destroy(io->scratch_pool);
	sem_destroy(&io->answered);
	io->scratch_pool = NULL;
	return err;
}

void hr_io_destroy(struct hr_io *io)
{
	if (io->io_wake.fd < 0)
		return;
	(void)hr_io_request(io, HR_REQUEST_QUIT);
	pthread_join(io->thread, NULL);
	hr_page_set(io->page, HR_STAT_REALTIME, 0);
	hr_wake_finish(&io->io_wake);
	hr_pool_destroy(io->scratch_pool);
	sem_destroy(&io->answered);
	io->scratch_pool = NULL;
}
