/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the owner of a page may do to it while others look at it: no reader crashes,
 * hangs, or shows what cannot be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugin/elements.h"
#include "plugin/snapshot.h"
#include "tests/page_fixture.h"

static const size_t bytes_of_samples = HR_HEALTH_WINDOW_MAX * sizeof(uint64_t);

/* In hot loops: ck_assert tells of each success as well, which takes a system call. */
#define DEMAND(condition, round)                                                 \
	do {                                                                     \
		if (!(condition))                                                \
			ck_abort_msg("%s (loop %d, round %u)", #condition,       \
				     loop, (unsigned int)(round));               \
	} while (0)

static int loop;	/* _i, from which the seed is made */

static void check_elements(const struct hr_snapshot *snapshot, uint32_t round)
{
	for (size_t i = 0; i < hr_n_elements; i++) {
		const struct hr_element *element = &hr_elements[i];
		int64_t value = hr_element_value(element, snapshot);

		if (value < element->min || value > element->max)
			ck_abort_msg("%s is %lld (loop %d, round %u)", element->suffix,
				     (long long)value, loop, (unsigned int)round);
	}
}

/* That a user sees nothing that cannot be, whatever the reader has copied. */
static void check_shown(const struct hr_page *reader, uint64_t now_ns, uint32_t round)
{
	struct hr_snapshot snapshot;
	uint32_t trigger, clear;

	DEMAND(hr_snapshot_take(&snapshot, reader, true, now_ns) == 0, round);
	check_elements(&snapshot, round);
	DEMAND(hr_snapshot_take_ended(&snapshot, reader, now_ns) == 0, round);
	check_elements(&snapshot, round);
	hr_page_get_thresholds(reader, &trigger, &clear);
	DEMAND(clear >= 1 && clear < trigger && trigger <= 100, round);
}

/* ---- cut off, overwritten ---- */

/* A page with a full window that a stream has left behind. */
static void leave_full_page(uint32_t window)
{
	struct hr_page_config config = normal;
	struct hr_page *page = NULL;

	config.window = window;
	ck_assert_int_eq(hr_page_open(&page, &config, 100 * S), 0);
	for (uint32_t i = 0; i < window; i++)
		hr_health_chunk(hr_page_health(page), 480, random_u32(), 101 * S);
	hr_health_drop(hr_page_health(page), 10);
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		hr_page_set(page, stat, random_below(100));
	hr_page_close(page, 102 * S);
}

/* Where the samples begin. */
static off_t head_bytes(void)
{
	return size_of(PAGE_FILE) - (off_t)bytes_of_samples;
}

START_TEST(page_that_is_cut_off_while_attached_is_no_page_any_more)
{
	off_t head;
	struct hr_page *reader;

	leave_full_page(normal.window);
	head = head_bytes();
	reader = attach_page(0);
	/* Most of it is the log of episodes, where one place is like another. */
	for (off_t length = head - 1; length >= 0;
	     length -= length > 512 ? 1 + random_below(15) : 1) {
		ck_assert_int_eq(truncate(in_dir(PAGE_FILE), length), 0);
		ck_assert_int_eq(hr_page_refresh(reader, false), -EPROTO);
		check_shown(reader, 105 * S, 0);
		ck_assert_int_eq(hr_page_refresh(reader, true), -EPROTO);
		check_shown(reader, 105 * S, 0);
	}
	ck_assert(!hr_page_is_removed(reader));
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(page_whose_samples_are_cut_off_is_no_page_any_more)
{
	const off_t used = normal.window * (off_t)sizeof(uint64_t);
	off_t head;
	struct hr_page *reader;

	leave_full_page(normal.window);
	head = head_bytes();
	reader = attach_page(0);
	for (off_t left = used - 1; left >= 0; left -= 1 + random_below(200)) {
		ck_assert_int_eq(truncate(in_dir(PAGE_FILE), head + left), 0);
		ck_assert_int_eq(hr_page_refresh(reader, true), -EPROTO);
		check_shown(reader, 105 * S, 0);
	}
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(page_that_was_emptied_and_regrown_is_no_page_any_more)
{
	/* So much of the stamp is left that the rest of it is not 0. */
	const off_t most = STAMP_BYTES - 4;
	struct hr_page *reader;
	off_t size;

	leave_full_page(normal.window);
	size = size_of(PAGE_FILE);
	reader = attach_page(0);
	for (off_t length = 0; length <= most; length++) {
		ck_assert_int_eq(truncate(in_dir(PAGE_FILE), length), 0);
		ck_assert_int_eq(truncate(in_dir(PAGE_FILE), size), 0);
		ck_assert_int_eq(hr_page_refresh(reader, true), -EPROTO);
		check_shown(reader, 105 * S, 0);
		ck_assert_int_eq(unlink(in_dir(PAGE_FILE)), 0);
		hr_page_close(reader, 0);
		leave_full_page(normal.window);
		reader = attach_page(0);
	}
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(page_whose_stamp_is_overwritten_while_attached_is_none_until_it_is_back)
{
	uint32_t stamp[STAMP_BYTES / 4], other;
	struct hr_page *reader;
	int fd;

	leave_page();
	fd = open(in_dir(PAGE_FILE), O_RDONLY);
	ck_assert_int_eq(pread(fd, stamp, sizeof(stamp), 0), STAMP_BYTES);
	close(fd);
	reader = attach_page(0);
	for (off_t i = 0; i < STAMP_BYTES / 4; i++) {
		for (int bit = 0; bit < 32; bit++) {
			other = stamp[i] ^ 1u << bit;
			overwrite(PAGE_FILE, 4 * i, &other, 4);
			ck_assert_int_eq(hr_page_refresh(reader, false), -EPROTO);
			ck_assert_int_eq(hr_page_refresh(reader, true), -EPROTO);
			overwrite(PAGE_FILE, 4 * i, &stamp[i], 4);
			ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 1000);
		}
	}
	hr_page_close(reader, 0);
}
END_TEST

/* ---- corrupted by chance ---- */

/* The page as it should be. */
static struct {
	unsigned char bytes[4096 + HR_HEALTH_WINDOW_MAX * sizeof(uint64_t)];
	size_t size;		/* of the file */
	size_t head;		/* where the samples begin */
	size_t used;		/* up to the last sample of the window */
} good;

/* What the file is now. */
static int file_fd;
static size_t file_size;
static bool has_good_stamp;
static unsigned char head[4096];

static void begin_corrupting(uint32_t window)
{
	leave_full_page(window);
	good.head = (size_t)head_bytes();
	good.size = (size_t)size_of(PAGE_FILE);
	good.used = good.head + window * sizeof(uint64_t);
	ck_assert_uint_le(good.head, sizeof(head));
	file_fd = open(in_dir(PAGE_FILE), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(file_fd, 0);
	ck_assert_int_eq(pread(file_fd, good.bytes, good.size, 0), (ssize_t)good.size);
}

static void put_bytes(const void *bytes, size_t n, size_t offset)
{
	if (pwrite(file_fd, bytes, n, (off_t)offset) != (ssize_t)n)
		ck_abort_msg("pwrite: %s", strerror(errno));
}

static void put_size(size_t size)
{
	if (ftruncate(file_fd, (off_t)size) < 0)
		ck_abort_msg("ftruncate: %s", strerror(errno));
	file_size = size;
}

static void put_all_right(void)
{
	if (file_size != good.size)
		put_size(good.size);
	put_bytes(good.bytes, good.used, 0);
	memcpy(head, good.bytes, good.head);
}

/* Whether a stream seems to live, without which most values are not looked at. */
static void put_lock(bool locked)
{
	struct flock lock = {
		.l_type = locked ? F_WRLCK : F_UNLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(file_fd, F_OFD_SETLK, &lock) < 0)
		ck_abort_msg("fcntl: %s", strerror(errno));
}

static uint64_t extreme_value(void)
{
	switch (random_below(12)) {
	case 0: return 0;
	case 1: return UINT64_MAX;
	case 2: return 0x80000000;		/* INT_MIN */
	case 3: return 0x7fffffff;
	case 4: return 0x8000000080000000;	/* twice, and a large one */
	case 5: return 0x7fffffff7fffffff;
	case 6: return INT64_MAX;
	case 7: return (uint64_t)1 << 63;
	case 8: return random_below(101);
	case 9: return random_below(65537);
	case 10: return 105 * S - random_below(1000);
	default: return random_u64();
	}
}

/* Some fields of head, or what may be fields, from here on to there. */
static void corrupt_fields(size_t from, size_t to)
{
	static const size_t widths[] = { 1, 2, 4, 4, 8, 8, 8, 8 };

	for (uint32_t n = 1 + random_below(8); n > 0; n--) {
		size_t width = widths[random_below(8)];
		size_t place = random_below((uint32_t)((to - from) / width));
		uint64_t value = extreme_value();

		memcpy(head + from + place * width, &value, width);
	}
}

static void corrupt_all_of_head(void)
{
	bool is_random = random_below(2);
	uint64_t value = extreme_value();

	for (size_t i = STAMP_BYTES; i < good.head; i += sizeof(value)) {
		value = is_random ? extreme_value() : value;
		memcpy(head + i, &value, sizeof(value));
	}
}

static void corrupt_samples(void)
{
	static uint64_t junk[HR_HEALTH_WINDOW_MAX];

	for (size_t i = 0; i < HR_HEALTH_WINDOW_MAX; i++)
		junk[i] = random_u64();
	put_bytes(junk, sizeof(junk), good.head);
}

static size_t other_size(void)
{
	switch (random_below(8)) {
	case 0: return 0;
	case 1: return random_below((uint32_t)good.head);
	case 2: return good.head;
	case 3: return good.head + random_below((uint32_t)(good.used - good.head));
	case 4: return good.used;
	case 5: return good.size - 1 - random_below(4096);
	case 6: return good.size + 1 + random_below(4096);
	default: return random_below(2 * (uint32_t)good.size);
	}
}

/* Make the good file a bad one. */
static void corrupt(void)
{
	uint32_t kind = random_below(256);

	if (kind < 32)
		corrupt_all_of_head();
	else
		corrupt_fields(STAMP_BYTES, good.head);
	if (kind < 2)
		corrupt_samples();
	if (kind % 16 == 0)
		corrupt_fields(0, STAMP_BYTES);
	has_good_stamp = memcmp(head, good.bytes, STAMP_BYTES) == 0;
	put_bytes(head, good.head, 0);
	if (kind % 16 == 1)
		put_size(other_size());
}

/* What a refresh must say: only a whole page is one. */
static int expected_refresh(void)
{
	return file_size == good.size && has_good_stamp ? 0 : -EPROTO;
}

static int expected_attach(void)
{
	static const unsigned char no_magic[4];

	if (file_size == 0)
		return -ENOENT;
	if (file_size != good.size)
		return -EPROTO;
	if (memcmp(head, no_magic, 4) == 0)
		return -ENOENT;
	return has_good_stamp ? 0 : -EPROTO;
}

/* Attach; in the place of the reader that there was, if that succeeds. */
static struct hr_page *attach_again(struct hr_page *reader, uint32_t round)
{
	struct hr_page *page = NULL;

	DEMAND(attach_to(&page, HR_PAGE_OWN) == expected_attach(), round);
	if (!page)
		return reader;
	hr_page_close(reader, 0);
	return page;
}

/* To set something leaves a page that is right as far as it goes. */
static void set_and_check(struct hr_page *reader, uint32_t round)
{
	int expected = expected_attach();
	int err = hr_page_set_trigger(reader, 80);
	uint32_t trigger, clear;

	DEMAND(expected < 0 ? err == expected : err >= 0 || err == -EINVAL, round);
	DEMAND(hr_page_reset(reader) == expected, round);
	if (expected == 0 && err >= 0) {
		DEMAND(hr_page_refresh(reader, false) == 0, round);
		hr_page_get_thresholds(reader, &trigger, &clear);
		DEMAND(trigger == 80, round);
	}
}

static void corrupt_and_look(uint32_t window, uint32_t n_rounds)
{
	struct hr_page *reader;

	begin_corrupting(window);
	reader = attach_page(0);
	for (uint32_t round = 0; round < n_rounds; round++) {
		uint64_t now_ns = random_below(4) ? 105 * S : extreme_value();
		bool with_samples = random_below(4) == 0;
		int err;

		put_all_right();
		corrupt();
		put_lock(random_below(4));
		err = hr_page_refresh(reader, with_samples);
		DEMAND(err == expected_refresh(), round);
		check_shown(reader, now_ns, round);
		if (round % 8 == 0) {
			reader = attach_again(reader, round);
			check_shown(reader, now_ns, round);
		}
		if (round % 16 == 0)
			set_and_check(reader, round);
	}
	hr_page_close(reader, 0);
	close(file_fd);
}

#define N_LOOPS 8
#define N_ROUNDS 30000u		/* in each */

START_TEST(corrupted_page_shows_nothing_that_cannot_be)		/* _i: seed, window */
{
	static const uint32_t windows[N_LOOPS] = { 16, 16, 17, 64, 64, 100, 100, 500 };

	loop = _i;
	seed = 1000 + (uint64_t)_i;
	corrupt_and_look(windows[_i], N_ROUNDS);
}
END_TEST

START_TEST(corrupted_page_with_the_largest_window_shows_nothing_that_cannot_be)
{
	seed = 2000;
	corrupt_and_look(HR_HEALTH_WINDOW_MAX, 100);
}
END_TEST

/* Somebody who never stops; never returns. */
static void corrupt_for_ever(void)
{
	for (;;) {
		put_all_right();
		corrupt();
		put_lock(random_below(2));
		if (random_below(4) == 0)
			put_size(other_size());
	}
}

START_TEST(page_that_is_corrupted_while_it_is_read_harms_no_reader)	/* _i: seed */
{
	uint32_t n_good = 0, n_bad = 0;
	struct hr_page *reader;
	pid_t child;

	loop = _i;
	seed = 3000 + (uint64_t)_i;
	begin_corrupting(64);
	reader = attach_page(0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		corrupt_for_ever();

	for (uint32_t round = 0; round < 20000 || n_good == 0 || n_bad == 0; round++) {
		int err = hr_page_refresh(reader, round % 2);

		DEMAND(err == 0 || err == -EPROTO, round);
		n_good += err == 0;
		n_bad += err < 0;
		check_shown(reader, 105 * S, round);
		if (round % 8 == 0) {
			struct hr_page *other = NULL;

			err = attach_to(&other, HR_PAGE_OWN);
			DEMAND(err == 0 || err == -EPROTO || err == -ENOENT, round);
			if (err == 0)
				check_shown(other, 105 * S, round);
			hr_page_close(other, 0);
		}
	}
	kill_child(child);
	hr_page_close(reader, 0);
	close(file_fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("page_hostile");
	TCase *cut = add_case(suite, "cut off");
	TCase *corrupted = add_case(suite, "corrupted");

	tcase_add_test(cut, page_that_is_cut_off_while_attached_is_no_page_any_more);
	tcase_add_test(cut, page_whose_samples_are_cut_off_is_no_page_any_more);
	tcase_add_test(cut, page_that_was_emptied_and_regrown_is_no_page_any_more);
	tcase_add_test(cut,
		page_whose_stamp_is_overwritten_while_attached_is_none_until_it_is_back);

	tcase_add_loop_test(corrupted, corrupted_page_shows_nothing_that_cannot_be, 0,
			    N_LOOPS);
	tcase_add_test(corrupted,
		corrupted_page_with_the_largest_window_shows_nothing_that_cannot_be);
	tcase_add_loop_test(corrupted, page_that_is_corrupted_while_it_is_read_harms_no_reader,
			    0, 2);
	return run_suite(suite);
}
