/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The files behind the pages: what they are called, who may have made them, and which
 * process holds them.
 *
 * Nothing here knows what is in a page but its stamp, the first bytes that tell
 * a page we can read from any other file. All calls are [setup], except
 * hr_page_file_is_locked() and hr_page_file_touch(), which are for [any].
 */
#ifndef HR_CORE_PAGE_FILE_H
#define HR_CORE_PAGE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/health_page.h"
#include "core/page_dir.h"

/* Names a layout. No field of a finished page is 0. The writer stores magic last:
 * until then the page counts as not there. */
struct hr_page_stamp {
	uint32_t magic;
	uint32_t version;
	uint32_t bytes;		/* of the whole file */
	uint32_t n_stats;
};

/** Write the name of a page's file. Returns 0, or -EINVAL for a name of no or
 * more than HR_PAGE_NAME_MAX bytes, or a slot that cannot be. */
int hr_page_file_name(char file_name[NAME_MAX + 1], const char *name,
		      enum hr_direction direction, uint32_t slot);

/**
 * Lock the file of a page, making it if it is missing or has another stamp. The
 * first used_bytes of it are backed by memory. *is_new tells that it is all zero
 * and wants its stamp.
 * Returns a descriptor, -EBUSY when another process has the lock, -EPERM for
 * a file that is not ours alone, or -errno.
 */
int hr_page_file_take(int dir_fd, const char *file_name,
		      const struct hr_page_access *access,
		      const struct hr_page_stamp *stamp, uint32_t used_bytes,
		      bool *is_new);

/** Let go of the lock, though a forked child may still have the descriptor, and
 * close it. */
void hr_page_file_release(int fd);

/**
 * Open the file of a page to read it, or, if it is ours, to write to it.
 * Returns a descriptor, -ENOENT, -EPROTO for another stamp, -EPERM for one
 * owned by neither the directory's owner nor root (to write: not by us) or writable
 * by others, or -errno.
 */
int hr_page_file_find(int dir_fd, const char *file_name,
		      const struct hr_page_stamp *stamp, bool for_writing);

/** Put a finished file of a page where there is none: contents, of which the first
 * n_bytes are given, and nothing but zeros up to the stamp's size. Readable by
 * us only. Returns 0, -EEXIST, or -errno. */
int hr_page_file_put(int dir_fd, const char *file_name,
		     const struct hr_page_stamp *stamp, const void *contents,
		     size_t n_bytes);

/** Change its times, which tells those who watch the directory. */
void hr_page_file_touch(int fd);

/** Whether it is so long and no longer. */
bool hr_page_file_has_size(int fd, uint32_t bytes);

/** Whether the file is not the one by that name (any more). */
bool hr_page_file_is_other(int fd, int dir_fd, const char *file_name);

/** Whether another open file description has the lock. Takes none. */
bool hr_page_file_is_locked(int fd);

#endif
