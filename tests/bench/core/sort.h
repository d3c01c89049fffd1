/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#ifndef TESTS_BENCH_CORE_SORT_H
#define TESTS_BENCH_CORE_SORT_H

#include <stdint.h>

/** Sort values, smallest first. */
void sort_u64(uint64_t *values, uint64_t n);

#endif
