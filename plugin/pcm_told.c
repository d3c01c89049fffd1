/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the program is told: where the stream is and what has befallen it.
 */
#include <errno.h>
#include "plugin/pcm.h"

enum hr_fault hr_pcm_fault(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	int fault = atomic_load_explicit(&pcm->io.fault, memory_order_seq_cst);

	/* Not settled yet: the I/O thread is about to. */
	return fault == HR_FAULT_DRY ? HR_FAULT_NONE : (enum hr_fault)fault;
}

bool hr_pcm_is_drained(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	return atomic_load_explicit(&pcm->io.drained, memory_order_seq_cst);
}

bool hr_pcm_is_draining(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	return atomic_load_explicit(&pcm->io.draining, memory_order_seq_cst);
}

bool hr_pcm_is_moving(const struct hr_pcm *pcm)
{
	return pcm->stream && (pcm->ioplug.state == SND_PCM_STATE_RUNNING ||
			       pcm->ioplug.state == SND_PCM_STATE_DRAINING ||
			       pcm->ioplug.state == SND_PCM_STATE_PAUSED);
}

/* A position is fresh when it is asked for, as a card's, and so are the frames before it
 * and what has befallen the device. The I/O thread looks at the device as often as the
 * program's periods need it; to one that asks in between, driven by a timer, a look that
 * is older than this does not do. */
#define FRESH_NS (10 * HR_NS_PER_MS)

/* While the thread is kept from its processor the clock has to do: a program that waited for
 * it would be late in turn. */
static void freshen(struct hr_pcm *pcm)
{
	bool paused = pcm->ioplug.state == SND_PCM_STATE_PAUSED;
	bool looks_often = pcm->slave.period * HR_NS_PER_S <= FRESH_NS * pcm->io.rate;
	uint64_t now_ns;

	if (!hr_pcm_is_moving(pcm) || (!paused && looks_often) ||
	    hr_pcm_fault(pcm) != HR_FAULT_NONE)
		return;
	now_ns = hr_coarse_now_ns();
	if (now_ns > hr_position_time(&pcm->io.position) + FRESH_NS &&
	    now_ns > pcm->in_vain_ns + FRESH_NS &&
	    !hr_io_request_until(&pcm->io, HR_REQUEST_LOOK, hr_now_ns() + HR_PCM_PATIENCE_NS))
		pcm->in_vain_ns = now_ns;
}

void hr_pcm_update(struct hr_pcm *pcm)
{
	uint64_t pos, most;

	hr_pcm_sync_appl(pcm);
	freshen(pcm);
	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK) {
		pos = hr_position_now(&pcm->io.position, pcm->ioplug.rate, &pcm->asked_ns, NULL);
		most = pcm->appl_pos;
		/* What the program moved by after the drain began is over, too. */
		if (hr_pcm_is_draining(pcm) && hr_pcm_is_drained(pcm))
			pos = most;
	} else {
		pos = hr_position_last(&pcm->io.position);
		most = pcm->appl_pos + pcm->ioplug.buffer_size;
	}
	if (pos > most)
		pos = most;
	if (pos > pcm->hw_pos)
		pcm->hw_pos = pos;
}

/* The fault that the program is to see now: an overrun only after it has read
 * what was kept. */
static enum hr_fault visible_fault(const struct hr_pcm *pcm)
{
	enum hr_fault fault = hr_pcm_fault(pcm);

	if (fault == HR_FAULT_XRUN && pcm->config.depth_ms &&
	    pcm->ioplug.stream == SND_PCM_STREAM_CAPTURE &&
	    pcm->appl_pos < hr_position_last(&pcm->io.position))
		return HR_FAULT_NONE;
	return fault;
}

static int fault_error(enum hr_fault fault)
{
	switch (fault) {
	case HR_FAULT_NONE:
	case HR_FAULT_DRY:
		return 0;
	case HR_FAULT_XRUN:
		return -EPIPE;
	case HR_FAULT_SUSPENDED:
		return -ESTRPIPE;
	case HR_FAULT_LOST:
		return -ENODEV;
	}
	return -EIO;
}

int hr_pcm_show_fault(struct hr_pcm *pcm)
{
	enum hr_fault fault = visible_fault(pcm);

	/* Nothing but this is told of the position from then on. */
	if (fault != HR_FAULT_NONE && hr_pcm_is_moving(pcm) && pcm->boundary)
		pcm->told_hw_ptr = hr_pcm_ptr_of(pcm, pcm->hw_pos);
	if (fault == HR_FAULT_LOST)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_DISCONNECTED);
	else if (fault == HR_FAULT_SUSPENDED)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_SUSPENDED);
	else if (fault == HR_FAULT_XRUN &&
		 pcm->ioplug.state != SND_PCM_STATE_DRAINING)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_XRUN);
	return fault_error(fault);
}

/* [locked] Never negative but for an xrun: every other code would reach the
 * program as -EPIPE too. */
snd_pcm_sframes_t hr_pcm_pointer(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_sframes_t ret;

	if (hr_pcm_is_foreign(pcm))
		return (snd_pcm_sframes_t)pcm->told_hw_ptr;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_trust_pointer(pcm);
	if (hr_pcm_is_moving(pcm)) {
		hr_pcm_update(pcm);
		ret = hr_pcm_show_fault(pcm) == -EPIPE ? -EPIPE : 0;
		if (ret == 0)
			pcm->told_hw_ptr = hr_pcm_ptr_of(pcm, pcm->hw_pos);
	} else {
		ret = 0;
		pcm->asked_ns = 0;
		/* snd_pcm_reset() reaches a suspended stream, too; and a prepared one is
		 * told of the program by nothing else, until another thread starts it. */
		if (pcm->stream && (ioplug->state == SND_PCM_STATE_SUSPENDED ||
				    ioplug->state == SND_PCM_STATE_PREPARED))
			hr_pcm_sync_appl(pcm);
	}
	if (ret == 0) {
		ret = (snd_pcm_sframes_t)pcm->told_hw_ptr;
		pcm->given_hw_ptr = pcm->told_hw_ptr;
	}
	pthread_mutex_unlock(&pcm->lock);
	return ret;
}

/* hw_pos does not go back, so it may be where the clock had it and the device not yet.
 * What a device holds beyond its buffer fits only what it said itself: a sound server
 * takes much at once out of the one into the other. */
static snd_pcm_sframes_t playback_delay(const struct hr_pcm *pcm)
{
	int64_t extra = hr_position_extra(&pcm->io.position);
	uint64_t pos = pcm->hw_pos, now, now_ns;

	if (extra) {
		now = hr_position_now(&pcm->io.position, pcm->ioplug.rate, &now_ns, &extra);
		if (extra && now < pos)
			pos = now;
	}
	return (snd_pcm_sframes_t)(pcm->appl_pos - pos) + extra;
}

/* All that waits to be read, more than one buffer after a stall included: that is
 * how old the next frame is. */
static snd_pcm_sframes_t capture_delay(const struct hr_pcm *pcm)
{
	uint64_t captured = hr_position_last(&pcm->io.position);

	return (captured > pcm->appl_pos ?
		(snd_pcm_sframes_t)(captured - pcm->appl_pos) : 0) +
	       hr_position_extra(&pcm->io.position);
}

/* [locked] */
int hr_pcm_delay(snd_pcm_ioplug_t *ioplug, snd_pcm_sframes_t *delay)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err = 0;

	*delay = 0;
	if (ioplug->state == SND_PCM_STATE_XRUN)
		return -EPIPE;
	if (ioplug->state == SND_PCM_STATE_SUSPENDED)
		return -ESTRPIPE;
	if (ioplug->state == SND_PCM_STATE_DISCONNECTED)
		return -ENODEV;
	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_trust_pointer(pcm);
	if (hr_pcm_is_moving(pcm) || (pcm->stream && ioplug->state == SND_PCM_STATE_PREPARED)) {
		hr_pcm_update(pcm);
		if (hr_pcm_is_moving(pcm))
			err = hr_pcm_show_fault(pcm);
		*delay = ioplug->stream == SND_PCM_STREAM_PLAYBACK ?
			 playback_delay(pcm) : capture_delay(pcm);
	}
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

void hr_pcm_note_refusal(struct hr_pcm *pcm, int err)
{
	if (err == -ESTRPIPE)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_SUSPENDED);
	else if (err == -ENODEV)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_DISCONNECTED);
}
