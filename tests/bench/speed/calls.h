/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The system calls of one thread, counted by the kernel's own filter: each is turned into
 * a signal, whose handler makes it. Unlike a tracer, which stops the thread and so lets
 * those that it has woken run and fall asleep again, this changes nobody's turn.
 *
 * There is no way back: the process is good for nothing but to say the count and _exit().
 */
#ifndef TESTS_BENCH_SPEED_CALLS_H
#define TESTS_BENCH_SPEED_CALLS_H

/** Count those of the calling thread from now on. */
void calls_count(void);

/** Where the count begins and, called once more, where it ends. */
void calls_mark(void);

unsigned calls_between_marks(void);

#endif
