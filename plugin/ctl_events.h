/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The events of one control handle: which elements have changed since its program
 * was last told.
 *
 * Streams announce what matters (their state, pressure, xruns, settings) by touching
 * their page, which inotify shows here at once. Counters change all the time: they
 * are compared twice a second while a stream lives, and not at all while none does.
 * Where the directory cannot be watched, everything is looked at twice a second.
 *
 * One descriptor stands for it all: an epoll of the inotify and a timer. It is
 * readable from the moment there may be something to tell until all has been told.
 *
 * An element that changes again before its event was read has one event. One thread at
 * a time, as alsa-lib asks of a control handle.
 */
#ifndef HR_PLUGIN_CTL_EVENTS_H
#define HR_PLUGIN_CTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/ctl_view.h"

struct hr_ctl_events {
	int poll_fd;			/* epoll of the two others; -1 = none */
	int timer_fd;
	int inotify_fd;			/* -1: none, or not subscribed */
	int watch;			/* inotify's number of the directory, -1 = none */
	bool is_subscribed;
	bool compare_all;		/* counters may have changed */
	uint64_t compared_ns;		/* when they were last compared */
	uint64_t again_ns;		/* when to look once more at what was announced */
	uint64_t armed_ns;		/* what the timer is set to, 0 = not */
	size_t n_known;			/* streams that the program knows of */
	struct {
		struct hr_snapshot told;
		uint64_t changed, added;	/* a bit an element: to be told */
	} streams[HR_CTL_STREAMS_MAX];
};

/** Make the descriptor. Returns 0 or -errno; hr_ctl_events_finish() is owed in either
 * case. */
int hr_ctl_events_init(struct hr_ctl_events *events);

/** Close the descriptors. Allowed on one that is zeroed but has them -1. */
void hr_ctl_events_finish(struct hr_ctl_events *events);

/** Begin or cease to look for changes. */
void hr_ctl_events_subscribe(struct hr_ctl_events *events, struct hr_ctl_view *view,
			     bool subscribe);

/**
 * Take the next event: an element of a stream of the view, and whether the element is
 * new or its value has changed. False if there is none now.
 */
bool hr_ctl_events_next(struct hr_ctl_events *events, struct hr_ctl_view *view,
			size_t *stream, size_t *element, bool *is_new);

#endif
