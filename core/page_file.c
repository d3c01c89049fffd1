/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/page_dir.h"
#include "core/page_file.h"

/* Times to start over when a file goes away under us. Two processes that meet
 * need one or two; more is somebody who removes files in a loop. */
#define TAKE_TRIES 16

/* Non-blocking, or a planted FIFO would hold us up. */
#define FILE_FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)

int hr_page_file_name(char file_name[NAME_MAX + 1], const char *name,
		      enum hr_direction direction, uint32_t slot)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strnlen(name, HR_PAGE_NAME_MAX + 1);
	char *out = file_name;

	_Static_assert((size_t)3 * HR_PAGE_NAME_MAX + sizeof(".playback.4294967295") <= NAME_MAX,
		       "a name of nothing but escapes fits");
	if (length == 0 || length > HR_PAGE_NAME_MAX || slot >= HR_PAGE_SLOTS)
		return -EINVAL;
	if (direction != HR_PLAYBACK && direction != HR_CAPTURE)
		return -EINVAL;

	/* Dots are escaped too: those that end the name are then the only ones,
	 * and two different streams cannot have one file name. */
	for (size_t i = 0; i < length; i++) {
		if (strchr(plain, name[i]))
			*out++ = name[i];
		else
			out += sprintf(out, "%%%02X", (unsigned char)name[i]);
	}
	sprintf(out, ".%s.%u", direction == HR_PLAYBACK ? "playback" : "capture",
		(unsigned int)slot);
	return 0;
}

/* Who owns a page decides what is in it. A second name for it may be in a directory
 * where others can reach it. */
static int check_file(const struct stat *st, uid_t owner)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1)
		return -EPERM;
	if (st->st_uid != owner || st->st_mode & HR_WRITE_OTHERS)
		return -EPERM;
	return 0;
}

/* 0 for a page of ours, -ENOENT for one that is not finished, -EPROTO for
 * anything else, -errno. */
static int check_stamp(int fd, const struct stat *st, const struct hr_page_stamp *stamp)
{
	struct hr_page_stamp found;
	ssize_t n;

	if (st->st_size == 0)
		return -ENOENT;
	if (st->st_size != (off_t)stamp->bytes)
		return -EPROTO;

	n = pread(fd, &found, sizeof(found), 0);
	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(found))
		return -EPROTO;
	if (found.magic == 0)
		return -ENOENT;
	return memcmp(&found, stamp, sizeof(found)) == 0 ? 0 : -EPROTO;
}

static struct flock whole_file(short type)
{
	return (struct flock) {
		.l_type = type,
		.l_whence = SEEK_SET,
	};
}

/* A lock of the open file description: a second stream of the same process does
 * not get it, and closing some other descriptor of the file does not lose it, as
 * both would be with F_SETLK. */
static int lock_file(int fd)
{
	struct flock lock = whole_file(F_WRLCK);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	/* Whoever may read a file can lock it for reading, but no stream does: it would
	 * be somebody who takes away slots. */
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_RDLCK)
		return -ESTALE;
	return -EBUSY;
}

/* A file longer than the program's limit would cost it not an error but a
 * SIGXFSZ. */
static int set_size(int fd, uint32_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
		return -EFBIG;
	return ftruncate(fd, (off_t)bytes) < 0 ? -errno : 0;
}

/* Bring access and memory up to what is wanted.
 *
 * A store to a page of the mapping that has no memory behind it is a SIGBUS when
 * the file system is full, and the program that dies of it is not ours. So all
 * that a stream will store to is allocated here, where the failure is a number.
 * What remains: the owner shortening the file under the stream (tmpfs takes no
 * seals on files with names). Nobody else can. */
static int fit_file(int fd, const struct stat *st, const struct hr_page_access *access,
		    uint32_t bytes, uint32_t used_bytes)
{
	int err = 0;

	if (access->gid != (gid_t)-1 && access->gid != st->st_gid &&
	    fchown(fd, (uid_t)-1, access->gid) < 0)
		return -errno;
	if ((st->st_mode & 07777) != access->perm && fchmod(fd, access->perm) < 0)
		return -errno;
	if (st->st_size != (off_t)bytes)
		err = set_size(fd, bytes);
	if (err < 0)
		return err;
	do {
		err = posix_fallocate(fd, 0, (off_t)used_bytes);
	} while (err == EINTR);
	return -err;
}

/* The descriptor of a file in the slot's place, made if there is none. */
static int open_or_make(int dir_fd, const char *file_name, bool *is_new)
{
	int fd = openat(dir_fd, file_name, O_RDWR | FILE_FLAGS);

	*is_new = false;
	if (fd < 0 && errno == ENOENT) {
		fd = openat(dir_fd, file_name, O_RDWR | O_CREAT | O_EXCL | FILE_FLAGS, 0600);
		*is_new = fd >= 0;
	}
	return fd < 0 ? -errno : fd;
}

/* Lock and check an open file. -EAGAIN: it is not, or no longer, the slot's
 * page; look again. */
static int claim_file(int fd, int dir_fd, const char *file_name, bool is_new,
		      const struct hr_page_stamp *stamp, struct stat *st)
{
	int err = lock_file(fd);
	bool is_spoilt = err == -ESTALE;

	if (err < 0 && !is_spoilt)
		return err;
	if (fstat(fd, st) < 0)
		return -errno;
	/* Removed by a former holder before the lock was ours. */
	if (st->st_nlink == 0)
		return -EAGAIN;
	err = check_file(st, geteuid());
	if (err < 0 || (is_new && !is_spoilt))
		return err;

	err = is_spoilt ? -EPROTO : check_stamp(fd, st, stamp);
	if (err != -ENOENT && err != -EPROTO)
		return err;
	/* Made anew as another file, not emptied in place: readers may have
	 * the old one mapped. */
	if (unlinkat(dir_fd, file_name, 0) < 0 && errno != ENOENT)
		return -errno;
	return -EAGAIN;
}

int hr_page_file_take(int dir_fd, const char *file_name,
		      const struct hr_page_access *access,
		      const struct hr_page_stamp *stamp, uint32_t used_bytes,
		      bool *is_new)
{
	int err = -EAGAIN;

	for (int i = 0; i < TAKE_TRIES && (err == -EAGAIN || err == -EEXIST); i++) {
		struct stat st;
		int fd = open_or_make(dir_fd, file_name, is_new);

		if (fd < 0) {
			err = fd;
			continue;
		}
		err = claim_file(fd, dir_fd, file_name, *is_new, stamp, &st);
		if (err == 0) {
			err = fit_file(fd, &st, access, stamp->bytes, used_bytes);
			if (err == 0)
				return fd;
			if (*is_new)
				unlinkat(dir_fd, file_name, 0);
		}
		close(fd);
	}
	return err;
}

void hr_page_file_release(int fd)
{
	struct flock lock = whole_file(F_UNLCK);

	fcntl(fd, F_OFD_SETLK, &lock);
	close(fd);
}

/* Whose page it may be: its reader believes the directory's owner and root, and who
 * writes to it maps it, which its owner could make deadly by shortening it. */
static uid_t expected_owner(int dir_fd, const struct stat *st, bool for_writing)
{
	struct stat dir_st;

	if (for_writing)
		return geteuid();
	if (st->st_uid == 0 || fstat(dir_fd, &dir_st) < 0)
		return 0;
	return dir_st.st_uid;
}

int hr_page_file_find(int dir_fd, const char *file_name,
		      const struct hr_page_stamp *stamp, bool for_writing)
{
	struct stat st;
	int fd, err;

	/* What is closed after it could be written wakes all who watch: not by every
	 * reader, and not by who may not write. */
	if (for_writing && fstatat(dir_fd, file_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    check_file(&st, geteuid()) < 0)
		return -EPERM;
	fd = openat(dir_fd, file_name, (for_writing ? O_RDWR : O_RDONLY) | FILE_FLAGS);
	if (fd < 0)
		return -errno;

	err = fstat(fd, &st) < 0 ? -errno : 0;
	/* Removed since we opened it: another is being made, if any. */
	if (err == 0 && st.st_nlink == 0)
		err = -ENOENT;
	if (err == 0)
		err = check_file(&st, expected_owner(dir_fd, &st, for_writing));
	if (err == 0)
		err = check_stamp(fd, &st, stamp);
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

/* Give a file without a name its size and contents. */
static int fill_file(int fd, const struct hr_page_stamp *stamp, const void *contents,
		     size_t n_bytes)
{
	int err = set_size(fd, stamp->bytes);
	ssize_t n;

	if (err < 0)
		return err;
	n = pwrite(fd, contents, n_bytes, 0);
	if (n < 0)
		return -errno;
	return n == (ssize_t)n_bytes ? 0 : -ENOSPC;
}

int hr_page_file_put(int dir_fd, const char *file_name,
		     const struct hr_page_stamp *stamp, const void *contents,
		     size_t n_bytes)
{
	char path[sizeof("/proc/self/fd/-2147483648")];
	/* Without a name until it is whole: nobody sees half of it, and if we are
	 * killed nothing stays. */
	int fd = openat(dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = fill_file(fd, stamp, contents, n_bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (err == 0 && linkat(AT_FDCWD, path, dir_fd, file_name, AT_SYMLINK_FOLLOW) < 0)
		err = -errno;
	close(fd);
	return err;
}

void hr_page_file_touch(int fd)
{
	futimens(fd, NULL);
}

bool hr_page_file_has_size(int fd, uint32_t bytes)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == (off_t)bytes;
}

bool hr_page_file_is_other(int fd, int dir_fd, const char *file_name)
{
	struct stat st, named;

	return fstat(fd, &st) < 0 ||
	       fstatat(dir_fd, file_name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	       st.st_ino != named.st_ino || st.st_dev != named.st_dev;
}

bool hr_page_file_is_locked(int fd)
{
	struct flock lock = whole_file(F_WRLCK);

	/* A lock for reading is nobody's who may have a slot. */
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}
