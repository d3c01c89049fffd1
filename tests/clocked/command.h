/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What befalls a virtual card while it is open, by command of a test, in the same
 * process or another: a file of one word per command, which the card finds by its
 * key `command`, and is told of by inotify, so that who polls it is woken at once.
 *
 * A test makes the file first, then opens the card, and writes words whenever it
 * likes. Commands hold for every card that was opened with the file. Header only:
 * a test needs to link nothing for this.
 */
#ifndef TESTS_CLOCKED_COMMAND_H
#define TESTS_CLOCKED_COMMAND_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* New commands go to the end. All 0: an ordinary card. */
struct clocked_words {
	uint32_t suspends;	/* each other value than before suspends it once */
	uint32_t resume_errno;	/* not 0: it cannot be resumed, only prepared */
	uint32_t still;		/* not 0: its clock stands still; it goes on later */
	uint32_t lost;		/* not 0: it was unplugged, for good */
	uint32_t keeps;		/* not 0: it gives back nothing, whatever alsa-lib says, like a
				 * sound server */
	uint32_t slow_us;	/* it takes so long to tell where it is, and to take frames */
	uint64_t suspended_ns;	/* when that was; 0: when it is noticed */
};

/** Make the file, all words 0. Returns a descriptor to give to the calls below and
 * to close, or -1. */
static inline int clocked_command_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0 && ftruncate(fd, sizeof(struct clocked_words)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/** Write the word at an offset of struct clocked_words. False if that fails. */
static inline bool clocked_command_set(int fd, size_t offset, uint32_t word)
{
	return pwrite(fd, &word, sizeof(word), (off_t)offset) == sizeof(word);
}

/** The same by the word's name: CLOCKED_COMMAND(fd, still, 1). */
#define CLOCKED_COMMAND(fd, word, value) \
	clocked_command_set(fd, offsetof(struct clocked_words, word), value)

#endif
