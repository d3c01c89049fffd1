/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What it takes to wake a thread that waits for an eventfd: from the write to when its
 * read has returned, on another processor. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pair.h"
#include "row.h"
#include "rows.h"
#include "sort.h"
#include "tests/bench/record.h"

#define ASLEEP_NS 50000u		/* by then it is */

struct job {
	int fd;
	uint64_t n;
	uint64_t *waited_ns;
	_Atomic uint64_t written_ns;
	_Atomic uint64_t n_woken;
};

static void write_all(void *arg)
{
	struct job *job = arg;
	uint64_t one = 1;

	for (uint64_t i = 0; i < job->n; i++) {
		uint64_t begin_ns;

		while (atomic_load(&job->n_woken) < i)
			;
		begin_ns = bench_now_ns();
		while (bench_now_ns() - begin_ns < ASLEEP_NS)
			;
		atomic_store(&job->written_ns, bench_now_ns());
		if (write(job->fd, &one, sizeof(one)) != sizeof(one))
			bench_die("eventfd: write");
	}
}

static void read_all(void *arg)
{
	struct job *job = arg;
	uint64_t count;

	for (uint64_t i = 0; i < job->n; i++) {
		if (read(job->fd, &count, sizeof(count)) != sizeof(count))
			bench_die("eventfd: read");
		job->waited_ns[i] = bench_now_ns() - atomic_load(&job->written_ns);
		atomic_store(&job->n_woken, i + 1);
	}
}

static void *open_eventfd(const void *ops, uint32_t param)
{
	static int fd;

	(void)ops;
	(void)param;
	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		bench_die("no eventfd");
	return &fd;
}

static void close_eventfd(const void *ops, void *object)
{
	int *fd = object;

	(void)ops;
	close(*fd);
}

/* n times the median, for who divides by n. */
static uint64_t run(const void *ops, void *object, uint64_t n)
{
	int *fd = object;
	struct job job = { .fd = *fd, .n = n, .waited_ns = calloc(n, sizeof(uint64_t)) };
	uint64_t median_ns;

	(void)ops;
	pair_run((struct pair_half) { write_all, &job }, (struct pair_half) { read_all, &job });
	sort_u64(job.waited_ns, n);
	median_ns = job.waited_ns[n / 2];
	free(job.waited_ns);
	return median_ns * n;
}

void rows_wake_up(void)
{
	static const struct row row = {
		.name = "eventfd wake-up", .unit = "us",
		.open = open_eventfd, .run = run, .close = close_eventfd,
	};
	static const struct row_subject subject = { "limit: eventfd", NULL };

	row_measure(&row, &subject, 1);
}
