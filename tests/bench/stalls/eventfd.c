/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "eventfd.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/bench/record.h"
#include "tests/bench/stalls/crew.h"

#define IO_PRIORITY 60		/* headroom's default */

struct waker {
	int fd;
	uint64_t begin_ns, every_ns;
	unsigned int n;
	_Atomic uint64_t written_ns;	/* of the last write */
};

static void *wake_again_and_again(void *arg)
{
	const struct sched_param param = { .sched_priority = IO_PRIORITY };
	const uint64_t one = 1;
	struct waker *waker = arg;

	/* Where it may not: nor may headroom. */
	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	for (unsigned int i = 0; i < waker->n; i++) {
		crew_sleep_until(waker->begin_ns + i * waker->every_ns);
		/* release, pairs with the load below; the descriptor orders it too. */
		atomic_store_explicit(&waker->written_ns, hr_now_ns(), memory_order_release);
		if (write(waker->fd, &one, sizeof(one)) != sizeof(one))
			bench_die("cannot write to an eventfd");
	}
	return NULL;
}

void eventfd_wake_ups(uint64_t begin_ns, uint64_t every_ns, int64_t *ns, unsigned int n)
{
	struct waker waker = { eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), begin_ns, every_ns, n, 0 };
	pthread_t thread;

	bench_pin(1);		/* where the thread will stay */
	if (waker.fd < 0 ||
	    pthread_create(&thread, NULL, wake_again_and_again, &waker) != 0)
		bench_die("cannot make an eventfd or a thread");
	bench_pin(0);
	for (unsigned int i = 0; i < n; i++) {
		struct pollfd fd = { waker.fd, POLLIN, 0 };
		uint64_t count;

		if (poll(&fd, 1, -1) != 1)
			bench_die("poll fails");
		/* acquire: see above. */
		ns[i] = (int64_t)(hr_now_ns() -
			atomic_load_explicit(&waker.written_ns, memory_order_acquire));
		if (read(waker.fd, &count, sizeof(count)) != sizeof(count))
			bench_die("cannot read an eventfd");
		/* Woken so late that there were more: each was at least as late. */
		for (; count > 1 && i + 1 < n; count--, i++)
			ns[i + 1] = ns[i];
	}
	pthread_join(thread, NULL);
	close(waker.fd);
}
