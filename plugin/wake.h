/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A wake-up from one side to the other: an eventfd, and a word that says
 * whether the other side waits for it, so that nobody pays for waking who is
 * awake.
 *
 *   waiter                                waker
 *   hr_wake_clear(), hr_wake_announce()   change what is waited for (seq_cst store)
 *   look (seq_cst load): must I wait?     hr_wake_signal()
 *   poll(fd)
 *
 * Announcing and looking on one side, changing and looking for the announcement
 * on the other are all sequentially consistent: at least one side sees the other, so no
 * wake-up is lost. Announced before it is cleared, a signal that comes in between
 * would be lost.
 */
#ifndef HR_PLUGIN_WAKE_H
#define HR_PLUGIN_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

struct hr_wake {
	int fd;			/* eventfd, polled for POLLIN; -1 = none */
	_Atomic bool armed;	/* the waiter wants a signal and the fd is clear */
};

/** Returns 0 or -errno. */
int hr_wake_init(struct hr_wake *wake);

/** Allowed on one that was not initialised but has fd -1. */
void hr_wake_finish(struct hr_wake *wake);

/** Make the fd unreadable again. [waiter] */
void hr_wake_clear(struct hr_wake *wake);

/** Announce that a signal is wanted; the fd is clear. [waiter] */
void hr_wake_announce(struct hr_wake *wake);

/** Clear and announce. A wake that is announced already costs no system call
 * unless the fd was seen readable. [waiter] */
void hr_wake_arm(struct hr_wake *wake, bool readable);

/** No signal is wanted; one that was sent may remain readable. [waiter] */
void hr_wake_disarm(struct hr_wake *wake);

/** Make the fd readable if a signal is wanted. [any] */
void hr_wake_signal(struct hr_wake *wake);

/** Make the fd readable whether wanted or not. [any] */
void hr_wake_force(struct hr_wake *wake);

#endif
