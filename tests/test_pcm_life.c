/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The life of a handle: set up anew, opened and closed again and again, beside
 * another of its name; and the counters that stay behind. */
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

/* "State" */
enum { CLOSED, OPEN, SETUP, PREPARED, RUNNING, XRUN, DRAINING, PAUSED };

static void set_up(void)
{
	pcm_rig_init(&rig);
	data = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

static void open_with(const char *keys, size_t n)
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", keys, &stereo);
	rig_thresholds(&rig, 4801, 0, 0);
	data = rig_noise(&rig, n, 41);
}

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_PLAYBACK, what);
}

/* The card writes whatever it hears: the same frames, of one size. */
START_TEST(one_handle_plays_at_one_rate_after_the_other)
{
	static const unsigned int rates[] = { 96000, 8000, 44100, 48000, 192000 };
	struct rig_params params = stereo;
	uint64_t begun_ns;

	open_with("", 6000);
	rig_write(&rig, data, 1000, 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	for (size_t i = 0; i < N_OF(rates); i++) {
		if (_i)
			ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
		params.rate = rates[i];
		params.period = rates[i] / 100;
		params.buffer = rates[i] / 100 * (4 + i);
		rig_install(&rig, &params);
		begun_ns = hr_now_ns();
		rig_write(&rig, data + (i + 1) * 4000, 1000, 300);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		ck_assert_uint_ge(hr_now_ns() - begun_ns,
				  hr_frames_to_ns(1000, rates[i]));
		ck_assert_int_eq(counter("Rate"), rates[i]);
		ck_assert_int_eq(counter("Period"), (int64_t)params.period);
		ck_assert_int_eq(counter("Buffer"), (int64_t)params.buffer);
	}
	rig_assert_heard(&rig, data, 6000);
	ck_assert_int_eq(counter("Frames"), 6000);
}
END_TEST

START_TEST(parameters_set_anew_forget_what_was_written)
{
	open_with("", 2000);
	rig_write(&rig, data, 900, 900);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	rig_install(&rig, &stereo);
	rig_write(&rig, data + 4000, 1000, 1000);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data + 4000, 1000);
}
END_TEST

START_TEST(a_running_stream_can_be_closed)
{
	struct rig_params params = stereo;

	params.buffer = 48000;
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", _i ? "slave.buffer 960" : "",
			  &params);
	data = rig_noise(&rig, 48000, 42);
	rig_write(&rig, data, 48000, 48000);
	if (_i == 2)
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	rig_assert_heard(&rig, data, rig_heard(&rig));
	ck_assert_int_eq(counter("State"), CLOSED);
	ck_assert_int_eq(counter("Process"), 0);
	ck_assert_int_eq(counter("Realtime"), 0);
}
END_TEST

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static size_t count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	size_t n = 0;
	int c;

	ck_assert_ptr_nonnull(file);
	while ((c = getc(file)) != EOF)
		n += c == '\n';
	fclose(file);
	return n;
}

/* Every third only opens, every third plays and is closed while it does. */
static void open_and_close(int round)
{
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	if (round % 3 > 0)
		rig_install(&rig, &stereo);
	if (round % 3 > 1)
		rig_write(&rig, data, 960, 960);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
}

START_TEST(opening_and_closing_leaves_nothing_behind)
{
	size_t fds, threads, mappings, pages;
	char counters[128];

	open_with("", 960);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	for (int i = 0; i < 30; i++)
		open_and_close(i);
	snprintf(counters, sizeof(counters), "%s/counters", rig.dir);
	fds = count_entries("/proc/self/fd");
	threads = count_entries("/proc/self/task");
	pages = count_entries(counters);
	mappings = count_mappings();
	for (int i = 0; i < 200; i++)
		open_and_close(i);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	ck_assert_uint_eq(count_entries("/proc/self/task"), threads);
	ck_assert_uint_eq(count_entries(counters), pages);
	/* Allocators may come by some; one left by each stream would be 133. */
	ck_assert_uint_le(count_mappings(), mappings + 60);
}
END_TEST

START_TEST(two_streams_of_one_name_play_side_by_side)
{
	struct rig second = { .params = stereo, .frame_bytes = 4 };
	char definitions[512];
	size_t size;
	uint8_t *other, *heard;

	snprintf(second.heard, sizeof(second.heard), "%s/second", rig.dir);
	snprintf(definitions, sizeof(definitions),
		 "pcm.second { type clocked heard \"%s\" }\n"
		 "pcm.x { type headroom slave.pcm card }\n"
		 "pcm.y { type headroom slave.pcm second name x }\n", second.heard);
	ck_assert_int_eq(rig_try_open_defined(&rig, "x", definitions,
					      SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	ck_assert_int_eq(snd_pcm_open_lconf(&second.pcm, "y", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	rig_install(&rig, &stereo);
	rig_install(&second, &stereo);
	data = rig_noise(&rig, 6000, 43);
	other = rig_noise(&rig, 3000, 44);
	for (size_t at = 0; at < 3000; at += 500) {
		rig_write(&rig, data + at * 8, 1000, 1000);
		rig_write(&second, other + at * 4, 500, 500);
	}
	snd_pcm_drain(rig.pcm);
	snd_pcm_drain(second.pcm);
	rig_assert_heard(&rig, data, 6000);
	heard = rig_slurp(second.heard, &size);
	ck_assert_uint_eq(size, 12000);
	ck_assert_int_eq(memcmp(heard, other, size), 0);
	ck_assert_int_eq(rig_counter_of(&rig, "Headroom Playback Frames", 0), 6000);
	ck_assert_int_eq(rig_counter_of(&rig, "Headroom Playback Frames", 1), 3000);
	ck_assert_int_eq(snd_pcm_close(second.pcm), 0);
	unlink(second.heard);
	free(heard);
	free(other);
}
END_TEST

/* As an ordinary user, for good: each test has a process of its own. */
static void give_up_real_time(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];
	const struct rlimit none = { 0, 0 };
	const struct sched_param fifo = { .sched_priority = 1 };

	ck_assert_int_eq(syscall(SYS_capget, &header, caps), 0);
	caps[0].effective &= ~(1u << CAP_SYS_NICE);
	caps[0].permitted &= ~(1u << CAP_SYS_NICE);
	ck_assert_int_eq(syscall(SYS_capset, &header, caps), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_RTPRIO, &none), 0);
	ck_assert_int_eq(sched_setscheduler(0, SCHED_FIFO, &fifo), -1);
}

START_TEST(without_the_right_to_real_time_it_plays_and_the_counter_says_so)
{
	give_up_real_time();
	open_with("rt_priority 60", 4801);
	ck_assert_int_eq(counter("Realtime"), 0);
	rig_write(&rig, data, 4800, 4800);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 4800);
}
END_TEST

/* Two clocks that are decades apart. */
START_TEST(time_stamps_are_of_the_clock_that_was_asked_for)
{
	snd_htimestamp_t stamp, start;
	snd_pcm_status_t *status;
	struct timespec now;

	open_with(_i ? "tstamp_type monotonic" : "tstamp_type gettimeofday", 4801);
	rig_write(&rig, data, 4800, 4800);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	snd_pcm_status_alloca(&status);
	ck_assert_int_eq(snd_pcm_status(rig.pcm, status), 0);
	clock_gettime(_i ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
	snd_pcm_status_get_htstamp(status, &stamp);
	snd_pcm_status_get_trigger_htstamp(status, &start);
	ck_assert_int_le(labs(now.tv_sec - stamp.tv_sec), 600);
	ck_assert_int_le(labs(now.tv_sec - start.tv_sec), 600);
}
END_TEST

START_TEST(the_counters_agree_with_what_was_played)
{
	open_with("latency_samples 16 rt_priority 0", 4801);
	ck_assert_int_eq(counter("State"), PREPARED);
	ck_assert_int_eq(counter("Process"), getpid());
	ck_assert_int_eq(counter("Realtime"), 0);
	ck_assert_int_eq(counter("Rate"), 48000);
	ck_assert_int_eq(counter("Channels"), 2);
	ck_assert_int_eq(counter("Period"), 480);
	ck_assert_int_eq(counter("Buffer"), 4800);
	for (int round = 1; round <= 3; round++) {
		/* Ten whole chunks, or nine and a part, or ten and one frame. */
		size_t n = round == 1 ? 4800 : round == 2 ? 4321 : 4800;

		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, n),
				 (snd_pcm_sframes_t)n);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		ck_assert_int_eq(counter("State"), SETUP);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		ck_assert_int_eq(counter("State"), PREPARED);
		ck_assert_int_eq(counter("Chunks Pushed"), 10 * round);
	}
	ck_assert_int_eq(counter("Frames"), 4800 + 4321 + 4800);
	ck_assert_int_eq(counter("Chunks Popped"), 30);
	ck_assert_int_eq(counter("Chunks Dropped"), 0);
	ck_assert_int_eq(counter("Frames Dropped"), 0);
	ck_assert_int_eq(counter("Frames Silence"), 0);
	ck_assert_int_eq(counter("Drop Rate"), 0);
	ck_assert_int_eq(counter("Xruns"), 0);
	ck_assert_int_eq(counter("Device Xruns"), 0);
	ck_assert_int_eq(counter("Xrun Cause"), 0);
	ck_assert_int_eq(counter("Pool Hits"), 30);
	ck_assert_int_eq(counter("Pool Misses"), 0);
	ck_assert_int_ge(counter("Pool Size"), 10);
	ck_assert_int_eq(counter("Pressure State"), 0);
	ck_assert_int_eq(counter("Healthy"), 1);
	ck_assert_int_le(counter("Latency Min"), counter("Latency Max"));
}
END_TEST

START_TEST(the_counters_follow_the_state_and_outlive_the_handle)
{
	struct rig_params params = stereo;

	params.buffer = 48000;
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", ""), 0);
	ck_assert_int_eq(counter("State"), OPEN);
	rig_install(&rig, &params);
	rig_thresholds(&rig, 48001, 0, 0);
	data = rig_noise(&rig, 40000, 45);
	rig_write(&rig, data, 40000, 40000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(counter("State"), RUNNING);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(counter("State"), PAUSED);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	ck_assert_int_eq(counter("State"), RUNNING);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(counter("State"), SETUP);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	rig_write(&rig, data, 10, 10);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (snd_pcm_avail(rig.pcm) >= 0)
		rig_sleep_ms(1);
	ck_assert_int_eq(counter("State"), XRUN);
	ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
	ck_assert_int_eq(counter("State"), OPEN);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	ck_assert_int_eq(counter("State"), CLOSED);
	ck_assert_int_eq(counter("Xruns"), 1);

	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	ck_assert_int_eq(counter("State"), OPEN);
	ck_assert_int_eq(counter("Xruns"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("life");
	TCase *tcase = pcm_rig_case(suite, "handle", set_up, tear_down);

	tcase_add_loop_test(tcase, one_handle_plays_at_one_rate_after_the_other, 0, 2);
	tcase_add_test(tcase, parameters_set_anew_forget_what_was_written);
	tcase_add_loop_test(tcase, a_running_stream_can_be_closed, 0, 3);
	tcase_add_test(tcase, opening_and_closing_leaves_nothing_behind);
	tcase_add_test(tcase, two_streams_of_one_name_play_side_by_side);
	tcase = pcm_rig_case(suite, "counters", set_up, tear_down);
	tcase_add_test(tcase,
		       without_the_right_to_real_time_it_plays_and_the_counter_says_so);
	tcase_add_loop_test(tcase, time_stamps_are_of_the_clock_that_was_asked_for, 0, 2);
	tcase_add_test(tcase, the_counters_agree_with_what_was_played);
	tcase_add_test(tcase, the_counters_follow_the_state_and_outlive_the_handle);
	return pcm_rig_run(suite);
}
