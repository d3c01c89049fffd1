/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/far_end.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define PIPE_BYTES (1 << 20)	/* as much as the kernel allows anybody */
#define BLOCK_BYTES 65536u
#define PATIENCE_NS (20 * HR_NS_PER_S)
#define FORWARD_MAX (1u << 31)	/* beyond it is backwards */

struct listener {
	int fd;
	struct soak_far *far;
	size_t n_bytes;			/* of a frame of which the rest is to come */
	uint8_t data[BLOCK_BYTES];
};

int soak_far_pipe(const char *path)
{
	int fd;

	if (mkfifo(path, 0600) < 0)
		soak_die("cannot make %s: %s", path, strerror(errno));
	/* For writing as well: so it has no end when a card is closed. */
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES) < 0)
		soak_die("pipe %s: %s", path, strerror(errno));
	return fd;
}

static void check(struct soak_far *far, const uint32_t frame[2])
{
	uint64_t last = soak_get(&far->last);
	uint32_t ahead = frame[0] - (uint32_t)last;

	if (!frame[0] && !frame[1]) {
		soak_add(&far->silence, 1);
	} else if (frame[1] != soak_checksum(frame[0]) || !ahead || ahead >= FORWARD_MAX) {
		soak_add(&far->damaged, 1);
	} else {
		/* Whether one was left out is seen by how many were heard up to here. */
		soak_set(&far->last, last + ahead);
		soak_add(&far->heard, 1);
	}
}

static void listen_to(struct listener *from)
{
	ssize_t n = read(from->fd, from->data + from->n_bytes, BLOCK_BYTES - from->n_bytes);
	size_t at = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		soak_die("the far end cannot read: %s", strerror(errno));
	from->n_bytes += (size_t)n;
	for (; from->n_bytes - at >= SOAK_FRAME_BYTES; at += SOAK_FRAME_BYTES) {
		uint32_t frame[2];

		memcpy(frame, from->data + at, sizeof(frame));
		check(from->far, frame);
	}
	from->n_bytes -= at;
	memmove(from->data, from->data + at, from->n_bytes);
	/* release, pairs with soak_far_wait(). */
	atomic_store_explicit(&from->far->total,
			      soak_get(&from->far->total) + at / SOAK_FRAME_BYTES,
			      memory_order_release);
}

void soak_far_end(struct soak_shared *shared, const int fds[SOAK_PIPES])
{
	static struct listener listeners[SOAK_PIPES];
	struct pollfd polled[SOAK_PIPES];

	for (int i = 0; i < SOAK_PIPES; i++) {
		listeners[i].fd = fds[i];
		listeners[i].far = &shared->far[i];
		polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	for (;;) {
		if (poll(polled, SOAK_PIPES, -1) < 0)
			soak_die("the far end cannot wait: %s", strerror(errno));
		for (int i = 0; i < SOAK_PIPES; i++)
			if (polled[i].revents & POLLIN)
				listen_to(&listeners[i]);
	}
}

bool soak_far_wait(const struct soak_far *far, uint64_t total)
{
	const struct timespec look_every = { .tv_nsec = HR_NS_PER_MS };
	uint64_t begun_ns = hr_now_ns();

	/* acquire, pairs with listen_to(). */
	while (atomic_load_explicit(&far->total, memory_order_acquire) < total) {
		if (hr_now_ns() - begun_ns > PATIENCE_NS)
			return false;
		nanosleep(&look_every, NULL);
	}
	return true;
}
