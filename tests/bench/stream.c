/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Plays silence to a PCM, or records from it, in real time as a plain program does, and
 * tells what that cost: its own threads and those of the servers it plays to.
 *
 * usage: bench_stream SUBJECT PCM playback|capture PERIOD MS ROUND
 *
 * BENCH_DAEMONS: process ids of the servers, with spaces in between.
 *
 * What is measured begins and ends just after a period was moved, so that it holds whole
 * periods of all threads. It is enclosed in two marks, writes to no descriptor, for who
 * counts the system calls: "begin" and "end N", of so many periods.
 */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <alsa/asoundlib.h>

#include "tests/bench/hardware.h"
#include "tests/bench/record.h"

#define BUFFER_PERIODS 4u
/* Until the servers have found their rhythm, and what holds two buffers is full. */
#define SETTLE_PERIODS_MIN 10u
#define SETTLE_MS 50u

struct cost {
	uint64_t cpu_ns;
	uint64_t switches;		/* voluntary */
};

struct stream {
	snd_pcm_t *pcm;
	bool playback;
	snd_pcm_uframes_t period;
	int16_t *frames;
	unsigned int n_xruns;
};

/* --- what it costs --- */

static FILE *open_of_thread(const char *pid, const char *thread, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/%s", pid, thread, what);
	return fopen(path, "r");
}

/* Threads come and go: one that is gone costs no more. */
static void add_thread(struct cost *cost, const char *pid, const char *thread)
{
	FILE *file = open_of_thread(pid, thread, "schedstat");
	uint64_t value;
	char line[128];

	if (file) {
		if (fscanf(file, "%" SCNu64, &value) == 1)
			cost->cpu_ns += value;
		fclose(file);
	}
	file = open_of_thread(pid, thread, "status");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &value) == 1)
			cost->switches += value;
	if (file)
		fclose(file);
}

static void add_process(struct cost *cost, const char *pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	dir = opendir(path);
	if (!dir)
		bench_die("the server with process id %s is gone", pid);
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			add_thread(cost, pid, entry->d_name);
	closedir(dir);
}

static struct cost of_daemons(void)
{
	struct cost cost = { 0, 0 };
	const char *pids = getenv("BENCH_DAEMONS");
	char *copy = strdup(pids ? pids : ""), *rest = copy, *pid;

	while ((pid = strsep(&rest, " ")))
		if (*pid)
			add_process(&cost, pid);
	free(copy);
	return cost;
}

/* All threads, those that have ended included. */
static struct cost of_this_process(void)
{
	struct timespec cpu;
	struct rusage usage;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	getrusage(RUSAGE_SELF, &usage);
	return (struct cost){ (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec,
			      (uint64_t)usage.ru_nvcsw };
}

/* --- the program --- */

static void open_stream(struct stream *stream, const char *name)
{
	snd_pcm_uframes_t buffer = BUFFER_PERIODS * stream->period, period = stream->period;
	snd_pcm_hw_params_t *hw;

	bench_must(snd_pcm_open(&stream->pcm, name, stream->playback ? SND_PCM_STREAM_PLAYBACK :
			  SND_PCM_STREAM_CAPTURE, 0), name);
	snd_pcm_hw_params_alloca(&hw);
	bench_set_format(stream->pcm, hw);
	bench_must(snd_pcm_hw_params_set_period_size_near(stream->pcm, hw, &period, NULL), "period");
	bench_must(snd_pcm_hw_params_set_buffer_size_near(stream->pcm, hw, &buffer), "buffer");
	bench_must(snd_pcm_hw_params(stream->pcm, hw), "hw_params");
	if (period != stream->period || buffer != BUFFER_PERIODS * stream->period)
		bench_die("%s: a period of %lu in a buffer of %lu frames was asked for, "
			  "%lu in %lu was got", name, stream->period,
			  BUFFER_PERIODS * stream->period, period, buffer);
	stream->frames = calloc(stream->period, BENCH_CHANNELS * sizeof(int16_t));
	if (!stream->frames)
		bench_die("out of memory");
}

static void move_periods(struct stream *stream, unsigned int n)
{
	while (n) {
		snd_pcm_sframes_t done = stream->playback ?
			snd_pcm_writei(stream->pcm, stream->frames, stream->period) :
			snd_pcm_readi(stream->pcm, stream->frames, stream->period);

		if (done < 0) {
			stream->n_xruns++;
			bench_must(snd_pcm_recover(stream->pcm, (int)done, 1), "recover");
		} else {
			n--;
		}
	}
}

static unsigned int periods_in(const struct stream *stream, unsigned int ms)
{
	return (unsigned int)(ms * (BENCH_RATE / 1000) / stream->period);
}

/* A number of periods by a system call that fails, as cheaply as any. */
static void mark(const char *what, unsigned int n)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%s %u", what, n);

	if (write(-1, text, (size_t)length) < 0) {
		/* As it is meant to. */
	}
}

static void record(const char *what, const char *subject, const struct stream *stream,
		   unsigned int round, double value, const char *unit)
{
	char row[64];

	snprintf(row, sizeof(row), "alsa: %s, %s, %lu", what,
		 stream->playback ? "playback" : "capture", stream->period);
	if (stream->n_xruns)
		bench_drop(row, subject, round, "an xrun");
	else
		bench_record(row, subject, round, value, unit);
}

int main(int argc, char **argv)
{
	struct cost before, after, servers_before, servers_after;
	struct stream stream = { .period = 0 };
	unsigned int n, settle, round;
	double hours;

	if (argc != 7)
		bench_die("usage: %s SUBJECT PCM playback|capture PERIOD MS ROUND", argv[0]);
	stream.playback = strcmp(argv[3], "playback") == 0;
	stream.period = (snd_pcm_uframes_t)atol(argv[4]);
	round = (unsigned int)atoi(argv[6]);
	open_stream(&stream, argv[2]);
	n = periods_in(&stream, (unsigned int)atoi(argv[5]));
	settle = periods_in(&stream, SETTLE_MS);
	move_periods(&stream, settle > SETTLE_PERIODS_MIN ? settle : SETTLE_PERIODS_MIN);
	stream.n_xruns = 0;
	servers_before = of_daemons();
	move_periods(&stream, 1);
	before = of_this_process();
	mark("begin", n);
	move_periods(&stream, n);
	mark("end", n);
	after = of_this_process();
	servers_after = of_daemons();
	hours = (double)n * (double)stream.period / BENCH_RATE / 3600;
	record("CPU", argv[1], &stream, round, (double)(after.cpu_ns - before.cpu_ns +
	       servers_after.cpu_ns - servers_before.cpu_ns) / 1e9 / hours, "s/h");
	record("switches", argv[1], &stream, round,
	       (double)(after.switches - before.switches) / n, "count");
	snd_pcm_drop(stream.pcm);
	snd_pcm_close(stream.pcm);
	free(stream.frames);
	return 0;
}
