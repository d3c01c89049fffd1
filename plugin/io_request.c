/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the program may ask of the I/O thread, and how it is carried out.
 */
#include <errno.h>
#include "plugin/episodes.h"
#include "plugin/io_absent.h"
#include "plugin/io_stats.h"
#include "plugin/io_thread.h"
#include "plugin/thread.h"

static void reset(struct hr_io *io)
{
	io->run = HR_RUN_IDLE;
	hr_episode_end(io);
	hr_stats_calm(io);
	hr_stats_rate_restart(io);
	io->lost = 0;
	io->unheard = 0;
	io->settled = false;
	io->dropped_part = 0;
	/* The program waits for the answer: neither side uses the stream. */
	hr_stream_reset(io->stream, io->now_ns);
	if (io->direction == HR_PLAYBACK)
		hr_playback_reset(io);
	else
		hr_capture_reset(io);
	hr_blame_begin(io);
}

/* A plug-in tells of a suspend only when it is asked where it is. */
static snd_pcm_state_t device_state(const struct hr_io *io)
{
	(void)snd_pcm_hwsync(io->slave->pcm);
	return snd_pcm_state(io->slave->pcm);
}

/* As hw_params leaves it: to prepare it again would cost a round trip where it is a
 * sound server's. */
static bool is_prepared(const struct hr_io *io)
{
	return !io->handed && io->run == HR_RUN_IDLE &&
	       (hr_io_is_absent(io) || device_state(io) == SND_PCM_STATE_PREPARED);
}

/* The program gives up a stream that has ended by itself, or is suspended. */
static void lose_by_fault(struct hr_io *io)
{
	if (io->run == HR_RUN_FAULT || io->run == HR_RUN_DISCARDING)
		hr_io_lose(io);
}

/* Before the device forgets what the loss is counted by: once, for it may have forgotten
 * when it was to be prepared, and refused. */
static void settle(struct hr_io *io)
{
	if (io->run == HR_RUN_FAULT && !io->settled)
		hr_io_settle(io);
	io->settled = hr_capture_settle(io) || io->run == HR_RUN_FAULT;
}

/* The device was stopped to be prepared, and refuses: it is still there, but there is nothing
 * to look at until it is prepared. */
static void stay_stopped(struct hr_io *io, snd_pcm_sframes_t rest)
{
	if (io->run == HR_RUN_DISCARDING) {
		io->run = HR_RUN_FAULT;		/* the overrun is told already */
	} else if (hr_io_is_active(io)) {
		hr_health_overrun(hr_page_health(io->page));
		hr_io_halt(io, HR_FAULT_XRUN);
		hr_io_note_rest(io, rest);
	}
	io->settled = true;
}

static int prepare_device(struct hr_io *io)
{
	bool has_rest = hr_io_is_active(io) && !io->settled;
	snd_pcm_sframes_t rest = has_rest ? hr_slave_rest(io->slave) : 0;
	int err;

	hr_slave_drop(io->slave);
	err = hr_slave_prepare(io->slave);
	if (err < 0 && err != -ENODEV && err != -ESTRPIPE)
		stay_stopped(io, rest);
	return err;
}

static int prepare(struct hr_io *io)
{
	int err;

	settle(io);
	(void)hr_absent_end(io);
	err = is_prepared(io) ? 0 : prepare_device(io);
	if (err < 0)
		return err;
	lose_by_fault(io);
	reset(io);
	/* relaxed: the program waits for the answer, which orders all of it. */
	atomic_store_explicit(&io->fault, HR_FAULT_NONE, memory_order_relaxed);
	atomic_store_explicit(&io->drained, false, memory_order_relaxed);
	atomic_store_explicit(&io->drain_error, 0, memory_order_relaxed);
	atomic_store_explicit(&io->period_over, false, memory_order_relaxed);
	io->n_periods = 0;
	hr_position_publish(&io->position, 0, io->now_ns, 0, 0);
	hr_stats_state(io, HR_STATE_PREPARED);
	return 0;
}

static int start(struct hr_io *io)
{
	int err;

	(void)hr_absent_end(io);
	hr_absent_restart(io);
	err = io->direction == HR_PLAYBACK ? hr_playback_start(io) : hr_capture_start(io);
	if (err < 0)
		return err;
	io->run = HR_RUN_RUNNING;
	hr_blame_begin(io);
	hr_stats_state(io, HR_STATE_RUNNING);
	return 0;
}

static int stop(struct hr_io *io)
{
	settle(io);
	lose_by_fault(io);
	reset(io);
	hr_slave_drop(io->slave);
	hr_stats_state(io, HR_STATE_SETUP);
	/* Whoever waits for the drain to end must not wait for ever. seq_cst: see
	 * hr_io_ready(). */
	atomic_store_explicit(&io->drained, true, memory_order_seq_cst);
	hr_wake_force(&io->app_wake);
	return 0;
}

/* The device has stopped by itself: a step sees to that, and if the stream goes on
 * it can be paused after all. */
static int pause_after_xrun(struct hr_io *io)
{
	struct hr_plan plan = { .deadline_ns = UINT64_MAX, .due_ns = UINT64_MAX };

	hr_io_step(io, &plan);
	return io->run == HR_RUN_RUNNING ? hr_slave_pause(io->slave, true) : -EPIPE;
}

/* What the device's descriptors said was of another state. */
static void forget_wakes(struct hr_io *io)
{
	io->device_woke = false;
	io->device_lied = false;
}

static int pause_device(struct hr_io *io, bool enable)
{
	int err;

	if (io->run != (enable ? HR_RUN_RUNNING : HR_RUN_PAUSED))
		return -EBADFD;
	err = hr_slave_pause(io->slave, enable);
	if (err == -EPIPE && enable)
		err = pause_after_xrun(io);
	if (err < 0)
		return err;
	io->run = enable ? HR_RUN_PAUSED : HR_RUN_RUNNING;
	forget_wakes(io);
	if (!enable)
		hr_absent_restart(io);
	io->moved_ns = io->now_ns;
	/* What passes in a pause is not recorded. */
	io->looked_ns = io->now_ns - hr_frames_to_ns(io->paused_rest, io->rate);
	io->paused_rest = 0;
	hr_episode_end(io);
	hr_blame_begin(io);
	hr_stats_state(io, enable ? HR_STATE_PAUSED : HR_STATE_RUNNING);
	/* The position will stand, perhaps for minutes: let it be where the device
	 * is, not where it was at the last step. */
	if (enable && io->direction == HR_PLAYBACK)
		hr_playback_pause(io);
	else if (enable)
		hr_capture_pause(io);
	hr_stats_rate_restart(io);
	if (enable) {
		hr_stats_calm(io);
		hr_io_stand(io);
	}
	return 0;
}

static int drain(struct hr_io *io)
{
	int err = 0;

	/* An empty device would refuse to start; there is nothing to wait for. After a start
	 * that failed the device may have it all. */
	if (io->run == HR_RUN_IDLE && !io->queued &&
	    hr_stream_write_pos(io->stream) == hr_stream_read_pos(io->stream)) {
		hr_playback_end_drain(io, 0);
		return 0;
	}
	if (io->run == HR_RUN_IDLE)
		err = start(io);
	if (err < 0)
		return err;
	/* It ran dry while it was asked for: the fault tells, as if it had been before. */
	if (io->run == HR_RUN_FAULT)
		return 0;
	if (io->run != HR_RUN_RUNNING)
		return -EBADFD;
	io->run = HR_RUN_DRAINING;
	io->drain_ns = io->now_ns;
	hr_stats_state(io, HR_STATE_DRAINING);
	return 0;
}

static int resume_device(struct hr_io *io)
{
	/* Nobody may have seen the suspend yet. */
	snd_pcm_state_t state = device_state(io);
	int err;

	if (state == SND_PCM_STATE_DISCONNECTED)
		return -ENODEV;
	/* relaxed: written by this side. */
	if (atomic_load_explicit(&io->fault, memory_order_relaxed) != HR_FAULT_SUSPENDED) {
		if (state != SND_PCM_STATE_SUSPENDED)
			return -EBADFD;
		hr_io_halt(io, HR_FAULT_SUSPENDED);
	}
	err = snd_pcm_resume(io->slave->pcm);
	if (err < 0)
		return err == -EBADFD ? -ENOSYS : err;
	/* alsa-lib says so of any plug-in. */
	return snd_pcm_state(io->slave->pcm) == SND_PCM_STATE_SUSPENDED ? -EAGAIN : 0;
}

/* It went while it was suspended. */
static int resume_without(struct hr_io *io)
{
	/* relaxed: written by this side. */
	if (atomic_load_explicit(&io->fault, memory_order_relaxed) != HR_FAULT_SUSPENDED)
		return -EBADFD;
	/* What it had recorded went with it; what it was to play was counted then. */
	if (io->direction == HR_CAPTURE)
		hr_absent_dropped(io, io->unheard);
	io->lost = 0;
	hr_absent_restart(io);
	return 0;
}

/* Go on with whatever the suspend interrupted: returns that, an enum hr_run. */
static int resume(struct hr_io *io)
{
	static const enum hr_state states[] = {
		[HR_RUN_IDLE] = HR_STATE_PREPARED,
		[HR_RUN_RUNNING] = HR_STATE_RUNNING,
		[HR_RUN_PAUSED] = HR_STATE_PAUSED,
		[HR_RUN_DRAINING] = HR_STATE_DRAINING,
		[HR_RUN_DISCARDING] = HR_STATE_XRUN,
	};
	int err = hr_io_is_absent(io) ? resume_without(io) : resume_device(io);

	if (err < 0)
		return err;
	if (io->run == HR_RUN_FAULT)
		io->run = io->interrupted;
	forget_wakes(io);
	io->unheard = 0;	/* the device has it still */
	/* relaxed: the program waits for the answer, which orders it. */
	atomic_store_explicit(&io->fault, io->run == HR_RUN_DISCARDING ?
			      HR_FAULT_XRUN : HR_FAULT_NONE, memory_order_relaxed);
	io->moved_ns = io->now_ns;
	/* It may have overrun before: that is as long ago as if there was no suspend. */
	io->looked_ns += io->now_ns - io->halted_ns;
	hr_blame_begin(io);
	hr_stats_state(io, states[io->run]);
	return (int)io->run;
}

static int carry_out(struct hr_io *io, enum hr_request request)
{
	switch (request) {
	case HR_REQUEST_NONE:
	case HR_REQUEST_TAKEN:
		return 0;
	case HR_REQUEST_QUIT:
		settle(io);
		lose_by_fault(io);
		reset(io);	/* what was not read counts as taken out */
		return 0;
	case HR_REQUEST_PREPARE:
		return prepare(io);
	case HR_REQUEST_START:
		return start(io);
	case HR_REQUEST_STOP:
		return stop(io);
	case HR_REQUEST_PAUSE:
		return pause_device(io, true);
	case HR_REQUEST_UNPAUSE:
		return pause_device(io, false);
	case HR_REQUEST_DRAIN:
		return drain(io);
	case HR_REQUEST_RESUME:
		return resume(io);
	case HR_REQUEST_LOOK:
		hr_io_look(io);
		return 0;
	case HR_REQUEST_REWIND:
		hr_playback_rewind(io);
		return 0;
	}
	return -EINVAL;
}

/* What is taken can no longer be given up. */
static enum hr_request take_request(struct hr_io *io)
{
	/* relaxed: only a hint. */
	int request = atomic_load_explicit(&io->request, memory_order_relaxed);

	/* acquire, pairs with the store in ask(): what the program did before it asked is
	 * seen. relaxed: it was given up, and if there is another by now, the descriptor
	 * is readable. */
	if (request == HR_REQUEST_NONE ||
	    !atomic_compare_exchange_strong_explicit(&io->request, &request, HR_REQUEST_TAKEN,
						     memory_order_acquire,
						     memory_order_relaxed))
		return HR_REQUEST_NONE;
	return (enum hr_request)request;
}

bool hr_io_serve_request(struct hr_io *io)
{
	enum hr_request request = take_request(io);

	if (request == HR_REQUEST_NONE)
		return true;
	io->now_ns = hr_now_ns();
	io->result = carry_out(io, request);
	if (io->result == -ENODEV && hr_absent_begin(io))
		io->result = carry_out(io, request);
	if (io->result == -ENODEV)	/* whatever it was that needed the device */
		hr_io_halt(io, HR_FAULT_LOST);
	else if (io->result == -ESTRPIPE && io->run != HR_RUN_FAULT)
		hr_io_halt(io, HR_FAULT_SUSPENDED);
	hr_stats_counters(io);
	/* release, pairs with the load in is_answered(); to who waits without a limit
	 * sem_post() orders it and the result before the answer. */
	atomic_store_explicit(&io->request, HR_REQUEST_NONE, memory_order_release);
	sem_post(&io->answered);
	return request != HR_REQUEST_QUIT;
}

void hr_io_await_answer(struct hr_io *io)
{
	hr_thread_await(&io->answered);
}

static void ask(struct hr_io *io, enum hr_request request)
{
	/* release, pairs with the exchange in take_request(). */
	atomic_store_explicit(&io->request, request, memory_order_release);
	hr_wake_force(&io->io_wake);
}

int hr_io_request(struct hr_io *io, enum hr_request request)
{
	ask(io, request);
	hr_io_await_answer(io);
	return io->result;
}

/* The answer is there: the store before it is seen. acquire, pairs with that in
 * hr_io_serve_request(): thread sanitizers do not know sem_clockwait(). */
static bool is_answered(const struct hr_io *io)
{
	return atomic_load_explicit(&io->request, memory_order_acquire) == HR_REQUEST_NONE;
}

bool hr_io_request_until(struct hr_io *io, enum hr_request request, uint64_t until_ns)
{
	int untaken = request;

	ask(io, request);
	if (hr_thread_await_until(&io->answered, until_ns))
		return is_answered(io);
	/* relaxed both: whoever of the two changes it decides; nothing is handed over by
	 * giving up, and by the answer the rest is. */
	if (atomic_compare_exchange_strong_explicit(&io->request, &untaken, HR_REQUEST_NONE,
						    memory_order_relaxed,
						    memory_order_relaxed))
		return false;
	hr_io_await_answer(io);
	return true;
}
