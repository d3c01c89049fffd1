/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The rule by which the two sides agree.
 *
 * Return values, states, poll events and everything in a stream that stands still
 * are equal. While it moves, positions may be a step of the device apart, and what
 * happens at a moment (ready, an xrun) may be seen a step later: so a call on which
 * the two do not agree while the stream moves is made once more in a new run, with a
 * period of time put before it. It is a disagreement if that does not help.
 */
#ifndef TESTS_DIFFERENTIAL_COMPARE_H
#define TESTS_DIFFERENTIAL_COMPARE_H

#include "tests/differential/side.h"

struct verdict {
	bool agrees;
	unsigned int at;	/* the call; beyond the last: the whole */
	bool moving;		/* it may be a matter of time */
	char why[160];
};

/** Compare two records of one sequence. */
void compare(const struct sequence *sequence, const struct record *headroom,
	     const struct record *card, struct verdict *verdict);

/** Play a sequence on both sides until it is clear; with show, print all of it. */
bool play_and_compare(const struct sequence *sequence, bool show,
		      struct verdict *verdict);

#endif
