/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A slot is held by a lock that belongs to an open file, and fork() gives the
 * child the same open file. So the child closes its descriptor at once, and the
 * lock ends with the parent.
 */
#include <pthread.h>
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

static void after_fork_in_child(void)
{
	while (opened) {
		struct hr_page *page = opened;

		opened = page->next;
		page->next = NULL;
		close(page->fd);
		page->fd = -1;
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
