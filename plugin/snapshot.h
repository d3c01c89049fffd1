/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the elements show of one stream, at one moment: the values of its page
 * in the units of the controls, as far as they still hold.
 *
 * A stream that has ended, or whose process died, shows its counters and its
 * last settings; whatever says what is now reads as nothing. The values are not
 * yet checked against any range, and come from another process: read them
 * through hr_element_value() only.
 */
#ifndef HR_PLUGIN_SNAPSHOT_H
#define HR_PLUGIN_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include "core/health_page.h"

/* All of one type, so that a table can name them by their place. */
struct hr_snapshot {
	uint64_t state;			/* enum hr_state */
	uint64_t healthy;
	uint64_t fill_percent;
	uint64_t fill_max_percent;
	uint64_t pressure_percent;
	uint64_t pressure_raised;
	uint64_t pressure_count;
	uint64_t pressure_total_ms;	/* the present episode included */
	uint64_t pressure_now_ms;
	uint64_t chunks_pushed;
	uint64_t chunks_popped;
	uint64_t chunks_dropped;
	uint64_t frames;
	uint64_t frames_dropped;
	uint64_t frames_silence;
	uint64_t drop_rate_ppm;
	uint64_t xruns;
	uint64_t device_xruns;
	uint64_t xrun_cause;		/* enum hr_cause */
	uint64_t latency_avg_us;
	uint64_t latency_min_us;
	uint64_t latency_max_us;
	uint64_t latency_p50_us;
	uint64_t latency_p95_us;
	uint64_t latency_p99_us;
	uint64_t late_max_us;
	uint64_t throughput;		/* chunks/s */
	uint64_t rate_measured;		/* frames/s */
	uint64_t pool_hits;
	uint64_t pool_misses;
	uint64_t pool_size;		/* chunks */
	uint64_t realtime;		/* priority, 0 = none */
	uint64_t uptime_s;
	uint64_t process;		/* pid, 0 = none */
	uint64_t rate;			/* Hz */
	uint64_t channels;
	uint64_t period_frames;
	uint64_t buffer_frames;
	uint64_t trigger_percent;
	uint64_t clear_percent;
	uint64_t reset;			/* always 0: reads off */
};

/**
 * Take a snapshot of a page as of now_ns, for an attached one of what was copied last.
 * page NULL stands for a stream that never ran. The latency is to be had by sorting
 * its samples; without, it reads 0. Returns 0, or -ENOMEM; *snapshot is then undefined.
 */
int hr_snapshot_take(struct hr_snapshot *snapshot, const struct hr_page *page,
		     bool with_latency, uint64_t now_ns);

/** The same as if the stream had just ended. */
int hr_snapshot_take_ended(struct hr_snapshot *snapshot, const struct hr_page *page,
			   uint64_t now_ns);

#endif
