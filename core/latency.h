/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a window of latency samples amounts to. Plain arithmetic on the caller's
 * private copy.
 */
#ifndef HR_CORE_LATENCY_H
#define HR_CORE_LATENCY_H

#include <stdint.h>

#include "core/health.h"

/** Sort n samples (0..HR_HEALTH_WINDOW_MAX, any values) in place, with room for n more
 * in spare, and sum them up in *latency; all 0 when there is none. [any], each with its
 * own memory */
void hr_latency_from_samples(struct hr_latency *latency, uint64_t *samples,
			     uint64_t *spare, uint32_t n);

#endif
