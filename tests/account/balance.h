/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Inside of book.h: the book (book.c), and how it is balanced (balance_playback.c,
 * balance_capture.c).
 */
#ifndef TESTS_ACCOUNT_BALANCE_H
#define TESTS_ACCOUNT_BALANCE_H

#include "tests/account/book.h"

#define SKIPPED (UINT32_MAX - 1)	/* capture: nobody has read that frame */

#define LL(x) ((long long)(x))

/* Where to say what is wrong. */
struct finding {
	char *why;
	size_t bytes;
};

/** Say it; false. */
bool off(const struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Whether a figure is within these bounds; if not, that is said. */
bool within(const struct finding *f, const char *what, uint64_t is, uint64_t least,
	    uint64_t most);

bool balance_playback(const struct book *book, const struct book_facts *facts,
		      const struct finding *f);
bool balance_capture(const struct book *book, const struct book_facts *facts,
		     const struct finding *f);

static inline uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
