/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The files behind the pages: where they are, what they are called, who may have
 * made them, and which process holds them.
 *
 * Nothing here knows what is in a page but its stamp, the first bytes that tell
 * a page we can read from any other file. All calls are [setup], except
 * hr_page_file_is_locked(), which is for [any].
 */
#ifndef HR_CORE_PAGE_FILE_H
#define HR_CORE_PAGE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/health_page.h"

/* Names a layout. No field of a finished page is 0. The writer stores magic last:
 * until then the page counts as not there. */
struct hr_page_stamp {
	uint32_t magic;
	uint32_t version;
	uint32_t bytes;		/* of the whole file */
	uint32_t n_stats;
};

struct hr_page_access {
	mode_t perm;		/* of the file; 06xx, writable by the owner only */
	gid_t gid;		/* (gid_t)-1 leaves it */
};

/** Write the name of a page's file. Returns 0, or -EINVAL for a name of no or
 * more than HR_PAGE_NAME_MAX bytes, or a slot that cannot be. */
int hr_page_file_name(char file_name[NAME_MAX + 1], const char *name,
		      enum hr_direction direction, uint32_t slot);

/**
 * Open the directory to make pages in, making it if it is missing. Others get
 * into our own (not into one that HEADROOM_DIR names and that was there before)
 * as far as access lets them read a page.
 * Returns a descriptor, -EPERM for one that is not ours alone, or -errno.
 */
int hr_page_dir_open(const struct hr_page_access *access);

/** Open the directory to read pages of. Returns a descriptor, -ENOENT, -EPERM
 * for one owned by neither us nor root or writable by others, or -errno. */
int hr_page_dir_find(void);

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
 * Open the file of a page that can be read: for writing as well where we may.
 * Returns a descriptor, -ENOENT, -EPROTO for another stamp, -EPERM for one
 * owned by neither us nor root or writable by others, or -errno.
 */
int hr_page_file_find(int dir_fd, const char *file_name,
		      const struct hr_page_stamp *stamp);

/** Whether another open file description has the lock. Takes none. */
bool hr_page_file_is_locked(int fd);

#endif
