/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What /proc tells of a process. */
#ifndef TESTS_SOAK_PROCESS_H
#define TESTS_SOAK_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/** Memory of its own that is resident, in KiB; 0 if it has gone. */
uint64_t soak_resident_kib(pid_t pid);

/** Descriptors that are open. */
uint64_t soak_count_fds(pid_t pid);

/** Threads of this process. */
uint64_t soak_count_threads(void);

/** The one that was started last of headroom's I/O threads in this process. */
pid_t soak_newest_io_thread(void);

/** Page faults of a thread, minor and major; 0 if it has gone. */
uint64_t soak_page_faults(pid_t pid, pid_t tid);

#endif
