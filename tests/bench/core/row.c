/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "row.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "tests/bench/record.h"

/* For a sample. So short that most escape when a hypervisor takes the processor away,
 * as some do a thousand times a second: the median is then of undisturbed ones. */
#define RUNS 41u
#define RUNS_QUICK 15u
#define RUN_NS 300000.0
#define N_FIRST 64u			/* operations, to begin with */
#define PLACEMENT_TOLERANCE 0.25
#define ATTEMPTS 3

struct turn {
	const struct row *row;
	const struct row_subject *subjects;
	unsigned int n_subjects;
	uint64_t n[ROW_SUBJECTS_MAX];	/* operations of a run */
	double values[ROW_SUBJECTS_MAX];
	double probe_ns;		/* of the present round */
};

static struct {
	char **prefixes;
	int n_prefixes;
	bool any;
} wanted;

void row_select(char **prefixes, int n_prefixes)
{
	wanted.prefixes = prefixes;
	wanted.n_prefixes = n_prefixes;
}

bool row_is_wanted(const char *name)
{
	bool is_wanted = wanted.n_prefixes == 0;

	for (int i = 0; i < wanted.n_prefixes; i++)
		if (strncmp(name, wanted.prefixes[i], strlen(wanted.prefixes[i])) == 0)
			is_wanted = true;
	wanted.any |= is_wanted;
	return is_wanted;
}

bool row_any_was_wanted(void)
{
	return wanted.any;
}

static uint64_t round_up(uint64_t n, uint32_t multiple)
{
	return multiple ? (n + multiple - 1) / multiple * multiple : n;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nanoseconds of an operation. */
static double sample(struct turn *turn, unsigned int i)
{
	const struct row *row = turn->row;
	const void *ops = turn->subjects[i].ops;
	void *object = row->open(ops, row->param);
	unsigned int n_runs = bench_is_quick() ? RUNS_QUICK : RUNS;
	double ns[RUNS];

	/* What the first run finds cold is not the object's fault. */
	row->run(ops, object, round_up(N_FIRST, row->multiple));
	for (unsigned int run = 0; run < n_runs; run++)
		ns[run] = (double)row->run(ops, object, turn->n[i]) / (double)turn->n[i];
	row->close(ops, object);
	qsort(ns, n_runs, sizeof(ns[0]), compare);
	return ns[n_runs / 2];
}

/* How many operations take about as long as a run should. */
static void find_n(struct turn *turn, unsigned int i)
{
	const struct row *row = turn->row;
	double run_ns = row->run_ns > 0 ? row->run_ns : RUN_NS;
	uint64_t n = N_FIRST;
	double ns;

	for (;;) {
		turn->n[i] = round_up(n, row->multiple);
		ns = sample(turn, i);
		if (ns * (double)n >= run_ns / 4)
			break;
		n *= 4;
	}
	turn->n[i] = round_up((uint64_t)(run_ns / ns) + 1, row->multiple);
}

static bool placement_changed(const struct turn *turn)
{
	double now_ns;

	if (!turn->row->needs_two)
		return false;
	now_ns = pair_probe();
	return now_ns > turn->probe_ns * (1 + PLACEMENT_TOLERANCE) ||
	       now_ns < turn->probe_ns / (1 + PLACEMENT_TOLERANCE);
}

/* Returns how many subjects were measured before the placement changed. */
static unsigned int measure_once(struct turn *turn)
{
	turn->probe_ns = turn->row->needs_two ? pair_probe() : 0;
	for (unsigned int i = 0; i < turn->n_subjects; i++) {
		turn->values[i] = sample(turn, i);
		if (placement_changed(turn))
			return i;
	}
	return turn->n_subjects;
}

/* Of the row's unit, from nanoseconds of an operation. */
static double in_unit(const struct row *row, double ns)
{
	if (strcmp(row->unit, "1/s") == 0)
		return 1e9 / ns;
	return strcmp(row->unit, "us") == 0 ? ns / 1000 : ns;
}

static void measure_round(struct turn *turn, const char *name, unsigned int round)
{
	unsigned int n_measured = 0;

	for (int i = 0; i < ATTEMPTS && n_measured < turn->n_subjects; i++)
		n_measured = measure_once(turn);
	for (unsigned int i = 0; i < n_measured; i++)
		bench_record(name, turn->subjects[i].name, round,
			     in_unit(turn->row, turn->values[i]), turn->row->unit);
	for (unsigned int i = n_measured; i < turn->n_subjects; i++)
		bench_drop(name, turn->subjects[i].name, round,
			   "the processors were moved meanwhile");
}

/* How far apart the processors were, for who reads the row. */
static void say_placement(const char *name, double least_ns, double most_ns)
{
	bench_say("%s: the processors were %.0f to %.0f ns apart, for a round trip", name,
		  least_ns, most_ns);
	printf("{\"run\": {\"placement, %s\": \"%.0f to %.0f ns\"}}\n", name, least_ns,
	       most_ns);
}

void row_measure(const struct row *row, const struct row_subject *subjects,
		 unsigned int n_subjects)
{
	struct turn turn = {
		.row = row, .subjects = subjects, .n_subjects = n_subjects,
	};
	double least_ns = DBL_MAX, most_ns = 0;
	char name[100];

	if (!row_is_wanted(row->name))
		return;
	if (n_subjects > ROW_SUBJECTS_MAX)
		bench_die("%s: too many subjects", row->name);
	snprintf(name, sizeof(name), "core: %s", row->name);
	bench_say("%s", name);
	for (unsigned int i = 0; i < n_subjects; i++)
		find_n(&turn, i);
	for (unsigned int round = 1; round <= bench_rounds(); round++) {
		measure_round(&turn, name, round);
		least_ns = fmin(least_ns, turn.probe_ns);
		most_ns = fmax(most_ns, turn.probe_ns);
	}
	if (row->needs_two)
		say_placement(name, least_ns, most_ns);
}
