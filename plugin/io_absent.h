/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream whose device is gone goes on as if it were there (on_device_loss reconnect): time
 * passes by the clock, and so many frames are played to nobody, or recorded from nothing.
 * All calls: the I/O thread.
 */
#ifndef HR_PLUGIN_IO_ABSENT_H
#define HR_PLUGIN_IO_ABSENT_H

#include "plugin/io_thread.h"

/** Whether the device is gone. */
static inline bool hr_io_is_absent(const struct hr_io *io)
{
	return !io->slave->pcm;
}

/** The device is gone: go on without it, if it is to be looked for. False if not, or if
 * that is so already. */
bool hr_absent_begin(struct hr_io *io);

/** Time begins to pass from now on. */
void hr_absent_restart(struct hr_io *io);

/** Frames that have passed until io->now_ns and were not taken note of. */
uint64_t hr_absent_due(const struct hr_io *io);

/** So many have been taken note of. */
void hr_absent_pass(struct hr_io *io, uint64_t frames);

/** Frames that nobody heard, that were recorded from nothing. */
void hr_absent_dropped(struct hr_io *io, uint64_t frames);
void hr_absent_silence(struct hr_io *io, uint64_t frames);

/** Have the device back if it was found: it is prepared then. False if it is not there,
 * or was not away. */
bool hr_absent_end(struct hr_io *io);

#endif
