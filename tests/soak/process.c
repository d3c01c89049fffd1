/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/soak/shared.h"

/* The first line that begins so. */
static bool read_line(const char *path, const char *begins, char *line, int n_bytes)
{
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, n_bytes, file))
		found = strncmp(line, begins, strlen(begins)) == 0;
	fclose(file);
	return found;
}

uint64_t soak_resident_kib(pid_t pid)
{
	char path[64], line[128];
	uint64_t kib;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (!read_line(path, "RssAnon:", line, sizeof(line)) ||
	    sscanf(line, "RssAnon: %" SCNu64, &kib) != 1)
		return 0;
	return kib;
}

static uint64_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

uint64_t soak_count_fds(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return count_entries(path);
}

uint64_t soak_count_threads(void)
{
	return count_entries("/proc/self/task");
}

pid_t soak_newest_io_thread(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t newest = 0;

	while (dir && (entry = readdir(dir))) {
		char path[300], line[32];
		pid_t tid = atoi(entry->d_name);

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		if (tid > newest && read_line(path, "headroom-io", line, sizeof(line)))
			newest = tid;
	}
	if (!dir || !newest)
		soak_die("there is no I/O thread");
	closedir(dir);
	return newest;
}

uint64_t soak_page_faults(pid_t pid, pid_t tid)
{
	char path[64], line[512], *rest;
	uint64_t minor, major;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	if (!read_line(path, "", line, sizeof(line)))
		return 0;
	rest = strrchr(line, ')');	/* behind the name, whatever is in it */
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64,
			    &minor, &major) != 2)
		return 0;
	return minor + major;
}
