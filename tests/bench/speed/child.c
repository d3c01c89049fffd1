/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/speed/child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/record.h"

void child_start(struct child *child, void (*run)(const void *arg, int to, int from),
		 const void *arg)
{
	int up[2], down[2];

	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0 ||
	    (child->pid = fork()) < 0)
		bench_die("cannot make a process");
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(up[0]);
		close(down[1]);
		run(arg, up[1], down[0]);
		exit(0);
	}
	close(up[1]);
	close(down[0]);
	child->from = up[0];
	child->to = down[1];
}

void child_hear(const struct child *child, double *values, size_t n)
{
	const ssize_t bytes = (ssize_t)(n * sizeof(values[0]));

	/* A pipe takes and gives as little as this at once. */
	if (read(child->from, values, (size_t)bytes) != bytes)
		bench_die("a process ended before it had measured");
}

void child_say(int to, const double *values, size_t n)
{
	const ssize_t bytes = (ssize_t)(n * sizeof(values[0]));

	if (write(to, values, (size_t)bytes) != bytes)
		exit(1);
}

void child_wait(int from)
{
	char over;

	if (read(from, &over, 1) != 1)
		exit(1);
}

void child_end(struct child *child)
{
	const char over = 0;
	int status;

	/* One that does not wait is gone already. A closed pipe would not do: those that
	 * were started later have inherited it. */
	signal(SIGPIPE, SIG_IGN);
	if (write(child->to, &over, 1) < 0) {
		/* Its end tells all. */
	}
	close(child->to);
	close(child->from);
	if (waitpid(child->pid, &status, 0) != child->pid || status != 0)
		bench_die("a process did not end as it should");
}
