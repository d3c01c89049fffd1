/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a module calls of libc and of alsa-lib, each a call that can fail, is made to
 * fail at will. The module's own table of imports is rewritten, so that nobody else's
 * calls are touched or counted, and it works beside a sanitizer. What the module has
 * been given and must give back is kept account of: memory, mappings, configuration
 * nodes and PCM handles.
 */
#ifndef TESTS_HOSTILE_IMPORTS_H
#define TESTS_HOSTILE_IMPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/** Load the module at the path and put ourselves between it and its imports. Returns
 * how many were found; 0 means that nothing can be tested. */
unsigned int imports_take(const char *module);

/** Let the n-th call from now on fail, and with `onwards` all after it. 0: none. Only
 * calls by that name, if it is not NULL. */
void imports_fail(unsigned int n, bool onwards, const char *only);

/** The name of the first call that failed since then, NULL if none did; and whether any
 * failed with that errno. */
const char *imports_failed(void);
bool imports_failed_with(int error);

/** Things that were not given back. */
long imports_held(void);

/** What the module's clock goes by: added to what CLOCK_MONOTONIC says, or its coarse
 * reading; and whether any other clock was ever asked for, be it by timerfd_create(). */
void imports_shift_clock(long long ns);
bool imports_used_other_clock(void);

#endif
