/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Backpressure detector: two thresholds with hysteresis.
 *
 * A plain value without atomics and without a clock: the thread that owns it
 * passes in a level (percent of the way to loss) and the time. Levels at or
 * above `trigger` raise it; once raised, levels at or below `clear` clear it;
 * what lies between changes nothing. Each change is returned exactly once.
 */
#ifndef HR_CORE_BACKPRESSURE_H
#define HR_CORE_BACKPRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#define HR_BP_TRIGGER_DEFAULT 90u	/* percent */
#define HR_BP_CLEAR_DEFAULT 70u

enum hr_bp_event {
	HR_BP_STEADY,		/* nothing changed */
	HR_BP_RAISED,		/* normal -> pressure */
	HR_BP_CLEARED,		/* pressure -> normal */
};

struct hr_bp {
	uint64_t since_ns;	/* start of the present episode; valid while raised */
	uint64_t total_ns;	/* ended episodes */
	uint64_t count;		/* times raised */
	uint8_t trigger;	/* percent */
	uint8_t clear;
	bool raised;
};

_Static_assert(sizeof(struct hr_bp) <= 48, "the detector fits a cache line");

struct hr_bp_snapshot {
	uint64_t count;		/* times raised */
	uint64_t current_ns;	/* length of the present episode, 0 when normal */
	uint64_t total_ns;	/* all episodes, the present one included */
	bool raised;
};

/** Whether a detector takes these thresholds: 1 <= clear < trigger <= 100. */
static inline bool hr_bp_thresholds_valid(uint32_t trigger, uint32_t clear)
{
	return clear >= 1 && clear < trigger && trigger <= 100;
}

/** Start normal, all counters 0. Returns 0, or -EINVAL for thresholds that are
 * not valid; *bp is then untouched. */
int hr_bp_init(struct hr_bp *bp, uint32_t trigger, uint32_t clear);

/** Change the thresholds and nothing else; they count from the next update.
 * Returns 0, or -EINVAL as hr_bp_init(). */
int hr_bp_set_thresholds(struct hr_bp *bp, uint32_t trigger, uint32_t clear);

/* The other half of hr_bp_update(): over a threshold. */
enum hr_bp_event hr_bp_change(struct hr_bp *bp, uint64_t now_ns);

/** Take a level in percent (above 100 is allowed) measured at now_ns; times must
 * not go back. */
static inline enum hr_bp_event hr_bp_update(struct hr_bp *bp, uint32_t level,
					    uint64_t now_ns)
{
	/* As nearly always. */
	if (bp->raised ? level > bp->clear : level < bp->trigger)
		return HR_BP_STEADY;
	return hr_bp_change(bp, now_ns);
}

/** Counters as of now_ns. */
void hr_bp_get_snapshot(const struct hr_bp *bp, struct hr_bp_snapshot *snapshot,
			uint64_t now_ns);

/** Zero the counters. A present episode goes on and counts as triggered once,
 * beginning at now_ns. */
void hr_bp_reset(struct hr_bp *bp, uint64_t now_ns);

#endif
