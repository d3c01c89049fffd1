/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Each cause of a loss in playback is provoked, and "Xrun Cause" and the log of episodes say
 * so: the program sleeps, or its whole process is stopped; a thread of a higher real-time
 * priority keeps the I/O thread from its processor; the device stops by itself, jumps, or
 * stands still. And the log itself.
 */
#include <errno.h>
#include <sys/wait.h>

#include "tests/blame_rig.h"
#include "tests/threads.h"

/* ---- playback ---- */

/* From four periods to a second, and with a ring that is empty or nearly full. */
static const struct {
	snd_pcm_uframes_t buffer;
	const char *keys;
	unsigned int late_ms;
	bool waits;		/* sound does, in the ring */
} fills[] = {
	{ 4 * PERIOD, "", 150, false },
	{ 8 * PERIOD, "", 200, false },
	{ 20 * PERIOD, "", 350, false },
	{ 20 * PERIOD, "slave.buffer 960", 150, true },
	{ 100 * PERIOD, "slave.buffer 1920", 150, true },
};

START_TEST(a_program_that_sleeps_is_to_blame)
{
	const struct hr_episode *last;
	uint64_t before_ns;

	start_playing(fills[_i].keys, fills[_i].buffer);
	before_ns = hr_now_ns();
	rig_let_pass_ms((unsigned int)(fills[_i].buffer / PER_MS) + 100);
	ck_assert(!play_for_ms(100));
	last = assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_int_eq(counter("Xruns"), 1);
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert_uint_eq(last->fill, 0);
	ck_assert(last->going_on);
	ck_assert_uint_gt(last->begin_ns, before_ns);
	/* It ends when the program goes on. */
	rig_let_pass_ms(20);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	last = assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert(!last->going_on);
	ck_assert_uint_ge(last->length_ns, 20 * HR_NS_PER_MS);
	ck_assert_uint_le(last->begin_ns + last->length_ns, hr_now_ns());
}
END_TEST

START_TEST(a_process_that_is_stopped_is_to_blame)
{
	start_playing(fills[_i].keys, fills[_i].buffer);
	stop_process_ms((unsigned int)(fills[_i].buffer / PER_MS) + 150);
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_PROGRAM, fills[_i].waits);
}
END_TEST

START_TEST(the_scheduler_is_to_blame_for_a_thread_that_does_not_run)
{
	start_playing(fills[_i].keys, fills[_i].buffer);
	begin_to_hog(fills[_i].late_ms);
	play_for_ms(fills[_i].late_ms);
	end_hogging();
	wait_for("Device Xruns", 1);
	/* What waits is played on: the program learns nothing. */
	assert_first_xrun(HR_CAUSE_SCHEDULER, fills[_i].waits);
	if (!fills[_i].waits)
		return;
	ck_assert_uint_gt(episodes[0].fill, 0);
}
END_TEST

/* A process is stopped, and later the scheduler is late: the one is not taken for the
 * other. */
START_TEST(a_stop_that_is_over_is_no_excuse)
{
	start_playing("", 4 * PERIOD);
	stop_process_ms(150);
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_PROGRAM, false);
	for (int round = 0; round < 2; round++) {
		int64_t n;

		do {
			ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
			ck_assert(fill_up());
			ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		} while (!play_for_ms(30));
		n = counter("Device Xruns") + 1;
		begin_to_hog(150);
		play_for_ms(150);
		end_hogging();
		wait_for("Device Xruns", n);
		read_episodes();
		ck_assert_int_eq(episodes[n - 1].cause, HR_CAUSE_SCHEDULER);
	}
}
END_TEST

/* Both: who was late first. */
START_TEST(a_program_that_was_late_before_the_scheduler_is_to_blame)
{
	start_playing("", 20 * PERIOD);
	/* 200 ms are queued; the thread is kept away from 100 ms on. */
	rig_let_pass_ms(100);
	begin_to_hog(300);
	end_hogging();
	wait_for("Device Xruns", 1);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
}
END_TEST

START_TEST(a_program_that_is_late_after_the_scheduler_is_not)
{
	start_playing("", 4 * PERIOD);
	begin_to_hog(200);
	rig_let_pass_ms(200);
	end_hogging();
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_SCHEDULER, false);
}
END_TEST

/* It writes before the I/O thread has seen that the device has run dry: nothing is taken, it
 * is told, and can go on. */
static void assert_told_when_it_writes(void)
{
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, sound, PERIOD), -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert_int_eq(counter("Xruns"), 1);
	ck_assert_int_eq(counter("Device Xruns"), 1);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert(fill_up());
	ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(counter("Frames"), written);
	ck_assert_int_eq(counter("Frames Dropped"), 0);
	ck_assert_int_eq(counter("Xruns"), 1);
}

START_TEST(a_late_program_is_told_though_the_thread_is_late_too)
{
	start_playing("", 20 * PERIOD);
	rig_let_pass_ms(100);
	begin_to_hog(300);
	rig_let_pass_ms(200);
	assert_told_when_it_writes();
	end_hogging();
}
END_TEST

/* False if it was held up itself, and the end is nearer than that, or over. */
static bool writes_just_before_the_end(void)
{
	snd_pcm_sframes_t delay, n;
	uint64_t asked_ns, end_ns, wrote_ns;
	unsigned int left_ms;

	start_playing("", 50 * PERIOD);
	asked_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	left_ms = (unsigned int)delay / PER_MS;
	end_ns = asked_ns + left_ms * HR_NS_PER_MS;
	rig_let_pass_ms(100);
	begin_to_hog(left_ms - 100 + 30);
	rig_let_pass_ms(left_ms - 100 - 3);
	wrote_ns = hr_now_ns();
	n = snd_pcm_writei(rig.pcm, sound, 40 * PERIOD);
	end_hogging();
	if (wrote_ns + HR_NS_PER_MS > end_ns)
		return false;
	ck_assert_int_eq(n, 40 * PERIOD);
	return true;
}

/* It was woken long ago, but writes before the end, if only by what the clock is not sure of:
 * that the thread comes after the end is not its doing. */
START_TEST(a_program_that_writes_just_before_the_end_is_not_told)
{
	while (!writes_just_before_the_end())
		forget_it();
	assert_last(HR_EPISODE_DEVICE, HR_CAUSE_SCHEDULER);
	ck_assert_int_eq(counter("Xruns"), 0);
}
END_TEST

/* On the processor of the I/O thread, and before it. */
START_TEST(a_program_that_writes_as_soon_as_its_process_goes_on_is_told)
{
	pid_t child;

	start_playing("", 4 * PERIOD);
	share_its_processor();
	child = stop_process_and_go_on(200);
	assert_told_when_it_writes();
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* With sound in the ring, or without but held up later than the thread: it learns nothing. */
static const struct {
	const char *keys;
	snd_pcm_uframes_t buffer;
} in_time[] = { { "slave.buffer 960", 20 * PERIOD }, { "", 8 * PERIOD } };

START_TEST(a_program_is_not_told_what_the_scheduler_did)	/* _i: of in_time */
{
	unsigned int ms = (unsigned int)(in_time[_i].buffer / PER_MS) + 100;

	start_playing(in_time[_i].keys, in_time[_i].buffer);
	begin_to_hog(ms + 100);
	rig_let_pass_ms(ms);
	ck_assert(play_for_ms(50));
	end_hogging();
	assert_first_xrun(HR_CAUSE_SCHEDULER, true);
}
END_TEST

/* It stops by itself, whoever sleeps. */
START_TEST(a_device_that_stops_is_to_blame)	/* _i: and the program sleeps */
{
	start_playing("", 50 * PERIOD);
	if (_i)
		rig_let_pass_ms(100);
	RIG_COMMAND(&rig, xruns, 1);
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_DEVICE, false);
}
END_TEST

START_TEST(a_device_that_stops_while_sound_waits_is_to_blame)
{
	const struct hr_episode *last;

	start_playing("slave.buffer 4800", 50 * PERIOD);
	RIG_COMMAND(&rig, xruns, 1);
	wait_for("Device Xruns", 1);
	ck_assert(play_for_ms(30));
	last = assert_last(HR_EPISODE_DEVICE, HR_CAUSE_DEVICE);
	ck_assert_uint_ge(last->fill, 50);
	ck_assert(!last->going_on);
	ck_assert_int_eq(counter("Xruns"), 0);
}
END_TEST

START_TEST(a_device_that_jumps_is_to_blame)
{
	start_playing("", 20 * PERIOD);
	RIG_COMMAND(&rig, jump, 100 * PERIOD);
	RIG_COMMAND(&rig, jumps, 1);
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_DEVICE, false);
}
END_TEST

/* Stands still, and is then where it would be. */
START_TEST(a_device_that_stands_and_jumps_is_to_blame)		/* _i: of fills */
{
	start_playing(fills[_i].keys, fills[_i].buffer);
	RIG_COMMAND(&rig, still, 1);
	ck_assert(play_for_ms(200));
	RIG_COMMAND(&rig, jump, 200 * PER_MS);
	RIG_COMMAND(&rig, jumps, 1);
	RIG_COMMAND(&rig, still, 0);
	wait_for("Device Xruns", 1);
	assert_first_xrun(HR_CAUSE_DEVICE, fills[_i].waits);
}
END_TEST

/* It keeps the I/O thread waiting in its calls. */
/* False if another thread had the I/O thread's processor meanwhile, for however short. */
static bool was_slow_alone(void)
{
	unsigned long kept;
	pid_t io;

	start_playing("", 4 * PERIOD);
	io = thread_by_name("headroom-io");
	kept = times_kept(io);
	RIG_COMMAND(&rig, slow_us, 150000);
	wait_for("Device Xruns", 1);
	RIG_COMMAND(&rig, slow_us, 0);
	return !kept && !times_kept(io);
}

START_TEST(a_device_that_is_slow_is_to_blame)
{
	while (!was_slow_alone())
		forget_it();
	assert_first_xrun(HR_CAUSE_DEVICE, false);
}
END_TEST

/* Sound waits in the ring: the device could have had it, had it asked. */
START_TEST(a_device_that_does_not_wake_is_to_blame)
{
	start_playing("slave.buffer 960", 20 * PERIOD);
	RIG_COMMAND(&rig, wakes, CLOCKED_WAKES_NEVER);
	ck_assert(play_for_ms(300));
	wait_for("Device Xruns", 1);
	RIG_COMMAND(&rig, wakes, 0);
	assert_first_xrun(HR_CAUSE_DEVICE, true);
}
END_TEST

START_TEST(a_device_that_stands_in_a_drain_is_to_blame)
{
	const struct hr_episode *last;

	start_playing("", 20 * PERIOD);
	RIG_COMMAND(&rig, still, 1);
	ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 0), 0);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), -EIO);
	last = assert_last(HR_EPISODE_LOST, HR_CAUSE_DEVICE);
	ck_assert_int_eq(counter("Frames Dropped"), (int64_t)last->frames);
	ck_assert_uint_ge(last->frames, 15 * PERIOD);
	ck_assert_uint_ge(last->length_ns, 50 * HR_NS_PER_MS);
}
END_TEST

/* The device stands still, but it is the program's sleep that costs something. */
START_TEST(a_program_that_sleeps_on_is_to_blame)
{
	start_playing("", 20 * PERIOD);
	RIG_COMMAND(&rig, still, 1);
	rig_let_pass_ms(100);
	read_episodes();
	ck_assert_uint_eq(n_episodes, 0);
	RIG_COMMAND(&rig, still, 0);
	wait_for("Device Xruns", 1);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
}
END_TEST

START_TEST(a_gap_of_silence_is_one_episode)
{
	const struct hr_episode *last;
	uint64_t frames;

	start_playing("on_underrun silence", 20 * PERIOD);
	wait_for("Frames Silence", 200 * PER_MS);
	frames = assert_last(HR_EPISODE_SILENCE, HR_CAUSE_PROGRAM)->frames;
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert(episodes[0].going_on);
	ck_assert_uint_ge(frames, 200 * PER_MS);
	/* It grows, and ends with the program's sound. */
	wait_for("Frames Silence", (int64_t)frames + PERIOD);
	ck_assert(play_for_ms(100));
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	read_episodes();
	last = &episodes[0];
	ck_assert(!last->going_on);
	ck_assert_uint_ge(last->frames, frames + PERIOD);
	/* As long as it was silent, but for what it was ahead. */
	ck_assert_uint_ge(last->length_ns + 60 * HR_NS_PER_MS,
			  hr_frames_to_ns(last->frames, RATE));
}
END_TEST

/* ---- the log ---- */

START_TEST(a_lost_device_is_an_episode)			/* _i: capture */
{
	const struct hr_episode *last;

	if (_i)
		start_recording("", 8 * PERIOD);
	else
		start_playing("", 8 * PERIOD);
	RIG_COMMAND(&rig, lost, 1);
	wait_for("Frames Dropped", 1);
	last = assert_last(HR_EPISODE_LOST, HR_CAUSE_DEVICE);
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert_int_eq(counter("Frames Dropped"), (int64_t)last->frames);
}
END_TEST

START_TEST(a_reset_empties_the_log_and_what_goes_on_is_another)
{
	struct hr_page *page;

	start_playing("on_underrun silence", 4 * PERIOD);
	wait_for("Frames Silence", 50 * PER_MS);
	ck_assert_int_eq(hr_page_attach(&page, HR_PAGE_OWN, "x", HR_PLAYBACK, 0), 0);
	ck_assert_int_eq(hr_page_reset(page), 0);
	hr_page_close(page, 0);
	wait_for("Frames Silence", 1);
	assert_last(HR_EPISODE_SILENCE, HR_CAUSE_PROGRAM);
	ck_assert_uint_eq(n_episodes, 1);
	/* The fixture compares its frames with the counters. */
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
}
END_TEST

/* By the clock of this machine, and the one on the wall. */
START_TEST(when_it_was_is_known)
{
	uint64_t before_ns = hr_now_ns(), offset_ns;
	struct timespec ts;

	start_playing("", 2 * PERIOD);
	wait_for("Xruns", 1);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_uint_ge(episodes[0].begin_ns, before_ns);
	ck_assert_uint_le(episodes[0].begin_ns, hr_now_ns());
	clock_gettime(CLOCK_REALTIME, &ts);
	offset_ns = (uint64_t)ts.tv_sec * HR_NS_PER_S + (uint64_t)ts.tv_nsec - hr_now_ns();
	ck_assert_uint_ge(episodes[0].wall_ns + HR_NS_PER_S, episodes[0].begin_ns + offset_ns);
	ck_assert_uint_le(episodes[0].wall_ns, episodes[0].begin_ns + offset_ns + HR_NS_PER_S);
}
END_TEST

static void add_playback(Suite *suite)
{
	TCase *tcase = pcm_rig_case(suite, "playback", set_up, tear_down);
	int n = (int)N_OF(fills);

	tcase_add_loop_test(tcase, a_program_that_sleeps_is_to_blame, 0, n);
	tcase_add_loop_test(tcase, a_process_that_is_stopped_is_to_blame, 0, n);
	tcase_add_loop_test(tcase, the_scheduler_is_to_blame_for_a_thread_that_does_not_run,
			    0, n);
	tcase_add_test(tcase, a_stop_that_is_over_is_no_excuse);
	tcase_add_test(tcase, a_program_that_was_late_before_the_scheduler_is_to_blame);
	tcase_add_test(tcase, a_program_that_is_late_after_the_scheduler_is_not);
	tcase_add_test(tcase, a_late_program_is_told_though_the_thread_is_late_too);
	tcase_add_test(tcase, a_program_that_writes_just_before_the_end_is_not_told);
	tcase_add_test(tcase, a_program_that_writes_as_soon_as_its_process_goes_on_is_told);
	tcase_add_loop_test(tcase, a_program_is_not_told_what_the_scheduler_did, 0,
			    (int)N_OF(in_time));
	tcase_add_loop_test(tcase, a_device_that_stops_is_to_blame, 0, 2);
	tcase_add_test(tcase, a_device_that_stops_while_sound_waits_is_to_blame);
	tcase_add_test(tcase, a_device_that_jumps_is_to_blame);
	tcase_add_loop_test(tcase, a_device_that_stands_and_jumps_is_to_blame, 0, n);
	tcase_add_test(tcase, a_device_that_is_slow_is_to_blame);
	tcase_add_test(tcase, a_device_that_does_not_wake_is_to_blame);
	tcase_add_test(tcase, a_device_that_stands_in_a_drain_is_to_blame);
	tcase_add_test(tcase, a_program_that_sleeps_on_is_to_blame);
	tcase_add_test(tcase, a_gap_of_silence_is_one_episode);
}

int main(void)
{
	Suite *suite = suite_create("pcm_blame");
	TCase *tcase;

	add_playback(suite);
	tcase = pcm_rig_case(suite, "log", set_up, tear_down);
	tcase_add_loop_test(tcase, a_lost_device_is_an_episode, 0, 2);
	tcase_add_test(tcase, a_reset_empties_the_log_and_what_goes_on_is_another);
	tcase_add_test(tcase, when_it_was_is_known);
	return pcm_rig_run(suite);
}
