/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/witness.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STATUS "/proc/thread-self/status"
#define STATUS_BYTES 4096	/* more than there is */

void hr_witness_init(struct hr_witness *witness)
{
	/* relaxed: nobody shares it yet. */
	atomic_store_explicit(&witness->fd, -1, memory_order_relaxed);
	atomic_store_explicit(&witness->rests, 0, memory_order_relaxed);
	witness->seen = 0;
}

void hr_witness_open(struct hr_witness *witness)
{
	/* relaxed: to [io] it is of no use before the store in hr_witness_sleeps(). */
	atomic_store_explicit(&witness->fd, open(STATUS, O_RDONLY | O_CLOEXEC),
			      memory_order_relaxed);
}

void hr_witness_close(struct hr_witness *witness)
{
	/* relaxed: nobody shares it any more. */
	int fd = atomic_exchange_explicit(&witness->fd, -1, memory_order_relaxed);

	if (fd >= 0)
		close(fd);
}

static const char key[] = "\nvoluntary_ctxt_switches:";

/* How often a thread gave its processor up of its own will, so that being kept from one
 * does not count: to sleep, or to be stopped. 0 = it does not say. */
static uint64_t rests_in(const char *text)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + sizeof(key) - 1, NULL, 10) : 0;
}

static uint64_t rests_of(int fd)
{
	char text[STATUS_BYTES];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return rests_in(text);
}

void hr_witness_practise(void)
{
	/* Not a constant, which the compiler would see through. */
	const char *volatile text = key;

	(void)rests_of(-1);
	(void)rests_in(text);
}

void hr_witness_sleeps(struct hr_witness *witness)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) < 0)
		return;
	/* release, pairs with the load in hr_witness_saw_stop(): the descriptor is there. */
	atomic_store_explicit(&witness->rests, (uint64_t)usage.ru_nvcsw + 1,
			      memory_order_release);
}

bool hr_witness_saw_stop(struct hr_witness *witness)
{
	/* acquire, pairs with the store in hr_witness_sleeps(). */
	uint64_t asleep = atomic_load_explicit(&witness->rests, memory_order_acquire);
	uint64_t now, seen = witness->seen;

	if (!asleep)
		return false;
	/* relaxed: see hr_witness_open(). */
	now = rests_of(atomic_load_explicit(&witness->fd, memory_order_relaxed));
	witness->seen = now;
	return now > asleep && now > seen;
}
