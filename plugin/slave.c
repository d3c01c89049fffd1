/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/slave.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

/* Deeper than any sane stack of plug-ins; each level opens a device. */
#define SLAVE_DEPTH_MAX 8

/* Exported by alsa-lib for plug-ins, but declared in none of its headers. */
extern int _snd_pcm_empty_open(snd_pcm_t **pcmp, const char *name,
			       snd_config_t *root, snd_config_t *conf,
			       snd_pcm_stream_t stream, int mode);

/* Levels of headroom being opened by a thread, one inside the other: the value of
 * this key. (A thread-local variable would link the module to the loader.) */
static pthread_key_t depth_key;
static pthread_once_t depth_once = PTHREAD_ONCE_INIT;
static bool depth_is_known;

static void make_depth_key(void)
{
	depth_is_known = pthread_key_create(&depth_key, NULL) == 0;
}

static uintptr_t get_depth(void)
{
	pthread_once(&depth_once, make_depth_key);
	return depth_is_known ? (uintptr_t)pthread_getspecific(depth_key) : 0;
}

static void set_depth(uintptr_t depth)
{
	/* Out of memory for it: the guard is missed, nothing else. */
	if (depth_is_known)
		pthread_setspecific(depth_key, (void *)depth);
}

/* `slave "hw:0"` is easily written, and alsa-lib says only that it is wrong. */
static const char *hint_of(snd_config_t *empty)
{
	snd_config_t *slave;

	if (snd_config_search(empty, "slave", &slave) < 0 ||
	    snd_config_get_type(slave) == SND_CONFIG_TYPE_COMPOUND)
		return "";
	return " (slave takes a pcm_slave; a PCM is given by slave.pcm)";
}

int hr_slave_open(struct hr_slave *slave, const struct hr_pcm_config *config,
		  const char *pcm_name, snd_config_t *root,
		  snd_pcm_stream_t stream, int mode)
{
	uintptr_t depth = get_depth();
	int err;

	slave->stream = stream;
	if (depth >= SLAVE_DEPTH_MAX) {
		SNDERR("headroom: the slave of '%s' leads back to itself",
		       pcm_name ? pcm_name : config->name);
		return -ELOOP;
	}
	set_depth(depth + 1);
	err = _snd_pcm_empty_open(&slave->pcm, pcm_name, root, config->slave,
				  stream, mode);
	set_depth(depth);
	if (err < 0) {
		slave->pcm = NULL;
		if (err != -ELOOP)
			SNDERR("headroom: cannot open the slave of '%s': %s%s",
			       pcm_name ? pcm_name : config->name, snd_strerror(err),
			       hint_of(config->slave));
		return err;
	}
	/* Opened in the program's mode, so that a busy device is met as always. */
	return snd_pcm_nonblock(slave->pcm, 1);
}

void hr_slave_close(struct hr_slave *slave)
{
	if (slave && slave->pcm)
		snd_pcm_close(slave->pcm);
	if (slave)
		slave->pcm = NULL;
}

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

/* The device side steps with the program's period, but at most 10 ms. */
static snd_pcm_uframes_t wanted_period(const struct hr_pcm_config *config,
				       const struct hr_slave_params *params)
{
	snd_pcm_uframes_t ten_ms = params->rate / 100;

	if (config->slave_period)
		return config->slave_period;
	return params->period < ten_ms || !ten_ms ? params->period : ten_ms;
}

static int set_sizes(struct hr_slave *slave, const struct hr_pcm_config *config,
		     const struct hr_slave_params *params, snd_pcm_hw_params_t *hw,
		     bool period_first)
{
	int err = 0;

	slave->buffer = config->slave_buffer ? config->slave_buffer : params->buffer;
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
static int install(struct hr_slave *slave, const struct hr_pcm_config *config,
		   const struct hr_slave_params *params, snd_pcm_hw_params_t *hw,
		   const char **what)
{
	snd_pcm_hw_params_t *before;
	int err = 0;

	snd_pcm_hw_params_alloca(&before);
	snd_pcm_hw_params_copy(before, hw);
	for (int turn = 0; turn < 2; turn++) {
		snd_pcm_hw_params_copy(hw, before);
		*what = "any period and buffer near the wanted ones";
		err = set_sizes(slave, config, params, hw, turn == 1);
		if (err < 0)
			continue;
		*what = "the parameters";
		err = snd_pcm_hw_params(slave->pcm, hw);
		if (err != -EINVAL)
			break;
	}
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
		SNDERR("headroom: the slave refuses software parameters: %s",
		       snd_strerror(err));
	return err;
}

int hr_slave_configure(struct hr_slave *slave, const struct hr_pcm_config *config,
		       const struct hr_slave_params *params)
{
	int err;

	err = set_hw_params(slave, config, params);
	if (err < 0)
		return err;
	slave->cannot_rewind = false;
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

void hr_slave_areas(const struct hr_slave *slave, const struct hr_chunk *chunk,
		    snd_pcm_channel_area_t *areas)
{
	for (unsigned int c = 0; c < slave->channels; c++) {
		areas[c].addr = chunk->data;
		if (slave->interleaved) {
			areas[c].first = c * slave->sample_bits;
			areas[c].step = slave->channels * slave->sample_bits;
		} else {
			areas[c].first = c * chunk->capacity_frames * slave->sample_bits;
			areas[c].step = slave->sample_bits;
		}
	}
}

snd_pcm_sframes_t hr_slave_avail(struct hr_slave *slave, snd_pcm_sframes_t *delay)
{
	snd_pcm_sframes_t avail;
	int err;

	err = snd_pcm_avail_delay(slave->pcm, &avail, delay);
	return err < 0 ? err : avail;
}

static snd_pcm_sframes_t transfer_interleaved(struct hr_slave *slave, void *data,
					      snd_pcm_uframes_t frames)
{
	if (slave->stream == SND_PCM_STREAM_PLAYBACK)
		return slave->mmap ? snd_pcm_mmap_writei(slave->pcm, data, frames) :
				     snd_pcm_writei(slave->pcm, data, frames);
	return slave->mmap ? snd_pcm_mmap_readi(slave->pcm, data, frames) :
			     snd_pcm_readi(slave->pcm, data, frames);
}

static snd_pcm_sframes_t transfer_planar(struct hr_slave *slave, void **bufs,
					 snd_pcm_uframes_t frames)
{
	if (slave->stream == SND_PCM_STREAM_PLAYBACK)
		return slave->mmap ? snd_pcm_mmap_writen(slave->pcm, bufs, frames) :
				     snd_pcm_writen(slave->pcm, bufs, frames);
	return slave->mmap ? snd_pcm_mmap_readn(slave->pcm, bufs, frames) :
			     snd_pcm_readn(slave->pcm, bufs, frames);
}

snd_pcm_sframes_t hr_slave_transfer(struct hr_slave *slave,
				    const struct hr_span *span,
				    snd_pcm_uframes_t frames)
{
	snd_pcm_sframes_t done;

	if (slave->interleaved) {
		done = transfer_interleaved(slave, span->chunk->data +
					    (size_t)span->offset * slave->frame_bytes,
					    frames);
	} else {
		snd_pcm_channel_area_t areas[HR_CHANNELS_MAX];
		void *bufs[HR_CHANNELS_MAX];

		hr_slave_areas(slave, span->chunk, areas);
		for (unsigned int c = 0; c < slave->channels; c++)
			bufs[c] = (char *)areas[c].addr + (areas[c].first +
				  (size_t)span->offset * areas[c].step) / 8;
		done = transfer_planar(slave, bufs, frames);
	}
	return done == -EAGAIN ? 0 : done;
}

/* alsa-lib lets every plug-in of the program's kind "rewind", also one that has
 * passed the frames on (to a sound server). There the delay does not shrink by what
 * was taken back. */
static bool has_let_go(struct hr_slave *slave, snd_pcm_sframes_t before,
		       snd_pcm_sframes_t frames)
{
	snd_pcm_sframes_t delay;

	/* One that has stopped meanwhile has not kept them either; the next look at it
	 * tells. */
	return snd_pcm_delay(slave->pcm, &delay) < 0 || delay <= before - frames;
}

snd_pcm_uframes_t hr_slave_rewind(struct hr_slave *slave, snd_pcm_uframes_t frames)
{
	snd_pcm_sframes_t can = slave->cannot_rewind ? 0 : snd_pcm_rewindable(slave->pcm);
	snd_pcm_sframes_t before, done;

	if (can <= 0 || snd_pcm_delay(slave->pcm, &before) < 0)
		return 0;
	if (frames > (snd_pcm_uframes_t)can)
		frames = (snd_pcm_uframes_t)can;
	done = frames ? snd_pcm_rewind(slave->pcm, frames) : 0;
	if (done <= 0)
		return 0;
	if (has_let_go(slave, before, done))
		return (snd_pcm_uframes_t)done;
	snd_pcm_forward(slave->pcm, (snd_pcm_uframes_t)done);
	slave->cannot_rewind = true;
	return 0;
}

int hr_slave_start(struct hr_slave *slave)
{
	snd_pcm_state_t state = snd_pcm_state(slave->pcm);

	/* Some plug-ins start by themselves on the first write, and a short buffer may have
	 * run dry since: the next look tells. */
	if (state == SND_PCM_STATE_RUNNING || state == SND_PCM_STATE_XRUN)
		return 0;
	return snd_pcm_start(slave->pcm);
}

int hr_slave_drain(struct hr_slave *slave)
{
	int err;

	switch (snd_pcm_state(slave->pcm)) {
	case SND_PCM_STATE_DRAINING:
		/* Under way: looking at it is what ends it for user-space devices. */
		snd_pcm_avail_update(slave->pcm);
		return snd_pcm_state(slave->pcm) == SND_PCM_STATE_DRAINING ?
		       -EAGAIN : 0;
	case SND_PCM_STATE_SETUP:
	case SND_PCM_STATE_XRUN:	/* the end came before we asked */
		return 0;
	default:
		break;
	}
	err = snd_pcm_drain(slave->pcm);
	return err == -EPIPE ? 0 : err;
}
