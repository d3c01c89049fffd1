/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a period costs in a world whose clock stands still while anything runs
 * (tests/differential/world.h): each run is like the other, whatever else the machine
 * does.
 *
 * usage: guard_virtual waits|room playback|capture PERIOD PERIODS
 *
 * waits: each writei or readi waits for its period. room: it need not, as there is room,
 * or there are frames, before it is called.
 *
 * Says how many calls to the system and waits there were in a period, of all threads, and
 * how many readings of the clock, by the program's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/world.h"
#include "tests/guard/stream.h"

#define SPARE_PERIODS 1u

static void add(struct world_effort *sum, const struct world_effort *before)
{
	struct world_effort now = world_effort();

	sum->calls += now.calls - before->calls;
	sum->waits += now.waits - before->waits;
	sum->readings += now.readings - before->readings;
}

static void move_waiting(struct stream *stream, unsigned int n, struct world_effort *sum)
{
	struct world_effort before = world_effort();

	stream_move(stream, n);
	add(sum, &before);
}

/* All are at rest before each, and after it there still is room. */
static void move_with_room(struct stream *stream, unsigned int n, struct world_effort *sum)
{
	const uint64_t period_ns = stream->period * UINT64_C(1000000000) / BENCH_RATE;
	struct world_effort before;

	world_advance_to(world_now_ns() + SPARE_PERIODS * period_ns);
	while (n--) {
		world_advance_to(world_now_ns() + period_ns);
		world_settle();
		before = world_effort();
		stream_move(stream, 1);
		add(sum, &before);
	}
}

int main(int argc, char **argv)
{
	struct world_effort sum = { 0, 0, 0 };
	struct stream stream;
	unsigned int n;

	if (argc != 5 || (n = (unsigned int)atoi(argv[4])) == 0) {
		fprintf(stderr, "usage: %s waits|room playback|capture PERIOD PERIODS\n",
			argv[0]);
		return 2;
	}
	world_begin();
	stream_begin(&stream, argv[2], argv[3]);
	if (strcmp(argv[1], "room") == 0)
		move_with_room(&stream, n, &sum);
	else
		move_waiting(&stream, n, &sum);
	if (stream.n_xruns) {
		fprintf(stderr, "guard: an xrun, where nobody can be late\n");
		return 2;
	}
	printf("calls %.2f\nwaits %.2f\nreadings %.2f\n", (double)sum.calls / n,
	       (double)sum.waits / n, (double)sum.readings / n);
	stream_end(&stream);
	return 0;
}
