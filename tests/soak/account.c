/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/account.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const char *const names[SOAK_STREAMS] = {
	"long playback", "long capture", "again playback", "again capture",
};

static uint64_t total(const struct soak_shared *shared, size_t offset)
{
	uint64_t sum = 0;

	for (int i = 0; i < SOAK_STREAMS; i++)
		sum += soak_get((const soak_number *)(const void *)
				((const char *)&shared->accounts[i] + offset));
	return sum;
}

#define TOTAL(shared, member) total(shared, offsetof(struct soak_account, member))

static void show_row(const char *name, const struct soak_account *a)
{
	printf("%-14s %10" PRIu64 " %10" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64
	       " %6" PRIu64 " %6" PRIu64 " %5" PRIu64 "\n", name,
	       soak_get(&a->supplied), soak_get(&a->delivered), soak_get(&a->dropped),
	       soak_get(&a->thrown), soak_get(&a->silence), soak_get(&a->difference),
	       soak_get(&a->openings), soak_get(&a->xruns));
}

/* By whose fault, in words, as the counters say; a row of causes is at offset. */
static void show_causes(const struct soak_shared *shared, size_t offset)
{
	static const char *const who[SOAK_CAUSES] = { "none", "program", "scheduler", "device" };

	uint64_t sum = 0;

	for (size_t cause = 0; cause < SOAK_CAUSES; cause++) {
		uint64_t n = total(shared, offset + cause * sizeof(soak_number));

		if (n)
			printf("%s %s %" PRIu64, sum ? "," : "", who[cause], n);
		sum += n;
	}
	printf("%s\n", sum ? "" : " nobody");
}

uint64_t soak_account_unprovoked(const struct soak_shared *shared)
{
	return TOTAL(shared, unprovoked_frames);
}

uint64_t soak_account_unprovoked_xruns(const struct soak_shared *shared)
{
	return TOTAL(shared, unprovoked_xruns);
}

static void show_stalls(const struct soak_shared *shared)
{
	printf("Stalls to be survived: %" PRIu64 ".\nLonger ones, which must cost something: %"
	       PRIu64 "; xruns blamed on",
	       TOTAL(shared, stalls), TOTAL(shared, provoked));
	show_causes(shared, offsetof(struct soak_account, causes));
	printf("Unprovoked losses: %" PRIu64 " frames, %" PRIu64 " xruns; blamed on",
	       soak_account_unprovoked(shared), soak_account_unprovoked_xruns(shared));
	show_causes(shared, offsetof(struct soak_account, unprovoked_causes));
}

/* Returns whether there was none. */
static bool complain(const char *what, uint64_t n)
{
	if (n)
		printf("Failed: %" PRIu64 " %s\n", n, what);
	return n == 0;
}

bool soak_account_judge(const struct soak_shared *shared, bool busy)
{
	bool holds;

	printf("%-14s %10s %10s %7s %7s %7s %6s %6s %5s\n", "Frames", "supplied", "delivered",
	       "dropped", "thrown", "silence", "differ", "opened", "xruns");
	for (int i = 0; i < SOAK_STREAMS; i++)
		show_row(names[i], &shared->accounts[i]);
	show_stalls(shared);
	holds = complain("frames that no counter accounts for", TOTAL(shared, difference));
	holds = complain("frames damaged, doubled or in another order",
			 TOTAL(shared, damaged)) && holds;
	holds = complain("stalls that must cost something, of which no counter tells",
			 TOTAL(shared, unnoticed)) && holds;
	/* On a busy machine the card may be held up by as much. */
	if (busy)
		return holds;
	holds = complain("frames lost or invented although nothing was provoked",
			 soak_account_unprovoked(shared)) && holds;
	return complain("xruns although nothing was provoked",
			soak_account_unprovoked_xruns(shared)) && holds;
}
