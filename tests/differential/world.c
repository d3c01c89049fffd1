/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/world_internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BEGIN_NS (1000 * NS_PER_S)
#define LEAST_WAIT_NS 1000	/* to get to a poll and back takes time, too */
#define THREADS_MAX 16
#define FDS_MAX 20
#define WAKES_AT_ONCE 4000	/* of one thread, without time passing */
#define DEAD_WAITS 50
#define PATIENCE_NS (5 * NS_PER_S)	/* before anybody says otherwise */

/* One that sleeps does so until a descriptor is ready or its time has come. */
struct thread {
	bool alive, asleep;
	_Atomic uint32_t go;	/* futex: it is to wake */
	struct pollfd fds[FDS_MAX];
	nfds_t n_fds;
	uint64_t deadline_ns;
	uint64_t woken_ns;
	unsigned int wakes;	/* at woken_ns */
	void *(*main)(void *);
	void *arg;
};

static _Atomic uint64_t now_ns = BEGIN_NS;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct thread threads[THREADS_MAX];
static int n_threads;			/* the slots that were ever used */
static struct thread program = { .alive = true };
static uint64_t patience_ns;		/* of the program, in any wait without a limit */
static uint64_t patient_until_ns;
static _Atomic uint64_t wakeups;
static unsigned int dead_waits;
static __thread struct thread *self;	/* NULL: the program's */

/* No memcpy(): sanitizers see that one even here. */
static void copy_fds(struct pollfd *to, const struct pollfd *from, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		to[i] = from[i];
		__asm__ volatile("" ::: "memory");	/* nor one of the compiler's */
	}
}

void world_take_lock(void)
{
	while (atomic_flag_test_and_set(&lock))
		syscall(SYS_sched_yield);
}

void world_drop_lock(void)
{
	atomic_flag_clear(&lock);
}

void world_give_up(int status, const char *what)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s at virtual time %llu ns\n", what,
			 (unsigned long long)world_now_ns());

	syscall(SYS_write, 2, text, (size_t)n);
	_exit(status);
}

static void count_wake(struct thread *thread, const char *what)
{
	uint64_t now = world_now_ns();

	if (thread->woken_ns != now)
		thread->wakes = 0;
	thread->woken_ns = now;
	if (++thread->wakes > WAKES_AT_ONCE)
		world_give_up(WORLD_SPINS, what);
}

/* [locked] */
static void rouse(struct thread *thread)
{
	thread->asleep = false;
	thread->deadline_ns = NEVER;
	atomic_store(&thread->go, 1);
}

/* Rouse whoever has something to do at this moment. Returns whether all but the
 * program are at rest. [locked] */
static bool rouse_others(void)
{
	bool rest = true;

	for (int i = 0; i < n_threads; i++) {
		struct thread *thread = &threads[i];

		if (!thread->alive)
			continue;
		if (thread->asleep && (thread->deadline_ns <= world_now_ns() ||
				       fd_look(thread->fds, thread->n_fds)))
			rouse(thread);
		rest = rest && thread->asleep;
	}
	return rest;
}

static uint64_t next_due(void)
{
	uint64_t due = fd_next_due();

	for (int i = 0; i < n_threads; i++)
		if (threads[i].alive && threads[i].deadline_ns < due)
			due = threads[i].deadline_ns;
	return due;
}

/* Whoever falls asleep as the last lets time go on, until somebody has something to
 * do; the program when the others have not. Often that is itself: no other thread
 * needs to run for it. [locked] */
static void go_on(void)
{
	while (rouse_others() && program.asleep) {
		uint64_t due = next_due(), deadline = program.deadline_ns;

		if (fd_look(program.fds, program.n_fds) || deadline <= world_now_ns() ||
		    (deadline == NEVER && due > patient_until_ns)) {
			rouse(&program);
			return;
		}
		atomic_store(&now_ns, due < deadline ? due : deadline);
		fd_fire(world_now_ns());
	}
}

static void wake(struct thread *thread)
{
	syscall(SYS_futex, &thread->go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void world_go_on_and_drop(void)
{
	bool slept[THREADS_MAX], program_slept = program.asleep;

	for (int i = 0; i < n_threads; i++)
		slept[i] = threads[i].asleep;
	go_on();
	for (int i = 0; i < n_threads; i++)
		slept[i] = slept[i] && !threads[i].asleep && &threads[i] != self;
	program_slept = program_slept && !program.asleep && self;
	world_drop_lock();
	for (int i = 0; i < n_threads; i++)
		if (slept[i])
			wake(&threads[i]);
	if (program_slept)
		wake(&program);
}

/* Returns how many descriptors are ready. */
static int sleep_on(struct thread *thread, struct pollfd *fds, nfds_t n,
		    uint64_t deadline_ns)
{
	int ready;

	if (n > FDS_MAX)
		world_give_up(WORLD_HANGS, "too many descriptors");
	world_take_lock();
	copy_fds(thread->fds, fds, n);
	thread->n_fds = n;
	thread->deadline_ns = deadline_ns;
	atomic_store(&thread->go, 0);
	thread->asleep = true;
	world_go_on_and_drop();
	while (atomic_load(&thread->go) == 0)
		syscall(SYS_futex, &thread->go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	world_take_lock();
	ready = fd_look(fds, n);
	world_drop_lock();
	return ready;
}

void world_settle(void)
{
	sleep_on(&program, NULL, 0, 0);
}

/* The program's thread waits for its descriptors or until then. */
static int program_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	int ready;

	count_wake(&program, "the program's thread spins");
	patient_until_ns = world_now_ns() + patience_ns;
	ready = sleep_on(&program, fds, n, deadline_ns);
	if (ready || deadline_ns != NEVER)
		return ready;
	if (++dead_waits > DEAD_WAITS)
		world_give_up(WORLD_HANGS, "a call never returns");
	errno = EDEADLK;
	return -1;
}

static int other_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	uint64_t least = world_now_ns() + LEAST_WAIT_NS;
	int ready = sleep_on(self, fds, n, deadline_ns < least ? least : deadline_ns);

	atomic_fetch_add(&wakeups, 1);
	count_wake(self, "a thread spins");
	return ready;
}

int world_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	return self ? other_poll(fds, n, deadline_ns) : program_poll(fds, n, deadline_ns);
}

void world_begin(void)
{
	program.wakes = 0;
	dead_waits = 0;
	patience_ns = PATIENCE_NS;
	atomic_store(&wakeups, 0);
	atomic_store(&now_ns, BEGIN_NS);
}

uint64_t world_now_ns(void)
{
	return atomic_load_explicit(&now_ns, memory_order_relaxed);
}

void world_set_patience(uint64_t ns)
{
	patience_ns = ns;
}

void world_advance_to(uint64_t ns)
{
	if (ns > world_now_ns())
		program_poll(NULL, 0, ns);
}

void world_next_call(void)
{
	program.wakes = 0;
	dead_waits = 0;
}

uint64_t world_wakeups(void)
{
	return atomic_load(&wakeups);
}

unsigned int world_threads(void)
{
	unsigned int n = 0;

	world_take_lock();
	for (int i = 0; i < n_threads; i++)
		n += threads[i].alive;
	world_drop_lock();
	return n;
}

void world_remove_thread(void *thread)
{
	struct thread *ended = thread;

	world_take_lock();
	ended->alive = false;
	world_go_on_and_drop();
}

void *world_thread_main(void *thread)
{
	void *result;

	self = thread;
	result = self->main(self->arg);
	world_remove_thread(thread);
	return result;
}

void *world_add_thread(void *(*thread_main)(void *), void *arg)
{
	struct thread *thread;
	int i = 0;

	world_take_lock();
	while (i < n_threads && threads[i].alive)
		i++;
	if (i == THREADS_MAX)
		world_give_up(WORLD_HANGS, "too many threads");
	if (i == n_threads)
		n_threads++;
	thread = &threads[i];
	thread->alive = true;
	thread->asleep = false;
	thread->deadline_ns = NEVER;
	thread->wakes = 0;
	thread->main = thread_main;
	thread->arg = arg;
	world_drop_lock();
	return thread;
}
