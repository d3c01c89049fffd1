/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The only reader of CLOCK_MONOTONIC. All times in headroom are nanoseconds of
 * this clock, which every process of a machine shares.
 */
#ifndef HR_CORE_CLOCK_H
#define HR_CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define HR_NS_PER_S 1000000000ull
#define HR_NS_PER_MS 1000000ull
#define HR_NS_PER_US 1000ull

/** Nanoseconds of CLOCK_MONOTONIC. Any thread; no system call where the vDSO
 * serves the clock. */
static inline uint64_t hr_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * HR_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/** The same as of the last tick, some ms ago at most: for a fifth of the cost. */
static inline uint64_t hr_coarse_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * HR_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/** Time that frames take at rate (Hz, not 0), in ns, rounded down. Exact for
 * any 64-bit frame count whose duration fits 64 bits. */
static inline uint64_t hr_frames_to_ns(uint64_t frames, uint32_t rate)
{
	uint64_t seconds = frames / rate;
	uint64_t rest = frames % rate;

	return seconds * HR_NS_PER_S + rest * HR_NS_PER_S / rate;
}

/** Frames that fit into ns at rate (Hz), rounded down. */
static inline uint64_t hr_ns_to_frames(uint64_t ns, uint32_t rate)
{
	uint64_t seconds = ns / HR_NS_PER_S;
	uint64_t rest = ns % HR_NS_PER_S;

	return seconds * rate + rest * rate / HR_NS_PER_S;
}

#endif
