/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/seeded.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <alsa/asoundlib.h>
#include <check.h>

#define FAILURES_SHOWN 20
#define FAILURES_SHORTENED 3	/* it takes its time */
#define FAILS 90
#define STUCK_S 60		/* of real time, in one case */
#define STUCK_AGAIN_S 10	/* the same, where one more does no harm */
#define WHY_BYTES 256

/* What the playing process tells. */
struct progress {
	_Atomic uint64_t index;
	_Atomic uint64_t played;
	char why[WHY_BYTES];
};

static const struct seeded *test;
static struct progress *progress;
static bool traces;

static uint64_t real_ns(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static unsigned int slowness(void)
{
	const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
	int value = text ? atoi(text) : 1;

	return value > 0 ? (unsigned int)value : 1;
}

static void quiet(const char *file, int line, const char *function, int err,
		  const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	(void)format;
}

/* Wait for a process; one that makes no progress is killed. Returns its status. */
static int watch(pid_t pid, unsigned int stuck_s)
{
	uint64_t seen = UINT64_MAX, since = real_ns();
	struct pollfd ended = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
	int status;

	for (;;) {
		struct timespec rest = { .tv_nsec = 20000000 };
		pid_t done;

		/* Without the descriptor this is a rest between two looks. */
		syscall(SYS_ppoll, &ended, 1, &rest, NULL, 0);
		done = waitpid(pid, &status, WNOHANG);
		if (done == pid) {
			if (ended.fd >= 0)
				close(ended.fd);
			return status;
		}
		if (atomic_load(&progress->played) != seen) {
			seen = atomic_load(&progress->played);
			since = real_ns();
		} else if (real_ns() - since > stuck_s * UINT64_C(1000000000) * slowness()) {
			fprintf(stderr, "no progress for %u s: killed\n",
				stuck_s * slowness());
			kill(pid, SIGKILL);
			since = real_ns();
		}
	}
}

static void *new_case(void)
{
	void *it = calloc(1, test->case_bytes);

	if (!it)
		abort();
	return it;
}

static void play_all(uint64_t seed, uint64_t from, uint64_t to)
{
	void *it = new_case();
	bool fine = true;

	for (uint64_t i = from; i < to && fine; i++) {
		atomic_store(&progress->index, i);
		test->make(it, seed, i);
		fine = test->play(it, false, progress->why, WHY_BYTES);
		if (fine)
			atomic_fetch_add(&progress->played, 1);
	}
	free(it);
	test->finish();
	if (!fine)
		_exit(FAILS);
	/* Not _exit(): leaks are looked for. */
	exit(EXIT_SUCCESS);
}

/* Play in a process of its own, so that nothing that happens to it hurts us. */
static int play_range(uint64_t seed, uint64_t from, uint64_t to)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		snd_lib_error_set_handler(quiet);
		if (!test->begin(traces))
			_exit(1);
		play_all(seed, from, to);
	}
	return watch(pid, STUCK_S);
}

/* Whether it fails, whatever the failure is. */
static bool fails(const void *it, bool shows)
{
	char why[WHY_BYTES] = "";
	pid_t pid;
	bool fine;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return watch(pid, STUCK_AGAIN_S) != 0;
	if (!shows) {
		int null = open("/dev/null", O_WRONLY);

		snd_lib_error_set_handler(quiet);
		dup2(null, 2);
	}
	if (!test->begin(traces && shows))
		_exit(1);
	fine = test->play(it, shows, why, sizeof(why));
	if (shows && !fine)
		printf("  ^^ %s\n", why);
	fflush(NULL);
	test->finish();
	_exit(fine ? 0 : FAILS);
}

/* Leave out what is not needed for it to fail. */
static void shrink(void *it)
{
	void *shorter = new_case();

	for (unsigned int part = test->length(it) / 2; part > 0; part /= 2)
		for (unsigned int at = 0; at + part <= test->length(it); ) {
			memcpy(shorter, it, test->case_bytes);
			test->leave_out(shorter, at, part);
			if (fails(shorter, false))
				memcpy(it, shorter, test->case_bytes);
			else
				at += part;
		}
	free(shorter);
}

static void report(uint64_t seed, uint64_t index, int status)
{
	static unsigned int n_shortened;
	void *it = new_case();

	printf("seed %llu, %s %llu: ", (unsigned long long)seed, test->noun,
	       (unsigned long long)index);
	if (WIFEXITED(status) && WEXITSTATUS(status) == FAILS)
		printf("%s\n", progress->why);
	else if (WIFEXITED(status))
		printf("exit status %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	fflush(stdout);
	test->make(it, seed, index);
	if (n_shortened++ < FAILURES_SHORTENED) {
		shrink(it);
		if (!fails(it, true))
			printf("  not again\n");
	}
	fflush(NULL);
	free(it);
}

/* Play count cases from `from` on. Returns how many failed. */
static unsigned int play_many(uint64_t seed, uint64_t from, uint64_t count)
{
	uint64_t end = from + count, began = real_ns();
	unsigned int failed = 0;

	while (from < end && failed < FAILURES_SHOWN) {
		uint64_t to = from + test->batch < end ? from + test->batch : end;
		int status = play_range(seed, from, to);

		if (status == 0) {
			from = to;
			printf("seed %llu: up to %llu\n", (unsigned long long)seed,
			       (unsigned long long)to);
			fflush(NULL);
			continue;
		}
		failed++;
		from = atomic_load(&progress->index) + 1;
		report(seed, from - 1, status);
	}
	printf("seed %llu: %llu of %s pass, %u fail, %.1f s\n", (unsigned long long)seed,
	       (unsigned long long)atomic_load(&progress->played), test->noun, failed,
	       (double)(real_ns() - began) / 1e9);
	if (test->judge && !test->judge())
		failed++;
	fflush(NULL);
	return failed;
}

static void make_progress(void)
{
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		abort();
}

static void take_processor(unsigned int job)
{
	cpu_set_t allowed, one;
	unsigned int at = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	for (unsigned int i = job % (unsigned int)CPU_COUNT(&allowed); ; at++)
		if (CPU_ISSET(at, &allowed) && i-- == 0)
			break;
	CPU_ZERO(&one);
	CPU_SET(at, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* Divide the range among jobs. Returns how many of them met with failures. */
static unsigned int play_in_jobs(uint64_t seed, uint64_t from, uint64_t count,
				 unsigned int jobs)
{
	unsigned int failed = 0;
	int status;

	fflush(NULL);
	for (unsigned int job = 0; job < jobs; job++) {
		uint64_t begin = count * job / jobs, end = count * (job + 1) / jobs;

		if (fork() != 0)
			continue;
		take_processor(job);
		make_progress();	/* its own */
		_exit(play_many(seed, from + begin, end - begin) != 0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}

static uint64_t as_many_as_there_is_time_for(uint64_t count)
{
	return test->fewer_when_slow ? count / slowness() : count;
}

START_TEST(cases_of_a_fixed_seed_pass)
{
	ck_assert_uint_eq(play_many(test->fixed_seeds[_i], 0,
				    as_many_as_there_is_time_for(test->count)), 0);
}
END_TEST

static int run_check(void)
{
	Suite *suite = suite_create(test->name);
	TCase *tcase = tcase_create(test->noun);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 280);
	tcase_add_checked_fixture(tcase, make_progress, NULL);
	tcase_add_loop_test(tcase, cases_of_a_fixed_seed_pass, 0,
			    (int)test->n_fixed_seeds);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool show_one(uint64_t seed, uint64_t index)
{
	void *it = new_case();
	bool failed;

	test->make(it, seed, index);
	failed = fails(it, true);
	free(it);
	return failed;
}

int seeded_main(const struct seeded *what, int argc, char **argv)
{
	uint64_t seed = 0, from = 0, count = 1000, jobs = 1;
	bool shows = false;
	unsigned int failed;

	test = what;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--trace") == 0)
			traces = true;
		else if (strcmp(argv[i], "--show") == 0)
			shows = true;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--from") == 0)
			from = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
			count = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0)
			jobs = strtoull(argv[++i], NULL, 0);
	}
	if (argc <= 1)
		return run_check();
	make_progress();
	if (shows)
		return show_one(seed, from) ? EXIT_FAILURE : EXIT_SUCCESS;
	failed = jobs > 1 ? play_in_jobs(seed, from, count, (unsigned int)jobs) :
			    play_many(seed, from, count);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
