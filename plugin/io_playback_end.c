/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How playback ends, or goes on: a drain, an xrun of the device, the program's stop
 * threshold, a device that fails.
 */
#include <errno.h>
#include "plugin/episodes.h"
#include "plugin/io_absent.h"
#include "plugin/io_playback.h"
#include "plugin/io_stats.h"

/* How long a draining device may stand still, beyond two of its periods. */
#define STANDSTILL_NS (100 * HR_NS_PER_MS)

void hr_playback_end_drain(struct hr_io *io, int error)
{
	if (error < 0) {
		hr_episode_begin(io, HR_EPISODE_LOST, HR_CAUSE_DEVICE, io->moved_ns);
		hr_io_lose(io);
	}
	hr_episode_end(io);
	io->run = HR_RUN_IDLE;
	io->queued = 0;
	hr_playback_publish(io, 0);
	hr_stats_calm(io);
	/* relaxed: `drained` orders it. */
	atomic_store_explicit(&io->drain_error, error, memory_order_relaxed);
	/* seq_cst: see hr_io_ready(). */
	atomic_store_explicit(&io->drained, true, memory_order_seq_cst);
	hr_wake_signal(&io->app_wake);
}

/* The queue ran dry and the program has nothing waiting: tell it. What the device holds
 * all the same is not heard. What waits is counted later: the program may take it back. */
void hr_playback_underrun(struct hr_io *io, enum hr_cause cause)
{
	hr_episode_begin(io, HR_EPISODE_XRUN, cause, hr_blame_end_ns(io));
	io->run = HR_RUN_FAULT;
	/* What a device that is gone took along was counted then. */
	io->unheard = hr_io_is_absent(io) ? 0 : hr_playback_in_device(io);
	io->queued = 0;
	hr_playback_publish(io, 0);
	hr_stats_calm(io);
	hr_health_overrun(hr_page_health(io->page));
	hr_io_latch(io, HR_FAULT_XRUN);
}

/* The device stopped, but there is sound to go on with: no need to tell the
 * program, which was in time. */
static int start_again(struct hr_io *io)
{
	uint64_t handed = io->handed;
	int err = hr_slave_prepare(io->slave);

	if (err == 0 && hr_playback_plays_silence(io) && !hr_playback_waiting(io, io->taken))
		err = hr_playback_feed_silence(io, io->slave->period);
	if (err == 0)
		err = hr_playback_feed(io);
	io->moved_ns = io->now_ns;
	/* It may have started by the silence and run dry again: the next look tells. But one
	 * that took nothing would be started anew without end. */
	return err < 0 && (err != -EPIPE || io->handed == handed) ? err : hr_slave_start(io->slave);
}

/* Frames that it had the time to play since it was last seen. Not until this step: it may
 * have run dry since, while we were held up. */
static uint64_t frames_since_seen(const struct hr_io *io)
{
	/* Before it began to go it was not looked at. */
	uint64_t seen_ns = hr_position_time(&io->position) > io->moved_ns ?
			   hr_position_time(&io->position) : io->moved_ns;

	return hr_ns_to_frames(hr_now_ns() - seen_ns, io->rate);
}

/* A device that stopped need not have run dry. Once it is at rest it tells where. If that
 * is where it was last seen, and it had the time to play all of it since, it does not know
 * better. */
static void settle_xrun(struct hr_io *io)
{
	uint64_t passed = frames_since_seen(io), queued = io->queued;

	hr_io_settle(io);
	if (io->queued == queued && passed >= queued)
		io->queued = 0;
}

/* The device says that it has drained. One that cannot have by its rate, to a period, and
 * that says where it is, has broken off. */
static void end_drained(struct hr_io *io)
{
	if (frames_since_seen(io) + io->slave->period < io->queued)
		hr_io_settle(io);
	else
		io->queued = 0;
	hr_playback_end_drain(io, hr_playback_in_device(io) ? -EIO : 0);
}

/* The program is not told of what happens here. A gap that there is goes on. */
static void begin_restart(struct hr_io *io, bool sound_waits, enum hr_cause cause)
{
	if (sound_waits)
		hr_episode_begin(io, HR_EPISODE_DEVICE, cause, hr_blame_end_ns(io));
	else if (!hr_episode_is(io, HR_EPISODE_SILENCE))
		hr_episode_begin(io, HR_EPISODE_SILENCE, cause, hr_blame_end_ns(io));
}

/* Go on with what waits, or with silence. Returns 0 or -errno. */
static int bridge(struct hr_io *io, enum hr_cause cause, bool sound_waits)
{
	int err;

	begin_restart(io, sound_waits, cause);
	hr_stats_dropped(io, hr_playback_in_device(io));
	io->queued = 0;
	err = start_again(io);
	if (err == 0 && hr_episode_is(io, HR_EPISODE_DEVICE))
		hr_episode_end(io);
	return err;
}

static void device_xrun(struct hr_io *io)
{
	bool sound_waits = hr_playback_waiting(io, io->taken) > 0;
	/* Once: the program may set another stop threshold meanwhile, and who has been
	 * declared dry must not go on. */
	bool silence = hr_playback_plays_silence(io), overdue;
	enum hr_cause cause;
	int err = -EPIPE;

	settle_xrun(io);
	if (!sound_waits && io->run == HR_RUN_DRAINING) {
		/* It ran dry because that was all, or broke off. */
		hr_playback_end_drain(io, hr_playback_in_device(io) ? -EIO : 0);
		return;
	}
	/* Frames that come in this moment are no loss: either they are played or
	 * the program is told that they were not taken. */
	if (!sound_waits && !silence)
		sound_waits = !hr_io_declare_dry(io);
	/* A card would have refused it. It waits for us in that write, and is told there;
	 * if another was late first, what waits is as good as in time. */
	overdue = sound_waits && !silence && hr_io_came_overdue(io);
	cause = hr_blame_for_xrun(io, sound_waits && !overdue);
	if (overdue && cause == HR_CAUSE_PROGRAM)
		sound_waits = false;
	hr_stats_device_xrun(io, cause);
	if (sound_waits || silence)
		err = bridge(io, cause, sound_waits);
	/* What it had was lost with the xrun: time passes from now on. */
	if (err == -ENODEV && hr_absent_begin(io))
		hr_absent_restart(io);
	else if (err < 0)
		hr_playback_underrun(io, cause);
}

/* A kernel's device leaves DRAINING by itself when the last frame was heard. The call that
 * finds it out is told of an xrun, and those after it that there is no position to tell. */
static bool has_ended_drain(const struct hr_io *io, int err)
{
	return (err == -EPIPE || err == -EBADFD) && io->run == HR_RUN_DRAINING &&
	       !hr_playback_waiting(io, io->taken) &&
	       snd_pcm_state(io->slave->pcm) == SND_PCM_STATE_SETUP;
}

void hr_playback_fault(struct hr_io *io, int err)
{
	enum hr_fault fault = hr_io_fault_of(err);

	if (has_ended_drain(io, err)) {
		end_drained(io);
		return;
	}
	if (fault == HR_FAULT_XRUN)
		device_xrun(io);
	else if (fault != HR_FAULT_LOST || !hr_absent_begin(io))
		hr_io_halt(io, fault);
}

/* A stop threshold below the buffer: the device is to stop with sound left. It is
 * kept at each step, so the device may play up to two of its periods beyond. */
void hr_playback_keep_stop_threshold(struct hr_io *io)
{
	enum hr_cause cause;
	/* relaxed: a setting by itself. */
	uint64_t stop = atomic_load_explicit(&io->stop_threshold, memory_order_relaxed);
	uint64_t left = hr_playback_waiting(io, hr_position_last(&io->position));

	if (io->run != HR_RUN_RUNNING || hr_playback_plays_silence(io) || stop >= io->buffer ||
	    left > io->buffer - stop)
		return;
	cause = hr_blame_for_stop(io);
	hr_stats_device_xrun(io, cause);
	hr_slave_drop(io->slave);
	hr_playback_underrun(io, cause);
}

/* A rate converter holds up to a period back until it is drained, and fails, with all
 * that is queued unheard, if there is no room for it then. */
static bool has_room_to_drain(const struct hr_io *io)
{
	const struct hr_slave *slave = io->slave;

	return slave->buffer < 2 * slave->period ||
	       io->queued + slave->period <= slave->buffer;
}

int hr_playback_drain_on(struct hr_io *io)
{
	uint64_t patience_ns = hr_frames_to_ns(2 * io->slave->period, io->rate) +
			       STANDSTILL_NS;
	uint64_t since_ns = io->moved_ns > io->drain_ns ? io->moved_ns : io->drain_ns;
	int err = -EAGAIN;

	if (!hr_playback_waiting(io, io->taken) && has_room_to_drain(io))
		err = hr_slave_drain(io->slave);
	if (err == 0) {
		end_drained(io);
	} else if (err == -EAGAIN && io->now_ns - since_ns > patience_ns) {
		hr_slave_drop(io->slave);
		hr_playback_end_drain(io, -EIO);
	}
	return err == -EAGAIN ? 0 : err;
}
