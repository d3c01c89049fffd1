/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Setting up and taking down: hardware and software parameters, channel maps,
 * and the description that `aplay -v` prints.
 */
#include "plugin/pcm.h"

#include <errno.h>
#include "plugin/io_stats.h"

static void show_params(struct hr_pcm *pcm)
{
	hr_page_set(pcm->page, HR_STAT_RATE, pcm->ioplug.rate);
	hr_page_set(pcm->page, HR_STAT_CHANNELS, pcm->ioplug.channels);
	hr_page_set(pcm->page, HR_STAT_PERIOD, pcm->ioplug.period_size);
	hr_page_set(pcm->page, HR_STAT_BUFFER, pcm->ioplug.buffer_size);
	hr_page_set(pcm->page, HR_STAT_STATE, HR_STATE_SETUP);
	hr_reporter_notify(&pcm->reporter);
}

/* One chunk is one step of the device, or so many that it lasts half a
 * millisecond: chunks of single frames would cost more than what is in them. */
static uint32_t chunk_frames(const struct hr_pcm *pcm)
{
	uint32_t period = (uint32_t)pcm->slave.period;
	uint32_t least = pcm->slave.rate / 2000;

	return period < least ? (least + period - 1) / period * period : period;
}

/* Playback never holds more than the
 * program's buffer; capture as much more as depth_ms says, and one buffer behind
 * the program for it to go back into. */
static int make_stream(struct hr_pcm *pcm)
{
	uint64_t buffer = pcm->ioplug.buffer_size;
	uint64_t depth = (uint64_t)pcm->config.depth_ms * pcm->ioplug.rate / 1000;
	bool capture = pcm->ioplug.stream == SND_PCM_STREAM_CAPTURE;
	struct hr_stream_config config = {
		.chunk_frames = chunk_frames(pcm),
		.frame_bytes = pcm->slave.frame_bytes,
		.rate = pcm->slave.rate,
		.capacity_frames = capture ? buffer + depth : buffer,
		.hold_frames = capture ? buffer : 0,
		.health = hr_page_health(pcm->page),
	};
	struct hr_ring_stats ring;
	struct hr_pool_stats pool;
	int err = hr_stream_create(&pcm->stream, &config);

	if (err < 0) {
		SNDERR("headroom: cannot set aside %llu frames: %s",
		       (unsigned long long)config.capacity_frames, snd_strerror(err));
		return err;
	}
	hr_stream_get_stats(pcm->stream, &ring, &pool);
	hr_page_set(pcm->page, HR_STAT_POOL_SIZE, pool.allocated);
	return 0;
}

static int make_io(struct hr_pcm *pcm)
{
	struct hr_wake app_wake = { .fd = pcm->io.app_wake.fd };

	pcm->io = (struct hr_io) {
		.direction = pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK ?
			     HR_PLAYBACK : HR_CAPTURE,
		.slave = &pcm->slave,
		.seeker = pcm->seeker.is_running ? &pcm->seeker : NULL,
		.stream = pcm->stream,
		.page = pcm->page,
		.reporter = &pcm->reporter,
		.config = &pcm->config,
		.live_ptr = &pcm->ioplug.appl_ptr,
		.buffer = pcm->ioplug.buffer_size,
		.period = pcm->ioplug.period_size,
		.rate = pcm->ioplug.rate,
		.avail_min = pcm->ioplug.period_size,
		.stop_threshold = pcm->ioplug.buffer_size,
		.io_wake = { .fd = -1 },
		.app_wake = { .fd = app_wake.fd },
	};
	/* A wake that is not armed has a readable descriptor, or nobody would ever
	 * signal it. */
	hr_wake_force(&pcm->io.app_wake);
	return hr_io_create(&pcm->io);
}

void hr_pcm_teardown(struct hr_pcm *pcm)
{
	hr_io_destroy(&pcm->io);
	hr_seeker_stop(&pcm->seeker, &pcm->slave);
	if (pcm->stream) {
		hr_stream_destroy(pcm->stream);
		pcm->stream = NULL;
		hr_slave_drop(&pcm->slave);	/* a kernel frees nothing that runs */
		hr_slave_unconfigure(&pcm->slave);
	}
}

/* Without a device there is nothing to configure: it may be there again. */
static int have_slave(struct hr_pcm *pcm)
{
	const struct hr_seeker *seeker = &pcm->seeker;

	if (pcm->slave.pcm)
		return 0;
	return hr_slave_open(&pcm->slave, &pcm->config, seeker->pcm_name, seeker->root,
			     pcm->ioplug.stream, seeker->mode);
}

static int set_up(struct hr_pcm *pcm)
{
	struct hr_slave_params wanted = {
		.format = pcm->ioplug.format,
		.channels = pcm->ioplug.channels,
		.rate = pcm->ioplug.rate,
		.period = pcm->ioplug.period_size,
		.buffer = pcm->ioplug.buffer_size,
	};
	int err = have_slave(pcm);

	if (err == 0)
		err = hr_slave_configure(&pcm->slave, &pcm->config, &wanted);
	if (err < 0)
		return err;
	err = make_stream(pcm);
	if (err < 0)
		goto err_slave;
	if (pcm->config.reconnect)
		(void)hr_seeker_start(&pcm->seeker, &pcm->slave, &wanted);
	err = make_io(pcm);
	if (err < 0)
		goto err_stream;
	hr_seeker_note_lag(&pcm->seeker, &pcm->slave);
	show_params(pcm);
	return 0;

err_stream:
	hr_seeker_stop(&pcm->seeker, &pcm->slave);
	hr_stream_destroy(pcm->stream);
	pcm->stream = NULL;
err_slave:
	hr_slave_unconfigure(&pcm->slave);
	return err;
}

int hr_pcm_hw_params(snd_pcm_ioplug_t *ioplug, snd_pcm_hw_params_t *params)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err;

	(void)params;	/* ioplug has taken everything out of it already */
	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_teardown(pcm);	/* there may have been no hw_free in between */
	err = set_up(pcm);
	hr_pcm_guard_resume(pcm, err == 0);
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

int hr_pcm_hw_free(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (hr_pcm_is_foreign(pcm))
		return 0;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_teardown(pcm);
	hr_pcm_guard_pause(pcm, false);
	hr_pcm_guard_resume(pcm, false);
	hr_page_set(pcm->page, HR_STAT_STATE, HR_STATE_OPEN);
	hr_reporter_notify(&pcm->reporter);
	pthread_mutex_unlock(&pcm->lock);
	return 0;
}

/* What the kernel refuses, snd_pcm_sw_params() in sound/core/pcm_native.c. Silence
 * itself needs nothing done: a gap never holds anything else. */
static bool kernel_would_refuse(const struct hr_pcm *pcm,
				const snd_pcm_sw_params_t *params)
{
	snd_pcm_uframes_t avail_min, boundary, size, threshold;

	snd_pcm_sw_params_get_avail_min(params, &avail_min);
	snd_pcm_sw_params_get_boundary(params, &boundary);
	snd_pcm_sw_params_get_silence_size(params, &size);
	snd_pcm_sw_params_get_silence_threshold(params, &threshold);
	if (!avail_min)
		return true;
	if (size >= boundary)
		return threshold != 0;
	return size > threshold || threshold > pcm->ioplug.buffer_size;
}

int hr_pcm_sw_params(snd_pcm_ioplug_t *ioplug, snd_pcm_sw_params_t *params)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_uframes_t avail_min, stop, boundary;
	int period_event = 0;

	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	if (kernel_would_refuse(pcm, params))
		return -EINVAL;

	snd_pcm_sw_params_get_avail_min(params, &avail_min);
	snd_pcm_sw_params_get_stop_threshold(params, &stop);
	snd_pcm_sw_params_get_boundary(params, &boundary);
	snd_pcm_sw_params_get_period_event(params, &period_event);
	pthread_mutex_lock(&pcm->lock);
	pcm->boundary = boundary;
	/* seq_cst: see hr_io_ready(). */
	atomic_store_explicit(&pcm->io.avail_min, avail_min, memory_order_seq_cst);
	/* relaxed: a setting by itself. */
	atomic_store_explicit(&pcm->io.stop_threshold,
			      stop >= boundary ? UINT64_MAX : stop,
			      memory_order_relaxed);
	atomic_store_explicit(&pcm->io.boundary, boundary, memory_order_relaxed);
	atomic_store_explicit(&pcm->io.period_event, period_event, memory_order_relaxed);
	if (!period_event)
		(void)hr_io_take_period(&pcm->io);
	/* A program that waits may be ready by the new measure. */
	if (pcm->stream)
		hr_pcm_settle_wake(pcm, false);
	/* What wakes the I/O thread was chosen by the old one. */
	if (pcm->stream && pcm->slave.lags)
		hr_wake_force(&pcm->io.io_wake);
	pthread_mutex_unlock(&pcm->lock);
	return 0;
}

snd_pcm_chmap_query_t **hr_pcm_query_chmaps(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_chmap_query_t **maps;
	snd_pcm_t *slave;

	if (hr_pcm_is_foreign(pcm))
		return NULL;
	slave = hr_seeker_lock(&pcm->seeker, &pcm->slave);
	maps = slave ? snd_pcm_query_chmaps(slave) : NULL;
	hr_seeker_unlock(&pcm->seeker);
	return maps;
}

snd_pcm_chmap_t *hr_pcm_get_chmap(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_chmap_t *map;
	snd_pcm_t *slave;

	if (hr_pcm_is_foreign(pcm))
		return NULL;
	slave = hr_seeker_lock(&pcm->seeker, &pcm->slave);
	map = slave ? snd_pcm_get_chmap(slave) : NULL;
	hr_seeker_unlock(&pcm->seeker);
	return map;
}

int hr_pcm_set_chmap(snd_pcm_ioplug_t *ioplug, const snd_pcm_chmap_t *map)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_t *slave;
	int err;

	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	slave = hr_seeker_lock(&pcm->seeker, &pcm->slave);
	err = slave ? snd_pcm_set_chmap(slave, map) : -ENODEV;
	if (err == 0)
		err = hr_seeker_note_chmap(&pcm->seeker, map);
	hr_seeker_unlock(&pcm->seeker);
	return err;
}

static void dump_health(struct hr_pcm *pcm, snd_output_t *out)
{
	struct hr_health_snapshot s;

	if (hr_health_get_snapshot(hr_page_health(pcm->page),
				   hr_page_window_max(pcm->page), &s, hr_now_ns()) < 0)
		snd_output_printf(out, "  (no memory for percentiles)\n");
	snd_output_printf(out, "Health of '%s', slot %u: %s\n", pcm->config.name,
			  hr_page_slot(pcm->page),
			  s.is_healthy ? "healthy" : "not healthy");
	snd_output_printf(out, "  chunks       : %llu, dropped %llu\n",
			  (unsigned long long)s.chunks,
			  (unsigned long long)s.chunks_dropped);
	snd_output_printf(out, "  frames       : %llu, dropped %llu, silence %llu\n",
			  (unsigned long long)hr_page_get(pcm->page, HR_STAT_FRAMES),
			  (unsigned long long)s.frames_dropped,
			  (unsigned long long)s.frames_silence);
	snd_output_printf(out, "  xruns        : %llu, of the device %llu\n",
			  (unsigned long long)s.overruns,
			  (unsigned long long)hr_page_get(pcm->page,
							  HR_STAT_DEVICE_XRUNS));
	snd_output_printf(out, "  latency      : %llu us avg, %llu us p95, %llu us max\n",
			  (unsigned long long)(s.latency.avg / HR_NS_PER_US),
			  (unsigned long long)(s.latency.p95 / HR_NS_PER_US),
			  (unsigned long long)(s.latency.max / HR_NS_PER_US));
	snd_output_printf(out, "  I/O thread   : real-time priority %llu\n",
			  (unsigned long long)hr_page_get(pcm->page, HR_STAT_REALTIME));
}

void hr_pcm_dump(snd_pcm_ioplug_t *ioplug, snd_output_t *out)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_t *slave;

	snd_output_printf(out, "Headroom PCM, pressure at %u %%, normal at %u %%\n",
			  pcm->config.trigger, pcm->config.clear);
	if (pcm->stream) {
		snd_output_printf(out, "Its setup is:\n");
		snd_pcm_dump_setup(ioplug->pcm, out);
	}
	dump_health(pcm, out);
	snd_output_printf(out, "Slave: ");
	if (hr_pcm_is_foreign(pcm)) {
		snd_output_printf(out, "another process's\n");
		return;
	}
	slave = hr_seeker_lock(&pcm->seeker, &pcm->slave);
	if (slave)
		snd_pcm_dump(slave, out);
	else
		snd_output_printf(out, "gone, and looked for\n");
	hr_seeker_unlock(&pcm->seeker);
}
