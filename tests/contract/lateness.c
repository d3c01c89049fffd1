/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How late this machine wakes who sleeps: a thread that does nothing else knows.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "core/clock.h"
#include "tests/contract/contract.h"

static pthread_t sleeper;
static _Atomic bool over;
static uint64_t worst_ns;		/* of the sleeper, until it is joined */

static void *sleep_again_and_again(void *unused)
{
	uint64_t due_ns = hr_now_ns();

	/* relaxed: nothing goes with it. */
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		struct timespec due;
		uint64_t now_ns;

		due_ns += HR_NS_PER_MS;
		due.tv_sec = (time_t)(due_ns / HR_NS_PER_S);
		due.tv_nsec = (long)(due_ns % HR_NS_PER_S);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		now_ns = hr_now_ns();
		if (now_ns - due_ns > worst_ns)
			worst_ns = now_ns - due_ns;
		if (now_ns > due_ns)
			due_ns = now_ns;
	}
	return unused;
}

bool lateness_watch(void)
{
	worst_ns = 0;
	atomic_store_explicit(&over, false, memory_order_relaxed);
	return pthread_create(&sleeper, NULL, sleep_again_and_again, NULL) == 0;
}

uint64_t lateness_ns(void)
{
	atomic_store_explicit(&over, true, memory_order_relaxed);
	pthread_join(sleeper, NULL);
	return worst_ns;
}
