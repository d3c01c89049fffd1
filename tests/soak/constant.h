/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What must not change after the first minute: descriptors, threads, memory, and the
 * page faults of the I/O threads of "long".
 */
#ifndef TESTS_SOAK_CONSTANT_H
#define TESTS_SOAK_CONSTANT_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/soak/shared.h"

struct soak_look {
	unsigned int second;		/* since the begin */
	uint64_t resident_kib;		/* with whatever is open just now */
	uint64_t rest_kib, heap_bytes, fds, threads;	/* see struct soak_rest */
	uint64_t faults[2];		/* playback, capture */
};

struct soak_constant {
	struct soak_look *looks;
	size_t n_looks, n_room;
};

/** Look at the program, and remember it. Returns what was seen. */
struct soak_look soak_constant_look(struct soak_constant *constant, struct soak_shared *shared,
				    pid_t program, unsigned int second);

/** Say how it was from second settle_s on, in lines on stdout. Returns whether it was
 * constant. broke_off: something was lost although nothing was provoked. */
bool soak_constant_judge(const struct soak_constant *constant, unsigned int settle_s,
			 bool broke_off);

#endif
