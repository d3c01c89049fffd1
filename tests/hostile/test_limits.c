/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A process with next to nothing: each limit from 0 up until a stream works, and all
 * together as low as they can be. A stream that opens is a sound one; one that does not
 * has given a proper error and kept nothing. Run by nobody, whom limits bind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lines.h"
#include "tests/pcm_rig.h"
#include "tests/threads.h"

#define NOBODY 65534
#define FRAMES 960
#define KIB 1024ul

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static struct rig rig;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 96000, .period = 96, .buffer = 1920,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	ck_assert_int_eq(chmod(rig.dir, 0777), 0);
	/* Loads the configuration, which takes descriptors and memory of its own. */
	ck_assert_int_eq(rig_try_open_defined(&rig, "nothing", "pcm.nothing { type null }\n"
					      "pcm.x { type headroom slave.pcm quiet }\n"
					      "pcm.quiet { type clocked }\n",
					      SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	keep_lines();
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

/* Records, and each frame has the number after the one before. */
static void use_stream(void)
{
	static uint32_t got[FRAMES];

	rig.frame_bytes = sizeof(got[0]);
	rig_read(&rig, (uint8_t *)got, FRAMES);
	for (uint32_t i = 1; i < FRAMES; i++)
		ck_assert_uint_eq(got[i], got[0] + i);
}

/* Check itself writes to a file for each assertion: that limit holds until there are any. */
static void lift_file_size(void)
{
	struct rlimit now;

	getrlimit(RLIMIT_FSIZE, &now);
	now.rlim_cur = now.rlim_max;
	setrlimit(RLIMIT_FSIZE, &now);
}

static int try_stream(void)
{
	int err = snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_CAPTURE, 0, rig.config);

	if (err == 0)
		err = snd_pcm_set_params(rig.pcm, stereo.format, stereo.access,
					 stereo.channels, stereo.rate, 0, 20000);
	lift_file_size();
	if (!rig.pcm)
		return err;
	if (err == 0)
		use_stream();
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	return err;
}

static void limit(int what, unsigned long to)
{
	struct rlimit now;

	getrlimit((__rlimit_resource_t)what, &now);
	now.rlim_cur = to < now.rlim_max ? to : now.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &now) < 0)
		abort();
}

static unsigned long used_memory(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

static int is_among(int err, const int *errors)
{
	while (*errors && *errors != -err)
		errors++;
	return *errors != 0;
}

static const struct row {
	const char *name;
	int what;
	unsigned long step, steps_max;
	int errors[4];			/* that may come of it; none: it always works */
	unsigned int lines_max;		/* of a stream that works */
} rows[] = {
	{ "AS", RLIMIT_AS, 32 * KIB, 4000, { ENOMEM, EAGAIN, ENXIO }, 3 },
	{ "NOFILE", RLIMIT_NOFILE, 1, 40, { EMFILE, ENFILE, ENXIO }, 3 },
	{ "NPROC", RLIMIT_NPROC, 1, 3, { EAGAIN }, 1 },
	{ "MEMLOCK", RLIMIT_MEMLOCK, 16 * KIB, 4, { 0 }, 0 },
	{ "RTPRIO", RLIMIT_RTPRIO, 1, 3, { 0 }, 0 },
	{ "NICE", RLIMIT_NICE, 1, 2, { 0 }, 0 },
	{ "FSIZE", RLIMIT_FSIZE, 4 * KIB, 8, { 0 }, 1 },
	{ "SIGPENDING", RLIMIT_SIGPENDING, 1, 2, { 0 }, 0 },
	{ "MSGQUEUE", RLIMIT_MSGQUEUE, 1, 1, { 0 }, 0 },
	{ "CORE", RLIMIT_CORE, 1, 1, { 0 }, 0 },
	{ "LOCKS", RLIMIT_LOCKS, 1, 2, { 0 }, 0 },
};

/* In a process of its own: exits with 1 if it works, with 0 after a proper error. */
static int try_with(const struct row *row, unsigned long n)
{
	unsigned int fds = count_entries("/proc/self/fd"), lines_max;
	struct rlimit before;
	int err;

	become_nobody();
	ck_assert_int_eq(getrlimit((__rlimit_resource_t)row->what, &before), 0);
	limit(row->what, n * row->step + (row->what == RLIMIT_AS ? used_memory() : 0));
	err = try_stream();
	ck_assert_int_eq(setrlimit((__rlimit_resource_t)row->what, &before), 0);
	lines_max = err == 0 ? row->lines_max : 3;
	ck_assert_msg(n_lines <= lines_max, "%s %lu: %u lines: %s", row->name, n, n_lines,
		      lines);
	ck_assert_msg(err == 0 || is_among(err, row->errors), "%s %lu: %s: %s", row->name, n,
		      snd_strerror(err), lines);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	ck_assert_int_eq(try_stream(), 0);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	return err == 0;
}

START_TEST(each_limit_from_nothing_up_until_it_works)
{
	const struct row *row = &rows[_i];
	unsigned int n_failed = 0;
	bool works = false;
	int status = 0;

	for (unsigned long n = 0; n < row->steps_max && !(works && row->errors[0]); n++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			alarm(30);
			_exit(try_with(row, n) ? 0 : 2);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		works = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		ck_assert_msg(works || (WIFEXITED(status) && WEXITSTATUS(status) == 2),
			      "%s %lu: wait status %#x", row->name, n, (unsigned int)status);
		n_failed += !works;
	}
	ck_assert_msg(works || row->what == RLIMIT_NPROC, "%s never works", row->name);
	ck_assert_int_eq(n_failed > 0, row->errors[0] != 0);
}
END_TEST

START_TEST(with_all_limits_that_are_not_needed_at_0_it_works)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		become_nobody();
		for (size_t i = 0; i < N_OF(rows); i++) {
			if (!rows[i].errors[0])
				limit(rows[i].what, 0);
		}
		_exit(try_stream() != 0 || n_lines != 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = pcm_rig_case(suite, "limits", set_up, tear_down);

	/* Not the first: a sanitizer without memory ends the process. */
	tcase_add_loop_test(tcase, each_limit_from_nothing_up_until_it_works, SANITIZED,
			    (int)N_OF(rows));
	tcase_add_test(tcase, with_all_limits_that_are_not_needed_at_0_it_works);
	return pcm_rig_run(suite);
}
