/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include <alsa/asoundlib.h>

#include "tests/clocked/commanded.h"

static int map_words(struct clocked_commanded *commanded, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *words;

	if (fd < 0)
		return -errno;
	words = mmap(NULL, sizeof(struct clocked_words), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (words == MAP_FAILED)
		return -errno;
	commanded->words = words;
	return 0;
}

static int watch(struct clocked_commanded *commanded, const char *path, int timer_fd)
{
	int fds[] = { timer_fd, -1 };

	commanded->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	commanded->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (commanded->inotify_fd < 0 || commanded->epoll_fd < 0 ||
	    inotify_add_watch(commanded->inotify_fd, path, IN_MODIFY) < 0)
		return -errno;
	fds[1] = commanded->inotify_fd;
	for (size_t i = 0; i < 2; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		if (epoll_ctl(commanded->epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
			return -errno;
	}
	return 0;
}

int clocked_commanded_init(struct clocked_commanded *commanded, const char *path,
			   int timer_fd)
{
	int err;

	*commanded = (struct clocked_commanded){ .inotify_fd = -1, .epoll_fd = -1 };
	if (!path)
		return 0;
	err = map_words(commanded, path);
	if (err == 0)
		err = watch(commanded, path, timer_fd);
	if (err < 0) {
		SNDERR("clocked: command %s: %s", path, snd_strerror(err));
		clocked_commanded_finish(commanded);
	}
	return err;
}

void clocked_commanded_finish(struct clocked_commanded *commanded)
{
	if (commanded->words)
		munmap(commanded->words, sizeof(*commanded->words));
	if (commanded->inotify_fd >= 0)
		close(commanded->inotify_fd);
	if (commanded->epoll_fd >= 0)
		close(commanded->epoll_fd);
	*commanded = (struct clocked_commanded){ .inotify_fd = -1, .epoll_fd = -1 };
}

void clocked_commanded_note_look(struct clocked_commanded *commanded)
{
	if (commanded->words)
		__atomic_fetch_add(&commanded->words->looks, 1, __ATOMIC_RELAXED);
}

/* Acquire for what counts: what goes with it was written before. */
static void read_faults(const struct clocked_words *from, struct clocked_words *words)
{
	words->xruns = __atomic_load_n(&from->xruns, __ATOMIC_ACQUIRE);
	words->xrun_at = __atomic_load_n(&from->xrun_at, __ATOMIC_RELAXED);
	words->xrun_every = __atomic_load_n(&from->xrun_every, __ATOMIC_RELAXED);
	words->burst = __atomic_load_n(&from->burst, __ATOMIC_RELAXED);
	words->jumps = __atomic_load_n(&from->jumps, __ATOMIC_ACQUIRE);
	words->jump = __atomic_load_n(&from->jump, __ATOMIC_RELAXED);
	words->most = __atomic_load_n(&from->most, __ATOMIC_RELAXED);
	words->wakes = __atomic_load_n(&from->wakes, __ATOMIC_RELAXED);
	words->losses = __atomic_load_n(&from->losses, __ATOMIC_RELAXED);
	words->open_errno = __atomic_load_n(&from->open_errno, __ATOMIC_RELAXED);
	words->fails_set = __atomic_load_n(&from->fails_set, __ATOMIC_ACQUIRE);
	for (int i = 0; i < CLOCKED_N_CALLS; i++) {
		const struct clocked_fail *fail = &from->fails[i];

		words->fails[i].error = __atomic_load_n(&fail->error, __ATOMIC_RELAXED);
		words->fails[i].skip = __atomic_load_n(&fail->skip, __ATOMIC_RELAXED);
		words->fails[i].times = __atomic_load_n(&fail->times, __ATOMIC_RELAXED);
	}
}

void clocked_commanded_clear(const struct clocked_commanded *commanded)
{
	char events[1024];

	while (commanded->words &&
	       read(commanded->inotify_fd, events, sizeof(events)) == sizeof(events))
		;
}

struct clocked_words clocked_commanded_read(const struct clocked_commanded *commanded)
{
	struct clocked_words words = { 0 };
	const struct clocked_words *from = commanded->words;

	if (!from)
		return words;
	words.suspends = __atomic_load_n(&from->suspends, __ATOMIC_RELAXED);
	words.resume_errno = __atomic_load_n(&from->resume_errno, __ATOMIC_RELAXED);
	words.still = __atomic_load_n(&from->still, __ATOMIC_RELAXED);
	words.keeps = __atomic_load_n(&from->keeps, __ATOMIC_RELAXED);
	words.slow_us = __atomic_load_n(&from->slow_us, __ATOMIC_RELAXED);
	words.lost = __atomic_load_n(&from->lost, __ATOMIC_RELAXED);
	words.period = __atomic_load_n(&from->period, __ATOMIC_RELAXED);
	words.suspended_ns = __atomic_load_n(&from->suspended_ns, __ATOMIC_RELAXED);
	read_faults(from, &words);
	return words;
}
