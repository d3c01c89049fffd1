/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * PCM type bench_threaded { slave.pcm … }: a ring of the size of the program's buffer, a
 * thread that moves a period at a time between it and the slave, in which it blocks, and
 * an eventfd for each side to wake the other by. As little as a threaded ioplug can do,
 * and what most of them do; it counts and notices nothing.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tests/bench/ioplugs/slave.h"

struct threaded {
	snd_pcm_ioplug_t io;
	snd_pcm_t *slave;
	snd_pcm_uframes_t boundary, avail_min;
	char *ring;
	size_t frame_bytes;
	int program_fd;			/* readable: the thread has moved a period */
	int thread_fd;			/* readable: the program has written, or stops */
	pthread_t thread;
	bool has_thread;
	_Atomic bool stop;
	_Atomic bool idle;		/* the thread sleeps for want of frames */
	_Atomic bool failed;		/* overrun, or the slave's error */
	/* Frames since prepare, each on a line of its own. */
	_Alignas(64) _Atomic uint64_t appl;	/* moved by the program */
	_Alignas(64) _Atomic uint64_t hw;	/* moved by the thread */
};

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0) {
		/* It is readable already. */
	}
}

static void clear_fd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0) {
		/* It was clear. */
	}
}

static uint64_t avail(struct threaded *pcm)
{
	uint64_t hw = atomic_load(&pcm->hw), appl = atomic_load(&pcm->appl);

	return pcm->io.stream == SND_PCM_STREAM_PLAYBACK ? hw + pcm->io.buffer_size - appl :
							   hw - appl;
}

/* How many frames of `frames` from position on are in one piece, and where. */
static snd_pcm_uframes_t piece(const struct threaded *pcm, uint64_t position, uint64_t frames,
			       char **at)
{
	snd_pcm_uframes_t index = (snd_pcm_uframes_t)(position % pcm->io.buffer_size);
	snd_pcm_uframes_t most = pcm->io.buffer_size - index;

	*at = pcm->ring + index * pcm->frame_bytes;
	return frames < most ? (snd_pcm_uframes_t)frames : most;
}

/* --- the thread --- */

/* Frames that the thread can move now, but not more than a period. */
static uint64_t to_move(struct threaded *pcm)
{
	uint64_t left = pcm->io.buffer_size - avail(pcm);

	return left < pcm->io.period_size ? left : pcm->io.period_size;
}

static void wait_for_program(struct threaded *pcm)
{
	atomic_store(&pcm->idle, true);
	if (!to_move(pcm) && !atomic_load(&pcm->stop))
		clear_fd(pcm->thread_fd);
	atomic_store(&pcm->idle, false);
}

static void move_period(struct threaded *pcm, uint64_t frames)
{
	uint64_t hw = atomic_load(&pcm->hw);
	snd_pcm_sframes_t done;
	char *at;

	frames = piece(pcm, hw, frames, &at);
	done = bench_slave_move(pcm->slave, at, frames);
	if (done < 0)
		done = snd_pcm_recover(pcm->slave, (int)done, 1);
	if (done < 0)
		atomic_store(&pcm->failed, true);
	else
		atomic_store(&pcm->hw, hw + (uint64_t)done);
	signal_fd(pcm->program_fd);
}

static void *move_periods(void *arg)
{
	struct threaded *pcm = arg;

	while (!atomic_load(&pcm->stop) && !atomic_load(&pcm->failed)) {
		uint64_t frames = to_move(pcm);

		if (frames)
			move_period(pcm, frames);
		else if (pcm->io.stream == SND_PCM_STREAM_PLAYBACK)
			wait_for_program(pcm);
		else
			atomic_store(&pcm->failed, true);
	}
	signal_fd(pcm->program_fd);
	return NULL;
}

/* --- what alsa-lib calls --- */

static void end_thread(struct threaded *pcm)
{
	if (!pcm->has_thread)
		return;
	atomic_store(&pcm->stop, true);
	signal_fd(pcm->thread_fd);
	pthread_join(pcm->thread, NULL);
	pcm->has_thread = false;
}

static int threaded_start(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;
	int err = 0;

	if (io->stream == SND_PCM_STREAM_CAPTURE)
		err = snd_pcm_start(pcm->slave);
	if (err < 0)
		return err;
	atomic_store(&pcm->stop, false);
	err = -pthread_create(&pcm->thread, NULL, move_periods, pcm);
	pcm->has_thread = err == 0;
	return err;
}

static int threaded_stop(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;

	end_thread(pcm);
	return snd_pcm_drop(pcm->slave);
}

static int threaded_drain(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;
	int err = 0;

	if (io->stream == SND_PCM_STREAM_CAPTURE)
		return threaded_stop(io);
	if (!pcm->has_thread)
		err = threaded_start(io);
	while (err == 0 && avail(pcm) < io->buffer_size && !atomic_load(&pcm->failed)) {
		struct pollfd fd = { pcm->program_fd, POLLIN, 0 };

		poll(&fd, 1, -1);
		clear_fd(pcm->program_fd);
	}
	end_thread(pcm);
	return err < 0 ? err : snd_pcm_drain(pcm->slave);
}

static snd_pcm_sframes_t threaded_pointer(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;

	if (atomic_load(&pcm->failed))
		return -EPIPE;
	return (snd_pcm_sframes_t)(atomic_load(&pcm->hw) % pcm->boundary);
}

static snd_pcm_sframes_t threaded_transfer(snd_pcm_ioplug_t *io,
					   const snd_pcm_channel_area_t *areas,
					   snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct threaded *pcm = io->private_data;
	uint64_t appl = atomic_load(&pcm->appl);
	char *at, *program = bench_frame_at(areas, offset);
	snd_pcm_uframes_t n = piece(pcm, appl, size, &at);

	if (io->stream == SND_PCM_STREAM_PLAYBACK)
		memcpy(at, program, n * pcm->frame_bytes);
	else
		memcpy(program, at, n * pcm->frame_bytes);
	atomic_store(&pcm->appl, appl + n);
	if (atomic_load(&pcm->idle))
		signal_fd(pcm->thread_fd);
	return (snd_pcm_sframes_t)n;
}

static int threaded_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct threaded *pcm = io->private_data;
	int err = bench_slave_configure(pcm->slave, io, io->period_size);

	(void)params;
	if (err < 0)
		return err;
	pcm->frame_bytes = sizeof(int16_t) * io->channels;
	free(pcm->ring);
	pcm->ring = calloc(io->buffer_size, pcm->frame_bytes);
	return pcm->ring ? 0 : -ENOMEM;
}

static int threaded_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct threaded *pcm = io->private_data;

	snd_pcm_sw_params_get_avail_min(params, &pcm->avail_min);
	return snd_pcm_sw_params_get_boundary(params, &pcm->boundary);
}

static int threaded_prepare(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;

	end_thread(pcm);
	atomic_store(&pcm->failed, false);
	atomic_store(&pcm->appl, 0);
	atomic_store(&pcm->hw, 0);
	return snd_pcm_prepare(pcm->slave);
}

static int threaded_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds,
				 unsigned int n_fds, unsigned short *revents)
{
	struct threaded *pcm = io->private_data;
	unsigned short ready = io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN;

	(void)n_fds;
	if (fds[0].revents)
		clear_fd(pcm->program_fd);
	*revents = avail(pcm) >= pcm->avail_min || atomic_load(&pcm->failed) ? ready : 0;
	return 0;
}

static int threaded_close(snd_pcm_ioplug_t *io)
{
	struct threaded *pcm = io->private_data;

	snd_pcm_close(pcm->slave);
	close(pcm->program_fd);
	close(pcm->thread_fd);
	free(pcm->ring);
	free(pcm);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = threaded_start,
	.stop = threaded_stop,
	.pointer = threaded_pointer,
	.transfer = threaded_transfer,
	.hw_params = threaded_hw_params,
	.sw_params = threaded_sw_params,
	.prepare = threaded_prepare,
	.drain = threaded_drain,
	.poll_revents = threaded_poll_revents,
	.close = threaded_close,
};

#pragma GCC visibility push(default)

SND_PCM_PLUGIN_DEFINE_FUNC(bench_threaded)
{
	struct threaded *pcm = aligned_alloc(_Alignof(struct threaded), sizeof(*pcm));
	int err;

	if (!pcm)
		return -ENOMEM;
	memset(pcm, 0, sizeof(*pcm));
	/* Blocking, whatever the program's mode: the thread sleeps in it. */
	err = bench_slave_open(&pcm->slave, root, conf, stream, mode & ~SND_PCM_NONBLOCK);
	if (err < 0) {
		free(pcm);
		return err;
	}
	pcm->program_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pcm->thread_fd = eventfd(0, EFD_CLOEXEC);
	pcm->io.name = "passed on by a thread";
	pcm->io.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
	pcm->io.callback = &callbacks;
	pcm->io.private_data = pcm;
	pcm->io.poll_fd = pcm->program_fd;
	pcm->io.poll_events = POLLIN;
	err = bench_slave_create_ioplug(&pcm->io, name, stream, mode);
	if (err == 0)
		*pcmp = pcm->io.pcm;
	return err;
}

SND_PCM_PLUGIN_SYMBOL(bench_threaded)

#pragma GCC visibility pop
