/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Frames between the program's memory and a chunk.
 */
#ifndef HR_PLUGIN_COPY_H
#define HR_PLUGIN_COPY_H

#include <alsa/asoundlib.h>
#include "plugin/slave.h"

/** From the program to a span; areas NULL: silence. [program] */
void hr_copy_in(const struct hr_slave *slave, const struct hr_span *span,
		const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		snd_pcm_uframes_t frames);

/** From a span to the program. [program] */
void hr_copy_out(const struct hr_slave *slave, const struct hr_span *span,
		 const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		 snd_pcm_uframes_t frames);

#endif
