/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How many accounts were closed how well. Where a fault may have come first, or not, a
 * balance has to let both pass: that such are few is asserted, too.
 */
#ifndef TESTS_ACCOUNT_TALLY_H
#define TESTS_ACCOUNT_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tally {
	_Atomic uint64_t accounts;
	_Atomic uint64_t either;	/* END_EITHER */
	_Atomic uint64_t overflows;	/* not balanced: the card stood and went too often */
	_Atomic uint64_t unknown;	/* episodes of which too many came to be kept */
};

/** Shared by all processes that are forked from now on. False: no memory. */
bool tally_begin(void);

/** The one there is; its counts are added to by whoever plays. */
extern struct tally *tally;

/** Print the shares. False if one is too large. */
bool tally_judge(void);

#endif
