/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "rte_start.h"

#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "tests/bench/record.h"

void rte_start(void)
{
	static char words[][20] = {
		"bench_core", "--no-huge", "--no-shconf", "-m", "64", "--no-pci",
		"--no-telemetry", "--log-level=error",
	};
	char *args[sizeof(words) / sizeof(words[0])];
	static bool is_started;
	cpu_set_t before;

	if (is_started)
		return;
	is_started = true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		args[i] = words[i];
	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		bench_die("rte: rte_eal_init: %s", rte_strerror(rte_errno));
	pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
}

const char *rte_new_name(void)
{
	static unsigned int n;
	static char name[16];

	snprintf(name, sizeof(name), "bench%u", n++);
	return name;
}
