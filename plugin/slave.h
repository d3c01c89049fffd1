/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The slave: the PCM that headroom wraps. Opens it, configures it, and moves
 * frames between it and a chunk. Everything runs non-blocking.
 *
 * Frames in a chunk are interleaved, or, where the slave takes nothing else,
 * channel after channel over the whole capacity of the chunk.
 *
 * From hr_slave_configure() until the I/O thread is joined, only that thread
 * calls the functions marked [io].
 */
#ifndef HR_PLUGIN_SLAVE_H
#define HR_PLUGIN_SLAVE_H

#include <errno.h>
#include <stdbool.h>
#include <alsa/asoundlib.h>
#include "core/stream.h"
#include "plugin/pcm_config.h"

#define HR_CHANNELS_MAX 64u

struct hr_slave {
	snd_pcm_t *pcm;
	snd_pcm_stream_t stream;
	bool quiet;			/* it is only looked for: what fails is no news */
	/* Set by hr_slave_configure(). */
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;	/* frames */
	snd_pcm_uframes_t buffer;	/* frames */
	snd_pcm_uframes_t avail_min;	/* frames: it is ready from there on */
	unsigned int frame_bytes;
	unsigned int sample_bits;	/* in memory */
	bool interleaved;
	bool mmap;			/* reads and writes go through its mmap */
	bool can_pause;
	bool lags;			/* see hr_slave_let_lag() */
	bool cannot_rewind;		/* it was seen to keep what it was given */
};

/* What a program asked for. */
struct hr_slave_params {
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;
	snd_pcm_uframes_t buffer;
};

/** Open the slave that the configuration names. Returns 0 or -errno after one
 * line; -ELOOP when the slave leads back to itself. */
int hr_slave_open(struct hr_slave *slave, const struct hr_pcm_config *config,
		  const char *pcm_name, snd_config_t *root,
		  snd_pcm_stream_t stream, int mode);

/** NULL or not opened is allowed. */
void hr_slave_close(struct hr_slave *slave);

/** Install the parameters; the device side follows the program or
 * config's slave.period and slave.buffer. Returns 0 or -errno after one line. */
int hr_slave_configure(struct hr_slave *slave, const struct hr_pcm_config *config,
		       const struct hr_slave_params *params);

/** Undo that, on a slave whose device need not be there. */
void hr_slave_unconfigure(struct hr_slave *slave);

/** Playback: let it lack half a period more before it counts as ready. It is not then
 * when the program has written the period that it was woken for, and whose end comes next;
 * what was written is moved on when the device wakes us, and the program need not. Half,
 * so that an end that is met a little early does not count as missed.
 * Returns 0 or -errno; then all is as before. [io, before it is used] */
int hr_slave_let_lag(struct hr_slave *slave);

/** The areas of a chunk's payload, one per channel. */
void hr_slave_areas(const struct hr_slave *slave, const struct hr_chunk *chunk,
		    snd_pcm_channel_area_t *areas);

/** Frames that can be written or read now, and its delay in frames; or -errno:
 * -EPIPE xrun, -ESTRPIPE suspended, -ENODEV gone. [io] */
snd_pcm_sframes_t hr_slave_avail(struct hr_slave *slave, snd_pcm_sframes_t *delay);

/** Move frames from or to a span of a chunk. Returns how many, 0 when it would
 * block, or -errno. [io] */
snd_pcm_sframes_t hr_slave_transfer(struct hr_slave *slave,
				    const struct hr_span *span,
				    snd_pcm_uframes_t frames);

/** Take back up to frames that it was given and has not played. Returns how many:
 * 0 from a device that only says so. [io] */
snd_pcm_uframes_t hr_slave_rewind(struct hr_slave *slave, snd_pcm_uframes_t frames);

/** Whether an error says only that the call is to be made again. [any] */
static inline bool hr_slave_err_passes(snd_pcm_sframes_t err)
{
	return err == -EAGAIN || err == -EINTR;
}

/* Of a device that is gone and looked for (pcm is NULL) the calls below succeed, and do
 * nothing. */

/** Make it ready to start. Returns 0 or -errno. [io] */
int hr_slave_prepare(struct hr_slave *slave);

/** Stop it at once. */
void hr_slave_drop(struct hr_slave *slave);

/** Stop it. Returns the frames that could be written or read where it has come to rest,
 * or -errno. [io] */
snd_pcm_sframes_t hr_slave_rest(struct hr_slave *slave);

/** Returns 0 or -errno. [io] */
int hr_slave_pause(struct hr_slave *slave, bool enable);

/** Start it unless it runs already. Returns 0 or -errno. [io] */
int hr_slave_start(struct hr_slave *slave);

/** Begin or go on to drain. Returns 0 when the last frame was heard, -EAGAIN when
 * not yet, or -errno. [io] */
int hr_slave_drain(struct hr_slave *slave);

#endif
