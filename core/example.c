/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The core without ALSA: a thread that may not wait hands periods of sound to one that may be
 * late, and what is lost is counted.
 *
 * usage: core/example [PERIODS [HOLD]]
 *
 * One thread "records" PERIODS periods of 5 ms, 200 unless told otherwise. The other takes
 * them, and stands still for HOLD ms, 100, half way through. The ring holds 32 periods, 160 ms:
 * a hold of 100 ms costs nothing, one of 500 ms what the ring has no room for. Exit status: 0
 * if every frame was passed on in order or counted as lost, 1 if not, 2 for wrong arguments.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "core/backpressure.h"
#include "core/health.h"
#include "core/pool.h"
#include "core/ring.h"

#define RATE 48000u
#define PERIOD_FRAMES 240u
#define PERIOD_NS (5 * HR_NS_PER_MS)
#define RING_CHUNKS 32u
#define POOL_CHUNKS (RING_CHUNKS + 2u)	/* and one in the hands of each */

struct passage {
	struct hr_ring *ring;
	struct hr_pool *pool;
	struct hr_health *health;	/* kept by the consumer */
	unsigned int periods, hold_ms;
	_Atomic bool is_over;
	/* The producer's; read once it has been joined. */
	struct hr_bp pressure;
	uint64_t lost_frames;
};

static void sleep_until(uint64_t ns)
{
	const struct timespec when = {
		.tv_sec = (time_t)(ns / HR_NS_PER_S), .tv_nsec = (long)(ns % HR_NS_PER_S),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

/* Where a real program would read from its device: the samples number the frames. */
static void record(struct hr_chunk *chunk, uint64_t seq)
{
	int32_t *samples = (int32_t *)chunk->data;

	for (uint32_t i = 0; i < PERIOD_FRAMES; i++)
		samples[i] = (int32_t)(seq * PERIOD_FRAMES + i);
	chunk->seq = seq;
	chunk->rate = RATE;
	chunk->time_ns = hr_now_ns();
	hr_chunk_set_frames(chunk, PERIOD_FRAMES);
}

/* [producer] Neither call waits or allocates, whatever the consumer does. */
static void hand_over(struct passage *passage, uint64_t seq)
{
	struct hr_chunk *chunk = hr_pool_acquire(passage->pool, HR_POOL_FIXED);

	if (chunk)
		record(chunk, seq);
	if (!chunk || !hr_ring_push(passage->ring, chunk)) {
		hr_pool_release(passage->pool, chunk);
		passage->lost_frames += PERIOD_FRAMES;
	}
	if (hr_bp_update(&passage->pressure, hr_ring_usage(passage->ring),
			 hr_now_ns()) == HR_BP_RAISED)
		fprintf(stderr, "period %" PRIu64 ": the ring is nearly full\n", seq);
}

static void *producer_main(void *arg)
{
	struct passage *passage = arg;
	uint64_t begin_ns = hr_now_ns();

	for (uint64_t seq = 0; seq < passage->periods; seq++) {
		sleep_until(begin_ns + seq * PERIOD_NS);
		hand_over(passage, seq);
	}
	/* release, pairs with the load in consume(): all has been pushed. */
	atomic_store_explicit(&passage->is_over, true, memory_order_release);
	return NULL;
}

/* Where a real program would write to its file. False: not what was recorded. */
static bool use(const struct hr_chunk *chunk)
{
	const int32_t *samples = (const int32_t *)chunk->data;

	for (uint32_t i = 0; i < hr_chunk_frames(chunk); i++) {
		if (samples[i] != (int32_t)(chunk->seq * PERIOD_FRAMES + i))
			return false;
	}
	return true;
}

/* [consumer] Returns whether all came in order. */
static bool consume(struct passage *passage)
{
	struct hr_chunk *chunk;
	bool is_over, is_right = true, has_held = false;
	uint64_t next = 0;

	do {
		/* acquire, pairs with the store in producer_main(): first this, then a look
		 * whether there is more. */
		is_over = atomic_load_explicit(&passage->is_over, memory_order_acquire);
		while ((chunk = hr_ring_pop(passage->ring))) {
			uint64_t now_ns = hr_now_ns();

			hr_health_chunk(passage->health, hr_chunk_frames(chunk),
					now_ns - chunk->time_ns, now_ns);
			is_right = is_right && chunk->seq >= next && use(chunk);
			next = chunk->seq + 1;
			hr_pool_release(passage->pool, chunk);
			if (!has_held && next > passage->periods / 2) {
				has_held = true;
				sleep_until(now_ns + passage->hold_ms * HR_NS_PER_MS);
			}
		}
		sleep_until(hr_now_ns() + PERIOD_NS);
	} while (!is_over);
	return is_right;
}

/* Returns whether the account closes: what came and what was lost is what there was. */
static bool account(struct passage *passage)
{
	uint64_t frames = (uint64_t)passage->periods * PERIOD_FRAMES;
	struct hr_health_snapshot health;

	hr_health_drop(passage->health, passage->lost_frames);
	if (hr_health_get_snapshot(passage->health, 1024, &health, hr_now_ns()) < 0)
		return false;
	printf("%" PRIu64 " frames recorded, %" PRIu64 " passed on, %" PRIu64 " lost; "
	       "%" PRIu64 " times under pressure; waited %" PRIu64 " us at most\n", frames,
	       health.frames, health.frames_dropped, passage->pressure.count,
	       (uint64_t)(health.latency.max / HR_NS_PER_US));
	return health.frames + health.frames_dropped == frames;
}

static bool run(struct passage *passage)
{
	pthread_t producer;
	bool is_right;

	if (hr_health_open(passage->health, 1024, hr_now_ns()) < 0 ||
	    hr_bp_init(&passage->pressure, HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT) < 0 ||
	    pthread_create(&producer, NULL, producer_main, passage) != 0)
		return false;
	is_right = consume(passage);
	pthread_join(producer, NULL);
	return account(passage) && is_right;
}

/* A whole number of up to a million in *n. */
static bool is_number(const char *text, unsigned int *n)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*n = (unsigned int)value;
	return *text >= '0' && *text <= '9' && !*end && value <= 1000000;
}

int main(int argc, char **argv)
{
	struct passage passage = { .periods = 200, .hold_ms = 100 };
	bool is_right = false;

	if (argc > 3 || (argc > 1 && !is_number(argv[1], &passage.periods)) ||
	    (argc > 2 && !is_number(argv[2], &passage.hold_ms))) {
		fprintf(stderr, "usage: %s [PERIODS [HOLD in ms]]\n", argv[0]);
		return 2;
	}
	if (hr_ring_create(&passage.ring, RING_CHUNKS) < 0 ||
	    hr_pool_create(&passage.pool, POOL_CHUNKS, POOL_CHUNKS, PERIOD_FRAMES,
			   sizeof(int32_t)) < 0 ||
	    hr_health_create(&passage.health, 1024) < 0)
		fprintf(stderr, "out of memory\n");
	else
		is_right = run(&passage);
	hr_health_destroy(passage.health);
	hr_ring_destroy(passage.ring);
	hr_pool_destroy(passage.pool);
	return is_right ? 0 : 1;
}
