/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The rows of the benchmark, by what they are about; each measures those that were
 * asked for. */
#ifndef TESTS_BENCH_CORE_ROWS_H
#define TESTS_BENCH_CORE_ROWS_H

void rows_ring(void);
void rows_period(void);
void rows_pool(void);
void rows_detector(void);
void rows_health(void);
void rows_locked(void);
void rows_preempted(void);
void rows_wake_up(void);

#endif
