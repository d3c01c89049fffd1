/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How long a stream takes to come and to go, beside the bare paced device: from
 * snd_pcm_open() to started, in a process that has not opened one before (so the modules
 * are loaded), and again in the same; and snd_pcm_close() of a stream that runs.
 */
#include <stdio.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/child.h"
#include "tests/bench/speed/setup.h"

#define PERIOD 256
#define BUFFER (4 * PERIOD)
#define ROW_BYTES 96

struct subject {
	const char *name, *pcm;
	snd_pcm_stream_t stream;
};

static const struct subject subjects[] = {
	{ "headroom", "through_card", SND_PCM_STREAM_PLAYBACK },
	{ "bare", "card", SND_PCM_STREAM_PLAYBACK },
	{ "headroom", "through_card", SND_PCM_STREAM_CAPTURE },
	{ "bare", "card", SND_PCM_STREAM_CAPTURE },
};

static double us_since(uint64_t *begin_ns)
{
	uint64_t was = *begin_ns;

	*begin_ns = bench_now_ns();
	return (double)(*begin_ns - was) / 1000;
}

/* The first frames of a playback start it, as in most programs. */
static void open_and_close(const struct subject *subject, double *open_us, double *close_us)
{
	uint64_t begin_ns = bench_now_ns();
	snd_pcm_t *pcm = speed_open(subject->pcm, subject->stream);

	speed_set_up(pcm, PERIOD, BUFFER, 1);
	if (subject->stream == SND_PCM_STREAM_PLAYBACK)
		speed_move(pcm, BUFFER);
	else
		bench_must(snd_pcm_start(pcm), "start");
	*open_us = us_since(&begin_ns);
	bench_must(snd_pcm_close(pcm), "close");
	*close_us = us_since(&begin_ns);
}

static void run(const void *arg, int to, int from)
{
	double us[3], first_close_us;

	(void)from;
	open_and_close(arg, &us[0], &first_close_us);
	open_and_close(arg, &us[1], &us[2]);
	child_say(to, us, 3);
}

static void measure(const struct subject *subject, unsigned round)
{
	static const char *const rows[] = { "alsa: open+hw_params+start",
					    "alsa: open+hw_params+start, again",
					    "alsa: close" };
	struct child child;
	char row[ROW_BYTES];
	double us[3];

	child_start(&child, run, subject);
	child_hear(&child, us, 3);
	child_end(&child);
	for (int i = 0; i < 3 && round; i++) {
		snprintf(row, sizeof(row), "%s, %s", rows[i], speed_direction(subject->stream));
		bench_record(row, subject->name, round - 1, us[i], "us");
	}
}

int main(void)
{
	unsigned rounds = bench_rounds();

	speed_begin();
	for (unsigned round = 0; round <= rounds; round++)
		for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
			measure(&subjects[i], round);
	return 0;
}
