/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/speed/threads.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/record.h"

#define PATH_BYTES 64

static void for_each_thread(pid_t pid, void (*visit)(pid_t pid, pid_t tid, void *arg),
			    void *arg)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		bench_die("%s: cannot read it", path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			visit(pid, atoi(entry->d_name), arg);
	closedir(dir);
}

struct placement {
	cpu_set_t where;
	bool yielding;
};

static void place(pid_t pid, pid_t tid, void *arg)
{
	const struct placement *placement = arg;
	const struct sched_param none = { 0 };

	(void)pid;
	if (tid == gettid())
		return;
	if (sched_setaffinity(tid, sizeof(placement->where), &placement->where) < 0 ||
	    (placement->yielding && sched_setscheduler(tid, SCHED_IDLE, &none) < 0))
		bench_die("cannot place a thread: %s", strerror(errno));
}

void threads_place_others(unsigned cpu, bool yielding)
{
	struct placement placement = { .yielding = yielding };
	cpu_set_t mine;

	/* bench_pin() knows the processors; the caller goes back to where it was. */
	if (pthread_getaffinity_np(pthread_self(), sizeof(mine), &mine) != 0)
		bench_die("cannot tell the processors");
	bench_pin(cpu);
	pthread_getaffinity_np(pthread_self(), sizeof(placement.where), &placement.where);
	for_each_thread(getpid(), place, &placement);
	pthread_setaffinity_np(pthread_self(), sizeof(mine), &mine);
}

static void add_switches(pid_t pid, pid_t tid, void *arg)
{
	unsigned long long voluntary = 0, other = 0;
	char path[PATH_BYTES], line[128];
	uint64_t *sum = arg;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "r");
	if (!file)
		bench_die("%s: cannot read it", path);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "voluntary_ctxt_switches: %llu", &voluntary);
		sscanf(line, "nonvoluntary_ctxt_switches: %llu", &other);
	}
	fclose(file);
	*sum += voluntary + other;
}

uint64_t threads_switches(pid_t pid)
{
	uint64_t sum = 0;

	for_each_thread(pid, add_switches, &sum);
	return sum;
}
