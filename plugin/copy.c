/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/copy.h"

#include <string.h>

/* Whether frames lie in the program's memory as in a chunk, one after the other. Then
 * they are copied at once: to alsa-lib's copying by areas, that the channels make up
 * whole frames is news each time, and finding it out takes longer than the copying. */
static bool is_packed(const struct hr_slave *slave, const snd_pcm_channel_area_t *areas)
{
	unsigned int step = slave->channels * slave->sample_bits;

	if (!slave->interleaved || areas[0].first % 8 != 0)
		return false;
	for (unsigned int c = 0; c < slave->channels; c++)
		if (areas[c].addr != areas[0].addr || areas[c].step != step ||
		    areas[c].first != areas[0].first + c * slave->sample_bits)
			return false;
	return true;
}

static unsigned char *program_frame(const struct hr_slave *slave,
				    const snd_pcm_channel_area_t *areas,
				    snd_pcm_uframes_t offset)
{
	return (unsigned char *)areas[0].addr + areas[0].first / 8 +
	       offset * slave->frame_bytes;
}

static unsigned char *chunk_frame(const struct hr_slave *slave, const struct hr_span *span)
{
	return span->chunk->data + (size_t)span->offset * slave->frame_bytes;
}

void hr_copy_in(const struct hr_slave *slave, const struct hr_span *span,
		const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		snd_pcm_uframes_t frames)
{
	snd_pcm_channel_area_t chunk[HR_CHANNELS_MAX];

	if (areas && is_packed(slave, areas)) {
		memcpy(chunk_frame(slave, span), program_frame(slave, areas, offset),
		       frames * slave->frame_bytes);
		return;
	}
	hr_slave_areas(slave, span->chunk, chunk);
	if (areas)
		snd_pcm_areas_copy(chunk, span->offset, areas, offset, slave->channels,
				   frames, slave->format);
	else
		snd_pcm_areas_silence(chunk, span->offset, slave->channels, frames,
				      slave->format);
}

void hr_copy_out(const struct hr_slave *slave, const struct hr_span *span,
		 const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		 snd_pcm_uframes_t frames)
{
	snd_pcm_channel_area_t chunk[HR_CHANNELS_MAX];

	if (is_packed(slave, areas)) {
		memcpy(program_frame(slave, areas, offset), chunk_frame(slave, span),
		       frames * slave->frame_bytes);
		return;
	}
	hr_slave_areas(slave, span->chunk, chunk);
	snd_pcm_areas_copy(areas, offset, chunk, span->offset, slave->channels, frames,
			   slave->format);
}
