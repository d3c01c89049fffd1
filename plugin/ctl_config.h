/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The definition of a control device in asoundrc:
 *
 *	ctl.NAME { type headroom  [ name STRING ]  [ user STRING|INTEGER ] }
 */
#ifndef HR_PLUGIN_CTL_CONFIG_H
#define HR_PLUGIN_CTL_CONFIG_H

#include <alsa/asoundlib.h>
#include "core/health_page.h"

struct hr_ctl_config {
	char name[HR_PAGE_NAME_MAX + 1];	/* of the streams to show; never empty */
	uid_t owner;				/* whose; HR_PAGE_OWN by default */
};

/**
 * Read and check a definition. ctl_name is what the program asked for, with its
 * arguments, or NULL: up to the first ':' it is the default of `name`. Where that
 * is empty or longer than HR_PAGE_NAME_MAX, the default is "headroom".
 * Returns 0, or -EINVAL after one line that names what is wrong and what is
 * allowed; *config is then undefined.
 */
int hr_ctl_config_read(struct hr_ctl_config *config, const char *ctl_name,
		       snd_config_t *conf);

#endif
