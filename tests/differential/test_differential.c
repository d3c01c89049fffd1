/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Random sequences of calls on the virtual card and on headroom: the same answers,
 * and never a crash, a hang or a spin.
 *
 * usage: test_differential                      what Check runs
 *        test_differential --seed N [--from K] [--count M] [--jobs J]   any range
 *        test_differential --seed N --from K --show [--trace]           one, in full
 *
 * Of more jobs than one each has a processor to itself: the threads of a player take
 * turns most of the time, which costs the less the nearer they are.
 */
#include <errno.h>
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

#include <check.h>

#include "tests/differential/compare.h"
#include "tests/differential/world.h"

#define BATCH 2000		/* sequences that one process plays */
#define FAILURES_SHOWN 20
#define DISAGREES 90
#define STUCK_S 60		/* of real time, in one sequence */
#define STUCK_AGAIN_S 10	/* the same, where one more does no harm */

/* What the playing process tells. */
struct progress {
	_Atomic uint64_t index;
	_Atomic uint64_t played;
	_Atomic bool disagrees;
	struct verdict verdict;
};

static struct progress *progress;

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

/* Play in a process of its own, so that nothing that happens to it hurts us. */
static int play_range(uint64_t seed, uint64_t from, uint64_t to)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		snd_lib_error_set_handler(quiet);
		if (!side_init())
			_exit(1);
		for (uint64_t i = from; i < to; i++) {
			struct sequence sequence;

			atomic_store(&progress->index, i);
			sequence_make(&sequence, seed, i, N_CARDS);
			if (!play_and_compare(&sequence, false, &progress->verdict)) {
				side_finish();
				_exit(DISAGREES);
			}
			atomic_fetch_add(&progress->played, 1);
		}
		side_finish();
		/* Not _exit(): leaks are looked for. */
		exit(EXIT_SUCCESS);
	}
	return watch(pid, STUCK_S);
}

/* Whether it fails, whatever the failure is. */
static bool fails(const struct sequence *sequence, bool show)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct verdict verdict;
		bool agrees;

		if (!show) {
			int null = open("/dev/null", O_WRONLY);

			snd_lib_error_set_handler(quiet);
			dup2(null, 2);
		}
		if (!side_init())
			_exit(1);
		agrees = play_and_compare(sequence, show, &verdict);
		fflush(NULL);
		side_finish();
		_exit(agrees ? 0 : DISAGREES);
	}
	return watch(pid, STUCK_AGAIN_S) != 0;
}

/* Leave out what is not needed for it to fail. */
static void shrink(struct sequence *sequence)
{
	for (unsigned int part = sequence->n / 2; part > 0; part /= 2)
		for (unsigned int at = 0; at + part <= sequence->n; ) {
			struct sequence shorter = *sequence;

			sequence_remove(&shorter, at, part);
			if (fails(&shorter, false))
				*sequence = shorter;
			else
				at += part;
		}
}

static void report(uint64_t seed, uint64_t index, int status)
{
	struct sequence sequence;

	printf("seed %llu, sequence %llu: ", (unsigned long long)seed,
	       (unsigned long long)index);
	if (WIFEXITED(status) && WEXITSTATUS(status) == DISAGREES)
		printf("call %u, %s\n", progress->verdict.at, progress->verdict.why);
	else if (WIFEXITED(status))
		printf("exit status %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	fflush(stdout);
	sequence_make(&sequence, seed, index, N_CARDS);
	shrink(&sequence);
	(void)fails(&sequence, true);
	fflush(NULL);
}

/* Play count sequences from `from` on. Returns how many failed. */
static unsigned int play_many(uint64_t seed, uint64_t from, uint64_t count)
{
	uint64_t end = from + count, began = real_ns();
	unsigned int failed = 0;

	while (from < end && failed < FAILURES_SHOWN) {
		uint64_t to = from + BATCH < end ? from + BATCH : end;
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
	printf("seed %llu: %llu sequences agree, %u fail, %.1f s\n",
	       (unsigned long long)seed,
	       (unsigned long long)atomic_load(&progress->played), failed,
	       (double)(real_ns() - began) / 1e9);
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

#define CHECK_COUNT 2000u

static const uint64_t fixed_seeds[] = { 1, 20261, 0xa15a };

START_TEST(sequences_of_a_fixed_seed_agree)
{
	ck_assert_uint_eq(play_many(fixed_seeds[_i], 0, CHECK_COUNT), 0);
}
END_TEST

static int run_check(void)
{
	Suite *suite = suite_create("differential");
	TCase *tcase = tcase_create("sequences");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 280);
	tcase_add_checked_fixture(tcase, make_progress, NULL);
	tcase_add_loop_test(tcase, sequences_of_a_fixed_seed_agree, 0,
			    (int)(sizeof(fixed_seeds) / sizeof(*fixed_seeds)));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	uint64_t seed = 0, from = 0, count = 1000, jobs = 1;
	bool show = false, by_hand = false;

	for (int i = 1; i < argc; i++) {
		by_hand = true;
		if (strcmp(argv[i], "--trace") == 0)
			side_trace = true;
		else if (strcmp(argv[i], "--show") == 0)
			show = true;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--from") == 0)
			from = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
			count = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0)
			jobs = strtoull(argv[++i], NULL, 0);
	}
	if (!by_hand)
		return run_check();
	make_progress();
	if (show) {
		struct sequence sequence;

		sequence_make(&sequence, seed, from, N_CARDS);
		return fails(&sequence, true);
	}
	if (jobs > 1)
		return play_in_jobs(seed, from, count, (unsigned int)jobs) ?
		       EXIT_FAILURE : EXIT_SUCCESS;
	return play_many(seed, from, count) ? EXIT_FAILURE : EXIT_SUCCESS;
}
