/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the tests of the control device share: the table of elements that users
 * are promised, a control handle on the module in HEADROOM_CTL_LIB, and streams
 * to look at, written with core/. Each test has a directory of pages of its own.
 */
#ifndef HR_TESTS_CTL_FIXTURE_H
#define HR_TESTS_CTL_FIXTURE_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <alsa/asoundlib.h>
#include "core/health_page.h"

#define N_ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define N_EXPECTED 41u	/* elements of a stream */

/* The contract, written out by hand: what users see in amixer. */
struct expected {
	const char *suffix;
	snd_ctl_elem_type_t type;
	int64_t min, max;
	int64_t at_rest;	/* when nothing ever ran */
	const char *items;	/* of an enumeration, each with a comma */
};

extern const struct expected expected[N_EXPECTED];
extern const char *const prefix[];	/* of the names, by enum hr_direction */
extern char directory[];		/* of the pages */
extern char complaints[4096];		/* what alsa-lib and the module printed */

/** A test case with the fixture, in the suite. */
TCase *add_case(Suite *suite, const char *name);

/** Run the suite; the exit status of the program. */
int run_suite(Suite *suite);

/** Open a control as a program would call it; body is the definition of ctl.x.
 * Returns what alsa-lib does. */
int try_open(snd_ctl_t **ctlp, const char *name, const char *body);

/** Open ctl.x without any option. */
snd_ctl_t *open_ctl(void);

/** Fill in what tells an element from others. */
void set_id(snd_ctl_elem_id_t *id, enum hr_direction direction,
	    unsigned int slot, const char *suffix);

/** A value of any of the types, read by name or just taken out. */
int64_t value_in(const snd_ctl_elem_value_t *value, snd_ctl_elem_type_t type);
int64_t read_slot(snd_ctl_t *ctl, enum hr_direction direction,
		  unsigned int slot, const char *suffix);
int64_t read_playback(snd_ctl_t *ctl, const char *suffix);

/** Wait until a handle may no longer serve what it has read before. */
void wait_until_stale(void);

/** A stream of the name x, thresholds 80 and 60. */
struct hr_page *open_page(enum hr_direction direction, uint64_t now_ns);

/** One that has lived for ten seconds, with a different value everywhere. */
struct hr_page *open_busy_page(enum hr_direction direction);

#endif
