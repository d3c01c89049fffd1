/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Playback: the device is kept as full as the program allows, and its position is
 * published.
 */
#include "plugin/episodes.h"
#include "plugin/io_absent.h"
#include "plugin/io_playback.h"
#include "plugin/io_stats.h"

/* on_underrun silence: the queue is never let below this or half a period. */
#define SILENCE_MARGIN_NS (2 * HR_NS_PER_MS)
#define LONG_GAP 8u		/* a gap of so many margins makes the margin grow */

void hr_playback_reset(struct hr_io *io)
{
	io->taken = 0;
	io->handed = 0;
	io->queued = 0;
	io->taken_back = 0;
	io->rewound = false;
	io->gap = 0;
	hr_silence_reset(&io->silence);
}

/* What was taken back and is given again was counted the first time. */
static void count_moved(struct hr_io *io, uint64_t frames)
{
	uint64_t again = frames < io->taken_back ? frames : io->taken_back;

	io->taken_back -= again;
	io->rewound = false;
	if (hr_episode_is(io, HR_EPISODE_SILENCE))
		hr_episode_end(io);
	io->gap = 0;
	hr_page_add(io->page, HR_STAT_FRAMES, frames - again);
}

/* Move what the program has written into the device, as much as fits. At most
 * one buffer in one go, so that a device that never fills lets us publish. */
int hr_playback_feed(struct hr_io *io)
{
	uint64_t moved = 0;

	while (moved < io->buffer) {
		struct hr_span span = hr_stream_read_begin(io->stream, io->taken,
							   io->now_ns);
		snd_pcm_sframes_t n;

		if (!span.frames)
			break;
		n = hr_slave_transfer(io->slave, &span, span.frames);
		if (n > 0) {
			io->taken += (uint64_t)n;
			io->handed += (uint64_t)n;
			io->queued += (uint64_t)n;
			moved += (uint64_t)n;
		}
		hr_stream_read_done(io->stream, io->taken, io->now_ns);
		/* What was given is there; the error will be met again. */
		if (n < 0 && !moved)
			return (int)n;
		if (n < (snd_pcm_sframes_t)span.frames)
			break;
	}
	if (moved)
		count_moved(io, moved);
	return 0;
}

uint64_t hr_playback_fill(const struct hr_io *io)
{
	return 100 * hr_playback_waiting(io, io->taken) / io->buffer;
}

/* Give the device up to frames of silence. */
int hr_playback_feed_silence(struct hr_io *io, uint64_t frames)
{
	struct hr_span span = { io->scratch, 0, io->scratch->capacity_frames };
	snd_pcm_sframes_t n;

	if (frames < span.frames)
		span.frames = (uint32_t)frames;
	if (hr_playback_silence_left(io) < span.frames)
		span.frames = (uint32_t)hr_playback_silence_left(io);
	n = hr_slave_transfer(io->slave, &span, span.frames);
	if (n <= 0)
		return (int)n;
	hr_silence_add(&io->silence, io->handed, (uint64_t)n);
	io->handed += (uint64_t)n;
	io->queued += (uint64_t)n;
	io->rewound = false;
	if (!hr_episode_is(io, HR_EPISODE_SILENCE))
		hr_episode_begin(io, HR_EPISODE_SILENCE, hr_blame_for_xrun(io, false), 0);
	io->gap += (uint64_t)n;
	hr_stats_silence(io, (uint64_t)n);
	return 0;
}

/* Frames of the program's that the device has played. */
static uint64_t heard(struct hr_io *io)
{
	return hr_silence_program_frames(&io->silence, io->handed - io->queued);
}

uint64_t hr_playback_unheard(struct hr_io *io)
{
	return hr_playback_waiting(io, heard(io));
}

uint64_t hr_playback_in_device(struct hr_io *io)
{
	uint64_t pos = heard(io);

	return io->taken > pos ? io->taken - pos : 0;
}

void hr_playback_publish(struct hr_io *io, int64_t extra)
{
	uint64_t pos = heard(io);
	uint64_t ahead = io->queued < 2 * io->slave->period ? io->queued :
			 2 * io->slave->period;
	uint64_t left = hr_playback_waiting(io, pos), queued = hr_playback_waiting(io, io->taken);

	/* In between it is played on by the clock, unless silence is about: what
	 * of the time is the program's is not known then. The end of a drain is not
	 * guessed either. */
	if (io->silence.n_gaps || io->run != HR_RUN_RUNNING)
		ahead = 0;
	if (pos != hr_position_last(&io->position))
		io->moved_ns = io->now_ns;
	hr_io_publish(io, pos, pos + ahead, extra);
	hr_stats_rate(io, io->handed - io->queued);
	/* The end of a drain is near, but nothing will be lost there. */
	hr_stats_levels(io, 100 * queued / io->buffer,
			left < io->buffer && io->run == HR_RUN_RUNNING ?
			100 - 100 * left / io->buffer : 0);
}

/* See where the device is. Returns 0 or -errno. */
static int look(struct hr_io *io)
{
	snd_pcm_sframes_t delay = 0;
	snd_pcm_sframes_t avail = hr_slave_avail(io->slave, &delay);
	uint64_t queued, buffer = io->slave->buffer;

	/* Where it was will do until it can tell. */
	if (avail < 0)
		return hr_slave_err_passes(avail) ? 0 : (int)avail;
	/* After the look: the position is extrapolated from this time on, and must
	 * not come out ahead of the device. */
	io->now_ns = hr_now_ns();
	queued = (uint64_t)avail < buffer ? buffer - (uint64_t)avail : 0;
	/* A device whose position goes back, or that holds more than it was given,
	 * is not believed. */
	if (queued < io->queued)
		io->queued = queued;
	hr_playback_publish(io, delay > (snd_pcm_sframes_t)io->queued ?
				delay - (snd_pcm_sframes_t)io->queued : 0);
	return 0;
}

/* How much must stay queued where silence is played. What was taken back is about to
 * be given again, and silence before that would delay it: it comes at the last moment. A gap
 * that is long already may become an eighth longer: so there is less to do in it, and a
 * thread that is late does not let the device run dry each time. */
uint64_t hr_playback_silence_margin(const struct hr_io *io)
{
	uint64_t margin = hr_ns_to_frames(io->rewound ? HR_DRY_SLACK_NS : SILENCE_MARGIN_NS,
					  io->rate);
	uint64_t half = io->slave->period / 2;

	if (margin < io->gap / LONG_GAP)
		margin = io->gap / LONG_GAP;
	return (margin < half ? margin : half) + 1;
}

/* The program takes back frames that the device has. It may get to where the device
 * is, or to the end of silence that was played in between, which is not its own. */
void hr_playback_rewind(struct hr_io *io)
{
	uint64_t frames, most = hr_silence_since(&io->silence, io->handed);

	/* What only a step in progress had claimed when the program tried: that step is
	 * over, and the program waits. */
	(void)hr_stream_rewind(io->stream, io->rewind_pos);
	if ((io->run != HR_RUN_RUNNING && io->run != HR_RUN_PAUSED) ||
	    io->rewind_pos >= io->taken || hr_io_is_absent(io) || look(io) < 0)
		return;
	frames = io->taken - io->rewind_pos;
	frames = hr_slave_rewind(io->slave, frames < most ? frames : most);
	if (!frames)
		return;
	io->taken -= frames;
	io->handed -= frames;
	io->queued -= frames < io->queued ? frames : io->queued;
	io->taken_back += frames;
	io->rewound = true;
	hr_stream_restart(io->stream, io->taken);
	hr_blame_rewound(io);
	hr_playback_publish(io, hr_position_extra(&io->position));
}

int hr_playback_start(struct hr_io *io)
{
	int err = hr_io_is_absent(io) ? 0 : hr_playback_feed(io);

	/* A stream that never stops may start empty; the device would refuse. */
	if (err == 0 && !hr_io_is_absent(io) && !io->queued &&
	    hr_playback_silence_left(io) == UINT64_MAX)
		err = hr_playback_feed_silence(io, hr_playback_silence_margin(io));
	if (err < 0)
		return err;
	hr_io_see_appl(io);
	io->moved_ns = io->now_ns;
	return hr_slave_start(io->slave);
}

static int keep_from_running_dry(struct hr_io *io)
{
	/* What holds less than the margin is topped up by one margin only: a late
	 * program is heard as soon as it writes. */
	if (io->run != HR_RUN_RUNNING || !hr_playback_plays_silence(io) ||
	    io->queued >= hr_playback_silence_margin(io) || hr_playback_waiting(io, io->taken))
		return 0;
	return hr_playback_feed_silence(io, hr_playback_silence_margin(io));
}

/* Whether a device that woke us had reason to, by how it stood before the step: it was
 * ready, or played a good part of a period since the last look, or took one. */
static bool has_moved(const struct hr_io *io, uint64_t handed, uint64_t queued)
{
	uint64_t fed = io->handed - handed, buffer = io->slave->buffer;
	uint64_t room = io->queued < buffer ? buffer - io->queued : 0;
	uint64_t played = queued + fed > io->queued ? queued + fed - io->queued : 0;

	if (!fed && !played)
		return false;
	return room + fed >= io->slave->avail_min || fed >= hr_io_too_little(io) ||
	       played >= hr_io_too_little(io);
}

static int step_with_device(struct hr_io *io)
{
	int err = hr_playback_feed(io);

	if (err == 0)
		err = look(io);
	if (err == 0)
		err = keep_from_running_dry(io);
	if (err == 0)
		hr_playback_keep_stop_threshold(io);
	if (err == 0 && io->run == HR_RUN_DRAINING)
		err = hr_playback_drain_on(io);
	return err;
}

void hr_playback_pause(struct hr_io *io)
{
	if (hr_io_is_absent(io))
		hr_playback_pass_time(io);
	else	/* What the device refuses to tell stays as it was. */
		(void)look(io);
}

void hr_playback_step(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t handed = io->handed, queued = io->queued;
	int err;

	hr_io_see_appl(io);
	err = hr_io_is_absent(io) ? hr_playback_step_absent(io) : step_with_device(io);
	if (err < 0)
		hr_playback_fault(io, err);
	/* Ready, yet next to nothing had moved: next time the clock wakes us. */
	io->device_lied = io->device_woke && !has_moved(io, handed, queued);
	if (io->run == HR_RUN_RUNNING || io->run == HR_RUN_DRAINING)
		hr_playback_plan(io, plan);
}
