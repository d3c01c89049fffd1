/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The card's side of command.h: the mapped words, and what makes a poll return when
 * one of them was written. Plain value, no lock.
 */
#ifndef TESTS_CLOCKED_COMMANDED_H
#define TESTS_CLOCKED_COMMANDED_H

#include "tests/clocked/command.h"

struct clocked_commanded {
	const struct clocked_words *words;	/* NULL: nobody commands */
	int inotify_fd, epoll_fd;		/* -1 without words */
};

/** Map the file at path; NULL: nobody commands. timer_fd is what wakes the card's
 * program otherwise. Returns 0, or -errno after a line on stderr; then there is
 * nothing to finish. */
int clocked_commanded_init(struct clocked_commanded *commanded, const char *path,
			   int timer_fd);

/** Unmap, close. */
void clocked_commanded_finish(struct clocked_commanded *commanded);

/** The words as they are now; the descriptor tells of those that come later. */
struct clocked_words clocked_commanded_read(const struct clocked_commanded *commanded);

#endif
