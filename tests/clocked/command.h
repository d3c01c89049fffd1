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
 *
 * What happens once is a word that counts: each other value than at open, or than
 * before, does it. What goes with it is written first. See faults.h for the rest.
 */
#ifndef TESTS_CLOCKED_COMMAND_H
#define TESTS_CLOCKED_COMMAND_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Calls that can be made to fail. */
enum clocked_call {
	CLOCKED_CALL_HW_PARAMS,
	CLOCKED_CALL_SW_PARAMS,
	CLOCKED_CALL_PREPARE,
	CLOCKED_CALL_START,
	CLOCKED_CALL_POINTER,		/* any error: alsa-lib makes an xrun of it */
	CLOCKED_CALL_TRANSFER,
	CLOCKED_CALL_DELAY,		/* snd_pcm_avail_delay() hands it on as it is */
	CLOCKED_CALL_PAUSE,
	CLOCKED_CALL_DRAIN,
	CLOCKED_CALL_DESCRIPTORS,	/* of poll */
	CLOCKED_CALL_REVENTS,
	CLOCKED_N_CALLS,
};

#define CLOCKED_FAIL_ALWAYS UINT32_MAX

/* The calls skip, skip + 1, ... skip + times - 1 from now on return -error, and do
 * nothing. */
struct clocked_fail {
	uint32_t error;
	uint32_t skip;
	uint32_t times;
};

/* How its descriptor behaves. */
enum clocked_wakes {
	CLOCKED_WAKES_WELL,
	CLOCKED_WAKES_ALWAYS,		/* it is ready, and said to be, all the time */
	CLOCKED_WAKES_FALSELY,		/* it is ready all the time, for no reason that is told */
	CLOCKED_WAKES_NEVER,		/* but for a command */
};

/* New commands go to the end. All 0: an ordinary card. */
struct clocked_words {
	uint32_t suspends;	/* each other value than before suspends it once */
	uint32_t resume_errno;	/* not 0: it cannot be resumed, only prepared */
	uint32_t still;		/* not 0: its clock stands still; it goes on later */
	uint32_t lost;		/* not 0: it is unplugged; who has it open has lost it for good */
	uint32_t keeps;		/* not 0: it gives back nothing, whatever alsa-lib says, like a
				 * sound server */
	uint32_t slow_us;	/* it takes so long to tell where it is, and to take frames */
	uint64_t suspended_ns;	/* when that was; 0: when it is noticed */
	uint64_t xrun_at;	/* for xruns: a frame as the log counts them */
	uint32_t xruns;		/* counts: it stops in an xrun there, or at once if that is over */
	uint32_t xrun_every;	/* not 0: it stops in one so many frames after each start */
	uint32_t burst;		/* not 0: it moves by so many frames at once */
	int32_t jump;		/* for jumps: frames, below 0 back */
	uint32_t jumps;		/* counts: where it is jumps, as far as the buffer allows */
	uint32_t most;		/* not 0: it takes or gives no more frames at once */
	uint32_t wakes;		/* enum clocked_wakes */
	uint32_t losses;	/* counts: it was unplugged, if only for a moment */
	uint32_t open_errno;	/* not 0: what an open fails with, in place of ENODEV too */
	uint32_t fails_set;	/* counts: fails hold anew; and for each card that is opened */
	struct clocked_fail fails[CLOCKED_N_CALLS];
	uint32_t looks;		/* written by the card: how often its delay was asked for */
	uint32_t period;	/* not 0: who opens it then has periods of so many frames of what
				 * maxima count, no others */
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

/** Let a word that counts go on by one. */
static inline bool clocked_command_count(int fd, size_t offset)
{
	uint32_t word;

	return pread(fd, &word, sizeof(word), (off_t)offset) == sizeof(word) &&
	       clocked_command_set(fd, offset, word + 1);
}

#define CLOCKED_COUNT(fd, word) \
	clocked_command_count(fd, offsetof(struct clocked_words, word))

/** How often the cards were looked at. */
static inline uint32_t clocked_command_looks(int fd)
{
	uint32_t looks = 0;

	return pread(fd, &looks, sizeof(looks), offsetof(struct clocked_words, looks)) ==
	       sizeof(looks) ? looks : 0;
}

/** Stop in an xrun at a frame, once. */
static inline bool clocked_command_xrun(int fd, uint64_t at)
{
	return pwrite(fd, &at, sizeof(at),
		      offsetof(struct clocked_words, xrun_at)) == sizeof(at) &&
	       CLOCKED_COUNT(fd, xruns);
}

/** Jump by so many frames, once. */
static inline bool clocked_command_jump(int fd, int32_t frames)
{
	return CLOCKED_COMMAND(fd, jump, (uint32_t)frames) && CLOCKED_COUNT(fd, jumps);
}

/** Let calls fail from now on; error 0: no more. Those of the other kinds begin anew. */
static inline bool clocked_command_fail(int fd, enum clocked_call call,
					struct clocked_fail fail)
{
	size_t offset = offsetof(struct clocked_words, fails) + call * sizeof(fail);

	return pwrite(fd, &fail, sizeof(fail), (off_t)offset) == sizeof(fail) &&
	       CLOCKED_COUNT(fd, fails_set);
}

/** Unplug the card. */
static inline bool clocked_command_vanish(int fd)
{
	return CLOCKED_COMMAND(fd, lost, 1) && CLOCKED_COUNT(fd, losses);
}

/** Plug it in again: it can be opened. */
static inline bool clocked_command_come_back(int fd)
{
	return CLOCKED_COMMAND(fd, lost, 0);
}

#endif
