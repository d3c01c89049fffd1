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

/* One row each. The field names the value and its unit; `how` says when a change
 * is told, and what writing does. */
#define HR_ROW(name, kind, low, high, names, field, ...) {	\
	.suffix = (name),					\
	.type = SND_CTL_ELEM_TYPE_##kind,			\
	.min = (low),						\
	.max = (high),						\
	.items = (names),					\
	.offset = offsetof(struct hr_snapshot, field),		\
	__VA_ARGS__						\
}
#define HR_INT(name, low, high, field, how) \
	HR_ROW(name, INTEGER, low, high, NULL, field, how)
#define HR_INT64(name, field, how) \
	HR_ROW(name, INTEGER64, 0, INT64_MAX, NULL, field, how)
#define HR_BOOL(name, field, how) \
	HR_ROW(name, BOOLEAN, 0, 1, NULL, field, how)
#define HR_ENUM(name, names, field, how) \
	HR_ROW(name, ENUMERATED, 0, (int64_t)HR_N_ITEMS(names) - 1, names, field, how)

#define LATER .is_urgent = false
#define AT_ONCE .is_urgent = true
#define SETTING(which) AT_ONCE, .setting = HR_SETTING_##which

const struct hr_element hr_elements[] = {
	HR_ENUM("State", state_items, state, AT_ONCE),
	HR_BOOL("Healthy", healthy, AT_ONCE),
	HR_INT("Fill", 0, 100, fill_percent, LATER),
	HR_INT("Fill Max", 0, 100, fill_max_percent, LATER),
	HR_INT("Pressure", 0, 100, pressure_percent, LATER),
	HR_ENUM("Pressure State", pressure_items, pressure_raised, AT_ONCE),
	HR_INT("Pressure Count", 0, INT_MAX, pressure_count, LATER),
	HR_INT("Pressure Time", 0, INT_MAX, pressure_total_ms, LATER),
	HR_INT("Pressure Time Now", 0, INT_MAX, pressure_now_ms, LATER),
	HR_INT64("Chunks Pushed", chunks_pushed, LATER),
	HR_INT64("Chunks Popped", chunks_popped, LATER),
	HR_INT64("Chunks Dropped", chunks_dropped, LATER),
	HR_INT64("Frames", frames, LATER),
	HR_INT64("Frames Dropped", frames_dropped, LATER),
	HR_INT64("Frames Silence", frames_silence, LATER),
	HR_INT("Drop Rate", 0, 1000000, drop_rate_ppm, LATER),
	HR_INT("Xruns", 0, INT_MAX, xruns, AT_ONCE),
	HR_INT("Device Xruns", 0, INT_MAX, device_xruns, LATER),
	HR_ENUM("Xrun Cause", cause_items, xrun_cause, LATER),
	HR_INT("Latency Avg", 0, INT_MAX, latency_avg_us, LATER),
	HR_INT("Latency Min", 0, INT_MAX, latency_min_us, LATER),
	HR_INT("Latency Max", 0, INT_MAX, latency_max_us, LATER),
	HR_INT("Latency P50", 0, INT_MAX, latency_p50_us, LATER),
	HR_INT("Latency P95", 0, INT_MAX, latency_p95_us, LATER),
	HR_INT("Latency P99", 0, INT_MAX, latency_p99_us, LATER),
	HR_INT("Wakeup Late Max", 0, INT_MAX, late_max_us, LATER),
	HR_INT("Throughput", 0, INT_MAX, throughput, LATER),
	HR_INT("Rate Measured", 0, INT_MAX, rate_measured, LATER),
	HR_INT("Pool Hits", 0, INT_MAX, pool_hits, LATER),
	HR_INT("Pool Misses", 0, INT_MAX, pool_misses, LATER),
	HR_INT("Pool Size", 0, INT_MAX, pool_size, LATER),
	HR_INT("Realtime", 0, 99, realtime, LATER),
	HR_INT("Uptime", 0, INT_MAX, uptime_s, LATER),
	HR_INT("Process", 0, INT_MAX, process, LATER),
	HR_INT("Rate", 0, INT_MAX, rate, LATER),
	HR_INT("Channels", 0, INT_MAX, channels, LATER),
	HR_INT("Period", 0, INT_MAX, period_frames, LATER),
	HR_INT("Buffer", 0, INT_MAX, buffer_frames, LATER),
	/* A threshold above the other would be refused, so the ranges leave room. */
	HR_INT("Trigger", 2, 100, trigger_percent, SETTING(TRIGGER)),
	HR_INT("Clear", 1, 99, clear_percent, SETTING(CLEAR)),
	HR_BOOL("Reset", reset, SETTING(RESET)),
};

const size_t hr_n_elements = HR_N_ITEMS(hr_elements);
_Static_assert(HR_N_ITEMS(hr_elements) <= HR_ELEMENTS_MAX, "a bit for each");

void hr_element_get_name(const struct hr_element *element,
			 enum hr_direction direction,
			 char name[static HR_ELEMENT_NAME_MAX + 1])
{
	snprintf(name, HR_ELEMENT_NAME_MAX + 1, "Headroom %s %s",
		 direction == HR_PLAYBACK ? "Playback" : "Capture", element->suffix);
}

void hr_element_get_id(const struct hr_element *element, enum hr_direction direction,
		       uint32_t slot, snd_ctl_elem_id_t *id)
{
	char name[HR_ELEMENT_NAME_MAX + 1];

	hr_element_get_name(element, direction, name);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_id_set_device(id, 0);
	snd_ctl_elem_id_set_subdevice(id, slot);
	snd_ctl_elem_id_set_name(id, name);
	snd_ctl_elem_id_set_index(id, 0);
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
