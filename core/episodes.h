/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The log of episodes in a page: what befell a stream, one by one, the last
 * HR_EPISODES_KEPT of them.
 *
 * It belongs to the counters. A reset empties it, as it zeroes them; what is going on
 * then is a new episode from there on. Where fewer than HR_EPISODES_KEPT have happened
 * since, the frames of all of them are those that are counted as dropped and as silence:
 * to have it so, frames are counted first (hr_health_drop(), hr_health_silence()) and
 * then added here, to the reset that they were counted under.
 *
 * [keeper] writes it as it writes all else in the page, without locks and without
 * waiting; anybody may read it meanwhile, also when the process has ended. Each entry
 * has a mark, by which a reader knows whether what it has read of it is whole.
 *
 * Who may call is given as in health_page.h.
 */
#ifndef HR_CORE_EPISODES_H
#define HR_CORE_EPISODES_H

#include <stdbool.h>
#include <stdint.h>
#include "core/health_page.h"

#define HR_EPISODES_KEPT 64u	/* a power of two */

/* What it was. */
enum hr_episode_kind {
	HR_EPISODE_XRUN,	/* the program was told: over- or underrun */
	HR_EPISODE_SILENCE,	/* playback: silence filled the gap */
	HR_EPISODE_DROP,	/* capture: frames were dropped, recording went on */
	HR_EPISODE_DEVICE,	/* the device had an xrun, the program did not see it */
	HR_EPISODE_LOST,	/* the device went, was not resumed, or did not end its drain */
	HR_EPISODE_AWAY,	/* the device was away, and the stream went on without it */
	HR_EPISODE_REWIND,	/* playback: written again when the device had it already */
};

struct hr_episode {
	enum hr_episode_kind kind;
	enum hr_cause cause;
	uint32_t fill;		/* % of the ring when it began */
	bool going_on;		/* length and frames may grow; for ever, if the process died */
	uint64_t begin_ns;	/* CLOCK_MONOTONIC */
	uint64_t wall_ns;	/* the same moment by CLOCK_REALTIME as it was set then */
	uint64_t length_ns;	/* as of the last frames, if it is going on */
	uint64_t frames;	/* lost or invented */
};

/** An episode begins; one that is going on ends with that. going_on false: it is over
 * already. Wait-free. [keeper] */
void hr_page_begin_episode(struct hr_page *page, const struct hr_episode *episode);

/** More frames of the one that is going on, which lasts until now_ns at least. Count
 * them first, see above. False if there is none, perhaps by a reset. Wait-free. [keeper] */
bool hr_page_grow_episode(struct hr_page *page, uint64_t frames, uint64_t now_ns);

/** The one that is going on, if one is, is over. Wait-free. [keeper] */
void hr_page_end_episode(struct hr_page *page, uint64_t now_ns);

/** Episodes since the reset, also those that are not kept any more. [any] */
uint64_t hr_page_count_episodes(const struct hr_page *page);

/** The last of them that are kept and whole, oldest first. Returns how many. Everything
 * in them is within its bounds, whatever the page says. [any] */
uint32_t hr_page_get_episodes(const struct hr_page *page,
			      struct hr_episode episodes[HR_EPISODES_KEPT]);

/** The name of a cause or a kind in a user's words; for any number. [any] */
const char *hr_cause_name(enum hr_cause cause);
const char *hr_episode_kind_name(enum hr_episode_kind kind);

#endif
