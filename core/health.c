/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/health.h"
#include "core/latency.h"
#include "core/line.h"

/* A lock inside an atomic would lie in one process only. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
	       "memory shared by processes needs lock-free atomics");

#define PPM 1000000u

/* Throughput is counted over intervals of at least INTERVAL_NS. One that is not
 * over after IDLE_NS will not be: nothing moves any more. */
#define INTERVAL_NS HR_NS_PER_S
#define IDLE_NS (2 * HR_NS_PER_S)

/* Zeroed memory is a monitor that was never opened. */
enum phase {
	PHASE_NEVER,
	PHASE_OPEN,
	PHASE_CLOSED,
};

/* Written by [consumer]. */
struct taken {
	_Atomic uint32_t reset_applied;	/* the reset these counters begin at */
	_Atomic uint64_t chunks;
	_Atomic uint64_t frames;
	_Atomic uint64_t n_samples;	/* ever taken; the ring holds the latest */
	_Atomic uint64_t rate_plus_1;	/* chunks/s of the last interval; 0 = none yet */
	_Atomic uint64_t mark_chunks;	/* chunks when the present interval began */
	_Atomic uint64_t mark_ns;	/* when that was */
};

/* Written by [keeper]. */
struct lost {
	_Atomic uint32_t reset_applied;
	_Atomic uint32_t pressure;	/* 0 or 1; what is now, so no reset clears it */
	_Atomic uint64_t frames_dropped;
	_Atomic uint64_t frames_silence;
	_Atomic uint64_t chunks_dropped;
	_Atomic uint64_t overruns;
};

struct hr_health {
	/* Seldom written: by whoever asks for a reset, and by [setup]. */
	_Alignas(HR_LINE) _Atomic uint32_t reset_count;
	_Atomic uint32_t window;	/* samples in use */
	_Atomic uint32_t phase;		/* enum phase */
	_Atomic uint64_t opened_ns;
	_Atomic uint64_t closed_ns;

	_Alignas(HR_LINE) struct taken taken;
	_Alignas(HR_LINE) struct lost lost;
	_Alignas(HR_LINE) _Atomic uint64_t samples[];	/* ns */
};

_Static_assert(sizeof(struct hr_health) <= HR_HEALTH_HEAD_MAX, "as the header says");

/* Relaxed: a counter is published by itself, and readers are told that two of
 * them need not agree. Where order matters the operation is spelled out. */
static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

/* Only the counter's one writer calls this, so nothing is lost between load and
 * store, and no bus is locked. */
static void add(_Atomic uint64_t *value, uint64_t amount)
{
	set(value, get(value) + amount);
}

size_t hr_health_bytes(uint32_t window)
{
	size_t bytes = sizeof(struct hr_health) + (size_t)window * sizeof(uint64_t);

	return (bytes + HR_LINE - 1) / HR_LINE * HR_LINE;
}

static bool window_valid(uint32_t window)
{
	return window >= HR_HEALTH_WINDOW_MIN && window <= HR_HEALTH_WINDOW_MAX;
}

uint32_t hr_health_window(const struct hr_health *health)
{
	/* relaxed: a value by itself. */
	uint32_t window = atomic_load_explicit(&health->window, memory_order_relaxed);

	return window_valid(window) ? window : 0;
}

int hr_health_init(struct hr_health *health, uint32_t window)
{
	if (!window_valid(window))
		return -EINVAL;

	/* relaxed: [setup], whoever hands the monitor on publishes it. */
	atomic_store_explicit(&health->window, window, memory_order_relaxed);
	return 0;
}

int hr_health_create(struct hr_health **healthp, uint32_t window)
{
	struct hr_health *health;
	size_t bytes;

	if (!window_valid(window))
		return -EINVAL;

	bytes = hr_health_bytes(window);
	health = aligned_alloc(HR_LINE, bytes);
	if (!health)
		return -ENOMEM;

	/* Not calloc: it would leave the page faults to the streaming threads. */
	memset(health, 0, bytes);
	hr_health_init(health, window);
	*healthp = health;
	return 0;
}

void hr_health_destroy(struct hr_health *health)
{
	free(health);
}

uint32_t hr_health_reset_count(const struct hr_health *health)
{
	/* relaxed: the number is the whole message. */
	return atomic_load_explicit(&health->reset_count, memory_order_relaxed);
}

void hr_health_reset(struct hr_health *health)
{
	/* relaxed: as above. An addition, so that two who ask at once both change it. */
	atomic_fetch_add_explicit(&health->reset_count, 1, memory_order_relaxed);
}

/* True if a section has a reset still to carry out: readers then take it as zero. */
static bool reset_pending(const struct hr_health *health,
			  const _Atomic uint32_t *applied)
{
	/* acquire, pairs with the store in taken_apply_reset() or
	 * lost_apply_reset(): a reader that sees the reset carried out must not
	 * read a counter from before it. */
	return atomic_load_explicit(applied, memory_order_acquire) !=
	       hr_health_reset_count(health);
}

/* Announce that a section begins at this reset. */
static void reset_done(_Atomic uint32_t *applied, uint32_t reset)
{
	/* release, pairs with the load in reset_pending(): the zeros are visible
	 * before the section counts as reset. */
	atomic_store_explicit(applied, reset, memory_order_release);
}

static bool taken_apply_reset(struct hr_health *health)
{
	struct taken *taken = &health->taken;
	uint32_t reset = hr_health_reset_count(health);

	/* relaxed: only this thread writes it. */
	if (atomic_load_explicit(&taken->reset_applied, memory_order_relaxed) == reset)
		return false;

	set(&taken->chunks, 0);
	set(&taken->frames, 0);
	set(&taken->n_samples, 0);
	set(&taken->mark_chunks, 0);
	set(&taken->rate_plus_1, 0);
	reset_done(&taken->reset_applied, reset);
	return true;
}

static void lost_apply_reset(struct hr_health *health)
{
	struct lost *lost = &health->lost;
	uint32_t reset = hr_health_reset_count(health);

	/* relaxed: only this thread writes it. */
	if (atomic_load_explicit(&lost->reset_applied, memory_order_relaxed) == reset)
		return;

	set(&lost->frames_dropped, 0);
	set(&lost->frames_silence, 0);
	set(&lost->chunks_dropped, 0);
	set(&lost->overruns, 0);
	reset_done(&lost->reset_applied, reset);
}

void hr_health_settle_losses(struct hr_health *health)
{
	lost_apply_reset(health);
}

uint32_t hr_health_losses_reset(const struct hr_health *health)
{
	/* relaxed: only the caller's thread writes it. */
	return atomic_load_explicit(&health->lost.reset_applied, memory_order_relaxed);
}

/* Begin an interval of throughput. The reader loads in the opposite order, so
 * that what it pairs with a mark is never older than the mark: see
 * throughput_now(). */
static void set_mark(struct taken *taken, uint64_t rate_plus_1, uint64_t now_ns)
{
	uint64_t chunks = get(&taken->chunks);

	set(&taken->rate_plus_1, rate_plus_1);
	/* release, pairs with the load in throughput_now(): a reader that sees
	 * the new count has the rate that belongs to it. */
	atomic_store_explicit(&taken->mark_chunks, chunks, memory_order_release);
	/* release, pairs with the load in throughput_now(): a reader that sees
	 * the new time has the count, or it would divide an interval's chunks by
	 * no time at all. */
	atomic_store_explicit(&taken->mark_ns, now_ns, memory_order_release);
}

int hr_health_open(struct hr_health *health, uint32_t window, uint64_t now_ns)
{
	if (!window_valid(window))
		return -EINVAL;

	taken_apply_reset(health);
	lost_apply_reset(health);
	/* relaxed throughout: readers bound every one of these by itself. */
	if (atomic_load_explicit(&health->window, memory_order_relaxed) != window) {
		set(&health->taken.n_samples, 0);
		atomic_store_explicit(&health->window, window, memory_order_relaxed);
	}
	set_mark(&health->taken, 0, now_ns);
	atomic_store_explicit(&health->lost.pressure, 0, memory_order_relaxed);
	set(&health->opened_ns, now_ns);
	set(&health->closed_ns, now_ns);
	/* release, pairs with the load in phase_now(): the times are there. */
	atomic_store_explicit(&health->phase, PHASE_OPEN, memory_order_release);
	return 0;
}

void hr_health_close(struct hr_health *health, uint64_t now_ns)
{
	/* relaxed: a value by itself. */
	atomic_store_explicit(&health->lost.pressure, 0, memory_order_relaxed);
	set(&health->closed_ns, now_ns);
	/* release, pairs with the load in phase_now(): the time is there. */
	atomic_store_explicit(&health->phase, PHASE_CLOSED, memory_order_release);
}

/* count per second over ns, to the nearest; 0 when no time has passed. Any
 * values are safe. */
static uint32_t per_second(uint64_t count, uint64_t ns)
{
	uint64_t rate, rest;

	if (ns == 0)
		return 0;
	if (count > UINT64_MAX / HR_NS_PER_S)
		return UINT32_MAX;

	rate = count * HR_NS_PER_S / ns;
	rest = count * HR_NS_PER_S % ns;
	if (rest >= ns - rest)
		rate++;
	return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

/* Keep latency_ns as the latest sample. */
static void add_sample(struct hr_health *health, uint64_t latency_ns)
{
	uint64_t n = get(&health->taken.n_samples);
	/* relaxed: constant while a stream is open. */
	uint32_t window = atomic_load_explicit(&health->window, memory_order_relaxed);

	/* A page is other processes' to scribble on. It has room for the most
	 * samples, so whatever it says now the store stays inside. */
	if (!window_valid(window))
		window = HR_HEALTH_WINDOW_MIN;
	/* A division costs as much as all the rest. */
	set(&health->samples[(window & (window - 1)) ? n % window : n & (window - 1)],
	    latency_ns);
	/* release, pairs with the load in copy_samples(): the sample is there
	 * before the count that announces it. */
	atomic_store_explicit(&health->taken.n_samples, n + 1, memory_order_release);
}

void hr_health_chunk(struct hr_health *health, uint32_t frames,
		     uint64_t latency_ns, uint64_t now_ns)
{
	struct taken *taken = &health->taken;
	bool anew = taken_apply_reset(health);
	uint64_t mark_ns = get(&taken->mark_ns);
	uint64_t elapsed_ns = now_ns > mark_ns ? now_ns - mark_ns : 0;
	uint64_t moved = get(&taken->chunks) - get(&taken->mark_chunks);

	add(&taken->chunks, 1);
	add(&taken->frames, frames);
	add_sample(health, latency_ns);

	/* After a pause the first chunk begins an interval instead of ending a
	 * long and empty one that would say "nearly nothing" for a second. */
	if (anew || (moved == 0 && elapsed_ns >= IDLE_NS))
		set_mark(taken, 0, now_ns);
	else if (elapsed_ns >= INTERVAL_NS)
		set_mark(taken, (uint64_t)per_second(moved + 1, elapsed_ns) + 1, now_ns);
}

void hr_health_drop(struct hr_health *health, uint64_t frames)
{
	lost_apply_reset(health);
	add(&health->lost.frames_dropped, frames);
}

void hr_health_drop_chunk(struct hr_health *health)
{
	lost_apply_reset(health);
	add(&health->lost.chunks_dropped, 1);
}

void hr_health_silence(struct hr_health *health, uint64_t frames)
{
	lost_apply_reset(health);
	add(&health->lost.frames_silence, frames);
}

void hr_health_overrun(struct hr_health *health)
{
	lost_apply_reset(health);
	add(&health->lost.overruns, 1);
}

void hr_health_set_pressure(struct hr_health *health, bool pressure)
{
	/* relaxed: a value by itself. */
	atomic_store_explicit(&health->lost.pressure, pressure, memory_order_relaxed);
}

/* From here on everything is read as if a stranger had written it: any bits may
 * come, and they may change between two loads. */

static uint32_t phase_now(const struct hr_health *health)
{
	/* acquire, pairs with the stores in hr_health_open() and
	 * hr_health_close(): the times belong to the phase, or a stream that has
	 * just been opened would be as old as the machine. */
	return atomic_load_explicit(&health->phase, memory_order_acquire);
}

static uint64_t uptime_now(const struct hr_health *health, uint64_t now_ns)
{
	uint32_t phase = phase_now(health);
	uint64_t opened_ns = get(&health->opened_ns);
	uint64_t until_ns = phase == PHASE_OPEN ? now_ns : get(&health->closed_ns);

	if (phase == PHASE_NEVER || until_ns < opened_ns)
		return 0;
	return until_ns - opened_ns;
}

static uint32_t throughput_now(const struct hr_health *health, uint64_t now_ns)
{
	const struct taken *taken = &health->taken;
	/* acquire, pair with the stores in set_mark(). A mark that is a moment
	 * old then comes with a count and a rate of its own age or newer, and
	 * the worst that a mixture says is "little" for that moment. */
	uint64_t mark_ns = atomic_load_explicit(&taken->mark_ns, memory_order_acquire);
	uint64_t mark_chunks = atomic_load_explicit(&taken->mark_chunks,
						    memory_order_acquire);
	uint64_t rate_plus_1 = get(&taken->rate_plus_1);
	uint64_t chunks = get(&taken->chunks);
	uint64_t elapsed_ns = now_ns > mark_ns ? now_ns - mark_ns : 0;

	if (phase_now(health) != PHASE_OPEN)
		return 0;
	if (rate_plus_1 != 0 && elapsed_ns < IDLE_NS)
		return rate_plus_1 - 1 < UINT32_MAX ? (uint32_t)(rate_plus_1 - 1)
						    : UINT32_MAX;
	return chunks > mark_chunks ? per_second(chunks - mark_chunks, elapsed_ns) : 0;
}

static uint32_t drop_rate_ppm(uint64_t frames, uint64_t dropped)
{
	uint64_t total, rate;

	if (dropped == 0)
		return 0;
	if (frames > UINT64_MAX - dropped) {
		frames /= 2;
		dropped /= 2;
	}
	total = frames + dropped;
	if (dropped > UINT64_MAX / PPM)
		rate = dropped / (total / PPM);
	else
		rate = dropped * PPM / total;
	return rate < PPM ? (uint32_t)rate : PPM;
}

/* Samples that may be read: whatever the monitor says, no more than the caller
 * knows to be there. */
static uint32_t n_samples_now(const struct hr_health *health, uint32_t window_max)
{
	/* acquire, pairs with the store in add_sample(): every sample counted
	 * has been written. One that is overwritten meanwhile is a newer one. */
	uint64_t count = atomic_load_explicit(&health->taken.n_samples,
					      memory_order_acquire);
	uint32_t n = hr_health_window(health);

	if (n > window_max)
		n = window_max;
	return n < count ? n : (uint32_t)count;
}

static int get_latency(const struct hr_health *health, uint32_t window_max,
		       struct hr_latency *latency)
{
	uint32_t n = n_samples_now(health, window_max);
	uint64_t *samples;

	if (n == 0)
		return 0;

	samples = malloc(2 * sizeof(*samples) * n);
	if (!samples)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		samples[i] = get(&health->samples[i]);
	hr_latency_from_samples(latency, samples, samples + n, n);
	free(samples);
	return 0;
}

static void get_lost(const struct hr_health *health, struct hr_health_snapshot *snapshot)
{
	const struct lost *lost = &health->lost;

	/* relaxed: a value by itself. */
	snapshot->pressure =
		atomic_load_explicit(&lost->pressure, memory_order_relaxed) != 0;
	if (reset_pending(health, &lost->reset_applied))
		return;
	snapshot->frames_dropped = get(&lost->frames_dropped);
	snapshot->frames_silence = get(&lost->frames_silence);
	snapshot->chunks_dropped = get(&lost->chunks_dropped);
	snapshot->overruns = get(&lost->overruns);
}

static bool is_healthy(const struct hr_health_snapshot *snapshot)
{
	return snapshot->frames_dropped == 0 && snapshot->frames_silence == 0 &&
	       snapshot->chunks_dropped == 0 && snapshot->overruns == 0 &&
	       !snapshot->pressure;
}

uint64_t hr_health_overruns(const struct hr_health *health)
{
	struct hr_health_snapshot snapshot = { 0 };

	get_lost(health, &snapshot);
	return snapshot.overruns;
}

bool hr_health_is_healthy(const struct hr_health *health)
{
	struct hr_health_snapshot snapshot = { 0 };

	get_lost(health, &snapshot);
	return is_healthy(&snapshot);
}

int hr_health_get_snapshot(const struct hr_health *health, uint32_t window_max,
			   struct hr_health_snapshot *snapshot, uint64_t now_ns)
{
	int err = 0;

	*snapshot = (struct hr_health_snapshot) { 0 };
	snapshot->uptime_ns = uptime_now(health, now_ns);
	get_lost(health, snapshot);
	if (!reset_pending(health, &health->taken.reset_applied)) {
		snapshot->chunks = get(&health->taken.chunks);
		snapshot->frames = get(&health->taken.frames);
		snapshot->throughput = throughput_now(health, now_ns);
		err = get_latency(health, window_max, &snapshot->latency);
	}
	snapshot->drop_rate_ppm = drop_rate_ppm(snapshot->frames,
						snapshot->frames_dropped);
	snapshot->is_healthy = is_healthy(snapshot);
	return err;
}
