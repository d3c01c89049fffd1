/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Threads of the plug-in in a process that belongs to a program.
 */
#ifndef HR_PLUGIN_THREAD_H
#define HR_PLUGIN_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/** Start a thread that takes no signals, for those are the program's. It runs at the
 * caller's scheduling, or as an ordinary thread even if the caller is real-time.
 * Returns 0 or -errno. */
int hr_thread_start(pthread_t *thread, bool is_ordinary, void *(*main)(void *), void *arg);

#endif
