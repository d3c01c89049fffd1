/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Many streams at once, playing in real time on paced devices: what one of 8, of 64, or
 * of 64 that have a process each, costs in processor and memory, beside one alone and
 * beside as many on the bare device. All processes that play are counted, the programs'
 * own threads with them. Memory is what the processes' own pages have grown by, and the
 * counters'; a process loads the modules for its first stream.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/bench/record.h"
#include "tests/bench/speed/child.h"
#include "tests/bench/speed/memory.h"
#include "tests/bench/speed/setup.h"

#define PERIOD 1024
#define BUFFER (4 * PERIOD)
#define STREAMS_MAX 64
#define ROW_BYTES 96

struct crowd {
	const char *how;		/* NULL: the one that the others are beside */
	unsigned processes, streams;	/* in each process */
};

static const struct crowd crowds[] = {
	{ NULL, 1, 1 },
	{ "8 streams", 1, 8 },
	{ "64 streams", 1, 64 },
	{ "64 processes", 64, 1 },
};

struct crew {
	const char *pcm;
	unsigned streams;
};

static _Atomic bool over;
static _Atomic unsigned xruns;
static pthread_barrier_t *all_play;	/* the streams of all processes, and who counts */

static void *play(void *arg)
{
	static const char silence[PERIOD * SPEED_FRAME_BYTES];
	snd_pcm_t *pcm = arg;
	snd_pcm_sframes_t done;

	pthread_barrier_wait(all_play);
	while (!over) {
		done = snd_pcm_writei(pcm, silence, PERIOD);
		if (done == -EPIPE) {
			xruns++;
			done = snd_pcm_prepare(pcm);
		}
		bench_must(done, "writei");
	}
	return NULL;
}

/* What the process has used of the processor, in ns. */
static double spent_ns(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (double)spent.tv_sec * 1e9 + (double)spent.tv_nsec;
}

static void start_streams(const struct crew *crew, snd_pcm_t **pcms, pthread_t *threads)
{
	for (unsigned i = 0; i < crew->streams; i++) {
		pcms[i] = speed_open(crew->pcm, SND_PCM_STREAM_PLAYBACK);
		speed_set_up(pcms[i], PERIOD, BUFFER, BUFFER);
		if (pthread_create(&threads[i], NULL, play, pcms[i]) != 0)
			bench_die("cannot make a thread");
	}
	pthread_barrier_wait(all_play);
}

/* Says how much processor it takes, in what time, and how much memory. */
static void run(const void *arg, int to, int from)
{
	const struct timespec settle = { .tv_nsec = 200000000 };
	const struct timespec sample = { .tv_nsec = bench_is_quick() ? 400000000 : 900000000 };
	const struct crew *crew = arg;
	pthread_t threads[STREAMS_MAX];
	snd_pcm_t *pcms[STREAMS_MAX];
	double said[4], begin_ns;

	said[2] = memory_kib();
	start_streams(crew, pcms, threads);
	nanosleep(&settle, NULL);
	begin_ns = (double)bench_now_ns();
	said[0] = spent_ns();
	nanosleep(&sample, NULL);
	said[0] = spent_ns() - said[0];
	said[1] = (double)bench_now_ns() - begin_ns;
	said[2] = memory_kib() - said[2];
	said[3] = (double)xruns;
	child_say(to, said, 4);
	child_wait(from);
	over = true;
	for (unsigned i = 0; i < crew->streams; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < crew->streams; i++)
		snd_pcm_close(pcms[i]);
}

static void make_barrier(unsigned n)
{
	pthread_barrierattr_t shared;

	all_play = mmap(NULL, sizeof(*all_play), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all_play == MAP_FAILED)
		bench_die("no memory");
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(all_play, &shared, n);
}

struct cost {
	double cpu;	/* s per hour of sound, of one stream */
	double kib;	/* of one stream */
	double xruns;
};

static struct cost measure(const struct crowd *crowd, const char *pcm)
{
	const struct crew crew = { pcm, crowd->streams };
	const unsigned n = crowd->processes * crowd->streams;
	struct child children[STREAMS_MAX];
	struct cost cost = { 0, 0, 0 };
	double said[4];

	make_barrier(n + crowd->processes);
	for (unsigned i = 0; i < crowd->processes; i++)
		child_start(&children[i], run, &crew);
	for (unsigned i = 0; i < crowd->processes; i++) {
		child_hear(&children[i], said, 4);
		cost.cpu += said[0] / said[1] * 3600 / n;
		cost.kib += said[2] / n;
		cost.xruns += said[3];
	}
	cost.kib += (double)speed_counter_bytes() / 1024 / n;
	for (unsigned i = 0; i < crowd->processes; i++)
		child_end(&children[i]);
	munmap(all_play, sizeof(*all_play));
	speed_forget_counters();
	return cost;
}

static void record(const char *how, const char *subject, unsigned round,
		   const struct cost *cost)
{
	char row[ROW_BYTES];

	snprintf(row, sizeof(row), "alsa: CPU per stream, %s", how);
	/* While it does not play it costs nothing. */
	if (cost->xruns > 0)
		bench_drop(row, subject, round - 1, "a stream ran dry");
	else
		bench_record(row, subject, round - 1, cost->cpu, "s/h");
	snprintf(row, sizeof(row), "alsa: memory per stream, %s", how);
	bench_record(row, subject, round - 1, cost->kib, "KiB");
}

static void measure_all(unsigned round)
{
	struct cost alone = { 0, 0, 0 };

	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct cost ours = measure(&crowds[i], "through_card");
		struct cost bare = measure(&crowds[i], "card");

		if (!crowds[i].how) {
			alone = ours;
			record("alone", "headroom", round, &ours);
			record("alone", "bare", round, &bare);
			continue;
		}
		record(crowds[i].how, "headroom", round, &ours);
		record(crowds[i].how, "bare", round, &bare);
		record(crowds[i].how, "one stream", round, &alone);
	}
}

int main(void)
{
	/* They take seconds, and are means over many periods already. */
	unsigned rounds = bench_is_quick() ? 1 : 4;

	speed_begin();
	for (unsigned round = 1; round <= rounds; round++) {
		bench_say("many streams: round %u of %u", round, rounds);
		measure_all(round);
	}
	return 0;
}
