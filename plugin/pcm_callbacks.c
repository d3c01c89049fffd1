/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The callbacks that steer a stream and say where it is. alsa-lib calls them
 * [locked] with the PCM's mutex held: start, stop, pointer, pause, delay;
 * [unlocked] without: prepare, drain, resume, poll.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include "plugin/pcm.h"

bool hr_pcm_is_foreign(const struct hr_pcm *pcm)
{
	return getpid() != pcm->pid;
}

static enum hr_fault fault_of(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	int fault = atomic_load_explicit(&pcm->io.fault, memory_order_seq_cst);

	/* Not settled yet: the I/O thread is about to. */
	return fault == HR_FAULT_DRY ? HR_FAULT_NONE : (enum hr_fault)fault;
}

static bool is_drained(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	return atomic_load_explicit(&pcm->io.drained, memory_order_seq_cst);
}

static bool is_draining(const struct hr_pcm *pcm)
{
	/* seq_cst: see hr_io_ready(). */
	return atomic_load_explicit(&pcm->io.draining, memory_order_seq_cst);
}

/* Bring appl_pos and hw_pos up to now. */
static void update_positions(struct hr_pcm *pcm)
{
	uint64_t pos, most;

	hr_pcm_sync_appl(pcm);
	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK) {
		pos = hr_position_now(&pcm->io.position, pcm->ioplug.rate, hr_now_ns());
		most = pcm->appl_pos;
		/* What the program moved by after the drain began is over, too. */
		if (is_draining(pcm) && is_drained(pcm))
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
	enum hr_fault fault = fault_of(pcm);

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

static bool is_moving(const struct hr_pcm *pcm)
{
	return pcm->stream && (pcm->ioplug.state == SND_PCM_STATE_RUNNING ||
			       pcm->ioplug.state == SND_PCM_STATE_DRAINING ||
			       pcm->ioplug.state == SND_PCM_STATE_PAUSED);
}

/* Turn a fault into the PCM's state. An xrun is left to alsa-lib where a negative
 * return does that. Returns 0 or -errno. */
static int show_fault(struct hr_pcm *pcm)
{
	enum hr_fault fault = visible_fault(pcm);

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
static snd_pcm_sframes_t hr_pcm_pointer(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_sframes_t ret;

	pthread_mutex_lock(&pcm->lock);
	if (is_moving(pcm)) {
		update_positions(pcm);
		ret = show_fault(pcm) == -EPIPE ? -EPIPE : 0;
		if (ret == 0)
			pcm->told_hw_ptr = hr_pcm_ptr_of(pcm, pcm->hw_pos);
	} else {
		ret = 0;
		/* snd_pcm_reset() reaches a suspended stream, too. */
		if (pcm->stream && ioplug->state == SND_PCM_STATE_SUSPENDED)
			hr_pcm_sync_appl(pcm);
	}
	if (ret == 0)
		ret = (snd_pcm_sframes_t)pcm->told_hw_ptr;
	pthread_mutex_unlock(&pcm->lock);
	return ret;
}

static snd_pcm_sframes_t playback_delay(const struct hr_pcm *pcm)
{
	return (snd_pcm_sframes_t)(pcm->appl_pos - pcm->hw_pos) +
	       hr_position_extra(&pcm->io.position);
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
static int hr_pcm_delay(snd_pcm_ioplug_t *ioplug, snd_pcm_sframes_t *delay)
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
	pthread_mutex_lock(&pcm->lock);
	if (is_moving(pcm) || (pcm->stream && ioplug->state == SND_PCM_STATE_PREPARED)) {
		update_positions(pcm);
		if (is_moving(pcm))
			err = show_fault(pcm);
		*delay = ioplug->stream == SND_PCM_STREAM_PLAYBACK ?
			 playback_delay(pcm) : capture_delay(pcm);
	}
	pthread_mutex_unlock(&pcm->lock);
	return err;
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

/* The device was suspended, or went, while nobody looked at it. */
static void note_refusal(struct hr_pcm *pcm, int err)
{
	if (err == -ESTRPIPE)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_SUSPENDED);
	else if (err == -ENODEV)
		snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_DISCONNECTED);
}

/* [locked] */
static int hr_pcm_start(snd_pcm_ioplug_t *ioplug)
{
	struct hr_pcm *pcm = ioplug->private_data;
	int err;

	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	hr_pcm_sync_appl(pcm);
	err = pcm->stream ? hr_io_request(&pcm->io, HR_REQUEST_START) : -EBADFD;
	note_refusal(pcm, err);
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
	if (pcm->stream) {
		/* Where it stops is what the program is told from now on. */
		if (is_moving(pcm)) {
			update_positions(pcm);
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
	    fault_of(pcm) == HR_FAULT_NONE)
		err = hr_io_request(&pcm->io, HR_REQUEST_DRAIN);
	if (err < 0) {
		/* None is under way: the next one asks again. seq_cst: see
		 * hr_io_ready(). */
		atomic_store_explicit(&pcm->io.draining, false, memory_order_seq_cst);
		note_refusal(pcm, err);
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
	int err = begin_drain(pcm);

	if (err < 0)
		return err;
	/* Another thread may drop, and even prepare again, before we look. */
	while (!is_drained(pcm) && is_draining(pcm) && fault_of(pcm) == HR_FAULT_NONE) {
		/* 2 is the abort of a signal handler; 0 then lets alsa-lib drop. */
		if (pcm->ioplug.nonblock)
			return pcm->ioplug.nonblock == 2 ? 0 : -EAGAIN;
		wait_for_drain(pcm);
	}
	if (fault_of(pcm) == HR_FAULT_LOST || fault_of(pcm) == HR_FAULT_SUSPENDED)
		return show_fault(pcm);
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
	hr_pcm_sync_appl(pcm);
	/* A stream that has ended says so, not that it cannot be paused. */
	err = show_fault(pcm);
	if (err == 0) {
		err = hr_io_request(&pcm->io, enable ? HR_REQUEST_PAUSE :
						       HR_REQUEST_UNPAUSE);
		note_refusal(pcm, err);
		fault = err == -EBADFD ? show_fault(pcm) : 0;
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
	/* The kernel refuses it too; the state is to stay as it is. */
	if (ioplug->state != SND_PCM_STATE_SUSPENDED)
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	err = hr_io_request(&pcm->io, HR_REQUEST_RESUME);
	if (err < 0 && err != -EAGAIN)	/* that is: not yet */
		err = begin_anew(pcm);
	if (err >= 0)
		snd_pcm_ioplug_set_state(ioplug, state_of((enum hr_run)err));
	else
		note_refusal(pcm, err);
	hr_pcm_settle_wake(pcm, false);
	pthread_mutex_unlock(&pcm->lock);
	return err < 0 ? err : 0;
}

/* [unlocked] */
static int hr_pcm_poll_descriptors_count(snd_pcm_ioplug_t *ioplug)
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
static int hr_pcm_poll_descriptors(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
				   unsigned int space)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (space < 1)
		return -EINVAL;
	fds[0] = (struct pollfd) { pcm->io.app_wake.fd, POLLIN | POLLERR, 0 };
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
	if (fault_of(pcm) != HR_FAULT_XRUN ||
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
		update_positions(pcm);
		if (show_fault(pcm) < 0)
			return ready | POLLERR;
		if (pcm->ioplug.stream == SND_PCM_STREAM_CAPTURE && is_at_its_end(pcm)) {
			snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_XRUN);
			return ready | POLLERR;
		}
		return hr_io_ready(&pcm->io) ? ready : 0;
	case SND_PCM_STATE_PREPARED:
		return hr_io_ready(&pcm->io) ? ready : 0;
	default:
		return ready | POLLERR;
	}
}

/* [unlocked] */
static int hr_pcm_poll_revents(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
			       unsigned int n_fds, unsigned short *revents)
{
	struct hr_pcm *pcm = ioplug->private_data;

	if (n_fds != 1)
		return -EINVAL;
	/* A non-blocking drain ends when the pointer is looked at, and the program
	 * may do nothing but poll. */
	if (ioplug->state == SND_PCM_STATE_DRAINING && is_drained(pcm))
		snd_pcm_avail_update(ioplug->pcm);

	pthread_mutex_lock(&pcm->lock);
	*revents = ready_events(pcm);
	if (!*revents)
		hr_pcm_settle_wake(pcm, fds[0].revents != 0);
	pthread_mutex_unlock(&pcm->lock);
	return 0;
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
