/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/speed/calls.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/bench/record.h"

/* The sixth argument, which none of the calls here has, of those that the handler makes. */
#define OURS 0x48524d4du

static volatile sig_atomic_t calls, marks[2], n_marks;

static void make_call(int signal, siginfo_t *info, void *context)
{
	int error = errno;
	long result;
#if defined(__x86_64__)
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const long args[] = { r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8] };
#elif defined(__aarch64__)
	unsigned long long *r = ((ucontext_t *)context)->uc_mcontext.regs;
	const long args[] = { (long)r[0], (long)r[1], (long)r[2], (long)r[3], (long)r[4] };
#else
	const long args[5] = { 0 };	/* calls_count() refuses */
#endif

	(void)signal;
	calls = calls + 1;
	result = syscall(info->si_syscall, args[0], args[1], args[2], args[3], args[4], OURS);
	if (result < 0)
		result = -errno;
	errno = error;
#if defined(__x86_64__)
	r[REG_RAX] = result;
#elif defined(__aarch64__)
	r[0] = (unsigned long long)result;
#else
	(void)context;
#endif
}

void calls_count(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OURS, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
	struct sigaction action = { .sa_sigaction = make_call,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };

#if !defined(__x86_64__) && !defined(__aarch64__)
	bench_die("cannot count system calls on this kind of machine");
#endif
	if (sigaction(SIGSYS, &action, NULL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		bench_die("cannot count system calls: %s", strerror(errno));
}

void calls_mark(void)
{
	marks[n_marks] = calls;
	n_marks = n_marks + 1;
}

unsigned calls_between_marks(void)
{
	return (unsigned)(marks[1] - marks[0]);
}
