/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "core/clock.h"

#define STACK_BYTES ((size_t)256 * 1024)	/* slaves may be plug-ins with alloca() */

#define SLICE_NS 100000u		/* the shortest that the kernel takes */

/* As linux/sched/types.h has it, which cannot be included beside sched.h. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

void hr_thread_ask_for_short_slice(void)
{
	struct attributes attributes = { .size = sizeof(attributes) };

	/* Other kernels refuse or ignore it, a sandbox may too: it is a favour. */
	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) < 0 ||
	    attributes.policy != SCHED_OTHER)
		return;
	attributes.size = sizeof(attributes);
	attributes.runtime_ns = SLICE_NS;
	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void hr_thread_await(sem_t *posted)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (sem_wait(posted) < 0 && errno == EINTR)
		;
	pthread_setcancelstate(state, NULL);
}

bool hr_thread_await_until(sem_t *posted, uint64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / HR_NS_PER_S),
		.tv_nsec = (long)(until_ns % HR_NS_PER_S),
	};
	int state, err;

	if (until_ns == UINT64_MAX) {
		hr_thread_await(posted);
		return true;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while ((err = sem_clockwait(posted, CLOCK_MONOTONIC, &until)) < 0 && errno == EINTR)
		;
	pthread_setcancelstate(state, NULL);
	return err == 0;
}

static void set_ordinary(pthread_attr_t *attr)
{
	const struct sched_param none = { .sched_priority = 0 };

	pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attr, SCHED_OTHER);
	pthread_attr_setschedparam(attr, &none);
}

int hr_thread_start(pthread_t *thread, bool is_ordinary, void *(*main)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	sigfillset(&all);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (is_ordinary)
		set_ordinary(&attr);
	/* A new thread has its maker's mask. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, &attr, main, arg);
	/* An idle program's may not even be ordinary, and a sandbox may know of no such thing. */
	if (err && is_ordinary) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		err = pthread_create(thread, &attr, main, arg);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}
