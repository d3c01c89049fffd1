/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The same of a recording: see test_pcm_blame.c.
 */
#include "tests/blame_rig.h"
#include "tests/threads.h"

START_TEST(a_recorder_that_sleeps_is_to_blame)		/* _i: without depth */
{
	const struct hr_episode *last;
	int64_t frames;

	start_recording(_i ? "depth_ms 0 slave.buffer 48000" : "depth_ms 100", 8 * PERIOD);
	wait_for("Xruns", 1);
	last = assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_uint_eq(last->fill, 100);
	ck_assert(last->going_on);
	wait_for("Frames Dropped", 4800);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	frames = counter("Frames Dropped");
	last = assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert(!last->going_on);
	ck_assert_uint_eq(last->frames, (uint64_t)frames);
}
END_TEST

START_TEST(what_a_recorder_drops_is_one_episode)
{
	const struct hr_episode *last;
	uint64_t frames;

	start_recording("depth_ms 50 on_overrun drop", 8 * PERIOD);
	wait_for("Frames Dropped", 100 * PER_MS);
	frames = assert_last(HR_EPISODE_DROP, HR_CAUSE_PROGRAM)->frames;
	ck_assert_uint_ge(frames, 100 * PER_MS);
	ck_assert(episodes[0].going_on);
	ck_assert(record_for_ms(100));
	last = assert_last(HR_EPISODE_DROP, HR_CAUSE_PROGRAM);
	ck_assert_uint_eq(n_episodes, 1);
	ck_assert(!last->going_on);
	ck_assert_uint_ge(last->length_ns, 100 * HR_NS_PER_MS - 20 * HR_NS_PER_MS);
	ck_assert_int_eq(counter("Xruns"), 0);
}
END_TEST

static const struct {
	const char *keys;
	snd_pcm_uframes_t buffer;
	unsigned int late_ms;
	enum hr_episode_kind kind;
} recordings[] = {
	{ "depth_ms 0", 4 * PERIOD, 150, HR_EPISODE_XRUN },
	{ "depth_ms 0", 10 * PERIOD, 250, HR_EPISODE_XRUN },
	{ "depth_ms 1000", 8 * PERIOD, 450, HR_EPISODE_XRUN },
	{ "depth_ms 1000 on_overrun drop", 8 * PERIOD, 450, HR_EPISODE_DEVICE },
};

START_TEST(a_stopped_recorder_is_to_blame)
{
	start_recording(recordings[_i].keys, recordings[_i].buffer);
	stop_process_ms(recordings[_i].late_ms);
	wait_for("Device Xruns", 1);
	assert_last(recordings[_i].kind, HR_CAUSE_PROGRAM);
}
END_TEST

START_TEST(the_scheduler_is_to_blame_for_a_recording_thread_that_does_not_run)
{
	const struct hr_episode *last;

	start_recording(recordings[_i].keys, recordings[_i].buffer);
	begin_to_hog(recordings[_i].late_ms);
	record_for_ms(recordings[_i].late_ms);
	end_hogging();
	wait_for("Device Xruns", 1);
	last = assert_last(recordings[_i].kind, HR_CAUSE_SCHEDULER);
	/* Since the last look, as the loss is counted. */
	ck_assert_uint_ge(last->length_ns, (recordings[_i].late_ms - 50) * HR_NS_PER_MS);
	ck_assert_uint_ge(last->frames, (recordings[_i].late_ms - 50) * PER_MS);
}
END_TEST

/* Its prepare is served before the thread has looked at the card. */
START_TEST(a_recorder_that_begins_anew_is_told_what_was_lost_before)
{
	const struct hr_episode *last;

	start_recording(recordings[_i].keys, recordings[_i].buffer);
	begin_to_hog(recordings[_i].late_ms);
	rig_let_pass_ms(recordings[_i].late_ms / 2);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	end_hogging();
	ck_assert_int_eq(counter("Device Xruns"), 1);
	last = assert_last(recordings[_i].kind, HR_CAUSE_SCHEDULER);
	ck_assert_uint_ge(last->frames, (recordings[_i].late_ms - 50) * PER_MS);
}
END_TEST

START_TEST(a_recorder_that_was_late_before_the_scheduler_is_to_blame)
{
	start_recording("depth_ms 150", 5 * PERIOD);
	rig_let_pass_ms(100);
	/* Full at 200 ms; the device holds what comes until the thread runs again. */
	begin_to_hog(150);
	end_hogging();
	wait_for("Xruns", 1);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_PROGRAM);
	ck_assert_int_eq(counter("Device Xruns"), 0);
}
END_TEST

START_TEST(a_recording_device_that_stops_is_to_blame)	/* _i: of recordings */
{
	start_recording(recordings[_i].keys, recordings[_i].buffer);
	RIG_COMMAND(&rig, xruns, 1);
	wait_for("Device Xruns", 1);
	assert_last(recordings[_i].kind, HR_CAUSE_DEVICE);
}
END_TEST

/* More at once than the program has room for. */
START_TEST(a_recording_device_that_bursts_is_to_blame)
{
	start_recording("depth_ms 0 slave.buffer 48000", 15 * PERIOD);
	RIG_COMMAND(&rig, jump, 40 * PERIOD);
	RIG_COMMAND(&rig, jumps, 1);
	record_for_ms(100);
	wait_for("Xruns", 1);
	assert_last(HR_EPISODE_XRUN, HR_CAUSE_DEVICE);
}
END_TEST

START_TEST(a_recording_device_that_stands_still_costs_nothing)
{
	start_recording("depth_ms 100", 8 * PERIOD);
	RIG_COMMAND(&rig, still, 1);
	ck_assert(record_for_ms(200));
	RIG_COMMAND(&rig, still, 0);
	ck_assert(record_for_ms(50));
	read_episodes();
	ck_assert_uint_eq(n_episodes, 0);
	ck_assert_int_eq(counter("Xrun Cause"), HR_CAUSE_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcm_blame_capture");
	TCase *tcase = pcm_rig_case(suite, "capture", set_up, tear_down);
	int n = (int)N_OF(recordings);

	tcase_add_loop_test(tcase, a_recorder_that_sleeps_is_to_blame, 0, 2);
	tcase_add_test(tcase, what_a_recorder_drops_is_one_episode);
	tcase_add_loop_test(tcase, a_stopped_recorder_is_to_blame, 0, n);
	tcase_add_loop_test(tcase,
		the_scheduler_is_to_blame_for_a_recording_thread_that_does_not_run, 0, n);
	tcase_add_loop_test(tcase, a_recorder_that_begins_anew_is_told_what_was_lost_before, 0, n);
	tcase_add_test(tcase, a_recorder_that_was_late_before_the_scheduler_is_to_blame);
	tcase_add_loop_test(tcase, a_recording_device_that_stops_is_to_blame, 0, n);
	tcase_add_test(tcase, a_recording_device_that_bursts_is_to_blame);
	tcase_add_test(tcase, a_recording_device_that_stands_still_costs_nothing);
	return pcm_rig_run(suite);
}
