/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/ctl_view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <alsa/asoundlib.h>
#include "core/backpressure.h"
#include "core/clock.h"

static bool has_stream(const struct hr_ctl_view *view, enum hr_direction direction,
		       uint32_t slot)
{
	for (size_t i = 0; i < view->n_streams; i++) {
		if (view->streams[i].direction == direction &&
		    view->streams[i].slot == slot)
			return true;
	}
	return false;
}

/* Add the streams that are not in the view yet and have a page, and always those of
 * slot 0: their numids do not depend on what else there is. Only up to the first gap
 * of each direction, or in all slots. Returns the last error that was not "there is
 * none", or 0. */
static int find_streams(struct hr_ctl_view *view, bool everywhere)
{
	bool is_over[2] = { false, false };
	int refused = 0;

	for (uint32_t i = 0; i < HR_CTL_STREAMS_MAX; i++) {
		struct hr_ctl_stream found = {
			.direction = i % 2 ? HR_CAPTURE : HR_PLAYBACK,
			.slot = i / 2,
		};
		int err;

		if (is_over[i % 2] || has_stream(view, found.direction, found.slot))
			continue;
		err = hr_page_attach(&found.page, view->owner, view->name,
				     found.direction, found.slot);
		if (err == 0 || found.slot == 0)
			view->streams[view->n_streams++] = found;
		if (err < 0 && err != -ENOENT)
			refused = err;
		is_over[i % 2] = err == -ENOENT && !everywhere;
	}
	return refused;
}

void hr_ctl_view_init(struct hr_ctl_view *view, const char *name, uid_t owner)
{
	int refused;

	memset(view, 0, sizeof(*view));
	snprintf(view->name, sizeof(view->name), "%s", name);
	view->owner = owner;
	refused = find_streams(view, true);
	if (refused)
		SNDERR("headroom: some counters of '%s' cannot be read: %s",
		       view->name, snd_strerror(refused));
}

void hr_ctl_view_find_new(struct hr_ctl_view *view)
{
	/* A stream takes the first slot that is free: a new page fills a gap. */
	(void)find_streams(view, false);
}

static void detach(struct hr_ctl_stream *stream)
{
	hr_page_close(stream->page, 0);
	stream->page = NULL;
}

void hr_ctl_view_finish(struct hr_ctl_view *view)
{
	for (size_t i = 0; i < view->n_streams; i++)
		detach(&view->streams[i]);
	view->n_streams = 0;
}

/* Have the stream's page as it is now; none if there is none, or what is there is
 * not one any more. */
static void refresh(const struct hr_ctl_view *view, struct hr_ctl_stream *stream,
		    bool with_latency)
{
	if (stream->page && hr_page_is_removed(stream->page))
		detach(stream);
	if (stream->page && hr_page_refresh(stream->page, with_latency) < 0)
		detach(stream);
	/* An error is as good as none: the user was told when the view was made. */
	if (!stream->page)
		(void)hr_page_attach(&stream->page, view->owner, view->name,
				     stream->direction, stream->slot);
}

int hr_ctl_view_look(struct hr_ctl_view *view, size_t stream_index, bool with_latency,
		     uint64_t now_ns, struct hr_snapshot *snapshot)
{
	struct hr_ctl_stream *stream = &view->streams[stream_index];
	int err;

	/* What was read before is older than what is told of now. */
	stream->is_taken = false;
	refresh(view, stream, with_latency);
	err = hr_snapshot_take(snapshot, stream->page, with_latency, now_ns);
	if (err < 0)
		return err;
	return snapshot->process != 0;
}

int hr_ctl_view_get(struct hr_ctl_view *view, size_t stream_index,
		    const struct hr_snapshot **snapshotp)
{
	struct hr_ctl_stream *stream = &view->streams[stream_index];
	uint64_t now_ns = hr_now_ns();

	if (!stream->is_taken || now_ns - stream->taken_ns >= HR_CTL_VIEW_FRESH_NS) {
		int err = hr_ctl_view_look(view, stream_index, true, now_ns,
					   &stream->snapshot);

		stream->is_taken = err >= 0;
		if (err < 0)
			return err;
		stream->taken_ns = now_ns;
	}
	*snapshotp = &stream->snapshot;
	return 0;
}

static int set_on_page(struct hr_page *page, enum hr_setting setting, uint32_t value)
{
	int err;

	switch (setting) {
	case HR_SETTING_NONE:
		return -EPERM;
	case HR_SETTING_TRIGGER:
		return hr_page_set_trigger(page, value);
	case HR_SETTING_CLEAR:
		return hr_page_set_clear(page, value);
	case HR_SETTING_RESET:
		if (!value)
			return 0;
		err = hr_page_reset(page);
		return err < 0 ? err : 1;
	}
	return -EINVAL;
}

/* No stream ran yet: leave the thresholds for the first. -EEXIST if one did after
 * all. */
static int set_for_first(const struct hr_ctl_view *view, const struct hr_ctl_stream *stream,
			 enum hr_setting setting, uint32_t value)
{
	uint32_t trigger = HR_BP_TRIGGER_DEFAULT, clear = HR_BP_CLEAR_DEFAULT;
	int err;

	if (setting == HR_SETTING_RESET)
		return 0;	/* there is nothing but zeros */
	if (stream->slot != 0)
		return -ENOENT;
	if (setting == HR_SETTING_TRIGGER)
		trigger = value;
	else
		clear = value;
	err = hr_page_make(view->owner, view->name, stream->direction, trigger, clear);
	return err < 0 ? err : 1;
}

int hr_ctl_view_set(struct hr_ctl_view *view, size_t stream_index,
		    enum hr_setting setting, uint32_t value)
{
	struct hr_ctl_stream *stream = &view->streams[stream_index];
	int err = -EEXIST;

	stream->is_taken = false;
	refresh(view, stream, false);
	if (!stream->page)
		err = set_for_first(view, stream, setting, value);
	if (err != -EEXIST)
		return err;
	refresh(view, stream, false);
	return stream->page ? set_on_page(stream->page, setting, value) : -ENOENT;
}
