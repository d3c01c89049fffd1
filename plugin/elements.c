/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/elements.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define HR_N_ITEMS(items) (sizeof(items) / sizeof((items)[0]))

static const char *const state_items[] = {
	[HR_STATE_CLOSED] = "Closed",
	[HR_STATE_OPEN] = "Open",
	[HR_STATE_SETUP] = "Setup",
	[HR_STATE_PREPARED] = "Prepared",
	[HR_STATE_RUNNING] = "Running",
	[HR_STATE_XRUN] = "XRun",
	[HR_STATE_DRAINING] = "Draining",
	[HR_STATE_PAUSED] = "Paused",
	[HR_STATE_SUSPENDED] = "Suspended",
	[HR_STATE_DISCONNECTED] = "Disconnected",
};

static const char *const pressure_items[] = { "Normal", "Pressure" };

static const char *const cause_items[] = {
	[HR_CAUSE_NONE] = "None",
	[HR_CAUSE_PROGRAM] = "Program",
	[HR_CAUSE_SCHEDULER] = "Scheduler",
	[HR_CAUSE_DEVICE] = "Device",
};

/* One row each, read-only. The field names the value and its unit. */
#define HR_ROW(name, kind, low, high, names, field) {		\
	.suffix = (name),					\
	.type = SND_CTL_ELEM_TYPE_##kind,			\
	.min = (low),						\
	.max = (high),						\
	.items = (names),					\
	.offset = offsetof(struct hr_snapshot, field),		\
}
#define HR_INT(name, low, high, field) \
	HR_ROW(name, INTEGER, low, high, NULL, field)
#define HR_INT64(name, field) \
	HR_ROW(name, INTEGER64, 0, INT64_MAX, NULL, field)
#define HR_BOOL(name, field) \
	HR_ROW(name, BOOLEAN, 0, 1, NULL, field)
#define HR_ENUM(name, names, field) \
	HR_ROW(name, ENUMERATED, 0, (int64_t)HR_N_ITEMS(names) - 1, names, field)

const struct hr_element hr_elements[] = {
	HR_ENUM("State", state_items, state),
	HR_BOOL("Healthy", healthy),
	HR_INT("Fill", 0, 100, fill_percent),
	HR_INT("Fill Max", 0, 100, fill_max_percent),
	HR_INT("Pressure", 0, 100, pressure_percent),
	HR_ENUM("Pressure State", pressure_items, pressure_raised),
	HR_INT("Pressure Count", 0, INT_MAX, pressure_count),
	HR_INT("Pressure Time", 0, INT_MAX, pressure_total_ms),
	HR_INT("Pressure Time Now", 0, INT_MAX, pressure_now_ms),
	HR_INT64("Chunks Pushed", chunks_pushed),
	HR_INT64("Chunks Popped", chunks_popped),
	HR_INT64("Chunks Dropped", chunks_dropped),
	HR_INT64("Frames", frames),
	HR_INT64("Frames Dropped", frames_dropped),
	HR_INT64("Frames Silence", frames_silence),
	HR_INT("Drop Rate", 0, 1000000, drop_rate_ppm),
	HR_INT("Xruns", 0, INT_MAX, xruns),
	HR_INT("Device Xruns", 0, INT_MAX, device_xruns),
	HR_ENUM("Xrun Cause", cause_items, xrun_cause),
	HR_INT("Latency Avg", 0, INT_MAX, latency_avg_us),
	HR_INT("Latency Min", 0, INT_MAX, latency_min_us),
	HR_INT("Latency Max", 0, INT_MAX, latency_max_us),
	HR_INT("Latency P50", 0, INT_MAX, latency_p50_us),
	HR_INT("Latency P95", 0, INT_MAX, latency_p95_us),
	HR_INT("Latency P99", 0, INT_MAX, latency_p99_us),
	HR_INT("Wakeup Late Max", 0, INT_MAX, late_max_us),
	HR_INT("Throughput", 0, INT_MAX, throughput),
	HR_INT("Rate Measured", 0, INT_MAX, rate_measured),
	HR_INT("Pool Hits", 0, INT_MAX, pool_hits),
	HR_INT("Pool Misses", 0, INT_MAX, pool_misses),
	HR_INT("Pool Size", 0, INT_MAX, pool_size),
	HR_INT("Realtime", 0, 99, realtime),
	HR_INT("Uptime", 0, INT_MAX, uptime_s),
	HR_INT("Process", 0, INT_MAX, process),
	HR_INT("Rate", 0, INT_MAX, rate),
	HR_INT("Channels", 0, INT_MAX, channels),
	HR_INT("Period", 0, INT_MAX, period_frames),
	HR_INT("Buffer", 0, INT_MAX, buffer_frames),
	/* A threshold above the other would be refused, so the ranges leave room. */
	HR_INT("Trigger", 2, 100, trigger_percent),
	HR_INT("Clear", 1, 99, clear_percent),
	HR_BOOL("Reset", reset),
};

const size_t hr_n_elements = HR_N_ITEMS(hr_elements);

void hr_element_get_name(const struct hr_element *element,
			 enum hr_direction direction,
			 char name[static HR_ELEMENT_NAME_MAX + 1])
{
	snprintf(name, HR_ELEMENT_NAME_MAX + 1, "Headroom %s %s",
		 direction == HR_PLAYBACK ? "Playback" : "Capture", element->suffix);
}

int64_t hr_element_value(const struct hr_element *element,
			 const struct hr_snapshot *snapshot)
{
	uint64_t value;

	memcpy(&value, (const char *)snapshot + element->offset, sizeof(value));
	if (element->items && value > (uint64_t)element->max)
		return 0;
	if (value < (uint64_t)element->min)
		return element->min;
	if (value > (uint64_t)element->max)
		return element->max;
	return (int64_t)value;
}
