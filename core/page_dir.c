/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "core/page_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/health_page.h"

/* What tells that a page may have changed. Closed for the last time after it could be
 * written: its stream has ended, be it killed, or somebody has changed a setting. */
#define WATCHED (IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
		 IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF)

/* The path of a user's directory; true if it is in our own place, not where
 * HEADROOM_DIR says. */
static bool dir_path(char *path, size_t size, uid_t owner)
{
	const char *given = owner == HR_PAGE_OWN ? secure_getenv("HEADROOM_DIR") : NULL;

	if (given && given[0] != '\0') {
		/* Cut short it would be another directory: make it none. */
		if ((size_t)snprintf(path, size, "%s", given) >= size)
			path[0] = '\0';
		return false;
	}
	if (owner == HR_PAGE_OWN)
		owner = geteuid();
	snprintf(path, size, "/dev/shm/headroom-%lu", (unsigned long)owner);
	return true;
}

/* A directory that others can write to is one where they can put files of ours
 * in each other's place. */
static int check_dir(int fd, struct stat *st)
{
	if (fstat(fd, st) < 0)
		return -errno;
	return (st->st_mode & HR_WRITE_OTHERS) ? -EPERM : 0;
}

/* Let those into the directory whom the page's permissions let read. A directory
 * has one group: the last to ask for one decides. */
static int widen_dir(int fd, const struct stat *st, const struct hr_page_access *access)
{
	mode_t mode = st->st_mode & 0777;
	gid_t gid = (gid_t)-1;

	if (access->perm & S_IRGRP) {
		mode |= S_IRGRP | S_IXGRP;
		gid = access->gid;
	}
	if (access->perm & S_IROTH)
		mode |= S_IROTH | S_IXOTH;

	if (gid != (gid_t)-1 && gid != st->st_gid && fchown(fd, (uid_t)-1, gid) < 0)
		return -errno;
	if (mode != (st->st_mode & 0777) && fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int hr_page_dir_open(uid_t owner, const struct hr_page_access *access)
{
	char path[PATH_MAX];
	struct stat st;
	bool may_widen = dir_path(path, sizeof(path), owner);
	int fd, err;

	if (mkdir(path, 0700) == 0)
		may_widen = true;
	else if (errno != EEXIST)
		return -errno;

	fd = open_dir(path);
	if (fd < 0)
		return fd;
	err = check_dir(fd, &st);
	if (err == 0 && st.st_uid != geteuid())
		err = -EPERM;
	if (err == 0 && may_widen)
		err = widen_dir(fd, &st, access);
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

int hr_page_dir_find(uid_t owner)
{
	char path[PATH_MAX];
	struct stat st;
	bool is_named = !dir_path(path, sizeof(path), owner);
	int fd, err;

	fd = open_dir(path);
	if (fd < 0)
		return fd;
	err = check_dir(fd, &st);
	if (owner == HR_PAGE_OWN)
		owner = geteuid();
	/* Anybody can make a directory by this name in /dev/shm. */
	if (err == 0 && !is_named && st.st_uid != owner && st.st_uid != 0)
		err = -EPERM;
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

int hr_page_dir_watch(uid_t owner, int inotify_fd)
{
	char path[PATH_MAX];
	int dir_fd, watch;

	/* So that nobody has to look for it again and again until the first stream. */
	if (dir_path(path, sizeof(path), owner) && owner == HR_PAGE_OWN)
		mkdir(path, 0700);
	/* In a stranger's, that stranger could keep us awake. */
	dir_fd = hr_page_dir_find(owner);
	if (dir_fd < 0)
		return dir_fd;
	watch = inotify_add_watch(inotify_fd, path, WATCHED | IN_ONLYDIR | IN_DONT_FOLLOW);
	if (watch < 0)
		watch = -errno;
	close(dir_fd);
	return watch;
}
