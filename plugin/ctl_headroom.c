/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The control device `type headroom`: shows the health of the streams of one
 * name to amixer, alsamixer, alsactl and every other ALSA mixer.
 *
 * A numid and a key are the number of the element, plus one and plain: number
 * = stream of the view * elements per stream + place in the table. Both come back
 * from the caller unchecked, so every callback goes through hr_ctl_lookup().
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <alsa/asoundlib.h>
#include <alsa/control_external.h>
#include "plugin/ctl_config.h"
#include "plugin/ctl_events.h"
#include "plugin/ctl_view.h"
#include "plugin/elements.h"

struct hr_ctl {
	snd_ctl_ext_t ext;
	struct hr_ctl_view view;
	struct hr_ctl_events events;
};

static size_t hr_ctl_n_elements(const struct hr_ctl *ctl)
{
	return ctl->view.n_streams * hr_n_elements;
}

/* NULL if there is no such element. */
static const struct hr_element *hr_ctl_lookup(const struct hr_ctl *ctl,
					      unsigned long number,
					      const struct hr_ctl_stream **streamp)
{
	if (number >= hr_ctl_n_elements(ctl))
		return NULL;
	*streamp = &ctl->view.streams[number / hr_n_elements];
	return &hr_elements[number % hr_n_elements];
}

static bool hr_ctl_matches(const struct hr_ctl *ctl, unsigned long number,
			   const snd_ctl_elem_id_t *id)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element = hr_ctl_lookup(ctl, number, &stream);
	char name[HR_ELEMENT_NAME_MAX + 1];

	if (!element ||
	    snd_ctl_elem_id_get_interface(id) != SND_CTL_ELEM_IFACE_PCM ||
	    snd_ctl_elem_id_get_device(id) != 0 ||
	    snd_ctl_elem_id_get_subdevice(id) != stream->slot ||
	    snd_ctl_elem_id_get_index(id) != 0)
		return false;
	hr_element_get_name(element, stream->direction, name);
	return !strcmp(snd_ctl_elem_id_get_name(id), name);
}

static void hr_ctl_free(struct hr_ctl *ctl)
{
	if (!ctl)
		return;
	hr_ctl_view_finish(&ctl->view);
	hr_ctl_events_finish(&ctl->events);
	free(ctl);
}

static void hr_ctl_close(snd_ctl_ext_t *ext)
{
	hr_ctl_free(ext->private_data);
}

static int hr_ctl_elem_count(snd_ctl_ext_t *ext)
{
	struct hr_ctl *ctl = ext->private_data;

	/* Who has subscribed is told of new streams, and may list before that. */
	if (!ctl->events.is_subscribed)
		hr_ctl_view_find_new(&ctl->view);
	return (int)hr_ctl_n_elements(ctl);
}

static int hr_ctl_elem_list(snd_ctl_ext_t *ext, unsigned int offset,
			    snd_ctl_elem_id_t *id)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, offset, &stream);

	if (!element)
		return -EINVAL;
	hr_element_get_id(element, stream->direction, stream->slot, id);
	return 0;
}

static snd_ctl_ext_key_t hr_ctl_find_elem(snd_ctl_ext_t *ext,
					  const snd_ctl_elem_id_t *id)
{
	const struct hr_ctl *ctl = ext->private_data;
	unsigned int numid = snd_ctl_elem_id_get_numid(id);

	/* alsa-lib has asked .elem_list for the rest of the id, but does not look
	 * whether that failed: what is in it then is the caller's. */
	if (numid)
		return hr_ctl_matches(ctl, numid - 1, id) ?
		       numid - 1 : SND_CTL_EXT_KEY_NOT_FOUND;
	for (unsigned long number = 0; number < hr_ctl_n_elements(ctl); number++) {
		if (hr_ctl_matches(ctl, number, id))
			return number;
	}
	return SND_CTL_EXT_KEY_NOT_FOUND;
}

static int hr_ctl_get_attribute(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				int *type, unsigned int *access, unsigned int *count)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, key, &stream);

	if (!element)
		return -ENOENT;
	*type = element->type;
	*access = element->setting != HR_SETTING_NONE ? SND_CTL_EXT_ACCESS_READWRITE :
					 SND_CTL_EXT_ACCESS_READ;
	*count = 1;
	return 0;
}

static int hr_ctl_get_integer_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				   long *min, long *max, long *step)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, key, &stream);

	if (!element)
		return -ENOENT;
	*min = (long)element->min;
	*max = (long)element->max;
	*step = 0;	/* any value in between */
	return 0;
}

static int hr_ctl_get_integer64_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				     int64_t *min, int64_t *max, int64_t *step)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, key, &stream);

	if (!element)
		return -ENOENT;
	*min = element->min;
	*max = element->max;
	*step = 0;
	return 0;
}

static int hr_ctl_get_enumerated_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				      unsigned int *n_items)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, key, &stream);

	if (!element || !element->items)
		return -ENOENT;
	*n_items = (unsigned int)element->max + 1;
	return 0;
}

/* alsa-lib passes on whatever item the program asks for, ignores the result and
 * hands out the name: there must be one. As in the kernel, the last stands for
 * all beyond. */
static int hr_ctl_get_enumerated_name(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				      unsigned int item, char *name, size_t n_bytes)
{
	const struct hr_ctl_stream *stream;
	const struct hr_element *element =
		hr_ctl_lookup(ext->private_data, key, &stream);

	if (!element || !element->items)
		return -ENOENT;
	if (item > (unsigned int)element->max)
		item = (unsigned int)element->max;
	snprintf(name, n_bytes, "%s", element->items[item]);
	return 0;
}

static int hr_ctl_read_value(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
			     int64_t *value)
{
	struct hr_ctl *ctl = ext->private_data;
	const struct hr_ctl_stream *stream;
	const struct hr_element *element = hr_ctl_lookup(ctl, key, &stream);
	const struct hr_snapshot *snapshot;
	int err;

	if (!element)
		return -ENOENT;
	err = hr_ctl_view_get(&ctl->view, key / hr_n_elements, &snapshot);
	if (err < 0)
		return err;
	*value = hr_element_value(element, snapshot);
	return 0;
}

static int hr_ctl_read_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
			       long *value)
{
	int64_t wide;
	int err = hr_ctl_read_value(ext, key, &wide);

	if (err < 0)
		return err;
	*value = (long)wide;	/* the table keeps an INTEGER within int */
	return 0;
}

static int hr_ctl_read_enumerated(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				  unsigned int *item)
{
	int64_t wide;
	int err = hr_ctl_read_value(ext, key, &wide);

	if (err < 0)
		return err;
	*item = (unsigned int)wide;
	return 0;
}

/* alsa-lib does not look at the access bits and ranges before it writes: these do. */
static int hr_ctl_write_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				long *value)
{
	struct hr_ctl *ctl = ext->private_data;
	const struct hr_ctl_stream *stream;
	const struct hr_element *element = hr_ctl_lookup(ctl, key, &stream);

	if (!element)
		return -ENOENT;
	if (element->setting == HR_SETTING_NONE)
		return -EPERM;
	if (*value < element->min || *value > element->max)
		return -EINVAL;
	return hr_ctl_view_set(&ctl->view, key / hr_n_elements, element->setting,
			       (uint32_t)*value);
}

static int hr_ctl_write_integer64(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				  int64_t *value)
{
	(void)ext;
	(void)key;
	(void)value;
	return -EPERM;
}

static int hr_ctl_write_enumerated(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key,
				   unsigned int *item)
{
	(void)ext;
	(void)key;
	(void)item;
	return -EPERM;
}

static void hr_ctl_subscribe_events(snd_ctl_ext_t *ext, int subscribe)
{
	struct hr_ctl *ctl = ext->private_data;

	hr_ctl_events_subscribe(&ctl->events, &ctl->view, subscribe > 0);
}

static int hr_ctl_read_event(snd_ctl_ext_t *ext, snd_ctl_elem_id_t *id,
			     unsigned int *mask)
{
	struct hr_ctl *ctl = ext->private_data;
	size_t stream, element;
	bool is_new;

	if (!hr_ctl_events_next(&ctl->events, &ctl->view, &stream, &element, &is_new))
		return -EAGAIN;
	hr_element_get_id(&hr_elements[element], ctl->view.streams[stream].direction,
			  ctl->view.streams[stream].slot, id);
	snd_ctl_elem_id_set_numid(id, (unsigned int)(stream * hr_n_elements + element) + 1);
	*mask = is_new ? SND_CTL_EVENT_MASK_ADD : SND_CTL_EVENT_MASK_VALUE;
	return 1;
}

static const snd_ctl_ext_callback_t hr_ctl_callbacks = {
	.close = hr_ctl_close,
	.elem_count = hr_ctl_elem_count,
	.elem_list = hr_ctl_elem_list,
	.find_elem = hr_ctl_find_elem,
	.get_attribute = hr_ctl_get_attribute,
	.get_integer_info = hr_ctl_get_integer_info,
	.get_integer64_info = hr_ctl_get_integer64_info,
	.get_enumerated_info = hr_ctl_get_enumerated_info,
	.get_enumerated_name = hr_ctl_get_enumerated_name,
	.read_integer = hr_ctl_read_integer,
	.read_integer64 = hr_ctl_read_value,
	.read_enumerated = hr_ctl_read_enumerated,
	.write_integer = hr_ctl_write_integer,
	.write_integer64 = hr_ctl_write_integer64,
	.write_enumerated = hr_ctl_write_enumerated,
	.subscribe_events = hr_ctl_subscribe_events,
	.read_event = hr_ctl_read_event,
};

static void hr_ctl_fill_card(struct hr_ctl *ctl)
{
	snd_ctl_ext_t *ext = &ctl->ext;

	ext->version = SND_CTL_EXT_VERSION;
	ext->card_idx = -1;
	snprintf(ext->id, sizeof(ext->id), "headroom");
	snprintf(ext->driver, sizeof(ext->driver), "headroom");
	snprintf(ext->name, sizeof(ext->name), "headroom %.*s",
		 (int)(sizeof(ext->name) - sizeof("headroom ")), ctl->view.name);
	snprintf(ext->longname, sizeof(ext->longname),
		 "Stream health: %s", ctl->view.name);
	snprintf(ext->mixername, sizeof(ext->mixername), "headroom");
	ext->callback = &hr_ctl_callbacks;
	ext->private_data = ctl;
}

__attribute__((visibility("default")))
SND_CTL_PLUGIN_DEFINE_FUNC(headroom);

SND_CTL_PLUGIN_DEFINE_FUNC(headroom)
{
	struct hr_ctl_config config;
	struct hr_ctl *ctl;
	int err;

	(void)root;
	err = hr_ctl_config_read(&config, name, conf);
	if (err < 0)
		return err;
	ctl = calloc(1, sizeof(*ctl));
	if (!ctl)
		return -ENOMEM;
	hr_ctl_view_init(&ctl->view, config.name, config.owner);
	hr_ctl_fill_card(ctl);
	err = hr_ctl_events_init(&ctl->events);
	if (err < 0)
		goto err_free;
	ctl->ext.poll_fd = ctl->events.poll_fd;
	err = snd_ctl_ext_create(&ctl->ext, name, mode);
	if (err < 0)
		goto err_free;

	/* alsa-lib owns ctl from here: closing the handle runs hr_ctl_close(). */
	*handlep = ctl->ext.handle;
	return 0;

err_free:
	hr_ctl_free(ctl);
	return err;
}

__attribute__((visibility("default")))
SND_CTL_PLUGIN_SYMBOL(headroom)
