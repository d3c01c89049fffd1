/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Whom a stream wakes that does nothing, and a control device that nobody reads: how
 * often the threads of a process that has one, and sleeps, were switched away from in
 * ten seconds. All are waited for together; each state is one of playback and one of
 * capture.
 */
#include <time.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/child.h"
#include "tests/bench/speed/setup.h"
#include "tests/bench/speed/threads.h"

#define PERIOD 256
#define BUFFER (16 * PERIOD)
#define FULL_S 10
#define QUICK_S 3
#define SETTLE_NS 500000000

enum state { OPEN, PREPARED, PAUSED, CONTROL };

static const char *const rows[] = {
	[OPEN] = "alsa: wake-ups in 10 s, open",
	[PREPARED] = "alsa: wake-ups in 10 s, prepared",
	[PAUSED] = "alsa: wake-ups in 10 s, paused",
	[CONTROL] = "alsa: wake-ups in 10 s, control device",
};

struct idler {
	enum state state;
	const char *subject, *pcm;
	snd_pcm_stream_t stream;
};

static const struct idler idlers[] = {
	{ OPEN, "headroom", "through_card", SND_PCM_STREAM_PLAYBACK },
	{ OPEN, "headroom", "through_card", SND_PCM_STREAM_CAPTURE },
	{ OPEN, "bare", "card", SND_PCM_STREAM_PLAYBACK },
	{ OPEN, "bare", "card", SND_PCM_STREAM_CAPTURE },
	{ PREPARED, "headroom", "through_card", SND_PCM_STREAM_PLAYBACK },
	{ PREPARED, "headroom", "through_card", SND_PCM_STREAM_CAPTURE },
	{ PREPARED, "bare", "card", SND_PCM_STREAM_PLAYBACK },
	{ PREPARED, "bare", "card", SND_PCM_STREAM_CAPTURE },
	{ PAUSED, "headroom", "through_card", SND_PCM_STREAM_PLAYBACK },
	{ PAUSED, "headroom", "through_card", SND_PCM_STREAM_CAPTURE },
	{ PAUSED, "bare", "card", SND_PCM_STREAM_PLAYBACK },
	{ PAUSED, "bare", "card", SND_PCM_STREAM_CAPTURE },
	{ CONTROL, "headroom", "through_card", SND_PCM_STREAM_PLAYBACK },
};

#define N_IDLERS (sizeof(idlers) / sizeof(idlers[0]))

static void open_stream(const struct idler *idler)
{
	snd_pcm_t *pcm = speed_open(idler->pcm, idler->stream);

	if (idler->state == OPEN)
		return;
	speed_set_up(pcm, PERIOD, BUFFER, BUFFER);
	if (idler->state == PREPARED)
		return;
	if (idler->stream == SND_PCM_STREAM_PLAYBACK)
		speed_move(pcm, BUFFER);
	else
		bench_must(snd_pcm_start(pcm), "start");
	bench_must(snd_pcm_pause(pcm, 1), "pause");
}

/* As a mixer does that is open and not looked at: it wants to be told, and is not
 * listening. */
static void open_control(void)
{
	bench_must(snd_ctl_subscribe_events(speed_open_ctl("through_card"), 1), "subscribe");
}

static void run(const void *arg, int to, int from)
{
	const struct idler *idler = arg;
	const double ready = 1;

	if (idler->state == CONTROL)
		open_control();
	else
		open_stream(idler);
	child_say(to, &ready, 1);
	child_wait(from);
}

static void count_all(const struct child *children, double *switches, double sign)
{
	for (size_t i = 0; i < N_IDLERS; i++)
		switches[i] += sign * (double)threads_switches(children[i].pid);
}

static void record(const double *switches, double scale)
{
	for (size_t i = 0; i < N_IDLERS; i++) {
		double sum = switches[i];

		/* The second of a pair is the same in the other direction. */
		if (i + 1 < N_IDLERS && idlers[i + 1].stream == SND_PCM_STREAM_CAPTURE)
			sum += switches[++i];
		bench_record(rows[idlers[i].state], idlers[i].subject, 0, sum * scale, "count");
	}
}

int main(void)
{
	const struct timespec wait = { .tv_sec = bench_is_quick() ? QUICK_S : FULL_S };
	const struct timespec settle = { .tv_nsec = SETTLE_NS };
	double switches[N_IDLERS] = { 0 }, ready;
	struct child children[N_IDLERS];

	speed_begin();
	for (size_t i = 0; i < N_IDLERS; i++) {
		child_start(&children[i], run, &idlers[i]);
		child_hear(&children[i], &ready, 1);
	}
	bench_say("idle: %ld s", (long)wait.tv_sec);
	nanosleep(&settle, NULL);
	count_all(children, switches, -1);
	nanosleep(&wait, NULL);
	count_all(children, switches, 1);
	for (size_t i = 0; i < N_IDLERS; i++)
		child_end(&children[i]);
	record(switches, (double)FULL_S / (double)wait.tv_sec);
	return 0;
}
