/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The limit that this machine sets to a program that is woken by another thread's write
 * to an eventfd: headroom wakes its program like this, once a period.
 */
#ifndef TESTS_BENCH_STALLS_EVENTFD_H
#define TESTS_BENCH_STALLS_EVENTFD_H

#include <stdint.h>

/** From begin_ns on, once in every_ns, n times: how many ns pass from before the write
 * until the poll() has returned. The writer has a real-time priority where that is
 * allowed, as headroom's thread has, and another processor. */
void eventfd_wake_ups(uint64_t begin_ns, uint64_t every_ns, int64_t *ns, unsigned int n);

#endif
