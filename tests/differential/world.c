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
#define WRITES_MAX 64
#define PATIENCE_NS (5 * NS_PER_S)	/* before anybody says otherwise */

/* One that sleeps does so until a descriptor is ready or its time has come. */
struct thread {
	bool alive, asleep;
	_Atomic uint32_t go;	/* futex: it is to wake */
	struct pollfd fds[FDS_MAX];
	nfds_t n_fds;
	uint64_t deadline_ns;
	sem_t *sem;		/* or until this can be taken */
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
static bool serial;
static uint64_t held_from_ns = NEVER, held_until_ns;	/* all but the program */
static struct {
	uint64_t due_ns;
	int fd;
	int64_t offset;
	uint32_t word;
} writes[WRITES_MAX];
static int n_writes;
static _Atomic uint64_t wakeups, calls, waits;
static unsigned int dead_waits;
static __thread struct thread *self;	/* NULL: the program's */
static __thread uint64_t readings;

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
	thread->sem = NULL;
	atomic_store(&thread->go, 1);
}

static bool is_held(uint64_t at_ns)
{
	return at_ns >= held_from_ns && at_ns < held_until_ns;
}

static bool can_take(sem_t *sem)
{
	int value = 0;

	return sem_getvalue(sem, &value) == 0 && value > 0;
}

/* [locked] */
static bool has_to_do(struct thread *thread)
{
	return thread->deadline_ns <= world_now_ns() ||
	       (thread->sem ? can_take(thread->sem) : fd_look(thread->fds, thread->n_fds));
}

/* [locked] */
static bool anybody_runs(void)
{
	for (int i = 0; i < n_threads; i++)
		if (threads[i].alive && !threads[i].asleep)
			return true;
	return false;
}

/* Rouse whoever has something to do at this moment; in turn, if never two are to run at
 * once. Returns whether all but the program are at rest. [locked] */
static bool rouse_others(void)
{
	bool rest = true;

	for (int i = 0; i < n_threads; i++) {
		struct thread *thread = &threads[i];

		if (!thread->alive)
			continue;
		if (thread->asleep && !is_held(world_now_ns()) && has_to_do(thread) &&
		    !(serial && anybody_runs()))
			rouse(thread);
		rest = rest && thread->asleep;
	}
	return rest;
}

static uint64_t next_due(void)
{
	uint64_t due = is_held(world_now_ns()) ? held_until_ns : NEVER;

	for (int i = 0; i < n_threads; i++)
		if (threads[i].alive && threads[i].deadline_ns < due)
			due = threads[i].deadline_ns;
	if (is_held(due))
		due = held_until_ns;
	if (fd_next_due() < due)
		due = fd_next_due();
	for (int i = 0; i < n_writes; i++)
		if (writes[i].due_ns < due)
			due = writes[i].due_ns;
	return due;
}

/* [locked] */
static void write_due(void)
{
	for (int i = 0; i < n_writes; i++) {
		if (writes[i].due_ns > world_now_ns())
			continue;
		syscall(SYS_pwrite64, writes[i].fd, &writes[i].word, sizeof(writes[i].word),
			writes[i].offset);
		writes[i--] = writes[--n_writes];
	}
}

/* Whether the program has what it waits for, or has waited long enough. [locked] */
static bool program_goes_on(uint64_t due)
{
	return fd_look(program.fds, program.n_fds) || program.deadline_ns <= world_now_ns() ||
	       (program.deadline_ns == NEVER && due > patient_until_ns);
}

/* Whoever falls asleep as the last lets time go on, until somebody has something to
 * do; the program when the others have not. Often that is itself: no other thread
 * needs to run for it. [locked] */
static void go_on(void)
{
	bool rest;

	while (rest = rouse_others(), program.asleep) {
		uint64_t due = next_due(), deadline = program.deadline_ns;

		/* With what it took from them in hand others of its threads may wait for
		 * it, and are not at rest before. */
		if (program.sem ? has_to_do(&program) : rest && program_goes_on(due)) {
			rouse(&program);
			return;
		}
		if (!rest)
			return;
		if (program.sem && due == NEVER && deadline == NEVER)
			world_give_up(WORLD_HANGS, "nobody answers");
		atomic_store(&now_ns, due < deadline ? due : deadline);
		fd_fire(world_now_ns());
		write_due();
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

/* Its fds, deadline and sem say what for. [locked], and drops the lock */
static void sleep_and_drop(struct thread *thread)
{
	atomic_store(&thread->go, 0);
	thread->asleep = true;
	world_go_on_and_drop();
	while (atomic_load(&thread->go) == 0)
		syscall(SYS_futex, &thread->go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
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
	sleep_and_drop(thread);
	world_take_lock();
	ready = fd_look(fds, n);
	world_drop_lock();
	return ready;
}

void world_settle(void)
{
	sleep_on(&program, NULL, 0, 0);
}

void world_await_semaphore(sem_t *sem, uint64_t deadline_ns)
{
	struct thread *thread = self ? self : &program;

	world_take_lock();
	thread->n_fds = 0;
	thread->deadline_ns = deadline_ns;
	thread->sem = sem;
	sleep_and_drop(thread);
}

void world_let_others_run(void)
{
	if (serial && !self)
		world_settle();
}

void world_set_serial(bool is)
{
	serial = is;
}

void world_hold_others(uint64_t from_ns, uint64_t until_ns)
{
	world_take_lock();
	held_from_ns = from_ns;
	held_until_ns = until_ns;
	world_drop_lock();
}

bool world_write_at(uint64_t ns, int fd, int64_t offset, uint32_t word)
{
	bool has_room;

	world_take_lock();
	has_room = n_writes < WRITES_MAX;
	if (has_room) {
		writes[n_writes].due_ns = ns;
		writes[n_writes].fd = fd;
		writes[n_writes].offset = offset;
		writes[n_writes++].word = word;
	}
	world_drop_lock();
	return has_room;
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
	serial = false;
	held_from_ns = NEVER;
	held_until_ns = 0;
	n_writes = 0;
	atomic_store(&wakeups, 0);
	atomic_store(&calls, 0);
	atomic_store(&waits, 0);
	readings = 0;
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

void world_count_call(bool is_wait)
{
	atomic_fetch_add(&calls, 1);
	if (is_wait)
		atomic_fetch_add(&waits, 1);
}

void world_count_reading(void)
{
	readings++;
}

struct world_effort world_effort(void)
{
	return (struct world_effort){ atomic_load(&calls), atomic_load(&waits), readings };
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
	thread->sem = NULL;
	thread->wakes = 0;
	thread->main = thread_main;
	thread->arg = arg;
	world_drop_lock();
	return thread;
}
