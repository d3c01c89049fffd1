/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#define STACK_BYTES (256 * 1024)	/* slaves may be plug-ins with alloca() */

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

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (is_ordinary)
		set_ordinary(&attr);
	/* A new thread has its maker's mask. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, &attr, main, arg);
	/* An idle program's may not even be ordinary. */
	if (err == EPERM && is_ordinary) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		err = pthread_create(thread, &attr, main, arg);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}
