/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdlib.h>
#include <string.h>

#include "handover.h"
#include "pair.h"
#include "row.h"
#include "rows.h"
#include "subject.h"
#include "tests/bench/record.h"

struct job {
	const struct pool_ops *ops;
	void *pool;
	uint64_t n;
};

static struct handover handover;

static void *open_pool(const void *data, uint32_t n_threads)
{
	const struct pool_ops *ops = data;

	return ops->create(n_threads);
}

static void close_pool(const void *data, void *pool)
{
	const struct pool_ops *ops = data;

	ops->destroy(pool);
}

static uint64_t run_one_thread(const void *data, void *pool, uint64_t n)
{
	const struct pool_ops *ops = data;
	uint64_t begin_ns = bench_now_ns();

	ops->one_thread(pool, n);
	return bench_now_ns() - begin_ns;
}

static void acquire(void *arg)
{
	struct job *job = arg;

	job->ops->acquire(job->pool, &handover, job->n);
}

static void release(void *arg)
{
	struct job *job = arg;

	job->ops->release(job->pool, &handover, job->n);
}

static uint64_t run_two_threads(const void *ops, void *pool, uint64_t n)
{
	struct job job = { ops, pool, n };

	memset(&handover, 0, sizeof(handover));
	return pair_run((struct pair_half) { acquire, &job },
			(struct pair_half) { release, &job });
}

static void measure(const struct row *row)
{
	struct row_subject chosen[ROW_SUBJECTS_MAX] = { { 0 } };
	unsigned int n = 0;

	for (size_t i = 0; subjects[i]; i++)
		if (subjects[i]->pool)
			chosen[n++] = (struct row_subject) { subjects[i]->name,
							     subjects[i]->pool };
	row_measure(row, chosen, n);
}

void rows_pool(void)
{
	struct row row = { .open = open_pool, .close = close_pool };

	row.name = "pool acquire+release, one thread";
	row.unit = "ns";
	row.param = 1;
	row.run = run_one_thread;
	measure(&row);

	row.name = "pool across two threads";
	row.unit = "1/s";
	row.needs_two = true;
	row.param = 2;
	row.multiple = HANDOVER_BATCH;
	row.run = run_two_threads;
	measure(&row);
}
