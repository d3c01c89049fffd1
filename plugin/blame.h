/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Who was late. Sound is lost when one of three did not do in time what the other two
 * waited for:
 *
 *   the program    did not write or read, although it was told that it could, for more
 *                  than one and a half periods of the device; or its process was
 *                  stopped as a whole (Ctrl-Z, a debugger), the I/O thread with it
 *   the scheduler  let the I/O thread run more than a period after the moment for which
 *                  it had asked to be woken, or took its processor away for as long
 *   the device     stood still for more than two periods when it was last looked at, did
 *                  not wake the I/O thread, which the clock woke more than a period later,
 *                  kept it asleep in a call for more than a period, or was at the end of
 *                  its buffer sooner than its rate allows
 *
 * The last settles it: nobody could have been quick enough. Else who was late first is to
 * blame, for the others had to wait then. If nobody was late by that much, it is the
 * device where sound was waiting that it should have taken, and otherwise the program: it
 * was late by less. A program whose sound was waiting was not late, whenever it came.
 *
 * A machine that stands still as a whole, as a virtual one may, counts as the scheduler.
 */
#ifndef HR_PLUGIN_BLAME_H
#define HR_PLUGIN_BLAME_H

#include <stdbool.h>
#include <stdint.h>
#include "core/health_page.h"

#define HR_NEVER_NS UINT64_MAX

/* Times are of CLOCK_MONOTONIC; HR_NEVER_NS: it was or did not. */
struct hr_facts {
	uint64_t period_ns;		/* of the device */
	uint64_t told_ns;		/* the program could go on since then, and did not */
	uint64_t due_ns;		/* the I/O thread had asked to be woken then */
	uint64_t woke_ns;		/* it was */
	uint64_t now_ns;		/* it has come so far with the device */
	uint64_t stood_ns;		/* the device has not moved since then, when last seen,
					 * or owes a wake-up since then */
	bool was_stopped;		/* the process, while the I/O thread was to be woken or
					 * in a call of the device */
	bool was_kept;			/* the thread, from its processor, perhaps in a call */
	bool was_away;			/* the I/O thread, however it planned: the device had
					 * to come to its end */
	bool too_soon;			/* the device came to it */
	bool waits;			/* playback: the program's sound does, now */
	bool waited;			/* and did when the I/O thread went to sleep */
};

/** Who it was. */
enum hr_cause hr_blame(const struct hr_facts *facts);

/** ns later, if that is ever. */
static inline uint64_t hr_later_ns(uint64_t ns, uint64_t by_ns)
{
	return ns < HR_NEVER_NS - by_ns ? ns + by_ns : HR_NEVER_NS;
}

#endif
