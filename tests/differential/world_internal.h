/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Inside of world.h: its time (world.c), its descriptors (world_fds.c) and what
 * stands in libc's place (world_libc.c), under one lock.
 *
 * An eventfd, a timer or an epoll of this world is a number that the kernel has given
 * out, and nothing else of the kernel's: whether it is readable is known here, so that
 * nobody has to ask. Other descriptors are the kernel's; a thread that sleeps on one
 * is woken by the next world_settle().
 */
#ifndef TESTS_DIFFERENTIAL_WORLD_INTERNAL_H
#define TESTS_DIFFERENTIAL_WORLD_INTERNAL_H

#include <poll.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/differential/world.h"

#define NEVER UINT64_MAX
#define NS_PER_S UINT64_C(1000000000)

/* world.c */

/** The lock, for all below. Held for moments only. */
void world_take_lock(void);
void world_drop_lock(void);

/** Say what cannot go on, and end the process. */
void world_give_up(int status, const char *what) __attribute__((noreturn));

/** Wake whoever has something to do by now, or later if nobody has; then drop the
 * lock. To be called after every change that somebody may sleep on. [locked] */
void world_go_on_and_drop(void);

/** poll() by whoever calls, until deadline_ns; NEVER: for ever. */
int world_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns);

/** Sleep until that can be taken, and, in the program's thread, all others are at rest. */
void world_await_semaphore(sem_t *sem, uint64_t deadline_ns);

/** The program's thread has woken others, or may have: see world_set_serial(). */
void world_let_others_run(void);

/** Begin a thread: what is to be given to pthread_create() as its main and arg. */
void *world_add_thread(void *(*thread_main)(void *), void *arg);
void *world_thread_main(void *thread);

/** The thread could not be made. */
void world_remove_thread(void *thread);

/** A call to the system, which waits or not; a look at the clock. */
void world_count_call(bool waits);
void world_count_reading(void);

/* world_fds.c. [locked] all but fd_make() */

enum fd_kind {
	FD_OF_KERNEL, FD_EVENT, FD_TIMER, FD_EPOLL,
};

/** A new descriptor of this world, or -1. count: of an eventfd. */
int fd_make(enum fd_kind kind, uint64_t count);

/** Forget it: its number is about to be closed. */
void fd_forget(int fd);

enum fd_kind fd_kind(int fd);

/** Add to what an eventfd counts; take it all, 0 if there is nothing. */
void fd_add(int fd, uint64_t count);
uint64_t fd_take(int fd);

/** Set a timer; NEVER: off. */
void fd_set_timer(int fd, uint64_t due_ns);

/** When the next timer is due, or NEVER. */
uint64_t fd_next_due(void);

/** Let the timers fire that are due. */
void fd_fire(uint64_t now_ns);

/** An epoll watches one descriptor more. */
void fd_watch(int epoll_fd, int fd);

/** Fill in revents as poll() does that does not wait. Returns how many are ready. */
int fd_look(struct pollfd *fds, nfds_t n);

#endif
