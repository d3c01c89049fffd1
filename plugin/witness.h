/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A thread that sleeps most of the time, as witness that its process was stopped as a
 * whole, by SIGSTOP, Ctrl-Z or a debugger: for that the kernel wakes every thread of it,
 * which then gives its processor up of its own will, and the kernel counts how often a
 * thread has (voluntary_ctxt_switches). Whoever is only kept from a processor has no part
 * in that.
 *
 * Who may call is given as
 *   [witness]  the thread that sleeps
 *   [io]       the I/O thread
 */
#ifndef HR_PLUGIN_WITNESS_H
#define HR_PLUGIN_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

struct hr_witness {
	_Atomic int fd;			/* of [witness]'s status; -1 = it knows nothing */
	_Atomic uint64_t rests;		/* of it, with the sleep it is in or about to begin;
					 * 0 = it never slept */
	uint64_t seen;			/* [io] the last that was looked at */
};

/** Before the thread is made. */
void hr_witness_init(struct hr_witness *witness);

/** Without /proc it knows nothing from then on. [witness] */
void hr_witness_open(struct hr_witness *witness);

/** After the thread has ended, or in a forked child. Twice is allowed. */
void hr_witness_close(struct hr_witness *witness);

/** It goes to sleep. [witness] */
void hr_witness_sleeps(struct hr_witness *witness);

/** Do once what the next call does, so that it takes no page fault later. [io] */
void hr_witness_practise(void);

/** Whether the process was stopped since the witness fell asleep, or since this was last
 * asked. False if nothing is known. After a true one the witness is to be woken: it will
 * have rested once more. One system call. [io] */
bool hr_witness_saw_stop(struct hr_witness *witness);

#endif
