/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the I/O thread waits for between two steps.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include "core/probe.h"
#include "plugin/io_absent.h"
#include "plugin/io_thread.h"

/* A device that is late to signal a period is looked at after this much more. */
#define DEVICE_GRACE_NS (10 * HR_NS_PER_MS)
#define BLIND_NS (5 * HR_NS_PER_MS)
#define POLL_FDS_MAX 16		/* as alsa-lib's own snd_pcm_wait() */

void hr_plan_for_device(const struct hr_io *io, struct hr_plan *plan)
{
	hr_plan_within(io, plan, 2 * hr_io_period_ns(io) + DEVICE_GRACE_NS);
}

/* For the end of the period that the program is in. */
static void plan_for_its_period(const struct hr_io *io, struct hr_plan *plan)
{
	uint64_t left = io->period - hr_position_last(&io->position) % io->period;
	uint64_t ns = hr_frames_to_ns(left + 1, io->rate);

	hr_plan_within(io, plan, ns > HR_NS_PER_MS ? ns : HR_NS_PER_MS);
}

void hr_plan_for_program(const struct hr_io *io, struct hr_plan *plan, uint64_t avail,
			 uint64_t device_from)
{
	/* relaxed: a hint for the time; readiness is decided by hr_io_ready(). */
	uint64_t need = atomic_load_explicit(&io->avail_min, memory_order_relaxed);
	uint64_t ns, stood_ns;

	if (hr_io_wants_periods(io))
		plan_for_its_period(io, plan);
	/* Whether it waits is not asked: it may begin to while we sleep. */
	if (need <= avail || need > io->buffer)
		return;
	/* The device's periods end where the program's do: it wakes us in time. */
	if (plan->poll_device && need % io->slave->period == 0 && need >= device_from)
		return;
	/* A device that has not come further moves in larger pieces, or stands: the longer,
	 * the less it is looked at. */
	ns = hr_frames_to_ns(need - avail + 1, io->rate);
	stood_ns = io->now_ns - io->moved_ns;
	hr_plan_within(io, plan, ns > stood_ns / 2 ? ns : stood_ns / 2);
}

static int device_fds(struct hr_io *io, struct pollfd *fds, int room)
{
	int n = hr_io_is_absent(io) ? 0 : snd_pcm_poll_descriptors_count(io->slave->pcm);

	if (n <= 0 || n > room)
		return 0;
	n = snd_pcm_poll_descriptors(io->slave->pcm, fds, (unsigned int)n);
	return n > 0 ? n : 0;
}

/* Some devices clear their descriptors when they are asked what these mean. */
static void let_device_clear(struct hr_io *io, struct pollfd *fds, int n)
{
	unsigned short revents = 0;

	(void)snd_pcm_poll_descriptors_revents(io->slave->pcm, fds, (unsigned int)n,
					       &revents);
}

/* The time to sleep; NULL for ever. Already late: not at all. */
static struct timespec *timeout_until(uint64_t deadline_ns, struct timespec *ts)
{
	uint64_t now_ns, left_ns;

	if (deadline_ns == HR_NEVER_NS)
		return NULL;
	now_ns = hr_now_ns();
	left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	ts->tv_sec = (time_t)(left_ns / HR_NS_PER_S);
	ts->tv_nsec = (long)(left_ns % HR_NS_PER_S);
	return ts;
}

/* A program that has given up its descriptors may not even poll: then the device is looked
 * at by the clock, as is whether the program has asked for something. */
static void rest_blindly(const struct hr_io *io, const struct hr_plan *plan)
{
	uint64_t ns = hr_io_period_ns(io) / 2;
	uint64_t until_ns = hr_now_ns() + (ns < BLIND_NS ? ns : BLIND_NS);
	struct timespec ts;

	if (plan->deadline_ns < until_ns)
		until_ns = plan->deadline_ns;
	nanosleep(timeout_until(until_ns, &ts), NULL);
}

/* Whether something came up between the step and the arming. */
static bool must_not_wait(struct hr_io *io, const struct hr_plan *plan)
{
	/* acquire, pairs with the store in ask(). A request also makes
	 * the descriptor readable, so seeing it late costs nothing. */
	if (atomic_load_explicit(&io->request, memory_order_acquire) != HR_REQUEST_NONE)
		return true;
	if (!plan->wait_program)
		return false;
	/* seq_cst: the look of wake.h. Who sees an appl_pos sees the count of the moves
	 * to it; after a rewind, and as much written again, that alone has changed. */
	return atomic_load_explicit(&io->appl_pos, memory_order_seq_cst) !=
	       io->told_appl || hr_io_moves(io) != io->told_moves;
}

/* Whatever woke the thread: after the deadline it is late. */
static void note_lateness(struct hr_io *io, const struct hr_plan *plan)
{
	uint64_t due_ns = plan->due_ns < plan->deadline_ns ? plan->due_ns :
			  plan->deadline_ns;
	uint64_t now_ns = hr_now_ns();

	if (now_ns > due_ns) {
		HR_PROBE(late, io, now_ns - due_ns);
		hr_page_raise(io->page, HR_STAT_LATE_MAX_NS, now_ns - due_ns);
	}
	hr_blame_woken(io, now_ns);
}

void hr_io_wait(struct hr_io *io, const struct hr_plan *plan)
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
	for (int i = 1; plan->errors_only && i <= n_device; i++)
		fds[i].events = 0;
	n = ppoll(fds, 1 + (nfds_t)n_device, timeout_until(plan->deadline_ns, &ts), NULL);
	if (n < 0 && errno != EINTR)
		rest_blindly(io, plan);
	hr_wake_disarm(&io->io_wake);
	if (n > 0 && fds[0].revents)
		hr_wake_clear(&io->io_wake);
	io->device_woke = n > (fds[0].revents ? 1 : 0);
	note_lateness(io, plan);
	/* Whatever it says of it: a descriptor that stays ready would wake us again at once. */
	if (io->device_woke)
		let_device_clear(io, fds + 1, n_device);
}
