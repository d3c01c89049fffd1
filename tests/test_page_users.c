/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Pages among users: who may read whose, who may set what, and what of others is
 * not believed. What other users do happens in children; to become them takes root,
 * so without it nothing here is tested.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/page_fixture.h"

/* Where their pages are without HEADROOM_DIR. */
static char owners_place[64], strangers_place[64];
static char owners_page[128];

static void leave_page_for_all(void)
{
	leave_page_for(0644, NO_GROUP);
}

static void leave_page_for_group(void)
{
	leave_page_for(0640, group);
}

static void leave_page_for_nobody_else(void)
{
	leave_page_for(0600, NO_GROUP);
}

/* ---- a directory that HEADROOM_DIR names ---- */

static void read_roots_pages(void)
{
	struct hr_page *reader = NULL;

	assert_read_only(HR_PAGE_OWN, -EPERM, 42);
	ck_assert_int_eq(attach_to(&reader, HR_PAGE_OWN), 0);
	ck_assert(hr_page_is_live(reader));
	hr_page_close(reader, 0);
	ck_assert_int_eq(hr_page_attach(&reader, HR_PAGE_OWN, "test", HR_PLAYBACK, 1), -EACCES);
	ck_assert_int_eq(hr_page_open(&reader, &normal, 0), -EPERM);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "other", HR_PLAYBACK, 50, 40), -EPERM);
}

START_TEST(others_read_what_the_permissions_grant_and_write_nothing)
{
	struct hr_page_config open_to_all = normal;
	struct hr_page *page, *closed;

	if (!is_root())
		return;
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("shared"), 1), 0);
	ck_assert_int_eq(chmod(dir, 0711), 0);
	open_to_all.perm = 0666;
	ck_assert_int_eq(hr_page_open(&page, &open_to_all, 0), 0);
	closed = open_page();
	hr_page_set(page, HR_STAT_FRAMES, 42);
	as_user(NOBODY, NO_GROUP, read_roots_pages);
	ck_assert(hr_page_is_live(page));
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 42);
	assert_thresholds(page, 90, 70);
	hr_page_close(page, 1);
	hr_page_close(closed, 1);
}
END_TEST

START_TEST(page_of_neither_the_directorys_owner_nor_root_is_refused)
{
	if (!is_root())
		return;
	leave_page();
	ck_assert_int_eq(chown(in_dir(PAGE_FILE), NOBODY, NOBODY), 0);
	assert_attach_fails(-EPERM);
	assert_open_fails(-EPERM);
	ck_assert_int_eq(chown(dir, owner, owner), 0);
	assert_attach_fails(-EPERM);
	assert_open_fails(-EPERM);

	ck_assert_int_eq(chown(in_dir(PAGE_FILE), owner, owner), 0);
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);
	assert_open_fails(-EPERM);
	/* Root's is believed anywhere, but root makes none in others' directories. */
	ck_assert_int_eq(chown(in_dir(PAGE_FILE), 0, 0), 0);
	assert_attach_is(HR_PAGE_OWN, 0);
	assert_open_fails(-EPERM);
}
END_TEST

static void read_owners_page_in_named_directory(void)
{
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "other", HR_PLAYBACK, 50, 40), -EPERM);
}

START_TEST(page_of_a_named_directorys_owner_is_read_but_not_set_by_others)
{
	if (!is_root())
		return;
	give_dir_to(owner);
	as_user(owner, NO_GROUP, leave_page_for_all);
	as_user(stranger, NO_GROUP, read_owners_page_in_named_directory);
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);
	assert_open_fails(-EPERM);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "other", HR_PLAYBACK, 50, 40), -EPERM);
	ck_assert_int_eq(count_entries(in_dir("given")), 1);
}
END_TEST

static void find_no_access(void)
{
	assert_attach_is(HR_PAGE_OWN, -EACCES);
}

static void find_access(void)
{
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);
}

START_TEST(page_in_a_named_directory_is_read_only_as_its_mode_allows)
{
	if (!is_root())
		return;
	give_dir_to(owner);
	as_user(owner, NO_GROUP, leave_page_for_nobody_else);
	as_user(stranger, NO_GROUP, find_no_access);
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);

	ck_assert_int_eq(unlink(in_dir("given/" PAGE_FILE)), 0);
	as_user(owner, group, leave_page_for_group);
	as_user(stranger, NO_GROUP, find_no_access);
	as_user(stranger, group, find_access);
}
END_TEST

static void find_page_refused(void)
{
	assert_attach_is(HR_PAGE_OWN, -EPERM);
}

static void find_planted_file(void)
{
	find_page_refused();
	assert_open_fails(-EACCES);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), -EEXIST);
}

START_TEST(page_of_a_stranger_in_ones_own_directory_is_refused)
{
	if (!is_root())
		return;
	give_dir_to(owner);
	as_user(owner, NO_GROUP, leave_page_for_all);
	ck_assert_int_eq(chown(in_dir("given/" PAGE_FILE), stranger, stranger), 0);
	as_user(owner, NO_GROUP, find_planted_file);
	as_user(stranger, NO_GROUP, find_page_refused);
	find_page_refused();
}
END_TEST

/* A page of ours that its owner cannot be led to. */
START_TEST(links_in_a_directory_of_another_user_are_not_followed)
{
	char ours[2 * PATH_MAX];

	if (!is_root())
		return;
	leave_page();
	snprintf(ours, sizeof(ours), "%s", in_dir(PAGE_FILE));
	give_dir_to(owner);
	ck_assert_int_eq(symlink(ours, in_dir("given/" PAGE_FILE)), 0);
	assert_attach_is(HR_PAGE_OWN, -ELOOP);
	ck_assert_int_eq(unlink(in_dir("given/" PAGE_FILE)), 0);
	ck_assert_int_eq(link(ours, in_dir("given/" PAGE_FILE)), 0);
	assert_attach_is(HR_PAGE_OWN, -EPERM);
	ck_assert_int_eq(unlink(in_dir("given/" PAGE_FILE)), 0);
	ck_assert_int_eq(rmdir(in_dir("given")), 0);
	ck_assert_int_eq(symlink(dir, in_dir("given")), 0);
	assert_attach_is(HR_PAGE_OWN, -ENOTDIR);
}
END_TEST

/* ---- the places of users, below /dev/shm ---- */

/* Ours to remove: no such users exist. */
static void clear_places(void)
{
	snprintf(owners_place, sizeof(owners_place), "/dev/shm/headroom-%u", owner);
	snprintf(strangers_place, sizeof(strangers_place), "/dev/shm/headroom-%u", stranger);
	snprintf(owners_page, sizeof(owners_page), "%s/" PAGE_FILE, owners_place);
	if (!is_root())
		return;
	remove_all(owners_place);
	remove_all(strangers_place);
}

static void setup_places(void)
{
	clear_places();
	ck_assert_int_eq(unsetenv("HEADROOM_DIR"), 0);
}

/* A stream of the owner that its group may look at. */
static pid_t fork_owner(void)
{
	struct hr_page_config config = normal;

	config.perm = 0640;
	config.gid = group;
	return fork_holder_as(owner, group, &config);
}

static void read_as_group(void)
{
	struct hr_page *reader = NULL;

	assert_read_only(owner, -EPERM, 77);
	ck_assert_int_eq(attach_to(&reader, owner), 0);
	ck_assert(hr_page_is_live(reader));
	ck_assert(!hr_page_is_removed(reader));
	hr_page_close(reader, 0);
	assert_attach_is(HR_PAGE_OWN, -ENOENT);
	assert_attach_is(stranger, -ENOENT);
}

static void read_without_group(void)
{
	assert_attach_is(owner, -EACCES);
}

static void read_as_owner(void)
{
	struct hr_page *reader = NULL;

	assert_attach_is(HR_PAGE_OWN, 0);
	ck_assert_int_eq(attach_to(&reader, owner), 0);
	ck_assert_int_eq(hr_page_set_trigger(reader, 80), 1);
	ck_assert_int_eq(hr_page_set_clear(reader, 60), 1);
	assert_thresholds(reader, 80, 60);
	ck_assert_int_eq(hr_page_reset(reader), 0);
	ck_assert_int_eq(get_now(reader, HR_STAT_FRAMES), 0);
	hr_page_close(reader, 0);
}

START_TEST(owner_and_group_decide_who_reads_a_users_pages)
{
	pid_t child;
	struct stat st;

	if (!is_root())
		return;
	assert_attach_is(owner, -ENOENT);
	child = fork_owner();
	ck_assert_int_eq(stat(owners_place, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	ck_assert_uint_eq(st.st_uid, owner);
	ck_assert_uint_eq(st.st_gid, group);
	as_user(stranger, group, read_as_group);
	as_user(stranger, NO_GROUP, read_without_group);
	assert_read_only(owner, -EPERM, 77);
	as_user(owner, NO_GROUP, read_as_owner);
	kill_child(child);
}
END_TEST

START_TEST(owner_that_is_given_counts_more_than_the_environment)
{
	if (!is_root())
		return;
	as_user(owner, NO_GROUP, leave_page_for_all);
	ck_assert_int_eq(setenv("HEADROOM_DIR", dir, 1), 0);
	assert_attach_is(HR_PAGE_OWN, -ENOENT);
	assert_read_only(owner, -EPERM, 1000);
	leave_page();
	assert_attach_is(stranger, -ENOENT);
}
END_TEST

static void plant_owners_place(void)
{
	ck_assert_int_eq(setenv("HEADROOM_DIR", owners_place, 1), 0);
	leave_page_for_all();
	ck_assert_int_eq(unsetenv("HEADROOM_DIR"), 0);
}

static void find_access_to_owner(void)
{
	assert_read_only(owner, -EPERM, 1000);
}

static int watch(uid_t of)
{
	open_watch_fd();
	return hr_page_watch(of, watch_fd);
}

static void assert_no_watch(uid_t of, int err)
{
	ck_assert_int_eq(watch(of), err);
	close(watch_fd);
}

static void find_planted_place(void)
{
	assert_attach_is(owner, -EPERM);
	/* Who made it could keep awake who watches it. */
	assert_no_watch(owner, -EPERM);
}

static void find_own_place_planted(void)
{
	find_planted_place();
	assert_attach_is(HR_PAGE_OWN, -EPERM);
	assert_no_watch(HR_PAGE_OWN, -EPERM);
	assert_open_fails(-EPERM);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_CAPTURE, 50, 40), -EPERM);
}

START_TEST(place_of_a_user_that_a_third_one_made_is_refused)
{
	if (!is_root())
		return;
	as_user(stranger, NO_GROUP, plant_owners_place);
	ck_assert_int_eq(count_entries(owners_place), 1);
	as_user(owner, NO_GROUP, find_own_place_planted);
	as_user(stranger, NO_GROUP, find_planted_place);
	as_user(NOBODY, NO_GROUP, find_planted_place);
	find_planted_place();
	ck_assert_int_eq(count_entries(owners_place), 1);
	/* Nor does it help to give the page away. */
	ck_assert_int_eq(chown(owners_page, owner, owner), 0);
	as_user(owner, NO_GROUP, find_own_place_planted);
	find_planted_place();
}
END_TEST

START_TEST(place_that_others_can_write_or_that_is_a_link_is_refused)
{
	char elsewhere[2 * PATH_MAX];

	if (!is_root())
		return;
	as_user(owner, NO_GROUP, leave_page_for_all);
	assert_attach_is(owner, 0);
	ck_assert_int_eq(chmod(owners_place, 0775), 0);
	assert_attach_is(owner, -EPERM);
	ck_assert_int_eq(chmod(owners_place, 0755), 0);
	assert_attach_is(owner, 0);

	snprintf(elsewhere, sizeof(elsewhere), "%s", in_dir("elsewhere"));
	ck_assert_int_eq(rename(owners_place, elsewhere), 0);
	ck_assert_int_eq(symlink(elsewhere, owners_place), 0);
	assert_attach_is(owner, -ENOTDIR);
}
END_TEST

static void find_access_in_own_place(void)
{
	assert_read_only(HR_PAGE_OWN, -EPERM, 1000);
	assert_open_fails(-EPERM);
}

START_TEST(place_and_page_that_root_made_are_believed)
{
	if (!is_root())
		return;
	plant_owners_place();
	ck_assert_int_eq(chmod(owners_place, 0755), 0);
	assert_attach_is(owner, 0);
	as_user(owner, NO_GROUP, find_access_to_owner);
	as_user(owner, NO_GROUP, find_access_in_own_place);
	as_user(stranger, NO_GROUP, find_access_to_owner);
}
END_TEST

static void make_in_own_place(void)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "test", HR_PLAYBACK, 50, 40), 0);
	ck_assert_int_eq(count_entries(owners_place), 1);
	ck_assert_int_eq(attach_to(&page, HR_PAGE_OWN), 0);
	assert_thresholds(page, 50, 40);
	hr_page_close(page, 0);
	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), 0);
	ck_assert_int_eq(hr_page_slot(page), 0);
	assert_thresholds(page, 50, 40);
	hr_page_close(page, 101 * S);
}

START_TEST(page_is_made_in_ones_own_place)
{
	struct stat st;

	if (!is_root())
		return;
	as_user(owner, NO_GROUP, make_in_own_place);
	ck_assert_uint_eq(mode_of(owners_place), 0700);
	ck_assert_uint_eq(mode_of(owners_page), 0600);
	ck_assert_int_eq(stat(owners_page, &st), 0);
	ck_assert_uint_eq(st.st_uid, owner);
}
END_TEST

/* ---- watching others ---- */

static void watch_own_place_before_there_is_one(void)
{
	ck_assert_int_ge(watch(HR_PAGE_OWN), 0);
	ck_assert(!is_told_within(50));
	leave_page_for_all();
	ck_assert(is_told_within(5000));
}

START_TEST(ones_own_place_can_be_watched_before_the_first_stream)
{
	if (!is_root())
		return;
	assert_no_watch(owner, -ENOENT);
	ck_assert_int_ne(access(owners_place, F_OK), 0);
	as_user(owner, NO_GROUP, watch_own_place_before_there_is_one);
}
END_TEST

static void watch_without_group(void)
{
	assert_no_watch(owner, -EACCES);
}

START_TEST(those_who_may_read_may_watch_and_others_not)
{
	pid_t holder, watcher;
	int ready[2];

	if (!is_root())
		return;
	holder = fork_owner();
	as_user(stranger, NO_GROUP, watch_without_group);

	ck_assert_int_eq(pipe(ready), 0);
	watcher = fork();
	ck_assert_int_ge(watcher, 0);
	if (watcher == 0) {
		become(stranger, group);
		ck_assert_int_ge(watch(owner), 0);
		ck_assert(!is_told_within(50));
		send_byte(ready[1]);
		ck_assert(is_told_within(5000));
		_exit(0);
	}
	receive_byte(ready[0]);
	close_both(ready);
	kill_child(holder);
	wait_for(watcher);
}
END_TEST

static void announce_what_is_anothers(void)
{
	struct hr_page *reader = NULL;

	ck_assert_int_eq(attach_to(&reader, owner), 0);
	hr_page_announce(reader);
	hr_page_close(reader, 0);
}

START_TEST(stranger_announces_nothing)
{
	pid_t child;

	if (!is_root())
		return;
	child = fork_owner();
	ck_assert_int_ge(watch(owner), 0);
	as_user(stranger, group, announce_what_is_anothers);
	as_user(stranger, group, read_as_group);
	ck_assert(!is_told_within(50));
	close(watch_fd);
	kill_child(child);
}
END_TEST

/* ---- what others could do to a page ---- */

#define REFUSED(call, error)                          \
	do {                                          \
		errno = 0;                            \
		ck_assert_int_eq((long)(call), -1);   \
		ck_assert_int_eq(errno, error);       \
	} while (0)

static char beside[256];	/* a name in the owner's place that is not taken */
static char mine[256];		/* a file of the stranger's */
static char second[256];	/* a name that is not taken there */

static void try_the_file(void)
{
	REFUSED(open(owners_page, O_RDWR), EACCES);
	REFUSED(open(owners_page, O_WRONLY), EACCES);
	REFUSED(open(owners_page, O_RDONLY | O_TRUNC), EACCES);
	REFUSED(truncate(owners_page, 0), EACCES);
	REFUSED(chmod(owners_page, 0666), EPERM);
	REFUSED(chown(owners_page, stranger, stranger), EPERM);
	REFUSED(utimensat(AT_FDCWD, owners_page, NULL, 0), EACCES);
}

/* With the descriptor that a reader has. */
static void try_the_descriptor(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(owners_page, O_RDONLY);
	char path[64];

	ck_assert_int_ge(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	REFUSED(open(path, O_RDWR), EACCES);
	REFUSED(ftruncate(fd, 0), EINVAL);
	REFUSED(pwrite(fd, "x", 1, 0), EBADF);
	REFUSED(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EBADF);
	REFUSED(fchmod(fd, 0666), EPERM);
	REFUSED(futimens(fd, NULL), EACCES);
	REFUSED(fcntl(fd, F_OFD_SETLK, &lock), EBADF);
	REFUSED(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	close(fd);
}

static void try_the_directory(void)
{
	int fd = open(mine, O_RDWR | O_CREAT, 0644);

	ck_assert_int_ge(fd, 0);
	close(fd);
	REFUSED(unlink(owners_page), EACCES);
	REFUSED(rename(mine, owners_page), EACCES);
	REFUSED(rename(owners_page, second), EACCES);
	REFUSED(rename(owners_page, beside), EACCES);
	REFUSED(link(mine, beside), EACCES);
	REFUSED(symlink(mine, beside), EACCES);
	REFUSED(mkdir(beside, 0700), EACCES);
	REFUSED(mkfifo(beside, 0600), EACCES);
	REFUSED(open(beside, O_RDWR | O_CREAT, 0600), EACCES);
	REFUSED(chmod(owners_place, 0777), EPERM);
	REFUSED(chown(owners_place, stranger, stranger), EPERM);
	REFUSED(rmdir(owners_place), EPERM);
	REFUSED(rename(owners_place, second), EPERM);
	REFUSED(rename(strangers_place, owners_place), EPERM);
}

/* A second name for a page would keep all from reading it: the kernel's to refuse. */
static void try_a_second_name(void)
{
	FILE *setting = fopen("/proc/sys/fs/protected_hardlinks", "r");

	if (setting && fgetc(setting) == '1')
		REFUSED(link(owners_page, second), EPERM);
	if (setting)
		fclose(setting);
}

static void try_to_open_as_ones_own(void)
{
	ck_assert_int_eq(setenv("HEADROOM_DIR", owners_place, 1), 0);
	assert_open_fails(-EPERM);
	ck_assert_int_eq(hr_page_make(HR_PAGE_OWN, "other", HR_PLAYBACK, 50, 40), -EPERM);
}

static void try_everything(void)
{
	ck_assert_int_eq(mkdir(strangers_place, 0700), 0);
	snprintf(mine, sizeof(mine), "%s/mine", strangers_place);
	snprintf(second, sizeof(second), "%s/second", strangers_place);
	snprintf(beside, sizeof(beside), "%s/test.playback.1", owners_place);
	assert_read_only(owner, -EPERM, 77);
	try_the_file();
	try_the_descriptor();
	try_the_directory();
	try_a_second_name();
	try_to_open_as_ones_own();
	assert_read_only(owner, -EPERM, 77);
}

START_TEST(nobody_but_the_owner_can_write_cut_off_or_replace_a_page)
{
	struct stat before, after;
	struct hr_page *reader = NULL;
	pid_t child;

	if (!is_root())
		return;
	child = fork_owner();
	ck_assert_int_eq(attach_to(&reader, owner), 0);
	ck_assert_int_eq(stat(owners_page, &before), 0);
	as_user(stranger, group, try_everything);
	ck_assert_int_eq(stat(owners_page, &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_uint_eq(after.st_nlink, 1);
	ck_assert_int_eq(count_entries(owners_place), 1);
	ck_assert(hr_page_is_live(reader));
	ck_assert(!hr_page_is_removed(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 77);
	assert_thresholds(reader, 90, 70);
	hr_page_close(reader, 0);
	kill_child(child);
}
END_TEST

static void add_places(Suite *suite)
{
	TCase *places = add_case(suite, "places");

	/* The latter in the parent too, for when a test has failed. */
	tcase_add_checked_fixture(places, setup_places, clear_places);
	tcase_add_unchecked_fixture(places, NULL, clear_places);
	tcase_add_test(places, owner_and_group_decide_who_reads_a_users_pages);
	tcase_add_test(places, owner_that_is_given_counts_more_than_the_environment);
	tcase_add_test(places, place_of_a_user_that_a_third_one_made_is_refused);
	tcase_add_test(places, place_that_others_can_write_or_that_is_a_link_is_refused);
	tcase_add_test(places, place_and_page_that_root_made_are_believed);
	tcase_add_test(places, page_is_made_in_ones_own_place);
	tcase_add_test(places, ones_own_place_can_be_watched_before_the_first_stream);
	tcase_add_test(places, those_who_may_read_may_watch_and_others_not);
	tcase_add_test(places, stranger_announces_nothing);
	tcase_add_test(places, nobody_but_the_owner_can_write_cut_off_or_replace_a_page);
}

int main(void)
{
	Suite *suite = suite_create("page_users");
	TCase *named = add_case(suite, "named");

	tcase_add_test(named, others_read_what_the_permissions_grant_and_write_nothing);
	tcase_add_test(named, page_of_neither_the_directorys_owner_nor_root_is_refused);
	tcase_add_test(named, page_of_a_named_directorys_owner_is_read_but_not_set_by_others);
	tcase_add_test(named, page_in_a_named_directory_is_read_only_as_its_mode_allows);
	tcase_add_test(named, page_of_a_stranger_in_ones_own_directory_is_refused);
	tcase_add_test(named, links_in_a_directory_of_another_user_are_not_followed);
	add_places(suite);
	return run_suite(suite);
}
