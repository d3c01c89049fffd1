/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What command.h can do to the virtual device of device.h.
 *
 * Suspended, it does nothing; a resume lets it go on where it was, as a card does
 * that has INFO_RESUME, or goes back to the state that it was in; what the world
 * went on meanwhile is not heard and not recorded. Lost, it is so for ever. Both are
 * noticed when somebody looks; up to there it went on, or to the moment that was told.
 */
#ifndef TESTS_CLOCKED_FAULTS_H
#define TESTS_CLOCKED_FAULTS_H

#include "tests/clocked/command.h"
#include "tests/clocked/device.h"

/** Do what the words say. */
void clocked_faults_obey(struct clocked_device *dev, const struct clocked_words *words,
			 uint64_t now_ns);

/** What any call but prepare and drop is to return: 0, -EPIPE after an xrun,
 * -ESTRPIPE, -ENODEV. */
int clocked_faults_error(const struct clocked_device *dev);

/** End a suspend. Returns 0, -EBADFD if there is none, or what the words say. */
int clocked_faults_resume(struct clocked_device *dev, const struct clocked_words *words,
			  uint64_t now_ns);

#endif
