/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/card_elements.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plugin/card_element.h"

static size_t element_of(enum hr_setting setting)
{
	for (size_t i = 0; i < hr_n_elements; i++) {
		if (hr_elements[i].setting == setting)
			return i;
	}
	abort();	/* the table has each of them */
}

static long card_value(const struct hr_element *element, const struct hr_snapshot *snapshot)
{
	int64_t value = hr_element_value(element, snapshot);

	return value < INT_MAX ? (long)value : INT_MAX;
}

static void remove_all(struct hr_card_elements *card)
{
	for (size_t i = 0; i < hr_n_elements && card->ctl; i++) {
		if (card->numid[i])
			hr_card_note_error(card, i, hr_card_remove(card, i));
		card->numid[i] = 0;
	}
}

/* Leave the subdevice as it was found. */
static void give_up(struct hr_card_elements *card)
{
	for (size_t i = 0; i < hr_n_elements && card->ctl; i++) {
		if (card->numid[i])
			hr_card_note_error(card, i, card->is_made[i] ?
					   hr_card_remove(card, i) :
					   hr_card_give_free(card, i));
		card->numid[i] = 0;
	}
}

/* The kernel has accepted them already: one that is set beyond the other takes that
 * along. */
static void set_trigger(struct hr_page *page, uint32_t trigger)
{
	uint32_t old, clear;

	hr_page_get_thresholds(page, &old, &clear);
	(void)hr_page_set_thresholds(page, trigger, clear < trigger ? clear : trigger - 1);
}

static void set_clear(struct hr_page *page, uint32_t clear)
{
	uint32_t trigger, old;

	hr_page_get_thresholds(page, &trigger, &old);
	(void)hr_page_set_thresholds(page, trigger > clear ? trigger : clear + 1, clear);
}

/* What is found in the subdevice and is not what our streams left there: alsactl
 * restore's, or set while nothing ran. */
static void take_settings(struct hr_card_elements *card)
{
	uint32_t known_trigger = 0, known_clear = 0;
	long trigger, clear, reset;

	if (hr_card_read(card, element_of(HR_SETTING_RESET), &reset) && reset)
		(void)hr_page_reset(card->page);
	if (!hr_card_read(card, element_of(HR_SETTING_TRIGGER), &trigger) ||
	    !hr_card_read(card, element_of(HR_SETTING_CLEAR), &clear))
		return;
	(void)hr_page_get_card_thresholds(card->page, &known_trigger, &known_clear);
	if (trigger != known_trigger)
		set_trigger(card->page, (uint32_t)trigger);
	if (clear != known_clear)
		set_clear(card->page, (uint32_t)clear);
}

/* -EBUSY: another stream has it. */
static int take_slot(struct hr_card_elements *card, uint32_t slot)
{
	int err;

	card->slot = slot;
	/* The first, State, decides between two who come at once. */
	err = hr_card_claim(card, 0);
	if (err < 0)
		return err;
	take_settings(card);
	for (size_t i = 1; i < hr_n_elements && err >= 0; i++)
		err = hr_card_claim(card, i);
	if (err < 0)
		give_up(card);
	return err;
}

static int make_all(struct hr_card_elements *card)
{
	int err = -EBUSY;

	for (uint32_t slot = 0; slot < HR_PAGE_SLOTS && err == -EBUSY && card->ctl; slot++)
		err = take_slot(card, slot);
	return err;
}

/* So that the next stream can tell what somebody else has set. */
static void note_thresholds(const struct hr_card_elements *card)
{
	hr_page_set_card_thresholds(card->page,
		(uint32_t)card->shown[element_of(HR_SETTING_TRIGGER)],
		(uint32_t)card->shown[element_of(HR_SETTING_CLEAR)]);
}

/* First values, whatever was in them, and then the doors opened. */
static int fill_all(struct hr_card_elements *card)
{
	struct hr_snapshot snapshot;
	int err = hr_snapshot_take(&snapshot, card->page, true, 0);

	for (size_t i = 0; i < hr_n_elements && err >= 0; i++)
		err = hr_card_write(card, i, card_value(&hr_elements[i], &snapshot));
	for (size_t i = 0; i < hr_n_elements && err >= 0; i++) {
		if (hr_elements[i].setting != HR_SETTING_NONE)
			err = hr_card_give_free(card, i);
	}
	note_thresholds(card);
	return err;
}

static int open_card(struct hr_card_elements *card, int index)
{
	char name[32];
	int err;

	snprintf(name, sizeof(name), "hw:%d", index);
	err = snd_ctl_open(&card->ctl, name, SND_CTL_NONBLOCK);
	if (err < 0) {
		card->ctl = NULL;
		return err;
	}
	if ((err = make_all(card)) < 0)
		return err;
	if ((err = fill_all(card)) < 0 ||
	    (err = snd_ctl_subscribe_events(card->ctl, 1)) < 0)
		give_up(card);
	return err;
}

int hr_card_of(snd_pcm_t *slave)
{
	snd_pcm_info_t *info;
	int err;

	snd_pcm_info_alloca(&info);
	err = snd_pcm_info(slave, info);
	return err < 0 ? err : snd_pcm_info_get_card(info);
}

int hr_card_elements_open(struct hr_card_elements **cardp, int index,
			  struct hr_page *page, enum hr_direction direction)
{
	struct hr_card_elements *card;
	int err;

	if (index < 0) {
		SNDERR("headroom: card_elements: the slave belongs to no card, sound goes on "
		       "without them");
		return -ENODEV;
	}
	card = calloc(1, sizeof(*card));
	if (!card)
		return -ENOMEM;
	card->page = page;
	card->direction = direction;
	err = open_card(card, index);
	if (err < 0) {
		SNDERR("headroom: card_elements: cannot make them on card %d (%s), sound "
		       "goes on without them", index, snd_strerror(err));
		hr_card_elements_close(card);
		return err;
	}
	hr_page_set_companion(page, hr_card_elements_fd(card));
	*cardp = card;
	return 0;
}

/* --- while the stream is open --- */

enum hr_direction hr_card_elements_direction(const struct hr_card_elements *card)
{
	return card->direction;
}

int hr_card_elements_fd(const struct hr_card_elements *card)
{
	struct pollfd fd;

	if (!card || !card->ctl || snd_ctl_poll_descriptors(card->ctl, &fd, 1) != 1)
		return -1;
	return fd.fd;
}

/* Read all events, our own as well; true if one may be about a setting. */
static bool read_events(struct hr_card_elements *card)
{
	snd_ctl_event_t *event;
	bool any = false;
	int err;

	snd_ctl_event_alloca(&event);
	while ((err = snd_ctl_read(card->ctl, event)) > 0) {
		unsigned int numid = snd_ctl_event_elem_get_numid(event);

		for (size_t i = 0; i < hr_n_elements; i++) {
			if (hr_elements[i].setting != HR_SETTING_NONE &&
			    card->numid[i] == numid)
				any = true;
		}
	}
	if (err < 0 && err != -EAGAIN)
		hr_card_note_error(card, 0, -ENODEV);
	return any && card->ctl;
}

/* Carry out one setting if it is not what we wrote. */
static bool obey(struct hr_card_elements *card, enum hr_setting setting)
{
	size_t i = element_of(setting);
	long value;

	if (!card->ctl || !card->numid[i] || !hr_card_read(card, i, &value) ||
	    value == card->shown[i])
		return false;
	card->shown[i] = value;
	switch (setting) {
	case HR_SETTING_NONE:
		return false;
	case HR_SETTING_TRIGGER:
		set_trigger(card->page, (uint32_t)value);
		break;
	case HR_SETTING_CLEAR:
		set_clear(card->page, (uint32_t)value);
		break;
	case HR_SETTING_RESET:
		(void)hr_page_reset(card->page);
		hr_card_write(card, i, 0);
		break;
	}
	return true;
}

bool hr_card_elements_obey(struct hr_card_elements *card)
{
	bool any = false;

	if (!card || !card->ctl || !read_events(card))
		return false;
	for (enum hr_setting setting = HR_SETTING_TRIGGER; setting <= HR_SETTING_RESET;
	     setting++) {
		if (obey(card, setting))
			any = true;
	}
	return any;
}

/* Whether somebody has set it since we looked: that is to be obeyed, not overwritten. */
static bool was_set(struct hr_card_elements *card, size_t i)
{
	long value;

	return hr_elements[i].setting != HR_SETTING_NONE && card->numid[i] &&
	       hr_card_read(card, i, &value) && value != card->shown[i];
}

static void write_changes(struct hr_card_elements *card, const struct hr_snapshot *snapshot)
{
	for (size_t i = 0; i < hr_n_elements && card->ctl; i++) {
		long value = card_value(&hr_elements[i], snapshot);

		if (value != card->shown[i] && !was_set(card, i))
			(void)hr_card_write(card, i, value);
	}
	note_thresholds(card);
}

bool hr_card_elements_update(struct hr_card_elements *card, uint64_t now_ns)
{
	struct hr_snapshot snapshot;

	if (!card || !card->ctl)
		return false;
	/* Without memory now: next time. */
	if (hr_snapshot_take(&snapshot, card->page, true, now_ns) < 0)
		return true;
	write_changes(card, &snapshot);
	return card->ctl && (snapshot.state == HR_STATE_RUNNING ||
			     snapshot.state == HR_STATE_DRAINING);
}

void hr_card_elements_end(struct hr_card_elements *card, bool keep, uint64_t now_ns)
{
	struct hr_snapshot snapshot;

	if (!card)
		return;
	(void)hr_card_elements_obey(card);	/* what was set last is remembered */
	if (!keep)
		remove_all(card);
	else if (hr_snapshot_take_ended(&snapshot, card->page, now_ns) == 0)
		write_changes(card, &snapshot);
}

void hr_card_elements_close(struct hr_card_elements *card)
{
	if (!card)
		return;
	hr_page_set_companion(card->page, -1);
	if (card->ctl)
		snd_ctl_close(card->ctl);
	free(card);
}
