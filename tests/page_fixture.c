/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/page_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

const struct hr_page_config normal = {
	.name = "test",
	.direction = HR_PLAYBACK,
	.perm = 0600,
	.gid = (gid_t)-1,
	.trigger = 90,
	.clear = 70,
	.window = 1024,
};

char dir[PATH_MAX];
uid_t owner, stranger;
gid_t group;
uint64_t seed;
static char all_dirs[64];	/* one for each test is in here, for the last to clear up */
static int n_fds_before;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int remove_all(const char *path)
{
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int count_entries(const char *path)
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(stream);
	return n;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s/XXXXXX", all_dirs);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("HEADROOM_DIR", dir, 1), 0);
	n_fds_before = count_entries("/proc/self/fd");
}

static void teardown(void)
{
	ck_assert_int_eq(count_entries("/proc/self/fd"), n_fds_before);
	ck_assert_int_eq(remove_all(dir), 0);
}

TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	/* Below what a container without many users has. */
	owner = 50000 + (uid_t)getpid() % 3000 * 3;
	stranger = owner + 1;
	group = owner + 2;
	snprintf(all_dirs, sizeof(all_dirs), "%s/headroom-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	/* So that other users get to what a test lets them see. */
	if (!mkdtemp(all_dirs) || chmod(all_dirs, 0711) < 0) {
		perror(all_dirs);
		return EXIT_FAILURE;
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_all(all_dirs);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool is_root(void)
{
	return geteuid() == 0;
}

/* ---- numbers by chance ---- */

uint64_t random_u64(void)
{
	/* splitmix64 */
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t random_u32(void)
{
	return (uint32_t)random_u64();
}

uint32_t random_below(uint32_t n)
{
	return random_u32() % n;
}

/* ---- files ---- */

const char *in_dir(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

off_t size_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(in_dir(name), &st), 0);
	return st.st_size;
}

void overwrite(const char *name, off_t offset, const void *bytes, size_t n)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, n, offset), (ssize_t)n);
	close(fd);
}

void give_dir_to(uid_t uid)
{
	ck_assert_int_eq(chmod(dir, 0711), 0);
	ck_assert_int_eq(mkdir(in_dir("given"), 0700), 0);
	ck_assert_int_eq(chmod(in_dir("given"), 0755), 0);
	ck_assert_int_eq(chown(in_dir("given"), uid, uid), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("given"), 1), 0);
}

/* Keep our mounts to ourselves. In a chroot "/" may be no mount. */
static int make_mounts_private(void)
{
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	return mount("none", "/dev/shm", "none", MS_PRIVATE, NULL);
}

void mount_small(const char *options)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(make_mounts_private(), 0);
	ck_assert_int_eq(mount("small", dir, "tmpfs", 0, options), 0);
}

/* ---- streams and readers ---- */

struct hr_page *open_page(void)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), 0);
	return page;
}

struct hr_page *open_either(int private)
{
	struct hr_page *page = NULL;

	if (!private)
		return open_page();
	ck_assert_int_eq(hr_page_open_private(&page, &normal, 100 * S), 0);
	return page;
}

struct hr_page *attach_page(uint32_t slot)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_attach(&page, HR_PAGE_OWN, normal.name,
					normal.direction, slot), 0);
	return page;
}

int attach_to(struct hr_page **pagep, uid_t of)
{
	return hr_page_attach(pagep, of, normal.name, normal.direction, 0);
}

void assert_attach_is(uid_t of, int err)
{
	struct hr_page *reader = NULL;

	ck_assert_int_eq(attach_to(&reader, of), err);
	ck_assert(!reader == (err < 0));
	hr_page_close(reader, 0);
}

void assert_read_only(uid_t of, int err, uint64_t frames)
{
	struct hr_page *reader = NULL;

	ck_assert_int_eq(attach_to(&reader, of), 0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), frames);
	ck_assert_int_eq(hr_page_reset(reader), err);
	ck_assert_int_eq(hr_page_set_thresholds(reader, 50, 40), err);
	ck_assert_int_eq(hr_page_set_trigger(reader, 80), err);
	ck_assert_int_eq(hr_page_set_clear(reader, 60), err);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), frames);
	assert_thresholds(reader, 90, 70);
	hr_page_close(reader, 0);
}

void assert_open_fails(int err)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), err);
	ck_assert_ptr_null(page);
}

void assert_attach_fails(int err)
{
	assert_attach_is(HR_PAGE_OWN, err);
}

void leave_page_for(mode_t perm, gid_t gid)
{
	struct hr_page_config config = normal;
	struct hr_page *page = NULL;

	config.perm = perm;
	config.gid = gid;
	ck_assert_int_eq(hr_page_open(&page, &config, 100 * S), 0);
	hr_page_add(page, HR_STAT_FRAMES, 1000);
	hr_page_close(page, 101 * S);
}

void leave_page(void)
{
	leave_page_for(normal.perm, normal.gid);
}

uint64_t get_now(struct hr_page *page, enum hr_stat stat)
{
	ck_assert_int_eq(hr_page_refresh(page, false), 0);
	return hr_page_get(page, stat);
}

struct hr_health_snapshot snapshot_of(struct hr_page *page)
{
	struct hr_health_snapshot snapshot;

	ck_assert_int_eq(hr_page_refresh(page, true), 0);
	ck_assert_int_eq(hr_health_get_snapshot(hr_page_health_const(page),
						hr_page_window_max(page), &snapshot,
						105 * S), 0);
	return snapshot;
}

void assert_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear)
{
	uint32_t trigger_now, clear_now;

	ck_assert_int_eq(hr_page_refresh(page, false), 0);
	hr_page_get_thresholds(page, &trigger_now, &clear_now);
	ck_assert_uint_eq(trigger_now, trigger);
	ck_assert_uint_eq(clear_now, clear);
}

/* ---- watching ---- */

int watch_fd;

void open_watch_fd(void)
{
	watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* Another test, at the same time, may have all that a user can have; the test's
	 * time is limited. */
	while (watch_fd < 0 && errno == EMFILE) {
		usleep(10000);
		watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	}
	ck_assert_int_ge(watch_fd, 0);
}

bool is_told_within(int ms)
{
	struct pollfd pfd = { .fd = watch_fd, .events = POLLIN };
	int n = poll(&pfd, 1, ms);

	ck_assert_int_ge(n, 0);
	return n == 1;
}

/* ---- other processes ---- */

void wait_for(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the child failed: status %#x", (unsigned int)status);
}

void kill_child(pid_t child)
{
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

void send_byte(int fd)
{
	ck_assert_int_eq(write(fd, "x", 1), 1);
}

void receive_byte(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 1);
}

void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

void become(uid_t uid, gid_t extra_group)
{
	ck_assert_int_eq(setgroups(extra_group != NO_GROUP, &extra_group), 0);
	ck_assert_int_eq(setgid(uid), 0);
	ck_assert_int_eq(setuid(uid), 0);
}

void as_user(uid_t uid, gid_t extra_group, void (*body)(void))
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		become(uid, extra_group);
		body();
		_exit(0);
	}
	wait_for(child);
}

static void hold_page(const struct hr_page_config *config, int ready_fd)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_open(&page, config, 100 * S), 0);
	hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
	hr_page_add(page, HR_STAT_FRAMES, 77);
	ck_assert_int_eq(write(ready_fd, "x", 1), 1);
	for (;;)
		pause();
}

pid_t fork_holder_as(uid_t uid, gid_t extra_group, const struct hr_page_config *config)
{
	int ready[2];
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (uid != geteuid())
			become(uid, extra_group);
		hold_page(config, ready[1]);
	}
	close(ready[1]);
	receive_byte(ready[0]);
	close(ready[0]);
	return child;
}

pid_t fork_holder(void)
{
	return fork_holder_as(geteuid(), NO_GROUP, &normal);
}
