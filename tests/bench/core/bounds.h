/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What no way between two threads can do without: lines of the cache that move, and
 * copies. In the form of subjects.
 */
#ifndef TESTS_BENCH_CORE_BOUNDS_H
#define TESTS_BENCH_CORE_BOUNDS_H

#include "subject.h"

/* Round trips only. */
extern const struct ring_ops limit_one_line, limit_two_lines;

#endif
