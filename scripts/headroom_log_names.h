/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#ifndef HEADROOM_LOG_NAMES_H
#define HEADROOM_LOG_NAMES_H

#include <stdio.h>
#include <sys/types.h>

/** Print the names that streams of the owner have counters under, but for one, in order and
 * with ", " in between; before, in front of the first. Nothing, where there are none or the
 * folder cannot be listed. Returns how many. */
size_t print_other_names(FILE *to, uid_t owner, const char *but, const char *before);

#endif
