/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>

#include "core/backpressure.h"

int hr_bp_init(struct hr_bp *bp, uint32_t trigger, uint32_t clear)
{
	if (!hr_bp_thresholds_valid(trigger, clear))
		return -EINVAL;

	*bp = (struct hr_bp) {
		.trigger = (uint8_t)trigger,
		.clear = (uint8_t)clear,
	};
	return 0;
}

int hr_bp_set_thresholds(struct hr_bp *bp, uint32_t trigger, uint32_t clear)
{
	if (!hr_bp_thresholds_valid(trigger, clear))
		return -EINVAL;

	bp->trigger = (uint8_t)trigger;
	bp->clear = (uint8_t)clear;
	return 0;
}

/* A time before the episode began would otherwise count as 584 years. */
static uint64_t episode_ns(const struct hr_bp *bp, uint64_t now_ns)
{
	return bp->raised && now_ns > bp->since_ns ? now_ns - bp->since_ns : 0;
}

enum hr_bp_event hr_bp_change(struct hr_bp *bp, uint64_t now_ns)
{
	if (bp->raised) {
		bp->total_ns += episode_ns(bp, now_ns);
		bp->raised = false;
		return HR_BP_CLEARED;
	}
	bp->raised = true;
	bp->since_ns = now_ns;
	bp->count++;
	return HR_BP_RAISED;
}

void hr_bp_get_snapshot(const struct hr_bp *bp, struct hr_bp_snapshot *snapshot,
			uint64_t now_ns)
{
	uint64_t current_ns = episode_ns(bp, now_ns);

	*snapshot = (struct hr_bp_snapshot) {
		.count = bp->count,
		.current_ns = current_ns,
		.total_ns = bp->total_ns + current_ns,
		.raised = bp->raised,
	};
}

void hr_bp_reset(struct hr_bp *bp, uint64_t now_ns)
{
	bp->total_ns = 0;
	bp->count = bp->raised ? 1 : 0;
	bp->since_ns = now_ns;
}
