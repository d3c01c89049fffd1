/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/io_stats.h"

#include <limits.h>
#include "core/probe.h"
#include "plugin/episodes.h"
#include "plugin/io_absent.h"

/* A rate over a shorter time says more about the clock reading than the device. */
#define RATE_BASELINE_NS HR_NS_PER_S

void hr_stats_begin(struct hr_io *io)
{
	uint32_t trigger, clear;

	hr_page_get_thresholds(io->page, &trigger, &clear);
	(void)hr_bp_init(&io->bp, trigger, clear);
	io->last_pushed = 0;
	io->last_popped = 0;
	io->last_hits = 0;
	io->last_misses = 0;
	io->last_late = 0;
	hr_stats_rate_restart(io);
}

void hr_stats_device_state(struct hr_io *io)
{
	hr_page_set(io->page, HR_STAT_STATE, hr_io_is_absent(io) ? HR_STATE_DISCONNECTED :
								   io->state);
}

void hr_stats_state(struct hr_io *io, enum hr_state state)
{
	io->state = state;
	hr_stats_device_state(io);
}

static void follow_thresholds(struct hr_io *io)
{
	uint32_t trigger, clear;

	hr_page_get_thresholds(io->page, &trigger, &clear);
	if (trigger != io->bp.trigger || clear != io->bp.clear)
		(void)hr_bp_set_thresholds(&io->bp, trigger, clear);
}

static void update_pressure(struct hr_io *io, uint64_t level)
{
	uint64_t ended_ns = io->bp.total_ns;

	follow_thresholds(io);
	hr_page_set(io->page, HR_STAT_PRESSURE, level);
	switch (hr_bp_update(&io->bp, (uint32_t)level, io->now_ns)) {
	case HR_BP_STEADY:
		return;
	case HR_BP_RAISED:
		hr_page_add(io->page, HR_STAT_PRESSURE_COUNT, 1);
		hr_page_set(io->page, HR_STAT_PRESSURE_SINCE_NS, io->now_ns);
		break;
	case HR_BP_CLEARED:
		hr_page_add(io->page, HR_STAT_PRESSURE_NS, io->bp.total_ns - ended_ns);
		break;
	}
	HR_PROBE(pressure, io, io->bp.raised, level);
	hr_page_set(io->page, HR_STAT_PRESSURE_RAISED, io->bp.raised);
	hr_health_set_pressure(hr_page_health(io->page), io->bp.raised);
}

static uint64_t percent(uint64_t level)
{
	return level > 100 ? 100 : level;
}

void hr_stats_levels(struct hr_io *io, uint64_t fill, uint64_t pressure)
{
	hr_page_set(io->page, HR_STAT_FILL, percent(fill));
	hr_page_raise(io->page, HR_STAT_FILL_MAX, percent(fill));
	update_pressure(io, percent(pressure));
}

void hr_stats_calm(struct hr_io *io)
{
	hr_page_set(io->page, HR_STAT_FILL, 0);
	update_pressure(io, 0);
}

static void carry(struct hr_io *io, enum hr_stat stat, uint64_t value, uint64_t *last)
{
	if (value != *last)
		hr_page_add(io->page, stat, value - *last);
	*last = value;
}

void hr_stats_dropped(struct hr_io *io, uint64_t frames)
{
	struct hr_health *health = hr_page_health(io->page);

	if (!frames)
		return;
	hr_health_drop(health, frames);
	for (io->dropped_part += frames; io->dropped_part >= io->slave->period;
	     io->dropped_part -= io->slave->period)
		hr_health_drop_chunk(health);
	hr_episode_frames(io, frames);
}

void hr_stats_silence(struct hr_io *io, uint64_t frames)
{
	hr_health_silence(hr_page_health(io->page), frames);
	hr_episode_frames(io, frames);
}

/* What the program has written where a rewind came too late was not heard. */
static void carry_late(struct hr_io *io)
{
	/* relaxed: a count by itself, which the next step sees at the latest. */
	uint64_t late = atomic_load_explicit(&io->late, memory_order_relaxed);

	if (late == io->last_late) {
		if (hr_episode_is(io, HR_EPISODE_REWIND))
			hr_episode_end(io);
		return;
	}
	hr_episode_keep(io, HR_EPISODE_REWIND, HR_CAUSE_PROGRAM);
	hr_stats_dropped(io, late - io->last_late);
	io->last_late = late;
}

/* Those values whose change is told at once, in one word. */
static uint64_t urgent_values(const struct hr_io *io)
{
	const struct hr_health *health = hr_page_health_const(io->page);

	return hr_page_get(io->page, HR_STAT_STATE) | (uint64_t)io->bp.raised << 8 |
	       (uint64_t)hr_health_is_healthy(health) << 9 |
	       (uint64_t)hr_health_overruns(health) << 16;
}

static void tell_changes(struct hr_io *io)
{
	uint64_t now = urgent_values(io);

	if (now != io->told)
		hr_reporter_notify(io->reporter);
	io->told = now;
}

void hr_stats_counters(struct hr_io *io)
{
	struct hr_ring_stats ring;
	struct hr_pool_stats pool;

	hr_stream_get_stats(io->stream, &ring, &pool);
	carry(io, HR_STAT_PUSHED, ring.pushed, &io->last_pushed);
	carry(io, HR_STAT_POPPED, ring.popped, &io->last_popped);
	carry(io, HR_STAT_POOL_HITS, pool.hits, &io->last_hits);
	carry(io, HR_STAT_POOL_MISSES, pool.misses, &io->last_misses);
	carry_late(io);
	if (hr_page_apply_reset(io->page)) {
		/* What goes on counts, and so does who is to blame for it. */
		if (io->episode.going_on)
			hr_page_set(io->page, HR_STAT_XRUN_CAUSE, io->episode.cause);
		hr_bp_reset(&io->bp, io->now_ns);
		if (io->bp.raised) {
			hr_page_set(io->page, HR_STAT_PRESSURE_COUNT, 1);
			hr_page_set(io->page, HR_STAT_PRESSURE_SINCE_NS, io->now_ns);
		}
	}
	tell_changes(io);
}

void hr_stats_rate_restart(struct hr_io *io)
{
	io->mark_ns = 0;
}

void hr_stats_rate(struct hr_io *io, uint64_t pos)
{
	uint64_t elapsed_ns;
	double rate;

	if (!io->mark_ns) {
		io->mark_ns = io->now_ns;
		io->mark_pos = pos;
		return;
	}
	elapsed_ns = io->now_ns - io->mark_ns;
	if (elapsed_ns < RATE_BASELINE_NS)
		return;
	rate = (double)(pos - io->mark_pos) * (double)HR_NS_PER_S / (double)elapsed_ns;
	hr_page_set(io->page, HR_STAT_RATE_MEASURED,
		    rate < INT_MAX ? (uint64_t)(rate + 0.5) : INT_MAX);
}

void hr_stats_device_xrun(struct hr_io *io, enum hr_cause cause)
{
	hr_page_add(io->page, HR_STAT_DEVICE_XRUNS, 1);
	hr_page_set(io->page, HR_STAT_XRUN_CAUSE, cause);
	hr_stats_rate_restart(io);
}
