/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/card_element.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static void get_id(const struct hr_card_elements *card, size_t i, snd_ctl_elem_id_t *id)
{
	hr_element_get_id(&hr_elements[i], card->direction, card->slot, id);
}

static long card_max(const struct hr_element *element)
{
	return element->max < INT_MAX ? (long)element->max : INT_MAX;
}

void hr_card_note_error(struct hr_card_elements *card, size_t i, int err)
{
	if (err == -ENODEV) {
		hr_page_set_companion(card->page, -1);
		snd_ctl_close(card->ctl);
		card->ctl = NULL;
	} else if (err == -ENOENT) {
		card->numid[i] = 0;	/* somebody has removed it */
	}
}

int hr_card_write(struct hr_card_elements *card, size_t i, long value)
{
	snd_ctl_elem_value_t *elem;
	int err;

	if (!card->ctl || !card->numid[i])
		return 0;
	snd_ctl_elem_value_alloca(&elem);
	snd_ctl_elem_value_set_numid(elem, card->numid[i]);
	switch (hr_elements[i].type) {
	case SND_CTL_ELEM_TYPE_BOOLEAN:
		snd_ctl_elem_value_set_boolean(elem, 0, value);
		break;
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		snd_ctl_elem_value_set_enumerated(elem, 0, (unsigned int)value);
		break;
	default:
		snd_ctl_elem_value_set_integer(elem, 0, value);
		break;
	}
	err = snd_ctl_elem_write(card->ctl, elem);
	if (err < 0) {
		hr_card_note_error(card, i, err);
		return err;
	}
	card->shown[i] = value;
	return 0;
}

bool hr_card_read(struct hr_card_elements *card, size_t i, long *value)
{
	snd_ctl_elem_value_t *elem;
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&elem);
	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	get_id(card, i, id);
	snd_ctl_elem_info_set_id(info, id);
	snd_ctl_elem_value_set_id(elem, id);
	if (snd_ctl_elem_info(card->ctl, info) < 0 ||
	    snd_ctl_elem_info_get_type(info) != hr_elements[i].type ||
	    snd_ctl_elem_read(card->ctl, elem) < 0)
		return false;
	*value = hr_elements[i].type == SND_CTL_ELEM_TYPE_BOOLEAN ?
		 snd_ctl_elem_value_get_boolean(elem, 0) :
		 snd_ctl_elem_value_get_integer(elem, 0);
	return *value >= hr_elements[i].min && *value <= hr_elements[i].max;
}

int hr_card_remove(struct hr_card_elements *card, size_t i)
{
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_id_alloca(&id);
	get_id(card, i, id);
	return snd_ctl_elem_remove(card->ctl, id);
}

static int add_element(struct hr_card_elements *card, size_t i)
{
	const struct hr_element *element = &hr_elements[i];
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;
	long max = card_max(element);
	int err;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	get_id(card, i, id);
	snd_ctl_elem_info_set_id(info, id);
	switch (element->type) {
	case SND_CTL_ELEM_TYPE_BOOLEAN:
		err = snd_ctl_add_boolean_elem_set(card->ctl, info, 1, 1);
		break;
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		err = snd_ctl_add_enumerated_elem_set(card->ctl, info, 1, 1,
						      (unsigned int)max + 1,
						      element->items);
		break;
	default:
		err = snd_ctl_add_integer_elem_set(card->ctl, info, 1, 1,
						   (long)element->min, max, 0);
		break;
	}
	/* alsa-lib may have made it, and then failed to write its first value. Of one that
	 * there was before it says -EBUSY. */
	if (err < 0 && err != -EBUSY)
		(void)hr_card_remove(card, i);
	card->numid[i] = err < 0 ? 0 : snd_ctl_elem_info_get_numid(info);
	card->is_made[i] = err >= 0;
	return err;
}

static bool has_items(struct hr_card_elements *card, const struct hr_element *element,
		      snd_ctl_elem_info_t *info)
{
	if (snd_ctl_elem_info_get_items(info) != (unsigned int)element->max + 1)
		return false;
	for (unsigned int item = 0; item <= (unsigned int)element->max; item++) {
		snd_ctl_elem_info_set_item(info, item);
		if (snd_ctl_elem_info(card->ctl, info) < 0 ||
		    strcmp(snd_ctl_elem_info_get_item_name(info), element->items[item]) != 0)
			return false;
	}
	return true;
}

/* Whether an element is what we would make. */
static bool is_alike(struct hr_card_elements *card, size_t i, snd_ctl_elem_info_t *info)
{
	const struct hr_element *element = &hr_elements[i];
	snd_ctl_elem_type_t type = snd_ctl_elem_info_get_type(info);

	if (snd_ctl_elem_info_get_count(info) != 1 ||
	    !snd_ctl_elem_info_is_readable(info) || !snd_ctl_elem_info_is_writable(info))
		return false;
	switch (element->type) {
	case SND_CTL_ELEM_TYPE_BOOLEAN:
		return type == SND_CTL_ELEM_TYPE_BOOLEAN;
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		return type == SND_CTL_ELEM_TYPE_ENUMERATED && has_items(card, element, info);
	default:
		return type == SND_CTL_ELEM_TYPE_INTEGER &&
		       snd_ctl_elem_info_get_min(info) == element->min &&
		       snd_ctl_elem_info_get_max(info) == card_max(element);
	}
}

int hr_card_claim(struct hr_card_elements *card, size_t i)
{
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;
	int err;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	get_id(card, i, id);
	err = snd_ctl_elem_lock(card->ctl, id);
	if (err == -ENOENT)
		return add_element(card, i);
	if (err < 0)
		return err;
	/* One that fits keeps its numid, by which alsactl knows its place: a new one
	 * would leave a hole there, since the kernel counts on. */
	snd_ctl_elem_info_set_id(info, id);
	if (snd_ctl_elem_info(card->ctl, info) == 0 && is_alike(card, i, info)) {
		card->numid[i] = snd_ctl_elem_info_get_numid(info);
		card->is_made[i] = false;
		return 0;
	}
	err = hr_card_remove(card, i);
	return err < 0 ? err : add_element(card, i);
}

int hr_card_give_free(struct hr_card_elements *card, size_t i)
{
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_id_alloca(&id);
	get_id(card, i, id);
	return snd_ctl_elem_unlock(card->ctl, id);
}
