/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * At full speed into `null`, and out of it: what a period costs where nothing is waited
 * for, beside alsa-lib's own plug-ins and the least that an ioplug can be.
 *
 * writei (readi) alone: bursts that fit the ring. The threads that a plug-in has share
 * the program's processor but run only while the program does not want it, so a burst
 * costs what the program does and nothing else, and a thread that is awake is not woken
 * again. The first call, which wakes it, is made before the clock is looked at. That no
 * system call is made in such a burst is counted in a run of its own.
 *
 * End to end: all frames through to the device, the drain included. The program has one
 * processor, the plug-in's threads have the other.
 *
 * Each sample is taken in a process of its own. libc's mutexes, of which alsa-lib takes
 * about five a call, cost half as much in a process that never had a second thread, and
 * with a threaded plug-in none is without. What copy and the minimal ioplug cost in a
 * program that has threads is shown beside.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/calls.h"
#include "tests/bench/speed/child.h"
#include "tests/bench/speed/setup.h"
#include "tests/bench/speed/threads.h"

#define RING_PERIODS 64
#define BURST_PERIODS (RING_PERIODS - 2)
#define SHORT_RING_PERIODS 4
#define ROW_BYTES 96
#define PROGRAM_CPU 0
#define THREAD_CPU 1

struct subject {
	const char *name, *pcm;
	bool threaded;			/* has a thread and a ring to wait for */
	bool captures;
	bool beside_thread;		/* in a program that has another thread */
};

static const struct subject subjects[] = {
	{ "headroom", "through_null", true, true, false },
	{ "copy", "copy_null", false, true, false },
	{ "file", "file_null", false, true, false },
	{ "minimal", "plain_null", false, true, false },
	/* Reading from null, which has frames without end, it overruns at once. */
	{ "threaded", "threaded_null", true, false, false },
	{ "copy, program with threads", "copy_null", false, true, true },
	{ "minimal, program with threads", "plain_null", false, true, true },
};

#define N_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* One row: what is moved how. */
struct way {
	snd_pcm_stream_t stream;
	snd_pcm_uframes_t period;
	unsigned ring_periods;
};

struct sample {
	const struct way *way;
	const struct subject *subject;
};

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static snd_pcm_t *begin(const struct way *way, const struct subject *subject)
{
	snd_pcm_t *pcm = speed_open(subject->pcm, way->stream);
	pthread_t thread;

	bench_pin(PROGRAM_CPU);
	if (subject->beside_thread &&
	    pthread_create(&thread, NULL, sleep_for_ever, NULL) != 0)
		bench_die("cannot make a thread");
	speed_set_up(pcm, way->period, way->period * way->ring_periods, 1);
	if (way->stream == SND_PCM_STREAM_CAPTURE)
		bench_must(snd_pcm_start(pcm), "start");
	return pcm;
}

/* --- writei or readi alone --- */

/* Sleep, so that the thread can work, until the ring is as it is to be. */
static void wait_for_ring(snd_pcm_t *pcm, const struct sample *sample)
{
	const snd_pcm_uframes_t ring = sample->way->period * sample->way->ring_periods;
	const struct timespec nap = { .tv_nsec = 100000 };
	snd_pcm_sframes_t avail;

	if (!sample->subject->threaded)
		return;
	do {
		nanosleep(&nap, NULL);
		avail = snd_pcm_avail(pcm);
		bench_must(avail, "avail");
	} while ((snd_pcm_uframes_t)avail < ring);
}

static double burst(snd_pcm_t *pcm, const struct sample *sample, void (*mark)(void))
{
	uint64_t begin_ns;

	wait_for_ring(pcm, sample);
	speed_move(pcm, sample->way->period);
	if (mark)
		mark();
	begin_ns = bench_now_ns();
	for (int i = 0; i < BURST_PERIODS; i++)
		speed_move(pcm, sample->way->period);
	begin_ns = bench_now_ns() - begin_ns;
	if (mark)
		mark();
	return (double)begin_ns / BURST_PERIODS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static snd_pcm_t *begin_bursts(const struct sample *sample)
{
	snd_pcm_t *pcm = begin(sample->way, sample->subject);

	/* One has its thread from the first frame on only. */
	speed_move(pcm, sample->way->period);
	threads_place_others(PROGRAM_CPU, true);
	return pcm;
}

/* The median: in some the processor was taken away. */
static void time_alone(const void *arg, int to, int from)
{
	const struct sample *sample = arg;
	double times[60];
	int n = bench_is_quick() ? 20 : 60;
	snd_pcm_t *pcm = begin_bursts(sample);

	(void)from;
	for (int i = 0; i < n; i++)
		times[i] = burst(pcm, sample, NULL);
	snd_pcm_drop(pcm);
	snd_pcm_close(pcm);
	qsort(times, (size_t)n, sizeof(times[0]), compare);
	child_say(to, &times[n / 2], 1);
}

static void count_calls(const void *arg, int to, int from)
{
	snd_pcm_t *pcm = begin_bursts(arg);
	double per_period;

	(void)from;
	calls_count();
	burst(pcm, arg, calls_mark);
	per_period = (double)calls_between_marks() / BURST_PERIODS;
	child_say(to, &per_period, 1);
	_exit(0);	/* how it ends is nobody's concern */
}

/* --- end to end --- */

static double cpu_ns(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (double)spent.tv_sec * 1e9 + (double)spent.tv_nsec;
}

static void time_through(const void *arg, int to, int from)
{
	const struct sample *sample = arg;
	/* Of a short ring each period may be slept for, which takes long. */
	const int most = bench_is_quick() ? 4000 : 10000;
	const int n = sample->way->ring_periods < RING_PERIODS ? most / 4 : most;
	snd_pcm_t *pcm = begin(sample->way, sample->subject);
	double values[2], begin_cpu;
	uint64_t begin_ns;

	(void)from;
	speed_move(pcm, sample->way->period);
	threads_place_others(THREAD_CPU, false);
	begin_ns = bench_now_ns();
	begin_cpu = cpu_ns();
	for (int i = 0; i < n; i++)
		speed_move(pcm, sample->way->period);
	if (sample->way->stream == SND_PCM_STREAM_PLAYBACK)
		bench_must(snd_pcm_drain(pcm), "drain");
	values[0] = (double)(bench_now_ns() - begin_ns) / n;
	values[1] = (cpu_ns() - begin_cpu) / n;
	snd_pcm_drop(pcm);
	snd_pcm_close(pcm);
	child_say(to, values, 2);
}

/* --- rows --- */

/* The rows of 256 frames of playback are those that the others are variations of. */
static void name_row(char row[static ROW_BYTES], const char *what, const struct way *way)
{
	bool playback = way->stream == SND_PCM_STREAM_PLAYBACK;
	const char *call = playback ? "writei" : "readi";
	int n;

	n = snprintf(row, ROW_BYTES, "alsa: full speed, %s", what[0] == '%' ? call : what);
	if (what[0] == 's')
		n += snprintf(row + n, ROW_BYTES - (size_t)n, " of %s", call);
	if (what[0] == 'e' && !playback)
		n += snprintf(row + n, ROW_BYTES - (size_t)n, ", capture");
	if (way->period != 256)
		n += snprintf(row + n, ROW_BYTES - (size_t)n, ", %lu", way->period);
	if (way->ring_periods != RING_PERIODS)
		snprintf(row + n, ROW_BYTES - (size_t)n, ", %u periods", way->ring_periods);
}

static void record(const char *what, const struct sample *sample, unsigned round, double value,
		   const char *unit)
{
	char row[ROW_BYTES];

	name_row(row, what, sample->way);
	if (round)
		bench_record(row, sample->subject->name, round - 1, value, unit);
}

static bool is_measured(const struct way *way, const struct subject *subject)
{
	return way->stream == SND_PCM_STREAM_PLAYBACK || subject->captures;
}

static void measure_in_child(void (*run)(const void *arg, int to, int from),
			     const struct sample *sample, double *values, size_t n)
{
	struct child child;

	child_start(&child, run, sample);
	child_hear(&child, values, n);
	child_end(&child);
}

static void measure_alone(const struct way *way, unsigned round)
{
	for (size_t i = 0; i < N_SUBJECTS; i++) {
		struct sample sample = { way, &subjects[i] };
		double ns, calls;

		if (!is_measured(way, sample.subject))
			continue;
		measure_in_child(time_alone, &sample, &ns, 1);
		record("%", &sample, round, ns, "ns");
		if (way->period != 256)
			continue;
		measure_in_child(count_calls, &sample, &calls, 1);
		record("system calls", &sample, round, calls, "count");
	}
}

static void measure_through(const struct way *way, unsigned round)
{
	for (size_t i = 0; i < N_SUBJECTS; i++) {
		struct sample sample = { way, &subjects[i] };
		double ns[2];

		if (!is_measured(way, sample.subject))
			continue;
		measure_in_child(time_through, &sample, ns, 2);
		record("end to end", &sample, round, ns[0], "ns");
		record("end to end, CPU", &sample, round, ns[1], "ns");
	}
}

static void measure(unsigned round)
{
	static const snd_pcm_stream_t streams[] = { SND_PCM_STREAM_PLAYBACK,
						    SND_PCM_STREAM_CAPTURE };
	static const snd_pcm_uframes_t periods[] = { 256, 64, 1024 };
	const struct way tight = { SND_PCM_STREAM_PLAYBACK, 256, SHORT_RING_PERIODS };

	for (size_t s = 0; s < 2; s++) {
		for (size_t p = 0; p < 3; p++) {
			struct way way = { streams[s], periods[p], RING_PERIODS };

			measure_alone(&way, round);
			measure_through(&way, round);
		}
	}
	measure_through(&tight, round);
}

int main(void)
{
	unsigned rounds = bench_rounds();

	speed_begin();
	for (unsigned round = 0; round <= rounds; round++) {
		bench_say("full speed: round %u of %u", round, rounds);
		measure(round);
	}
	return 0;
}
