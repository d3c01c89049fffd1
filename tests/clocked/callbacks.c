/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "core/clock.h"
#include "tests/clocked/callbacks.h"
#include "tests/clocked/device.h"
#include "tests/clocked/faults.h"

#define DRAIN_LOOK_MS 50	/* how often drain looks for an abort it missed */

struct clocked_pcm *clocked_lock(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = io->private_data;

	pthread_mutex_lock(&pcm->lock);
	pcm->words = clocked_commanded_read(&pcm->commanded);
	clocked_faults_obey(&pcm->dev, &pcm->words, hr_now_ns());
	return pcm;
}

void clocked_unlock(struct clocked_pcm *pcm)
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

/* A card whose registers are far away: what it says is old when it arrives. */
static void be_slow(const struct clocked_pcm *pcm)
{
	struct timespec ts = { .tv_nsec = (long)pcm->words.slow_us * 1000 };

	if (pcm->words.slow_us)
		nanosleep(&ts, NULL);
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
	snd_pcm_uframes_t was, is, ahead;

	if (pcm->boundary == 0)
		return;
	/* snd_pcm_reset() is seen only by this. */
	if (pcm->io.hw_ptr != pcm->told && pcm->io.hw_ptr == 0) {
		/* All up to now is forgotten, not only what was seen. */
		clocked_device_sync(&pcm->dev, hr_now_ns());
		clocked_device_reset(&pcm->dev);
		pcm->told = 0;
	}
	was = wrapped(pcm, pcm->dev.appl);
	/* A program that moved it by more than there is may have put it anywhere. */
	is = pcm->io.appl_ptr % pcm->boundary;
	ahead = is >= was ? is - was : pcm->boundary - (was - is);
	if (ahead > pcm->boundary / 2 && pcm->words.keeps)
		return;
	pcm->dev.appl += ahead <= pcm->boundary / 2 ? (int64_t)ahead :
			 -(int64_t)(pcm->boundary - ahead);
	/* Again and again in one direction it would leave what a number holds. */
	if (pcm->dev.appl > pcm->dev.hw + (int64_t)(pcm->boundary / 2))
		pcm->dev.appl -= (int64_t)pcm->boundary;
	else if (pcm->dev.appl < pcm->dev.hw - (int64_t)(pcm->boundary / 2))
		pcm->dev.appl += (int64_t)pcm->boundary;
}

/* alsa-lib announces a drain by its state before it calls, and the end of the stream
 * must not pass as an underrun in between. */
void clocked_sync(struct clocked_pcm *pcm)
{
	follow_program(pcm);
	if (pcm->io.state == SND_PCM_STATE_DRAINING && pcm->dev.playback &&
	    pcm->dev.state == CLOCKED_RUNNING)
		pcm->dev.state = CLOCKED_DRAINING;
	clocked_device_sync(&pcm->dev, hr_now_ns());
}

/* 0 or why the stream cannot go on, and alsa-lib is told. [locked] */
static int check_fault(struct clocked_pcm *pcm)
{
	int err = clocked_faults_error(&pcm->dev);

	if (pcm->io.state == SND_PCM_STATE_OPEN)
		return err;
	if (err == -ENODEV)
		snd_pcm_ioplug_set_state(&pcm->io, SND_PCM_STATE_DISCONNECTED);
	else if (err == -ESTRPIPE && pcm->io.state != SND_PCM_STATE_SETUP)
		snd_pcm_ioplug_set_state(&pcm->io, SND_PCM_STATE_SUSPENDED);
	else if (err == -EPIPE && pcm->io.state == SND_PCM_STATE_RUNNING)
		snd_pcm_ioplug_set_state(&pcm->io, SND_PCM_STATE_XRUN);
	return err;
}

static int clocked_start(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err;

	follow_program(pcm);
	err = check_fault(pcm);
	if (err == 0)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_START);
	if (err == 0)
		err = clocked_device_start(&pcm->dev, hr_now_ns());
	clocked_unlock(pcm);
	return err;
}

static int clocked_stop(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);

	clocked_sync(pcm);
	clocked_device_stop(&pcm->dev, hr_now_ns());
	clocked_unlock(pcm);
	return 0;
}

static snd_pcm_sframes_t clocked_pointer(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	snd_pcm_sframes_t result = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_POINTER);

	clocked_sync(pcm);
	/* In other states than RUNNING an error would make a stream that was
	 * only stopped look like one in XRUN. */
	if (pcm->dev.state == CLOCKED_XRUN && io->state == SND_PCM_STATE_RUNNING) {
		result = -EPIPE;
	} else if (result == 0) {
		check_fault(pcm);
		pcm->told = wrapped(pcm, pcm->dev.hw);
		result = (snd_pcm_sframes_t)pcm->told;
	}
	clocked_unlock(pcm);
	be_slow(pcm);
	return result;
}

static snd_pcm_sframes_t clocked_transfer(snd_pcm_ioplug_t *io,
					  const snd_pcm_channel_area_t *areas,
					  snd_pcm_uframes_t offset,
					  snd_pcm_uframes_t size)
{
	struct clocked_pcm *pcm = io->private_data;
	/* A mmap capture only looks: appl moves with the commit, which no callback
	 * tells of. */
	bool moves = pcm->dev.playback || io->access == SND_PCM_ACCESS_RW_INTERLEAVED ||
		     io->access == SND_PCM_ACCESS_RW_NONINTERLEAVED;
	snd_pcm_sframes_t result;
	int err;

	be_slow(pcm);
	clocked_lock(io);
	/* First of all: what comes too late must not hide that it does. */
	clocked_sync(pcm);
	err = check_fault(pcm);
	if (err == 0)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_TRANSFER);
	if (err == 0 && moves)
		err = clocked_faults_shorten(&pcm->dev, &size);
	if (err < 0) {
		result = err;
	} else {
		result = (snd_pcm_sframes_t)size;
		clocked_device_transfer(&pcm->dev, areas, offset, size);
		pcm->dev.appl += moves ? result : 0;
	}
	clocked_unlock(pcm);
	return result;
}

static int clocked_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delayp)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err;

	clocked_commanded_note_look(&pcm->commanded);
	clocked_sync(pcm);
	err = check_fault(pcm);
	if (err == 0)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_DELAY);
	if (err == 0)
		*delayp = (snd_pcm_sframes_t)(pcm->dev.playback ?
			pcm->dev.appl - pcm->dev.hw :
			pcm->dev.hw - pcm->dev.appl) + pcm->extra_delay;
	clocked_unlock(pcm);
	return err;
}

static int clocked_pause(snd_pcm_ioplug_t *io, int enable)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err;

	clocked_sync(pcm);
	err = check_fault(pcm);
	if (err == 0)
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_PAUSE);
	if (err == 0)
		err = clocked_device_pause(&pcm->dev, hr_now_ns(), enable != 0);
	clocked_unlock(pcm);
	return err;
}

static int clocked_prepare(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err = clocked_faults_error(&pcm->dev);

	if (err == -ENODEV)
		check_fault(pcm);
	else
		err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_PREPARE);
	if (err == 0)
		clocked_device_prepare(&pcm->dev, hr_now_ns());
	pcm->told = 0;		/* alsa-lib has set its pointers to 0 before */
	clocked_unlock(pcm);
	return err;
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

	clocked_commanded_clear(&pcm->commanded);
	/* As in the loop of alsa-lib's own drain: this ends the state DRAINING
	 * when all was heard. */
	update_alsa(pcm);
	clocked_lock(&pcm->io);
	if (pcm->io.state == SND_PCM_STATE_DRAINING)
		clocked_device_drain(&pcm->dev, hr_now_ns());
	over = pcm->io.state != SND_PCM_STATE_DRAINING ||
	       clocked_device_drained(&pcm->dev) ||
	       pcm->dev.state != CLOCKED_DRAINING;
	clocked_unlock(pcm);
	return over;
}

static int clocked_drain(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_DRAIN);

	clocked_unlock(pcm);
	if (err < 0)
		return err;
	if (!pcm->dev.playback) {
		update_alsa(pcm);
		clocked_lock(io);
		clocked_device_stop(&pcm->dev, hr_now_ns());
		clocked_unlock(pcm);
		return 0;
	}
	while (!drain_step(pcm)) {
		struct pollfd pfd = { .fd = io->poll_fd, .events = POLLIN };

		if (io->nonblock == 1)
			return -EAGAIN;
		if (io->nonblock == 2)		/* snd_pcm_abort() */
			return -EINTR;
		/* Not for ever: a signal just before this is not seen here. */
		if (poll(&pfd, 1, DRAIN_LOOK_MS) < 0 && errno != EINTR)
			return -errno;
	}
	clocked_lock(io);
	err = check_fault(pcm);
	clocked_unlock(pcm);
	return err;
}

/* alsa-lib ignores what this returns: the state tells. [unlocked] */
static int clocked_resume(snd_pcm_ioplug_t *io)
{
	static const snd_pcm_state_t states[] = {
		[CLOCKED_SETUP] = SND_PCM_STATE_SETUP,
		[CLOCKED_PREPARED] = SND_PCM_STATE_PREPARED,
		[CLOCKED_RUNNING] = SND_PCM_STATE_RUNNING,
		[CLOCKED_DRAINING] = SND_PCM_STATE_DRAINING,
		[CLOCKED_PAUSED] = SND_PCM_STATE_PAUSED,
		[CLOCKED_XRUN] = SND_PCM_STATE_XRUN,
	};
	struct clocked_pcm *pcm = clocked_lock(io);
	int err = clocked_faults_resume(&pcm->dev, &pcm->words, hr_now_ns());

	if (err == 0)
		snd_pcm_ioplug_set_state(io, states[pcm->dev.state]);
	clocked_unlock(pcm);
	return err;
}

static int clocked_poll_descriptors(snd_pcm_ioplug_t *io, struct pollfd *pfd,
				    unsigned int space)
{
	struct clocked_pcm *pcm = io->private_data;
	int err;

	if (space < 1)
		return 0;
	clocked_commanded_clear(&pcm->commanded);
	update_alsa(pcm);
	clocked_lock(io);
	err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_DESCRIPTORS);
	clocked_unlock(pcm);
	if (err < 0)
		return err;
	pfd->fd = io->poll_fd;
	pfd->events = POLLIN;
	pfd->revents = 0;
	return 1;
}

static int clocked_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd,
				unsigned int nfds, unsigned short *revents)
{
	struct clocked_pcm *pcm = io->private_data;
	int err;

	(void)pfd;
	if (nfds != 1)
		return -EINVAL;
	clocked_commanded_clear(&pcm->commanded);
	update_alsa(pcm);
	clocked_lock(io);
	err = clocked_faults_fail(&pcm->dev, CLOCKED_CALL_REVENTS);
	if (err == 0)
		*revents = clocked_faults_events(&pcm->dev);
	clocked_unlock(pcm);
	return err;
}

static void clocked_dump(snd_pcm_ioplug_t *io, snd_output_t *out)
{
	struct clocked_pcm *pcm = clocked_lock(io);

	snd_output_printf(out, "%s: hw %lld appl %lld world %llu heard %llu\n",
			  io->name, (long long)pcm->dev.hw,
			  (long long)pcm->dev.appl,
			  (unsigned long long)pcm->dev.world,
			  (unsigned long long)pcm->dev.heard);
	clocked_unlock(pcm);
	if (io->state != SND_PCM_STATE_OPEN) {
		snd_output_printf(out, "Its setup is:\n");
		snd_pcm_dump_setup(io->pcm, out);
	}
}

static snd_pcm_chmap_t *copy_of(const snd_pcm_chmap_t *map)
{
	size_t bytes = map ? sizeof(*map) + map->channels * sizeof(map->pos[0]) : 0;
	snd_pcm_chmap_t *copy = map ? malloc(bytes) : NULL;

	return copy ? memcpy(copy, map, bytes) : NULL;
}

static snd_pcm_chmap_t *clocked_get_chmap(snd_pcm_ioplug_t *io)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	snd_pcm_chmap_t *map = copy_of(pcm->chmap);

	clocked_unlock(pcm);
	return map;
}

static int clocked_set_chmap(snd_pcm_ioplug_t *io, const snd_pcm_chmap_t *map)
{
	struct clocked_pcm *pcm = clocked_lock(io);
	int err = pcm->has_chmaps ? 0 : -ENXIO;

	if (err == 0) {
		free(pcm->chmap);
		pcm->chmap = copy_of(map);
		err = pcm->chmap ? 0 : -ENOMEM;
	}
	clocked_unlock(pcm);
	return err;
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
	.resume = clocked_resume,
	.poll_descriptors = clocked_poll_descriptors,
	.poll_revents = clocked_poll_revents,
	.dump = clocked_dump,
	.delay = clocked_delay,
	.get_chmap = clocked_get_chmap,
	.set_chmap = clocked_set_chmap,
};
