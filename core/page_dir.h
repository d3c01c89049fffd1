/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The directories of the pages: where they are, who may have made them, and how to
 * learn of changes in them. All calls are [setup].
 */
#ifndef HR_CORE_PAGE_DIR_H
#define HR_CORE_PAGE_DIR_H

#include <sys/stat.h>
#include <sys/types.h>

/* Bits of a mode that nobody but the owner should have. */
#define HR_WRITE_OTHERS (S_IWGRP | S_IWOTH)

struct hr_page_access {
	mode_t perm;		/* of the file; 06xx, writable by the owner only */
	gid_t gid;		/* (gid_t)-1 leaves it */
};

/**
 * Open the directory to make pages in, making it if it is missing; owner is us, or
 * HR_PAGE_OWN, with which HEADROOM_DIR counts. Others get into our own (not into one
 * that HEADROOM_DIR names and that was there before) as far as access lets them read
 * a page.
 * Returns a descriptor, -EPERM for one that is not ours alone, or -errno.
 */
int hr_page_dir_open(uid_t owner, const struct hr_page_access *access);

/** Open the directory to read pages of: of the user given, or with HR_PAGE_OWN
 * where our own are. Returns a descriptor, -ENOENT, -EPERM for one owned by neither
 * that user nor root or writable by others (HEADROOM_DIR may be anybody's: it was
 * named), or -errno. */
int hr_page_dir_find(uid_t owner);

/** Have a descriptor of inotify tell of changes in that directory: a page that is
 * made, removed, touched, or closed by who could write it. Our own place is made if
 * it is missing. Returns the watch, or as hr_page_dir_find(). */
int hr_page_dir_watch(uid_t owner, int inotify_fd);

#endif
