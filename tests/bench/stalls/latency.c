/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How long sound takes: from the call of writei with a frame until that frame is heard,
 * and from when a frame was captured until the readi that brings it has returned.
 *
 * Looked at is the frame of each period that waits least for others: the first that is
 * written, the last that is captured. What then remains is the buffer, and how long the
 * machine takes to wake who is to run.
 *
 * The device, headroom on it, in both directions, and a thread that another wakes by an
 * eventfd run at one time, each a process; each is woken a fifth of a period after the
 * one before, and in the next round they have changed places. Programs are on one
 * processor, headroom's thread and the writer of the eventfd on the other, for a wake-up
 * within a processor is another thing, and where the scheduler puts threads by itself
 * changes from run to run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/bench/record.h"
#include "tests/bench/stalls/crew.h"
#include "tests/bench/stalls/eventfd.h"
#include "tests/bench/stalls/paced.h"

#define SETTLE_PERIODS 8u
#define SAMPLES_MAX 512u
#define MEMBERS 5u
#define SECONDS_MAX 60u
#define TRIES_MAX 4u

static const struct subject {
	const char *name, *direction;
	bool headroom, playback;
} subjects[MEMBERS] = {
	{ "bare", "playback", false, true },
	{ "headroom", "playback", true, true },
	{ "bare", "capture", false, false },
	{ "headroom", "capture", true, false },
	{ "limit: eventfd", "capture", false, false },
};

static struct result {
	bool broken;			/* ran dry or over: the rest is worth nothing */
	double p50_us, p99_us;
} *results;

/* Of this sample. */
static snd_pcm_uframes_t period;	/* frames */
static unsigned int n_samples, this_round;

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void tell(struct result *result, int64_t *ns, unsigned int n)
{
	qsort(ns, n, sizeof(*ns), compare);
	result->p50_us = (double)ns[n / 2] / 1000;
	result->p99_us = (double)ns[(n * 99 + 99) / 100 - 1] / 1000;
}

static uint64_t begin_of(unsigned int i)
{
	uint64_t slot = (i + this_round) % MEMBERS;

	return crew_meet() + hr_frames_to_ns(period, BENCH_RATE) * slot / MEMBERS;
}

static int64_t time_of(const struct paced *paced, uint64_t frame)
{
	return (int64_t)(paced_began_ns(paced) + hr_frames_to_ns(frame, BENCH_RATE));
}

static bool write_next(struct paced *paced, uint32_t *next)
{
	for (snd_pcm_uframes_t i = 0; i < period; i++)
		paced->frames[i] = (*next)++;
	return paced_move(paced) == period;
}

/* The first frames of the periods written at called_ns: when were they heard? */
static void find_heard(const struct paced *paced, int64_t *ns, const int64_t *called_ns)
{
	size_t n_heard;
	uint32_t *heard = paced_heard(paced, &n_heard);

	for (unsigned int i = 0; i < n_samples; i++) {
		uint64_t frame = (PACED_PERIODS + SETTLE_PERIODS + i) * period;

		if (frame >= n_heard || heard[frame] != frame + 1)
			bench_die("frame %" PRIu64 " was not heard in its place", frame);
		ns[i] = time_of(paced, frame) - called_ns[i];
	}
	free(heard);
}

/* False if it ran dry: nobody would start it again. */
static bool play(struct paced *paced, uint64_t begin_ns, int64_t *ns)
{
	int64_t called_ns[SAMPLES_MAX];
	uint32_t next = 1;
	unsigned int i;

	for (i = 0; i < PACED_PERIODS; i++)
		if (!write_next(paced, &next))
			bench_die("the buffer has no room for itself");
	crew_sleep_until(begin_ns);
	if (snd_pcm_start(paced->pcm) < 0)
		bench_die("cannot start");
	/* To the end of the last sample, and some more so that it is heard. */
	for (i = 0; i < SETTLE_PERIODS + n_samples + PACED_PERIODS + 1; i++) {
		if (i >= SETTLE_PERIODS && i < SETTLE_PERIODS + n_samples)
			called_ns[i - SETTLE_PERIODS] = (int64_t)hr_now_ns();
		if (!write_next(paced, &next))
			return false;
	}
	snd_pcm_drop(paced->pcm);
	if (paced_breaks(paced))
		return false;
	find_heard(paced, ns, called_ns);
	return true;
}

/* Not readi() alone: it takes a part of a period at once if there is one, and is then
 * woken a period after what is missing has come. */
static bool read_next(struct paced *paced)
{
	snd_pcm_sframes_t avail;

	while ((avail = snd_pcm_avail_update(paced->pcm)) >= 0 &&
	       avail < (snd_pcm_sframes_t)period)
		snd_pcm_wait(paced->pcm, -1);
	return paced_move(paced) == period;
}

/* False if it ran over. */
static bool capture(struct paced *paced, uint64_t begin_ns, int64_t *ns)
{
	uint32_t last[SAMPLES_MAX];
	unsigned int i;

	crew_sleep_until(begin_ns);
	if (snd_pcm_start(paced->pcm) < 0)
		bench_die("cannot start");
	for (i = 0; i < SETTLE_PERIODS; i++)
		if (!read_next(paced))
			return false;
	for (i = 0; i < n_samples; i++) {
		if (!read_next(paced))
			return false;
		ns[i] = (int64_t)hr_now_ns();
		last[i] = paced->frames[period - 1];
	}
	if (paced_breaks(paced))
		return false;
	for (i = 0; i < n_samples; i++)
		ns[i] -= time_of(paced, (uint64_t)last[i] + 1);
	return true;
}

static void be_a_program(unsigned int i, int64_t *ns)
{
	struct paced paced;
	uint64_t begin_ns;

	/* Its thread stays where its maker was. */
	bench_pin(1);
	paced_open(&paced, subjects[i].headroom, subjects[i].playback, period, false);
	bench_pin(0);
	begin_ns = begin_of(i);
	results[i].broken = subjects[i].playback ? !play(&paced, begin_ns, ns) :
						   !capture(&paced, begin_ns, ns);
	paced_close(&paced);
	paced_remove(&paced);
}

static void member(unsigned int i)
{
	int64_t ns[SAMPLES_MAX];

	results[i].broken = false;
	if (i == MEMBERS - 1)
		eventfd_wake_ups(begin_of(i), hr_frames_to_ns(period, BENCH_RATE), ns,
				 n_samples);
	else
		be_a_program(i, ns);
	if (!results[i].broken)
		tell(&results[i], ns, n_samples);
}

/* All together, and anew if one has missed a period: then it was not only late, and the
 * others were not alone. */
static void measure(void)
{
	for (unsigned int try = 0; try < TRIES_MAX; try++) {
		bool broken = false;

		crew_run(MEMBERS, member, SECONDS_MAX);
		for (unsigned int i = 0; i < MEMBERS; i++)
			broken = broken || results[i].broken;
		if (!broken)
			break;
	}
}

static void record(unsigned int i, unsigned int round)
{
	const struct result *result = &results[i];
	bool is_limit = i == MEMBERS - 1;
	char p50[64], p99[64];

	snprintf(p50, sizeof(p50), "alsa: latency p50, %s, %lu", subjects[i].direction, period);
	snprintf(p99, sizeof(p99), "alsa: latency p99, %s, %lu", subjects[i].direction, period);
	if (result->broken) {
		bench_drop(p50, subjects[i].name, round, "it ran dry or over");
		bench_drop(p99, subjects[i].name, round, "it ran dry or over");
		return;
	}
	bench_record(p50, subjects[i].name, round, result->p50_us, "us");
	/* What all is compared with is how long it usually takes. */
	bench_record(p99, subjects[i].name, round, is_limit ? result->p50_us : result->p99_us,
		     "us");
}

int main(void)
{
	static const struct {
		snd_pcm_uframes_t period;
		unsigned int n, n_quick;	/* samples */
	} plan[] = { { 64, 400, 200 }, { 256, 120, 60 }, { 1024, 80, 25 } };

	results = crew_memory(MEMBERS * sizeof(*results));
	for (unsigned int round = 0; round <= bench_rounds(); round++) {
		for (unsigned int p = 0; p < sizeof(plan) / sizeof(plan[0]); p++) {
			period = plan[p].period;
			n_samples = bench_is_quick() ? plan[p].n_quick : plan[p].n;
			if (round == 0)		/* to warm up */
				n_samples = 10;
			this_round = round;
			measure();
			for (unsigned int i = 0; i < MEMBERS && round > 0; i++)
				record(i, round);
		}
		if (round > 0)
			bench_say("latency: round %u of %u", round, bench_rounds());
	}
	return EXIT_SUCCESS;
}
