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
		if (err != -ELOOP && !slave->quiet)
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
	return hr_slave_err_passes(done) ? 0 : done;
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

int hr_slave_prepare(struct hr_slave *slave)
{
	return slave->pcm ? snd_pcm_prepare(slave->pcm) : 0;
}

void hr_slave_drop(struct hr_slave *slave)
{
	if (slave->pcm)
		snd_pcm_drop(slave->pcm);
}

snd_pcm_sframes_t hr_slave_rest(struct hr_slave *slave)
{
	snd_pcm_status_t *status;
	int err;

	if (!slave->pcm)
		return 0;
	snd_pcm_status_alloca(&status);
	snd_pcm_drop(slave->pcm);
	err = snd_pcm_status(slave->pcm, status);
	if (err < 0)
		return err;
	return (snd_pcm_sframes_t)snd_pcm_status_get_avail(status);
}

int hr_slave_pause(struct hr_slave *slave, bool enable)
{
	return slave->pcm ? snd_pcm_pause(slave->pcm, enable) : 0;
}

int hr_slave_start(struct hr_slave *slave)
{
	snd_pcm_state_t state;

	if (!slave->pcm)
		return 0;
	state = snd_pcm_state(slave->pcm);
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
	if (err == -EINTR)
		return -EAGAIN;
	return err == -EPIPE ? 0 : err;
}
