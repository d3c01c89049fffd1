/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What somebody may have put in a page's place before a stream or a reader comes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/page_fixture.h"

/* The page is not there for readers (err), and a stream makes it anew. */
static void assert_made_anew(int err)
{
	struct hr_page *page, *reader;

	assert_attach_fails(err);
	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert_uint_eq(snapshot_of(page).chunks, 0);
	reader = attach_page(0);
	ck_assert(hr_page_is_live(reader));
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
	ck_assert_int_eq(count_entries(dir), 1);
}

START_TEST(page_of_wrong_size_is_made_anew)
{
	static const int change[] = { -1, 1, 4096, -4096, -500000 };

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		leave_page();
		ck_assert_int_eq(truncate(in_dir(PAGE_FILE),
					  size_of(PAGE_FILE) + change[i]), 0);
		assert_made_anew(-EPROTO);
	}
	ck_assert_int_eq(truncate(in_dir(PAGE_FILE), 3), 0);
	assert_made_anew(-EPROTO);
}
END_TEST

START_TEST(page_that_was_never_finished_is_not_there)
{
	static const char zeros[STAMP_BYTES];

	overwrite(PAGE_FILE, 0, NULL, 0);
	assert_made_anew(-ENOENT);
	overwrite(PAGE_FILE, 0, zeros, sizeof(zeros));
	assert_made_anew(-ENOENT);
}
END_TEST

START_TEST(page_with_another_stamp_is_made_anew)
{
	static const uint32_t other = 0x12345678;

	for (off_t offset = MAGIC_OFFSET; offset < STAMP_BYTES; offset += 4) {
		leave_page();
		overwrite(PAGE_FILE, offset, &other, sizeof(other));
		assert_made_anew(-EPROTO);
	}
}
END_TEST

START_TEST(random_file_is_made_anew)
{
	uint32_t junk[2048];

	seed = 3;
	for (int i = 0; i < 50; i++) {
		leave_page();
		for (size_t k = 0; k < 2048; k++)
			junk[k] = random_u32();
		overwrite(PAGE_FILE, 0, junk, sizeof(junk));
		assert_made_anew(-EPROTO);
	}
}
END_TEST

START_TEST(reader_of_a_page_made_anew_finds_its_own_removed)
{
	static const uint32_t other_version = 999;
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	overwrite(PAGE_FILE, VERSION_OFFSET, &other_version, 4);
	page = open_page();
	hr_page_add(page, HR_STAT_FRAMES, 1);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1000);
	ck_assert(!hr_page_is_live(reader));
	ck_assert(hr_page_is_removed(reader));
	ck_assert_int_eq(hr_page_refresh(reader, true), -EPROTO);
	ck_assert(!hr_page_is_live(reader));
	hr_page_close(reader, 0);
	reader = attach_page(0);
	ck_assert(!hr_page_is_removed(reader));
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1);
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

/* The right stamp, and behind it anything at all. */
START_TEST(random_contents_harm_neither_reader_nor_writer)
{
	uint32_t junk[(4096 - STAMP_BYTES) / 4];

	seed = 4;
	leave_page();
	for (int i = 0; i < 1000; i++) {
		struct hr_page *reader, *page;
		uint32_t trigger, clear;

		for (size_t k = 0; k < sizeof(junk) / 4; k++)
			junk[k] = random_below(4) ? random_u32() : random_below(3) - 1;
		overwrite(PAGE_FILE, STAMP_BYTES, junk, sizeof(junk));
		reader = attach_page(0);
		hr_page_get_thresholds(reader, &trigger, &clear);
		ck_assert(clear >= 1 && clear < trigger && trigger <= 100);
		for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
			hr_page_get(reader, stat);
		if (i % 100 == 0)
			snapshot_of(reader);
		page = open_page();
		hr_health_chunk(hr_page_health(page), 480, 1000, 101 * S);
		hr_health_drop(hr_page_health(page), 1);
		hr_page_apply_reset(page);
		hr_page_close(page, 101 * S);
		hr_page_close(reader, 0);
	}
}
END_TEST

START_TEST(symbolic_link_is_not_followed)
{
	char target[2 * PATH_MAX];

	leave_page();
	snprintf(target, sizeof(target), "%s", in_dir("target"));
	ck_assert_int_eq(rename(in_dir(PAGE_FILE), target), 0);
	ck_assert_int_eq(symlink("target", in_dir(PAGE_FILE)), 0);
	assert_open_fails(-ELOOP);
	assert_attach_fails(-ELOOP);

	ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
	ck_assert_int_eq(symlink("nowhere", in_dir(PAGE_FILE)), 0);
	assert_open_fails(-ELOOP);
	assert_attach_fails(-ELOOP);
	ck_assert_int_ne(access(in_dir("nowhere"), F_OK), 0);
}
END_TEST

START_TEST(hard_link_is_refused)
{
	char other[2 * PATH_MAX];

	leave_page();
	snprintf(other, sizeof(other), "%s", in_dir("other"));
	ck_assert_int_eq(link(in_dir(PAGE_FILE), other), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
}
END_TEST

START_TEST(page_that_others_can_write_is_refused)
{
	leave_page();
	ck_assert_int_eq(chmod(in_dir(PAGE_FILE), 0620), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
	ck_assert_int_eq(chmod(in_dir(PAGE_FILE), 0602), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_int_eq(mkfifo(in_dir(PAGE_FILE), 0600), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
	ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
	ck_assert_int_eq(mkdir(in_dir(PAGE_FILE), 0700), 0);
	assert_open_fails(-EISDIR);
	assert_attach_fails(-EPERM);
}
END_TEST

START_TEST(directory_that_others_can_write_is_refused)
{
	static const mode_t modes[] = { 0777, 01777, 0720, 0702 };

	leave_page();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ck_assert_int_eq(chmod(dir, modes[i]), 0);
		assert_open_fails(-EPERM);
		assert_attach_fails(-EPERM);
	}
}
END_TEST

START_TEST(directory_that_is_none_is_refused)
{
	overwrite("file", 0, "x", 1);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("file"), 1), 0);
	assert_open_fails(-ENOTDIR);
	assert_attach_fails(-ENOTDIR);

	ck_assert_int_eq(mkdir(in_dir("real"), 0700), 0);
	ck_assert_int_eq(symlink("real", in_dir("link")), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("link"), 1), 0);
	assert_open_fails(-ENOTDIR);
	assert_attach_fails(-ENOTDIR);
	ck_assert_int_eq(count_entries(in_dir("real")), 0);

	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("no/such"), 1), 0);
	assert_open_fails(-ENOENT);
}
END_TEST

/* Who may read a file may lock it for reading; but no stream does. */
START_TEST(lock_of_a_reader_takes_no_slot_away)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct hr_page *page, *reader;
	int fd;

	leave_page();
	fd = open(in_dir(PAGE_FILE), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	reader = attach_page(0);
	ck_assert(!hr_page_is_live(reader));
	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert_int_eq(count_entries(dir), 1);
	ck_assert(hr_page_is_removed(reader));
	hr_page_close(reader, 0);
	reader = attach_page(0);
	ck_assert(hr_page_is_live(reader));
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("page_planted");
	TCase *files = add_case(suite, "files");
	TCase *directories = add_case(suite, "directories");

	tcase_add_test(files, page_of_wrong_size_is_made_anew);
	tcase_add_test(files, page_that_was_never_finished_is_not_there);
	tcase_add_test(files, page_with_another_stamp_is_made_anew);
	tcase_add_test(files, random_file_is_made_anew);
	tcase_add_test(files, reader_of_a_page_made_anew_finds_its_own_removed);
	tcase_add_test(files, random_contents_harm_neither_reader_nor_writer);
	tcase_add_test(files, symbolic_link_is_not_followed);
	tcase_add_test(files, hard_link_is_refused);
	tcase_add_test(files, page_that_others_can_write_is_refused);
	tcase_add_test(files, what_is_no_file_is_refused);
	tcase_add_test(files, lock_of_a_reader_takes_no_slot_away);
	tcase_add_test(directories, directory_that_others_can_write_is_refused);
	tcase_add_test(directories, directory_that_is_none_is_refused);
	return run_suite(suite);
}
