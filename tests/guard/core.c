/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Does what the core does for each chunk, many times over, in functions of their own, so
 * that callgrind can count their instructions: one function per row of limits.txt, which
 * is called once.
 *
 * usage: guard_core ROW TIMES
 *        guard_core              says what the limits depend on
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <alsa/asoundlib.h>

#include "core/backpressure.h"
#include "core/health.h"
#include "core/pool_cache.h"
#include "core/ring.h"
#include "core/stream.h"

/* What callgrind counts, and what is done there or, not to be counted, before. */
#define COUNTED __attribute__((noinline)) void
#define DONE static inline __attribute__((always_inline)) void
#define WINDOW 1024u
#define FRAMES 256u
#define FRAMES_NS 5333333u	/* at 48 kHz */
#define RATE 48000u
#define FRAME_BYTES 4u		/* stereo, S16 */
#define CHUNKS 64u

void guard_ring(uint32_t n);
void guard_pool(uint32_t n);
void guard_pool_cache(uint32_t n);
void guard_detector(uint32_t n);
void guard_health(uint32_t n);
void guard_snapshot(uint32_t n);
void guard_period(uint32_t n);
void guard_period_empty(uint32_t n);

static struct {
	struct hr_ring *ring;
	struct hr_pool *pool;
	struct hr_pool_cache cache;
	struct hr_bp bp;
	struct hr_health *health;
	struct hr_stream *stream;
	uint32_t random[WINDOW];	/* as good as it, and always the same */
	uint8_t levels[WINDOW];
	unsigned char frames[FRAMES * FRAME_BYTES];
	size_t n_bytes;			/* of a period; not known to the compiler */
	uint64_t pos, now_ns;		/* where the stream and the clock are */
} us;

static void must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "guard_core: %s\n", what);
	exit(2);
}

DONE do_ring(uint32_t n)
{
	static struct hr_chunk chunk;

	while (n--) {
		bool pushed = hr_ring_push(us.ring, &chunk);

		if (hr_ring_pop(us.ring) != &chunk || !pushed)
			abort();
	}
}

DONE do_pool(uint32_t n)
{
	while (n--)
		if (hr_pool_release(us.pool, hr_pool_acquire(us.pool, HR_POOL_FIXED)) < 0)
			abort();
}

DONE do_pool_cache(uint32_t n)
{
	while (n--)
		if (hr_pool_cache_release(&us.cache, hr_pool_cache_acquire(&us.cache)) < 0)
			abort();
}

DONE do_detector(uint32_t n)
{
	while (n--)
		(void)hr_bp_update(&us.bp, us.levels[n % WINDOW], us.now_ns++);
}

DONE do_health(uint32_t n)
{
	while (n--) {
		us.now_ns += FRAMES_NS;
		hr_health_chunk(us.health, FRAMES, us.random[n % WINDOW], us.now_ns);
	}
}

DONE do_snapshot(uint32_t n)
{
	struct hr_health_snapshot snapshot;

	while (n--)
		if (hr_health_get_snapshot(us.health, WINDOW, &snapshot, us.now_ns) < 0 ||
		    snapshot.latency.n_samples != WINDOW)
			abort();
}

DONE do_period(uint32_t n, bool copies)
{
	while (n--) {
		struct hr_span span = hr_stream_write_begin(us.stream, us.now_ns);

		if (span.frames != FRAMES)
			abort();
		if (copies)
			memcpy(span.chunk->data, us.frames, us.n_bytes);
		hr_stream_write_commit(us.stream, FRAMES);
		us.now_ns += FRAMES_NS;
		span = hr_stream_read_begin(us.stream, us.pos, us.now_ns);
		if (span.frames != FRAMES)
			abort();
		if (copies)
			memcpy(us.frames, span.chunk->data, us.n_bytes);
		us.pos += FRAMES;
		hr_stream_read_done(us.stream, us.pos, us.now_ns);
	}
}

COUNTED guard_ring(uint32_t n)
{
	do_ring(n);
}

COUNTED guard_pool(uint32_t n)
{
	do_pool(n);
}

COUNTED guard_pool_cache(uint32_t n)
{
	do_pool_cache(n);
}

COUNTED guard_detector(uint32_t n)
{
	do_detector(n);
}

COUNTED guard_health(uint32_t n)
{
	do_health(n);
}

COUNTED guard_snapshot(uint32_t n)
{
	do_snapshot(n);
}

COUNTED guard_period(uint32_t n)
{
	us.n_bytes = FRAMES * FRAME_BYTES;
	do_period(n, true);
}

/* All but the copying. */
COUNTED guard_period_empty(uint32_t n)
{
	do_period(n, false);
}

static const struct {
	const char *name;
	void (*run)(uint32_t n);
} rows[] = {
	{ "ring", guard_ring },
	{ "pool", guard_pool },
	{ "pool_cache", guard_pool_cache },
	{ "detector", guard_detector },
	{ "health", guard_health },
	{ "snapshot", guard_snapshot },
	{ "period", guard_period },
	{ "period_empty", guard_period_empty },
};

/* Levels as they come: up and down, and over both thresholds now and then. */
static void fill_random(void)
{
	uint32_t random = 1;
	int level = 50;

	for (uint32_t i = 0; i < WINDOW; i++) {
		random = random * 1664525u + 1013904223u;
		us.random[i] = 5000000u + random / 4096;
		level += (int)(random >> 28) - 8 + (level < 50) - (level > 75);
		level = level < 0 ? 0 : level > 100 ? 100 : level;
		us.levels[i] = (uint8_t)level;
	}
}

static void begin(void)
{
	struct hr_stream_config config = {
		.chunk_frames = FRAMES, .frame_bytes = FRAME_BYTES, .rate = RATE,
		.capacity_frames = (CHUNKS - 1) * FRAMES,
	};

	us.now_ns = 1;
	fill_random();
	must(hr_ring_create(&us.ring, CHUNKS) == 0, "no ring");
	must(hr_pool_create(&us.pool, CHUNKS, CHUNKS, FRAMES, FRAME_BYTES) == 0, "no pool");
	must(hr_bp_init(&us.bp, HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT) == 0,
	     "no detector");
	must(hr_health_create(&us.health, WINDOW) == 0 &&
	     hr_health_open(us.health, WINDOW, us.now_ns) == 0, "no monitor");
	config.health = us.health;
	must(hr_stream_create(&us.stream, &config) == 0, "no stream");
	do_health(WINDOW);
	do_period(2 * CHUNKS, false);
	do_pool(1);
}

/* The pool's rows without a cache are measured without one. */
static void begin_cache(void)
{
	must(hr_pool_cache_open(&us.cache, us.pool, HR_POOL_CACHE_MAX) == 0, "no cache");
	do_pool_cache(1);
}

static void say_what_counts(void)
{
	struct utsname machine;
	const char *optimised = "";

#ifdef __OPTIMIZE__
	optimised = ", optimised";
#endif
	uname(&machine);
#ifdef __clang__
	printf("%s, clang %d%s, alsa-lib %s\n", machine.machine, __clang_major__, optimised,
	       snd_asoundlib_version());
#else
	printf("%s, gcc %d%s, alsa-lib %s\n", machine.machine, __GNUC__, optimised,
	       snd_asoundlib_version());
#endif
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		say_what_counts();
		return 0;
	}
	must(argc == 3, "usage: guard_core [ROW TIMES]");
	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(argv[1], rows[i].name) != 0)
			continue;
		if (rows[i].run == guard_pool_cache)
			begin_cache();
		rows[i].run((uint32_t)atoi(argv[2]));
		return 0;
	}
	must(false, "no such row");
	return 2;
}
