/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What tests need of the ring beyond core/ring.h: a ring whose counters stand
 * anywhere, so that a test need not push 2^32 chunks to see them wrap, and the
 * arithmetic of two loads that raced, which cannot be made to race on demand.
 */
#ifndef HR_CORE_RING_INTERNAL_H
#define HR_CORE_RING_INTERNAL_H

#include "core/ring.h"

/**
 * hr_ring_create() as if `passed` chunks had gone through already: both indexes
 * stand there, and the statistics say pushed == popped == passed. [setup]
 */
int hr_ring_create_at(struct hr_ring **ringp, uint32_t capacity, uint64_t passed);

/**
 * The one way from two counts to a fill: 0..capacity. [any]
 *
 * popped must have been loaded before pushed, and with acquire: the difference
 * is then never negative. It can be above the capacity, by what was pushed and
 * popped between the two loads.
 */
static inline uint32_t hr_ring_fill_between(uint32_t capacity, uint64_t popped,
					    uint64_t pushed)
{
	uint64_t fill = pushed - popped;

	return fill < capacity ? (uint32_t)fill : capacity;
}

#endif
