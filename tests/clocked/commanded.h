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
	struct clocked_words *words;	/* NULL: nobody commands */
	int inotify_fd, epoll_fd;		/* -1 without words */
};

/** Map the file at path; NULL: nobody commands. timer_fd is what wakes the card's
 * program otherwise. Returns 0, or -errno after a line on stderr; then there is
 * nothing to finish. */
int clocked_commanded_init(struct clocked_commanded *commanded, const char *path,
			   int timer_fd);

/** Unmap, close. */
void clocked_commanded_finish(struct clocked_commanded *commanded);

/** It was looked at. */
void clocked_commanded_note_look(struct clocked_commanded *commanded);

/** The descriptor has told of what was written up to now. To be called by who polls,
 * before the words are read: then it tells of those that come later. */
void clocked_commanded_clear(const struct clocked_commanded *commanded);

/** The words as they are now. */
struct clocked_words clocked_commanded_read(const struct clocked_commanded *commanded);

#endif
