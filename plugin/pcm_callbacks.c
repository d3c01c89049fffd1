/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The callbacks that steer a stream. alsa-lib calls them
 * [locked] with the PCM's mutex held: start, stop, pointer, pause, delay;
 * [unlocked] without: prepare, drain, resume, poll.
 */
#include <errno.h>
#include <poll.h>
#include "plugin/pcm.h"

/* Counted, for to ask the kernel who we are would be a system call with each write. */
static unsigned int forks;
static bool forks_are_counted;
static pthread_mutex_t forks_lock = PTHREAD_MUTEX_INITIALIZER;

static void count_fork(void)
{
	forks++;
}

int hr_pcm_note_process(struct hr_pcm *pcm)
{
	int err = 0;

	pthread_mutex_lock(&forks_lock);
	if (!forks_are_counted)
		err = pthread_atfork(NULL, NULL, count_fork);
	forks_are_counted = err == 0;
	pthread_mutex_unlock(&forks_lock);
	pcm->forks = forks;
	return -err;
}

bool hr_pcm_is_foreign(const struct hr_pcm *pcm)
{
	return forks != pcm->forks;
}

/* A pause callback makes alsa-lib announce that the device can pause; without one, a
 * pause "succeeds" while the sound goes on. So where the device cannot, there is one
 * that says so only while a stream runs, when nobody asks what the device can. */
static int refuse_pause(snd_pcm_ioplug_t *ioplug, int enable)
{
	(void)ioplug;
	(void)enable;
	return -ENOSYS;
}

void hr_pcm_guard_pause(struct hr_pcm *pcm, bool runs)
{
	if (!pcm->can_pause)
		pcm->callbacks.pause = runs ? refuse_pause : NULL;
}

/* [locked] */
static int hr_pcm_start(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err;

	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_trust_pointer(pcm);
	hr_pcm_sync_appl(pcm);
	err = pcm->stream ? hr_io_request(&pcm->io, HR_REQUEST_START) : -EBADFD;
	hr_pcm_note_refusal(pcm, err);
	hr_pcm_guard_pause(pcm, err == 0);
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

/* [locked] */
static int hr_pcm_stop(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (hr_pcm_is_foreign(pcm))
		return 0;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_trust_pointer(pcm);
	if (pcm->stream) {
		/* Where it stops is what the program is told from now on. */
		if (hr_pcm_is_moving(pcm)) {
			hr_pcm_update(pcm);
			pcm->told_hw_ptr = hr_pcm_ptr_of(pcm, pcm->hw_pos);
		}
		(void)hr_io_request(&pcm->io, HR_REQUEST_STOP);
	}
	hr_pcm_guard_pause(pcm, false);
	pthread_mutex_unlock(&pcm->lock);
	return 0;
}

/* Begin at position 0, which alsa-lib calls ptr. */
static void forget_positions(struct hr_pcm *pcm, snd_pcm_uframes_t ptr)
{
	pcm->appl_pos = 0;
	pcm->hw_pos = 0;
	pcm->zero_ptr = ptr;
	pcm->told_hw_ptr = ptr;
	/* After a prepare by alsa-lib it begins at 0; else it has what it was given. */
	if (!ptr)
		pcm->given_hw_ptr = 0;
	pcm->moving = 0;
	pcm->rest_offered_at = UINT64_MAX;
	/* seq_cst: see hr_io_ready(). */
	atomic_store_explicit(&pcm->io.draining, false, memory_order_seq_cst);
	atomic_store_explicit(&pcm->io.appl_pos, 0, memory_order_seq_cst);
	/* relaxed: see hr_io_set_appl_pos(). */
	atomic_store_explicit(&pcm->io.appl_ptr, ptr, memory_order_relaxed);
}

/* [unlocked] alsa-lib has set its pointers to 0 already. */
static int hr_pcm_prepare(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err;

	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_guard_pause(pcm, false);
	err = pcm->stream ? hr_io_request(&pcm->io, HR_REQUEST_PREPARE) : -EBADFD;
	if (err == 0) {
		forget_positions(pcm, 0);
		hr_pcm_settle_wake(pcm, false);
	} else if (err == -ENODEV) {
		snd_pcm_ioplug_set_state(ioplug, SND_PCM_STATE_DISCONNECTED);
		pcm->told_hw_ptr = 0;
	} else if (pcm->boundary) {
		/* The program is where it was: alsa-lib's zeros are no reset. */
		pcm->given_hw_ptr = 0;
		hr_pcm_set_ptr(pcm, hr_pcm_ptr_of(pcm, pcm->appl_pos));
	}
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

static int begin_drain(struct hr_pcm *pcm)
{
	int err = 0;

	pthread_mutex_lock(&pcm->lock);
	hr_pcm_sync_appl(pcm);
	/* seq_cst: see hr_io_ready(). */
	if (!atomic_exchange_explicit(&pcm->io.draining, true, memory_order_seq_cst) &&
	    hr_pcm_fault(pcm) == HR_FAULT_NONE)
		err = hr_io_request(&pcm->io, HR_REQUEST_DRAIN);
	if (err < 0) {
		/* None is under way: the next one asks again. seq_cst: see
		 * hr_io_ready(). */
		atomic_store_explicit(&pcm->io.draining, false, memory_order_seq_cst);
		hr_pcm_note_refusal(pcm, err);
	}
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

/* Sleep until the I/O thread says something, or a signal comes. */
static void wait_for_drain(struct hr_pcm *pcm)
{
	struct pollfd fd = { pcm->io.app_wake.fd, POLLIN, 0 };

	pthread_mutex_lock(&pcm->lock);
	hr_pcm_settle_wake(pcm, true);
	pthread_mutex_unlock(&pcm->lock);
	poll(&fd, 1, -1);
}

static int drain_playback(struct hr_pcm *pcm)
{
	int err;

	hr_pcm_ask_pointer(pcm);
	err = begin_drain(pcm);
	if (err < 0)
		return err;
	/* Another thread may drop, and even prepare again, before we look. */
	while (!hr_pcm_is_drained(pcm) && hr_pcm_is_draining(pcm) &&
	       hr_pcm_fault(pcm) == HR_FAULT_NONE) {
		/* 2 is the abort of a signal handler; 0 then lets alsa-lib drop. */
		if (pcm->ioplug.nonblock)
			return pcm->ioplug.nonblock == 2 ? 0 : -EAGAIN;
		wait_for_drain(pcm);
	}
	if (hr_pcm_fault(pcm) == HR_FAULT_LOST || hr_pcm_fault(pcm) == HR_FAULT_SUSPENDED)
		return hr_pcm_show_fault(pcm);
	/* relaxed: ordered by `drained`. */
	return atomic_load_explicit(&pcm->io.drain_error, memory_order_relaxed);
}

/* [unlocked] When 0 is returned alsa-lib drops the stream: for capture with what
 * was not read, which it has no way to keep. */
static int hr_pcm_drain(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (hr_pcm_is_foreign(pcm) || !pcm->stream)
		return -EBADFD;
	return ioplug->stream == SND_PCM_STREAM_PLAYBACK ? drain_playback(pcm) : 0;
}

/* [locked] */
static int hr_pcm_pause(snd_pcm_ioplug_t *ioplug, int enable)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err, fault;

	if (hr_pcm_is_foreign(pcm) || !pcm->stream)
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_trust_pointer(pcm);
	hr_pcm_sync_appl(pcm);
	/* A stream that has ended says so, not that it cannot be paused. */
	err = hr_pcm_show_fault(pcm);
	if (err == 0) {
		err = hr_io_request(&pcm->io, enable ? HR_REQUEST_PAUSE :
						       HR_REQUEST_UNPAUSE);
		hr_pcm_note_refusal(pcm, err);
		fault = err == -EBADFD ? hr_pcm_show_fault(pcm) : 0;
		if (fault < 0)
			err = fault;
	}
	pthread_mutex_unlock(&pcm->lock);
	return err;
}

/* The device does not resume. alsa-lib tells the program that it did, whatever we
 * say, so nobody would prepare the stream: do it here. alsa-lib does not set its
 * pointers to 0 this time. Returns HR_RUN_IDLE or -errno. */
static int begin_anew(struct hr_pcm *pcm)
{
	snd_pcm_uframes_t ptr = pcm->told_hw_ptr;
	int err = hr_io_request(&pcm->io, HR_REQUEST_PREPARE);

	if (err < 0)
		return err;
	forget_positions(pcm, ptr);
	hr_pcm_set_ptr(pcm, ptr);
	return HR_RUN_IDLE;
}

static snd_pcm_state_t state_of(enum hr_run run)
{
	switch (run) {
	case HR_RUN_IDLE:
		return SND_PCM_STATE_PREPARED;
	case HR_RUN_RUNNING:
	case HR_RUN_DISCARDING:
		return SND_PCM_STATE_RUNNING;
	case HR_RUN_PAUSED:
		return SND_PCM_STATE_PAUSED;
	case HR_RUN_DRAINING:
		return SND_PCM_STATE_DRAINING;
	case HR_RUN_FAULT:
		break;
	}
	return SND_PCM_STATE_SUSPENDED;
}

/* [unlocked] alsa-lib ignores the return value and leaves the state alone. */
static int hr_pcm_resume(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err;

	if (hr_pcm_is_foreign(pcm) || !pcm->stream)
		return -EBADFD;
	/* The program need not have seen the suspend yet. */
	if (ioplug->state != SND_PCM_STATE_SUSPENDED &&
	    ioplug->state != SND_PCM_STATE_PREPARED && !hr_pcm_is_moving(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	err = hr_io_request(&pcm->io, HR_REQUEST_RESUME);
	/* Not if it cannot yet, or was not suspended: as in the kernel, nothing changes. */
	if (err < 0 && err != -EAGAIN && err != -EBADFD)
		err = begin_anew(pcm);
	if (err >= 0) {
		/* A drain that met the suspend never began. seq_cst: see hr_io_ready(). */
		atomic_store_explicit(&pcm->io.draining, err == HR_RUN_DRAINING,
				      memory_order_seq_cst);
		snd_pcm_ioplug_set_state(ioplug, state_of((enum hr_run)err));
	} else {
		hr_pcm_note_refusal(pcm, err);
	}
	hr_pcm_settle_wake(pcm, false);
	pthread_mutex_unlock(&pcm->lock);
	return err < 0 ? err : 0;
}

/* A resume callback makes alsa-lib announce that the device can resume; without one, a
 * resume "succeeds" while the stream stays suspended, for ever where the program believes
 * it. So where the device cannot, there is one only while a stream is set up, when nobody
 * asks what the device can. */
void hr_pcm_guard_resume(struct hr_pcm *pcm, bool is_set_up)
{
	pcm->callbacks.resume = pcm->can_resume || is_set_up ? hr_pcm_resume : NULL;
}

/* Runs in snd_pcm_close() and when the open fails half-way. */
static int hr_pcm_close(snd_pcm_ioplug_t *ioplug)
{
	hr_pcm_free(ioplug->private_data);
	return 0;
}

void hr_pcm_set_callbacks(struct hr_pcm *pcm, bool can_pause, bool can_resume)
{
	pcm->can_pause = can_pause;
	pcm->can_resume = can_resume;
	pcm->callbacks = (snd_pcm_ioplug_callback_t) {
		.start = hr_pcm_start,
		.stop = hr_pcm_stop,
		.pointer = hr_pcm_pointer,
		.transfer = hr_pcm_transfer,
		.close = hr_pcm_close,
		.hw_params = hr_pcm_hw_params,
		.hw_free = hr_pcm_hw_free,
		.sw_params = hr_pcm_sw_params,
		.prepare = hr_pcm_prepare,
		.drain = hr_pcm_drain,
		.pause = can_pause ? hr_pcm_pause : NULL,
		.resume = can_resume ? hr_pcm_resume : NULL,
		.poll_descriptors_count = hr_pcm_poll_descriptors_count,
		.poll_descriptors = hr_pcm_poll_descriptors,
		.poll_revents = hr_pcm_poll_revents,
		.dump = hr_pcm_dump,
		.delay = hr_pcm_delay,
		.query_chmaps = hr_pcm_query_chmaps,
		.get_chmap = hr_pcm_get_chmap,
		.set_chmap = hr_pcm_set_chmap,
	};
	pcm->ioplug.callback = &pcm->callbacks;
}
