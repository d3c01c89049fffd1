/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What one control handle looks at: the streams of one name.
 *
 * The set of streams is fixed when the view is made, since their order is part
 * of every numid: slot 0 of both directions, and each further slot that has a
 * page by then. Their pages come and go: a page is attached when it appears and
 * attached anew when another one has taken its place.
 *
 * One thread at a time, as alsa-lib asks of a control handle.
 */
#ifndef HR_PLUGIN_CTL_VIEW_H
#define HR_PLUGIN_CTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/snapshot.h"

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
	size_t n_streams;		/* at least 2 */
	struct hr_ctl_stream streams[2 * HR_PAGE_SLOTS];
};

/** Look for the streams of a name of 1..HR_PAGE_NAME_MAX bytes. Pages that are
 * there but not to be trusted are left out; one line says so. */
void hr_ctl_view_init(struct hr_ctl_view *view, const char *name);

/** Let go of all pages. A zeroed view is allowed. */
void hr_ctl_view_finish(struct hr_ctl_view *view);

/**
 * The values of a stream, at most HR_CTL_VIEW_FRESH_NS old, until the next call
 * for the same stream. stream is 0..n_streams - 1. *snapshotp is written only on
 * success. Returns 0 or -ENOMEM.
 */
int hr_ctl_view_get(struct hr_ctl_view *view, size_t stream,
		    const struct hr_snapshot **snapshotp);

/* One listing of all elements takes the snapshot, which sorts the latency
 * samples, once a stream and not once an element. */
#define HR_CTL_VIEW_FRESH_NS 20000000u

#endif
