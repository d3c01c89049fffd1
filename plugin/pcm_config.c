/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/pcm_config.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/backpressure.h"
#include "plugin/value_text.h"

/* Longest device memory that makes sense: 2^24 frames are over a minute. */
#define SLAVE_FRAMES_MAX (1 << 24)

static const char *const underrun_choices[] = { "xrun", "silence", NULL };
static const char *const overrun_choices[] = { "xrun", "drop", NULL };
static const char *const loss_choices[] = { "error", "reconnect", NULL };
static const char *const tstamp_choices[] = { "gettimeofday", "monotonic", NULL };

/* What the user wrote, for a message. The caller frees it. */
static char *value_text(snd_config_t *node)
{
	return snd_config_get_type(node) == SND_CONFIG_TYPE_COMPOUND ? strdup("{…}") :
	       hr_value_text(node);
}

static int complain(const struct hr_pcm_config *config, const char *key,
		    snd_config_t *node, const char *allowed)
{
	char *text = value_text(node);

	SNDERR("headroom: in %s: %s is '%s', allowed: %s", config->where, key,
	       text ? text : "?", allowed);
	free(text);
	return -EINVAL;
}

/* An integer; a string of digits counts, since arguments arrive as strings. */
static bool get_integer(snd_config_t *node, long *value)
{
	const char *text;
	char *end;

	if (snd_config_get_integer(node, value) == 0)
		return true;
	if (snd_config_get_string(node, &text) < 0 || !*text)
		return false;
	errno = 0;
	*value = strtol(text, &end, 10);
	return !*end && !errno;
}

static int parse_uint(const struct hr_pcm_config *config, snd_config_t *node,
		      const char *key, long min, long max, uint32_t *out)
{
	char allowed[64];
	long value;

	if (get_integer(node, &value) && value >= min && value <= max) {
		*out = (uint32_t)value;
		return 0;
	}
	snprintf(allowed, sizeof(allowed), "a whole number from %ld to %ld", min, max);
	return complain(config, key, node, allowed);
}

/* The index of the node's string in choices. */
static int parse_choice(const struct hr_pcm_config *config, snd_config_t *node,
			const char *key, const char *const *choices, unsigned int *out)
{
	char allowed[64] = "";
	const char *text;

	for (unsigned int i = 0; choices[i]; i++) {
		if (snd_config_get_string(node, &text) == 0 &&
		    strcmp(text, choices[i]) == 0) {
			*out = i;
			return 0;
		}
		snprintf(allowed + strlen(allowed), sizeof(allowed) - strlen(allowed),
			 "%s%s", i ? ", " : "", choices[i]);
	}
	return complain(config, key, node, allowed);
}

static int parse_name(snd_config_t *node, struct hr_pcm_config *config)
{
	const char *text;

	if (snd_config_get_string(node, &text) < 0 || !*text ||
	    strlen(text) > HR_PAGE_NAME_MAX)
		return complain(config, "name", node, "a string of 1 to 63 bytes");
	strcpy(config->name, text);
	return 0;
}

#define PERM_ALLOWED "an octal mode that lets the owner read and write and nobody " \
		     "else write, as 0600 or 0640"

/* As for dmix: written in octal with a leading 0, which alsa-lib's parser turns
 * into an integer; an argument arrives as a string. */
static int parse_perm(snd_config_t *node, struct hr_pcm_config *config)
{
	const char *text;
	char *end = NULL;
	long value = -1;

	if (snd_config_get_integer(node, &value) < 0 &&
	    snd_config_get_string(node, &text) == 0 && *text) {
		value = strtol(text, &end, 8);
		if (*end)
			value = -1;
	}
	if (value >= 0 && value <= 0777 && ((value & 0600) != 0600 || (value & 0022))) {
		SNDERR("headroom: in %s: ipc_perm is '%#lo', allowed: " PERM_ALLOWED,
		       config->where, value);
		return -EINVAL;
	}
	if (value < 0 || value > 0777)
		return complain(config, "ipc_perm", node, PERM_ALLOWED);
	config->ipc_perm = (mode_t)value;
	return 0;
}

static int parse_gid(snd_config_t *node, struct hr_pcm_config *config)
{
	struct group group, *found = NULL;
	const char *text;
	char buf[16384];	/* for a group of many */
	long value;

	/* An empty name leaves it, for a default that can be given. */
	if (snd_config_get_string(node, &text) == 0 && !*text)
		return 0;
	if (get_integer(node, &value) && value >= 0 && value < UINT32_MAX) {
		config->ipc_gid = (gid_t)value;
		return 0;
	}
	if (snd_config_get_string(node, &text) == 0 &&
	    getgrnam_r(text, &group, buf, sizeof(buf), &found) == 0 && found) {
		config->ipc_gid = found->gr_gid;
		return 0;
	}
	return complain(config, "ipc_gid", node, "the name or number of a group");
}

/* Takes our own keys out of a slave section. */
static int parse_slave_keys(snd_config_t *slave, struct hr_pcm_config *config)
{
	snd_config_iterator_t i, next;
	int err = 0;

	snd_config_for_each(i, next, slave) {
		snd_config_t *node = snd_config_iterator_entry(i);
		const char *key;

		if (snd_config_get_id(node, &key) < 0 || strcmp(key, "pcm") == 0 ||
		    strcmp(key, "comment") == 0)
			continue;
		if (strcmp(key, "period") == 0) {
			err = parse_uint(config, node, "slave.period", 0, SLAVE_FRAMES_MAX,
					 &config->slave_period);
		} else if (strcmp(key, "buffer") == 0) {
			err = parse_uint(config, node, "slave.buffer", 0, SLAVE_FRAMES_MAX,
					 &config->slave_buffer);
		} else {
			SNDERR("headroom: in %s: unknown key 'slave.%s'; known: slave.pcm, "
			       "slave.period, slave.buffer", config->where, key);
			err = -EINVAL;
		}
		if (err < 0)
			break;
		snd_config_delete(node);
	}
	return err;
}

/* `slave "name"`, or `slave { pcm … }` with our own keys among it. Keeps a copy
 * without those, in the form that alsa-lib's empty plug-in opens. */
static int parse_slave(snd_config_t *node, struct hr_pcm_config *config)
{
	snd_config_t *copy = NULL, *type = NULL;
	int err;

	err = snd_config_copy(&copy, node);
	if (err < 0)
		return err;
	hr_pcm_config_finish(config);	/* a second `slave` replaces the first */
	if (snd_config_get_type(copy) == SND_CONFIG_TYPE_COMPOUND) {
		err = parse_slave_keys(copy, config);
		if (err < 0)
			goto err_copy;
	}

	err = snd_config_make_compound(&config->slave, "slave", 0);
	if (err < 0)
		goto err_copy;
	err = snd_config_imake_string(&type, "type", "empty");
	if (err < 0)
		goto err_copy;
	err = snd_config_add(config->slave, type);
	if (err < 0) {
		snd_config_delete(type);
		goto err_copy;
	}
	err = snd_config_add(config->slave, copy);
	if (err < 0)
		goto err_copy;
	return 0;

err_copy:
	snd_config_delete(copy);
	return err;
}

static int parse_card_elements(snd_config_t *node, struct hr_pcm_config *config)
{
	const char *text;
	char *ascii;
	int yes;

	/* snd_config_get_bool() prints a line of its own. */
	if (snd_config_get_string(node, &text) == 0 && strcmp(text, "keep") == 0) {
		config->card_elements = HR_CARD_ELEMENTS_KEEP;
		return 0;
	}
	ascii = hr_value_text(node);
	yes = ascii ? snd_config_get_bool_ascii(ascii) : -EINVAL;
	free(ascii);
	if (yes < 0)
		return complain(config, "card_elements", node, "no, yes, keep");
	config->card_elements = yes ? HR_CARD_ELEMENTS_YES : HR_CARD_ELEMENTS_NO;
	return 0;
}

static int parse_bool_choice(const struct hr_pcm_config *config, snd_config_t *node,
			     const char *key, const char *const *choices, bool *out)
{
	unsigned int choice = 0;
	int err = parse_choice(config, node, key, choices, &choice);

	*out = choice == 1;
	return err;
}

static int parse_key(const char *key, snd_config_t *node,
		     struct hr_pcm_config *config)
{
	if (strcmp(key, "slave") == 0)
		return parse_slave(node, config);
	if (strcmp(key, "name") == 0)
		return parse_name(node, config);
	if (strcmp(key, "trigger") == 0)
		return parse_uint(config, node, key, 2, 100, &config->trigger);
	if (strcmp(key, "clear") == 0)
		return parse_uint(config, node, key, 1, 99, &config->clear);
	if (strcmp(key, "depth_ms") == 0)
		return parse_uint(config, node, key, 0, 60000, &config->depth_ms);
	if (strcmp(key, "on_underrun") == 0)
		return parse_bool_choice(config, node, key, underrun_choices,
					 &config->underrun_silence);
	if (strcmp(key, "on_overrun") == 0)
		return parse_bool_choice(config, node, key, overrun_choices,
					 &config->overrun_drop);
	if (strcmp(key, "on_device_loss") == 0)
		return parse_bool_choice(config, node, key, loss_choices,
					 &config->reconnect);
	if (strcmp(key, "latency_samples") == 0)
		return parse_uint(config, node, key, HR_HEALTH_WINDOW_MIN,
				  HR_HEALTH_WINDOW_MAX, &config->latency_samples);
	if (strcmp(key, "rt_priority") == 0)
		return parse_uint(config, node, key, 0, 99, &config->rt_priority);
	if (strcmp(key, "card_elements") == 0)
		return parse_card_elements(node, config);
	if (strcmp(key, "ipc_perm") == 0)
		return parse_perm(node, config);
	if (strcmp(key, "ipc_gid") == 0)
		return parse_gid(node, config);
	if (strcmp(key, "tstamp_type") == 0)
		return parse_bool_choice(config, node, key, tstamp_choices,
					 &config->monotonic);
	SNDERR("headroom: in %s: unknown key '%s'; known: slave, name, trigger, clear, "
	       "depth_ms, on_underrun, on_overrun, on_device_loss, latency_samples, "
	       "rt_priority, card_elements, ipc_perm, ipc_gid, tstamp_type",
	       config->where, key);
	return -EINVAL;
}

static void set_defaults(struct hr_pcm_config *config, const char *pcm_name)
{
	size_t length = pcm_name ? strcspn(pcm_name, ":") : 0;

	*config = (struct hr_pcm_config) {
		.trigger = HR_BP_TRIGGER_DEFAULT,
		.clear = HR_BP_CLEAR_DEFAULT,
		.depth_ms = 2000,
		.latency_samples = HR_HEALTH_WINDOW_DEFAULT,
		.rt_priority = 60,
		.ipc_perm = 0600,
		.ipc_gid = (gid_t)-1,
	};
	/* Arguments ("headroom:hw:0") are not part of the name. */
	if (length && length <= HR_PAGE_NAME_MAX)
		memcpy(config->name, pcm_name, length);
	else
		strcpy(config->name, "headroom");
	/* As it is written in the asoundrc, for messages. */
	if (length)
		snprintf(config->where, sizeof(config->where), "pcm.%.*s", (int)length,
			 pcm_name);
	else
		strcpy(config->where, "a PCM without a name");
}

static int check_whole(const struct hr_pcm_config *config)
{
	if (!config->slave) {
		SNDERR("headroom: in %s: no slave is given; add for example "
		       "slave.pcm \"hw:0\"", config->where);
		return -EINVAL;
	}
	if (config->clear >= config->trigger) {
		SNDERR("headroom: in %s: clear is %u and trigger is %u, allowed: clear below "
		       "trigger", config->where, config->clear, config->trigger);
		return -EINVAL;
	}
	return 0;
}

int hr_pcm_config_parse(struct hr_pcm_config *config, const char *pcm_name,
			snd_config_t *conf)
{
	snd_config_iterator_t i, next;
	int err;

	set_defaults(config, pcm_name);
	snd_config_for_each(i, next, conf) {
		snd_config_t *node = snd_config_iterator_entry(i);
		const char *key;

		if (snd_config_get_id(node, &key) < 0)
			continue;
		if (strcmp(key, "comment") == 0 || strcmp(key, "type") == 0 ||
		    strcmp(key, "hint") == 0)
			continue;
		err = parse_key(key, node, config);
		if (err < 0)
			goto err_finish;
	}
	err = check_whole(config);
	if (err < 0)
		goto err_finish;
	return 0;

err_finish:
	hr_pcm_config_finish(config);
	return err;
}

void hr_pcm_config_finish(struct hr_pcm_config *config)
{
	if (config->slave)
		snd_config_delete(config->slave);
	config->slave = NULL;
}
