/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A slot is held by a lock that belongs to an open file, and fork() gives the
 * child the same open file, by the descriptor and by the mapping. So the child
 * lets go of both at once, and the lock ends with the parent. In the place of the
 * mapping it gets a copy: a program that goes on to use the stream there changes
 * nothing of the parent's and does not crash.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/page_internal.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct hr_page *opened;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* Only system calls and memcpy(): the child may have been a thread of many. */
static void replace_by_copy(struct hr_page *page)
{
	void *copy = mmap(NULL, page->mapped_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return;
	memcpy(copy, page->shared, page->used_bytes);
	if (mremap(copy, page->mapped_bytes, page->mapped_bytes,
		   MREMAP_MAYMOVE | MREMAP_FIXED, page->shared) == MAP_FAILED)
		munmap(copy, page->mapped_bytes);
}

/* The number stays taken: whoever has it will close it. */
static void replace_descriptor(int fd)
{
	int null_fd = fd < 0 ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd >= 0) {
		dup3(null_fd, fd, O_CLOEXEC);
		close(null_fd);
	}
}

static void after_fork_in_child(void)
{
	while (opened) {
		struct hr_page *page = opened;

		opened = page->next;
		page->next = NULL;
		replace_by_copy(page);
		close(page->fd);
		page->fd = -1;
		replace_descriptor(page->companion_fd);
	}
	pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
	/* Without memory for it a child may hold a slot longer than it should. */
	(void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void hr_page_fork_add(struct hr_page *page)
{
	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&lock);
	page->next = opened;
	opened = page;
	pthread_mutex_unlock(&lock);
}

void hr_page_fork_remove(struct hr_page *page)
{
	pthread_mutex_lock(&lock);
	for (struct hr_page **link = &opened; *link; link = &(*link)->next) {
		if (*link == page) {
			*link = page->next;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}
