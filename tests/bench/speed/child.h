/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Processes to measure in: each is a program of one thread, which no subject before it
 * has left anything in.
 */
#ifndef TESTS_BENCH_SPEED_CHILD_H
#define TESTS_BENCH_SPEED_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int from;		/* what it says */
	int to;			/* what it is told */
};

/** Call run(arg, to, from) in a process of its own, which then ends. `to` is where it says
 * something and `from` where it is told something. */
void child_start(struct child *child, void (*run)(const void *arg, int to, int from),
		 const void *arg);

/** Wait for n values. Dies if the child ended without. */
void child_hear(const struct child *child, double *values, size_t n);

/** For the child: say n values. */
void child_say(int to, const double *values, size_t n);

/** For the child: wait until it is told to end. */
void child_wait(int from);

/** Tell it to end, and wait until it has. Dies if it failed. */
void child_end(struct child *child);

#endif
