/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The loops that measure the way of a period of sound. Included once by the file of
 * a subject, after it has defined
 *
 *   void *period_create(uint32_t bytes), void period_destroy(void *way)
 *   bool period_write(void *way, const void *from)   false: no room
 *   bool period_read(void *way, void *to)            false: nothing there
 *
 * Defines period_ops. C and C++.
 */
#include "subject.h"

static void period_write_n(void *way, const void *from, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		while (!period_write(way, from))
			;
}

static void period_read_n(void *way, void *to, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		while (!period_read(way, to))
			;
}

static void period_one_thread(void *way, const void *from, void *to, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		period_write_n(way, from, 1);
		period_read_n(way, to, 1);
	}
}

static const struct period_ops period_ops = {
	period_create, period_destroy, period_one_thread, period_write_n, period_read_n,
};
