/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#ifndef TESTS_BENCH_SPEED_MEMORY_H
#define TESTS_BENCH_SPEED_MEMORY_H

/** KiB of memory that this process has of its own: what it has touched of its heap, stacks
 * and data. What it maps of files, shared memory among them, is not in it. */
double memory_kib(void);

#endif
