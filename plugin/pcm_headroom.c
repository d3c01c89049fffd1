/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Entry point of libasound_module_pcm_headroom.so: opening and freeing.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "plugin/constraints.h"
#include "plugin/pcm.h"

void hr_pcm_free(struct hr_pcm *pcm)
{
	if (!pcm)
		return;
	if (hr_pcm_is_foreign(pcm)) {
		/* Thread and device are the parent's; this is a copy of the memory
		 * and of the descriptors. */
		hr_seeker_abandon(&pcm->seeker);
		hr_reporter_abandon(&pcm->reporter);
		hr_page_abandon(pcm->page);
	} else {
		hr_pcm_teardown(pcm);
		hr_slave_close(&pcm->slave);
		hr_reporter_stop(&pcm->reporter);
		hr_page_close(pcm->page, hr_now_ns());
	}
	hr_seeker_finish(&pcm->seeker);
	hr_wake_finish(&pcm->io.app_wake);
	hr_pcm_config_finish(&pcm->config);
	pthread_mutex_destroy(&pcm->lock);
	free(pcm);
}

static enum hr_direction direction_of(snd_pcm_stream_t stream)
{
	return stream == SND_PCM_STREAM_PLAYBACK ? HR_PLAYBACK : HR_CAPTURE;
}

/* A page that others can read; where that cannot be had, one that they cannot:
 * the sound is worth more. */
static int open_page(struct hr_pcm *pcm, snd_pcm_stream_t stream)
{
	struct hr_page_config config = {
		.name = pcm->config.name,
		.direction = direction_of(stream),
		.perm = pcm->config.ipc_perm,
		.gid = pcm->config.ipc_gid,
		.trigger = pcm->config.trigger,
		.clear = pcm->config.clear,
		.window = pcm->config.latency_samples,
	};
	int err = hr_page_open(&pcm->page, &config, hr_now_ns());

	if (err == 0)
		return 0;
	SNDERR("headroom: the counters of '%s' cannot be shown (%s), sound goes on; "
	       "their folder, /dev/shm/headroom-%u or HEADROOM_DIR, must be yours and "
	       "writable by nobody else%s", config.name, snd_strerror(err), geteuid(),
	       config.gid == (gid_t)-1 ? "" : ", and ipc_gid a group that you are in");
	return hr_page_open_private(&pcm->page, &config, hr_now_ns());
}

/* Never an error: the sound is worth more. */
static void start_reporter(struct hr_pcm *pcm, snd_pcm_stream_t stream)
{
	struct hr_card_elements *card = NULL;

	if (pcm->config.card_elements != HR_CARD_ELEMENTS_NO)
		(void)hr_card_elements_open(&card, hr_card_of(pcm->slave.pcm), pcm->page,
					    direction_of(stream));
	hr_reporter_start(&pcm->reporter, pcm->page, card,
			  pcm->config.card_elements == HR_CARD_ELEMENTS_KEEP);
}

static int create_ioplug(struct hr_pcm *pcm, const char *name,
			 snd_pcm_stream_t stream, int mode)
{
	snd_pcm_hw_params_t *hw;
	bool can_pause, can_resume;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	err = snd_pcm_hw_params_any(pcm->slave.pcm, hw);
	if (err < 0) {
		SNDERR("headroom: the slave has no configuration: %s", snd_strerror(err));
		return err;
	}
	can_pause = snd_pcm_hw_params_can_pause(hw) == 1;
	can_resume = snd_pcm_hw_params_can_resume(hw) == 1;

	pcm->ioplug.version = SND_PCM_IOPLUG_VERSION;
	pcm->ioplug.name = "Headroom";
	pcm->ioplug.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA |
			    (pcm->config.monotonic ? SND_PCM_IOPLUG_FLAG_MONOTONIC : 0);
	pcm->ioplug.mmap_rw = 0;
	pcm->ioplug.poll_fd = pcm->io.app_wake.fd;
	pcm->ioplug.poll_events = POLLIN;
	pcm->ioplug.private_data = pcm;
	hr_pcm_set_callbacks(pcm, can_pause, can_resume);
	err = snd_pcm_ioplug_create(&pcm->ioplug, name, stream, mode);
	if (err < 0)
		return err;
	/* ioplug sets it only when the mode is changed later. */
	pcm->ioplug.nonblock = !!(mode & SND_PCM_NONBLOCK);
	return 0;
}

static struct hr_pcm *make_pcm(void)
{
	const char *safe = getenv("LIBASOUND_THREAD_SAFE");	/* as alsa-lib reads it */
	struct hr_pcm *pcm = aligned_alloc(alignof(struct hr_pcm), sizeof(*pcm));

	if (!pcm)
		return NULL;
	memset(pcm, 0, sizeof(*pcm));
	pcm->is_locked = !safe || *safe != '0';
	pcm->io.io_wake.fd = -1;
	pcm->io.app_wake.fd = -1;
	pcm->reporter.wake.fd = -1;
	hr_witness_init(&pcm->reporter.witness);
	pthread_mutex_init(&pcm->lock, NULL);
	return pcm;
}

static int open_pcm(snd_pcm_t **pcmp, const char *name, snd_config_t *root,
		    snd_config_t *conf, snd_pcm_stream_t stream, int mode)
{
	struct hr_pcm *pcm = make_pcm();
	int err;

	if (!pcm)
		return -ENOMEM;
	if ((err = hr_pcm_note_process(pcm)) < 0 ||
	    (err = hr_pcm_config_parse(&pcm->config, name, conf)) < 0 ||
	    (err = hr_slave_open(&pcm->slave, &pcm->config, name, root, stream, mode)) < 0 ||
	    (err = open_page(pcm, stream)) < 0 ||
	    (err = hr_wake_init(&pcm->io.app_wake)) < 0)
		goto err_free;
	if (pcm->config.reconnect &&
	    (err = hr_seeker_init(&pcm->seeker, &pcm->config, &pcm->reporter, name, root,
				  mode)) < 0)
		goto err_free;
	start_reporter(pcm, stream);
	err = create_ioplug(pcm, name, stream, mode);
	if (err < 0)
		goto err_free;

	/* alsa-lib owns pcm from here: deleting the ioplug runs hr_pcm_close(). */
	err = hr_constraints_apply(&pcm->ioplug, pcm->slave.pcm);
	if (err < 0)
		goto err_delete;
	*pcmp = pcm->ioplug.pcm;
	return 0;

err_delete:
	snd_pcm_ioplug_delete(&pcm->ioplug);
	return err;		/* not into err_free: pcm is gone */
err_free:
	hr_pcm_free(pcm);
	return err;
}

__attribute__((visibility("default")))
SND_PCM_PLUGIN_DEFINE_FUNC(headroom)
{
	return open_pcm(pcmp, name, root, conf, stream, mode);
}

__attribute__((visibility("default")))
SND_PCM_PLUGIN_SYMBOL(headroom)
