/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What one control handle looks at: the streams of one name.
 *
 * Their order is part of every numid: slot 0 of both directions, each further slot
 * that has a page when the view is made, and then those that are found later, in the
 * order in which they are. A stream stays in the view; its page comes and goes: it is
 * attached when it appears and attached anew when another one has taken its place.
 *
 * One thread at a time, as alsa-lib asks of a control handle.
 */
#ifndef HR_PLUGIN_CTL_VIEW_H
#define HR_PLUGIN_CTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/elements.h"
#include "plugin/snapshot.h"

#define HR_CTL_STREAMS_MAX (2 * HR_PAGE_SLOTS)

struct hr_ctl_stream {
	enum hr_direction direction;
	uint32_t slot;
	struct hr_page *page;		/* NULL while there is none */
	struct hr_snapshot snapshot;
	uint64_t taken_ns;		/* when the snapshot was */
	bool is_taken;
};

struct hr_ctl_view {
	char name[HR_PAGE_NAME_MAX + 1];
	uid_t owner;			/* of the pages, or HR_PAGE_OWN */
	size_t n_streams;		/* at least 2 */
	struct hr_ctl_stream streams[HR_CTL_STREAMS_MAX];
};

/** Look for the streams of a name of 1..HR_PAGE_NAME_MAX bytes. Pages that are
 * there but not to be trusted are left out; one line says so. */
void hr_ctl_view_init(struct hr_ctl_view *view, const char *name, uid_t owner);

/** Let go of all pages. A zeroed view is allowed. */
void hr_ctl_view_finish(struct hr_ctl_view *view);

/** Add the streams in slots that have a page by now, up to the first that has none. */
void hr_ctl_view_find_new(struct hr_ctl_view *view);

/**
 * The values of a stream, at most HR_CTL_VIEW_FRESH_NS old, until the next call
 * for the same stream. stream is 0..n_streams - 1. *snapshotp is written only on
 * success. Returns 0 or -ENOMEM.
 */
int hr_ctl_view_get(struct hr_ctl_view *view, size_t stream,
		    const struct hr_snapshot **snapshotp);

/** The values of a stream as they are at now_ns, with the latency or without.
 * Returns 1 if the stream is live, 0 if not, or -ENOMEM. */
int hr_ctl_view_look(struct hr_ctl_view *view, size_t stream, bool with_latency,
		     uint64_t now_ns, struct hr_snapshot *snapshot);

/**
 * Make a setting, for a stream that runs at once and for the next in its slot. If
 * there was none yet in slot 0, its page is made.
 * Returns 1, 0 if nothing changes by it, -EINVAL for thresholds that do not go
 * together, -EPERM if the page is not ours, or -errno.
 */
int hr_ctl_view_set(struct hr_ctl_view *view, size_t stream, enum hr_setting setting,
		    uint32_t value);

/* One listing of all elements takes the snapshot, which sorts the latency
 * samples, once a stream and not once an element. */
#define HR_CTL_VIEW_FRESH_NS 20000000u

#endif
