/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/speed/memory.h"

#include <stdio.h>

#include "tests/bench/record.h"

double memory_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	double kib = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Anonymous: %lf", &kib);
	if (kib < 0)
		bench_die("/proc/self/smaps_rollup does not tell the memory");
	fclose(file);
	return kib;
}
