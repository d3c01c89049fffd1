/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Playback while the device is away: time passes, and nobody hears it.
 */
#include "plugin/io_absent.h"
#include "plugin/io_playback.h"
#include "plugin/io_stats.h"

/* Nobody hears them: frames out of the stream, as many as time has passed for. */
static uint64_t play_to_nobody(struct hr_io *io, uint64_t frames)
{
	uint64_t gone = 0;

	while (gone < frames) {
		struct hr_span span = hr_stream_read_begin(io->stream, io->taken,
							   io->now_ns);
		uint64_t n = span.frames < frames - gone ? span.frames : frames - gone;

		io->taken += n;
		io->handed += n;
		io->taken_back -= n < io->taken_back ? n : io->taken_back;
		gone += n;
		hr_stream_read_done(io->stream, io->taken, io->now_ns);
		if (!n)
			break;
	}
	if (gone)
		io->gap = 0;
	hr_absent_dropped(io, gone);
	return gone;
}

/* Without a device the stream runs dry as with one. */
static void run_dry_without(struct hr_io *io, uint64_t frames)
{
	uint64_t left = hr_playback_silence_left(io);
	uint64_t bridged = frames < left ? frames : left;

	hr_absent_pass(io, bridged);
	io->gap += bridged;
	if (frames <= left || !hr_io_declare_dry(io))
		return;
	hr_playback_underrun(io, HR_CAUSE_PROGRAM);
}

/* Time passes: first for what the device had with it, counted when it went, then for what
 * the program has written since. */
void hr_playback_pass_time(struct hr_io *io)
{
	uint64_t due = hr_absent_due(io), n = due < io->queued ? due : io->queued;

	io->queued -= n;
	n += play_to_nobody(io, due - n);
	hr_absent_pass(io, n);
	if (n)
		io->moved_ns = io->now_ns;
	hr_stats_rate_restart(io);
	hr_playback_publish(io, 0);
	if (io->run == HR_RUN_DRAINING && !io->queued && !hr_playback_waiting(io, io->taken))
		hr_playback_end_drain(io, 0);
	else if (io->run == HR_RUN_RUNNING && n < due && !hr_playback_waiting(io, io->taken))
		run_dry_without(io, due - n);
}

/* It begins with what is due next, so that no time is made up for or lost. */
static int have_device_back(struct hr_io *io)
{
	int err;

	if (io->queued || !hr_playback_waiting(io, io->taken) || !hr_absent_end(io))
		return 0;
	err = hr_playback_feed(io);
	return err < 0 ? err : hr_slave_start(io->slave);
}

int hr_playback_step_absent(struct hr_io *io)
{
	hr_playback_pass_time(io);
	if (io->run != HR_RUN_RUNNING && io->run != HR_RUN_DRAINING)
		return 0;
	hr_playback_keep_stop_threshold(io);
	return io->run == HR_RUN_FAULT ? 0 : have_device_back(io);
}
