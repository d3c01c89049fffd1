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
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *words;

	if (fd < 0)
		return -errno;
	words = mmap(NULL, sizeof(struct clocked_words), PROT_READ, MAP_SHARED, fd, 0);
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
		munmap((void *)(uintptr_t)commanded->words, sizeof(*commanded->words));
	if (commanded->inotify_fd >= 0)
		close(commanded->inotify_fd);
	if (commanded->epoll_fd >= 0)
		close(commanded->epoll_fd);
	*commanded = (struct clocked_commanded){ .inotify_fd = -1, .epoll_fd = -1 };
}

struct clocked_words clocked_commanded_read(const struct clocked_commanded *commanded)
{
	struct clocked_words words = { 0 };
	const struct clocked_words *from = commanded->words;
	char events[1024];

	if (!from)
		return words;
	/* First: a word that is written after this wakes again. */
	while (read(commanded->inotify_fd, events, sizeof(events)) > 0)
		;
	words.suspends = __atomic_load_n(&from->suspends, __ATOMIC_RELAXED);
	words.resume_errno = __atomic_load_n(&from->resume_errno, __ATOMIC_RELAXED);
	words.still = __atomic_load_n(&from->still, __ATOMIC_RELAXED);
	words.keeps = __atomic_load_n(&from->keeps, __ATOMIC_RELAXED);
	words.slow_us = __atomic_load_n(&from->slow_us, __ATOMIC_RELAXED);
	words.lost = __atomic_load_n(&from->lost, __ATOMIC_RELAXED);
	words.suspended_ns = __atomic_load_n(&from->suspended_ns, __ATOMIC_RELAXED);
	return words;
}
