/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The far end: a process that reads what the virtual cards play from pipes, so that an
 * hour of it need not be kept.
 */
#ifndef TESTS_SOAK_FAR_END_H
#define TESTS_SOAK_FAR_END_H

#include "tests/soak/shared.h"

#define SOAK_PIPES (SOAK_STREAMS / 2)

/** Make the pipe at path, to which a card can be told to play, with room for more than
 * two seconds. Returns a descriptor for soak_far_end(). */
int soak_far_pipe(const char *path);

/** Listen to these pipes until the process is ended. */
void soak_far_end(struct soak_shared *shared, const int fds[SOAK_PIPES])
	__attribute__((noreturn));

/** Wait until total frames were listened to. False if they do not come. */
bool soak_far_wait(const struct soak_far *far, uint64_t total);

#endif
