/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Plays and records for a long time, with stalls, and checks each frame; see shared.h for
 * who does what. scripts/soak calls it.
 *
 * usage: soak [--seconds N] [--settle N] [--seed N] [--busy] RESULTS WORK
 *
 * --settle is 60, or a third of what is shorter than three minutes. Beyond twice as long
 * there has to be something to compare with.
 *
 * RESULTS gets samples.csv. WORK is for pipes, logs and counters, a folder without any, in
 * memory: where a disk is behind it, writing a counter takes a page fault.
 *
 * Exit status 0: all holds; 1: it does not; 130: it does, but was interrupted.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/soak/account.h"
#include "tests/soak/far_end.h"
#include "tests/soak/monitor.h"
#include "tests/soak/program.h"

#define SETTLE_S 60u
#define WORK_MAX 64u		/* bytes of a name */
#define END_S 60		/* within which the program must come to its end */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* --- what is asked for --- */

static uint64_t number(const char *text, uint64_t least)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < least)
		soak_die("%s is not a number from %" PRIu64 " on", text, least);
	return value;
}

static void read_options(struct soak_options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "settle", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 'r' },
		{ "busy", no_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*options = (struct soak_options){ .seconds = 3600,
					  .seed = (uint64_t)time(NULL) };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 's':
			options->seconds = (unsigned int)number(optarg, 1);
			break;
		case 'f':
			options->settle_s = (unsigned int)number(optarg, 1);
			break;
		case 'r':
			options->seed = number(optarg, 0);
			break;
		case 'b':
			options->busy = true;
			break;
		default:
			exit(2);
		}
	}
	if (!options->settle_s)
		options->settle_s = options->seconds < 3 * SETTLE_S ? options->seconds / 3 :
								      SETTLE_S;
	if (!options->settle_s || options->seconds <= 2 * options->settle_s)
		soak_die("%u s are too short to see what is constant from second %u on",
			 options->seconds, options->settle_s);
	if (optind + 2 != argc)
		soak_die("two folders are needed, for the results and to work in");
	options->results = argv[optind];
	options->work = argv[optind + 1];
	if (strlen(options->work) > WORK_MAX)
		soak_die("the name of the folder to work in is too long");
}

/* --- the processes --- */

/* In a child: a key that ends the monitor is not meant for it, and it does not outlive it. */
static bool forked(pid_t *pid)
{
	fflush(stdout);
	*pid = fork();
	if (*pid < 0)
		soak_die("fork: %s", strerror(errno));
	if (*pid > 0)
		return false;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return true;
}

/* Once it has ended, the number is no process of ours any more, and becomes 0. */
static bool has_ended(pid_t *pid, int *status)
{
	if (waitpid(*pid, status, WNOHANG) != *pid)
		return false;
	*pid = 0;
	return true;
}

static void end_now(pid_t pid)
{
	if (!pid)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec until = { .tv_sec = (time_t)(ns / HR_NS_PER_S),
					.tv_nsec = (long)(ns % HR_NS_PER_S) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Look once a second. Returns false if a process ended that was not to. */
static bool watch(struct soak_monitor *monitor, pid_t *program, pid_t *far_end)
{
	uint64_t begun_ns = hr_now_ns();
	int status;

	for (unsigned int s = 1; s <= monitor->options->seconds && !interrupted; s++) {
		sleep_until(begun_ns + s * HR_NS_PER_S);
		if (has_ended(program, &status) || has_ended(far_end, &status))
			return false;
		if (!interrupted)
			soak_monitor_look(monitor, s);
	}
	return true;
}

/* Let the program end. Returns whether it did, and well. */
static bool end_program(struct soak_shared *shared, pid_t *program)
{
	uint64_t asked_ns = hr_now_ns();
	int status;

	/* relaxed: see shared.h. */
	atomic_store_explicit(&shared->stop, true, memory_order_relaxed);
	while (hr_now_ns() - asked_ns < END_S * HR_NS_PER_S) {
		if (has_ended(program, &status))
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		sleep_until(hr_now_ns() + 10 * HR_NS_PER_MS);
	}
	return false;
}

/* Returns whether both processes did what they are there for. */
static bool run(struct soak_shared *shared, const struct soak_options *options,
		struct soak_monitor *monitor)
{
	static const char *const names[SOAK_PIPES] = { "long", "again" };
	int pipes[SOAK_PIPES];
	pid_t far_end, program;
	char path[128];
	bool well;

	for (int i = 0; i < SOAK_PIPES; i++) {
		snprintf(path, sizeof(path), "%s/%s.heard", options->work, names[i]);
		pipes[i] = soak_far_pipe(path);
	}
	if (forked(&far_end))
		soak_far_end(shared, pipes);
	if (forked(&program))
		soak_program(shared, options);
	soak_monitor_init(monitor, shared, options, program);
	well = watch(monitor, &program, &far_end) && end_program(shared, &program);
	end_now(program);
	end_now(far_end);
	soak_monitor_finish(monitor);
	return well;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct soak_options options;
	struct soak_monitor monitor;
	struct soak_shared *shared;
	char path[128];
	bool well;

	read_options(&options, argc, argv);
	printf("%u s, seed %" PRIu64 "\n", options.seconds, options.seed);
	snprintf(path, sizeof(path), "%s/counters", options.work);
	if (setenv("HEADROOM_DIR", path, 1) < 0)
		soak_die("out of memory");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		soak_die("out of memory");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	well = run(shared, &options, &monitor);
	if (!well)
		printf("Failed: a process of it has ended before it was to, or not at all.\n");
	well = soak_account_judge(shared, options.busy) && well;
	well = soak_constant_judge(&monitor.constant, options.settle_s,
				   soak_account_unprovoked_xruns(shared) > 0) && well;
	free(monitor.constant.looks);
	if (!well)
		return EXIT_FAILURE;
	return interrupted ? 130 : EXIT_SUCCESS;
}
