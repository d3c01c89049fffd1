/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The threads of a process, seen from outside the plug-ins that made them.
 */
#ifndef TESTS_BENCH_SPEED_THREADS_H
#define TESTS_BENCH_SPEED_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Keep all threads of this process but the calling one on a processor, counted as in
 * bench_pin(). yielding: they run only while nobody else wants to. */
void threads_place_others(unsigned cpu, bool yielding);

/** How often the threads of a process have been switched away from. */
uint64_t threads_switches(pid_t pid);

#endif
