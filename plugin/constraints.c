/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/constraints.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include "plugin/slave.h"

/* Rates that devices which take only certain ones have. */
static const unsigned int usual_rates[] = {
	4000, 5512, 6000, 8000, 11025, 12000, 16000, 18900, 22050, 24000, 32000,
	37800, 44100, 48000, 64000, 88200, 96000, 128000, 176400, 192000, 352800,
	384000, 705600, 768000,
};
#define N_USUAL_RATES (sizeof(usual_rates) / sizeof(usual_rates[0]))

/* A kind of frame. */
struct frame {
	snd_pcm_format_t format;
	unsigned int sample_bytes;
	unsigned int channels;
};

struct space {
	snd_pcm_t *slave;
	snd_pcm_hw_params_t *hw;	/* everything it can do */
	snd_pcm_ioplug_t *io;
	struct frame narrowest, widest;
};

/* In bytes, as ioplug wants them. */
struct sizes {
	unsigned int period_min, period_max, buffer_min, buffer_max;
};

/* A program may always choose how its own memory is laid out: the copy into the
 * chunk converts. */
static int apply_access(struct space *space)
{
	static const unsigned int list[] = {
		SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
		SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
	};

	return snd_pcm_ioplug_set_param_list(space->io, SND_PCM_IOPLUG_HW_ACCESS,
					     4, list);
}

/* Formats of the slave whose samples are whole bytes; notes the narrowest and
 * the widest. */
static int apply_formats(struct space *space)
{
	struct frame *narrowest = &space->narrowest, *widest = &space->widest;
	unsigned int list[SND_PCM_FORMAT_LAST + 1];
	unsigned int n = 0;

	narrowest->sample_bytes = UINT_MAX;
	widest->sample_bytes = 0;
	for (int format = 0; format <= SND_PCM_FORMAT_LAST; format++) {
		int bits = snd_pcm_format_physical_width((snd_pcm_format_t)format);
		unsigned int bytes = (unsigned int)bits / 8;

		if (bits < 8 || bits % 8 ||
		    snd_pcm_hw_params_test_format(space->slave, space->hw,
						  (snd_pcm_format_t)format) < 0)
			continue;
		list[n++] = (unsigned int)format;
		if (bytes < narrowest->sample_bytes)
			*narrowest = (struct frame) { (snd_pcm_format_t)format, bytes, 0 };
		if (bytes > widest->sample_bytes)
			*widest = (struct frame) { (snd_pcm_format_t)format, bytes, 0 };
	}
	if (!n) {
		SNDERR("headroom: the slave has no format with whole bytes per sample");
		return -EINVAL;
	}
	return snd_pcm_ioplug_set_param_list(space->io, SND_PCM_IOPLUG_HW_FORMAT,
					     n, list);
}

static int apply_channels(struct space *space)
{
	unsigned int list[HR_CHANNELS_MAX], n = 0, min, max;
	int err;

	if ((err = snd_pcm_hw_params_get_channels_min(space->hw, &min)) < 0 ||
	    (err = snd_pcm_hw_params_get_channels_max(space->hw, &max)) < 0)
		return err;
	for (unsigned int c = min; c <= max && c <= HR_CHANNELS_MAX; c++)
		if (c && snd_pcm_hw_params_test_channels(space->slave, space->hw, c) == 0)
			list[n++] = c;
	if (!n) {
		SNDERR("headroom: the slave has no channel count up to %u",
		       HR_CHANNELS_MAX);
		return -EINVAL;
	}
	space->narrowest.channels = list[0];
	space->widest.channels = list[n - 1];
	return snd_pcm_ioplug_set_param_list(space->io, SND_PCM_IOPLUG_HW_CHANNELS,
					     n, list);
}

/* A range where the slave takes rates in between, the usual rates that it takes
 * where it does not. */
static int apply_rates(struct space *space)
{
	unsigned int list[N_USUAL_RATES + 2], n = 0, min, max;
	bool range;
	int err;

	if ((err = snd_pcm_hw_params_get_rate_min(space->hw, &min, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_get_rate_max(space->hw, &max, NULL)) < 0)
		return err;
	range = max - min > 2 &&
		snd_pcm_hw_params_test_rate(space->slave, space->hw, min + 1, 0) == 0 &&
		snd_pcm_hw_params_test_rate(space->slave, space->hw, max - 1, 0) == 0;
	if (range || min == max)
		return snd_pcm_ioplug_set_param_minmax(space->io, SND_PCM_IOPLUG_HW_RATE,
						       min, max);
	list[n++] = min;
	for (unsigned int i = 0; i < N_USUAL_RATES; i++)
		if (usual_rates[i] > min && usual_rates[i] < max &&
		    snd_pcm_hw_params_test_rate(space->slave, space->hw,
						usual_rates[i], 0) == 0)
			list[n++] = usual_rates[i];
	list[n++] = max;
	return snd_pcm_ioplug_set_param_list(space->io, SND_PCM_IOPLUG_HW_RATE, n, list);
}

static unsigned int to_bytes(snd_pcm_uframes_t frames, unsigned int frame_bytes)
{
	snd_pcm_uframes_t top = INT_MAX / frame_bytes;

	return (unsigned int)((frames < top ? frames : top) * frame_bytes);
}

/* What the slave takes of this kind of frame; of a kind that it does not have (not
 * every format comes with every count of channels): what it takes of any. */
static int sizes_of(const struct space *space, const struct frame *frame,
		    struct sizes *sizes)
{
	snd_pcm_uframes_t period_min, period_max, buffer_min, buffer_max;
	unsigned int frame_bytes = frame->sample_bytes * frame->channels;
	snd_pcm_hw_params_t *hw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_hw_params_copy(hw, space->hw);
	if (snd_pcm_hw_params_set_format(space->slave, hw, frame->format) < 0 ||
	    snd_pcm_hw_params_set_channels(space->slave, hw, frame->channels) < 0)
		snd_pcm_hw_params_copy(hw, space->hw);
	if ((err = snd_pcm_hw_params_get_period_size_min(hw, &period_min, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_get_period_size_max(hw, &period_max, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_get_buffer_size_min(hw, &buffer_min)) < 0 ||
	    (err = snd_pcm_hw_params_get_buffer_size_max(hw, &buffer_max)) < 0)
		return err;
	sizes->period_min = to_bytes(period_min ? period_min : 1, frame_bytes);
	sizes->period_max = to_bytes(period_max, frame_bytes);
	sizes->buffer_min = to_bytes(buffer_min ? buffer_min : 1, frame_bytes);
	sizes->buffer_max = to_bytes(buffer_max, frame_bytes);
	return 0;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int most(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* The slave tells its sizes in frames, ioplug wants bytes. A card is limited in
 * bytes (its memory), other devices in frames: the narrowest frame and the widest
 * show both. Over all formats at once, frames of one would be multiplied by the
 * bytes of another. */
static int apply_sizes(struct space *space)
{
	unsigned int periods_min, periods_max;
	struct sizes narrow, wide;
	int err;

	if ((err = sizes_of(space, &space->narrowest, &narrow)) < 0 ||
	    (err = sizes_of(space, &space->widest, &wide)) < 0 ||
	    (err = snd_pcm_hw_params_get_periods_min(space->hw, &periods_min, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_get_periods_max(space->hw, &periods_max, NULL)) < 0)
		return err;
	if (!periods_min)
		periods_min = 1;
	if ((err = snd_pcm_ioplug_set_param_minmax(
		     space->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES,
		     least(narrow.period_min, wide.period_min),
		     most(narrow.period_max, wide.period_max))) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(
		     space->io, SND_PCM_IOPLUG_HW_BUFFER_BYTES,
		     least(narrow.buffer_min, wide.buffer_min),
		     most(narrow.buffer_max, wide.buffer_max))) < 0)
		return err;
	return snd_pcm_ioplug_set_param_minmax(space->io, SND_PCM_IOPLUG_HW_PERIODS,
					       periods_min, periods_max);
}

int hr_constraints_apply(snd_pcm_ioplug_t *io, snd_pcm_t *slave)
{
	struct space space = { .slave = slave, .io = io };
	int err;

	snd_pcm_hw_params_alloca(&space.hw);
	err = snd_pcm_hw_params_any(slave, space.hw);
	if (err < 0) {
		SNDERR("headroom: the slave has no configuration: %s", snd_strerror(err));
		return err;
	}
	if ((err = apply_access(&space)) < 0 ||
	    (err = apply_formats(&space)) < 0 ||
	    (err = apply_channels(&space)) < 0 ||
	    (err = apply_rates(&space)) < 0)
		return err;
	return apply_sizes(&space);
}
