/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/program.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "tests/soak/opening.h"
#include "tests/soak/process.h"

#define LONG_PERIOD 1024u
#define LONG_BUFFER (8 * LONG_PERIOD)
#define LONG_DEPTH_MS 2000u	/* headroom's default */
#define AGAIN_BUFFER_MS 120u	/* at least */
#define MARGIN_MS 40u
#define CARD_MS 200u		/* of a recording card's buffer, or as much as the program's */
#define SETTLED_LOOKS 1000	/* ms: a thread that was joined may still be listed */

struct worker {
	pthread_t thread;
	struct soak_opening opening;
	struct soak_random random;
	/* "again": both begin a round together, when nothing else is open. */
	pthread_barrier_t *round;
	bool *ends;			/* written between two waits at the barrier */
};

/* --- long --- */

/* What the buffer holds at ease, less what a stall may last longer than it was to. */
static unsigned int survivable_ms(const struct soak_setup *setup)
{
	unsigned int ms = (setup->buffer - 2 * setup->period) * 1000 / setup->rate;

	return ms > MARGIN_MS + 1 ? ms - MARGIN_MS : 1;
}

static void *long_main(void *arg)
{
	struct worker *worker = arg;

	soak_opening_run(&worker->opening, UINT64_MAX);
	soak_opening_end(&worker->opening);
	return NULL;
}

static void begin_long(struct worker *worker)
{
	struct soak_setup *setup = &worker->opening.setup;
	bool playback = worker->opening.stream == SOAK_LONG_PLAYBACK;

	*setup = (struct soak_setup){
		.rate = SOAK_LONG_RATE, .period = LONG_PERIOD, .buffer = LONG_BUFFER,
		.depth_ms = LONG_DEPTH_MS, .drains = true, .is_live = true,
	};
	/* A stall as long as the depth every ten seconds or so. */
	setup->stall_ms = playback ? survivable_ms(setup) : LONG_DEPTH_MS;
	setup->stall_one_in = playback ? 50 : 40;
	soak_opening_begin(&worker->opening);
	soak_set(&worker->opening.shared->io_thread[!playback],
		 (uint64_t)soak_newest_io_thread());
}

/* --- again --- */

static void choose_setup(struct soak_random *random, struct soak_setup *setup)
{
	static const unsigned int rates[] = { 44100, 48000, 96000 };
	unsigned int least_ms;

	*setup = (struct soak_setup){
		.rate = rates[soak_random_of(random, 0, 2)],
		.period = 64 * soak_random_of(random, 2, 32),
		.depth_ms = soak_random_of(random, 1, 5) * 100,
		.tolerant = soak_random_one_in(random, 2),
		.by_mmap = soak_random_one_in(random, 2),
		.stall_one_in = soak_random_of(random, 5, 40),
	};
	/* Less than that is a matter of how busy the machine is. */
	setup->buffer = setup->period * soak_random_of(random, 4, 8);
	while (setup->buffer * 1000 / setup->rate < AGAIN_BUFFER_MS)
		setup->buffer += setup->period;
	/* Beyond what a card may hold while the I/O thread is held up: however busy the
	 * machine is, it costs something. */
	least_ms = setup->buffer * 1000 / setup->rate;
	least_ms += setup->depth_ms + (least_ms > CARD_MS ? least_ms : CARD_MS);
	if (soak_random_one_in(random, 4))
		setup->provoke_ms = least_ms + soak_random_of(random, 50, 300);
	/* A drop leaves behind what has silence in it. */
	setup->drains = setup->tolerant || setup->provoke_ms || !soak_random_one_in(random, 3);
}

static void open_once(struct worker *worker)
{
	struct soak_setup *setup = &worker->opening.setup;
	bool playback = worker->opening.stream == SOAK_AGAIN_PLAYBACK;
	unsigned int ms = soak_random_of(&worker->random, 300, 2500);

	choose_setup(&worker->random, setup);
	setup->stall_ms = playback ? survivable_ms(setup) : setup->depth_ms;
	soak_opening_begin(&worker->opening);
	soak_opening_run(&worker->opening, hr_now_ns() + ms * HR_NS_PER_MS);
	soak_opening_end(&worker->opening);
}

/* Those that were joined are gone from the list a moment later. */
static void take_rest(struct soak_rest *rest)
{
	const struct timespec look_every = { .tv_nsec = HR_NS_PER_MS };
	uint64_t threads = soak_count_threads(), before = soak_get(&rest->threads);

	for (int i = 0; i < SETTLED_LOOKS && threads != before && before; i++) {
		nanosleep(&look_every, NULL);
		threads = soak_count_threads();
	}
	soak_set(&rest->threads, threads);
	soak_set(&rest->fds, soak_count_fds(getpid()));
	soak_set(&rest->resident_kib, soak_resident_kib(getpid()));
	soak_set(&rest->heap_bytes, mallinfo2().uordblks);
	/* release, pairs with soak_constant_look(). */
	atomic_store_explicit(&rest->n, soak_get(&rest->n) + 1, memory_order_release);
}

static void *again_main(void *arg)
{
	struct worker *worker = arg;
	struct soak_shared *shared = worker->opening.shared;

	for (;;) {
		if (pthread_barrier_wait(worker->round) == PTHREAD_BARRIER_SERIAL_THREAD) {
			take_rest(&shared->rest);
			/* relaxed: see shared.h. */
			*worker->ends = atomic_load_explicit(&shared->stop,
							     memory_order_relaxed);
		}
		pthread_barrier_wait(worker->round);
		if (*worker->ends)
			return NULL;
		open_once(worker);
	}
}

/* --- all of them --- */

static void start(struct worker *worker, void *(*main)(void *))
{
	int err = pthread_create(&worker->thread, NULL, main, worker);

	soak_must(-err, "thread");
}

void soak_program(struct soak_shared *shared, const struct soak_options *options)
{
	static struct worker workers[SOAK_STREAMS];
	static pthread_barrier_t round;
	static bool ends;

	pthread_barrier_init(&round, NULL, 2);
	for (enum soak_stream i = 0; i < SOAK_STREAMS; i++) {
		workers[i] = (struct worker){
			.opening = { .shared = shared, .options = options, .stream = i,
				     .next = 1 },
			.random = soak_random_seeded(options->seed, i),
			.round = &round, .ends = &ends,
		};
		workers[i].opening.random = &workers[i].random;
		if (i < SOAK_AGAIN_PLAYBACK)
			begin_long(&workers[i]);
	}
	for (int i = 0; i < SOAK_STREAMS; i++)
		start(&workers[i], i < SOAK_AGAIN_PLAYBACK ? long_main : again_main);
	for (int i = 0; i < SOAK_STREAMS; i++)
		pthread_join(workers[i].thread, NULL);
	_exit(EXIT_SUCCESS);
}
