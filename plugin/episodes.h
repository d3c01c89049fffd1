/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What befalls the stream, as episodes of the page's log. Whoever begins to lose or to
 * invent frames begins an episode; they are counted, and added to the one that is going
 * on, by hr_stats_dropped() and hr_stats_silence(). All calls: [io].
 */
#ifndef HR_PLUGIN_EPISODES_H
#define HR_PLUGIN_EPISODES_H

#include "core/episodes.h"

struct hr_io;

/** An episode begins at begin_ns (0: now); it goes on until the next begins or it is
 * ended. Who is to blame for it becomes the last who was late. */
void hr_episode_begin(struct hr_io *io, enum hr_episode_kind kind, enum hr_cause cause,
		      uint64_t begin_ns);

/** The same, unless one of that kind is going on. */
void hr_episode_keep(struct hr_io *io, enum hr_episode_kind kind, enum hr_cause cause);

/** Frames, which have been counted. Outside of an episode they are one, over by now: a
 * device that went. */
void hr_episode_frames(struct hr_io *io, uint64_t frames);

/** What is going on is over. */
void hr_episode_end(struct hr_io *io);

/** Whether one of that kind is going on. */
bool hr_episode_is(const struct hr_io *io, enum hr_episode_kind kind);

#endif
