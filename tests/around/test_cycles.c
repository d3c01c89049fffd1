/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Opened and closed without end, and drained at the very moment of an underrun: what
 * shows only after many times.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"
#include "tests/threads.h"

#define WARM_UP 500u
#define N_DRAINS 800u

/* A sanitizer keeps what was freed, and takes its time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNNING_SLOWLY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RUNNING_SLOWLY 1
#endif
#endif
#ifndef RUNNING_SLOWLY
#define RUNNING_SLOWLY 0
#endif

static struct rig rig;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static unsigned int count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	int c;

	ck_assert_ptr_nonnull(file);
	while ((c = fgetc(file)) != EOF)
		n += c == '\n';
	fclose(file);
	return n;
}

static long resident_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &pages), 2);
	fclose(file);
	return pages;
}

static void open_and_close(unsigned int n)
{
	snd_pcm_t *pcm;

	for (unsigned int i = 0; i < n; i++) {
		ck_assert_int_eq(snd_pcm_open_lconf(&pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
						    rig.config), 0);
		/* Every tenth goes on to have a thread and memory for the stream. */
		if (i % 10 == 0)
			ck_assert_int_eq(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
							    SND_PCM_ACCESS_RW_INTERLEAVED,
							    2, 48000, 0, 100000), 0);
		ck_assert_int_eq(snd_pcm_close(pcm), 0);
	}
}

START_TEST(ten_thousand_streams_leave_nothing_behind)
{
	unsigned int fds, tasks, mappings, pages_there;
	unsigned int most = RUNNING_SLOWLY ? 1000 : 10000;
	char pages[160];
	long resident;

	snprintf(pages, sizeof(pages), "%s/counters", rig.dir);
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	open_and_close(WARM_UP);
	fds = count_entries("/proc/self/fd");
	tasks = count_entries("/proc/self/task");
	mappings = count_mappings();
	pages_there = count_entries(pages);
	resident = resident_pages();
	open_and_close(most);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	assert_tasks(tasks);
	ck_assert_uint_eq(count_entries(pages), pages_there);
	/* The allocator may still take an arena; a leak would be one for each. */
	ck_assert_uint_le(count_mappings(), mappings + 16);
	if (!RUNNING_SLOWLY)
		ck_assert_int_le(resident_pages(), resident + 512);	/* 2 MiB */
}
END_TEST

/* By the time the drain is asked for, the underrun is just being noticed, or not yet,
 * or has been: it is no error of the drain. */
START_TEST(a_drain_at_the_moment_of_an_underrun_succeeds)
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	rig_thresholds(&rig, 480, 0, 0);
	for (unsigned int round = 0; round < N_DRAINS; round++) {
		uint8_t *data = rig_noise(&rig, 480, round);
		uint64_t end_ns;

		rig_write(&rig, data, 480, 480);
		end_ns = hr_now_ns() + 10 * HR_NS_PER_MS + 300 * HR_NS_PER_US +
			 (round % 400) * HR_NS_PER_US;
		free(data);
		while (hr_now_ns() < end_ns)
			;
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	}
	ck_assert_uint_eq(rig_heard(&rig), N_DRAINS * 480);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cycles");
	TCase *tcase = pcm_rig_case(suite, "cycles", set_up, tear_down);

	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, ten_thousand_streams_leave_nothing_behind);
	tcase_add_test(tcase, a_drain_at_the_moment_of_an_underrun_succeeds);
	return pcm_rig_run(suite);
}
