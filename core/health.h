/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Health monitor: what happened to the chunks of one stream.
 *
 * It lives in memory that may be shared with other processes (all members are
 * address-free atomics, no pointers). Two threads write it, without locks and
 * without read-modify-write: the [consumer] of the ring records every chunk with
 * the time it waited, the [keeper] (the one thread that knows about losses)
 * records drops, invented frames, overruns and pressure. Both may be the same
 * thread. Anybody may read at any time.
 *
 * Counters read together while they are written need not agree with each other;
 * each by itself is exact. A reset is a request that each writer carries out at
 * its next record; readers see zeros at once.
 *
 * Who may call is given per function:
 *   [consumer]  the one thread that takes chunks out of the ring
 *   [keeper]    the one thread that records losses
 *   [any]       any thread of any process that has the memory mapped
 *   [setup]     no other call in progress
 */
#ifndef HR_CORE_HEALTH_H
#define HR_CORE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HR_HEALTH_WINDOW_MIN 16u	/* latency samples */
#define HR_HEALTH_WINDOW_MAX 65536u
#define HR_HEALTH_WINDOW_DEFAULT 1024u

struct hr_health;

/* Latencies in ns over the window; all 0 when there is no sample. Percentiles
 * are exact, by nearest rank: the smallest sample such that at least p percent of
 * the window are not greater. */
struct hr_latency {
	uint64_t avg, min, max, p50, p95, p99;
	uint32_t n_samples;	/* in the window now */
};

struct hr_health_snapshot {
	uint64_t chunks;		/* taken out of the ring */
	uint64_t frames;		/* in those chunks */
	uint64_t frames_dropped;	/* lost */
	uint64_t frames_silence;	/* invented */
	uint64_t chunks_dropped;
	uint64_t overruns;		/* episodes of loss that the program was told of */
	uint32_t drop_rate_ppm;		/* dropped / (frames + dropped) */
	uint32_t throughput;		/* chunks/s over the last second or so */
	uint64_t uptime_ns;		/* since hr_health_open(), until hr_health_close() */
	struct hr_latency latency;
	bool pressure;
	bool is_healthy;		/* nothing lost or invented, no overrun, no pressure */
};

/* Bytes; hr_health_bytes(0) is no more. */
#define HR_HEALTH_HEAD_MAX 512u

/** Bytes that a monitor with this window needs: 8 per sample, in the order in which
 * they are overwritten, behind hr_health_bytes(0) of all else. */
size_t hr_health_bytes(uint32_t window);

/** Samples that the monitor may have in its window: 0 unless it says a number that
 * can be. [any] */
uint32_t hr_health_window(const struct hr_health *health);

/** Make a monitor in private memory. Returns 0, -EINVAL for a window out of
 * HR_HEALTH_WINDOW_MIN..MAX, -ENOMEM. [setup] */
int hr_health_create(struct hr_health **healthp, uint32_t window);

/** Free what hr_health_create() made. NULL is allowed. [setup] */
void hr_health_destroy(struct hr_health *health);

/** Make a monitor in the caller's zeroed memory of hr_health_bytes(window),
 * 64-byte aligned. Returns 0 or -EINVAL. [setup] */
int hr_health_init(struct hr_health *health, uint32_t window);

/** A stream opens: uptime and throughput begin at now_ns; counters go on from
 * where they were. A different window empties the latency samples. The caller
 * vouches for the memory. Returns 0 or -EINVAL. [setup] */
int hr_health_open(struct hr_health *health, uint32_t window, uint64_t now_ns);

/** The stream has ended: uptime stands, throughput is 0, no pressure. [setup] */
void hr_health_close(struct hr_health *health, uint64_t now_ns);

/** A chunk of frames left the ring at now_ns after waiting latency_ns.
 * Wait-free. [consumer] */
void hr_health_chunk(struct hr_health *health, uint32_t frames,
		     uint64_t latency_ns, uint64_t now_ns);

/** frames were lost. [keeper] */
void hr_health_drop(struct hr_health *health, uint64_t frames);

/** A chunk was lost (its frames are recorded by hr_health_drop()). [keeper] */
void hr_health_drop_chunk(struct hr_health *health);

/** frames of silence were invented. [keeper] */
void hr_health_silence(struct hr_health *health, uint64_t frames);

/** An episode of loss that the program is told of. [keeper] */
void hr_health_overrun(struct hr_health *health);

/** Carry out a reset that was asked for in what is counted as lost or invented, without
 * waiting for the next record. [keeper] */
void hr_health_settle_losses(struct hr_health *health);

/** Which reset (of hr_health_reset_count()) what is counted as lost or invented begins
 * at: what [keeper] recorded last is counted under this. [keeper] */
uint32_t hr_health_losses_reset(const struct hr_health *health);

/** Pressure began or ended. [keeper] */
void hr_health_set_pressure(struct hr_health *health, bool pressure);

/** Episodes of loss since the reset. [any] */
uint64_t hr_health_overruns(const struct hr_health *health);

/** Whether nothing was lost or invented since the reset and there is no
 * pressure. [any] */
bool hr_health_is_healthy(const struct hr_health *health);

/**
 * Everything at once, as of now_ns. Allocates room to sort the window in, so
 * not for the streaming threads. [any]
 *
 * window_max is the number of samples that the caller knows to be mapped behind
 * the monitor: the monitor's own word for it is not trusted beyond that. With 0 the
 * latency is left out.
 * Returns 0, or -ENOMEM with everything but the latency filled in.
 */
int hr_health_get_snapshot(const struct hr_health *health, uint32_t window_max,
			   struct hr_health_snapshot *snapshot, uint64_t now_ns);

/** Ask for zero counters and an empty window. [any], one at a time */
void hr_health_reset(struct hr_health *health);

/** Counts the resets asked for, modulo 2^32: for others who keep counters beside
 * the monitor's. [any] */
uint32_t hr_health_reset_count(const struct hr_health *health);

#endif
