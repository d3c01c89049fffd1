/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the programs of the benchmark share: one line of JSON for each sample, which
 * report.py makes the tables and figures of, and how a sample is taken.
 *
 * A row is what is measured ("ring: push and pop, one thread"), a subject is who is
 * measured ("headroom", "ck"), a round is one turn in which each subject of a row was
 * measured once, one after the other, so that what the machine does meanwhile befalls
 * all alike: ratios are taken within a round.
 */
#ifndef TESTS_BENCH_RECORD_H
#define TESTS_BENCH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/** Rounds to measure, beside one to warm up: BENCH_ROUNDS, or 15. */
unsigned bench_rounds(void);

/** Whether BENCH_QUICK is set: shorter samples. */
bool bench_is_quick(void);

/** One sample, on standard output. unit: "ns", "1/s", "s/h", "us", "frames", "KiB"
 * or "count". */
void bench_record(const char *row, const char *subject, unsigned round, double value,
		  const char *unit);

/** A sample that is not to be believed, and why. */
void bench_drop(const char *row, const char *subject, unsigned round, const char *why);

/** A line on standard error, for who waits. */
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A line on standard error, and the end with exit status 1. */
void bench_die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/** CLOCK_MONOTONIC, ns. */
uint64_t bench_now_ns(void);

/** Keep the calling thread on one processor, counted from 0 among those that the
 * process may use. Dies if it cannot. */
void bench_pin(unsigned cpu);

#endif
