/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/ctl_config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "plugin/value_text.h"

#define HR_NAME_DEFAULT "headroom"	/* where the control has no name that fits */

static int hr_ctl_config_set_name(struct hr_ctl_config *config,
				  const char *name, size_t n_bytes)
{
	if (n_bytes < 1 || n_bytes > HR_PAGE_NAME_MAX) {
		SNDERR("headroom: name \"%.*s\" has %zu bytes, allowed are 1 to %u",
		       (int)n_bytes, name, n_bytes, HR_PAGE_NAME_MAX);
		return -EINVAL;
	}
	memcpy(config->name, name, n_bytes);
	config->name[n_bytes] = '\0';
	return 0;
}

static int hr_ctl_config_refuse(const char *key, snd_config_t *entry,
				const char *allowed)
{
	char *value = hr_value_text(entry);

	if (snd_config_get_type(entry) == SND_CONFIG_TYPE_COMPOUND)
		SNDERR("headroom: %s { ... }: %s", key, allowed);
	else
		SNDERR("headroom: %s %s: %s", key, value ? value : "\"\"", allowed);
	free(value);
	return -EINVAL;
}

/* The user whose streams to show; an empty name, which an argument may be, is us. */
static int hr_ctl_config_set_user(struct hr_ctl_config *config, snd_config_t *entry)
{
	struct passwd passwd, *found = NULL;
	char buf[16384];	/* for one with many words about him */
	const char *text = NULL;
	char *end = NULL;
	long number = -1;

	if (snd_config_get_integer(entry, &number) < 0 &&
	    snd_config_get_string(entry, &text) == 0) {
		if (!text || !*text)
			return 0;
		if (getpwnam_r(text, &passwd, buf, sizeof(buf), &found) == 0 && found)
			number = (long)passwd.pw_uid;
		else
			number = strtol(text, &end, 10);
		if (end && *end)
			number = -1;
	}
	if (number < 0 || number >= UINT32_MAX)
		return hr_ctl_config_refuse("user", entry,
			"no such user, the name or number of one is allowed");
	config->owner = (uid_t)number;
	return 0;
}

int hr_ctl_config_read(struct hr_ctl_config *config, const char *ctl_name,
		       snd_config_t *conf)
{
	snd_config_t *name_entry = NULL;
	snd_config_iterator_t i, next;
	const char *name;
	size_t n_bytes;
	int err;

	config->owner = HR_PAGE_OWN;
	snd_config_for_each(i, next, conf) {
		snd_config_t *entry = snd_config_iterator_entry(i);
		const char *key;

		if (snd_config_get_id(entry, &key) < 0)
			continue;
		if (!strcmp(key, "comment") || !strcmp(key, "type") ||
		    !strcmp(key, "hint"))
			continue;
		if (!strcmp(key, "name")) {
			name_entry = entry;
		} else if (!strcmp(key, "user")) {
			err = hr_ctl_config_set_user(config, entry);
			if (err < 0)
				return err;
		} else {
			return hr_ctl_config_refuse(key, entry,
				"unknown key, allowed are type, name and user");
		}
	}

	if (name_entry) {
		if (snd_config_get_string(name_entry, &name) < 0)
			return hr_ctl_config_refuse("name", name_entry,
				"wrong type, a string is allowed");
		if (!name)
			name = "";
		return hr_ctl_config_set_name(config, name, strlen(name));
	}
	/* As the PCM of the same name calls its streams. */
	n_bytes = ctl_name ? strcspn(ctl_name, ":") : 0;
	if (n_bytes < 1 || n_bytes > HR_PAGE_NAME_MAX)
		return hr_ctl_config_set_name(config, HR_NAME_DEFAULT,
					      strlen(HR_NAME_DEFAULT));
	return hr_ctl_config_set_name(config, ctl_name, n_bytes);
}
