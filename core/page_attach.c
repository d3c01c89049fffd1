/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The pages of other processes: looking at them, and carrying a setting there.
 *
 * A reader copies a page instead of mapping it. What its owner does to the file
 * meanwhile costs the reader an error at most, and what is looked at does not change
 * between two looks.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/page_internal.h"

/* Readings of the values until two agree. The streaming threads write once a chunk,
 * so that two are nearly always enough; more means somebody who writes in a loop. */
#define READ_TRIES 8

/* Everything but the latency samples. */
static size_t head_bytes(void)
{
	return sizeof(struct hr_page_shared) + hr_health_bytes(0);
}

/* Returns 0, -EPROTO for less than all, or -errno. */
static int read_at(int fd, void *to, size_t n_bytes, size_t offset)
{
	ssize_t n = pread(fd, to, n_bytes, (off_t)offset);

	if (n < 0)
		return -errno;
	return n == (ssize_t)n_bytes ? 0 : -EPROTO;
}

/* All but the samples, as it was at one moment: the kernel copies in no promised
 * order and perhaps by bytes, but two copies, one after the other, that agree are
 * what was there in between. */
static int read_head(struct hr_page *page)
{
	char again[sizeof(struct hr_page_shared) + HR_HEALTH_HEAD_MAX];
	size_t n_bytes = head_bytes();
	int err = read_at(page->fd, page->shared, n_bytes, 0);

	for (int i = 0; i < READ_TRIES && err == 0; i++) {
		err = read_at(page->fd, again, n_bytes, 0);
		if (err == 0 && memcmp(again, page->shared, n_bytes) == 0)
			break;
		memcpy(page->shared, again, err == 0 ? n_bytes : 0);
	}
	return err;
}

static bool is_page(const struct hr_page *page)
{
	struct hr_page_stamp stamp = hr_page_this_stamp();

	return memcmp(page->shared, &stamp, sizeof(stamp)) == 0 &&
	       hr_page_file_has_size(page->fd, stamp.bytes);
}

/* After the values, which say how many there are: each that they count was written
 * before. One that is written just now is as old or as new as any in the window. */
static int read_samples(struct hr_page *page)
{
	size_t n_bytes = hr_health_window(page->health) * sizeof(uint64_t);

	return read_at(page->fd, (char *)page->shared + head_bytes(), n_bytes,
		       head_bytes());
}

int hr_page_refresh(struct hr_page *page, bool with_samples)
{
	int err;

	if (page->kind != HR_PAGE_ATTACHED)
		return 0;
	err = read_head(page);
	if (err == 0 && !is_page(page))
		err = -EPROTO;
	if (err == 0 && with_samples)
		err = read_samples(page);
	return err;
}

/* The descriptor of a page's file, or -errno. */
static int find_file(uid_t owner, const char *file_name, bool for_writing)
{
	struct hr_page_stamp stamp = hr_page_this_stamp();
	int dir_fd = hr_page_dir_find(owner);
	int fd;

	if (dir_fd < 0)
		return dir_fd;
	fd = hr_page_file_find(dir_fd, file_name, &stamp, for_writing);
	close(dir_fd);
	return fd;
}

int hr_page_attach(struct hr_page **pagep, uid_t owner, const char *name,
		   enum hr_direction direction, uint32_t slot)
{
	char file_name[NAME_MAX + 1];
	struct hr_page *page;
	int fd, err;

	err = hr_page_file_name(file_name, name, direction, slot);
	if (err < 0)
		return err;
	fd = find_file(owner, file_name, false);
	if (fd < 0)
		return fd;

	page = hr_page_new(HR_PAGE_ATTACHED, fd, hr_page_this_stamp().bytes);
	if (!page) {
		close(fd);
		return -ENOMEM;
	}
	page->slot = slot;
	page->owner = owner;
	strcpy(page->file_name, file_name);
	err = hr_page_refresh(page, true);
	if (err < 0) {
		hr_page_close(page, 0);
		return err;
	}
	*pagep = page;
	return 0;
}

bool hr_page_is_removed(const struct hr_page *page)
{
	bool is_other;
	int dir_fd;

	if (page->kind != HR_PAGE_ATTACHED)
		return false;
	dir_fd = hr_page_dir_find(page->owner);
	/* Out of descriptors, say: then the page that we have still stands. */
	if (dir_fd < 0)
		return dir_fd == -ENOENT || dir_fd == -ENOTDIR || dir_fd == -EPERM;
	is_other = hr_page_file_is_other(page->fd, dir_fd, page->file_name);
	close(dir_fd);
	return is_other;
}

int hr_page_watch(uid_t owner, int inotify_fd)
{
	return hr_page_dir_watch(owner, inotify_fd);
}

struct hr_page_shared *hr_page_map_shared(const struct hr_page *page, int *errp)
{
	int fd = find_file(page->owner, page->file_name, true);
	void *map;

	if (fd < 0) {
		*errp = fd;
		return NULL;
	}
	map = mmap(NULL, head_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		*errp = -errno;
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

void hr_page_unmap_shared(struct hr_page_shared *shared)
{
	munmap(shared, head_bytes());
}
