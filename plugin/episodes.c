/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/episodes.h"

#include <time.h>
#include "core/probe.h"
#include "plugin/io_thread.h"

static uint32_t fill_now(const struct hr_io *io)
{
	uint64_t fill = io->direction == HR_PLAYBACK ? hr_playback_fill(io) :
						       hr_capture_fill(io);

	return fill < 100 ? (uint32_t)fill : 100;
}

/* By the clock on the wall, when it was ago_ns ago. */
static uint64_t wall_ns(uint64_t ago_ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * HR_NS_PER_S + (uint64_t)ts.tv_nsec - ago_ns;
}

static void write_down(struct hr_io *io, uint64_t begin_ns)
{
	uint64_t now_ns = hr_now_ns();
	uint64_t ago_ns = begin_ns && begin_ns < now_ns ? now_ns - begin_ns : 0;

	io->episode.going_on = true;
	io->episode.fill = fill_now(io);
	io->episode.begin_ns = now_ns - ago_ns;
	io->episode.wall_ns = wall_ns(ago_ns);
	HR_PROBE(xrun, io, io->episode.kind, io->episode.cause, io->episode.fill);
	hr_page_begin_episode(io->page, &io->episode);
}

void hr_episode_begin(struct hr_io *io, enum hr_episode_kind kind, enum hr_cause cause,
		      uint64_t begin_ns)
{
	io->episode = (struct hr_episode){ .kind = kind, .cause = cause };
	write_down(io, begin_ns);
	hr_page_set(io->page, HR_STAT_XRUN_CAUSE, cause);
}

bool hr_episode_is(const struct hr_io *io, enum hr_episode_kind kind)
{
	return io->episode.going_on && io->episode.kind == kind;
}

void hr_episode_keep(struct hr_io *io, enum hr_episode_kind kind, enum hr_cause cause)
{
	if (!hr_episode_is(io, kind))
		hr_episode_begin(io, kind, cause, 0);
}

void hr_episode_frames(struct hr_io *io, uint64_t frames)
{
	bool is_alone = !io->episode.going_on;

	if (is_alone)
		hr_episode_begin(io, HR_EPISODE_LOST, HR_CAUSE_DEVICE, 0);
	if (!hr_page_grow_episode(io->page, frames, hr_now_ns())) {
		/* A reset has emptied the log: what goes on is another one. */
		write_down(io, 0);
		(void)hr_page_grow_episode(io->page, frames, hr_now_ns());
	}
	if (is_alone)
		hr_episode_end(io);
}

void hr_episode_end(struct hr_io *io)
{
	if (!io->episode.going_on)
		return;
	hr_page_end_episode(io->page, hr_now_ns());
	io->episode.going_on = false;
}
