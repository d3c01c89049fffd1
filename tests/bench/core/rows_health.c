/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The health monitor: what a chunk costs its one writer, alone and while somebody
 * reads, and what a reader waits for exact percentiles while the writer goes on.
 *
 * Writer and reader meet more often here than they ever do: a snapshot each
 * READ_EVERY_NS while the writer does nothing but write, a chunk each WRITE_EVERY_NS
 * while the reader does nothing but read.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/health.h"
#include "pair.h"
#include "row.h"
#include "rows.h"
#include "tests/bench/record.h"

#define WINDOW 1024u
#define FRAMES 256u
#define FRAMES_NS 5333333u		/* at 48 kHz */
#define READ_EVERY_NS 100000u
#define WRITE_EVERY_NS 10000u

/* What the one who measures does n times. */
typedef void work_fn(struct hr_health *health, uint64_t n);

struct watched {
	struct hr_health *health;
	uint64_t latencies[WINDOW];	/* ns, as good as random */
};

static struct watched watched;

struct job {
	work_fn *work;
	uint64_t n;
	uint64_t ns;			/* that it took */
	atomic_bool is_over;
};

/* Time is given: it is taken once for all that is done in a period. */
static void write_chunks(struct hr_health *health, uint64_t n)
{
	static uint64_t now_ns = 1;

	for (uint64_t i = 0; i < n; i++) {
		now_ns += FRAMES_NS;
		hr_health_chunk(health, FRAMES, watched.latencies[i % WINDOW], now_ns);
	}
}

static void take_time(struct hr_health *health, uint64_t n)
{
	(void)health;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t now_ns = bench_now_ns();

		__asm__ volatile("" : : "r"(now_ns));
	}
}

static void take_snapshots(struct hr_health *health, uint64_t n)
{
	struct hr_health_snapshot snapshot;

	for (uint64_t i = 0; i < n; i++)
		if (hr_health_get_snapshot(health, WINDOW, &snapshot, 1) < 0 ||
		    snapshot.latency.n_samples != WINDOW)
			bench_die("health: no snapshot of the whole window");
}

static void *open_health(const void *ops, uint32_t param)
{
	uint32_t random = 1;

	(void)ops;
	(void)param;
	if (hr_health_create(&watched.health, WINDOW) < 0)
		bench_die("health: no monitor");
	hr_health_open(watched.health, WINDOW, 1);
	for (uint32_t i = 0; i < WINDOW; i++) {
		random = random * 1664525u + 1013904223u;
		watched.latencies[i] = 5000000u + random / 4096;
	}
	write_chunks(watched.health, WINDOW);
	return watched.health;
}

static void close_health(const void *ops, void *health)
{
	(void)ops;
	hr_health_destroy(health);
}

static void run_here(void *arg)
{
	struct job *job = arg;
	uint64_t begin_ns = bench_now_ns();

	job->work(watched.health, job->n);
	job->ns = bench_now_ns() - begin_ns;
	atomic_store(&job->is_over, true);
}

/* Do something at intervals until the job is over. */
static void meanwhile(struct job *job, work_fn *work, uint64_t every_ns)
{
	uint64_t next_ns = bench_now_ns();

	while (!atomic_load(&job->is_over)) {
		if (bench_now_ns() < next_ns)
			continue;
		work(watched.health, 1);
		next_ns += every_ns;
	}
}

static void read_meanwhile(void *job)
{
	meanwhile(job, take_snapshots, READ_EVERY_NS);
}

static void write_meanwhile(void *job)
{
	meanwhile(job, write_chunks, WRITE_EVERY_NS);
}

static uint64_t run_beside(const void *ops, uint64_t n, void (*there)(void *))
{
	struct job job = { .work = *(work_fn *const *)ops, .n = n };

	pair_run((struct pair_half) { run_here, &job }, (struct pair_half) { there, &job });
	return job.ns;
}

static uint64_t run_alone(const void *ops, void *health, uint64_t n)
{
	struct job job = { .work = *(work_fn *const *)ops, .n = n };

	(void)health;
	run_here(&job);
	return job.ns;
}

static uint64_t run_while_read(const void *ops, void *health, uint64_t n)
{
	(void)health;
	return run_beside(ops, n, read_meanwhile);
}

static uint64_t run_while_written(const void *ops, void *health, uint64_t n)
{
	(void)health;
	return run_beside(ops, n, write_meanwhile);
}

void rows_health(void)
{
	static work_fn *const chunks = write_chunks, *const time = take_time,
		       *const snapshots = take_snapshots;
	static const struct row_subject writers[] = {
		{ "headroom", &chunks },
		{ "limit: clock_gettime", &time },
	};
	static const struct row_subject reader = { "headroom", &snapshots };
	struct row row = { .unit = "ns", .open = open_health, .close = close_health };

	row.name = "health chunk+latency sample";
	row.run = run_alone;
	row_measure(&row, writers, 2);

	row.needs_two = true;
	row.name = "health chunk+latency sample, while read";
	row.run = run_while_read;
	row_measure(&row, writers, 2);

	row.name = "health percentiles of 1024 samples";
	row.unit = "us";
	row.run = run_while_written;
	row_measure(&row, &reader, 1);
}
