/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The right to a real-time priority, which headroom's I/O thread asks for.
 */
#ifndef TESTS_BENCH_STALLS_RIGHTS_H
#define TESTS_BENCH_STALLS_RIGHTS_H

#include <stdbool.h>

/** Give it up, for the calling process. Dies if that cannot be. */
void rights_drop(void);

/** Whether the process's thread "headroom-io" has such a priority. Dies if there is no
 * such thread. */
bool rights_are_used(void);

#endif
