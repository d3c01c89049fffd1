/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the files of playback share: io_playback.c moves the frames, io_playback_end.c
 * decides what happens when the queue runs dry or the device fails, io_playback_absent.c
 * goes on without a device, and io_playback_plan.c says what to wait for. All calls: [io].
 */
#ifndef HR_PLUGIN_IO_PLAYBACK_H
#define HR_PLUGIN_IO_PLAYBACK_H

#include "plugin/io_thread.h"

/* A look at the queue after it should have run dry. */
#define HR_DRY_SLACK_NS (HR_NS_PER_MS / 2)

/** Frames that the program has written and that are not before pos. */
static inline uint64_t hr_playback_waiting(const struct hr_io *io, uint64_t pos)
{
	uint64_t written = hr_stream_write_pos(io->stream);

	return written > pos ? written - pos : 0;
}

/** Frames of silence that may be played before the stream has to stop. */
static inline uint64_t hr_playback_silence_left(const struct hr_io *io)
{
	return io->config->underrun_silence ? UINT64_MAX : hr_io_gap_left(io);
}

static inline bool hr_playback_plays_silence(const struct hr_io *io)
{
	return hr_playback_silence_left(io) > 0;
}

/** How much must stay queued where silence is played. */
uint64_t hr_playback_silence_margin(const struct hr_io *io);

/** Move what the program has written into the device, as much as fits. Returns 0 or
 * -errno, if nothing could be moved. */
int hr_playback_feed(struct hr_io *io);

/** Give the device up to frames of silence. Returns 0 or -errno. */
int hr_playback_feed_silence(struct hr_io *io, uint64_t frames);

/** Tell the program where the device is; extra: frames of delay beyond its buffer. */
void hr_playback_publish(struct hr_io *io, int64_t extra);

/** The queue ran dry and the program has nothing waiting: it is told. */
void hr_playback_underrun(struct hr_io *io, enum hr_cause cause);

/** Stop if the program's stop threshold is reached with sound left. */
void hr_playback_keep_stop_threshold(struct hr_io *io);

/** One step of a drain. Returns 0 or -errno. */
int hr_playback_drain_on(struct hr_io *io);

/** The device has answered with err: end, or go on. */
void hr_playback_fault(struct hr_io *io, int err);

/** Without a device: see what time has passed; and a whole step, which returns 0 or -errno
 * of the device that has come back. */
void hr_playback_pass_time(struct hr_io *io);
int hr_playback_step_absent(struct hr_io *io);

/** What the next step waits for. */
void hr_playback_plan(struct hr_io *io, struct hr_plan *plan);

#endif
