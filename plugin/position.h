/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Where the device is, told by the I/O thread to the program's threads.
 *
 * The I/O thread publishes a reading at each of its steps; between two steps a
 * reader goes on from it by the clock, in quanta, so that two readings a moment
 * apart agree (alsa-lib loops until they do).
 *
 * The reading is guarded by a sequence count. A reader never waits for the
 * writer: after a few collisions it takes the last plain position.
 */
#ifndef HR_PLUGIN_POSITION_H
#define HR_PLUGIN_POSITION_H

#include <stdatomic.h>
#include <stdint.h>

struct hr_position {
	_Atomic uint32_t seq;		/* odd while a reading is written */
	_Atomic uint64_t pos;		/* frames */
	_Atomic uint64_t time_ns;	/* CLOCK_MONOTONIC of the reading */
	_Atomic uint64_t limit;		/* frames: extrapolated no further; pos = not at all */
	_Atomic int64_t extra;		/* frames of delay beyond the device's buffer */
};

/** Publish a reading. Wait-free. [I/O thread, or setup] */
void hr_position_publish(struct hr_position *position, uint64_t pos,
			 uint64_t time_ns, uint64_t limit, int64_t extra);

/** Position as of now, extrapolated at rate Hz, and the extra delay of the same reading
 * if extrap is not NULL. *now_ns becomes the time, or 0 if the position stands and the
 * clock was not asked. [any] */
uint64_t hr_position_now(const struct hr_position *position, uint32_t rate,
			 uint64_t *now_ns, int64_t *extrap);

/** Position of the last reading. [any] */
uint64_t hr_position_last(const struct hr_position *position);

/** CLOCK_MONOTONIC of the last reading. [any] */
uint64_t hr_position_time(const struct hr_position *position);

/** When all before position end may be over by the clock, at the earliest. [any] */
uint64_t hr_position_end_ns(const struct hr_position *position, uint32_t rate,
			    uint64_t end);

/** The same at the latest. [any] */
uint64_t hr_position_late_end_ns(const struct hr_position *position, uint32_t rate,
				 uint64_t end);

/** Delay beyond the device's buffer, of the last reading. [any] */
int64_t hr_position_extra(const struct hr_position *position);

#endif
