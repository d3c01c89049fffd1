/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/snapshot.h"

#include <string.h>
#include "core/backpressure.h"
#include "core/clock.h"

/* To the nearest; ns + 500 could wrap. */
static uint64_t hr_ns_to_us(uint64_t ns)
{
	return ns / HR_NS_PER_US + (ns % HR_NS_PER_US >= HR_NS_PER_US / 2);
}

static void hr_snapshot_of_nothing(struct hr_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->healthy = true;
	snapshot->trigger_percent = HR_BP_TRIGGER_DEFAULT;
	snapshot->clear_percent = HR_BP_CLEAR_DEFAULT;
}

/* What stays when the stream is gone. */
static void hr_snapshot_fill_lasting(struct hr_snapshot *snapshot,
				     const struct hr_page *page,
				     const struct hr_health_snapshot *health)
{
	const struct hr_latency *latency = &health->latency;
	uint32_t trigger, clear;

	hr_page_get_thresholds(page, &trigger, &clear);
	*snapshot = (struct hr_snapshot){
		.healthy = !health->frames_dropped && !health->frames_silence &&
			   !health->chunks_dropped && !health->overruns,
		.fill_max_percent = hr_page_get(page, HR_STAT_FILL_MAX),
		.pressure_count = hr_page_get(page, HR_STAT_PRESSURE_COUNT),
		.pressure_total_ms =
			hr_page_get(page, HR_STAT_PRESSURE_NS) / HR_NS_PER_MS,
		.chunks_pushed = hr_page_get(page, HR_STAT_PUSHED),
		.chunks_popped = hr_page_get(page, HR_STAT_POPPED),
		.chunks_dropped = health->chunks_dropped,
		.frames = hr_page_get(page, HR_STAT_FRAMES),
		.frames_dropped = health->frames_dropped,
		.frames_silence = health->frames_silence,
		.drop_rate_ppm = health->drop_rate_ppm,
		.xruns = health->overruns,
		.device_xruns = hr_page_get(page, HR_STAT_DEVICE_XRUNS),
		.xrun_cause = hr_page_get(page, HR_STAT_XRUN_CAUSE),
		.latency_avg_us = hr_ns_to_us(latency->avg),
		.latency_min_us = hr_ns_to_us(latency->min),
		.latency_max_us = hr_ns_to_us(latency->max),
		.latency_p50_us = hr_ns_to_us(latency->p50),
		.latency_p95_us = hr_ns_to_us(latency->p95),
		.latency_p99_us = hr_ns_to_us(latency->p99),
		.late_max_us = hr_ns_to_us(hr_page_get(page, HR_STAT_LATE_MAX_NS)),
		.pool_hits = hr_page_get(page, HR_STAT_POOL_HITS),
		.pool_misses = hr_page_get(page, HR_STAT_POOL_MISSES),
		.rate = hr_page_get(page, HR_STAT_RATE),
		.channels = hr_page_get(page, HR_STAT_CHANNELS),
		.period_frames = hr_page_get(page, HR_STAT_PERIOD),
		.buffer_frames = hr_page_get(page, HR_STAT_BUFFER),
		.trigger_percent = trigger,
		.clear_percent = clear,
	};
	/* The monitor's clock of a process that was killed never stopped: then
	 * nobody knows how long the stream was up. */
	if (hr_page_get(page, HR_STAT_STATE) == HR_STATE_CLOSED)
		snapshot->uptime_s = health->uptime_ns / HR_NS_PER_S;
}

/* What is true only as long as the stream lives. */
static void hr_snapshot_fill_live(struct hr_snapshot *snapshot,
				  const struct hr_page *page,
				  const struct hr_health_snapshot *health,
				  uint64_t now_ns)
{
	snapshot->state = hr_page_get(page, HR_STAT_STATE);
	snapshot->healthy = health->is_healthy;
	snapshot->fill_percent = hr_page_get(page, HR_STAT_FILL);
	snapshot->pressure_percent = hr_page_get(page, HR_STAT_PRESSURE);
	snapshot->throughput = health->throughput;
	snapshot->rate_measured = hr_page_get(page, HR_STAT_RATE_MEASURED);
	snapshot->pool_size = hr_page_get(page, HR_STAT_POOL_SIZE);
	snapshot->realtime = hr_page_get(page, HR_STAT_REALTIME);
	snapshot->uptime_s = health->uptime_ns / HR_NS_PER_S;
	snapshot->process = hr_page_get(page, HR_STAT_PROCESS);
	if (hr_page_get(page, HR_STAT_PRESSURE_RAISED)) {
		uint64_t ended_ns = hr_page_get(page, HR_STAT_PRESSURE_NS);
		uint64_t since_ns = hr_page_get(page, HR_STAT_PRESSURE_SINCE_NS);
		/* An episode that began after now_ns was taken lies ahead. */
		uint64_t length_ns = since_ns < now_ns ? now_ns - since_ns : 0;

		snapshot->pressure_raised = true;
		snapshot->pressure_now_ms = length_ns / HR_NS_PER_MS;
		snapshot->pressure_total_ms = (ended_ns + length_ns) / HR_NS_PER_MS;
	}
}

int hr_snapshot_take(struct hr_snapshot *snapshot, const struct hr_page *page,
		     bool with_latency, uint64_t now_ns)
{
	struct hr_health_snapshot health;
	int err;

	if (!page) {
		hr_snapshot_of_nothing(snapshot);
		return 0;
	}
	err = hr_health_get_snapshot(hr_page_health_const(page),
				     with_latency ? hr_page_window_max(page) : 0,
				     &health, now_ns);
	if (err < 0)
		return err;
	hr_snapshot_fill_lasting(snapshot, page, &health);
	if (hr_page_is_live(page))
		hr_snapshot_fill_live(snapshot, page, &health, now_ns);
	return 0;
}

int hr_snapshot_take_ended(struct hr_snapshot *snapshot, const struct hr_page *page,
			   uint64_t now_ns)
{
	struct hr_health_snapshot health;
	int err = hr_health_get_snapshot(hr_page_health_const(page),
					 hr_page_window_max(page), &health, now_ns);

	if (err < 0)
		return err;
	hr_snapshot_fill_lasting(snapshot, page, &health);
	snapshot->uptime_s = health.uptime_ns / HR_NS_PER_S;
	return 0;
}
