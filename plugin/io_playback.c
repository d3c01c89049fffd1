/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Playback: the device is kept as full as the program allows, its position is
 * published, and what happens when the queue runs dry is decided here.
 */
#include <errno.h>
#include "plugin/io_stats.h"
#include "plugin/io_thread.h"

/* How long a draining device may stand still, beyond two of its periods. */
#define STANDSTILL_NS (100 * HR_NS_PER_MS)
/* on_underrun silence: the queue is never let below this or half a period. */
#define SILENCE_MARGIN_NS (2 * HR_NS_PER_MS)
/* A look at the queue after it should have run dry. */
#define DRY_SLACK_NS (HR_NS_PER_MS / 2)

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

/* Frames of silence that may be played before the stream has to stop. */
static uint64_t silence_left(const struct hr_io *io)
{
	return io->config->underrun_silence ? UINT64_MAX : hr_io_gap_left(io);
}

static bool plays_silence(const struct hr_io *io)
{
	return silence_left(io) > 0;
}

/* What was taken back and is given again was counted the first time. */
static void count_moved(struct hr_io *io, uint64_t frames)
{
	uint64_t again = frames < io->taken_back ? frames : io->taken_back;

	io->taken_back -= again;
	io->rewound = false;
	io->gap = 0;
	hr_page_add(io->page, HR_STAT_FRAMES, frames - again);
}

/* Move what the program has written into the device, as much as fits. At most
 * one buffer in one go, so that a device that never fills lets us publish. */
static int feed(struct hr_io *io)
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

/* Give the device up to frames of silence. */
static int feed_silence(struct hr_io *io, uint64_t frames)
{
	struct hr_span span = { io->scratch, 0, io->scratch->capacity_frames };
	snd_pcm_sframes_t n;

	if (frames < span.frames)
		span.frames = (uint32_t)frames;
	if (silence_left(io) < span.frames)
		span.frames = (uint32_t)silence_left(io);
	n = hr_slave_transfer(io->slave, &span, span.frames);
	if (n <= 0)
		return (int)n;
	hr_silence_add(&io->silence, io->handed, (uint64_t)n);
	io->handed += (uint64_t)n;
	io->queued += (uint64_t)n;
	io->rewound = false;
	io->gap += (uint64_t)n;
	hr_health_silence(hr_page_health(io->page), (uint64_t)n);
	return 0;
}

/* Frames that the program has written and that were not heard yet. */
static uint64_t waiting(const struct hr_io *io, uint64_t pos)
{
	uint64_t written = hr_stream_write_pos(io->stream);

	return written > pos ? written - pos : 0;
}

/* Frames of the program's that the device has played. */
static uint64_t heard(struct hr_io *io)
{
	return hr_silence_program_frames(&io->silence, io->handed - io->queued);
}

uint64_t hr_playback_unheard(struct hr_io *io)
{
	return waiting(io, heard(io));
}

static void publish(struct hr_io *io, int64_t extra)
{
	uint64_t pos = heard(io);
	uint64_t ahead = io->queued < 2 * io->slave->period ? io->queued :
			 2 * io->slave->period;
	uint64_t left = waiting(io, pos), queued = waiting(io, io->taken);

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

	if (avail < 0)
		return (int)avail;
	/* After the look: the position is extrapolated from this time on, and must
	 * not come out ahead of the device. */
	io->now_ns = hr_now_ns();
	queued = (uint64_t)avail < buffer ? buffer - (uint64_t)avail : 0;
	/* A device whose position goes back, or that holds more than it was given,
	 * is not believed. */
	if (queued < io->queued)
		io->queued = queued;
	publish(io, delay > (snd_pcm_sframes_t)io->queued ?
		    delay - (snd_pcm_sframes_t)io->queued : 0);
	return 0;
}

void hr_playback_pause(struct hr_io *io)
{
	/* What the device refuses to tell stays as it was. */
	(void)look(io);
}

/* How much must stay queued where silence is played. What was taken back is about to
 * be given again, and silence before that would delay it: it comes at the last moment. */
static uint64_t silence_margin(const struct hr_io *io)
{
	uint64_t margin = hr_ns_to_frames(io->rewound ? DRY_SLACK_NS : SILENCE_MARGIN_NS,
					  io->rate);
	uint64_t half = io->slave->period / 2;

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
	    io->rewind_pos >= io->taken || look(io) < 0)
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
	publish(io, hr_position_extra(&io->position));
}

int hr_playback_start(struct hr_io *io)
{
	int err = feed(io);

	/* A stream that never stops may start empty; the device would refuse. */
	if (err == 0 && !io->queued && silence_left(io) == UINT64_MAX)
		err = feed_silence(io, silence_margin(io));
	if (err < 0)
		return err;
	hr_io_see_appl(io);
	io->moved_ns = io->now_ns;
	return hr_slave_start(io->slave);
}

void hr_playback_end_drain(struct hr_io *io, int error)
{
	if (error < 0)
		hr_io_lose(io);
	io->run = HR_RUN_IDLE;
	io->queued = 0;
	publish(io, 0);
	hr_stats_calm(io);
	/* relaxed: `drained` orders it. */
	atomic_store_explicit(&io->drain_error, error, memory_order_relaxed);
	/* seq_cst: see hr_io_ready(). */
	atomic_store_explicit(&io->drained, true, memory_order_seq_cst);
	hr_wake_signal(&io->app_wake);
}

/* The queue ran dry and the program has nothing waiting: tell it. What the device holds
 * all the same is not heard. What waits is counted later: the program may take it back. */
static void underrun(struct hr_io *io)
{
	uint64_t pos = heard(io);

	io->run = HR_RUN_FAULT;
	io->unheard = io->taken > pos ? io->taken - pos : 0;
	io->queued = 0;
	publish(io, 0);
	hr_stats_calm(io);
	hr_health_overrun(hr_page_health(io->page));
	hr_io_latch(io, HR_FAULT_XRUN);
}

/* The device stopped, but there is sound to go on with: no need to tell the
 * program, which was in time. */
static int start_again(struct hr_io *io)
{
	int err = snd_pcm_prepare(io->slave->pcm);

	if (err == 0 && plays_silence(io) && !waiting(io, io->taken))
		err = feed_silence(io, io->slave->period);
	if (err == 0)
		err = feed(io);
	/* It may have started by the silence and run dry again: the next look tells. */
	return err < 0 && err != -EPIPE ? err : hr_slave_start(io->slave);
}

static enum hr_cause blame(const struct hr_io *io, bool sound_waits)
{
	if (hr_io_was_late(io))
		return HR_CAUSE_SCHEDULER;
	return sound_waits ? HR_CAUSE_DEVICE : HR_CAUSE_PROGRAM;
}

static void device_xrun(struct hr_io *io)
{
	bool sound_waits = waiting(io, io->taken) > 0;

	io->queued = 0;		/* all that it had was played */
	if (!sound_waits && io->run == HR_RUN_DRAINING) {
		hr_playback_end_drain(io, 0);	/* it ran dry because that was all */
		return;
	}
	/* Frames that come in this moment are no loss: either they are played or
	 * the program is told that they were not taken. */
	if (!sound_waits && !plays_silence(io))
		sound_waits = !hr_io_declare_dry(io);
	hr_stats_device_xrun(io, blame(io, sound_waits));
	if ((sound_waits || plays_silence(io)) && start_again(io) == 0)
		return;
	underrun(io);
}

/* A kernel's device leaves DRAINING by itself when the last frame was heard, and
 * has no position to tell from then on. */
static bool has_ended_drain(const struct hr_io *io, int err)
{
	return err == -EBADFD && io->run == HR_RUN_DRAINING && !waiting(io, io->taken) &&
	       snd_pcm_state(io->slave->pcm) == SND_PCM_STATE_SETUP;
}

static void device_fault(struct hr_io *io, int err)
{
	enum hr_fault fault = hr_io_fault_of(err);

	if (has_ended_drain(io, err)) {
		hr_playback_end_drain(io, 0);
		return;
	}
	if (fault == HR_FAULT_XRUN) {
		device_xrun(io);
		return;
	}
	hr_io_halt(io, fault);
}

/* A stop threshold below the buffer: the device is to stop with sound left. It is
 * kept at each step, so the device may play up to one of its periods beyond. */
static void keep_stop_threshold(struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	uint64_t stop = atomic_load_explicit(&io->stop_threshold, memory_order_relaxed);
	uint64_t left = waiting(io, hr_position_last(&io->position));

	if (io->run != HR_RUN_RUNNING || plays_silence(io) || stop >= io->buffer ||
	    left > io->buffer - stop)
		return;
	hr_stats_device_xrun(io, HR_CAUSE_PROGRAM);
	snd_pcm_drop(io->slave->pcm);
	underrun(io);
}

/* A rate converter holds up to a period back until it is drained, and fails, with all
 * that is queued unheard, if there is no room for it then. */
static bool has_room_to_drain(const struct hr_io *io)
{
	const struct hr_slave *slave = io->slave;

	return slave->buffer < 2 * slave->period ||
	       io->queued + slave->period <= slave->buffer;
}

static int drain_on(struct hr_io *io)
{
	uint64_t patience_ns = hr_frames_to_ns(2 * io->slave->period, io->rate) +
			       STANDSTILL_NS;
	int err = -EAGAIN;

	if (!waiting(io, io->taken) && has_room_to_drain(io))
		err = hr_slave_drain(io->slave);
	if (err == 0) {
		hr_playback_end_drain(io, 0);
	} else if (err == -EAGAIN && io->now_ns - io->moved_ns > patience_ns) {
		snd_pcm_drop(io->slave->pcm);
		hr_playback_end_drain(io, -EIO);
	}
	return err == -EAGAIN ? 0 : err;
}

static int keep_from_running_dry(struct hr_io *io)
{
	/* What holds less than the margin is topped up by one margin only: a late
	 * program is heard as soon as it writes. */
	if (io->run != HR_RUN_RUNNING || !plays_silence(io) ||
	    io->queued >= silence_margin(io) || waiting(io, io->taken))
		return 0;
	return feed_silence(io, silence_margin(io));
}

static void plan_wait(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t avail = io->slave->buffer - (io->queued < io->slave->buffer ?
					      io->queued : io->slave->buffer);
	uint64_t period_ns = hr_io_period_ns(io);
	uint64_t pos = hr_position_last(&io->position);

	plan->wait_program = avail > 0 && io->run == HR_RUN_RUNNING;
	plan->poll_device = avail < io->slave->avail_min && !io->device_lied;
	if (plan->poll_device) {
		hr_plan_for_device(io, plan);
		plan->due_ns = io->now_ns + period_ns +
			       hr_frames_to_ns(io->slave->avail_min - avail, io->rate);
		/* A draining device wakes us at the end only; the program wants to know
		 * on the way. */
		if (io->run == HR_RUN_DRAINING)
			hr_plan_within(io, plan, period_ns);
	} else if (io->queued || io->run == HR_RUN_DRAINING) {
		uint64_t dry_ns = hr_frames_to_ns(io->queued, io->rate) + DRY_SLACK_NS;

		hr_plan_within(io, plan, dry_ns < period_ns ? dry_ns : period_ns);
	}
	if (plays_silence(io) && io->run == HR_RUN_RUNNING) {
		uint64_t margin = silence_margin(io);

		hr_plan_within(io, plan, io->queued > margin ?
			       hr_frames_to_ns(io->queued - margin, io->rate) :
			       DRY_SLACK_NS);
	}
	if (io->run == HR_RUN_RUNNING)
		hr_plan_for_program(io, plan, pos + io->buffer > io->seen_appl ?
				    pos + io->buffer - io->seen_appl : 0);
}

void hr_playback_step(struct hr_io *io, struct hr_plan *plan)
{
	uint64_t handed = io->handed, queued = io->queued;
	int err;

	hr_io_see_appl(io);
	err = feed(io);
	if (err == 0)
		err = look(io);
	if (err == 0)
		err = keep_from_running_dry(io);
	if (err == 0)
		keep_stop_threshold(io);
	if (err == 0 && io->run == HR_RUN_DRAINING)
		err = drain_on(io);
	if (err < 0)
		device_fault(io, err);
	/* Ready, yet nothing had moved: next time the clock wakes us. */
	io->device_lied = io->device_woke && io->handed == handed &&
			  io->queued == queued;
	if (io->run == HR_RUN_RUNNING || io->run == HR_RUN_DRAINING)
		plan_wait(io, plan);
}
