/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdlib.h>

#include "core/latency.h"

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nearest rank: the smallest sample with percent of all not above it. */
static uint64_t percentile(const uint64_t *sorted, uint32_t n, uint32_t percent)
{
	return sorted[(n * percent + 99) / 100 - 1];
}

/* Rounded down. The sum may pass 64 bits; the sums of quotients and of rests
 * cannot. */
static uint64_t average(const uint64_t *samples, uint32_t n)
{
	uint64_t quotients = 0;
	uint64_t rests = 0;

	for (uint32_t i = 0; i < n; i++) {
		quotients += samples[i] / n;
		rests += samples[i] % n;
	}
	return quotients + rests / n;
}

void hr_latency_from_samples(struct hr_latency *latency, uint64_t *samples, uint32_t n)
{
	*latency = (struct hr_latency) { 0 };
	if (n == 0)
		return;

	qsort(samples, n, sizeof(*samples), compare_u64);
	*latency = (struct hr_latency) {
		.avg = average(samples, n),
		.min = samples[0],
		.max = samples[n - 1],
		.p50 = percentile(samples, n, 50),
		.p95 = percentile(samples, n, 95),
		.p99 = percentile(samples, n, 99),
		.n_samples = n,
	};
}
