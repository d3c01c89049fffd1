/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/io_absent.h"

#include "plugin/episodes.h"
#include "plugin/io_stats.h"
#include "plugin/seeker.h"

/* Since when the device has told nothing: from then on the clock is believed. */
static uint64_t last_look_ns(const struct hr_io *io)
{
	switch (io->run) {
	case HR_RUN_RUNNING:
	case HR_RUN_DRAINING:
	case HR_RUN_DISCARDING:
		return io->direction == HR_PLAYBACK ? hr_position_time(&io->position) :
						      io->looked_ns;
	case HR_RUN_IDLE:
	case HR_RUN_PAUSED:
	case HR_RUN_FAULT:
		break;
	}
	return io->now_ns;
}

/* What a suspended device had will be asked for again, when the program gives it up. */
static void lose_in_device(struct hr_io *io)
{
	uint64_t frames = hr_playback_in_device(io);

	hr_stats_dropped(io, frames);
	if (io->run == HR_RUN_FAULT)
		io->lost += frames;
}

bool hr_absent_begin(struct hr_io *io)
{
	if (!io->seeker || hr_io_is_absent(io))
		return false;
	io->absent_ns = last_look_ns(io);
	io->absent_passed = 0;
	io->device_woke = false;
	io->device_lied = false;
	hr_stats_device_xrun(io, HR_CAUSE_DEVICE);
	hr_episode_begin(io, HR_EPISODE_AWAY, HR_CAUSE_DEVICE, io->absent_ns);
	if (io->direction == HR_PLAYBACK)
		lose_in_device(io);
	else if (io->run == HR_RUN_PAUSED)
		hr_stats_dropped(io, io->paused_rest);
	hr_seeker_lose(io->seeker, io->slave);
	hr_stats_device_state(io);
	return true;
}

void hr_absent_restart(struct hr_io *io)
{
	io->absent_ns = io->now_ns;
	io->absent_passed = 0;
}

uint64_t hr_absent_due(const struct hr_io *io)
{
	uint64_t passed = io->now_ns > io->absent_ns ?
			  hr_ns_to_frames(io->now_ns - io->absent_ns, io->rate) : 0;

	return passed > io->absent_passed ? passed - io->absent_passed : 0;
}

void hr_absent_pass(struct hr_io *io, uint64_t frames)
{
	io->absent_passed += frames;
}

/* An xrun in between is an episode of its own. */
void hr_absent_dropped(struct hr_io *io, uint64_t frames)
{
	if (!frames)
		return;
	hr_episode_keep(io, HR_EPISODE_AWAY, HR_CAUSE_DEVICE);
	hr_stats_dropped(io, frames);
}

void hr_absent_silence(struct hr_io *io, uint64_t frames)
{
	hr_episode_keep(io, HR_EPISODE_AWAY, HR_CAUSE_DEVICE);
	hr_stats_silence(io, frames);
}

bool hr_absent_end(struct hr_io *io)
{
	if (!hr_io_is_absent(io) || !hr_seeker_take(io->seeker, io->slave))
		return false;
	if (hr_episode_is(io, HR_EPISODE_AWAY))
		hr_episode_end(io);
	hr_blame_begin(io);
	hr_stats_rate_restart(io);
	hr_stats_device_state(io);
	return true;
}
