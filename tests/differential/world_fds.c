/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/world_internal.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS 1024		/* descriptors beyond are refused */
#define TIMERS_MAX 16
#define WATCHED_MAX 4

struct fd {
	enum fd_kind kind;
	uint64_t count;			/* readable if not 0 */
	uint64_t due_ns;		/* timer; NEVER: off or fired */
	int watched[WATCHED_MAX];	/* epoll */
	int n_watched;
};

static struct fd table[NUMBERS];
static int timers[TIMERS_MAX];
static int n_timers;

int fd_make(enum fd_kind kind, uint64_t count)
{
	int fd = (int)syscall(SYS_eventfd2, 0, 02000000 | 00004000); /* cloexec, nonblock */

	if (fd < 0)
		return -1;
	if (fd >= NUMBERS)
		world_give_up(WORLD_HANGS, "too many descriptors are open");
	world_take_lock();
	fd_forget(fd);
	table[fd].kind = kind;
	table[fd].count = count;
	table[fd].due_ns = NEVER;
	table[fd].n_watched = 0;
	if (kind == FD_TIMER) {
		if (n_timers == TIMERS_MAX)
			world_give_up(WORLD_HANGS, "too many timers");
		timers[n_timers++] = fd;
	}
	world_drop_lock();
	return fd;
}

enum fd_kind fd_kind(int fd)
{
	return fd >= 0 && fd < NUMBERS ? table[fd].kind : FD_OF_KERNEL;
}

void fd_forget(int fd)
{
	if (fd_kind(fd) == FD_TIMER)
		for (int i = 0; i < n_timers; i++)
			if (timers[i] == fd)
				timers[i--] = timers[--n_timers];
	if (fd_kind(fd) != FD_OF_KERNEL)
		table[fd].kind = FD_OF_KERNEL;
}

void fd_add(int fd, uint64_t count)
{
	table[fd].count += count;
}

uint64_t fd_take(int fd)
{
	uint64_t count = table[fd].count;

	table[fd].count = 0;
	return count;
}

void fd_set_timer(int fd, uint64_t due_ns)
{
	table[fd].count = 0;
	table[fd].due_ns = due_ns;
}

uint64_t fd_next_due(void)
{
	uint64_t due = NEVER;

	for (int i = 0; i < n_timers; i++)
		if (table[timers[i]].due_ns < due)
			due = table[timers[i]].due_ns;
	return due;
}

void fd_fire(uint64_t now_ns)
{
	for (int i = 0; i < n_timers; i++) {
		struct fd *timer = &table[timers[i]];

		if (timer->due_ns > now_ns)
			continue;
		timer->due_ns = NEVER;
		timer->count++;
	}
}

void fd_watch(int epoll_fd, int fd)
{
	struct fd *epoll = &table[epoll_fd];

	if (epoll->n_watched == WATCHED_MAX)
		world_give_up(WORLD_HANGS, "an epoll of too many");
	epoll->watched[epoll->n_watched++] = fd;
}

/* What the kernel says of one of its own. */
static short look_at_real(int fd, short wanted)
{
	struct pollfd one = { fd, wanted, 0 };
	struct timespec at_once = { 0, 0 };

	return syscall(SYS_ppoll, &one, 1, &at_once, NULL, 8) > 0 ? one.revents : 0;
}

static short look_at(int fd, short wanted)
{
	switch (fd_kind(fd)) {
	case FD_OF_KERNEL:
		return look_at_real(fd, wanted);
	case FD_EVENT:
		return (short)((table[fd].count ? POLLIN | POLLOUT : POLLOUT) & wanted);
	case FD_TIMER:
		return table[fd].count ? POLLIN & wanted : 0;
	case FD_EPOLL:
		for (int i = 0; i < table[fd].n_watched; i++)
			if (look_at(table[fd].watched[i], POLLIN))
				return POLLIN & wanted;
		break;
	}
	return 0;
}

int fd_look(struct pollfd *fds, nfds_t n)
{
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		/* As poll(): a descriptor below 0 is left out. */
		fds[i].revents = fds[i].fd < 0 ? 0 : look_at(fds[i].fd, fds[i].events);
		ready += fds[i].revents != 0;
	}
	return ready;
}
