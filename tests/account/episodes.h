/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The log of episodes against the counters, and who is blamed against what befell.
 */
#ifndef TESTS_ACCOUNT_EPISODES_H
#define TESTS_ACCOUNT_EPISODES_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/account/card.h"

/* What has befallen a run so far; the program may be late at any time. */
enum {
	BEFELL_HOLD = 1,	/* the I/O thread got no processor */
	BEFELL_CARD = 2,	/* the card did something that is not its trade */
	BEFELL_SLOW = 4,	/* it kept who asked it waiting: in there the real machine counts */
	BEFELL_RESET = 16,	/* by the program: it looks as if the card had been too quick */
	BEFELL_MUTE = 8,	/* it did not wake the I/O thread when that was due */
};

/** Whether the episodes since the last time have the frames that were counted, and causes
 * that can be. *knownp: whether all of them were still there. If not, why. */
bool episodes_agree(struct card *card, const struct counters *more, unsigned int befell,
		    bool *knownp, char *why, size_t why_bytes);

#endif
