/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/seeker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core/clock.h"
#include "plugin/thread.h"

#define INTERVAL_MS 1000

int hr_seeker_init(struct hr_seeker *seeker, const struct hr_pcm_config *config,
		   struct hr_reporter *reporter, const char *pcm_name,
		   snd_config_t *root, int mode)
{
	char *name = pcm_name ? strdup(pcm_name) : NULL;

	if (pcm_name && !name)
		return -ENOMEM;
	*seeker = (struct hr_seeker) {
		.config = config, .reporter = reporter, .pcm_name = name, .root = root,
		.mode = mode,
		.wake = { .fd = -1 },
	};
	pthread_mutex_init(&seeker->lock, NULL);
	/* The whole of it may be read anew meanwhile. */
	snd_config_ref(root);
	return 0;
}

void hr_seeker_finish(struct hr_seeker *seeker)
{
	if (!seeker->root)
		return;
	snd_config_unref(seeker->root);
	free(seeker->pcm_name);
	free(seeker->chmap);
	pthread_mutex_destroy(&seeker->lock);
	seeker->root = NULL;
}

static const char *name_of(const struct hr_seeker *seeker)
{
	return seeker->pcm_name ? seeker->pcm_name : seeker->config->name;
}

static void show(struct hr_seeker *seeker, snd_pcm_t *handle)
{
	pthread_mutex_lock(&seeker->lock);
	seeker->shown = handle;
	pthread_mutex_unlock(&seeker->lock);
}

/* A device that is not there yet is no news each second. A program with an error handler
 * of its own is told all the same of what is not quiet by itself. */
static void say_nothing(const char *file, int line, const char *function, int err,
			const char *format, va_list args)
{
	(void)file, (void)line, (void)function, (void)err, (void)format, (void)args;
}

/* What the streams's memory and the program's threads were laid out for must be as it was. */
static bool is_the_same(const struct hr_slave *a, const struct hr_slave *b)
{
	return a->period == b->period && a->buffer == b->buffer &&
	       a->avail_min == b->avail_min && a->interleaved == b->interleaved &&
	       a->mmap == b->mmap && a->can_pause == b->can_pause && a->lags == b->lags;
}

static int set_chmap_again(struct hr_seeker *seeker, snd_pcm_t *handle)
{
	int err;

	pthread_mutex_lock(&seeker->lock);
	err = seeker->chmap ? snd_pcm_set_chmap(handle, seeker->chmap) : 0;
	pthread_mutex_unlock(&seeker->lock);
	return err;
}

/* Try to open it as it was. Returns 0 or -errno; -EXDEV if it has changed. */
static int try_to_open(struct hr_seeker *seeker, struct hr_slave *slave)
{
	int err = hr_slave_open(slave, seeker->config, seeker->pcm_name, seeker->root,
				seeker->wanted.stream, seeker->mode | SND_PCM_NONBLOCK);

	if (err < 0)
		return err;
	err = hr_slave_configure(slave, seeker->config, &seeker->params);
	if (err == 0 && seeker->wanted.lags)
		err = hr_slave_let_lag(slave);
	if (err == 0 && !is_the_same(slave, &seeker->wanted))
		err = -EXDEV;
	if (err == 0)
		err = set_chmap_again(seeker, slave->pcm);
	if (err < 0)
		hr_slave_close(slave);
	return err;
}

static void tell_other(struct hr_seeker *seeker, const struct hr_slave *slave)
{
	if (!seeker->told_other)
		SNDERR("headroom: the device of '%s' is back, but with period %lu and buffer "
		       "%lu instead of %lu and %lu, or other ways of access: looking on",
		       name_of(seeker), slave->period, slave->buffer, seeker->wanted.period,
		       seeker->wanted.buffer);
	seeker->told_other = true;
}

static bool find(struct hr_seeker *seeker)
{
	struct hr_slave slave = { .quiet = true };
	int err;

	snd_lib_error_set_local(say_nothing);
	err = try_to_open(seeker, &slave);
	snd_lib_error_set_local(NULL);
	if (err == -EXDEV)
		tell_other(seeker, &slave);
	if (err < 0)
		return false;
	seeker->handle = slave.pcm;
	show(seeker, slave.pcm);
	hr_reporter_renew(seeker->reporter, hr_card_of(slave.pcm));
	return true;
}

static bool must_stop(const struct hr_seeker *seeker)
{
	/* relaxed: the join orders everything else. */
	return atomic_load_explicit(&seeker->stop, memory_order_relaxed);
}

static bool is_lost(const struct hr_seeker *seeker)
{
	/* acquire, pairs with the store in hr_seeker_lose(): the handle is seen. */
	return atomic_load_explicit(&seeker->seek, memory_order_acquire) == HR_SEEK_LOST;
}

/* Until woken, or for so long. */
static void rest(struct hr_seeker *seeker, int timeout_ms)
{
	const struct timespec blind = { .tv_nsec = 100 * HR_NS_PER_MS };
	struct pollfd fd = { .fd = seeker->wake.fd, .events = POLLIN };
	int n = poll(&fd, 1, timeout_ms);

	/* A program that has given up its descriptors may not even poll. */
	if (n < 0)
		nanosleep(&blind, NULL);
	if (n)
		hr_wake_clear(&seeker->wake);
}

static void close_handle(struct hr_seeker *seeker)
{
	show(seeker, NULL);
	if (seeker->handle)
		snd_pcm_close(seeker->handle);
	seeker->handle = NULL;
}

static void seek(struct hr_seeker *seeker)
{
	uint64_t begun_ns = hr_now_ns();

	SNDERR("headroom: the device of '%s' is gone: going on without, and looking for it",
	       name_of(seeker));
	seeker->told_other = false;
	close_handle(seeker);	/* or it would be in its own way */
	do {
		rest(seeker, INTERVAL_MS);
		if (must_stop(seeker))
			return;
	} while (!find(seeker));
	SNDERR("headroom: the device of '%s' is back after %.1f s", name_of(seeker),
	       (double)(hr_now_ns() - begun_ns) / (double)HR_NS_PER_S);
	/* release, pairs with the load in hr_seeker_take(). */
	atomic_store_explicit(&seeker->seek, HR_SEEK_FOUND, memory_order_release);
}

static void *seeker_main(void *arg)
{
	struct hr_seeker *seeker = arg;

	pthread_setname_np(pthread_self(), "headroom-seek");
	while (!must_stop(seeker)) {
		if (is_lost(seeker))
			seek(seeker);
		else
			rest(seeker, -1);
	}
	return NULL;
}

static void set_running(struct hr_seeker *seeker, bool is_running)
{
	pthread_mutex_lock(&seeker->lock);
	seeker->is_running = is_running;
	pthread_mutex_unlock(&seeker->lock);
}

int hr_seeker_start(struct hr_seeker *seeker, const struct hr_slave *slave,
		    const struct hr_slave_params *params)
{
	int err = hr_wake_init(&seeker->wake);

	seeker->params = *params;
	seeker->wanted = *slave;
	seeker->shown = slave->pcm;
	free(seeker->chmap);
	seeker->chmap = NULL;
	/* relaxed both: the thread is not there yet. */
	atomic_store_explicit(&seeker->stop, false, memory_order_relaxed);
	atomic_store_explicit(&seeker->seek, HR_SEEK_NOT, memory_order_relaxed);
	if (err == 0)
		err = hr_thread_start(&seeker->thread, true, seeker_main, seeker);
	set_running(seeker, err == 0);
	if (err < 0) {
		SNDERR("headroom: no thread to look for a device that goes (%s): that will be "
		       "an error", snd_strerror(err));
		hr_wake_finish(&seeker->wake);
	}
	return err;
}

void hr_seeker_note_lag(struct hr_seeker *seeker, const struct hr_slave *slave)
{
	seeker->wanted.avail_min = slave->avail_min;
	seeker->wanted.lags = slave->lags;
}

void hr_seeker_stop(struct hr_seeker *seeker, struct hr_slave *slave)
{
	if (!seeker->is_running)
		return;
	/* relaxed: the wake-up follows, and the thread looks after it. */
	atomic_store_explicit(&seeker->stop, true, memory_order_relaxed);
	hr_wake_force(&seeker->wake);
	pthread_join(seeker->thread, NULL);
	if (!hr_seeker_take(seeker, slave))
		close_handle(seeker);
	set_running(seeker, false);
	hr_wake_finish(&seeker->wake);
}

void hr_seeker_abandon(struct hr_seeker *seeker)
{
	if (!seeker->root)
		return;
	hr_wake_finish(&seeker->wake);
	free(seeker->pcm_name);
	free(seeker->chmap);
	/* Another thread may have had alsa-lib's locks when the child was made: what they
	 * guard is let be. */
	seeker->root = NULL;
}

void hr_seeker_lose(struct hr_seeker *seeker, struct hr_slave *slave)
{
	seeker->handle = slave->pcm;
	slave->pcm = NULL;
	/* release, pairs with the load in is_lost(). */
	atomic_store_explicit(&seeker->seek, HR_SEEK_LOST, memory_order_release);
	hr_wake_force(&seeker->wake);
}

bool hr_seeker_take(struct hr_seeker *seeker, struct hr_slave *slave)
{
	/* acquire, pairs with the store in seek(): the handle is seen. */
	if (atomic_load_explicit(&seeker->seek, memory_order_acquire) != HR_SEEK_FOUND)
		return false;
	slave->pcm = seeker->handle;
	slave->cannot_rewind = false;
	seeker->handle = NULL;
	/* relaxed: the seeker sleeps until it is lost again. */
	atomic_store_explicit(&seeker->seek, HR_SEEK_NOT, memory_order_relaxed);
	return true;
}

int hr_seeker_note_chmap(struct hr_seeker *seeker, const snd_pcm_chmap_t *map)
{
	size_t bytes = sizeof(*map) + map->channels * sizeof(map->pos[0]);
	snd_pcm_chmap_t *copy;

	if (!seeker->root)
		return 0;
	copy = malloc(bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, map, bytes);
	free(seeker->chmap);
	seeker->chmap = copy;
	return 0;
}

snd_pcm_t *hr_seeker_lock(struct hr_seeker *seeker, const struct hr_slave *slave)
{
	if (!seeker->root)
		return slave->pcm;
	pthread_mutex_lock(&seeker->lock);
	return seeker->is_running ? seeker->shown : slave->pcm;
}

void hr_seeker_unlock(struct hr_seeker *seeker)
{
	if (seeker->root)
		pthread_mutex_unlock(&seeker->lock);
}
