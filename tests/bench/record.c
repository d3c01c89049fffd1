/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "record.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

unsigned bench_rounds(void)
{
	const char *text = getenv("BENCH_ROUNDS");
	int rounds = text ? atoi(text) : 0;

	return rounds > 0 ? (unsigned)rounds : 15;
}

bool bench_is_quick(void)
{
	return getenv("BENCH_QUICK") != NULL;
}

void bench_record(const char *row, const char *subject, unsigned round, double value,
		  const char *unit)
{
	printf("{\"row\": \"%s\", \"subject\": \"%s\", \"round\": %u, \"value\": %.6g, "
	       "\"unit\": \"%s\"}\n", row, subject, round, value, unit);
	fflush(stdout);
}

void bench_drop(const char *row, const char *subject, unsigned round, const char *why)
{
	printf("{\"row\": \"%s\", \"subject\": \"%s\", \"round\": %u, \"dropped\": \"%s\"}\n",
	       row, subject, round, why);
	fflush(stdout);
}

void bench_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_pin(unsigned cpu)
{
	static cpu_set_t allowed;
	static bool is_known;
	cpu_set_t one;

	/* As the process was started: what is pinned here later is not to count. */
	if (!is_known && sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		bench_die("sched_getaffinity: cannot tell the processors");
	is_known = true;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &allowed) && cpu-- == 0) {
			CPU_SET(i, &one);
			break;
		}
	}
	if (pthread_setaffinity_np(pthread_self(), sizeof(one), &one) != 0)
		bench_die("two processors are needed to measure two threads");
}
