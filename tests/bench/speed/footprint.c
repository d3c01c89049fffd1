/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What one more stream takes of memory, in a process that has one already: its own
 * pages and those of its counters in shared memory. The device is `null`, which has none
 * to speak of, so all of it is headroom's. The streams have been used: playback was
 * written into, capture has been let run until its ring was full.
 *
 * The limit is what the ring is to hold: the program's buffer, and for capture what
 * depth_ms adds to it.
 */
#include <stdio.h>
#include <time.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/child.h"
#include "tests/bench/speed/memory.h"
#include "tests/bench/speed/setup.h"

#define PERIOD 256
#define BUFFER (16 * PERIOD)
#define N_STREAMS 8
#define ROW_BYTES 96

struct subject {
	const char *name, *pcm;
	snd_pcm_stream_t stream;
};

static const struct subject subjects[] = {
	{ "headroom", "through_null", SND_PCM_STREAM_PLAYBACK },
	{ "bare", "null", SND_PCM_STREAM_PLAYBACK },
	{ "headroom", "through_null", SND_PCM_STREAM_CAPTURE },
	{ "bare", "null", SND_PCM_STREAM_CAPTURE },
};

static void use(snd_pcm_t *pcm)
{
	const struct timespec while_it_fills = { .tv_nsec = 10000000 };

	if (snd_pcm_stream(pcm) == SND_PCM_STREAM_CAPTURE)
		bench_must(snd_pcm_start(pcm), "start");
	for (int i = 0; i < 2 * BUFFER / PERIOD; i++)
		speed_move(pcm, PERIOD);
	nanosleep(&while_it_fills, NULL);
}

static void open_one(const struct subject *subject)
{
	snd_pcm_t *pcm = speed_open(subject->pcm, subject->stream);

	speed_set_up(pcm, PERIOD, BUFFER, 1);
	use(pcm);
}

static double kib_now(void)
{
	return memory_kib() + (double)speed_counter_bytes() / 1024;
}

static void run(const void *arg, int to, int from)
{
	double kib;

	(void)from;
	open_one(arg);
	kib = kib_now();
	for (int i = 0; i < N_STREAMS; i++)
		open_one(arg);
	kib = (kib_now() - kib) / N_STREAMS;
	child_say(to, &kib, 1);
}

static void measure(const struct subject *subject, unsigned round)
{
	struct child child;
	char row[ROW_BYTES];
	double kib;

	child_start(&child, run, subject);
	child_hear(&child, &kib, 1);
	child_end(&child);
	/* What earlier ones have left is not to be taken for its own. */
	speed_forget_counters();
	if (!round)
		return;
	snprintf(row, sizeof(row), "alsa: memory per stream, %s",
		 speed_direction(subject->stream));
	bench_record(row, subject->name, round - 1, kib, "KiB");
}

static void record_limit(snd_pcm_stream_t stream, unsigned round)
{
	unsigned frames = BUFFER + (stream == SND_PCM_STREAM_CAPTURE ? SPEED_DEPTH_FRAMES : 0);
	char row[ROW_BYTES];

	snprintf(row, sizeof(row), "alsa: memory per stream, %s", speed_direction(stream));
	bench_record(row, "limit: payload", round - 1,
		     (double)frames * SPEED_FRAME_BYTES / 1024, "KiB");
}

int main(void)
{
	unsigned rounds = bench_rounds();

	speed_begin();
	for (unsigned round = 0; round <= rounds; round++) {
		for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
			measure(&subjects[i], round);
		if (round) {
			record_limit(SND_PCM_STREAM_PLAYBACK, round);
			record_limit(SND_PCM_STREAM_CAPTURE, round);
		}
	}
	return 0;
}
