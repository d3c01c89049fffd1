/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A thousand times a program is killed at a moment that is drawn: while it opens, sets up,
 * plays, drains or closes. Each time the slot is free at once, the counters show a stream
 * that has ended, and have not lost what they had; and the next start works.
 *
 * HOSTILE_SEED repeats the moments, as near as time can be repeated.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define KILLS 1000
#define LATEST_US 5000		/* some cycles of open and close */
#define FRAMES 480

static struct rig rig;
static uint32_t random_state;

/* Shared with the children. */
static struct {
	_Atomic uint64_t written;	/* frames, of all; counted before they are */
	_Atomic uint64_t cycles;	/* streams closed */
	_Atomic uint64_t errors;
} *shared;

static const struct rig_params quick = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 192000, .period = 96, .buffer = 960,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_PLAYBACK, what);
}

static unsigned int count_pages(void)
{
	DIR *dir = opendir(getenv("HEADROOM_DIR"));
	struct dirent *entry;
	unsigned int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Held up on a busy machine it runs dry: that is no error. */
static bool plays(snd_pcm_t *pcm)
{
	static const int16_t frames[2 * FRAMES];
	snd_pcm_sframes_t n = snd_pcm_writei(pcm, frames, FRAMES);

	if (n == FRAMES)
		n = snd_pcm_drain(pcm);
	return n >= 0 || n == -EPIPE;
}

/* No assertions in here: to be killed in the middle of one is nobody's failure. */
static void play_for_ever(void)
{
	snd_pcm_t *pcm;

	for (;;) {
		if (snd_pcm_open_lconf(&pcm, "x", SND_PCM_STREAM_PLAYBACK, 0, rig.config) < 0 ||
		    snd_pcm_set_params(pcm, quick.format, quick.access, quick.channels,
				       quick.rate, 0, 5000) < 0)
			break;
		atomic_fetch_add(&shared->written, FRAMES);
		if (!plays(pcm) || snd_pcm_close(pcm) < 0)
			break;
		atomic_fetch_add(&shared->cycles, 1);
	}
	atomic_fetch_add(&shared->errors, 1);
	for (;;)
		pause();
}

static void kill_one(void)
{
	struct timespec rest = { 0 };
	pid_t child;
	int status;

	random_state = random_state * 1664525u + 1013904223u;
	rest.tv_nsec = (long)((uint64_t)random_state * LATEST_US >> 32) * 1000;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		play_for_ever();
	nanosleep(&rest, NULL);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_uint_eq(atomic_load(&shared->errors), 0);
}

/* To look takes longer than to play: the rest of it but now and then. */
static void assert_sound(int64_t *frames, bool at_all)
{
	int64_t now = counter("Frames");

	ck_assert_int_ge(now, *frames);
	ck_assert_int_le(now, (int64_t)atomic_load(&shared->written));
	ck_assert_uint_eq(count_pages(), 1);
	*frames = now;
	if (!at_all)
		return;
	ck_assert_int_eq(counter("State"), 0);
	ck_assert_int_eq(counter("Process"), 0);
	ck_assert_int_eq(counter("Frames Dropped"), 0);
}

START_TEST(a_thousand_that_were_killed_leave_sound_counters)
{
	const char *given = getenv("HOSTILE_SEED");
	struct timeval now;
	uint8_t *data;
	int64_t frames = 0;

	gettimeofday(&now, NULL);
	random_state = given ? (uint32_t)strtoul(given, NULL, 0) :
			       (uint32_t)(now.tv_sec * 1000003 + now.tv_usec);
	printf("HOSTILE_SEED=%u\n", random_state);
	fflush(stdout);
	/* The first makes the page, and has the modules loaded for all. */
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &quick);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	for (int n = 0; n < KILLS; n++) {
		kill_one();
		assert_sound(&frames, n % 20 == 0);
	}
	ck_assert_uint_gt(atomic_load(&shared->cycles), 0);
	ck_assert_int_gt(frames, 0);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	rig_install(&rig, &quick);
	data = rig_noise(&rig, FRAMES, 1);
	rig_write(&rig, data, FRAMES, FRAMES);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, FRAMES);
	ck_assert_int_eq(counter("Frames"), frames + FRAMES);
	ck_assert_int_eq(counter("Process"), getpid());
	free(data);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("killed");
	TCase *tcase = pcm_rig_case(suite, "killed", set_up, tear_down);

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_thousand_that_were_killed_leave_sound_counters);
	return pcm_rig_run(suite);
}
