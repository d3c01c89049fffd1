/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/io_thread.h"

#include <sched.h>
#include "plugin/io_absent.h"
#include "plugin/io_stats.h"
#include "plugin/thread.h"

/* The buffer of a device that may lag, in periods. */
#define LAG_PERIODS 4
#define LAG_PERIODS_NO_REALTIME 8
#define STACK_TOUCHED (16 * 1024)

void hr_io_step(struct hr_io *io, struct hr_plan *plan)
{
	io->now_ns = hr_now_ns();
	if (io->direction == HR_PLAYBACK)
		hr_playback_step(io, plan);
	else
		hr_capture_step(io, plan);
	hr_blame_mark(io, plan);
	hr_stats_counters(io);
}

/* A paused device does not move, but it may be suspended, or go. */
static void look_at_paused(struct hr_io *io)
{
	snd_pcm_sframes_t delay, avail = 0;

	if (!hr_io_is_absent(io))
		avail = hr_slave_avail(io->slave, &delay);
	io->now_ns = hr_now_ns();
	if (avail == -ENODEV && hr_absent_begin(io))
		avail = 0;
	if (avail == -ENODEV || avail == -ESTRPIPE)
		hr_io_halt(io, hr_io_fault_of((int)avail));
	else
		hr_io_stand(io);
	hr_stats_counters(io);
}

/* A kernel's device tells of that by an error; it may be ready all the time, so it does
 * not wake us for that. What another has to tell, the program finds out when it asks. */
static void watch_paused(struct hr_io *io, struct hr_plan *plan)
{
	look_at_paused(io);
	plan->poll_device = io->run == HR_RUN_PAUSED && !io->device_lied &&
			    !hr_io_is_absent(io);
	plan->errors_only = true;
	/* An error that is none would wake us for ever. */
	if (io->device_woke)
		io->device_lied = true;
}

void hr_io_look(struct hr_io *io)
{
	struct hr_plan plan = { .deadline_ns = HR_NEVER_NS, .due_ns = HR_NEVER_NS };

	if (hr_io_is_active(io))
		hr_io_step(io, &plan);
	else if (io->run == HR_RUN_PAUSED)
		look_at_paused(io);
	/* What it had woken us for is done with. */
	io->device_woke = false;
}

/* Touch the stack that the steps will use, so that they take no page fault. */
static void touch_stack(void)
{
	volatile char stack[STACK_TOUCHED];

	for (size_t i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 0;
}

/* Ask for SCHED_FIFO. Without the right to it the thread runs on as it is, and
 * the page shows so. */
static bool ask_for_realtime(struct hr_io *io)
{
	struct sched_param param = { .sched_priority = (int)io->config->rt_priority };
	uint64_t got = 0;

	if (param.sched_priority &&
	    pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0)
		got = io->config->rt_priority;
	hr_page_set(io->page, HR_STAT_REALTIME, got);
	return got > 0;
}

/* Of three wake-ups a period (the device us, we the program, the program us) the last
 * can be spared if the device may go without the program's period until it wakes us
 * again. A thread that gets the processor when it wants it needs little in the device to
 * be in time, and one that does not is as well off without a second wait for it in each
 * period, if there is plenty. */
static void let_device_lag(struct hr_io *io, bool is_realtime)
{
	uint64_t least = (is_realtime ? LAG_PERIODS : LAG_PERIODS_NO_REALTIME) *
			 io->slave->period;

	/* A device that holds less than the program has written is to be full. */
	if (io->direction == HR_PLAYBACK && io->buffer >= least &&
	    io->slave->buffer >= io->buffer)
		(void)hr_slave_let_lag(io->slave);
}

static void *io_main(void *arg)
{
	struct hr_io *io = arg;
	bool is_realtime = ask_for_realtime(io);

	pthread_setname_np(pthread_self(), "headroom-io");
	if (!is_realtime)
		hr_thread_ask_for_short_slice();
	touch_stack();
	hr_witness_practise();
	let_device_lag(io, is_realtime);
	sem_post(&io->answered);
	while (hr_io_serve_request(io)) {
		struct hr_plan plan = { .deadline_ns = HR_NEVER_NS, .due_ns = HR_NEVER_NS };

		if (hr_io_is_active(io))
			hr_io_step(io, &plan);
		else if (io->run == HR_RUN_PAUSED)
			watch_paused(io, &plan);
		hr_io_wait(io, &plan);
	}
	return NULL;
}

/* A chunk of silence for playback, of room to discard into for capture. */
static int make_scratch(struct hr_io *io)
{
	snd_pcm_channel_area_t areas[HR_CHANNELS_MAX];
	int err;

	err = hr_pool_create(&io->scratch_pool, 1, 1, (uint32_t)io->slave->period,
			     io->slave->frame_bytes);
	if (err < 0)
		return err;
	io->scratch = hr_pool_acquire(io->scratch_pool, HR_POOL_FIXED);
	hr_slave_areas(io->slave, io->scratch, areas);
	return snd_pcm_areas_silence(areas, 0, io->slave->channels, io->slave->period,
				     io->slave->format);
}

int hr_io_create(struct hr_io *io)
{
	int err;

	sem_init(&io->answered, 0, 0);
	if ((err = hr_wake_init(&io->io_wake)) < 0 || (err = make_scratch(io)) < 0)
		goto err_line;
	io->run = HR_RUN_IDLE;
	hr_stats_begin(io);
	err = hr_thread_start(&io->thread, false, io_main, io);
	if (err < 0)
		goto err_line;
	hr_io_await_answer(io);
	return 0;

err_line:
	SNDERR("headroom: cannot make the I/O thread: %s", snd_strerror(err));
	hr_wake_finish(&io->io_wake);
	hr_pool_destroy(io->scratch_pool);
	sem_destroy(&io->answered);
	io->scratch_pool = NULL;
	return err;
}

void hr_io_destroy(struct hr_io *io)
{
	if (io->io_wake.fd < 0)
		return;
	(void)hr_io_request(io, HR_REQUEST_QUIT);
	pthread_join(io->thread, NULL);
	hr_page_set(io->page, HR_STAT_REALTIME, 0);
	hr_wake_finish(&io->io_wake);
	hr_pool_destroy(io->scratch_pool);
	sem_destroy(&io->answered);
	io->scratch_pool = NULL;
}
