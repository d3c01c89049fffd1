/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/bench/record.h"

#define MEMBERS_MAX 128u
#define BEGIN_IN_NS (50 * HR_NS_PER_MS)	/* all are awake by then */

static struct meeting {
	pthread_barrier_t barrier;
	uint64_t begin_ns;		/* ordered by the barrier */
} *meeting;

void *crew_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		bench_die("out of memory");
	return memory;
}

static void prepare_meeting(unsigned int n)
{
	pthread_barrierattr_t attr;

	if (!meeting)
		meeting = crew_memory(sizeof(*meeting));
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (pthread_barrier_init(&meeting->barrier, &attr, n) != 0)
		bench_die("cannot make a barrier");
	pthread_barrierattr_destroy(&attr);
}

uint64_t crew_meet(void)
{
	if (pthread_barrier_wait(&meeting->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		meeting->begin_ns = hr_now_ns() + BEGIN_IN_NS;
	pthread_barrier_wait(&meeting->barrier);
	return meeting->begin_ns;
}

static pid_t start_member(void (*member)(unsigned int i), unsigned int i,
			  unsigned int seconds)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	alarm(seconds);
	member(i);
	_exit(EXIT_SUCCESS);
}

static void give_up(const pid_t *pids, unsigned int n, int status)
{
	for (unsigned int i = 0; i < n; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	if (WIFSIGNALED(status))
		bench_die("a program was ended by signal %d%s", WTERMSIG(status),
			  WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
	bench_die("a program has failed");
}

void crew_run(unsigned int n, void (*member)(unsigned int i), unsigned int seconds)
{
	pid_t pids[MEMBERS_MAX], pid;

	if (n > MEMBERS_MAX)
		bench_die("a crew of %u is too large", n);
	prepare_meeting(n);
	for (unsigned int i = 0; i < n; i++) {
		pids[i] = start_member(member, i, seconds);
		if (pids[i] < 0)
			give_up(pids, i, 0);
	}
	for (unsigned int left = n; left > 0; left--) {
		int status = 0;

		pid = waitpid(-1, &status, 0);
		for (unsigned int i = 0; i < n; i++)
			if (pids[i] == pid)
				pids[i] = 0;
		if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			give_up(pids, n, status);
	}
	pthread_barrier_destroy(&meeting->barrier);
}

void crew_sleep_until(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / HR_NS_PER_S),
				     .tv_nsec = (long)(ns % HR_NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}
