/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the tests of pages share: a directory of pages for each test, streams and
 * readers of one name in it, and children that are other processes or other users.
 * A test must end with as many descriptors open as it began with. In a child too
 * ck_assert does what it should: the test fails with its words.
 */
#ifndef HR_TESTS_PAGE_FIXTURE_H
#define HR_TESTS_PAGE_FIXTURE_H

#include <check.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/health_page.h"

#define S HR_NS_PER_S
#define NOBODY 65534

/* Where the stamp has its fields: what other versions rely on. */
#define MAGIC_OFFSET 0
#define VERSION_OFFSET 4
#define STAMP_BYTES 16

/* The file of the first stream that `normal` describes. */
#define PAGE_FILE "test.playback.0"

extern const struct hr_page_config normal;
extern char dir[PATH_MAX];	/* HEADROOM_DIR of this test */

/* Users and a group that do not exist, others in each run. */
extern uid_t owner, stranger;
extern gid_t group;
#define NO_GROUP ((gid_t)-1)

/** A test case with the fixture, in the suite. */
TCase *add_case(Suite *suite, const char *name);

/** Run the suite; the exit status of the program. */
int run_suite(Suite *suite);

/** Whether this can become another user, or mount. */
bool is_root(void);

/* ---- numbers by chance ---- */

extern uint64_t seed;		/* the same numbers follow, in every run */

uint64_t random_u64(void);
uint32_t random_u32(void);
uint32_t random_below(uint32_t n);	/* 0..n - 1 */

/* ---- files ---- */

/** The path of something in the directory, good until the next call. */
const char *in_dir(const char *name);

int count_entries(const char *path);
mode_t mode_of(const char *path);
off_t size_of(const char *name);

/** Remove a directory and what is in it; what nftw() returns. */
int remove_all(const char *path);

/** Write n bytes into a file in the directory, which is made if need be. */
void overwrite(const char *name, off_t offset, const void *bytes, size_t n);

/** The path of an empty directory in the directory that belongs to the user, and
 * HEADROOM_DIR from now on. Takes root for any other user than us. */
void give_dir_to(uid_t uid);

/** Mount an empty file system of the size over the directory, seen by this process
 * only. Takes root; umount(dir) is owed. */
void mount_small(const char *options);

/* ---- streams and readers ---- */

/** A stream as `normal` describes it. */
struct hr_page *open_page(void);

/** The same, in private memory if that is not 0. */
struct hr_page *open_either(int private);

/** A reader of it. */
struct hr_page *attach_page(uint32_t slot);

/** A reader of the first page of another owner; what hr_page_attach() returns. */
int attach_to(struct hr_page **pagep, uid_t of);

/** That attach_to() returns err. */
void assert_attach_is(uid_t of, int err);

/** That it succeeds and shows the frames, and that settings fail with err and change
 * nothing. */
void assert_read_only(uid_t of, int err, uint64_t frames);

void assert_open_fails(int err);
void assert_attach_fails(int err);

/** A page that a stream has left behind, with 1000 frames counted; readable for
 * nobody else, or for others. */
void leave_page(void);
void leave_page_for(mode_t perm, gid_t gid);

/** Values as they are now: a reader's copy is brought up to date first. */
uint64_t get_now(struct hr_page *page, enum hr_stat stat);
struct hr_health_snapshot snapshot_of(struct hr_page *page);
void assert_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear);

/* ---- watching ---- */

extern int watch_fd;		/* of inotify, non-blocking */

/** Make watch_fd; close() is owed. */
void open_watch_fd(void);

/** Whether it tells of something by now, or within so many ms. */
bool is_told_within(int ms);

/* ---- other processes ---- */

void wait_for(pid_t child);	/* and demand that it succeeded */
void kill_child(pid_t child);
void send_byte(int fd);
void receive_byte(int fd);
void close_both(const int fds[2]);

/** A child that holds a page until it is killed, running, with 77 frames counted; as
 * the same user, or another who is in a group of its number and perhaps another. */
pid_t fork_holder(void);
pid_t fork_holder_as(uid_t uid, gid_t extra_group, const struct hr_page_config *config);

/** In a child: be such a user. */
void become(uid_t uid, gid_t extra_group);

/** Run something in a child that is such a user, and demand that it succeeds. */
void as_user(uid_t uid, gid_t extra_group, void (*body)(void));

#endif
