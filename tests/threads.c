/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/threads.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "core/clock.h"
#include "tests/clocked/rig.h"

#define SOON_NS (20 * HR_NS_PER_S)	/* far beyond any delay that is none */

unsigned int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void assert_tasks(unsigned int n)
{
	uint64_t end_ns = hr_now_ns() + SOON_NS;

	while (count_entries("/proc/self/task") != n && hr_now_ns() < end_ns)
		rig_sleep_ms(1);
	ck_assert_uint_eq(count_entries("/proc/self/task"), n);
}

pid_t thread_by_name(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t tid = 0;

	ck_assert_ptr_nonnull(tasks);
	while (!tid && (entry = readdir(tasks))) {
		char path[300], is[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(is, sizeof(is), file) && strcspn(is, "\n") == strlen(name) &&
		    strncmp(is, name, strlen(name)) == 0)
			tid = (pid_t)atoi(entry->d_name);
		fclose(file);
	}
	closedir(tasks);
	ck_assert_msg(tid > 0, "there is no thread %s", name);
	return tid;
}

struct status {
	char state;
	unsigned long rests, kept;	/* voluntary switches, and others */
};

static struct status status_of(pid_t tid)
{
	struct status status = { .state = '?' };
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "State: %c", &status.state);
		sscanf(line, "voluntary_ctxt_switches: %lu", &status.rests);
		sscanf(line, "nonvoluntary_ctxt_switches: %lu", &status.kept);
	}
	fclose(file);
	return status;
}

unsigned long times_kept(pid_t tid)
{
	return status_of(tid).kept;
}

/* Not only for a page or a lock. */
static void wait_until_it_rests(pid_t tid)
{
	struct status is = { .state = '?' }, was;

	/* A watchdog watches. */
	do {
		was = is;
		rig_let_pass_ms(10);
		is = status_of(tid);
	} while (is.state != 'S' || was.state != 'S' || is.rests != was.rests);
}

static pid_t begin_to_stop(unsigned int ms)
{
	pid_t parent = getpid(), child;

	wait_until_it_rests(thread_by_name("headroom-report"));
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		kill(parent, SIGSTOP);
		rig_let_pass_ms(ms);
		kill(parent, SIGCONT);
		_exit(0);
	}
	return child;
}

void stop_process_ms(unsigned int ms)
{
	pid_t child = begin_to_stop(ms);

	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

pid_t stop_process_and_go_on(unsigned int ms)
{
	pid_t child = begin_to_stop(ms);
	uint64_t now_ns = hr_now_ns(), was_ns;

	do {
		was_ns = now_ns;
		rig_sleep_ms(1);
		now_ns = hr_now_ns();
	} while (now_ns - was_ns < ms * HR_NS_PER_MS / 2);
	return child;
}
