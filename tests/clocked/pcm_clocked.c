/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * PCM type clocked: a sound card for tests that exists only as a clock. What it
 * does is told in device.h, its configuration in config.h; here it is opened.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "tests/clocked/callbacks.h"
#include "tests/clocked/config.h"
#include "tests/clocked/device.h"
#include "tests/clocked/faults.h"

void clocked_pcm_free(struct clocked_pcm *pcm)
{
	clocked_device_finish(&pcm->dev);
	clocked_commanded_finish(&pcm->commanded);
	close(pcm->timer_fd);
	pthread_mutex_destroy(&pcm->lock);
	free(pcm->chmap);
	free(pcm);
}

static int clocked_open(snd_pcm_t **pcmp, const char *name,
			const struct clocked_config *config,
			snd_pcm_stream_t stream, int mode)
{
	struct clocked_pcm *pcm = calloc(1, sizeof(*pcm));
	struct clocked_config own = *config;
	struct clocked_words words;
	int err = -ENOMEM;

	if (!pcm)
		return err;
	pcm->extra_delay = config->extra_delay;
	pcm->has_chmaps = config->chmaps != 0;
	pcm->io = (snd_pcm_ioplug_t){
		.version = SND_PCM_IOPLUG_VERSION,
		.name = "clocked virtual sound card",
		.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA,
		.callback = &clocked_callbacks,
		.private_data = pcm,
		.nonblock = (mode & SND_PCM_NONBLOCK) != 0,
	};
	pthread_mutex_init(&pcm->lock, NULL);
	pcm->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pcm->timer_fd < 0) {
		err = -errno;
		goto err_free;
	}
	err = clocked_commanded_init(&pcm->commanded, config->command, pcm->timer_fd);
	if (err < 0)
		goto err_close;
	words = clocked_commanded_read(&pcm->commanded);
	if (words.period)
		own.period_min = own.period_max = (long)words.period;
	err = words.open_errno ? -(int)words.open_errno : words.lost ? -ENODEV : 0;
	if (err < 0)
		goto err_commanded;
	pcm->io.poll_fd = pcm->commanded.words ? pcm->commanded.epoll_fd : pcm->timer_fd;
	pcm->io.poll_events = POLLIN;
	err = clocked_device_init(&pcm->dev, config,
				  stream == SND_PCM_STREAM_PLAYBACK);
	if (err < 0)
		goto err_commanded;
	clocked_faults_begin(&pcm->dev, &words);
	err = snd_pcm_ioplug_create(&pcm->io, name, stream, mode);
	if (err < 0) {
		clocked_pcm_free(pcm);
		return err;
	}
	/* alsa-lib owns pcm from here. */
	err = clocked_config_constrain(&own, &pcm->io);
	if (err < 0) {
		snd_pcm_ioplug_delete(&pcm->io);
		return err;
	}
	*pcmp = pcm->io.pcm;
	return 0;

err_commanded:
	clocked_commanded_finish(&pcm->commanded);
err_close:
	close(pcm->timer_fd);
err_free:
	pthread_mutex_destroy(&pcm->lock);
	free(pcm);
	return err;
}

/* What alsa-lib looks up; all else is hidden. */
#pragma GCC visibility push(default)

SND_PCM_PLUGIN_DEFINE_FUNC(clocked)
{
	struct clocked_config config;
	int err;

	(void)root;
	err = clocked_config_init(&config, name ? name : "", conf);
	if (err < 0)
		return err;
	err = clocked_open(pcmp, name, &config, stream, mode);
	clocked_config_finish(&config);
	return err;
}

SND_PCM_PLUGIN_SYMBOL(clocked)

#pragma GCC visibility pop
