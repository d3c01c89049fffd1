/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Threads of the plug-in in a process that belongs to a program.
 */
#ifndef HR_PLUGIN_THREAD_H
#define HR_PLUGIN_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/** Start a thread that takes no signals, for those are the program's. It runs at the
 * caller's scheduling, or as an ordinary thread even if the caller is real-time.
 * Returns 0 or -errno. */
int hr_thread_start(pthread_t *thread, bool is_ordinary, void *(*main)(void *), void *arg);

/** Wait for what a thread posts. The caller cannot be cancelled meanwhile: it would take
 * the locks with it, and leave what is posted to the next who waits. */
void hr_thread_await(sem_t *posted);

/** The same until then by CLOCK_MONOTONIC, at most; UINT64_MAX: for ever. Returns whether it
 * was posted. */
bool hr_thread_await_until(sem_t *posted, uint64_t until_ns);

/** Ask the kernel to let the calling thread in soon when it wakes up, though it has no
 * real-time right: with a short slice of its own its deadlines are near (Linux 6.12 and
 * later, EEVDF). Takes no right, gives no larger share; nothing happens elsewhere. */
void hr_thread_ask_for_short_slice(void);

#endif
