/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/ctl_view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <alsa/asoundlib.h>
#include "core/clock.h"

void hr_ctl_view_init(struct hr_ctl_view *view, const char *name)
{
	int refused = 0;

	memset(view, 0, sizeof(*view));
	snprintf(view->name, sizeof(view->name), "%s", name);
	for (uint32_t i = 0; i < 2 * HR_PAGE_SLOTS; i++) {
		struct hr_ctl_stream *stream = &view->streams[view->n_streams];
		int err;

		/* Both directions of slot 0 come first: their numids do not
		 * depend on what else there is. */
		stream->direction = i % 2 ? HR_CAPTURE : HR_PLAYBACK;
		stream->slot = i / 2;
		err = hr_page_attach(&stream->page, view->name,
				     stream->direction, stream->slot);
		if (err == 0 || stream->slot == 0)
			view->n_streams++;
		if (err < 0 && err != -ENOENT)
			refused = err;
	}
	if (refused)
		SNDERR("headroom: some counters of '%s' cannot be read: %s",
		       view->name, snd_strerror(refused));
}

static void hr_ctl_stream_detach(struct hr_ctl_stream *stream)
{
	hr_page_close(stream->page, 0);
	stream->page = NULL;
}

void hr_ctl_view_finish(struct hr_ctl_view *view)
{
	for (size_t i = 0; i < view->n_streams; i++)
		hr_ctl_stream_detach(&view->streams[i]);
	view->n_streams = 0;
}

/* The page of a stream that runs is the right one. Any other may have been
 * removed, or replaced by one of another size. */
static void hr_ctl_stream_attach(struct hr_ctl_stream *stream, const char *name)
{
	struct hr_page *page;
	int err;

	if (stream->page && hr_page_is_live(stream->page))
		return;
	err = hr_page_attach(&page, name, stream->direction, stream->slot);
	if (err == 0) {
		hr_ctl_stream_detach(stream);
		stream->page = page;
	} else if (err == -ENOENT) {
		hr_ctl_stream_detach(stream);
	}
	/* Else out of descriptors, say: the counters we have still stand. */
}

int hr_ctl_view_get(struct hr_ctl_view *view, size_t stream_index,
		    const struct hr_snapshot **snapshotp)
{
	struct hr_ctl_stream *stream = &view->streams[stream_index];
	uint64_t now_ns = hr_now_ns();

	if (!stream->is_taken || now_ns - stream->taken_ns >= HR_CTL_VIEW_FRESH_NS) {
		int err;

		hr_ctl_stream_attach(stream, view->name);
		err = hr_snapshot_take(&stream->snapshot, stream->page, now_ns);
		stream->is_taken = err == 0;
		if (err < 0)
			return err;
		stream->taken_ns = now_ns;
	}
	*snapshotp = &stream->snapshot;
	return 0;
}
