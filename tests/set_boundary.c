/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Apart, since the kernel's header and alsa-lib's do not go together. */
#include <stdint.h>
#include <time.h>

#include <sound/asound.h>

#include "tests/set_boundary.h"

void set_boundary(void *sw_params, unsigned long boundary)
{
	struct snd_pcm_sw_params *sw = sw_params;

	sw->boundary = boundary;
}
