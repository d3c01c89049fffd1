/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How long a push takes while the consumer is off its processor in the middle of
 * whatever it does. The consumer takes what comes, and looks all the time; on its
 * processor runs one of higher priority, which takes it away for AWAY_NS again and
 * again. A push that finds no room is refused and has taken its time like any other.
 *
 * A hypervisor may take the producer's processor away as well, a thousand times a
 * second: the shorter what is timed, the fewer pushes that hits. Hence the processor's
 * own counter, and a limit beside it: nothing pushed.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "row.h"
#include "rows.h"
#include "sort.h"
#include "subject.h"
#include "tests/bench/record.h"

#define NAME "push while the consumer is preempted"
#define PUSHES 50000u			/* the 10000th part of them are five */
#define PUSHES_QUICK 20000u
#define PUSH_EVERY_NS 5000u
#define AWAY_NS 8000000u
#define BACK_NS 1000000u
#define NICE 10				/* the consumer's, where nobody may be real-time */

static struct {
	const struct ring_ops *ops;
	void *ring;
	atomic_bool is_over;
} now;

static uint64_t ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return bench_now_ns();
#endif
}

static double ticks_of_us(void)
{
	uint64_t begin_ns = bench_now_ns(), begin = ticks(), now_ns;

	do {
		now_ns = bench_now_ns();
	} while (now_ns - begin_ns < 10000000u);
	return (double)(ticks() - begin) * 1000 / (double)(now_ns - begin_ns);
}

static void *consume(void *arg)
{
	(void)arg;
	bench_pin(1);
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while (!atomic_load_explicit(&now.is_over, memory_order_relaxed))
		now.ops->pop_one(now.ring);
	return NULL;
}

/* Takes the processor from the consumer. */
static void *take_away(void *arg)
{
	struct sched_param priority = { .sched_priority = 1 };
	const struct timespec back = { .tv_nsec = BACK_NS };

	(void)arg;
	bench_pin(1);
	/* Without the right to it the consumer's niceness must do. */
	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
	while (!atomic_load(&now.is_over)) {
		uint64_t begin_ns = bench_now_ns();

		while (bench_now_ns() - begin_ns < AWAY_NS && !atomic_load(&now.is_over))
			;
		nanosleep(&back, NULL);
	}
	return NULL;
}

static void push_all(uint64_t *took, uint32_t n)
{
	uint64_t next_ns = bench_now_ns();

	for (uint32_t i = 0; i < n; i++) {
		void *item = bench_item(i);
		uint64_t now_ns, begin;

		do {
			now_ns = bench_now_ns();
		} while (now_ns < next_ns);
		begin = ticks();
		now.ops->push_one(now.ring, item);
		took[i] = ticks() - begin;
		next_ns = now_ns + PUSH_EVERY_NS;
	}
}

static int push_nothing(void *ring, void *item)
{
	(void)ring;
	(void)item;
	return 1;
}

static void *pop_nothing(void *ring)
{
	return ring;
}

static void *create_nothing(void)
{
	return NULL;
}

static void destroy_nothing(void *ring)
{
	(void)ring;
}

static const struct ring_ops nothing = {
	.create = create_nothing, .destroy = destroy_nothing,
	.push_one = push_nothing, .pop_one = pop_nothing,
};

/* Fills took with the ticks of n pushes. */
static void push_to_preempted(const struct ring_ops *ops, uint64_t *took, uint32_t n)
{
	pthread_t consumer, taker;

	now.ops = ops;
	now.ring = ops->create();
	atomic_store(&now.is_over, false);
	if (pthread_create(&consumer, NULL, consume, NULL) != 0 ||
	    pthread_create(&taker, NULL, take_away, NULL) != 0)
		bench_die("no more threads");
	push_all(took, n);
	atomic_store(&now.is_over, true);
	pthread_join(taker, NULL);
	pthread_join(consumer, NULL);
	ops->destroy(now.ring);
}

static void measure(const char *name, const struct ring_ops *ops, unsigned int round,
		    double us_ticks)
{
	static uint64_t took[PUSHES];
	uint32_t n = bench_is_quick() ? PUSHES_QUICK : PUSHES;

	push_to_preempted(ops, took, n);
	/* The first round warms up. */
	if (round == 0)
		return;
	sort_u64(took, n);
	/* By nearest rank. */
	bench_record("core: " NAME ", p99.99", name, round,
		     (double)took[n - n / 10000 - 1] / us_ticks, "us");
	bench_record("core: " NAME ", max", name, round, (double)took[n - 1] / us_ticks, "us");
}

/* One of each kind. */
static bool is_chosen(const char *name)
{
	static const char *const chosen[] = {
		"headroom", "boost", "ck", "moodycamel", "rte", "ArrayQueue", "mutex",
	};

	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++)
		if (strcmp(name, chosen[i]) == 0)
			return true;
	return false;
}

void rows_preempted(void)
{
	double us_ticks;

	if (!row_is_wanted(NAME))
		return;
	bench_say("core: " NAME);
	us_ticks = ticks_of_us();
	for (unsigned int round = 0; round <= bench_rounds(); round++) {
		for (size_t i = 0; subjects[i]; i++)
			if (subjects[i]->ring && is_chosen(subjects[i]->name))
				measure(subjects[i]->name, subjects[i]->ring, round, us_ticks);
		measure("limit: no push", &nothing, round, us_ticks);
	}
}
