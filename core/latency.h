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

/** Sort n samples (0..HR_HEALTH_WINDOW_MAX, any values) in place and sum them up
 * in *latency; all 0 when there is none. Not for streaming threads: qsort() may
 * allocate. */
void hr_latency_from_samples(struct hr_latency *latency, uint64_t *samples, uint32_t n);

#endif
