/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>

#include "core/clock.h"
#include "core/health.h"
#include "tests/suite.h"

#define MS HR_NS_PER_MS
#define S HR_NS_PER_S
#define WINDOW 64u

static struct hr_health *health;

static void setup(void)
{
	ck_assert_int_eq(hr_health_create(&health, WINDOW), 0);
	ck_assert_int_eq(hr_health_open(health, WINDOW, 100 * S), 0);
}

static void teardown(void)
{
	hr_health_destroy(health);
}

static struct hr_health_snapshot snapshot_at(uint64_t now_ns)
{
	struct hr_health_snapshot snapshot;

	memset(&snapshot, 0xa5, sizeof(snapshot));
	ck_assert_int_eq(hr_health_get_snapshot(health, WINDOW, &snapshot, now_ns), 0);
	ck_assert_int_eq(snapshot.is_healthy, hr_health_is_healthy(health));
	return snapshot;
}

static void assert_no_latency(const struct hr_latency *latency)
{
	ck_assert_uint_eq(latency->n_samples, 0);
	ck_assert_uint_eq(latency->avg, 0);
	ck_assert_uint_eq(latency->min, 0);
	ck_assert_uint_eq(latency->max, 0);
	ck_assert_uint_eq(latency->p50, 0);
	ck_assert_uint_eq(latency->p95, 0);
	ck_assert_uint_eq(latency->p99, 0);
}

static void assert_zero(const struct hr_health_snapshot *snapshot)
{
	ck_assert_uint_eq(snapshot->chunks, 0);
	ck_assert_uint_eq(snapshot->frames, 0);
	ck_assert_uint_eq(snapshot->frames_dropped, 0);
	ck_assert_uint_eq(snapshot->frames_silence, 0);
	ck_assert_uint_eq(snapshot->chunks_dropped, 0);
	ck_assert_uint_eq(snapshot->overruns, 0);
	ck_assert_uint_eq(snapshot->drop_rate_ppm, 0);
	ck_assert_uint_eq(snapshot->throughput, 0);
	assert_no_latency(&snapshot->latency);
	ck_assert(!snapshot->pressure);
	ck_assert(snapshot->is_healthy);
}

/* ---- making one ---- */

static const uint32_t bad_window[] = { 0, 1, 15, 65537, UINT32_MAX };

START_TEST(window_out_of_bounds_is_refused)
{
	struct hr_health *other = NULL;

	ck_assert_int_eq(hr_health_create(&other, bad_window[_i]), -EINVAL);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(hr_health_init(health, bad_window[_i]), -EINVAL);
	ck_assert_int_eq(hr_health_open(health, bad_window[_i], 1), -EINVAL);
}
END_TEST

START_TEST(smallest_and_largest_window_are_accepted)
{
	struct hr_health *other;

	ck_assert_int_eq(hr_health_create(&other, HR_HEALTH_WINDOW_MIN), 0);
	hr_health_destroy(other);
	ck_assert_int_eq(hr_health_create(&other, HR_HEALTH_WINDOW_MAX), 0);
	hr_health_destroy(other);
}
END_TEST

START_TEST(needs_at_most_16_bytes_per_sample_beside_a_constant)
{
	size_t constant = hr_health_bytes(HR_HEALTH_WINDOW_MIN);

	for (uint32_t window = 16; window <= 65536; window += 16) {
		ck_assert_uint_le(hr_health_bytes(window), constant + 16 * window);
		ck_assert_uint_ge(hr_health_bytes(window), 8 * window);
	}
}
END_TEST

START_TEST(destroy_accepts_null)
{
	hr_health_destroy(NULL);
}
END_TEST

START_TEST(empty_monitor_reads_as_zero)
{
	struct hr_health *other;
	struct hr_health_snapshot snapshot;

	memset(&snapshot, 0xa5, sizeof(snapshot));
	ck_assert_int_eq(hr_health_create(&other, WINDOW), 0);
	ck_assert_int_eq(hr_health_get_snapshot(other, WINDOW, &snapshot, 5 * S), 0);
	assert_zero(&snapshot);
	ck_assert_uint_eq(snapshot.uptime_ns, 0);
	ck_assert(hr_health_is_healthy(other));
	hr_health_destroy(other);
}
END_TEST

START_TEST(opened_monitor_without_a_chunk_reads_as_zero)
{
	struct hr_health_snapshot snapshot = snapshot_at(105 * S);

	assert_zero(&snapshot);
}
END_TEST

/* ---- counters ---- */

START_TEST(drops_are_counted)
{
	struct hr_health_snapshot snapshot;

	hr_health_drop(health, 480);
	hr_health_drop(health, 20);
	hr_health_drop_chunk(health);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.frames_dropped, 500);
	ck_assert_uint_eq(snapshot.chunks_dropped, 1);
	ck_assert_uint_eq(snapshot.overruns, 0);
}
END_TEST

START_TEST(silence_and_overruns_are_counted)
{
	struct hr_health_snapshot snapshot;

	hr_health_silence(health, 7);
	hr_health_silence(health, 1ull << 40);
	hr_health_overrun(health);
	hr_health_overrun(health);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.frames_silence, (1ull << 40) + 7);
	ck_assert_uint_eq(snapshot.overruns, 2);
}
END_TEST

START_TEST(chunks_and_their_frames_are_counted)
{
	struct hr_health_snapshot snapshot;

	for (uint32_t i = 0; i < 1000; i++)
		hr_health_chunk(health, 480 + i % 2, 1000, 100 * S + i * MS);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.chunks, 1000);
	ck_assert_uint_eq(snapshot.frames, 480500);
}
END_TEST

static const struct {
	uint32_t frames;
	uint64_t dropped;
	uint32_t ppm;
} rates[] = {
	{ 1000, 0, 0 },
	{ 990, 10, 10000 },
	{ 0, 1, 1000000 },
	{ 1, 1, 500000 },
	{ 999999, 1, 1 },
	{ 1000000, UINT64_MAX, 999999 },
	{ 0, UINT64_MAX, 1000000 },
	{ 4000000000u, 18000000000000000000ull, 999999 },
};

START_TEST(drop_rate_is_the_lost_share_of_all_frames)
{
	uint32_t ppm;

	if (rates[_i].frames)
		hr_health_chunk(health, rates[_i].frames, 0, 100 * S);
	if (rates[_i].dropped)
		hr_health_drop(health, rates[_i].dropped);
	ppm = snapshot_at(101 * S).drop_rate_ppm;
	/* With 64-bit counts the last digit may be rounded either way. */
	ck_assert_uint_le(ppm, rates[_i].ppm + (rates[_i].dropped > UINT32_MAX));
	ck_assert_uint_ge(ppm, rates[_i].ppm);
}
END_TEST

START_TEST(counters_go_on_over_close_and_open)
{
	struct hr_health_snapshot snapshot;

	hr_health_chunk(health, 100, 5000, 100 * S);
	hr_health_drop(health, 3);
	hr_health_close(health, 101 * S);
	ck_assert_int_eq(hr_health_open(health, WINDOW, 200 * S), 0);
	hr_health_chunk(health, 100, 7000, 200 * S);
	snapshot = snapshot_at(201 * S);
	ck_assert_uint_eq(snapshot.chunks, 2);
	ck_assert_uint_eq(snapshot.frames, 200);
	ck_assert_uint_eq(snapshot.frames_dropped, 3);
	ck_assert_uint_eq(snapshot.latency.n_samples, 2);
	ck_assert_uint_eq(snapshot.latency.avg, 6000);
}
END_TEST

/* ---- healthy or not ---- */

static void do_drop(void) { hr_health_drop(health, 1); }
static void do_drop_chunk(void) { hr_health_drop_chunk(health); }
static void do_silence(void) { hr_health_silence(health, 1); }
static void do_overrun(void) { hr_health_overrun(health); }

static void (*const losses[])(void) = {
	do_drop, do_drop_chunk, do_silence, do_overrun,
};

START_TEST(any_loss_makes_it_unhealthy_until_a_reset)
{
	ck_assert(snapshot_at(100 * S).is_healthy);
	losses[_i]();
	ck_assert(!snapshot_at(100 * S).is_healthy);
	hr_health_close(health, 101 * S);
	ck_assert(!snapshot_at(102 * S).is_healthy);
	hr_health_reset(health);
	ck_assert(snapshot_at(103 * S).is_healthy);
	losses[_i]();
	ck_assert(!snapshot_at(104 * S).is_healthy);
}
END_TEST

START_TEST(pressure_makes_it_unhealthy_while_it_lasts)
{
	hr_health_set_pressure(health, true);
	ck_assert(snapshot_at(100 * S).pressure);
	ck_assert(!snapshot_at(100 * S).is_healthy);
	hr_health_set_pressure(health, false);
	ck_assert(!snapshot_at(100 * S).pressure);
	ck_assert(snapshot_at(100 * S).is_healthy);
}
END_TEST

START_TEST(chunks_alone_leave_it_healthy)
{
	hr_health_chunk(health, 480, 3600 * S, 100 * S);
	ck_assert(snapshot_at(100 * S).is_healthy);
}
END_TEST

START_TEST(reset_does_not_hide_pressure_and_close_ends_it)
{
	hr_health_set_pressure(health, true);
	hr_health_reset(health);
	ck_assert(snapshot_at(100 * S).pressure);
	ck_assert(!snapshot_at(100 * S).is_healthy);
	hr_health_close(health, 101 * S);
	ck_assert(!snapshot_at(101 * S).pressure);
	ck_assert(snapshot_at(101 * S).is_healthy);
}
END_TEST

/* ---- latency ---- */

START_TEST(one_sample_is_all_there_is_to_say)
{
	struct hr_latency latency;

	hr_health_chunk(health, 480, 1234, 100 * S);
	latency = snapshot_at(100 * S).latency;
	ck_assert_uint_eq(latency.n_samples, 1);
	ck_assert_uint_eq(latency.avg, 1234);
	ck_assert_uint_eq(latency.min, 1234);
	ck_assert_uint_eq(latency.max, 1234);
	ck_assert_uint_eq(latency.p50, 1234);
	ck_assert_uint_eq(latency.p95, 1234);
	ck_assert_uint_eq(latency.p99, 1234);
}
END_TEST

START_TEST(percentiles_of_1_to_100_are_their_rank)
{
	struct hr_health *other;
	struct hr_health_snapshot snapshot;

	ck_assert_int_eq(hr_health_create(&other, 100), 0);
	for (uint64_t i = 0; i < 100; i++)
		hr_health_chunk(other, 1, (i * 37) % 100 + 1, 0);
	ck_assert_int_eq(hr_health_get_snapshot(other, 100, &snapshot, 0), 0);
	ck_assert_uint_eq(snapshot.latency.p50, 50);
	ck_assert_uint_eq(snapshot.latency.p95, 95);
	ck_assert_uint_eq(snapshot.latency.p99, 99);
	ck_assert_uint_eq(snapshot.latency.avg, 50);
	ck_assert_uint_eq(snapshot.latency.min, 1);
	ck_assert_uint_eq(snapshot.latency.max, 100);
	hr_health_destroy(other);
}
END_TEST

START_TEST(average_of_huge_samples_does_not_overflow)
{
	for (int i = 0; i < 64; i++)
		hr_health_chunk(health, 1, i % 2 ? UINT64_MAX : UINT64_MAX - 2, 100 * S);
	ck_assert_uint_eq(snapshot_at(100 * S).latency.avg, UINT64_MAX - 1);
}
END_TEST

START_TEST(only_the_latest_window_of_samples_counts)
{
	struct hr_latency latency;

	for (uint64_t i = 0; i < WINDOW; i++)
		hr_health_chunk(health, 1, 9000000, 100 * S);
	for (uint64_t i = 0; i < WINDOW - 1; i++)
		hr_health_chunk(health, 1, 5 + i, 100 * S);
	latency = snapshot_at(100 * S).latency;
	ck_assert_uint_eq(latency.n_samples, WINDOW);
	ck_assert_uint_eq(latency.min, 5);
	ck_assert_uint_eq(latency.max, 9000000);
	hr_health_chunk(health, 1, 6, 100 * S);
	latency = snapshot_at(100 * S).latency;
	ck_assert_uint_eq(latency.n_samples, WINDOW);
	ck_assert_uint_eq(latency.max, 5 + WINDOW - 2);
}
END_TEST

START_TEST(reader_that_knows_of_less_memory_reads_less)
{
	struct hr_health_snapshot snapshot;

	for (uint64_t i = 0; i < WINDOW; i++)
		hr_health_chunk(health, 1, i, 100 * S);
	ck_assert_int_eq(hr_health_get_snapshot(health, 10, &snapshot, 100 * S), 0);
	ck_assert_uint_eq(snapshot.latency.n_samples, 10);
	ck_assert_int_eq(hr_health_get_snapshot(health, 0, &snapshot, 100 * S), 0);
	assert_no_latency(&snapshot.latency);
	ck_assert_int_eq(hr_health_get_snapshot(health, UINT32_MAX, &snapshot, 100 * S), 0);
	ck_assert_uint_eq(snapshot.latency.n_samples, WINDOW);
}
END_TEST

START_TEST(another_window_empties_the_samples_only)
{
	struct hr_health_snapshot snapshot;

	hr_health_chunk(health, 100, 1000, 100 * S);
	hr_health_close(health, 100 * S);
	ck_assert_int_eq(hr_health_open(health, WINDOW / 2, 101 * S), 0);
	snapshot = snapshot_at(101 * S);
	assert_no_latency(&snapshot.latency);
	ck_assert_uint_eq(snapshot.chunks, 1);
	for (uint64_t i = 0; i < WINDOW; i++)
		hr_health_chunk(health, 1, i, 101 * S);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.latency.n_samples, WINDOW / 2);
	ck_assert_uint_eq(snapshot.latency.min, WINDOW / 2);
}
END_TEST

/* The definition, not a second way to compute it. */
static void assert_percentile(const uint64_t *samples, uint32_t n, uint32_t percent,
			      uint64_t value)
{
	uint32_t below = 0, equal = 0;

	for (uint32_t i = 0; i < n; i++) {
		below += samples[i] < value;
		equal += samples[i] == value;
	}
	ck_assert_uint_gt(equal, 0);
	ck_assert_uint_ge(100 * (below + equal), percent * n);
	ck_assert_uint_lt(100 * below, percent * n);
}

static void check_random_window(uint32_t window, uint32_t n_recorded)
{
	uint64_t *samples = calloc(window, sizeof(*samples));
	uint32_t n = n_recorded < window ? n_recorded : window;
	struct hr_health_snapshot snapshot;
	struct hr_health *other;
	uint64_t sum = 0, min = UINT64_MAX, max = 0;
	uint32_t range = 1 + (uint32_t)rand() % (rand() % 2 ? 10 : 1000000000);

	ck_assert_ptr_nonnull(samples);
	ck_assert_int_eq(hr_health_create(&other, window), 0);
	for (uint32_t i = 0; i < n_recorded; i++) {
		samples[i % window] = (uint32_t)rand() % range;
		hr_health_chunk(other, 1, samples[i % window], i);
	}
	for (uint32_t i = 0; i < n; i++) {
		sum += samples[i];
		min = samples[i] < min ? samples[i] : min;
		max = samples[i] > max ? samples[i] : max;
	}
	ck_assert_int_eq(hr_health_get_snapshot(other, window, &snapshot, 0), 0);
	ck_assert_uint_eq(snapshot.latency.n_samples, n);
	ck_assert_uint_eq(snapshot.latency.avg, sum / n);
	ck_assert_uint_eq(snapshot.latency.min, min);
	ck_assert_uint_eq(snapshot.latency.max, max);
	assert_percentile(samples, n, 50, snapshot.latency.p50);
	assert_percentile(samples, n, 95, snapshot.latency.p95);
	assert_percentile(samples, n, 99, snapshot.latency.p99);
	hr_health_destroy(other);
	free(samples);
}

START_TEST(statistics_of_random_windows_meet_their_definition)
{
	srand(42);
	for (uint32_t n = 1; n <= 210; n++)
		check_random_window(200, n);
	for (int i = 0; i < 100; i++) {
		uint32_t window = 16 + (uint32_t)rand() % 2000;

		check_random_window(window, 1 + (uint32_t)rand() % (2 * window));
	}
	check_random_window(HR_HEALTH_WINDOW_MIN, HR_HEALTH_WINDOW_MIN);
	check_random_window(HR_HEALTH_WINDOW_MAX, HR_HEALTH_WINDOW_MAX + 5);
}
END_TEST

/* ---- throughput and uptime ---- */

/* n chunks, the last at *now_ns + n * step_ns; *now_ns moves there. */
static void run_chunks(uint32_t n, uint64_t step_ns, uint64_t *now_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		*now_ns += step_ns;
		hr_health_chunk(health, 480, 1000, *now_ns);
	}
}

START_TEST(throughput_before_the_first_second_is_over_what_has_elapsed)
{
	uint64_t now_ns = 100 * S;

	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 0);
	run_chunks(1, 10 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 100);
	run_chunks(49, 10 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 100);
}
END_TEST

START_TEST(throughput_stands_still_between_two_intervals)
{
	uint64_t now_ns = 100 * S;

	run_chunks(100, 10 * MS, &now_ns);
	for (int i = 0; i < 500; i++) {
		run_chunks(1, 10 * MS, &now_ns);
		ck_assert_uint_eq(snapshot_at(now_ns).throughput, 100);
		ck_assert_uint_eq(snapshot_at(now_ns + 9 * MS).throughput, 100);
	}
}
END_TEST

START_TEST(throughput_follows_a_new_rate_within_two_seconds)
{
	uint64_t now_ns = 100 * S;

	run_chunks(333, 10 * MS, &now_ns);
	run_chunks(100, 20 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 50);
}
END_TEST

START_TEST(throughput_of_one_chunk_a_second_is_one)
{
	uint64_t now_ns = 100 * S;

	for (int i = 0; i < 10; i++) {
		run_chunks(1, 1 * S, &now_ns);
		ck_assert_uint_eq(snapshot_at(now_ns).throughput, 1);
		ck_assert_uint_eq(snapshot_at(now_ns + 999 * MS).throughput, 1);
	}
}
END_TEST

START_TEST(throughput_falls_towards_zero_when_nothing_moves)
{
	uint64_t now_ns = 100 * S;
	uint32_t last;

	run_chunks(250, 10 * MS, &now_ns);
	last = snapshot_at(now_ns).throughput;
	ck_assert_uint_eq(last, 100);
	for (int i = 1; i < 600; i++) {
		uint32_t rate = snapshot_at(now_ns + i * 500 * MS).throughput;

		ck_assert_uint_le(rate, last);
		last = rate;
	}
	ck_assert_uint_eq(last, 0);
}
END_TEST

START_TEST(throughput_begins_anew_after_a_pause)
{
	uint64_t now_ns = 100 * S;

	run_chunks(200, 10 * MS, &now_ns);
	now_ns += 3600 * S;
	run_chunks(1, 10 * MS, &now_ns);
	run_chunks(20, 10 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 100);
}
END_TEST

START_TEST(throughput_begins_anew_with_a_reset)
{
	uint64_t now_ns = 100 * S;

	run_chunks(150, 10 * MS, &now_ns);
	hr_health_reset(health);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 0);
	run_chunks(1, 10 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns + 1).throughput, 0);
	run_chunks(20, 10 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 100);
}
END_TEST

START_TEST(throughput_is_zero_after_close_and_of_the_new_stream_after_open)
{
	uint64_t now_ns = 100 * S;

	run_chunks(150, 10 * MS, &now_ns);
	hr_health_close(health, now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 0);
	hr_health_open(health, WINDOW, now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 0);
	run_chunks(10, 5 * MS, &now_ns);
	ck_assert_uint_eq(snapshot_at(now_ns).throughput, 200);
}
END_TEST

START_TEST(times_that_run_backwards_are_harmless)
{
	struct hr_health_snapshot snapshot;

	hr_health_chunk(health, 1, 1, 50 * S);
	snapshot = snapshot_at(1);
	ck_assert_uint_eq(snapshot.throughput, 0);
	ck_assert_uint_eq(snapshot.uptime_ns, 0);
	hr_health_close(health, 1);
	ck_assert_uint_eq(snapshot_at(200 * S).uptime_ns, 0);
}
END_TEST

START_TEST(uptime_runs_from_open_and_stands_after_close)
{
	ck_assert_uint_eq(snapshot_at(100 * S).uptime_ns, 0);
	ck_assert_uint_eq(snapshot_at(107 * S).uptime_ns, 7 * S);
	hr_health_reset(health);
	hr_health_chunk(health, 1, 1, 108 * S);
	ck_assert_uint_eq(snapshot_at(108 * S).uptime_ns, 8 * S);
	hr_health_close(health, 110 * S);
	ck_assert_uint_eq(snapshot_at(999 * S).uptime_ns, 10 * S);
	hr_health_open(health, WINDOW, 1000 * S);
	ck_assert_uint_eq(snapshot_at(1001 * S).uptime_ns, 1 * S);
}
END_TEST

/* ---- reset ---- */

static void record_everything(uint64_t now_ns)
{
	hr_health_chunk(health, 480, 1000, now_ns);
	hr_health_drop(health, 1);
	hr_health_drop_chunk(health);
	hr_health_silence(health, 2);
	hr_health_overrun(health);
}

START_TEST(reset_reads_as_zero_before_it_is_carried_out)
{
	struct hr_health_snapshot snapshot;
	uint32_t count = hr_health_reset_count(health);

	record_everything(100 * S);
	hr_health_reset(health);
	ck_assert_uint_eq(hr_health_reset_count(health), count + 1);
	snapshot = snapshot_at(101 * S);
	assert_zero(&snapshot);
}
END_TEST

START_TEST(each_writer_carries_out_a_reset_at_its_next_record)
{
	struct hr_health_snapshot snapshot;

	record_everything(100 * S);
	hr_health_reset(health);
	hr_health_reset(health);
	hr_health_chunk(health, 100, 7, 101 * S);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.chunks, 1);
	ck_assert_uint_eq(snapshot.frames, 100);
	ck_assert_uint_eq(snapshot.latency.n_samples, 1);
	ck_assert_uint_eq(snapshot.latency.max, 7);
	ck_assert_uint_eq(snapshot.frames_dropped, 0);

	hr_health_overrun(health);
	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.overruns, 1);
	ck_assert_uint_eq(snapshot.frames_dropped, 0);
	ck_assert_uint_eq(snapshot.frames_silence, 0);
	ck_assert_uint_eq(snapshot.chunks_dropped, 0);
	ck_assert_uint_eq(snapshot.chunks, 1);
}
END_TEST

START_TEST(reset_while_closed_counts_for_the_next_stream)
{
	struct hr_health_snapshot snapshot;

	record_everything(100 * S);
	hr_health_close(health, 101 * S);
	hr_health_reset(health);
	hr_health_open(health, WINDOW, 102 * S);
	snapshot = snapshot_at(103 * S);
	assert_zero(&snapshot);
	record_everything(104 * S);
	snapshot = snapshot_at(104 * S);
	ck_assert_uint_eq(snapshot.chunks, 1);
	ck_assert_uint_eq(snapshot.frames_dropped, 1);
}
END_TEST

START_TEST(everything_is_counted_again_after_a_reset)
{
	struct hr_health_snapshot snapshot;

	for (int i = 0; i < 10; i++) {
		hr_health_reset(health);
		record_everything(100 * S);
		record_everything(100 * S);
		snapshot = snapshot_at(101 * S);
		ck_assert_uint_eq(snapshot.chunks, 2);
		ck_assert_uint_eq(snapshot.frames_dropped, 2);
		ck_assert_uint_eq(snapshot.chunks_dropped, 2);
		ck_assert_uint_eq(snapshot.frames_silence, 4);
		ck_assert_uint_eq(snapshot.overruns, 2);
		ck_assert_uint_eq(snapshot.latency.n_samples, 2);
	}
}
END_TEST

/* ---- several threads ---- */

#define N_RECORDS 100000u

static _Atomic uint32_t begun;		/* chunks the consumer has begun to record */
static _Atomic uint32_t n_writers;

static void *consumer_main(void *arg)
{
	for (uint32_t i = 0; i < N_RECORDS; i++) {
		atomic_store(&begun, i + 1);
		hr_health_chunk(health, 3, 1000 + i % 1000, 100 * S + i * 1000);
	}
	atomic_fetch_sub(&n_writers, 1);
	return arg;
}

static void *keeper_main(void *arg)
{
	for (uint32_t i = 0; i < N_RECORDS; i++) {
		hr_health_set_pressure(health, i % 2 == 0);
		hr_health_drop(health, 2);
		hr_health_drop_chunk(health);
		hr_health_silence(health, 5);
		hr_health_overrun(health);
	}
	atomic_fetch_sub(&n_writers, 1);
	return arg;
}

static void *reader_main(void *arg)
{
	struct hr_health_snapshot last = { 0 };

	while (atomic_load(&n_writers) > 0) {
		struct hr_health_snapshot now;

		ck_assert_int_eq(hr_health_get_snapshot(health, WINDOW, &now, 101 * S), 0);
		ck_assert_uint_ge(now.chunks, last.chunks);
		ck_assert_uint_ge(now.frames, last.frames);
		ck_assert_uint_ge(now.frames_dropped, last.frames_dropped);
		ck_assert_uint_ge(now.overruns, last.overruns);
		ck_assert_uint_eq(now.frames % 3, 0);
		ck_assert_uint_le(now.latency.n_samples, WINDOW);
		if (now.latency.n_samples) {
			ck_assert_uint_ge(now.latency.min, 1000);
			ck_assert_uint_lt(now.latency.max, 2000);
		}
		last = now;
		sched_yield();
	}
	return arg;
}

static pthread_t start(void *(*thread_main)(void *))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, thread_main, NULL), 0);
	return thread;
}

static void join(pthread_t thread)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(two_writers_and_two_readers_lose_no_count)
{
	struct hr_health_snapshot snapshot;
	pthread_t threads[4];

	atomic_store(&n_writers, 2);
	threads[0] = start(consumer_main);
	threads[1] = start(keeper_main);
	threads[2] = start(reader_main);
	threads[3] = start(reader_main);
	for (int i = 0; i < 4; i++)
		join(threads[i]);

	snapshot = snapshot_at(101 * S);
	ck_assert_uint_eq(snapshot.chunks, N_RECORDS);
	ck_assert_uint_eq(snapshot.frames, 3 * N_RECORDS);
	ck_assert_uint_eq(snapshot.frames_dropped, 2 * N_RECORDS);
	ck_assert_uint_eq(snapshot.chunks_dropped, N_RECORDS);
	ck_assert_uint_eq(snapshot.frames_silence, 5 * N_RECORDS);
	ck_assert_uint_eq(snapshot.overruns, N_RECORDS);
	ck_assert_uint_eq(snapshot.latency.n_samples, WINDOW);
}
END_TEST

START_TEST(nothing_from_before_a_reset_is_seen_after_it)
{
	pthread_t thread;

	atomic_store(&n_writers, 1);
	thread = start(consumer_main);
	while (atomic_load(&n_writers) > 0) {
		struct hr_health_snapshot snapshot;
		/* The one begun before may be recorded after. */
		uint32_t before = atomic_load(&begun);

		before -= before > 0;
		hr_health_reset(health);
		hr_health_get_snapshot(health, WINDOW, &snapshot, 101 * S);
		ck_assert_uint_le(snapshot.chunks, atomic_load(&begun) - before);
		ck_assert_uint_le(snapshot.latency.n_samples,
				  atomic_load(&begun) - before);
		sched_yield();
	}
	join(thread);
}
END_TEST

/* ---- memory that somebody else wrote ---- */

#define N_SEEDS 10000u

static uint64_t random_state;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Random words, with many of the kind that goes wrong first. */
static void fill_hostile(void *memory, size_t bytes, uint32_t seed)
{
	static const uint64_t nasty[] = {
		0, 1, 2, UINT64_MAX, UINT64_MAX - 1, 1ull << 63, UINT32_MAX,
		1ull << 32, 0x0000000100000001ull, 0x0001000000010000ull,
	};
	unsigned char *out = memory;

	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (size_t i = 0; i + 8 <= bytes; i += 8) {
		uint64_t r = random_u64();
		uint64_t word = r % 3 == 0 ? nasty[random_u64() % 10] : random_u64();

		if (r % 5 == 0)
			word >>= random_u64() % 64;
		memcpy(out + i, &word, 8);
	}
}

START_TEST(reading_random_bytes_is_harmless)
{
	size_t bytes = hr_health_bytes(WINDOW);
	struct hr_health *other = aligned_alloc(64, bytes);

	ck_assert_ptr_nonnull(other);
	for (uint32_t seed = 0; seed < N_SEEDS; seed++) {
		struct hr_health_snapshot snapshot;

		fill_hostile(other, bytes, seed);
		ck_assert_int_eq(hr_health_get_snapshot(other, WINDOW, &snapshot,
							random_u64()), 0);
		ck_assert_uint_le(snapshot.latency.n_samples, WINDOW);
		ck_assert_uint_le(snapshot.drop_rate_ppm, 1000000);
		ck_assert_uint_le(snapshot.latency.min, snapshot.latency.p50);
		ck_assert_uint_le(snapshot.latency.p99, snapshot.latency.max);
		ck_assert_uint_le(snapshot.latency.avg, snapshot.latency.max);
		hr_health_is_healthy(other);
		hr_health_reset_count(other);
	}
	free(other);
}
END_TEST

/* A writer in a page that somebody scribbles on stays inside it. */
START_TEST(writing_over_random_bytes_is_harmless)
{
	size_t bytes = hr_health_bytes(HR_HEALTH_WINDOW_MAX);
	struct hr_health *other = aligned_alloc(64, bytes);

	ck_assert_ptr_nonnull(other);
	memset(other, 0, bytes);
	for (uint32_t seed = 0; seed < N_SEEDS; seed++) {
		fill_hostile(other, hr_health_bytes(0), seed);
		hr_health_chunk(other, (uint32_t)random_u64(), random_u64(), random_u64());
		hr_health_chunk(other, (uint32_t)random_u64(), random_u64(), random_u64());
		hr_health_drop(other, random_u64());
		hr_health_overrun(other);
		if (seed % 2)
			hr_health_reset(other);
		hr_health_chunk(other, 1, 1, random_u64());
		if (seed % 3 == 0)
			hr_health_open(other, 1024, random_u64());
		hr_health_chunk(other, 1, 1, random_u64());
		hr_health_close(other, random_u64());
	}
	free(other);
}
END_TEST

static void add_case(Suite *suite, TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
}

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void add_counters(Suite *suite)
{
	TCase *making = tcase_create("making");
	TCase *counters = tcase_create("counters");
	TCase *healthy = tcase_create("healthy");
	TCase *reset = tcase_create("reset");

	tcase_add_loop_test(making, window_out_of_bounds_is_refused, 0, N_OF(bad_window));
	tcase_add_test(making, smallest_and_largest_window_are_accepted);
	tcase_add_test(making, needs_at_most_16_bytes_per_sample_beside_a_constant);
	tcase_add_test(making, destroy_accepts_null);
	tcase_add_test(making, empty_monitor_reads_as_zero);
	tcase_add_test(making, opened_monitor_without_a_chunk_reads_as_zero);
	add_case(suite, making);

	tcase_add_test(counters, drops_are_counted);
	tcase_add_test(counters, silence_and_overruns_are_counted);
	tcase_add_test(counters, chunks_and_their_frames_are_counted);
	tcase_add_loop_test(counters, drop_rate_is_the_lost_share_of_all_frames, 0,
			    N_OF(rates));
	tcase_add_test(counters, counters_go_on_over_close_and_open);
	add_case(suite, counters);

	tcase_add_loop_test(healthy, any_loss_makes_it_unhealthy_until_a_reset, 0,
			    N_OF(losses));
	tcase_add_test(healthy, pressure_makes_it_unhealthy_while_it_lasts);
	tcase_add_test(healthy, chunks_alone_leave_it_healthy);
	tcase_add_test(healthy, reset_does_not_hide_pressure_and_close_ends_it);
	add_case(suite, healthy);

	tcase_add_test(reset, reset_reads_as_zero_before_it_is_carried_out);
	tcase_add_test(reset, each_writer_carries_out_a_reset_at_its_next_record);
	tcase_add_test(reset, reset_while_closed_counts_for_the_next_stream);
	tcase_add_test(reset, everything_is_counted_again_after_a_reset);
	add_case(suite, reset);
}

static void add_measures(Suite *suite)
{
	TCase *latency = tcase_create("latency");
	TCase *times = tcase_create("times");

	tcase_add_test(latency, one_sample_is_all_there_is_to_say);
	tcase_add_test(latency, percentiles_of_1_to_100_are_their_rank);
	tcase_add_test(latency, average_of_huge_samples_does_not_overflow);
	tcase_add_test(latency, only_the_latest_window_of_samples_counts);
	tcase_add_test(latency, reader_that_knows_of_less_memory_reads_less);
	tcase_add_test(latency, another_window_empties_the_samples_only);
	tcase_add_test(latency, statistics_of_random_windows_meet_their_definition);
	add_case(suite, latency);

	tcase_add_test(times, throughput_before_the_first_second_is_over_what_has_elapsed);
	tcase_add_test(times, throughput_stands_still_between_two_intervals);
	tcase_add_test(times, throughput_follows_a_new_rate_within_two_seconds);
	tcase_add_test(times, throughput_of_one_chunk_a_second_is_one);
	tcase_add_test(times, throughput_falls_towards_zero_when_nothing_moves);
	tcase_add_test(times, throughput_begins_anew_after_a_pause);
	tcase_add_test(times, throughput_begins_anew_with_a_reset);
	tcase_add_test(times, throughput_is_zero_after_close_and_of_the_new_stream_after_open);
	tcase_add_test(times, times_that_run_backwards_are_harmless);
	tcase_add_test(times, uptime_runs_from_open_and_stands_after_close);
	add_case(suite, times);
}

static void add_others(Suite *suite)
{
	TCase *threads = tcase_create("threads");
	TCase *hostile = tcase_create("hostile");

	tcase_add_test(threads, two_writers_and_two_readers_lose_no_count);
	tcase_add_test(threads, nothing_from_before_a_reset_is_seen_after_it);
	add_case(suite, threads);

	tcase_add_test(hostile, reading_random_bytes_is_harmless);
	tcase_add_test(hostile, writing_over_random_bytes_is_harmless);
	add_case(suite, hostile);
}

int main(void)
{
	Suite *suite = suite_create("health");

	add_counters(suite);
	add_measures(suite);
	add_others(suite);
	return suite_run(suite);
}
