/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The monitor: reads the counters through the control devices and /proc once a second,
 * writes what it saw to samples.csv, and shows how it goes.
 */
#ifndef TESTS_SOAK_MONITOR_H
#define TESTS_SOAK_MONITOR_H

#include <stdio.h>
#include <sys/types.h>

#include <alsa/asoundlib.h>

#include "tests/soak/constant.h"

struct soak_monitor {
	struct soak_shared *shared;
	const struct soak_options *options;
	pid_t program;
	snd_config_t *config;
	snd_ctl_t *ctl[SOAK_STREAMS / 2];
	FILE *samples;
	struct soak_constant constant;
	bool on_terminal;
};

/** Begin; the program need not have begun. */
void soak_monitor_init(struct soak_monitor *monitor, struct soak_shared *shared,
		       const struct soak_options *options, pid_t program);

/** Look at all, this second after the begin. */
void soak_monitor_look(struct soak_monitor *monitor, unsigned int second);

/** Write out what was seen. */
void soak_monitor_finish(struct soak_monitor *monitor);

#endif
