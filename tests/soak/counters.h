/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The counters of a pair of streams, as any process sees them: through ctl.NAME. */
#ifndef TESTS_SOAK_COUNTERS_H
#define TESTS_SOAK_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

/** The definitions that are needed for it, or for anything else that definitions, given
 * as text, tell of. To be deleted. */
snd_config_t *soak_configure(const char *definitions);

/** Open the control device of that name. */
snd_ctl_t *soak_counters_open(snd_config_t *config, const char *name);

/** The value of "Headroom Playback ELEMENT", or Capture. */
int64_t soak_counter(snd_ctl_t *ctl, bool playback, const char *element);

/** Zero them. */
void soak_counters_reset(snd_ctl_t *ctl, bool playback);

#endif
