/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * From the block in an asoundrc to a checked configuration. All judgement of
 * what a user wrote is here: each complaint is one line that names the
 * definition, the key, the value and what is allowed.
 */
#ifndef HR_PLUGIN_PCM_CONFIG_H
#define HR_PLUGIN_PCM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <alsa/asoundlib.h>
#include "core/health_page.h"

enum hr_card_elements_choice {
	HR_CARD_ELEMENTS_NO,
	HR_CARD_ELEMENTS_YES,
	HR_CARD_ELEMENTS_KEEP,		/* and leave them when the stream ends */
};

struct hr_pcm_config {
	snd_config_t *slave;		/* { type empty slave … }, for hr_slave_open() */
	uint32_t slave_period;		/* frames, 0 = follow the program */
	uint32_t slave_buffer;		/* frames, 0 = follow the program */
	char name[HR_PAGE_NAME_MAX + 1];
	char where[HR_PAGE_NAME_MAX + 1];	/* the definition, in messages */
	uint32_t trigger, clear;	/* percent */
	uint32_t depth_ms;
	uint32_t latency_samples;
	uint32_t rt_priority;		/* 0 = do not ask */
	bool underrun_silence;		/* on_underrun */
	bool overrun_drop;		/* on_overrun */
	bool reconnect;			/* on_device_loss */
	bool monotonic;			/* tstamp_type */
	enum hr_card_elements_choice card_elements;
	mode_t ipc_perm;
	gid_t ipc_gid;			/* (gid_t)-1 = leave it */
};

/** Read and check conf, the definition of the PCM called pcm_name (may be NULL).
 * Returns 0, -EINVAL after one line to the user, or -ENOMEM. On success
 * hr_pcm_config_finish() is owed. */
int hr_pcm_config_parse(struct hr_pcm_config *config, const char *pcm_name,
			snd_config_t *conf);

/** Free what a configuration holds; a zeroed one is allowed. */
void hr_pcm_config_finish(struct hr_pcm_config *config);

#endif
