/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <string.h>

#include "pair.h"
#include "row.h"
#include "rows.h"
#include "subject.h"
#include "tests/bench/record.h"

#define STEADY_NS 1e6		/* until what begins with an empty ring hardly counts */

struct rings {
	void *there, *back;
};

struct job {
	const struct ring_ops *ops;
	const struct rings *rings;
	uint64_t n;
	uint64_t sum;
};

/* What the sum of n items must be. */
static uint64_t sum_of(uint64_t n)
{
	uint64_t whole = N_ITEMS * (N_ITEMS - 1) / 2;
	uint64_t rest = n % N_ITEMS;

	return (n / N_ITEMS * whole + (rest ? rest * (rest - 1) / 2 : 0)) *
	       sizeof(struct bench_item);
}

static void check_sum(uint64_t sum, uint64_t n)
{
	if (sum != sum_of(n))
		bench_die("a ring lost or doubled what it was given");
}

static void *open_rings(const void *data, uint32_t param)
{
	static struct rings rings;
	const struct ring_ops *ops = data;

	(void)param;
	rings = (struct rings) { ops->create(), ops->create() };
	return &rings;
}

static void close_rings(const void *data, void *object)
{
	const struct ring_ops *ops = data;
	struct rings *rings = object;

	ops->destroy(rings->there);
	ops->destroy(rings->back);
}

static uint64_t run_one_thread(const void *data, void *object, uint64_t n)
{
	const struct ring_ops *ops = data;
	struct rings *rings = object;
	uint64_t begin_ns = bench_now_ns();
	uint64_t sum = ops->one_thread(rings->there, n);
	uint64_t ns = bench_now_ns() - begin_ns;

	check_sum(sum, n);
	return ns;
}

static void produce(void *arg)
{
	struct job *job = arg;

	job->ops->produce(job->rings->there, job->n);
}

static void consume(void *arg)
{
	struct job *job = arg;

	job->sum = job->ops->consume(job->rings->there, job->n);
}

static uint64_t run_two_threads(const void *ops, void *object, uint64_t n)
{
	struct job here = { ops, object, n, 0 }, there = here;
	uint64_t ns = pair_run((struct pair_half) { produce, &here },
			       (struct pair_half) { consume, &there });

	check_sum(there.sum, n);
	return ns;
}

static void ping(void *arg)
{
	struct job *job = arg;

	job->ops->ping(job->rings->there, job->rings->back, job->n);
}

static void pong(void *arg)
{
	struct job *job = arg;

	job->ops->pong(job->rings->there, job->rings->back, job->n);
}

static uint64_t run_round_trip(const void *ops, void *object, uint64_t n)
{
	struct job job = { ops, object, n, 0 };

	return pair_run((struct pair_half) { ping, &job }, (struct pair_half) { pong, &job });
}

static void measure(const struct row *row)
{
	struct row_subject chosen[ROW_SUBJECTS_MAX] = { { 0 } };
	unsigned int n = 0;

	/* The limits do round trips only. */
	for (size_t i = 0; subjects[i]; i++)
		if (subjects[i]->ring &&
		    (row->run == run_round_trip || subjects[i]->ring->one_thread))
			chosen[n++] = (struct row_subject) { subjects[i]->name,
							     subjects[i]->ring };
	row_measure(row, chosen, n);
}

void rows_ring(void)
{
	struct row row = { .open = open_rings, .close = close_rings };

	row.name = "ring push+pop, one thread";
	row.unit = "ns";
	row.run = run_one_thread;
	measure(&row);

	row.needs_two = true;
	row.name = "ring throughput, two threads";
	row.unit = "1/s";
	row.run = run_two_threads;
	row.run_ns = STEADY_NS;
	measure(&row);

	row.run_ns = 0;
	row.name = "ring round trip, two threads";
	row.unit = "ns";
	row.run = run_round_trip;
	measure(&row);
}
