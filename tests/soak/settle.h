/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The account of an opening: does what was supplied come out as delivered or counted? */
#ifndef TESTS_SOAK_SETTLE_H
#define TESTS_SOAK_SETTLE_H

#include "tests/soak/opening.h"

/** Settle the account of a stream that was closed, and zero its counters. */
void soak_settle(struct soak_opening *opening);

#endif
