/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The elements that each stream has as ALSA controls: one table.
 *
 * The full name of an element is "Headroom Playback " or "Headroom Capture " and
 * its suffix; interface PCM, device 0, index 0, and as subdevice the slot of the
 * stream. The order of the table is part of the numid, so it only grows at its end.
 */
#ifndef HR_PLUGIN_ELEMENTS_H
#define HR_PLUGIN_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <alsa/asoundlib.h>
#include "plugin/snapshot.h"

#define HR_ELEMENT_NAME_MAX 43u	/* bytes; what the control interface can hold */

/* What writing an element does. */
enum hr_setting {
	HR_SETTING_NONE,		/* it cannot be written */
	HR_SETTING_TRIGGER,
	HR_SETTING_CLEAR,
	HR_SETTING_RESET,		/* writing on resets; it always reads off */
};

struct hr_element {
	const char *suffix;
	snd_ctl_elem_type_t type;	/* BOOLEAN, ENUMERATED, INTEGER or INTEGER64 */
	int64_t min, max;
	const char *const *items;	/* max + 1 names when ENUMERATED, else NULL */
	size_t offset;			/* of the value in struct hr_snapshot */
	enum hr_setting setting;
	bool is_urgent;			/* a change of it is told at once */
};

#define HR_ELEMENTS_MAX 64u	/* of a stream: a bit each */

extern const struct hr_element hr_elements[];
extern const size_t hr_n_elements;

/** Write the full name, NUL-terminated. */
void hr_element_get_name(const struct hr_element *element,
			 enum hr_direction direction,
			 char name[static HR_ELEMENT_NAME_MAX + 1]);

/** Fill in all that tells the element of a stream from others, but for the numid. */
void hr_element_get_id(const struct hr_element *element, enum hr_direction direction,
		       uint32_t slot, snd_ctl_elem_id_t *id);

/** The value that a snapshot has for the element, always within min..max: a
 * number is limited to them, an item that does not exist is the first. */
int64_t hr_element_value(const struct hr_element *element,
			 const struct hr_snapshot *snapshot);

#endif
