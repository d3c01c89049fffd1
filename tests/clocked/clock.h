/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The word clock of the virtual device: world frames from CLOCK_MONOTONIC.
 *
 * World frame 0 is the first start after open. From then on the world counts,
 * whatever the stream does: frames(t) = floor((t - start) * rate * (1 + ppm /
 * 10^6)). Integers only, so that it is exact after hours as after a second.
 *
 * Every conversion between time and frames is here, so that this is the one
 * place to stop when the device is to stand still. Plain value, no lock.
 */
#ifndef TESTS_CLOCKED_CLOCK_H
#define TESTS_CLOCKED_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCKED_PPM_MAX 500000		/* half to one and a half times the rate */
#define CLOCKED_RATE_MAX 768000u	/* Hz */

struct clocked_clock {
	bool started;
	int ppm;
	uint32_t rate;			/* Hz, nominal */
	uint64_t start_ns;
	bool held;
	uint64_t held_ns;		/* when it came to stand */
};

/** A clock that was never started. ppm: -CLOCKED_PPM_MAX..CLOCKED_PPM_MAX. */
void clocked_clock_init(struct clocked_clock *clock, int ppm);

/** Set the rate, 1..CLOCKED_RATE_MAX Hz. Another rate than before is another
 * world: it begins again at frame 0 with the next start. */
void clocked_clock_set_rate(struct clocked_clock *clock, uint32_t rate);

/** Let the world begin now, unless it has already. */
void clocked_clock_start(struct clocked_clock *clock, uint64_t now_ns);

/** Let the world stand still from now on, or go on. No change: nothing happens. */
void clocked_clock_hold(struct clocked_clock *clock, uint64_t now_ns, bool hold);

/** World frames begun by now_ns; 0 before the start. Exact for half a year. */
uint64_t clocked_clock_frames(const struct clocked_clock *clock, uint64_t now_ns);

/** The first nanosecond at which clocked_clock_frames() is frames or more. Only
 * after the start, and as if the clock did not stand. */
uint64_t clocked_clock_time(const struct clocked_clock *clock, uint64_t frames);

#endif
