/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "core/clock.h"
#include "tests/clocked/callbacks.h"
#include "tests/clocked/device.h"

#define DRAIN_LOOK_MS 50	/* how often drain looks for an abort it missed */

static struct clocked_pcm *lock_pcm(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = io->private_data;

	pthread_mutex_lock(&pcm->lock);
	return pcm;
}

/* Set the timer anew and let go. Every callback that changed something ends
 * here, so that a program in poll() is woken at the right time. */
static void unlock_pcm(struct clocked_pcm *pcm)
{
	uint64_t wake_ns = clocked_device_wake_ns(&pcm->dev);
	bool fired = pcm->armed_ns != 0 && pcm->armed_ns <= hr_now_ns();

	/* It is never read, so once it has fired it stays readable. */
	if (wake_ns != pcm->armed_ns && !(wake_ns == 1 && fired)) {
		struct itimerspec spec = {
			.it_value.tv_sec = (time_t)(wake_ns / HR_NS_PER_S),
			.it_value.tv_nsec = (long)(wake_ns % HR_NS_PER_S),
		};

		timerfd_settime(pcm->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
		pcm->armed_ns = wake_ns;
	}
	pthread_mutex_unlock(&pcm->lock);
}

static snd_pcm_uframes_t wrapped(const struct clocked_pcm *pcm, int64_t position)
{
	if (pcm->boundary == 0)
		return 0;
	return (snd_pcm_uframes_t)position % pcm->boundary;
}

/* Learn where the program is. [locked] */
static void follow_program(struct clocked_pcm *pcm)
{
	snd_pcm_sframes_t half = (snd_pcm_sframes_t)(pcm->boundary / 2);
	snd_pcm_sframes_t moved;

	if (pcm->boundary == 0)
		return;
	/* snd_pcm_reset() is seen only by this. */
	if (pcm->io.hw_ptr != pcm->told && pcm->io.hw_ptr == 0) {
		clocked_device_reset(&pcm->dev);
		pcm->told = 0;
	}
	moved = (snd_pcm_sframes_t)(pcm->io.appl_ptr -
				    wrapped(pcm, pcm->dev.appl));
	if (moved > half)
		moved -= (snd_pcm_sframes_t)pcm->boundary;
	else if (moved < -half)
		moved += (snd_pcm_sframes_t)pcm->boundary;
	pcm->dev.appl += moved;
}

/* Bring the device up to date. alsa-lib announces a drain by its state before it
 * calls, and the end of the stream must not pass as an underrun in between.
 * [locked] */
static void sync_locked(struct clocked_pcm *pcm)
{
	follow_program(pcm);
	if (pcm->io.state == SND_PCM_STATE_DRAINING && pcm->dev.playback &&
	    pcm->dev.state == CLOCKED_RUNNING)
		pcm->dev.state = CLOCKED_DRAINING;
	clocked_device_sync(&pcm->dev, hr_now_ns());
}

/* -EPIPE if the stream has stopped, and alsa-lib is told. [locked] */
static int check_xrun(struct clocked_pcm *pcm)
{
	if (pcm->dev.state != CLOCKED_XRUN)
		return 0;
	if (pcm->io.state == SND_PCM_STATE_RUNNING)
		snd_pcm_ioplug_set_state(&pcm->io, SND_PCM_STATE_XRUN);
	return -EPIPE;
}

static int clocked_start(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	int err;

	follow_program(pcm);
	err = clocked_device_start(&pcm->dev, hr_now_ns());
	unlock_pcm(pcm);
	return err;
}

static int clocked_stop(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = lock_pcm(io);

	sync_locked(pcm);
	clocked_device_stop(&pcm->dev, hr_now_ns());
	unlock_pcm(pcm);
	return 0;
}

static snd_pcm_sframes_t clocked_pointer(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	snd_pcm_sframes_t result;

	sync_locked(pcm);
	/* In other states than RUNNING an error would make a stream that was
	 * only stopped look like one in XRUN. */
	if (pcm->dev.state == CLOCKED_XRUN && io->state == SND_PCM_STATE_RUNNING) {
		result = -EPIPE;
	} else {
		pcm->told = wrapped(pcm, pcm->dev.hw);
		result = (snd_pcm_sframes_t)pcm->told;
	}
	unlock_pcm(pcm);
	return result;
}

static snd_pcm_sframes_t clocked_transfer(snd_pcm_ioplug_t *io,
					  const snd_pcm_channel_area_t *areas,
					  snd_pcm_uframes_t offset,
					  snd_pcm_uframes_t size)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	snd_pcm_sframes_t result = (snd_pcm_sframes_t)size;
	int err;

	/* First of all: what comes too late must not hide that it does. */
	sync_locked(pcm);
	err = check_xrun(pcm);
	if (err < 0) {
		result = err;
	} else {
		clocked_device_transfer(&pcm->dev, areas, offset, size);
		/* A mmap capture only looks: appl moves with the commit, which
		 * no callback tells of. */
		if (pcm->dev.playback ||
		    io->access == SND_PCM_ACCESS_RW_INTERLEAVED ||
		    io->access == SND_PCM_ACCESS_RW_NONINTERLEAVED)
			pcm->dev.appl += result;
	}
	unlock_pcm(pcm);
	return result;
}

static int clocked_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delayp)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	int err;

	sync_locked(pcm);
	err = check_xrun(pcm);
	if (err == 0)
		*delayp = (snd_pcm_sframes_t)(pcm->dev.playback ?
			pcm->dev.appl - pcm->dev.hw :
			pcm->dev.hw - pcm->dev.appl) + pcm->extra_delay;
	unlock_pcm(pcm);
	return err;
}

static int clocked_pause(snd_pcm_ioplug_t *io, int enable)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	int err;

	sync_locked(pcm);
	err = clocked_device_pause(&pcm->dev, hr_now_ns(), enable != 0);
	if (err == -EPIPE)
		check_xrun(pcm);
	unlock_pcm(pcm);
	return err;
}

static int clocked_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	int err = clocked_device_set_hw(&pcm->dev, io);

	(void)params;
	unlock_pcm(pcm);
	return err;
}

static int clocked_hw_free(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = lock_pcm(io);

	sync_locked(pcm);
	clocked_device_stop(&pcm->dev, hr_now_ns());
	clocked_device_free_hw(&pcm->dev);
	unlock_pcm(pcm);
	return 0;
}

static int clocked_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct clocked_pcm *pcm = lock_pcm(io);
	snd_pcm_uframes_t boundary, avail_min, stop;

	snd_pcm_sw_params_get_boundary(params, &boundary);
	snd_pcm_sw_params_get_avail_min(params, &avail_min);
	snd_pcm_sw_params_get_stop_threshold(params, &stop);
	pcm->boundary = boundary;
	pcm->dev.avail_min = (int64_t)(avail_min < boundary ? avail_min : boundary);
	pcm->dev.stop_threshold = stop >= boundary ? INT64_MAX : (int64_t)stop;
	unlock_pcm(pcm);
	return 0;
}

static int clocked_prepare(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = lock_pcm(io);

	clocked_device_prepare(&pcm->dev, hr_now_ns());
	pcm->told = 0;		/* alsa-lib has set its pointers to 0 before */
	unlock_pcm(pcm);
	return 0;
}

/* Let alsa-lib look at the position, and with it take over an xrun or the end of
 * a drain. [unlocked] */
static void update_alsa(struct clocked_pcm *pcm)
{
	bool installed;

	pthread_mutex_lock(&pcm->lock);
	installed = pcm->dev.ring != NULL;
	pthread_mutex_unlock(&pcm->lock);
	if (installed)
		snd_pcm_hwsync(pcm->io.pcm);
}

/* Begin to drain, or go on. Returns 1 when there is nothing left to wait for. */
static int drain_step(struct clocked_pcm *pcm)
{
	bool over;

	/* As in the loop of alsa-lib's own drain: this ends the state DRAINING
	 * when all was heard. */
	update_alsa(pcm);
	lock_pcm(&pcm->io);
	if (pcm->io.state == SND_PCM_STATE_DRAINING)
		clocked_device_drain(&pcm->dev, hr_now_ns());
	over = pcm->io.state != SND_PCM_STATE_DRAINING ||
	       clocked_device_drained(&pcm->dev) ||
	       pcm->dev.state != CLOCKED_DRAINING;
	unlock_pcm(pcm);
	return over;
}

static int clocked_drain(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = io->private_data;

	if (!pcm->dev.playback) {
		update_alsa(pcm);
		lock_pcm(io);
		clocked_device_stop(&pcm->dev, hr_now_ns());
		unlock_pcm(pcm);
		return 0;
	}
	while (!drain_step(pcm)) {
		struct pollfd pfd = { .fd = pcm->timer_fd, .events = POLLIN };

		if (io->nonblock == 1)
			return -EAGAIN;
		if (io->nonblock == 2)		/* snd_pcm_abort() */
			return -EINTR;
		/* Not for ever: a signal just before this is not seen here. */
		if (poll(&pfd, 1, DRAIN_LOOK_MS) < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

static int clocked_poll_descriptors(snd_pcm_ioplug_t *io, struct pollfd *pfd,
				    unsigned int space)
{
	struct clocked_pcm *pcm = io->private_data;

	if (space < 1)
		return 0;
	update_alsa(pcm);
	lock_pcm(io);
	unlock_pcm(pcm);
	pfd->fd = pcm->timer_fd;
	pfd->events = POLLIN;
	pfd->revents = 0;
	return 1;
}

static int clocked_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd,
				unsigned int nfds, unsigned short *revents)
{
	struct clocked_pcm *pcm = io->private_data;
	bool draining;

	(void)pfd;
	if (nfds != 1)
		return -EINVAL;
	lock_pcm(io);
	draining = pcm->dev.state == CLOCKED_DRAINING;
	unlock_pcm(pcm);
	update_alsa(pcm);
	lock_pcm(io);
	*revents = clocked_device_events(&pcm->dev);
	/* The end of a drain makes this SETUP, an error state: the program that
	 * waited for just this is told without. */
	if (draining && pcm->dev.state == CLOCKED_SETUP)
		*revents = POLLOUT;
	unlock_pcm(pcm);
	return 0;
}

static void clocked_dump(snd_pcm_ioplug_t *io, snd_output_t *out)
{
	struct clocked_pcm *pcm = lock_pcm(io);

	snd_output_printf(out, "%s: hw %lld appl %lld world %llu heard %llu\n",
			  io->name, (long long)pcm->dev.hw,
			  (long long)pcm->dev.appl,
			  (unsigned long long)pcm->dev.world,
			  (unsigned long long)pcm->dev.heard);
	unlock_pcm(pcm);
	if (io->state != SND_PCM_STATE_OPEN) {
		snd_output_printf(out, "Its setup is:\n");
		snd_pcm_dump_setup(io->pcm, out);
	}
}

static int clocked_close(snd_pcm_ioplug_t *io)
{
	clocked_pcm_free(io->private_data);
	return 0;
}

const snd_pcm_ioplug_callback_t clocked_callbacks = {
	.start = clocked_start,
	.stop = clocked_stop,
	.pointer = clocked_pointer,
	.transfer = clocked_transfer,
	.close = clocked_close,
	.hw_params = clocked_hw_params,
	.hw_free = clocked_hw_free,
	.sw_params = clocked_sw_params,
	.prepare = clocked_prepare,
	.drain = clocked_drain,
	.pause = clocked_pause,
	.poll_descriptors = clocked_poll_descriptors,
	.poll_revents = clocked_poll_revents,
	.dump = clocked_dump,
	.delay = clocked_delay,
};
