/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The elements of a stream as user-defined elements of the card that its slave belongs
 * to, for amixer -c, alsactl store, restore and monitor.
 *
 * The same table as that of the control device, but INTEGER where that has INTEGER64,
 * since alsactl restore cannot make those again: such counters stay at the largest
 * int. The subdevice is the first of the card that no living stream has; who could make
 * or lock the element State has it. The kernel lets only the handle that made an element write
 * to it, and it is ours but for Trigger, Clear and Reset, which are given free. When
 * the process dies the elements stay, but belong to nobody.
 *
 * One thread at a time. NULL stands for a stream without them: allowed everywhere.
 */
#ifndef HR_PLUGIN_CARD_ELEMENTS_H
#define HR_PLUGIN_CARD_ELEMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <alsa/asoundlib.h>
#include "core/health_page.h"

struct hr_card_elements;

/** The index of the card that a PCM belongs to; negative if that is none. */
int hr_card_of(snd_pcm_t *slave);

/**
 * Make the elements on the card of that index. Those that a killed process or alsactl
 * restore has left in the subdevice are taken over; thresholds found there that are not
 * the former stream's, so that somebody has set them, count for this one.
 * Returns 0; or -errno after one line, and the stream does without.
 */
int hr_card_elements_open(struct hr_card_elements **cardp, int index,
			  struct hr_page *page, enum hr_direction direction);

/** Of the stream that they show. */
enum hr_direction hr_card_elements_direction(const struct hr_card_elements *card);

/** What tells, by being readable, that somebody has changed a control of the card; -1:
 * nothing. */
int hr_card_elements_fd(const struct hr_card_elements *card);

/** Take over what others have set. A threshold that is set beyond the other moves it
 * along: the kernel has accepted it already. True if there was something. */
bool hr_card_elements_obey(struct hr_card_elements *card);

/** Write what has changed. True if the stream runs, and so will change again. */
bool hr_card_elements_update(struct hr_card_elements *card, uint64_t now_ns);

/** The stream ends: remove the elements, or leave them as it ended. */
void hr_card_elements_end(struct hr_card_elements *card, bool keep, uint64_t now_ns);

/** Close and free, leaving the elements as they are. */
void hr_card_elements_close(struct hr_card_elements *card);

#endif
