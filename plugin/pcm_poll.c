/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that sleeps until something happens, by the descriptor of app_wake.
 */
#include <errno.h>
#include <poll.h>
#include "plugin/pcm.h"

/* [unlocked] */
int hr_pcm_poll_descriptors_count(snd_pcm_ioplug_t *ioplug)
{
	(void)ioplug;
	return 1;
}

/* In all other states a program that polls is told at once. */
static bool waits(snd_pcm_state_t state)
{
	return state == SND_PCM_STATE_PREPARED || state == SND_PCM_STATE_RUNNING ||
	       state == SND_PCM_STATE_PAUSED || state == SND_PCM_STATE_DRAINING;
}

/* [unlocked] */
int hr_pcm_poll_descriptors(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
			    unsigned int space)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (space < 1)
		return -EINVAL;
	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	fds[0] = (struct pollfd) { pcm->io.app_wake.fd, POLLIN | POLLERR, 0 };
	hr_pcm_ask_pointer(pcm);
	pthread_mutex_lock(&pcm->lock);
	if (pcm->stream) {
		hr_pcm_sync_appl(pcm);
		if (waits(ioplug->state))
			hr_pcm_settle_wake(pcm, false);
		else
			hr_wake_force(&pcm->io.app_wake);
	}
	pthread_mutex_unlock(&pcm->lock);
	return 1;
}

/* After an overrun, less is left than the program wants to be woken for, and no
 * more will come. It is woken for that once; if it does not read it (some read
 * whole periods only) it is told of the overrun. The rest counts as lost then. */
static bool is_at_its_end(struct hr_pcm *pcm)
{
	bool offered = pcm->rest_offered_at == pcm->appl_pos;

	/* relaxed: a setting by itself, made by this side. */
	if (hr_pcm_fault(pcm) != HR_FAULT_XRUN ||
	    hr_position_last(&pcm->io.position) >= pcm->appl_pos +
	    atomic_load_explicit(&pcm->io.avail_min, memory_order_relaxed))
		return false;
	pcm->rest_offered_at = pcm->appl_pos;
	return offered;
}

/* What a program that polls is told, by state. */
static unsigned short ready_events(struct hr_pcm *pcm)
{
	unsigned short ready = pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK ?
			       POLLOUT : POLLIN;

	/* ioplug leaves the state as it was after hw_free. */
	if (!pcm->stream)
		return ready | POLLERR;
	switch (pcm->ioplug.state) {
	case SND_PCM_STATE_RUNNING:
	case SND_PCM_STATE_PAUSED:
	case SND_PCM_STATE_DRAINING:
		hr_pcm_update(pcm);
		if (hr_pcm_show_fault(pcm) < 0)
			return ready | POLLERR;
		if (pcm->ioplug.stream == SND_PCM_STREAM_CAPTURE && is_at_its_end(pcm)) {
			snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_XRUN);
			return ready | POLLERR;
		}
		if (!hr_io_ready(&pcm->io))
			return 0;
		if (hr_io_take_period(&pcm->io))
			hr_pcm_settle_wake(pcm, true);
		return ready;
	case SND_PCM_STATE_PREPARED:
		return hr_io_ready(&pcm->io) ? ready : 0;
	default:
		return ready | POLLERR;
	}
}

/* [unlocked] */
int hr_pcm_poll_revents(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
			unsigned int n_fds, unsigned short *revents)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (n_fds != 1)
		return -EINVAL;
	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	/* A non-blocking drain ends when the pointer is looked at, and the program
	 * may do nothing but poll. */
	if (ioplug->state == SND_PCM_STATE_DRAINING && hr_pcm_is_drained(pcm))
		snd_pcm_avail_update(ioplug->pcm);
	else
		hr_pcm_ask_pointer(pcm);

	pthread_mutex_lock(&pcm->lock);
	*revents = ready_events(pcm);
	if (!*revents)
		hr_pcm_settle_wake(pcm, fds[0].revents != 0);
	pthread_mutex_unlock(&pcm->lock);
	return 0;
}
