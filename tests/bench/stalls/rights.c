/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "rights.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/record.h"

void rights_drop(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_RTPRIO, &none) < 0 || syscall(SYS_capget, &head, caps) < 0)
		bench_die("cannot give up the right to a real-time priority");
	caps[CAP_TO_INDEX(CAP_SYS_NICE)].effective &= ~CAP_TO_MASK(CAP_SYS_NICE);
	caps[CAP_TO_INDEX(CAP_SYS_NICE)].permitted &= ~CAP_TO_MASK(CAP_SYS_NICE);
	caps[CAP_TO_INDEX(CAP_SYS_NICE)].inheritable &= ~CAP_TO_MASK(CAP_SYS_NICE);
	if (syscall(SYS_capset, &head, caps) < 0)
		bench_die("cannot give up the capability of a real-time priority");
}

static bool is_io_thread(const char *task)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", task);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "headroom-io\n") == 0;
}

bool rights_are_used(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int policy = -1;

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && is_io_thread(entry->d_name))
			policy = sched_getscheduler(atoi(entry->d_name));
	if (dir)
		closedir(dir);
	if (policy < 0)
		bench_die("there is no I/O thread");
	return policy == SCHED_FIFO;
}
