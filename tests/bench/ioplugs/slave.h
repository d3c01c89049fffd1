/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the two ioplugs of the benchmark, plain and threaded, have in common: a slave
 * that is set up as the program sets up the ioplug, with interleaved S16 only. Both pass
 * sound on and do nothing else.
 */
#ifndef TESTS_BENCH_IOPLUGS_SLAVE_H
#define TESTS_BENCH_IOPLUGS_SLAVE_H

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

/** Open the PCM that slave.pcm names in the block conf. Returns 0 or -errno. */
int bench_slave_open(snd_pcm_t **slavep, snd_config_t *root, snd_config_t *conf,
		     snd_pcm_stream_t stream, int mode);

/** Make the ioplug, of which the caller has set what it needs, and tell alsa-lib what it
 * takes. Returns 0, or -errno after its close callback was called. */
int bench_slave_create_ioplug(snd_pcm_ioplug_t *io, const char *name,
			      snd_pcm_stream_t stream, int mode);

/** Set the slave up as the program has set up io; it starts when start frames were
 * written, or by snd_pcm_start(). Returns 0 or -errno. */
int bench_slave_configure(snd_pcm_t *slave, const snd_pcm_ioplug_t *io,
			  snd_pcm_uframes_t start);

/** Interleaved frames from or to the slave. As snd_pcm_writei() and snd_pcm_readi(). */
snd_pcm_sframes_t bench_slave_move(snd_pcm_t *slave, void *data, snd_pcm_uframes_t frames);

/** The address of a frame in interleaved areas. */
static inline char *bench_frame_at(const snd_pcm_channel_area_t *areas,
				   snd_pcm_uframes_t offset)
{
	return (char *)areas->addr + (areas->first + areas->step * offset) / 8;
}

#endif
