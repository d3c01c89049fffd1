/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "sleeps.h"

#include "core/clock.h"
#include "tests/bench/stalls/crew.h"

#define FIRST_AT_NS (200 * HR_NS_PER_MS)
#define PAUSE_MIN_NS (60 * HR_NS_PER_MS)	/* to fill the buffer, or to catch up */
#define PAUSE_MAX_NS (400 * HR_NS_PER_MS)

/* Up to most, in steps of a microsecond, by Lehmer's generator. */
static uint64_t up_to(uint64_t most_ns, uint64_t *state)
{
	*state = *state * 48271 % 2147483647;
	return *state % (most_ns / 1000) * 1000;
}

void sleeps_make(struct sleeps *sleeps, unsigned int length_ms, bool random,
		 unsigned int total_ms, uint32_t seed)
{
	const uint64_t longest = length_ms * HR_NS_PER_MS, end = total_ms * HR_NS_PER_MS;
	uint64_t state = seed % 2147483646 + 1, at = FIRST_AT_NS;
	uint64_t pause = longest < PAUSE_MIN_NS ? PAUSE_MIN_NS :
			 longest < PAUSE_MAX_NS ? longest : PAUSE_MAX_NS;

	*sleeps = (struct sleeps){ 0 };
	while (sleeps->n < SLEEPS_MAX) {
		uint64_t length = random && sleeps->n ? up_to(longest, &state) : longest;
		uint64_t rest = random ? PAUSE_MIN_NS + up_to(pause, &state) : pause;

		if (at + length + rest > end)
			break;
		sleeps->list[sleeps->n].at_ns = at;
		sleeps->list[sleeps->n++].length_ns = length;
		at += length + rest;
	}
}

void sleeps_take(struct sleeps *sleeps, uint64_t begin_ns)
{
	uint64_t now_ns = hr_now_ns();

	if (sleeps->next == sleeps->n || now_ns < begin_ns + sleeps->list[sleeps->next].at_ns)
		return;
	/* So long from here, however late it has begun. */
	crew_sleep_until(now_ns + sleeps->list[sleeps->next++].length_ns);
}
