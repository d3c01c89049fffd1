/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/clocked/clock.h"

#define MILLION UINT64_C(1000000)
#define BILLION UINT64_C(1000000000)

/* Frames in 10^6 seconds: the rate with its drift as an integer. Below
 * 1.2 * 10^12, which is what keeps the products below within 64 bits. */
static uint64_t frames_per_ms2(const struct clocked_clock *clock)
{
	return clock->rate * (uint64_t)(1000000 + clock->ppm);
}

void clocked_clock_init(struct clocked_clock *clock, int ppm)
{
	*clock = (struct clocked_clock){ .ppm = ppm };
}

void clocked_clock_set_rate(struct clocked_clock *clock, uint32_t rate)
{
	if (clock->rate != rate)
		clock->started = false;
	clock->rate = rate;
}

void clocked_clock_start(struct clocked_clock *clock, uint64_t now_ns)
{
	if (clock->started)
		return;
	clock->started = true;
	clock->start_ns = now_ns;
}

void clocked_clock_hold(struct clocked_clock *clock, uint64_t now_ns, bool hold)
{
	if (hold == clock->held)
		return;
	clock->held = hold;
	if (hold) {
		clock->held_ns = now_ns;
	} else if (clock->started) {
		uint64_t from_ns = clock->held_ns > clock->start_ns ?
				   clock->held_ns : clock->start_ns;

		if (now_ns > from_ns)
			clock->start_ns += now_ns - from_ns;
	}
}

/*
 * frames = t * step / 10^15 with t in ns. In parts, since that product needs 80
 * bits: whole seconds first, then microseconds, then nanoseconds, each with the
 * remainder of the one before, so that nothing is rounded until the end.
 */
uint64_t clocked_clock_frames(const struct clocked_clock *clock, uint64_t now_ns)
{
	uint64_t step = frames_per_ms2(clock);
	uint64_t ns, micros, frames, rest;

	if (clock->held && now_ns > clock->held_ns)
		now_ns = clock->held_ns;
	if (!clock->started || now_ns <= clock->start_ns)
		return 0;
	ns = now_ns - clock->start_ns;

	frames = ns / BILLION * step / MILLION;
	rest = ns / BILLION * step % MILLION;		/* of 10^6 */
	micros = rest * MILLION + ns % BILLION / 1000 * step;
	frames += micros / (MILLION * MILLION);
	rest = micros % (MILLION * MILLION);		/* of 10^12 */
	return frames + (rest * 1000 + ns % 1000 * step) / (MILLION * BILLION);
}

/* t = ceil(frames * 10^15 / step), by long division for the same reason. */
uint64_t clocked_clock_time(const struct clocked_clock *clock, uint64_t frames)
{
	uint64_t step = frames_per_ms2(clock);
	uint64_t seconds = frames * MILLION / step;
	uint64_t rest = frames * MILLION % step * MILLION;
	uint64_t micros = rest / step;
	uint64_t nanos = (rest % step * 1000 + step - 1) / step;

	return clock->start_ns + seconds * BILLION + micros * 1000 + nanos;
}
