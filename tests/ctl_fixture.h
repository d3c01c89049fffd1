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
#include <stdio.h>
#include <unistd.h>
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

/** Whether programs may write the element; the others are read-only. */
bool is_setting(const char *suffix);

extern const char *const prefix[];	/* of the names, by enum hr_direction */
extern char directory[];		/* of the pages */
extern char complaints[4096];		/* what alsa-lib and the module printed */

/** What ck_assert is to the test, in a child of it. */
#define CHILD_ASSERT(condition)                                                 \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,      \
				#condition);                                    \
			_exit(1);                                               \
		}                                                               \
	} while (0)

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

/** Write an element by name. Returns what alsa-lib does: 1, 0 or -errno. */
int write_slot(snd_ctl_t *ctl, enum hr_direction direction, unsigned int slot,
	       const char *suffix, long value);
int write_playback(snd_ctl_t *ctl, const char *suffix, long value);

/** Wait until a handle may no longer serve what it has read before. */
void wait_until_stale(void);

unsigned int count_fds(bool *all_close_on_exec);

/** Bytes of address space. A page that is not given back takes more than
 * LEAKED_BYTES; what the allocator of a sanitizer holds back for a handle is less. */
size_t count_address_space(void);
#define LEAKED_BYTES 400000u

/* --- streams --- */

/** The path of a file in the directory of pages, good until the next call. */
const char *in_directory(const char *file);

/** A stream of the name x, thresholds 80 and 60. */
struct hr_page_config config_of(enum hr_direction direction);
struct hr_page *open_page(enum hr_direction direction, uint64_t now_ns);
struct hr_page *open_page_with(uint32_t trigger, uint32_t clear);

/** One that has lived for ten seconds, with a different value everywhere. */
struct hr_page *open_busy_page(enum hr_direction direction);

/** A child that holds a busy page, or a new one under pressure, until it is killed. */
pid_t start_stream(bool under_pressure);
void kill_stream(pid_t pid);

/** Run something as another user in a child, and demand that it succeeds, or just
 * begin. We must be root. The module must have been loaded before: others may not
 * reach it. */
void as_user(uid_t uid, void (*body)(void));
pid_t start_as_user(uid_t uid, void (*body)(void));

/** Remove a directory and all that is in it, if there is one. */
void remove_tree(const char *path);

#endif
