/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a period costs in real time, as the kernel counts it.
 *
 * usage: guard_real windows playback|capture PERIOD PERIODS WINDOWS
 *        guard_real room playback|capture PERIOD
 *
 * windows: voluntary context switches of all threads for each period, one line for each
 * window of so many periods: "switches NUMBER". A window with an xrun is left out. Each is
 * enclosed in two marks for strace, writes to no descriptor: "begin", and "end N" of so
 * many periods, 0 if it is left out.
 *
 * room: the system calls of the program's thread while it moves some periods that it need
 * not wait for: "calls NUMBER" for all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/calls.h"
#include "tests/bench/speed/threads.h"
#include "tests/guard/stream.h"

#define ROOM_PERIODS 6u
#define SPARE_PERIODS 3u	/* room that is not used up: nobody begins to wait for it */

/* By a system call that fails, as cheaply as any. */
static void mark(const char *what, unsigned int n)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%s %u", what, n);

	if (write(-1, text, (size_t)length) < 0) {
		/* As it is meant to. */
	}
}

static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

/* Begins and ends just after a period was moved, so that it holds whole periods of all
 * threads. */
static void measure_window(struct stream *stream, unsigned int n)
{
	unsigned int n_xruns = stream->n_xruns;
	long before;

	before = switches();
	mark("begin", n);
	stream_move(stream, n);
	mark("end", stream->n_xruns == n_xruns ? n : 0);
	before = switches() - before;
	if (stream->n_xruns == n_xruns)
		printf("switches %.2f\n", (double)before / n);
}

static void wait_for_room(struct stream *stream)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	snd_pcm_sframes_t avail;

	while ((avail = snd_pcm_avail(stream->pcm)) >= 0 &&
	       (snd_pcm_uframes_t)avail < (ROOM_PERIODS + SPARE_PERIODS) * stream->period)
		nanosleep(&nap, NULL);
}

/* The I/O thread shares the program's processor then, but runs only while the program does
 * not want it: the first write wakes it, and it does not fall asleep again meanwhile. */
static int measure_room(struct stream *stream)
{
	wait_for_room(stream);
	bench_pin(0);
	threads_place_others(0, true);
	stream_move(stream, 1);
	calls_count();
	calls_mark();
	stream_move(stream, ROOM_PERIODS);
	calls_mark();
	if (stream->n_xruns)
		fprintf(stderr, "guard: an xrun\n");
	else
		printf("calls %u\n", calls_between_marks());
	fflush(stdout);
	_exit(0);		/* see calls.h */
}

int main(int argc, char **argv)
{
	struct stream stream;

	if (argc == 4 && strcmp(argv[1], "room") == 0) {
		stream_begin(&stream, argv[2], argv[3]);
		return measure_room(&stream);
	}
	if (argc != 6) {
		fprintf(stderr, "usage: see real.c\n");
		return 2;
	}
	stream_begin(&stream, argv[2], argv[3]);
	for (int i = atoi(argv[5]); i > 0; i--)
		measure_window(&stream, (unsigned int)atoi(argv[4]));
	stream_end(&stream);
	return 0;
}
