/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the tests of the control device's events share: reading them as programs do,
 * checking that what they say goes together, and counting them.
 */
#ifndef HR_TESTS_EVENT_FIXTURE_H
#define HR_TESTS_EVENT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tests/ctl_fixture.h"

#define AT_LAST_MS 5000		/* for what a noisy machine must not fail */
#define LATER_MS 560		/* all is compared within this, unless it is noisy */

/* Whose elements they are: of the slots that are always there, and of slot 1 when it
 * appears first in playback. */
enum source {
	PLAYBACK,
	CAPTURE,
	PLAYBACK_1,
	CAPTURE_1,
	N_SOURCES
};

struct event {
	enum source source;
	size_t element;		/* in expected[] */
	bool is_new;		/* the element, or a value of it */
};

/* How often each element was told of. */
struct tally {
	unsigned int told[N_SOURCES][N_EXPECTED];
	unsigned int added[N_SOURCES][N_EXPECTED];
};

/** Open ctl.x and subscribe. */
snd_ctl_t *open_subscribed(void);

/** Its one descriptor. */
int fd_of(snd_ctl_t *ctl);

/** Wait until the descriptor is readable; whether it is. */
bool is_readable(snd_ctl_t *ctl, int timeout_ms);

/** Read an event if there is one, and check that all parts of it go together. */
bool read_event(snd_ctl_t *ctl, struct event *event);

/** The same, with one snd_ctl_read() after each time that the descriptor is readable;
 * false when time is up. */
bool next_event(snd_ctl_t *ctl, struct event *event, int timeout_ms);

bool is_event(const struct event *event, enum source source, const char *suffix);

/** Count what comes in the whole time. */
void tally_for(snd_ctl_t *ctl, struct tally *tally, int ms);

/** Count what comes up to this event, which must come. Returns ns until it did. */
uint64_t tally_until(snd_ctl_t *ctl, struct tally *tally, enum source source,
		     const char *suffix);

/** The same for an event alone. */
uint64_t await(snd_ctl_t *ctl, enum source source, const char *suffix);

unsigned int times_told(const struct tally *tally, enum source source,
			const char *suffix);

/** Values that were told; elements that were added. How long a live stream is up
 * (Uptime) does not count. */
unsigned int n_told(const struct tally *tally);
unsigned int n_added(const struct tally *tally);

#endif
