/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What command.h can do to the virtual device of device.h. All of it is noticed when
 * somebody looks, and logged.
 *
 * Suspended, it does nothing; a resume lets it go on where it was, as a card does
 * that has INFO_RESUME, or goes back to the state that it was in; what the world
 * went on meanwhile is not heard and not recorded; up to there it went on, or to the
 * moment that was told. Lost, it is so for ever: come back, it is another card to who
 * opens it, with a world of its own. The key heard_append keeps what was heard before.
 *
 * An xrun by command stops it with what it holds, which is not heard then. Jumps are
 * the device's own: what it leaves out was given to it, and what it repeats only once.
 * In bursts it moves, and is heard, by whole ones of the world; it wakes at their ends.
 * Short, it moves so many frames and has -EAGAIN for who goes on in the same breath, as
 * alsa-lib does.
 *
 * A call that fails does nothing else. alsa-lib's ioplug lies between it and the
 * program: see enum clocked_call.
 */
#ifndef TESTS_CLOCKED_FAULTS_H
#define TESTS_CLOCKED_FAULTS_H

#include "tests/clocked/command.h"
#include "tests/clocked/device.h"

/** Do what the words say. */
void clocked_faults_obey(struct clocked_device *dev, const struct clocked_words *words,
			 uint64_t now_ns);

/** The card is opened: from now on counts what comes. */
void clocked_faults_begin(struct clocked_device *dev, const struct clocked_words *words);

/** What a call is to return, by command: 0, or -errno instead of being carried out. */
int clocked_faults_fail(struct clocked_device *dev, enum clocked_call call);

/** Make of the frames of a transfer as many as it moves now. Returns 0, or -EAGAIN: none
 * in the same breath. */
int clocked_faults_shorten(struct clocked_device *dev, snd_pcm_uframes_t *frames);

/** What poll is to report of the events there are. */
unsigned short clocked_faults_events(const struct clocked_device *dev);

/** What any call but prepare and drop is to return: 0, -EPIPE after an xrun,
 * -ESTRPIPE, -ENODEV. */
int clocked_faults_error(const struct clocked_device *dev);

/** End a suspend. Returns 0, -EBADFD if there is none, or what the words say. */
int clocked_faults_resume(struct clocked_device *dev, const struct clocked_words *words,
			  uint64_t now_ns);

#endif
