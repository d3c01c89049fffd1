/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>

#include "core/clock.h"
#include "tests/clocked/callbacks.h"
#include "tests/clocked/faults.h"

int clocked_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err = clocked_faults_error(&pcm->dev);

	(void)params;
	if (err != -ENODEV)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_HW_PARAMS);
	if (err == 0)
		err = clocked_device_set_hw(&pcm->dev, io);
	clocked_unlock(pcm);
	return err;
}

int clocked_hw_free(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);

	clocked_sync(pcm);
	clocked_device_stop(&pcm->dev, hr_now_ns());
	clocked_device_free_hw(&pcm->dev);
	clocked_unlock(pcm);
	return 0;
}

/* What the kernel refuses. */
static int check_sw_params(const snd_pcm_ioplug_t *io, const snd_pcm_sw_params_t *params)
{
	snd_pcm_uframes_t boundary, avail_min, threshold, size;

	snd_pcm_sw_params_get_boundary(params, &boundary);
	snd_pcm_sw_params_get_avail_min(params, &avail_min);
	snd_pcm_sw_params_get_silence_threshold(params, &threshold);
	snd_pcm_sw_params_get_silence_size(params, &size);
	if (avail_min == 0)
		return -EINVAL;
	if (size >= boundary)
		return threshold == 0 ? 0 : -EINVAL;
	return size <= threshold && threshold <= io->buffer_size ? 0 : -EINVAL;
}

int clocked_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	snd_pcm_uframes_t boundary, avail_min, stop;
	int err = check_sw_params(io, params);

	if (err == 0)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_SW_PARAMS);
	if (err < 0)
		goto out;
	snd_pcm_sw_params_get_boundary(params, &boundary);
	snd_pcm_sw_params_get_avail_min(params, &avail_min);
	snd_pcm_sw_params_get_stop_threshold(params, &stop);
	pcm->boundary = boundary;
	pcm->dev.avail_min = (int64_t)(avail_min < boundary ? avail_min : boundary);
	pcm->dev.stop_threshold = stop >= boundary ? INT64_MAX : (int64_t)stop;
out:
	clocked_unlock(pcm);
	return err;
}
