/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <string.h>

#include "core/latency.h"

#define DIGIT_BITS 8u
#define N_BUCKETS (1u << DIGIT_BITS)

/* The bits in which not all samples agree. */
static uint64_t differing_bits(const uint64_t *samples, uint32_t n)
{
	uint64_t bits = 0;

	for (uint32_t i = 1; i < n; i++)
		bits |= samples[i] ^ samples[0];
	return bits;
}

static uint32_t digit(uint64_t sample, uint32_t shift)
{
	return (uint32_t)(sample >> shift) & (N_BUCKETS - 1);
}

/* Stable sort by one digit. */
static void sort_by_digit(uint64_t *to, const uint64_t *from, uint32_t n, uint32_t shift)
{
	uint32_t ends[N_BUCKETS] = { 0 };
	uint32_t begin = 0;

	for (uint32_t i = 0; i < n; i++)
		ends[digit(from[i], shift)]++;
	for (uint32_t bucket = 0; bucket < N_BUCKETS; bucket++) {
		uint32_t count = ends[bucket];

		ends[bucket] = begin;
		begin += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[ends[digit(from[i], shift)]++] = from[i];
}

/* Radix sort, least significant digit first: time in proportion to n whatever the
 * samples are, which may be a stranger's. Digits in which all agree are left out:
 * latencies differ in three or four of the eight. */
static void sort(uint64_t *samples, uint64_t *spare, uint32_t n)
{
	uint64_t bits = differing_bits(samples, n);
	uint64_t *from = samples;
	uint64_t *to = spare;

	for (uint32_t shift = 0; shift < 64; shift += DIGIT_BITS) {
		uint64_t *sorted = to;

		if (!digit(bits, shift))
			continue;
		sort_by_digit(to, from, n, shift);
		to = from;
		from = sorted;
	}
	if (from != samples)
		memcpy(samples, from, n * sizeof(*samples));
}

/* Nearest rank: the smallest sample with percent of all not above it. */
static uint64_t percentile(const uint64_t *sorted, uint32_t n, uint32_t percent)
{
	return sorted[(n * percent + 99) / 100 - 1];
}

/* Rounded down. The sum may pass 64 bits; those of the upper and of the lower halves
 * cannot, as n is below 2^32. */
static uint64_t average(const uint64_t *samples, uint32_t n)
{
	uint64_t upper = 0;
	uint64_t lower = 0;

	for (uint32_t i = 0; i < n; i++) {
		upper += samples[i] >> 32;
		lower += samples[i] & UINT32_MAX;
	}
	/* As by hand: the rest of the upper digit goes to the next. It is below n, so
	 * no more than HR_HEALTH_WINDOW_MAX * 2^32 are added. */
	return (upper / n << 32) + ((upper % n << 32) + lower) / n;
}

void hr_latency_from_samples(struct hr_latency *latency, uint64_t *samples,
			     uint64_t *spare, uint32_t n)
{
	*latency = (struct hr_latency) { 0 };
	if (n == 0)
		return;

	sort(samples, spare, n);
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
