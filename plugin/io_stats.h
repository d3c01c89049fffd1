/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the I/O thread writes into the page. All calls: the I/O thread, or the
 * thread that creates it before it runs.
 */
#ifndef HR_PLUGIN_IO_STATS_H
#define HR_PLUGIN_IO_STATS_H

#include "plugin/io_thread.h"

/** Begin to keep the page for a stream just set up. */
void hr_stats_begin(struct hr_io *io);

/** The stream's state, which the page shows unless the device is gone. */
void hr_stats_state(struct hr_io *io, enum hr_state state);

/** The device went, or is back: the page shows so. */
void hr_stats_device_state(struct hr_io *io);

/** Levels in percent: fill of the ring and nearness to loss; runs the detector. */
void hr_stats_levels(struct hr_io *io, uint64_t fill, uint64_t pressure);

/** No pressure any more: the stream does not run. */
void hr_stats_calm(struct hr_io *io);

/** At the end of a step or request: carry ring's and pool's counters over into the
 * page, carry out a reset, and have told what others want to know at once. */
void hr_stats_counters(struct hr_io *io);

/** The device has moved pos frames in all since some beginning: measure its
 * rate. */
void hr_stats_rate(struct hr_io *io, uint64_t pos);

/** The position will jump or stand: measure the rate from the next reading on. */
void hr_stats_rate_restart(struct hr_io *io);

/** Frames that were lost, for whatever reason; chunks of a period each. They belong to
 * the episode that is going on. */
void hr_stats_dropped(struct hr_io *io, uint64_t frames);

/** Frames of silence that were invented; as above. */
void hr_stats_silence(struct hr_io *io, uint64_t frames);

/** An xrun of the device and who caused it. */
void hr_stats_device_xrun(struct hr_io *io, enum hr_cause cause);

#endif
