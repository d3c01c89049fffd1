/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/world.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER UINT64_MAX
#define NS_PER_S UINT64_C(1000000000)
#define BEGIN_NS (1000 * NS_PER_S)
#define LEAST_WAIT_NS 1000	/* to get to a poll and back takes time, too */
#define THREADS_MAX 16
#define TIMERS_MAX 16
#define FDS_MAX 20
#define WAKES_AT_ONCE 4000	/* of one thread, without time passing */
#define DEAD_WAITS 50
#define FOR_EVER_NS (5 * NS_PER_S)	/* of waiting without a limit */

struct thread {
	bool alive, asleep;
	int kick;		/* eventfd: the time it waits for has come */
	bool has_kick;
	struct pollfd fds[FDS_MAX];
	nfds_t n_fds;
	uint64_t deadline_ns;
	uint64_t woken_ns;
	unsigned int wakes;	/* at woken_ns */
	void *(*main)(void *);
	void *arg;
};

struct timer {
	bool used;
	int fd;
	uint64_t due_ns;	/* NEVER: off or fired */
};

static _Atomic uint64_t now_ns = BEGIN_NS;
static _Atomic uint32_t events;		/* some thread fell asleep or ended */
static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct thread threads[THREADS_MAX];
static struct timer timers[TIMERS_MAX];
static _Atomic uint64_t wakeups;
static struct thread program;		/* only its counters are used */
static unsigned int dead_waits;
static __thread struct thread *self;	/* NULL: the program's */

static long real_poll(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
	struct timespec copy = timeout ? *timeout : (struct timespec){ 0 };

	return syscall(SYS_ppoll, fds, n, timeout ? &copy : NULL, NULL, 8);
}

/* No memcpy(): sanitizers see that one even here. */
static void copy_fds(struct pollfd *to, const struct pollfd *from, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		to[i] = from[i];
		__asm__ volatile("" ::: "memory");	/* nor one of the compiler's */
	}
}

static void take_lock(void)
{
	while (atomic_flag_test_and_set(&lock))
		syscall(SYS_sched_yield);
}

static void drop_lock(void)
{
	atomic_flag_clear(&lock);
}

static void make_readable(int fd)
{
	uint64_t one = 1;

	syscall(SYS_write, fd, &one, sizeof(one));
}

static void make_unreadable(int fd)
{
	uint64_t count;

	syscall(SYS_read, fd, &count, sizeof(count));
}

static int make_eventfd(void)
{
	return (int)syscall(SYS_eventfd2, 0, 02000000 | 00004000); /* cloexec, nonblock */
}

static void tell_program(void)
{
	atomic_fetch_add(&events, 1);
	syscall(SYS_futex, &events, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void give_up(int status, const char *what)
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
		give_up(WORLD_SPINS, what);
}

static const struct timespec at_once;

/* [locked] */
static bool is_at_rest(struct thread *thread)
{
	struct pollfd fds[FDS_MAX];

	if (!thread->alive)
		return true;
	if (!thread->asleep)
		return false;
	copy_fds(fds, thread->fds, thread->n_fds);
	return thread->n_fds == 0 || real_poll(fds, thread->n_fds, &at_once) == 0;
}

void world_settle(void)
{
	for (;;) {
		uint32_t seen = atomic_load(&events);
		bool rest = true;

		take_lock();
		for (int i = 0; i < THREADS_MAX && rest; i++)
			rest = is_at_rest(&threads[i]);
		drop_lock();
		if (rest)
			return;
		syscall(SYS_futex, &events, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	}
}

static uint64_t next_due(void)
{
	uint64_t due = NEVER;

	for (int i = 0; i < TIMERS_MAX; i++)
		if (timers[i].used && timers[i].due_ns < due)
			due = timers[i].due_ns;
	for (int i = 0; i < THREADS_MAX; i++)
		if (threads[i].alive && threads[i].deadline_ns < due)
			due = threads[i].deadline_ns;
	return due;
}

/* Everybody is at rest, and what is due then is woken. */
static void jump_to(uint64_t ns)
{
	take_lock();
	if (ns > world_now_ns())
		atomic_store(&now_ns, ns);
	for (int i = 0; i < TIMERS_MAX; i++) {
		if (!timers[i].used || timers[i].due_ns > ns)
			continue;
		timers[i].due_ns = NEVER;
		make_readable(timers[i].fd);
	}
	for (int i = 0; i < THREADS_MAX; i++) {
		if (!threads[i].alive || threads[i].deadline_ns > ns)
			continue;
		threads[i].deadline_ns = NEVER;
		threads[i].asleep = false;
		make_readable(threads[i].kick);
	}
	drop_lock();
}

/* The program's thread waits for its descriptors or until then. */
static int program_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	uint64_t patience_ns = world_now_ns() + FOR_EVER_NS;

	count_wake(&program, "the program's thread spins");
	for (;;) {
		uint64_t due;
		long ready;

		world_settle();
		ready = n ? real_poll(fds, n, &at_once) : 0;
		if (ready != 0)
			return (int)ready;
		if (world_now_ns() >= deadline_ns)
			return 0;
		due = next_due();
		if (deadline_ns == NEVER && (due == NEVER || due > patience_ns)) {
			if (++dead_waits > DEAD_WAITS)
				give_up(WORLD_HANGS, "a call never returns");
			errno = EDEADLK;
			return -1;
		}
		jump_to(due < deadline_ns ? due : deadline_ns);
	}
}

static int other_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	uint64_t least = world_now_ns() + LEAST_WAIT_NS;
	struct pollfd with_kick[FDS_MAX + 1];

	if (n > FDS_MAX)
		give_up(WORLD_HANGS, "too many descriptors");
	take_lock();
	copy_fds(self->fds, fds, n);
	self->n_fds = n;
	self->deadline_ns = deadline_ns < least ? least : deadline_ns;
	self->asleep = true;
	drop_lock();
	tell_program();
	copy_fds(with_kick, fds, n);
	with_kick[n] = (struct pollfd){ self->kick, POLLIN, 0 };
	while (real_poll(with_kick, n + 1, NULL) < 0)
		;
	take_lock();
	self->asleep = false;
	self->deadline_ns = NEVER;
	make_unreadable(self->kick);
	drop_lock();
	atomic_fetch_add(&wakeups, 1);
	count_wake(self, "a thread spins");
	return n ? (int)real_poll(fds, n, &at_once) : 0;
}

static int virtual_poll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
	return self ? other_poll(fds, n, deadline_ns) : program_poll(fds, n, deadline_ns);
}

static uint64_t to_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * NS_PER_S + (uint64_t)ts->tv_nsec;
}

void world_begin(void)
{
	for (int i = 0; i < TIMERS_MAX; i++)
		timers[i].used = false;
	program.wakes = 0;
	dead_waits = 0;
	atomic_store(&wakeups, 0);
	atomic_store(&now_ns, BEGIN_NS);
}

uint64_t world_now_ns(void)
{
	return atomic_load_explicit(&now_ns, memory_order_relaxed);
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

	take_lock();
	for (int i = 0; i < THREADS_MAX; i++)
		n += threads[i].alive;
	drop_lock();
	return n;
}

/* --- in libc's place --- */

int clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t now = world_now_ns();

	if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME && id != CLOCK_MONOTONIC_RAW)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(now / NS_PER_S);
	ts->tv_nsec = (long)(now % NS_PER_S);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	uint64_t now = world_now_ns();

	(void)zone;
	tv->tv_sec = (time_t)(now / NS_PER_S);
	tv->tv_usec = (suseconds_t)(now % NS_PER_S / 1000);
	return 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	return virtual_poll(fds, n, timeout_ms < 0 ? NEVER :
			    world_now_ns() + (uint64_t)timeout_ms * 1000000);
}

/* What poll() is in programs built with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size)
{
	(void)size;
	return poll(fds, n, timeout_ms);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	(void)mask;
	return virtual_poll(fds, n, timeout ? world_now_ns() + to_ns(timeout) : NEVER);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		const sigset_t *mask, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, n, timeout, mask);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	virtual_poll(NULL, 0, world_now_ns() + to_ns(wanted));
	return 0;
}

int usleep(useconds_t us)
{
	virtual_poll(NULL, 0, world_now_ns() + (uint64_t)us * 1000);
	return 0;
}

int timerfd_create(int clock, int flags)
{
	int fd = make_eventfd();

	(void)clock;
	(void)flags;
	take_lock();
	for (int i = 0; i < TIMERS_MAX && fd >= 0; i++) {
		if (timers[i].used && timers[i].fd != fd)
			continue;
		timers[i] = (struct timer){ true, fd, NEVER };
		drop_lock();
		return fd;
	}
	give_up(WORLD_HANGS, "too many timers");
	return -1;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
		    struct itimerspec *old_value)
{
	uint64_t due_ns = to_ns(&new_value->it_value), now;

	(void)old_value;
	take_lock();
	now = world_now_ns();
	if (due_ns == 0)
		due_ns = NEVER;
	else if (!(flags & TFD_TIMER_ABSTIME))
		due_ns += now;
	make_unreadable(fd);
	for (int i = 0; i < TIMERS_MAX; i++)
		if (timers[i].used && timers[i].fd == fd)
			timers[i].due_ns = due_ns <= now ? NEVER : due_ns;
	if (due_ns <= now)
		make_readable(fd);
	drop_lock();
	return 0;
}

static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	void *result;

	self = thread;
	result = thread->main(thread->arg);
	take_lock();
	thread->alive = false;
	drop_lock();
	tell_program();
	return result;
}

static struct thread *add_thread(void *(*main)(void *), void *arg)
{
	for (int i = 0; i < THREADS_MAX; i++) {
		struct thread *thread = &threads[i];

		if (thread->alive)
			continue;
		if (!thread->has_kick)
			thread->kick = make_eventfd();
		thread->has_kick = true;
		thread->alive = true;
		thread->asleep = false;
		thread->deadline_ns = NEVER;
		thread->wakes = 0;
		thread->main = main;
		thread->arg = arg;
		return thread;
	}
	give_up(WORLD_HANGS, "too many threads");
	return NULL;
}

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* There in a build with sanitizers, whose notice of a thread must not be skipped. */
extern create_fn __interceptor_pthread_create __attribute__((weak));

int pthread_create(pthread_t *restrict id, const pthread_attr_t *restrict attr,
		   void *(*main)(void *), void *restrict arg)
{
	create_fn *real = __interceptor_pthread_create;
	struct thread *thread;
	int err;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	take_lock();
	thread = add_thread(main, arg);
	drop_lock();
	err = real(id, attr, thread_main, thread);
	if (err != 0) {
		take_lock();
		thread->alive = false;
		drop_lock();
	}
	return err;
}
