/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Capture: the device is emptied as it fills; what happens when the program does
 * not read for longer than the ring lasts is decided here.
 */
#include <errno.h>
#include "plugin/episodes.h"
#include "plugin/io_absent.h"
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
	io->paused_rest = 0;
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
	return (stop + depth) ? stop + depth : 1;
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

/* Frames that can be read now, and the delay; or -errno. */
static snd_pcm_sframes_t look(struct hr_io *io, snd_pcm_sframes_t *delay)
{
	*delay = 0;
	return hr_io_is_absent(io) ? (snd_pcm_sframes_t)hr_absent_due(io) :
				     hr_slave_avail(io->slave, delay);
}

/* What a device that is gone records. */
static snd_pcm_sframes_t make_silence(struct hr_io *io, const struct hr_span *span,
				      uint64_t frames)
{
	snd_pcm_channel_area_t areas[HR_CHANNELS_MAX];

	hr_slave_areas(io->slave, span->chunk, areas);
	snd_pcm_areas_silence(areas, span->offset, io->slave->channels, frames,
			      io->slave->format);
	hr_absent_pass(io, frames);
	return (snd_pcm_sframes_t)frames;
}

/* Read up to frames from the device. Returns how many or -errno. */
static snd_pcm_sframes_t fetch(struct hr_io *io, const struct hr_span *span,
			       uint64_t frames)
{
	snd_pcm_sframes_t n;

	if (frames > span->frames)
		frames = span->frames;
	n = hr_io_is_absent(io) ? make_silence(io, span, frames) :
				  hr_slave_transfer(io->slave, span, frames);
	if (n > 0)
		io->beyond = (io->beyond + (uint64_t)n) % io->slave->period;
	return n;
}

static void count_taken(struct hr_io *io, uint64_t frames)
{
	if (hr_episode_is(io, HR_EPISODE_DROP))
		hr_episode_end(io);
	if (hr_io_is_absent(io))
		hr_absent_silence(io, frames);
	else
		hr_page_add(io->page, HR_STAT_FRAMES, frames);
	io->gap = 0;
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
	if (taken)
		count_taken(io, taken);
	return (snd_pcm_sframes_t)taken;
}

/* Read frames from the device and count them as lost. */
static snd_pcm_sframes_t discard(struct hr_io *io, uint64_t frames)
{
	uint64_t gone = 0;

	/* Hours may have passed. */
	if (hr_io_is_absent(io)) {
		hr_absent_pass(io, frames);
		gone = frames;
	}
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

/* The device overran its own buffer, or broke off. What it lost then is known by the
 * clock only; but not less than what it still has. */
static enum hr_cause count_device_xrun(struct hr_io *io)
{
	enum hr_cause cause = hr_blame_for_xrun(io, false);
	snd_pcm_sframes_t left = hr_slave_rest(io->slave);
	uint64_t passed, most = io->slave->buffer;

	io->now_ns = hr_now_ns();
	passed = hr_ns_to_frames(io->now_ns - io->looked_ns, io->rate);
	if (left > (snd_pcm_sframes_t)passed)
		passed = (uint64_t)left < most ? (uint64_t)left : most;

	hr_stats_device_xrun(io, cause);
	/* What is discarded already goes on to be. */
	if (io->run == HR_RUN_RUNNING)
		hr_episode_begin(io, drops_left(io) ? HR_EPISODE_DEVICE : HR_EPISODE_XRUN,
				 cause, io->looked_ns);
	hr_stats_dropped(io, passed);
	io->looked_ns = io->now_ns;
	return cause;
}

/* What is discarded is what comes until the device stands, too. */
static void discard_to_the_end(struct hr_io *io, uint64_t avail)
{
	snd_pcm_sframes_t rest;

	if (avail)
		(void)discard(io, avail);
	rest = hr_slave_rest(io->slave);
	if (rest > 0 && (uint64_t)rest <= io->slave->buffer)
		hr_stats_dropped(io, (uint64_t)rest);
}

bool hr_capture_settle(struct hr_io *io)
{
	snd_pcm_sframes_t delay, avail;
	bool overran;

	if (io->direction != HR_CAPTURE ||
	    (io->run != HR_RUN_RUNNING && io->run != HR_RUN_DISCARDING))
		return false;
	avail = look(io, &delay);
	/* Once it stands it tells. */
	if (hr_slave_err_passes(avail))
		avail = 0;
	overran = avail < 0 && hr_io_fault_of((int)avail) == HR_FAULT_XRUN;
	if (overran)
		(void)count_device_xrun(io);
	else if (avail >= 0 && io->run == HR_RUN_DISCARDING)
		discard_to_the_end(io, (uint64_t)avail);
	return overran;
}

/* What a device that tells nothing any more has recorded since it was looked at, by the
 * clock: as long as it was going on. */
uint64_t hr_capture_unseen(const struct hr_io *io)
{
	uint64_t frames = hr_ns_to_frames(io->now_ns - io->looked_ns, io->rate);

	if (io->interrupted == HR_RUN_PAUSED)
		return io->paused_rest;
	if (io->interrupted != HR_RUN_RUNNING && io->interrupted != HR_RUN_DISCARDING)
		return 0;
	return frames < io->slave->buffer ? frames : io->slave->buffer;
}

uint64_t hr_capture_unread(struct hr_io *io)
{
	hr_io_see_appl(io);
	return unread(io);
}

uint64_t hr_capture_fill(const struct hr_io *io)
{
	return 100 * unread(io) / capacity(io);
}

static void publish(struct hr_io *io, int64_t extra)
{
	uint64_t pos = hr_stream_write_pos(io->stream);
	uint64_t level = hr_capture_fill(io);

	hr_io_publish(io, pos, pos, extra);
	hr_stats_levels(io, level, level);
}

/* The program is told once it has read what was kept. The device runs on, so that
 * what is lost is counted to the frame. */
static void tell_overrun(struct hr_io *io, enum hr_cause cause)
{
	uint64_t pos = hr_stream_write_pos(io->stream);

	hr_episode_keep(io, HR_EPISODE_XRUN, cause);
	io->run = HR_RUN_DISCARDING;
	/* Before the fault: by the position the program's side sees that there is
	 * something left to read first. */
	hr_io_publish(io, pos, pos, hr_position_extra(&io->position));
	hr_health_overrun(hr_page_health(io->page));
	hr_io_latch(io, HR_FAULT_XRUN);
	/* Without depth the overrun is the device's own: what was not read by now
	 * never will be. After the fault: who is about to read sees that, or is seen. */
	if (!io->config->depth_ms)
		hr_io_lose(io);
}

static int device_xrun(struct hr_io *io)
{
	bool is_told = io->run == HR_RUN_RUNNING && !drops_left(io);
	enum hr_cause cause = count_device_xrun(io);
	int err;

	io->moved_ns = io->now_ns;
	io->beyond = 0;
	err = hr_slave_prepare(io->slave);
	if (err == 0)
		err = hr_slave_start(io->slave);
	if (err == 0 && is_told)
		tell_overrun(io, cause);
	else if (err == 0 && io->run == HR_RUN_RUNNING)
		hr_episode_end(io);
	return err;
}

static void device_fault(struct hr_io *io, int err)
{
	if (hr_io_fault_of(err) == HR_FAULT_XRUN)
		err = device_xrun(io);
	if (err == 0)
		return;
	if (hr_io_fault_of(err) == HR_FAULT_LOST && hr_absent_begin(io)) {
		/* From the last look on it is silence; who wants to be told of a loss is. */
		if (io->run == HR_RUN_RUNNING && !drops_left(io))
			tell_overrun(io, HR_CAUSE_DEVICE);
		return;
	}
	/* Once an overrun is told, this is the same. */
	if (hr_io_fault_of(err) == HR_FAULT_XRUN && io->run != HR_RUN_DISCARDING)
		hr_health_overrun(hr_page_health(io->page));
	hr_io_halt(io, hr_io_fault_of(err));
}

/* A device that has as many frames after we took some as before hands them out
 * faster than time passes (the null and file plug-ins do). It loses nothing when
 * left alone, so it is left alone when the ring is full. */
static void notice_pace(struct hr_io *io, uint64_t before, uint64_t taken)
{
	snd_pcm_sframes_t delay, avail;
	/* There may be room for less than the device holds. */
	uint64_t most = capacity(io) < io->slave->buffer ? capacity(io) : io->slave->buffer;

	if (io->unpaced || hr_io_is_absent(io) || taken < most / 2 || before < io->slave->buffer)
		return;
	avail = hr_slave_avail(io->slave, &delay);
	if (avail >= (snd_pcm_sframes_t)before)
		io->unpaced = true;
}

/* The program has read too little for too long: drop what it has no room for as
 * long as it allows, then tell it. Returns 0 or -errno. */
static int drop_for_want_of_room(struct hr_io *io, uint64_t frames, enum hr_cause cause)
{
	uint64_t most = drops_left(io);
	snd_pcm_sframes_t n;

	if (frames && most)
		hr_episode_keep(io, HR_EPISODE_DROP, cause);
	n = discard(io, frames < most ? frames : most);
	if (n < 0)
		return (int)n;
	io->gap += (uint64_t)n;
	if (drops_left(io))
		return 0;
	tell_overrun(io, cause);
	/* What is still there is as lost; once the device overruns it is not seen any more. */
	n = discard(io, frames - (uint64_t)n);
	return n < 0 ? (int)n : 0;
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
	return drop_for_want_of_room(io, avail - (uint64_t)n,
				     hr_blame_for_full_ring(io, avail, most));
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
		return stood / 2 < io->buffer / 2 ? stood / 2 : io->buffer / 2;
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
	plan->poll_device = !io->device_lied && !hr_io_is_absent(io);
	hr_plan_within(io, plan, hr_frames_to_ns(frames_to_look(io), io->rate));
	if (io->run == HR_RUN_RUNNING)
		hr_plan_for_program(io, plan, unread(io), io->slave->avail_min);
}

/* The device stands still: what it has until here is the program's to read now,
 * not after the pause. */
void hr_capture_pause(struct hr_io *io)
{
	snd_pcm_sframes_t delay, avail = look(io, &delay), taken = 0;
	uint64_t most;

	hr_io_see_appl(io);
	most = room(io);
	if (avail > 0)
		taken = take(io, (uint64_t)avail < most ? (uint64_t)avail : most);
	io->paused_rest = avail > 0 ? (uint64_t)(avail - (taken > 0 ? taken : 0)) : 0;
	publish(io, 0);
}

/* Time has passed for it until now, and goes on with it. */
static int have_device_back(struct hr_io *io)
{
	if (!hr_absent_end(io))
		return 0;
	io->beyond = 0;
	io->looked_ns = io->now_ns;
	return hr_slave_start(io->slave);
}

/* Up to where nothing is left in the device: a read of the program's in the midst of a step
 * may leave room, and frames for the next one, which an overrun before it costs, too. */
static void note_look(struct hr_io *io, uint64_t avail, uint64_t before)
{
	uint64_t gone = hr_stream_write_pos(io->stream) + io->discarded - before;
	uint64_t left = avail > gone ? avail - gone : 0;

	io->looked_ns = io->now_ns - hr_frames_to_ns(left, io->rate);
}

void hr_capture_step(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t before = hr_stream_write_pos(io->stream) + io->discarded;
	snd_pcm_sframes_t avail, delay;
	bool moved;
	int err;

	hr_io_see_appl(io);
	avail = look(io, &delay);
	/* After it: a look planned from here on is not too early. */
	io->now_ns = hr_now_ns();
	err = avail < 0 ? (int)avail : 0;
	if (err == 0 && io->run == HR_RUN_DISCARDING) {
		snd_pcm_sframes_t n = discard(io, (uint64_t)avail);

		err = n < 0 ? (int)n : 0;
	} else if (err == 0) {
		err = collect(io, (uint64_t)avail);
	}
	if (err == 0)
		err = have_device_back(io);
	if (err < 0 && !hr_slave_err_passes(err)) {
		device_fault(io, err);
	} else if (err == 0) {
		note_look(io, (uint64_t)avail, before);
		hr_stats_rate(io, hr_stream_write_pos(io->stream) + io->discarded);
		publish(io, delay > avail ? delay - avail : 0);
	}
	moved = hr_stream_write_pos(io->stream) + io->discarded != before;
	/* Ready, yet next to nothing had come: next time the clock wakes us. */
	io->device_lied = io->device_woke &&
			  (!moved || (avail >= 0 && (uint64_t)avail < hr_io_too_little(io)));
	if (moved)
		io->moved_ns = io->now_ns;
	if (io->run == HR_RUN_RUNNING || io->run == HR_RUN_DISCARDING)
		plan_wait(io, plan);
}
