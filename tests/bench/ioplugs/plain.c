/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * PCM type bench_plain { slave.pcm … }: each call is passed on to the slave by the thread
 * that makes it.
 */
#include <errno.h>
#include <stdlib.h>
#include "tests/bench/ioplugs/slave.h"

struct plain {
	snd_pcm_ioplug_t io;
	snd_pcm_t *slave;
	snd_pcm_uframes_t boundary;
};

static int plain_start(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_start(pcm->slave);
}

static int plain_stop(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_drop(pcm->slave);
}

static snd_pcm_sframes_t plain_pointer(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;
	snd_pcm_sframes_t avail = snd_pcm_avail_update(pcm->slave);
	snd_pcm_uframes_t behind;

	if (avail < 0)
		return avail;
	if (io->stream == SND_PCM_STREAM_CAPTURE)
		behind = (snd_pcm_uframes_t)avail < io->buffer_size ?
			 pcm->boundary - (snd_pcm_uframes_t)avail :
			 pcm->boundary - io->buffer_size;
	else
		behind = (snd_pcm_uframes_t)avail < io->buffer_size ?
			 io->buffer_size - (snd_pcm_uframes_t)avail : 0;
	return (snd_pcm_sframes_t)((io->appl_ptr + pcm->boundary - behind) % pcm->boundary);
}

static snd_pcm_sframes_t plain_transfer(snd_pcm_ioplug_t *io,
					const snd_pcm_channel_area_t *areas,
					snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct plain *pcm = io->private_data;

	return bench_slave_move(pcm->slave, bench_frame_at(areas, offset), size);
}

static int plain_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct plain *pcm = io->private_data;

	(void)params;
	/* Not by what is written: alsa-lib calls start. */
	return bench_slave_configure(pcm->slave, io, 2 * io->buffer_size);
}

static int plain_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_sw_params_get_boundary(params, &pcm->boundary);
}

static int plain_prepare(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_prepare(pcm->slave);
}

static int plain_poll_descriptors_count(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_poll_descriptors_count(pcm->slave);
}

static int plain_poll_descriptors(snd_pcm_ioplug_t *io, struct pollfd *fds,
				  unsigned int space)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_poll_descriptors(pcm->slave, fds, space);
}

static int plain_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int n_fds,
			      unsigned short *revents)
{
	struct plain *pcm = io->private_data;

	return snd_pcm_poll_descriptors_revents(pcm->slave, fds, n_fds, revents);
}

static int plain_close(snd_pcm_ioplug_t *io)
{
	struct plain *pcm = io->private_data;

	snd_pcm_close(pcm->slave);
	free(pcm);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = plain_start,
	.stop = plain_stop,
	.pointer = plain_pointer,
	.transfer = plain_transfer,
	.hw_params = plain_hw_params,
	.sw_params = plain_sw_params,
	.prepare = plain_prepare,
	.poll_descriptors_count = plain_poll_descriptors_count,
	.poll_descriptors = plain_poll_descriptors,
	.poll_revents = plain_poll_revents,
	.close = plain_close,
};

#pragma GCC visibility push(default)

SND_PCM_PLUGIN_DEFINE_FUNC(bench_plain)
{
	struct plain *pcm = calloc(1, sizeof(*pcm));
	int err;

	if (!pcm)
		return -ENOMEM;
	err = bench_slave_open(&pcm->slave, root, conf, stream, mode | SND_PCM_NONBLOCK);
	if (err < 0) {
		free(pcm);
		return err;
	}
	pcm->io.name = "passed on at once";
	pcm->io.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
	pcm->io.callback = &callbacks;
	pcm->io.private_data = pcm;
	err = bench_slave_create_ioplug(&pcm->io, name, stream, mode);
	if (err == 0)
		*pcmp = pcm->io.pcm;
	return err;
}

SND_PCM_PLUGIN_SYMBOL(bench_plain)

#pragma GCC visibility pop
