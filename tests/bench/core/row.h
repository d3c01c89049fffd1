/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A row of the benchmark: several subjects that do the same, measured in turn.
 *
 * A sample is the median of many short runs on an object of its own; how many
 * operations make a short run is found out in the round that warms up. Where two
 * threads are needed, the distance of the processors is probed before and after, and
 * a round in which it changed is measured again.
 */
#ifndef TESTS_BENCH_CORE_ROW_H
#define TESTS_BENCH_CORE_ROW_H

#include <stdbool.h>
#include <stdint.h>

struct row_subject {
	const char *name;
	const void *ops;		/* what the row's functions take */
};

struct row {
	const char *name;		/* without "core: " */
	const char *unit;		/* "ns" or "us": of an operation; "1/s": operations */
	bool needs_two;			/* threads, that is */
	double run_ns;			/* how long a run is; 0: as short as is good */
	uint32_t multiple;		/* of operations in a run; 0: any */
	uint32_t param;			/* for who opens it */
	void *(*open)(const void *ops, uint32_t param);
	/* Returns the time that n operations took, ns. */
	uint64_t (*run)(const void *ops, void *object, uint64_t n);
	void (*close)(const void *ops, void *object);
};

#define ROW_SUBJECTS_MAX 20

/** Measure a row, if it was asked for. */
void row_measure(const struct row *row, const struct row_subject *subjects,
		 unsigned int n_subjects);

/** What was asked for: beginnings of names, all if there is none. */
void row_select(char **prefixes, int n_prefixes);

/** Whether the row of this name was asked for; counts it, too. */
bool row_is_wanted(const char *name);

/** Whether any was. */
bool row_any_was_wanted(void);

#endif
