/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Several programs at once, each a process of its own, so that what the machine does
 * meanwhile befalls all of them alike. One that fails ends all.
 */
#ifndef TESTS_BENCH_STALLS_CREW_H
#define TESTS_BENCH_STALLS_CREW_H

#include <stddef.h>
#include <stdint.h>

/** Zeroed memory that the members and who runs them share. */
void *crew_memory(size_t bytes);

/** Run member(0) .. member(n - 1), until all have returned. Each is to call crew_meet()
 * as often as the others. None may take longer than so many seconds. */
void crew_run(unsigned int n, void (*member)(unsigned int i), unsigned int seconds);

/** Wait until all members have come so far. The time at which they are to go on,
 * CLOCK_MONOTONIC in ns, is the same for all, and is still to come. */
uint64_t crew_meet(void);

/** Sleep until then, CLOCK_MONOTONIC. */
void crew_sleep_until(uint64_t ns);

#endif
