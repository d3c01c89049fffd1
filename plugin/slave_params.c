/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How the device is set up: what is asked of it, and what it gives.
 */
#include "plugin/slave.h"

#include <errno.h>

#define PERIOD_MS_MAX 25u
#define STEP_MS 10u
#define CAPTURE_BUFFER_MS 200u

/* The simplest access that it has; interleaved and without mmap by preference. */
static int set_access(struct hr_slave *slave, snd_pcm_hw_params_t *hw)
{
	static const struct {
		snd_pcm_access_t access;
		bool interleaved, mmap;
	} order[] = {
		{ SND_PCM_ACCESS_RW_INTERLEAVED, true, false },
		{ SND_PCM_ACCESS_MMAP_INTERLEAVED, true, true },
		{ SND_PCM_ACCESS_RW_NONINTERLEAVED, false, false },
		{ SND_PCM_ACCESS_MMAP_NONINTERLEAVED, false, true },
	};

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (snd_pcm_hw_params_set_access(slave->pcm, hw, order[i].access) < 0)
			continue;
		slave->interleaved = order[i].interleaved;
		slave->mmap = order[i].mmap;
		return 0;
	}
	return -EINVAL;
}

/* The device side steps with the program's period, but no longer than a program that
 * waits for periods lives with: then by whole 10 ms, of which a rate converter makes
 * whole frames. */
static snd_pcm_uframes_t wanted_period(const struct hr_pcm_config *config,
				       const struct hr_slave_params *params)
{
	snd_pcm_uframes_t longest = params->rate / (1000 / PERIOD_MS_MAX);
	snd_pcm_uframes_t step = params->rate / (1000 / STEP_MS);

	if (config->slave_period)
		return config->slave_period;
	return params->period <= longest || !step ? params->period : step;
}

/* The program's. But where more is kept than that, a capturing device may hold more, too:
 * it costs no time, for the device wakes us by its period, and it is what a thread may be
 * late by that gets the processor when it is its turn. */
static snd_pcm_uframes_t wanted_buffer(const struct hr_slave *slave,
				       const struct hr_pcm_config *config,
				       const struct hr_slave_params *params,
				       snd_pcm_hw_params_t *hw)
{
	snd_pcm_uframes_t least = params->rate / (snd_pcm_uframes_t)1000 * CAPTURE_BUFFER_MS;
	snd_pcm_uframes_t n = (least + params->buffer - 1) / params->buffer;
	snd_pcm_uframes_t period = wanted_period(config, params);
	snd_pcm_hw_params_t *with_period;

	if (config->slave_buffer)
		return config->slave_buffer;
	if (slave->stream == SND_PCM_STREAM_PLAYBACK || !config->depth_ms)
		return params->buffer;
	snd_pcm_hw_params_alloca(&with_period);
	snd_pcm_hw_params_copy(with_period, hw);
	if (snd_pcm_hw_params_set_period_size_near(slave->pcm, with_period, &period,
						   NULL) < 0)
		return params->buffer;
	/* A multiple of the program's, and of no longer periods than that would have:
	 * there are devices that can have but so many. */
	while (n > 1 && snd_pcm_hw_params_test_buffer_size(slave->pcm, with_period,
							   n * params->buffer) < 0)
		n--;
	return n > 1 ? n * params->buffer : params->buffer;
}

static int set_sizes(struct hr_slave *slave, const struct hr_pcm_config *config,
		     const struct hr_slave_params *params, snd_pcm_hw_params_t *hw,
		     snd_pcm_uframes_t buffer, bool period_first)
{
	int err = 0;

	slave->buffer = buffer;
	slave->period = wanted_period(config, params);
	if (period_first)
		err = snd_pcm_hw_params_set_period_size_near(slave->pcm, hw,
							     &slave->period, NULL);
	if (err == 0)
		err = snd_pcm_hw_params_set_buffer_size_near(slave->pcm, hw,
							     &slave->buffer);
	if (err == 0 && !period_first)
		err = snd_pcm_hw_params_set_period_size_near(slave->pcm, hw,
							     &slave->period, NULL);
	return err;
}

/* The buffer is more important than the period; but where periods are of a few sizes
 * only, none may fit into a buffer of the wanted one (those of jack are powers of two):
 * then the period comes first. */
static int install_buffer(struct hr_slave *slave, const struct hr_pcm_config *config,
			  const struct hr_slave_params *params, snd_pcm_hw_params_t *hw,
			  snd_pcm_uframes_t buffer, const char **what)
{
	snd_pcm_hw_params_t *before;
	int err = 0;

	snd_pcm_hw_params_alloca(&before);
	snd_pcm_hw_params_copy(before, hw);
	for (int turn = 0; turn < 2; turn++) {
		snd_pcm_hw_params_copy(hw, before);
		*what = "any period and buffer near the wanted ones";
		err = set_sizes(slave, config, params, hw, buffer, turn == 1);
		if (err < 0)
			continue;
		*what = "the parameters";
		err = snd_pcm_hw_params(slave->pcm, hw);
		if (err != -EINVAL)
			break;
	}
	if (err < 0)
		snd_pcm_hw_params_copy(hw, before);
	return err;
}

static int install(struct hr_slave *slave, const struct hr_pcm_config *config,
		   const struct hr_slave_params *params, snd_pcm_hw_params_t *hw,
		   const char **what)
{
	snd_pcm_uframes_t buffer = wanted_buffer(slave, config, params, hw);
	int err = install_buffer(slave, config, params, hw, buffer, what);

	/* There may be no memory for more than the program asked for. */
	if (err < 0 && !config->slave_buffer && buffer > params->buffer)
		err = install_buffer(slave, config, params, hw, params->buffer, what);
	return err;
}

static int set_hw_params(struct hr_slave *slave, const struct hr_pcm_config *config,
			 const struct hr_slave_params *params)
{
	snd_pcm_hw_params_t *hw;
	const char *what;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	what = "any configuration";
	err = snd_pcm_hw_params_any(slave->pcm, hw);
	if (err < 0)
		goto err_line;
	what = "the access";
	err = set_access(slave, hw);
	if (err < 0)
		goto err_line;
	what = snd_pcm_format_name(params->format);
	err = snd_pcm_hw_params_set_format(slave->pcm, hw, params->format);
	if (err < 0)
		goto err_line;
	what = "this number of channels";
	err = snd_pcm_hw_params_set_channels(slave->pcm, hw, params->channels);
	if (err < 0)
		goto err_line;
	what = "this rate";
	err = snd_pcm_hw_params_set_rate(slave->pcm, hw, params->rate, 0);
	if (err < 0)
		goto err_line;
	err = install(slave, config, params, hw, &what);
	if (err < 0)
		goto err_line;
	slave->can_pause = snd_pcm_hw_params_can_pause(hw) == 1;
	snd_pcm_hw_params_get_period_size(hw, &slave->period, NULL);
	snd_pcm_hw_params_get_buffer_size(hw, &slave->buffer);
	return 0;

err_line:
	if (!slave->quiet)
		SNDERR("headroom: the slave refuses %s (%s, %u channels, %u Hz, period %lu, "
		       "buffer %lu): %s", what, snd_pcm_format_name(params->format),
		       params->channels, params->rate, params->period, params->buffer,
		       snd_strerror(err));
	return err;
}

/* Where it counts as ready: one period less than what the program can keep
 * queued, so that it wakes us each period of a full buffer. */
static snd_pcm_uframes_t wanted_avail_min(const struct hr_slave *slave,
					  const struct hr_slave_params *params)
{
	if (slave->stream == SND_PCM_STREAM_PLAYBACK && slave->buffer > params->buffer)
		return slave->buffer - params->buffer + slave->period;
	return slave->period;
}

static int set_sw_params(struct hr_slave *slave, const struct hr_slave_params *params)
{
	/* Never reached: started by us, when all that there is was given. Not the boundary:
	 * in pulse's 32 bits it becomes 0 bytes, and a stream that runs from prepare on
	 * leaves out as much of the sound as it comes late. Twice, for a rate converter
	 * rounds it. */
	snd_pcm_uframes_t start = 2 * slave->buffer;
	snd_pcm_sw_params_t *sw;
	int err;

	slave->avail_min = wanted_avail_min(slave, params);
	snd_pcm_sw_params_alloca(&sw);
	if ((err = snd_pcm_sw_params_current(slave->pcm, sw)) < 0 ||
	    (err = snd_pcm_sw_params_set_start_threshold(slave->pcm, sw, start)) < 0 ||
	    (err = snd_pcm_sw_params_set_avail_min(slave->pcm, sw, slave->avail_min)) < 0 ||
	    (err = snd_pcm_sw_params(slave->pcm, sw)) < 0)
		goto err_line;
	return 0;

err_line:
	if (!slave->quiet)
		SNDERR("headroom: the slave refuses software parameters: %s",
		       snd_strerror(err));
	return err;
}

int hr_slave_let_lag(struct hr_slave *slave)
{
	snd_pcm_uframes_t avail_min = slave->avail_min + slave->period / 2;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_sw_params_alloca(&sw);
	if ((err = snd_pcm_sw_params_current(slave->pcm, sw)) < 0 ||
	    (err = snd_pcm_sw_params_set_avail_min(slave->pcm, sw, avail_min)) < 0 ||
	    (err = snd_pcm_sw_params(slave->pcm, sw)) < 0)
		return err;
	slave->avail_min = avail_min;
	slave->lags = true;
	return 0;
}

int hr_slave_configure(struct hr_slave *slave, const struct hr_pcm_config *config,
		       const struct hr_slave_params *params)
{
	int err;

	err = set_hw_params(slave, config, params);
	if (err < 0)
		return err;
	slave->cannot_rewind = false;
	slave->lags = false;
	slave->format = params->format;
	slave->channels = params->channels;
	slave->rate = params->rate;
	slave->sample_bits = (unsigned int)snd_pcm_format_physical_width(params->format);
	slave->frame_bytes = slave->sample_bits / 8 * params->channels;
	err = set_sw_params(slave, params);
	if (err < 0)
		snd_pcm_hw_free(slave->pcm);
	return err;
}

void hr_slave_unconfigure(struct hr_slave *slave)
{
	if (slave->pcm)
		snd_pcm_hw_free(slave->pcm);
}
