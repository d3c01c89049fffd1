/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "pair.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bounds.h"
#include "tests/bench/record.h"

#define PROBE_TRIPS 200u
#define PROBES 9
#define AWAKE_NS 50000u			/* so long the partner waits before it sleeps */

static struct {
	sem_t wanted;
	struct pair_half half;
	_Alignas(64) atomic_bool is_there;
	_Alignas(64) atomic_bool go;
	_Alignas(64) atomic_bool is_done;
	uint64_t done_ns;
} partner;

/* Not asleep at once: many runs follow each other closely. */
static void wait_until_wanted(void)
{
	uint64_t begin_ns = bench_now_ns();

	while (bench_now_ns() - begin_ns < AWAKE_NS)
		if (sem_trywait(&partner.wanted) == 0)
			return;
	while (sem_wait(&partner.wanted) < 0)
		;
}

static void *partner_run(void *arg)
{
	(void)arg;
	bench_pin(1);
	for (;;) {
		wait_until_wanted();
		atomic_store(&partner.is_there, true);
		while (!atomic_load(&partner.go))
			;
		partner.half.run(partner.half.arg);
		partner.done_ns = bench_now_ns();
		atomic_store(&partner.is_done, true);
	}
	return NULL;
}

void pair_start(void)
{
	pthread_t thread;

	bench_pin(0);
	sem_init(&partner.wanted, 0, 0);
	if (pthread_create(&thread, NULL, partner_run, NULL) != 0)
		bench_die("no second thread");
}

uint64_t pair_run(struct pair_half here, struct pair_half there)
{
	uint64_t begin_ns, end_ns;

	partner.half = there;
	sem_post(&partner.wanted);
	while (!atomic_load(&partner.is_there))
		;
	begin_ns = bench_now_ns();
	atomic_store(&partner.go, true);
	here.run(here.arg);
	end_ns = bench_now_ns();
	while (!atomic_load(&partner.is_done))
		;
	atomic_store(&partner.is_there, false);
	atomic_store(&partner.go, false);
	atomic_store(&partner.is_done, false);
	return (end_ns > partner.done_ns ? end_ns : partner.done_ns) - begin_ns;
}

static void probe_here(void *lines)
{
	limit_two_lines.ping(lines, lines, PROBE_TRIPS);
}

static void probe_there(void *lines)
{
	limit_two_lines.pong(lines, lines, PROBE_TRIPS);
}

double pair_probe(void)
{
	static void *lines;
	uint64_t least_ns = UINT64_MAX;

	if (!lines)
		lines = limit_two_lines.create();
	for (int i = 0; i < PROBES; i++) {
		uint64_t ns = pair_run((struct pair_half) { probe_here, lines },
				       (struct pair_half) { probe_there, lines });

		if (ns < least_ns)
			least_ns = ns;
	}
	return (double)least_ns / PROBE_TRIPS;
}
