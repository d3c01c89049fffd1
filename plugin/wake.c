/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/wake.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int hr_wake_init(struct hr_wake *wake)
{
	/* relaxed: nobody shares it yet. */
	atomic_store_explicit(&wake->armed, false, memory_order_relaxed);
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wake->fd < 0 ? -errno : 0;
}

void hr_wake_finish(struct hr_wake *wake)
{
	if (wake->fd >= 0)
		close(wake->fd);
	wake->fd = -1;
}

/* read() and write() are where a thread of the program may be cancelled, and here it holds the
 * stream's locks. */
static int put_off_cancelling(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

void hr_wake_clear(struct hr_wake *wake)
{
	int state = put_off_cancelling();
	uint64_t count;

	if (read(wake->fd, &count, sizeof(count)) < 0) {
		/* EAGAIN: it was clear. Nothing else can happen to an eventfd. */
	}
	pthread_setcancelstate(state, NULL);
}

void hr_wake_announce(struct hr_wake *wake)
{
	/* seq_cst: see the head of wake.h. */
	atomic_store_explicit(&wake->armed, true, memory_order_seq_cst);
}

void hr_wake_arm(struct hr_wake *wake, bool readable)
{
	/* relaxed: only the waiter announces; a signaller that takes it back
	 * meanwhile has changed something that the look after this call will see. */
	if (!readable && atomic_load_explicit(&wake->armed, memory_order_relaxed))
		return;
	hr_wake_clear(wake);
	hr_wake_announce(wake);
}

void hr_wake_disarm(struct hr_wake *wake)
{
	/* relaxed: a signal too many does no harm. */
	atomic_store_explicit(&wake->armed, false, memory_order_relaxed);
}

static void make_readable(struct hr_wake *wake)
{
	int state = put_off_cancelling();
	const uint64_t one = 1;

	if (write(wake->fd, &one, sizeof(one)) < 0) {
		/* EAGAIN: 2^64 - 2 signals are pending, it is readable. */
	}
	pthread_setcancelstate(state, NULL);
}

void hr_wake_force(struct hr_wake *wake)
{
	hr_wake_disarm(wake);
	make_readable(wake);
}

void hr_wake_signal(struct hr_wake *wake)
{
	/* seq_cst: see the head of wake.h. */
	if (atomic_load_explicit(&wake->armed, memory_order_seq_cst) &&
	    atomic_exchange_explicit(&wake->armed, false, memory_order_seq_cst))
		make_readable(wake);
}
