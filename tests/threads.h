/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The threads of this process, from outside of them.
 */
#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#include <sys/types.h>

/** Entries of a folder, as of /proc/self/fd and /proc/self/task. */
unsigned int count_entries(const char *path);

/** There are so many entries of /proc/self/task: at the latest soon, for a thread that was
 * joined may be listed for a moment still. */
void assert_tasks(unsigned int n);

/** The thread of that name; there must be one. */
pid_t thread_by_name(const char *name);

/** How often that thread had to leave its processor to another. */
unsigned long times_kept(pid_t tid);

/** Stop the process as a whole for so long, as Ctrl-Z does. It begins when headroom's
 * reporter sleeps, by whom a stop is found out: one that comes while it is busy is not. */
void stop_process_ms(unsigned int ms);

/** The same, but who calls is back as soon as the process goes on, with no other wait after
 * it. Returns the child that has stopped it, to be waited for. */
pid_t stop_process_and_go_on(unsigned int ms);

#endif
