/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * One element of the table as a user-defined element of a card. i is its place in
 * hr_elements[]. For card_elements.c only, and by one thread at a time.
 */
#ifndef HR_PLUGIN_CARD_ELEMENT_H
#define HR_PLUGIN_CARD_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <alsa/asoundlib.h>
#include "core/health_page.h"
#include "plugin/elements.h"

struct hr_card_elements {
	snd_ctl_t *ctl;			/* NULL: the card is gone */
	struct hr_page *page;
	enum hr_direction direction;
	uint32_t slot;			/* subdevice on the card */
	unsigned int numid[HR_ELEMENTS_MAX]; /* 0: not there */
	long shown[HR_ELEMENTS_MAX];	/* as last written or read */
	bool is_made[HR_ELEMENTS_MAX];	/* by us, and not found there */
};

/** Make it ours: one that belongs to nobody if there is one, in its place if it is of
 * another kind, or else a new one. Returns 0, -EBUSY if it belongs to somebody, or
 * -errno. */
int hr_card_claim(struct hr_card_elements *card, size_t i);

/** Remove it. Returns 0, -ENOENT, -EBUSY, or -errno. */
int hr_card_remove(struct hr_card_elements *card, size_t i);

/** Let everybody write to it. Returns 0 or -errno. */
int hr_card_give_free(struct hr_card_elements *card, size_t i);

/** Write its value, unless it or the card is gone. Returns 0 or -errno. */
int hr_card_write(struct hr_card_elements *card, size_t i, long value);

/** Read a BOOLEAN or INTEGER. False if it is not there, not of the table's type, or
 * not within its range. */
bool hr_card_read(struct hr_card_elements *card, size_t i, long *value);

/** Note that an element or the card has gone, if the error means so. A card that is
 * gone is let go of at once: its driver waits for us. */
void hr_card_note_error(struct hr_card_elements *card, size_t i, int err);

#endif
