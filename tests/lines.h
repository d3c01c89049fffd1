/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What headroom has said, as a program sees it that has an error handler of its own.
 */
#ifndef TESTS_LINES_H
#define TESTS_LINES_H

extern char lines[4096];	/* headroom's own, each with its end of line */
extern unsigned int n_lines;

/** From now on, in all threads. */
void keep_lines(void);

/** How many of them are like this, as a shell has it; while other threads say more, too. */
unsigned int lines_like(const char *pattern);

#endif
