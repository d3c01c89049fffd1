/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/counters.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/soak/shared.h"

static const char *module_path(const char *variable)
{
	const char *path = getenv(variable);

	if (!path)
		soak_die("%s is not set", variable);
	return path;
}

snd_config_t *soak_configure(const char *definitions)
{
	snd_config_t *config;
	snd_input_t *input;
	char text[4096];
	int length;

	length = snprintf(text, sizeof(text),
		"pcm_type.clocked.lib \"%s\"\n"
		"pcm_type.headroom.lib \"%s\"\n"
		"ctl_type.headroom.lib \"%s\"\n"
		"ctl.long { type headroom }\n"
		"ctl.again { type headroom }\n%s",
		module_path("CLOCKED_LIB"), module_path("HEADROOM_PCM_LIB"),
		module_path("HEADROOM_CTL_LIB"), definitions);
	if (length >= (int)sizeof(text))
		soak_die("the paths of the modules are too long");
	soak_must(snd_config_top(&config), "configuration");
	soak_must(snd_input_buffer_open(&input, text, length), "configuration");
	soak_must(snd_config_load(config, input), "configuration");
	snd_input_close(input);
	return config;
}

snd_ctl_t *soak_counters_open(snd_config_t *config, const char *name)
{
	snd_ctl_t *ctl;

	soak_must(snd_ctl_open_lconf(&ctl, name, 0, config), "control device");
	return ctl;
}

static void set_id(snd_ctl_elem_id_t *id, bool playback, const char *element)
{
	char name[64];

	snprintf(name, sizeof(name), "Headroom %s %s", playback ? "Playback" : "Capture",
		 element);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_id_set_name(id, name);
}

int64_t soak_counter(snd_ctl_t *ctl, bool playback, const char *element)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_value_alloca(&value);
	set_id(id, playback, element);
	snd_ctl_elem_info_set_id(info, id);
	soak_must(snd_ctl_elem_info(ctl, info), element);
	snd_ctl_elem_value_set_id(value, id);
	soak_must(snd_ctl_elem_read(ctl, value), element);
	switch (snd_ctl_elem_info_get_type(info)) {
	case SND_CTL_ELEM_TYPE_INTEGER64:
		return snd_ctl_elem_value_get_integer64(value, 0);
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		return snd_ctl_elem_value_get_enumerated(value, 0);
	default:
		return snd_ctl_elem_value_get_integer(value, 0);
	}
}

void soak_counters_reset(snd_ctl_t *ctl, bool playback)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_value_alloca(&value);
	set_id(id, playback, "Reset");
	snd_ctl_elem_value_set_id(value, id);
	snd_ctl_elem_value_set_boolean(value, 0, 1);
	soak_must(snd_ctl_elem_write(ctl, value), "reset");
}
