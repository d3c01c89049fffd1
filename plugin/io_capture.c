/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Capture: the device is emptied as it fills; what happens when the program does
 * not read for longer than the ring lasts is decided here.
 */
#include <errno.h>
#include "plugin/io_stats.h"
#include "plugin/io_thread.h"

/* A look by the clock comes no sooner than this part of a period after the one before. */
#define LOOKS_PER_PERIOD_MAX 8

void hr_capture_reset(struct hr_io *io)
{
	io->unpaced = false;
	io->gap = 0;
	io->discarded = 0;
	io->beyond = 0;
	io->looked_ns = io->now_ns;
}

int hr_capture_start(struct hr_io *io)
{
	io->looked_ns = io->now_ns;
	io->moved_ns = io->now_ns;
	hr_io_see_appl(io);
	return hr_slave_start(io->slave);
}

/* Frames that may be dropped before the stream has to stop. */
static uint64_t drops_left(const struct hr_io *io)
{
	return io->config->overrun_drop ? UINT64_MAX : hr_io_gap_left(io);
}

/* Frames that may wait to be read. */
static uint64_t capacity(const struct hr_io *io)
{
	uint64_t stop = atomic_load_explicit(&io->stop_threshold, memory_order_relaxed);
	uint64_t depth = (uint64_t)io->config->depth_ms * io->rate / 1000;

	if (stop > io->buffer)
		stop = io->buffer;
	return stop + depth ? stop + depth : 1;
}

static uint64_t unread(const struct hr_io *io)
{
	uint64_t captured = hr_stream_write_pos(io->stream);

	return captured > io->seen_appl ? captured - io->seen_appl : 0;
}

/* Frames that may still be taken from the device. */
static uint64_t room(const struct hr_io *io)
{
	uint64_t most = capacity(io), is = unread(io);

	return most > is ? most - is : 0;
}

/* Read up to frames from the device. Returns how many or -errno. */
static snd_pcm_sframes_t fetch(struct hr_io *io, const struct hr_span *span,
			       uint64_t frames)
{
	snd_pcm_sframes_t n = hr_slave_transfer(io->slave, span, frames < span->frames ?
						frames : span->frames);

	if (n > 0)
		io->beyond = (io->beyond + (uint64_t)n) % io->slave->period;
	return n;
}

/* Read up to frames from the device into the stream. Returns how many or -errno. */
static snd_pcm_sframes_t take(struct hr_io *io, uint64_t frames)
{
	uint64_t taken = 0, first_ns;

	while (taken < frames) {
		uint64_t want = frames - taken;
		struct hr_span span;
		snd_pcm_sframes_t n;

		/* The first frame came that long ago. */
		first_ns = io->now_ns - hr_frames_to_ns(want, io->rate);
		span = hr_stream_write_begin(io->stream, first_ns);
		if (!span.frames)
			break;
		n = fetch(io, &span, want);
		/* What was taken is there; the error will be met again. */
		if (n < 0 && !taken)
			return n;
		if (n <= 0)
			break;
		hr_stream_write_commit(io->stream, (uint32_t)n);
		taken += (uint64_t)n;
	}
	if (taken) {
		hr_page_add(io->page, HR_STAT_FRAMES, taken);
		io->gap = 0;
	}
	return (snd_pcm_sframes_t)taken;
}

/* Read frames from the device and count them as lost. */
static snd_pcm_sframes_t discard(struct hr_io *io, uint64_t frames)
{
	uint64_t gone = 0;

	while (gone < frames) {
		struct hr_span span = { io->scratch, 0, io->scratch->capacity_frames };
		snd_pcm_sframes_t n = fetch(io, &span, frames - gone);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		gone += (uint64_t)n;
	}
	hr_stats_dropped(io, gone);
	io->discarded += gone;
	return (snd_pcm_sframes_t)gone;
}

void hr_capture_settle(struct hr_io *io)
{
	snd_pcm_sframes_t delay, avail;

	if (io->run != HR_RUN_DISCARDING)
		return;
	avail = hr_slave_avail(io->slave, &delay);
	if (avail > 0)
		(void)discard(io, (uint64_t)avail);
}

/* What a device that tells nothing any more has recorded since it was looked at, by the
 * clock: as long as it was going on. */
uint64_t hr_capture_unseen(const struct hr_io *io)
{
	uint64_t frames = hr_ns_to_frames(io->now_ns - io->looked_ns, io->rate);

	if (io->interrupted != HR_RUN_RUNNING && io->interrupted != HR_RUN_DISCARDING)
		return 0;
	return frames < io->slave->buffer ? frames : io->slave->buffer;
}

uint64_t hr_capture_unread(struct hr_io *io)
{
	hr_io_see_appl(io);
	return unread(io);
}

static void publish(struct hr_io *io, int64_t extra)
{
	uint64_t pos = hr_stream_write_pos(io->stream);
	uint64_t level = 100 * unread(io) / capacity(io);

	hr_io_publish(io, pos, pos, extra);
	hr_stats_levels(io, level, level);
}

/* The program is told once it has read what was kept. The device runs on, so that
 * what is lost is counted to the frame. */
static void tell_overrun(struct hr_io *io)
{
	uint64_t pos = hr_stream_write_pos(io->stream);

	io->run = HR_RUN_DISCARDING;
	/* Before the fault: by the position the program's side sees that there is
	 * something left to read first. */
	hr_io_publish(io, pos, pos, hr_position_extra(&io->position));
	/* Without depth the overrun is the device's own: what was not read by now
	 * never will be. */
	if (!io->config->depth_ms)
		hr_io_lose(io);
	hr_health_overrun(hr_page_health(io->page));
	hr_io_latch(io, HR_FAULT_XRUN);
}

/* The device overran its own buffer. What it lost is known by the clock only. */
static int device_xrun(struct hr_io *io)
{
	int err;

	hr_stats_device_xrun(io, hr_io_was_late(io) ? HR_CAUSE_SCHEDULER :
						      HR_CAUSE_DEVICE);
	hr_stats_dropped(io, hr_ns_to_frames(io->now_ns - io->looked_ns, io->rate));
	io->looked_ns = io->now_ns;
	io->moved_ns = io->now_ns;
	io->beyond = 0;
	err = snd_pcm_prepare(io->slave->pcm);
	if (err == 0)
		err = hr_slave_start(io->slave);
	if (io->run == HR_RUN_RUNNING && !drops_left(io))
		tell_overrun(io);
	return err;
}

static void device_fault(struct hr_io *io, int err)
{
	if (err == -EPIPE)
		err = device_xrun(io);
	if (err == 0)
		return;
	if (hr_io_fault_of(err) == HR_FAULT_XRUN)
		hr_health_overrun(hr_page_health(io->page));
	hr_io_halt(io, hr_io_fault_of(err));
}

/* A device that has as many frames after we took some as before hands them out
 * faster than time passes (the null and file plug-ins do). It loses nothing when
 * left alone, so it is left alone when the ring is full. */
static void notice_pace(struct hr_io *io, uint64_t before, uint64_t taken)
{
	snd_pcm_sframes_t delay, avail;

	if (io->unpaced || taken < io->slave->buffer / 2 || before < io->slave->buffer)
		return;
	avail = hr_slave_avail(io->slave, &delay);
	if (avail >= (snd_pcm_sframes_t)before)
		io->unpaced = true;
}

/* The program has read too little for too long: drop what it has no room for as
 * long as it allows, then tell it. Returns 0 or -errno. */
static int drop_for_want_of_room(struct hr_io *io, uint64_t frames)
{
	uint64_t most = drops_left(io);
	snd_pcm_sframes_t n = discard(io, frames < most ? frames : most);

	if (n < 0)
		return (int)n;
	io->gap += (uint64_t)n;
	if (drops_left(io))
		return 0;
	hr_page_set(io->page, HR_STAT_XRUN_CAUSE, HR_CAUSE_PROGRAM);
	tell_overrun(io);
	return 0;
}

/* Take what is there as far as there is room. Returns 0 or -errno. */
static int collect(struct hr_io *io, uint64_t avail)
{
	uint64_t most = room(io);
	snd_pcm_sframes_t n = take(io, avail < most ? avail : most);

	if (n < 0)
		return (int)n;
	notice_pace(io, avail, (uint64_t)n);
	hr_io_see_appl(io);	/* it may have read since: then there is room */
	if (room(io) || io->unpaced)
		return 0;
	return drop_for_want_of_room(io, avail - (uint64_t)n);
}

/* When to look at the device, should it not wake us before. It does at the end of a
 * period if it holds a whole one by then. What was taken beyond the last end is missing
 * in it, so that it would wait for the end after: that is the clock's to wake us at. A
 * device that has not come further moves in larger pieces, or stands: the longer, the
 * less it is looked at. */
static uint64_t frames_to_look(const struct hr_io *io)
{
	uint64_t period = io->slave->period, least = period / LOOKS_PER_PERIOD_MAX;
	uint64_t stood = hr_ns_to_frames(io->now_ns - io->moved_ns, io->rate);
	uint64_t left = period - io->beyond + 1;

	if (stood >= 2 * period)
		return stood / 2 < io->slave->buffer / 2 ? stood / 2 :
							   io->slave->buffer / 2;
	if (!io->beyond)
		return period + least + 1;
	if (stood)
		return period;
	return left > least ? left : least;
}

static void plan_wait(struct hr_io *io, struct hr_plan *plan)
{
	if (io->unpaced && !room(io)) {
		plan->wait_program = true;
		return;
	}
	plan->poll_device = !io->device_lied;
	hr_plan_within(io, plan, hr_frames_to_ns(frames_to_look(io), io->rate));
	if (io->run == HR_RUN_RUNNING)
		hr_plan_for_program(io, plan, unread(io));
}

/* The device stands still: what it has until here is the program's to read now,
 * not after the pause. */
void hr_capture_pause(struct hr_io *io)
{
	snd_pcm_sframes_t delay = 0, avail = hr_slave_avail(io->slave, &delay);
	uint64_t most;

	hr_io_see_appl(io);
	most = room(io);
	if (avail > 0)
		(void)take(io, (uint64_t)avail < most ? (uint64_t)avail : most);
	publish(io, 0);
}

void hr_capture_step(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t before = hr_stream_write_pos(io->stream) + io->discarded;
	snd_pcm_sframes_t avail, delay = 0;
	bool moved;
	int err;

	hr_io_see_appl(io);
	avail = hr_slave_avail(io->slave, &delay);
	/* After it: a look planned from here on is not too early. */
	io->now_ns = hr_now_ns();
	err = avail < 0 ? (int)avail : 0;
	if (err == 0 && io->run == HR_RUN_DISCARDING) {
		snd_pcm_sframes_t n = discard(io, (uint64_t)avail);

		err = n < 0 ? (int)n : 0;
	} else if (err == 0) {
		err = collect(io, (uint64_t)avail);
	}
	if (err < 0) {
		device_fault(io, err);
	} else {
		io->looked_ns = io->now_ns;
		hr_stats_rate(io, hr_stream_write_pos(io->stream) + io->discarded);
		publish(io, delay > avail ? delay - avail : 0);
	}
	moved = hr_stream_write_pos(io->stream) + io->discarded != before;
	/* Ready, yet nothing had come: next time the clock wakes us. */
	io->device_lied = io->device_woke && !moved;
	if (moved)
		io->moved_ns = io->now_ns;
	if (io->run == HR_RUN_RUNNING || io->run == HR_RUN_DISCARDING)
		plan_wait(io, plan);
}
