/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/ioplugs/slave.h"

#include <errno.h>

#define PERIOD_BYTES_MIN 64
#define PERIOD_BYTES_MAX (1024 * 1024)
#define BUFFER_BYTES_MAX (4 * 1024 * 1024)
#define PERIODS_MAX 1024
#define RATE_MAX 192000
#define CHANNELS_MAX 8

int bench_slave_open(snd_pcm_t **slavep, snd_config_t *root, snd_config_t *conf,
		     snd_pcm_stream_t stream, int mode)
{
	snd_config_t *slave;
	const char *name;
	int err = snd_config_search(conf, "slave.pcm", &slave);

	if (err == 0)
		err = snd_config_get_string(slave, &name);
	return err < 0 ? err : snd_pcm_open_lconf(slavep, name, stream, mode, root);
}

static int constrain(snd_pcm_ioplug_t *io)
{
	static const unsigned int access = SND_PCM_ACCESS_RW_INTERLEAVED;
	static const unsigned int format = SND_PCM_FORMAT_S16_LE;
	int err;

	if ((err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1,
						 &access)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1,
						 &format)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1,
						   CHANNELS_MAX)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, 1,
						   RATE_MAX)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES,
						   PERIOD_BYTES_MIN, PERIOD_BYTES_MAX)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES,
						   2 * PERIOD_BYTES_MIN,
						   BUFFER_BYTES_MAX)) < 0 ||
	    (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2,
						   PERIODS_MAX)) < 0)
		return err;
	return 0;
}

int bench_slave_create_ioplug(snd_pcm_ioplug_t *io, const char *name,
			      snd_pcm_stream_t stream, int mode)
{
	int err;

	io->version = SND_PCM_IOPLUG_VERSION;
	err = snd_pcm_ioplug_create(io, name, stream, mode);
	if (err < 0) {
		io->callback->close(io);
		return err;
	}
	err = constrain(io);
	if (err < 0)
		snd_pcm_ioplug_delete(io);
	return err;
}

int bench_slave_configure(snd_pcm_t *slave, const snd_pcm_ioplug_t *io,
			  snd_pcm_uframes_t start)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	if ((err = snd_pcm_hw_params_any(slave, hw)) < 0 ||
	    (err = snd_pcm_hw_params_set_access(slave, hw, io->access)) < 0 ||
	    (err = snd_pcm_hw_params_set_format(slave, hw, io->format)) < 0 ||
	    (err = snd_pcm_hw_params_set_channels(slave, hw, io->channels)) < 0 ||
	    (err = snd_pcm_hw_params_set_rate(slave, hw, io->rate, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_period_size(slave, hw, io->period_size, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_buffer_size(slave, hw, io->buffer_size)) < 0 ||
	    (err = snd_pcm_hw_params(slave, hw)) < 0 ||
	    (err = snd_pcm_sw_params_current(slave, sw)) < 0 ||
	    (err = snd_pcm_sw_params_set_start_threshold(slave, sw, start)) < 0 ||
	    (err = snd_pcm_sw_params_set_avail_min(slave, sw, io->period_size)) < 0)
		return err;
	return snd_pcm_sw_params(slave, sw);
}

snd_pcm_sframes_t bench_slave_move(snd_pcm_t *slave, void *data, snd_pcm_uframes_t frames)
{
	return snd_pcm_stream(slave) == SND_PCM_STREAM_PLAYBACK ?
	       snd_pcm_writei(slave, data, frames) : snd_pcm_readi(slave, data, frames);
}
