/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/constant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/soak/process.h"

/* By how much the last quarter may be above the second minute. The heap, with nothing open
 * but what is open all the time, is the same to the byte, unless threads keep something
 * back for themselves: see scripts/soak. Which of its pages it has is up to the order in
 * which threads come and go. */
#define HEAP_GROWTH_BYTES 64u
#define RESIDENT_GROWTH_KIB 512u
/* A stream that broke off is repaired by code that may not have run before. */
#define FAULTS_OF_REPAIR 16u

struct soak_look soak_constant_look(struct soak_constant *constant, struct soak_shared *shared,
				    pid_t program, unsigned int second)
{
	struct soak_look look = { .second = second };

	/* acquire, pairs with take_rest(): none of what follows is older than n. */
	(void)atomic_load_explicit(&shared->rest.n, memory_order_acquire);
	look.rest_kib = soak_get(&shared->rest.resident_kib);
	look.heap_bytes = soak_get(&shared->rest.heap_bytes);
	look.fds = soak_get(&shared->rest.fds);
	look.threads = soak_get(&shared->rest.threads);
	look.resident_kib = soak_resident_kib(program);
	for (int i = 0; i < 2; i++)
		look.faults[i] = soak_page_faults(program,
						  (pid_t)soak_get(&shared->io_thread[i]));
	if (constant->n_looks == constant->n_room) {
		constant->n_room = constant->n_room ? 2 * constant->n_room : 1024;
		constant->looks = realloc(constant->looks,
					  constant->n_room * sizeof(look));
		if (!constant->looks)
			soak_die("out of memory");
	}
	constant->looks[constant->n_looks++] = look;
	return look;
}

static bool say(const char *what, uint64_t was, uint64_t is, uint64_t more, const char *unit)
{
	bool holds = is <= was + more;

	if (is == was)
		printf("  %-21s %8" PRIu64 "%s\n", what, is, unit);
	else
		printf("  %-21s %8" PRIu64 "%s, then %" PRIu64 "%s%s\n", what, was, unit, is, unit,
		       holds ? "" : "  <-- grows");
	return holds;
}

/* The most of a value in the looks from first on, but before end. */
static uint64_t most(const struct soak_constant *c, size_t first, size_t end, bool of_heap)
{
	uint64_t value = 0;

	for (size_t i = first; i < end; i++) {
		uint64_t is = of_heap ? c->looks[i].heap_bytes : c->looks[i].rest_kib;

		value = is > value ? is : value;
	}
	return value;
}

/* The first that is another; none: the last. */
static uint64_t other(const struct soak_constant *c, size_t first, bool of_fds)
{
	for (size_t i = first; i < c->n_looks; i++) {
		const struct soak_look *a = &c->looks[first], *b = &c->looks[i];

		if (of_fds ? a->fds != b->fds : a->threads != b->threads)
			return of_fds ? b->fds : b->threads;
	}
	return of_fds ? c->looks[first].fds : c->looks[first].threads;
}

static bool equal(const char *what, uint64_t was, uint64_t is)
{
	/* Fewer are no more constant than more. */
	return is < was ? say(what, is, was, 0, "") : say(what, was, is, 0, "");
}

bool soak_constant_judge(const struct soak_constant *c, unsigned int settle_s, bool broke_off)
{
	size_t first = 0, second_end, last;
	const struct soak_look *then, *now;
	bool holds;

	while (first < c->n_looks && c->looks[first].second < settle_s)
		first++;
	for (second_end = first; second_end < c->n_looks; second_end++)
		if (c->looks[second_end].second >= 2 * settle_s)
			break;
	if (second_end == c->n_looks) {
		printf("Not judged: it ended before second %u, so that nothing can be "
		       "said of what is constant.\n", 2 * settle_s);
		return true;
	}
	last = c->n_looks - c->n_looks / 4;
	if (last < second_end)
		last = second_end;
	then = &c->looks[first];
	now = &c->looks[c->n_looks - 1];
	printf("Constant from second %u on:\n", settle_s);
	holds = equal("descriptors", then->fds, other(c, first, true));
	holds = equal("threads", then->threads, other(c, first, false)) && holds;
	holds = say("heap", most(c, first, second_end, true), most(c, last, c->n_looks, true),
		    HEAP_GROWTH_BYTES, " bytes") && holds;
	holds = say("memory", most(c, first, second_end, false),
		    most(c, last, c->n_looks, false), RESIDENT_GROWTH_KIB, " KiB") && holds;
	for (int i = 0; i < 2; i++)
		holds = say(i ? "page faults, capture" : "page faults, playback",
			    then->faults[i], now->faults[i], broke_off ? FAULTS_OF_REPAIR : 0,
			    "") && holds;
	return holds;
}
