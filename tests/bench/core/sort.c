/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "sort.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void sort_u64(uint64_t *values, uint64_t n)
{
	qsort(values, n, sizeof(*values), compare);
}
