/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#ifndef HR_PLUGIN_VALUE_TEXT_H
#define HR_PLUGIN_VALUE_TEXT_H

#include <alsa/asoundlib.h>

/** What a value of the configuration says, as text that the caller frees. NULL for a compound,
 * for a string without content, and for want of memory. */
char *hr_value_text(const snd_config_t *node);

#endif
