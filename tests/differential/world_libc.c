/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the modules get when they call libc.
 */
#include "tests/differential/world_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Where a call goes that is none of ours: to the sanitizer, if there is one, whose
 * notice of it must not be skipped. */
#define FIND_NEXT(next, name) do { \
		(next) = __interceptor_ ## name; \
		if (!(next)) \
			*(void **)&(next) = dlsym(RTLD_NEXT, #name); \
	} while (0)

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef ssize_t read_fn(int, void *, size_t);
typedef ssize_t write_fn(int, const void *, size_t);
typedef int close_fn(int);
typedef int sem_wait_fn(sem_t *);

extern create_fn __interceptor_pthread_create __attribute__((weak));
extern read_fn __interceptor_read __attribute__((weak));
extern write_fn __interceptor_write __attribute__((weak));
extern close_fn __interceptor_close __attribute__((weak));
extern sem_wait_fn __interceptor_sem_wait __attribute__((weak));

static uint64_t to_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * NS_PER_S + (uint64_t)ts->tv_nsec;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t now = world_now_ns();

	if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME && id != CLOCK_MONOTONIC_RAW &&
	    id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, ts);
	world_count_reading();
	ts->tv_sec = (time_t)(now / NS_PER_S);
	ts->tv_nsec = (long)(now % NS_PER_S);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	uint64_t now = world_now_ns();

	(void)zone;
	world_count_reading();
	tv->tv_sec = (time_t)(now / NS_PER_S);
	tv->tv_usec = (suseconds_t)(now % NS_PER_S / 1000);
	return 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	world_count_call(true);
	return world_poll(fds, n, timeout_ms < 0 ? NEVER :
			  world_now_ns() + (uint64_t)timeout_ms * 1000000);
}

/* What poll() is in programs built with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size)
{
	(void)size;
	return poll(fds, n, timeout_ms);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	(void)mask;
	world_count_call(true);
	return world_poll(fds, n, timeout ? world_now_ns() + to_ns(timeout) : NEVER);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		const sigset_t *mask, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, n, timeout, mask);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	world_count_call(true);
	world_poll(NULL, 0, world_now_ns() + to_ns(wanted));
	return 0;
}

int usleep(useconds_t us)
{
	world_count_call(true);
	world_poll(NULL, 0, world_now_ns() + (uint64_t)us * 1000);
	return 0;
}

int eventfd(unsigned int count, int flags)
{
	(void)flags;
	return fd_make(FD_EVENT, count);
}

int timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	return fd_make(FD_TIMER, 0);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
		    struct itimerspec *old_value)
{
	uint64_t due_ns = to_ns(&new_value->it_value), now;

	(void)old_value;
	world_take_lock();
	now = world_now_ns();
	if (due_ns == 0)
		due_ns = NEVER;
	else if (!(flags & TFD_TIMER_ABSTIME))
		due_ns += now;
	fd_set_timer(fd, due_ns);
	if (due_ns <= now)
		fd_fire(now);
	world_go_on_and_drop();
	return 0;
}

int epoll_create1(int flags)
{
	(void)flags;
	return fd_make(FD_EPOLL, 0);
}

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
	if (what != EPOLL_CTL_ADD || !(event->events & EPOLLIN)) {
		errno = ENOSYS;		/* nobody does */
		return -1;
	}
	world_take_lock();
	fd_watch(epoll_fd, fd);
	world_go_on_and_drop();
	return 0;
}

/* Whether it is one of this world's. */
static bool is_ours(int fd)
{
	bool ours;

	world_take_lock();
	ours = fd_kind(fd) != FD_OF_KERNEL;
	world_drop_lock();
	return ours;
}

/* A timer gives how often it has fired, an eventfd its count; both are written with
 * EFD_NONBLOCK and the like everywhere. */
static ssize_t read_ours(int fd, uint64_t *count)
{
	world_take_lock();
	*count = fd_take(fd);
	world_drop_lock();
	if (*count)
		return sizeof(*count);
	errno = EAGAIN;
	return -1;
}

ssize_t read(int fd, void *data, size_t size)
{
	read_fn *next;

	world_count_call(false);
	if (is_ours(fd))
		return read_ours(fd, data);
	FIND_NEXT(next, read);
	return next(fd, data, size);
}

/* What read() is in programs built with _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __read_chk(int fd, void *data, size_t size, size_t room)
{
	(void)room;
	return read(fd, data, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
	write_fn *next;

	world_count_call(false);
	if (is_ours(fd)) {
		world_take_lock();
		fd_add(fd, *(const uint64_t *)data);
		world_go_on_and_drop();
		world_let_others_run();
		return (ssize_t)size;
	}
	FIND_NEXT(next, write);
	return next(fd, data, size);
}

int close(int fd)
{
	close_fn *next;
	bool ours = is_ours(fd);

	if (ours) {
		world_take_lock();
		fd_forget(fd);
		world_drop_lock();
		return (int)syscall(SYS_close, fd);
	}
	FIND_NEXT(next, close);
	return next(fd);
}

/* Time goes on meanwhile, if the one that is to answer sleeps. */
int sem_wait(sem_t *sem)
{
	sem_wait_fn *next;

	world_await_semaphore(sem, NEVER);
	FIND_NEXT(next, sem_wait);
	return next(sem);
}

int sem_clockwait(sem_t *restrict sem, clockid_t id, const struct timespec *restrict until)
{
	(void)id;
	world_await_semaphore(sem, to_ns(until));
	if (sem_trywait(sem) == 0)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

int pthread_create(pthread_t *restrict id, const pthread_attr_t *restrict attr,
		   void *(*main)(void *), void *restrict arg)
{
	void *thread = world_add_thread(main, arg);
	create_fn *next;
	int err;

	FIND_NEXT(next, pthread_create);
	err = next(id, attr, world_thread_main, thread);
	if (err != 0)
		world_remove_thread(thread);
	return err;
}
