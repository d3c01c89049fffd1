/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/tally.h"

#include <stdio.h>
#include <sys/mman.h>

/* In thousandths; of fewer accounts than this nothing can be said. */
#define EITHER_MOST 35
#define OVERFLOWS_MOST 2
#define UNKNOWN_MOST 3
#define ACCOUNTS_LEAST 2000

struct tally *tally;

bool tally_begin(void)
{
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	return tally != MAP_FAILED;
}

static bool judge(const char *what, uint64_t n, uint64_t all, unsigned int most)
{
	bool few = all < ACCOUNTS_LEAST || n * 1000 <= all * most;

	printf("account: %llu of %llu accounts %s, %.2f %%%s\n", (unsigned long long)n,
	       (unsigned long long)all, what, all ? 100.0 * (double)n / (double)all : 0.0,
	       few ? "" : ": too many");
	return few;
}

bool tally_judge(void)
{
	uint64_t all = atomic_load(&tally->accounts);
	bool few = judge("with a fault that may have come first", atomic_load(&tally->either),
			 all, EITHER_MOST);

	few = judge("not balanced", atomic_load(&tally->overflows), all, OVERFLOWS_MOST) && few;
	return judge("with more episodes than are kept", atomic_load(&tally->unknown), all,
		     UNKNOWN_MOST) && few;
}
