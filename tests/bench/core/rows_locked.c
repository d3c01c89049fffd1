/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How many instructions that lock the bus the health monitor's writer executes for a
 * chunk: it is run one instruction at a time, and each is looked at.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/health.h"
#include "row.h"
#include "rows.h"
#include "tests/bench/record.h"

#define MARK 0xccu			/* int3 */
#define STEPS_MAX 100000u
#define INSTRUCTION_MAX 15

/* What is looked at is between two marks, so that nothing else is counted. */
#define BETWEEN_MARKS(what)					\
	do {							\
		__asm__ volatile("int3" : : : "memory");	\
		what;						\
		__asm__ volatile("int3" : : : "memory");	\
	} while (0)

static atomic_uint known;

/* In the child. */
static void add_one(void)
{
	BETWEEN_MARKS(atomic_fetch_add(&known, 1));
}

static void record_chunk(void)
{
	struct hr_health *health;

	if (hr_health_create(&health, HR_HEALTH_WINDOW_DEFAULT) < 0)
		_exit(1);
	hr_health_open(health, HR_HEALTH_WINDOW_DEFAULT, 1);
	hr_health_chunk(health, 256, 1, 2);
	BETWEEN_MARKS(hr_health_chunk(health, 256, 1, 3));
}

static bool is_prefix(unsigned char byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 ||
	       byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x26 ||
	       byte == 0x64 || byte == 0x65;
}

/* A lock prefix, an exchange with memory (which locks without one), or mfence, which
 * takes as long. */
static bool is_locked(const unsigned char *code)
{
	while (is_prefix(*code))
		code++;
	if (*code == 0xf0)
		return true;
	if ((*code & 0xf0) == 0x40)	/* REX */
		code++;
	if ((*code == 0x86 || *code == 0x87) && code[1] < 0xc0)
		return true;
	return code[0] == 0x0f && code[1] == 0xae && code[2] == 0xf0;
}

static void wait_for_trap(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP)
		bench_die("health: the writer does not run step by step");
}

static void read_code(pid_t child, unsigned char *code)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, child, NULL, &registers) < 0)
		bench_die("health: ptrace: %s", strerror(errno));
	for (size_t i = 0; i <= INSTRUCTION_MAX; i += sizeof(long)) {
		long word = ptrace(PTRACE_PEEKTEXT, child, registers.rip + i, NULL);

		memcpy(code + i, &word, sizeof(word));
	}
}

static unsigned int count_until_mark(pid_t child)
{
	unsigned char code[INSTRUCTION_MAX + 1 + sizeof(long)];
	unsigned int n_locked = 0;

	for (unsigned int step = 0; step < STEPS_MAX; step++) {
		read_code(child, code);
		if (code[0] == MARK)
			return n_locked;
		n_locked += is_locked(code);
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
		wait_for_trap(child);
	}
	bench_die("health: the writer does not come to an end");
}

static unsigned int count_locked(void (*what)(void))
{
	pid_t child = fork();
	unsigned int n_locked;

	if (child < 0)
		bench_die("health: fork: %s", strerror(errno));
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		what();
		_exit(0);
	}
	wait_for_trap(child);
	n_locked = count_until_mark(child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return n_locked;
}

void rows_locked(void)
{
	static const char *const name = "core: health locked instructions in the writer";

	if (!row_is_wanted(name + strlen("core: ")))
		return;
	bench_say("%s", name);
	if (count_locked(add_one) != 1)
		bench_die("health: locked instructions are not recognised");
	for (unsigned int round = 1; round <= bench_rounds(); round++)
		bench_record(name, "headroom", round, count_locked(record_chunk), "count");
}
