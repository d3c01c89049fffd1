/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The account at the end. */
#ifndef TESTS_SOAK_ACCOUNT_H
#define TESTS_SOAK_ACCOUNT_H

#include "tests/soak/shared.h"

/** Show it on stdout. Returns whether it closes: no frame is damaged or unaccounted for,
 * and, unless busy, every stall that was too long has been counted, and nothing else was
 * lost. */
bool soak_account_judge(const struct soak_shared *shared, bool busy);

/** Frames that were lost or invented with nothing provoked, of all streams; and xruns. */
uint64_t soak_account_unprovoked(const struct soak_shared *shared);
uint64_t soak_account_unprovoked_xruns(const struct soak_shared *shared);

#endif
