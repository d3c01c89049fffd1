/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stddef.h>

#include "core/backpressure.h"
#include "row.h"
#include "rows.h"
#include "tests/bench/record.h"

#define LEVELS 256u

/* Levels as they come: up and down about the middle, and over both thresholds once
 * in a while. */
static void fill(uint8_t *levels)
{
	uint32_t random = 1;
	int level = 50;

	for (uint32_t i = 0; i < LEVELS; i++) {
		random = random * 1664525u + 1013904223u;
		level += (int)(random >> 28) - 8 + (level < 50) - (level > 75);
		level = level < 0 ? 0 : level > 100 ? 100 : level;
		levels[i] = (uint8_t)level;
	}
}

static void *open_detector(const void *ops, uint32_t param)
{
	static struct hr_bp bp;

	(void)ops;
	(void)param;
	hr_bp_init(&bp, HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT);
	return &bp;
}

static uint64_t run(const void *ops, void *bp, uint64_t n)
{
	uint8_t levels[LEVELS];
	uint64_t begin_ns, end_ns;
	uint32_t events = 0;

	(void)ops;
	fill(levels);
	begin_ns = bench_now_ns();
	for (uint64_t i = 0; i < n; i++)
		events += hr_bp_update(bp, levels[i % LEVELS], i);
	end_ns = bench_now_ns();
	__asm__ volatile("" : : "r"(events));
	return end_ns - begin_ns;
}

static void close_detector(const void *ops, void *bp)
{
	(void)ops;
	(void)bp;
}

void rows_detector(void)
{
	static const struct row row = {
		.name = "detector update", .unit = "ns",
		.open = open_detector, .run = run, .close = close_detector,
	};
	static const struct row_subject subject = { "headroom", NULL };

	row_measure(&row, &subject, 1);
}
