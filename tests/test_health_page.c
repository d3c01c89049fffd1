/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <check.h>

#include "core/clock.h"
#include "core/health_page.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define HAVE_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HAVE_SANITIZER 1
#endif
#endif
#ifndef HAVE_SANITIZER
#define HAVE_SANITIZER 0
#endif

#define S HR_NS_PER_S
#define NOBODY 65534

/* Where the stamp has its fields: what other versions rely on. */
#define MAGIC_OFFSET 0
#define VERSION_OFFSET 4
#define STAMP_BYTES 16

static char dir[PATH_MAX];
static int n_fds_before;

static const struct hr_page_config normal = {
	.name = "test",
	.direction = HR_PLAYBACK,
	.perm = 0600,
	.gid = (gid_t)-1,
	.trigger = 90,
	.clear = 70,
	.window = 1024,
};

/* ---- a directory for each test, and no descriptor left behind ---- */

static int count_entries(const char *path)
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
	snprintf(dir, sizeof(dir), "%s/headroom-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("HEADROOM_DIR", dir, 1), 0);
	n_fds_before = count_entries("/proc/self/fd");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	ck_assert_int_eq(count_entries("/proc/self/fd"), n_fds_before);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- helpers ---- */

/* Good until the next call. */
static const char *in_dir(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct hr_page *open_page(void)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), 0);
	return page;
}

static struct hr_page *attach_page(uint32_t slot)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_attach(&page, normal.name, normal.direction, slot), 0);
	return page;
}

static void assert_open_fails(int err)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), err);
	ck_assert_ptr_null(page);
}

static void assert_attach_fails(int err)
{
	struct hr_page *page = NULL;

	ck_assert_int_eq(hr_page_attach(&page, normal.name, normal.direction, 0), err);
	ck_assert_ptr_null(page);
}

/* A page that a stream has left behind, with 1000 frames counted. */
static void leave_page(void)
{
	struct hr_page *page = open_page();

	hr_page_add(page, HR_STAT_FRAMES, 1000);
	hr_page_close(page, 101 * S);
}

static void overwrite(const char *name, off_t offset, const void *bytes, size_t n)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, n, offset), (ssize_t)n);
	close(fd);
}

static off_t size_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(in_dir(name), &st), 0);
	return st.st_size;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static struct hr_health_snapshot snapshot_of(const struct hr_page *page)
{
	struct hr_health_snapshot snapshot;

	ck_assert_int_eq(hr_health_get_snapshot(hr_page_health_const(page),
						hr_page_window_max(page), &snapshot,
						105 * S), 0);
	return snapshot;
}

static uint32_t random_u32(void)
{
	return (uint32_t)rand() ^ (uint32_t)rand() << 16;
}

static void wait_for(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the child failed: status %#x", (unsigned int)status);
}

/* What ck_assert is to the test, in a child of it. */
#define CHILD_ASSERT(condition)                                                  \
	do {                                                                     \
		if (!(condition)) {                                              \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);  \
			_exit(1);                                                \
		}                                                                \
	} while (0)

static void send_byte(int fd)
{
	ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void receive_byte(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 1);
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void become_nobody(void)
{
	CHILD_ASSERT(setgroups(0, NULL) == 0);
	CHILD_ASSERT(setgid(NOBODY) == 0);
	CHILD_ASSERT(setuid(NOBODY) == 0);
}

/* ---- slots ---- */

START_TEST(two_streams_of_a_name_get_slots_0_and_1)
{
	struct hr_page *first = open_page();
	struct hr_page *second = open_page();

	ck_assert_uint_eq(hr_page_slot(first), 0);
	ck_assert_uint_eq(hr_page_slot(second), 1);
	hr_page_add(second, HR_STAT_FRAMES, 5);
	ck_assert_uint_eq(hr_page_get(first, HR_STAT_FRAMES), 0);
	hr_page_close(first, 101 * S);
	hr_page_close(second, 101 * S);
}
END_TEST

START_TEST(directions_and_names_have_slots_of_their_own)
{
	struct hr_page_config capture = normal, other = normal;
	struct hr_page *a = open_page(), *b, *c;

	capture.direction = HR_CAPTURE;
	other.name = "other";
	ck_assert_int_eq(hr_page_open(&b, &capture, 0), 0);
	ck_assert_int_eq(hr_page_open(&c, &other, 0), 0);
	ck_assert_uint_eq(hr_page_slot(b), 0);
	ck_assert_uint_eq(hr_page_slot(c), 0);
	ck_assert_int_eq(count_entries(dir), 3);
	hr_page_close(a, 1);
	hr_page_close(b, 1);
	hr_page_close(c, 1);
}
END_TEST

START_TEST(slot_is_free_after_close)
{
	struct hr_page *first = open_page();
	struct hr_page *second = open_page();

	hr_page_close(first, 101 * S);
	first = open_page();
	ck_assert_uint_eq(hr_page_slot(first), 0);
	hr_page_close(first, 101 * S);
	hr_page_close(second, 101 * S);
}
END_TEST

/* A child that holds a page of the name until it is killed. */
static pid_t fork_holder(void)
{
	int ready[2];
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct hr_page *page = NULL;

		CHILD_ASSERT(hr_page_open(&page, &normal, 100 * S) == 0);
		hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
		hr_page_add(page, HR_STAT_FRAMES, 77);
		CHILD_ASSERT(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	receive_byte(ready[0]);
	close_both(ready);
	return child;
}

START_TEST(slot_is_free_after_its_process_was_killed)
{
	pid_t child = fork_holder();
	struct hr_page *reader = attach_page(0);
	struct hr_page *page = open_page();

	ck_assert_uint_eq(hr_page_slot(page), 1);
	ck_assert(hr_page_is_live(reader));
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_PROCESS), (uint64_t)child);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_STATE), HR_STATE_RUNNING);
	hr_page_close(page, 101 * S);

	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!hr_page_is_live(reader));

	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 77);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_STATE), HR_STATE_OPEN);
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(all_slots_taken_is_busy)
{
	struct hr_page *pages[HR_PAGE_SLOTS];

	for (uint32_t i = 0; i < HR_PAGE_SLOTS; i++) {
		pages[i] = open_page();
		ck_assert_uint_eq(hr_page_slot(pages[i]), i);
	}
	assert_open_fails(-EBUSY);
	hr_page_close(pages[17], 101 * S);
	pages[17] = open_page();
	ck_assert_uint_eq(hr_page_slot(pages[17]), 17);
	for (uint32_t i = 0; i < HR_PAGE_SLOTS; i++)
		hr_page_close(pages[i], 101 * S);
}
END_TEST

START_TEST(readers_take_no_slot_away)
{
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	ck_assert(!hr_page_is_live(reader));
	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert(hr_page_is_live(reader));
	hr_page_close(reader, 0);
	reader = attach_page(0);
	ck_assert(hr_page_is_live(reader));
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

#define N_RACERS 8

/* Take a slot, tell which, and hold it until told to stop. */
static void race_child(int start_fd, int slot_fd, int stop_fd)
{
	struct hr_page *page = NULL;
	uint32_t slot;
	char byte;

	CHILD_ASSERT(read(start_fd, &byte, 1) == 1);
	CHILD_ASSERT(hr_page_open(&page, &normal, 100 * S) == 0);
	slot = hr_page_slot(page);
	CHILD_ASSERT(write(slot_fd, &slot, sizeof(slot)) == sizeof(slot));
	CHILD_ASSERT(read(stop_fd, &byte, 1) == 1);
	hr_page_close(page, 101 * S);
	_exit(0);
}

static void race_once(void)
{
	int start[2], slots[2], stop[2];
	pid_t children[N_RACERS];
	uint64_t seen = 0;

	ck_assert_int_eq(pipe(start) | pipe(slots) | pipe(stop), 0);
	for (int i = 0; i < N_RACERS; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			race_child(start[0], slots[1], stop[0]);
	}
	for (int i = 0; i < N_RACERS; i++)
		send_byte(start[1]);
	for (int i = 0; i < N_RACERS; i++) {
		uint32_t slot;

		ck_assert_int_eq(read(slots[0], &slot, sizeof(slot)), sizeof(slot));
		ck_assert_uint_lt(slot, HR_PAGE_SLOTS);
		ck_assert_msg(!(seen & 1ull << slot), "slot %u given twice", slot);
		seen |= 1ull << slot;
	}
	for (int i = 0; i < N_RACERS; i++)
		send_byte(stop[1]);
	for (int i = 0; i < N_RACERS; i++)
		wait_for(children[i]);
	close_both(start);
	close_both(slots);
	close_both(stop);
}

START_TEST(streams_that_open_at_once_get_different_slots)
{
	static const uint32_t other_version = 999;

	for (int i = 0; i < 10; i++) {
		race_once();
		/* The next round has pages to make anew as well. */
		overwrite("test.playback.0", VERSION_OFFSET, &other_version, 4);
		overwrite("test.playback.1", VERSION_OFFSET, &other_version, 4);
		ck_assert_int_eq(unlink(in_dir("test.playback.2")), 0);
	}
}
END_TEST

/* ---- forks ---- */

START_TEST(child_that_abandons_a_page_leaves_it_to_the_parent)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);
	pid_t child = fork();

	if (child == 0) {
		hr_page_abandon(page);
		hr_page_abandon(NULL);
		_exit(0);
	}
	wait_for(child);
	ck_assert(hr_page_is_live(reader));
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_STATE), HR_STATE_OPEN);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_PROCESS), (uint64_t)getpid());
	hr_page_add(page, HR_STAT_FRAMES, 1);
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(close_frees_the_slot_though_a_child_has_the_descriptor)
{
	struct hr_page *page = open_page();
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			pause();
	}
	hr_page_close(page, 101 * S);
	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	hr_page_close(page, 101 * S);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* ---- values ---- */

static bool is_counter(enum hr_stat stat)
{
	return stat == HR_STAT_FILL_MAX || stat == HR_STAT_PRESSURE_COUNT ||
	       stat == HR_STAT_PRESSURE_NS || stat == HR_STAT_PUSHED ||
	       stat == HR_STAT_POPPED || stat == HR_STAT_FRAMES ||
	       stat == HR_STAT_DEVICE_XRUNS || stat == HR_STAT_XRUN_CAUSE ||
	       stat == HR_STAT_LATE_MAX_NS || stat == HR_STAT_POOL_HITS ||
	       stat == HR_STAT_POOL_MISSES;
}

static bool is_kept(enum hr_stat stat)
{
	return stat == HR_STAT_RATE || stat == HR_STAT_CHANNELS ||
	       stat == HR_STAT_PERIOD || stat == HR_STAT_BUFFER;
}

static struct hr_page *open_either(int private)
{
	struct hr_page *page = NULL;

	if (!private)
		return open_page();
	ck_assert_int_eq(hr_page_open_private(&page, &normal, 100 * S), 0);
	return page;
}

START_TEST(new_page_is_open_and_otherwise_zero)		/* _i: private */
{
	struct hr_page *page = open_either(_i);
	uint32_t trigger, clear;

	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++) {
		uint64_t expected = stat == HR_STAT_STATE ? HR_STATE_OPEN :
				    stat == HR_STAT_PROCESS ? (uint64_t)getpid() : 0;

		ck_assert_uint_eq(hr_page_get(page, stat), expected);
	}
	hr_page_get_thresholds(page, &trigger, &clear);
	ck_assert_uint_eq(trigger, 90);
	ck_assert_uint_eq(clear, 70);
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert_uint_ge(hr_page_window_max(page), normal.window);
	ck_assert(hr_page_is_live(page));
	ck_assert_uint_eq(snapshot_of(page).uptime_ns, 5 * S);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(values_are_set_raised_and_added_to)		/* _i: private */
{
	struct hr_page *page = open_either(_i);

	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++) {
		hr_page_set(page, stat, 10 + stat);
		hr_page_raise(page, stat, 5);
		ck_assert_uint_eq(hr_page_get(page, stat), 10u + stat);
		hr_page_raise(page, stat, UINT64_MAX - 1);
		ck_assert_uint_eq(hr_page_get(page, stat), UINT64_MAX - 1);
		hr_page_set(page, stat, 1ull << 40);
		hr_page_add(page, stat, stat);
	}
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		ck_assert_uint_eq(hr_page_get(page, stat), (1ull << 40) + stat);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(reset_zeroes_counters_and_nothing_else)	/* _i: private */
{
	struct hr_page *page = open_either(_i);

	ck_assert(!hr_page_apply_reset(page));
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		hr_page_set(page, stat, 10 + stat);
	hr_health_drop(hr_page_health(page), 3);
	hr_health_chunk(hr_page_health(page), 480, 1000, 101 * S);

	ck_assert_int_eq(hr_page_reset(page), 0);
	for (int applied = 0; applied < 2; applied++) {
		for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
			ck_assert_uint_eq(hr_page_get(page, stat),
					  is_counter(stat) ? 0 : 10u + stat);
		ck_assert_uint_eq(snapshot_of(page).frames_dropped, 0);
		ck_assert_uint_eq(snapshot_of(page).chunks, 0);
		ck_assert_int_eq(hr_page_apply_reset(page), applied == 0);
	}
	hr_page_add(page, HR_STAT_FRAMES, 4);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 4);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(thresholds_are_stored_as_a_valid_pair)	/* _i: private */
{
	struct hr_page *page = open_either(_i);
	uint32_t trigger, clear;

	ck_assert_int_eq(hr_page_set_thresholds(page, 100, 1), 0);
	ck_assert_int_eq(hr_page_set_thresholds(page, 70, 70), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(page, 101, 70), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(page, 90, 0), -EINVAL);
	ck_assert_int_eq(hr_page_set_thresholds(page, 65536 + 90, 70), -EINVAL);
	hr_page_get_thresholds(page, &trigger, &clear);
	ck_assert_uint_eq(trigger, 100);
	ck_assert_uint_eq(clear, 1);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(bad_configs_are_refused)			/* _i: private */
{
	struct hr_page_config bad[] = {
		normal, normal, normal, normal, normal, normal, normal, normal, normal,
	};

	bad[0].name = "";
	bad[1].name = "0123456789012345678901234567890123456789012345678901234567890123";
	bad[2].trigger = 101;
	bad[3].clear = 0;
	bad[4].window = HR_HEALTH_WINDOW_MIN - 1;
	bad[5].window = HR_HEALTH_WINDOW_MAX + 1;
	bad[6].perm = 0400;
	bad[7].perm = 02600;
	bad[8].direction = (enum hr_direction)2;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hr_page *page = NULL;

		ck_assert_int_eq(_i ? hr_page_open_private(&page, &bad[i], 0)
				    : hr_page_open(&page, &bad[i], 0), -EINVAL);
		ck_assert_ptr_null(page);
	}
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(private_page_is_in_no_file)
{
	struct hr_page *page = open_either(1);

	ck_assert_int_eq(count_entries(dir), 0);
	assert_attach_fails(-ENOENT);
	for (uint32_t i = 0; i < 3000; i++)
		hr_health_chunk(hr_page_health(page), 1, i, 100 * S);
	ck_assert_uint_eq(snapshot_of(page).latency.n_samples, normal.window);
	hr_page_close(page, 101 * S);
	hr_page_close(NULL, 0);
}
END_TEST

START_TEST(counters_go_on_and_the_rest_begins_anew)
{
	struct hr_page *page = open_page();
	struct hr_page *reader = attach_page(0);

	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		hr_page_set(page, stat, 10 + stat);
	hr_health_drop(hr_page_health(page), 3);
	hr_page_close(page, 102 * S);
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++)
		ck_assert_uint_eq(hr_page_get(reader, stat),
				  is_counter(stat) || is_kept(stat) ? 10u + stat : 0);
	ck_assert_uint_eq(snapshot_of(reader).frames_dropped, 3);
	ck_assert_uint_eq(snapshot_of(reader).uptime_ns, 2 * S);

	page = open_page();
	for (enum hr_stat stat = HR_STAT_REALTIME; stat < HR_STAT_COUNT; stat++)
		ck_assert_uint_eq(hr_page_get(reader, stat),
				  is_counter(stat) ? 10u + stat : 0);
	hr_page_add(page, HR_STAT_FRAMES, 1);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 11u + HR_STAT_FRAMES);
	ck_assert_uint_eq(snapshot_of(reader).frames_dropped, 3);
	hr_page_close(page, 103 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(thresholds_of_a_former_stream_are_replaced)
{
	struct hr_page *page = open_page();
	uint32_t trigger, clear;

	hr_page_set_thresholds(page, 50, 40);
	hr_page_close(page, 101 * S);
	page = open_page();
	hr_page_get_thresholds(page, &trigger, &clear);
	ck_assert_uint_eq(trigger, 90);
	ck_assert_uint_eq(clear, 70);
	hr_page_close(page, 101 * S);
}
END_TEST

/* ---- other processes ---- */

START_TEST(attach_where_nothing_ever_ran_finds_nothing)
{
	assert_attach_fails(-ENOENT);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("missing"), 1), 0);
	assert_attach_fails(-ENOENT);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(attach_checks_its_arguments)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct hr_page *page;

	ck_assert_int_eq(hr_page_attach(&page, "", HR_PLAYBACK, 0), -EINVAL);
	ck_assert_int_eq(hr_page_attach(&page, long_name, HR_PLAYBACK, 0), -EINVAL);
	ck_assert_int_eq(hr_page_attach(&page, "test", HR_PLAYBACK, HR_PAGE_SLOTS),
			 -EINVAL);
	ck_assert_int_eq(hr_page_attach(&page, "test", HR_PLAYBACK, UINT32_MAX), -EINVAL);
	ck_assert_int_eq(hr_page_attach(&page, "test", (enum hr_direction)9, 0), -EINVAL);
}
END_TEST

START_TEST(another_process_sees_values_while_they_change)
{
	struct hr_page *page = open_page();
	uint32_t trigger, clear;
	int ready[2], go[2];
	pid_t child;

	ck_assert_int_eq(pipe(ready) | pipe(go), 0);
	child = fork();
	if (child == 0) {
		struct hr_page *reader = NULL;
		char byte;

		hr_page_abandon(page);
		CHILD_ASSERT(hr_page_attach(&reader, "test", HR_PLAYBACK, 0) == 0);
		CHILD_ASSERT(hr_page_is_live(reader));
		CHILD_ASSERT(hr_page_get(reader, HR_STAT_FRAMES) == 0);
		CHILD_ASSERT(write(ready[1], "x", 1) == 1);
		CHILD_ASSERT(read(go[0], &byte, 1) == 1);
		CHILD_ASSERT(hr_page_get(reader, HR_STAT_FRAMES) == 4800);
		CHILD_ASSERT(snapshot_of(reader).latency.max == 12345);
		CHILD_ASSERT(hr_page_set_thresholds(reader, 60, 50) == 0);
		CHILD_ASSERT(hr_page_reset(reader) == 0);
		CHILD_ASSERT(hr_page_get(reader, HR_STAT_FRAMES) == 0);
		hr_page_close(reader, 0);
		_exit(0);
	}
	receive_byte(ready[0]);
	hr_page_add(page, HR_STAT_FRAMES, 4800);
	hr_health_chunk(hr_page_health(page), 480, 12345, 101 * S);
	send_byte(go[1]);
	wait_for(child);
	hr_page_get_thresholds(page, &trigger, &clear);
	ck_assert_uint_eq(trigger, 60);
	ck_assert_uint_eq(clear, 50);
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert(hr_page_apply_reset(page));
	close_both(ready);
	close_both(go);
	hr_page_close(page, 101 * S);
}
END_TEST

START_TEST(reset_of_a_closed_page_holds_for_the_next_stream)
{
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1000);
	ck_assert_int_eq(hr_page_reset(reader), 0);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 0);
	page = open_page();
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 0);
	ck_assert(!hr_page_apply_reset(page));
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

START_TEST(others_read_what_the_permissions_grant_and_write_nothing)
{
	struct hr_page_config open_to_all = normal;
	struct hr_page *page, *closed;
	pid_t child;

	if (geteuid() != 0)
		return;		/* readers trust root's pages only, so we must be root */
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("shared"), 1), 0);
	ck_assert_int_eq(chmod(dir, 0711), 0);
	open_to_all.perm = 0666;
	ck_assert_int_eq(hr_page_open(&page, &open_to_all, 0), 0);
	closed = open_page();
	hr_page_set(page, HR_STAT_FRAMES, 42);
	child = fork();
	if (child == 0) {
		struct hr_page *reader;

		become_nobody();
		CHILD_ASSERT(hr_page_attach(&reader, "test", HR_PLAYBACK, 0) == 0);
		CHILD_ASSERT(hr_page_is_live(reader));
		CHILD_ASSERT(hr_page_get(reader, HR_STAT_FRAMES) == 42);
		CHILD_ASSERT(hr_page_reset(reader) == -EACCES);
		CHILD_ASSERT(hr_page_set_thresholds(reader, 50, 40) == -EACCES);
		CHILD_ASSERT(hr_page_get(reader, HR_STAT_FRAMES) == 42);
		hr_page_close(reader, 0);
		CHILD_ASSERT(hr_page_attach(&reader, "test", HR_PLAYBACK, 1) == -EACCES);
		CHILD_ASSERT(hr_page_open(&reader, &normal, 0) == -EPERM);
		_exit(0);
	}
	wait_for(child);
	ck_assert(hr_page_is_live(page));
	hr_page_close(page, 1);
	hr_page_close(closed, 1);
}
END_TEST

START_TEST(page_of_another_user_is_refused)
{
	if (geteuid() != 0)
		return;		/* only root can give a file away */
	leave_page();
	ck_assert_int_eq(chown(in_dir("test.playback.0"), NOBODY, NOBODY), 0);
	assert_attach_fails(-EPERM);
	assert_open_fails(-EPERM);
	ck_assert_int_eq(chown(in_dir("test.playback.0"), 0, 0), 0);
	ck_assert_int_eq(chown(dir, NOBODY, NOBODY), 0);
	assert_attach_fails(-EPERM);
	assert_open_fails(-EPERM);
}
END_TEST

/* ---- files ---- */

START_TEST(page_has_exactly_the_permissions_asked_for)
{
	struct hr_page_config config = normal;
	struct hr_page *page;
	static const mode_t asked[] = { 0640, 0600, 0644, 0666, 0660, 0777 };
	static const mode_t given[] = { 0640, 0600, 0644, 0644, 0640, 0644 };

	umask(0077);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		config.perm = asked[i];
		ck_assert_int_eq(hr_page_open(&page, &config, 0), 0);
		ck_assert_uint_eq(mode_of(in_dir("test.playback.0")), given[i]);
		hr_page_close(page, 1);
	}
	/* The directory was there before us: not ours to open to others. */
	ck_assert_uint_eq(mode_of(dir), 0700);
}
END_TEST

START_TEST(made_directory_lets_in_whom_the_page_does)
{
	struct hr_page_config config = normal;
	struct hr_page *page;
	static const mode_t asked[] = { 0600, 0640, 0604, 0644 };
	static const mode_t given[] = { 0700, 0750, 0705, 0755 };
	static const char *const names[] = { "a", "b", "c", "d" };

	umask(0077);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir(names[i]), 1), 0);
		config.perm = asked[i];
		ck_assert_int_eq(hr_page_open(&page, &config, 0), 0);
		ck_assert_uint_eq(mode_of(in_dir(names[i])), given[i]);
		hr_page_close(page, 1);
	}
}
END_TEST

START_TEST(page_belongs_to_the_group_asked_for)
{
	struct hr_page_config config = normal;
	struct hr_page *page;
	struct stat st;

	config.gid = geteuid() == 0 ? NOBODY : getegid();
	config.perm = 0640;
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_dir("made"), 1), 0);
	ck_assert_int_eq(hr_page_open(&page, &config, 0), 0);
	ck_assert_int_eq(stat(in_dir("made/test.playback.0"), &st), 0);
	ck_assert_uint_eq(st.st_gid, config.gid);
	ck_assert_int_eq(stat(in_dir("made"), &st), 0);
	ck_assert_uint_eq(st.st_gid, config.gid);
	hr_page_close(page, 1);
}
END_TEST

static const char *const odd_names[] = {
	"a/b", "/", ".", "..", "../../etc/passwd", ".hidden", "a b", "a%2Fb", "a\nb",
	"\xff\xfe\x01", "hw:0,0", "Ger\xc3\xa4t", "a.playback.0", "*", "%n%s",
	"///////////////////////////////////////////////////////////////",
	"012345678901234567890123456789012345678901234567890123456789012",
};

#define N_ODD_NAMES (sizeof(odd_names) / sizeof(odd_names[0]))

START_TEST(any_name_makes_one_plain_file_of_its_own)
{
	struct hr_page_config config = normal;
	struct hr_page *pages[N_ODD_NAMES];
	struct dirent *entry;
	DIR *stream;

	for (size_t i = 0; i < N_ODD_NAMES; i++) {
		struct hr_page *reader;

		config.name = odd_names[i];
		ck_assert_int_eq(hr_page_open(&pages[i], &config, 0), 0);
		ck_assert_uint_eq(hr_page_slot(pages[i]), 0);
		hr_page_set(pages[i], HR_STAT_FRAMES, i);
		ck_assert_int_eq(hr_page_attach(&reader, odd_names[i], HR_PLAYBACK, 0), 0);
		ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), i);
		hr_page_close(reader, 0);
	}
	ck_assert_int_eq(count_entries(dir), (int)N_ODD_NAMES);
	stream = opendir(dir);
	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		ck_assert_int_ne(name[0], '.');
		ck_assert_uint_eq(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz0123456789_-%."),
				  strlen(name));
	}
	closedir(stream);
	for (size_t i = 0; i < N_ODD_NAMES; i++)
		hr_page_close(pages[i], 1);
}
END_TEST

/* ---- what somebody may have planted ---- */

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
		ck_assert_int_eq(truncate(in_dir("test.playback.0"),
					  size_of("test.playback.0") + change[i]), 0);
		assert_made_anew(-EPROTO);
	}
	ck_assert_int_eq(truncate(in_dir("test.playback.0"), 3), 0);
	assert_made_anew(-EPROTO);
}
END_TEST

START_TEST(page_that_was_never_finished_is_not_there)
{
	static const char zeros[STAMP_BYTES];

	overwrite("test.playback.0", 0, NULL, 0);
	assert_made_anew(-ENOENT);
	overwrite("test.playback.0", 0, zeros, sizeof(zeros));
	assert_made_anew(-ENOENT);
}
END_TEST

START_TEST(page_with_another_stamp_is_made_anew)
{
	static const uint32_t other = 0x12345678;

	for (off_t offset = MAGIC_OFFSET; offset < STAMP_BYTES; offset += 4) {
		leave_page();
		overwrite("test.playback.0", offset, &other, sizeof(other));
		assert_made_anew(-EPROTO);
	}
}
END_TEST

START_TEST(random_file_is_made_anew)
{
	uint32_t junk[2048];

	srand(3);
	for (int i = 0; i < 50; i++) {
		leave_page();
		for (size_t k = 0; k < 2048; k++)
			junk[k] = random_u32();
		overwrite("test.playback.0", 0, junk, sizeof(junk));
		assert_made_anew(-EPROTO);
	}
}
END_TEST

START_TEST(reader_of_a_page_made_anew_keeps_the_old_one)
{
	static const uint32_t other_version = 999;
	struct hr_page *reader, *page;

	leave_page();
	reader = attach_page(0);
	overwrite("test.playback.0", VERSION_OFFSET, &other_version, 4);
	page = open_page();
	hr_page_add(page, HR_STAT_FRAMES, 1);
	ck_assert_uint_eq(hr_page_get(reader, HR_STAT_FRAMES), 1000);
	ck_assert(!hr_page_is_live(reader));
	snapshot_of(reader);
	hr_page_close(reader, 0);
	hr_page_close(page, 101 * S);
}
END_TEST

/* The right stamp, and behind it anything at all. */
START_TEST(random_contents_harm_neither_reader_nor_writer)
{
	uint32_t junk[(4096 - STAMP_BYTES) / 4];

	srand(4);
	leave_page();
	for (int i = 0; i < 1000; i++) {
		struct hr_page *reader, *page;
		uint32_t trigger, clear;

		for (size_t k = 0; k < sizeof(junk) / 4; k++)
			junk[k] = rand() % 4 ? random_u32() : random_u32() % 3 - 1;
		overwrite("test.playback.0", STAMP_BYTES, junk, sizeof(junk));
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
	ck_assert_int_eq(rename(in_dir("test.playback.0"), target), 0);
	ck_assert_int_eq(symlink("target", in_dir("test.playback.0")), 0);
	assert_open_fails(-ELOOP);
	assert_attach_fails(-ELOOP);

	ck_assert_int_eq(unlink(in_dir("test.playback.0")), 0);
	ck_assert_int_eq(symlink("nowhere", in_dir("test.playback.0")), 0);
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
	ck_assert_int_eq(link(in_dir("test.playback.0"), other), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
}
END_TEST

START_TEST(page_that_others_can_write_is_refused)
{
	leave_page();
	ck_assert_int_eq(chmod(in_dir("test.playback.0"), 0620), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
	ck_assert_int_eq(chmod(in_dir("test.playback.0"), 0602), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_int_eq(mkfifo(in_dir("test.playback.0"), 0600), 0);
	assert_open_fails(-EPERM);
	assert_attach_fails(-EPERM);
	ck_assert_int_eq(unlink(in_dir("test.playback.0")), 0);
	ck_assert_int_eq(mkdir(in_dir("test.playback.0"), 0700), 0);
	assert_open_fails(-EISDIR);
	assert_attach_fails(-EISDIR);
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

/* ---- memory ---- */

START_TEST(file_size_limit_is_an_error_and_no_signal)
{
	const struct rlimit limit = { .rlim_cur = 10000, .rlim_max = RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_open_fails(-EFBIG);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

/* Keep our mounts to ourselves. In a chroot "/" may be no mount. */
static int make_mounts_private(void)
{
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	return mount("none", "/dev/shm", "none", MS_PRIVATE, NULL);
}

START_TEST(full_file_system_is_an_error_and_leaves_no_file)
{
	struct hr_page_config large = normal;
	struct hr_page *page = NULL;

	if (unshare(CLONE_NEWNS) < 0)
		return;		/* mounting takes root */
	ck_assert_int_eq(make_mounts_private(), 0);
	ck_assert_int_eq(mount("small", dir, "tmpfs", 0, "size=64k,mode=700"), 0);

	large.window = HR_HEALTH_WINDOW_MAX;
	ck_assert_int_eq(hr_page_open(&page, &large, 0), -ENOSPC);
	ck_assert_int_eq(count_entries(dir), 0);

	/* A page that was there is left alone, with its counters. */
	leave_page();
	ck_assert_int_eq(hr_page_open(&page, &large, 0), -ENOSPC);
	page = open_page();
	ck_assert_uint_eq(hr_page_get(page, HR_STAT_FRAMES), 1000);
	hr_page_close(page, 101 * S);
	ck_assert_int_eq(umount(dir), 0);
}
END_TEST

static long minor_faults(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt + usage.ru_majflt;
}

START_TEST(streaming_takes_no_page_fault)		/* _i: private */
{
	struct hr_page_config large = normal;
	struct hr_page *page;
	long before;

	if (HAVE_SANITIZER)
		return;		/* its shadow memory faults instead */
	large.window = HR_HEALTH_WINDOW_MAX;
	ck_assert_int_eq(_i ? hr_page_open_private(&page, &large, 0)
			    : hr_page_open(&page, &large, 0), 0);
	before = minor_faults();
	for (uint32_t i = 0; i < HR_HEALTH_WINDOW_MAX; i++)
		hr_health_chunk(hr_page_health(page), 480, 1000, i);
	hr_health_drop(hr_page_health(page), 1);
	hr_page_add(page, HR_STAT_POOL_SIZE, 1);
	/* The window has 128 pages; a few faults may be for code and stack. */
	ck_assert_int_lt(minor_faults() - before, 16);
	hr_page_close(page, 1);
}
END_TEST

/* ---- threads ---- */

#define N_STEPS 100000u

static struct hr_page *shared;
static _Atomic bool done;
static _Atomic uint64_t begun;

static void *keeper_main(void *arg)
{
	for (uint64_t i = 0; i < N_STEPS; i++) {
		atomic_store(&begun, i + 1);
		hr_page_apply_reset(shared);
		hr_page_add(shared, HR_STAT_PUSHED, 1);
		hr_page_set(shared, HR_STAT_FILL, i % 101);
	}
	atomic_store(&done, true);
	return arg;
}

/* Another thread that sets thresholds; a pair of (t, t - 20) each time. */
static void *setter_main(void *arg)
{
	for (uint32_t i = 0; !atomic_load(&done); i++) {
		hr_page_set_thresholds(shared, 30 + i % 60, 10 + i % 60);
		sched_yield();
	}
	return arg;
}

START_TEST(threads_see_no_half_value_and_nothing_from_before_a_reset)
{
	pthread_t keeper, setter;

	shared = open_page();
	ck_assert_int_eq(pthread_create(&keeper, NULL, keeper_main, NULL), 0);
	ck_assert_int_eq(pthread_create(&setter, NULL, setter_main, NULL), 0);
	while (!atomic_load(&done)) {
		uint32_t trigger, clear;
		uint64_t before = atomic_load(&begun), pushed;

		before -= before > 0;
		ck_assert_int_eq(hr_page_reset(shared), 0);
		pushed = hr_page_get(shared, HR_STAT_PUSHED);
		ck_assert_uint_le(pushed, atomic_load(&begun) - before);
		ck_assert_uint_le(hr_page_get(shared, HR_STAT_FILL), 100);
		hr_page_get_thresholds(shared, &trigger, &clear);
		ck_assert_uint_eq(trigger - clear, 20);
		sched_yield();
	}
	ck_assert_int_eq(pthread_join(keeper, NULL), 0);
	ck_assert_int_eq(pthread_join(setter, NULL), 0);
	hr_page_close(shared, 101 * S);
}
END_TEST

static void add_case(Suite *suite, TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
}

static void add_pages(Suite *suite)
{
	TCase *slots = tcase_create("slots");
	TCase *values = tcase_create("values");

	tcase_add_test(slots, two_streams_of_a_name_get_slots_0_and_1);
	tcase_add_test(slots, directions_and_names_have_slots_of_their_own);
	tcase_add_test(slots, slot_is_free_after_close);
	tcase_add_test(slots, slot_is_free_after_its_process_was_killed);
	tcase_add_test(slots, all_slots_taken_is_busy);
	tcase_add_test(slots, readers_take_no_slot_away);
	tcase_add_test(slots, streams_that_open_at_once_get_different_slots);
	tcase_add_test(slots, child_that_abandons_a_page_leaves_it_to_the_parent);
	tcase_add_test(slots, close_frees_the_slot_though_a_child_has_the_descriptor);
	add_case(suite, slots);

	tcase_add_loop_test(values, new_page_is_open_and_otherwise_zero, 0, 2);
	tcase_add_loop_test(values, values_are_set_raised_and_added_to, 0, 2);
	tcase_add_loop_test(values, reset_zeroes_counters_and_nothing_else, 0, 2);
	tcase_add_loop_test(values, thresholds_are_stored_as_a_valid_pair, 0, 2);
	tcase_add_loop_test(values, bad_configs_are_refused, 0, 2);
	tcase_add_test(values, private_page_is_in_no_file);
	tcase_add_test(values, counters_go_on_and_the_rest_begins_anew);
	tcase_add_test(values, thresholds_of_a_former_stream_are_replaced);
	tcase_add_test(values, threads_see_no_half_value_and_nothing_from_before_a_reset);
	add_case(suite, values);
}

static void add_files(Suite *suite)
{
	TCase *others = tcase_create("other processes");
	TCase *files = tcase_create("files");
	TCase *planted = tcase_create("planted");

	tcase_add_test(others, attach_where_nothing_ever_ran_finds_nothing);
	tcase_add_test(others, attach_checks_its_arguments);
	tcase_add_test(others, another_process_sees_values_while_they_change);
	tcase_add_test(others, reset_of_a_closed_page_holds_for_the_next_stream);
	tcase_add_test(others, others_read_what_the_permissions_grant_and_write_nothing);
	tcase_add_test(others, page_of_another_user_is_refused);
	add_case(suite, others);

	tcase_add_test(files, page_has_exactly_the_permissions_asked_for);
	tcase_add_test(files, made_directory_lets_in_whom_the_page_does);
	tcase_add_test(files, page_belongs_to_the_group_asked_for);
	tcase_add_test(files, any_name_makes_one_plain_file_of_its_own);
	tcase_add_test(files, file_size_limit_is_an_error_and_no_signal);
	tcase_add_test(files, full_file_system_is_an_error_and_leaves_no_file);
	tcase_add_loop_test(files, streaming_takes_no_page_fault, 0, 2);
	add_case(suite, files);

	tcase_add_test(planted, page_of_wrong_size_is_made_anew);
	tcase_add_test(planted, page_that_was_never_finished_is_not_there);
	tcase_add_test(planted, page_with_another_stamp_is_made_anew);
	tcase_add_test(planted, random_file_is_made_anew);
	tcase_add_test(planted, reader_of_a_page_made_anew_keeps_the_old_one);
	tcase_add_test(planted, random_contents_harm_neither_reader_nor_writer);
	tcase_add_test(planted, symbolic_link_is_not_followed);
	tcase_add_test(planted, hard_link_is_refused);
	tcase_add_test(planted, page_that_others_can_write_is_refused);
	tcase_add_test(planted, what_is_no_file_is_refused);
	tcase_add_test(planted, directory_that_others_can_write_is_refused);
	tcase_add_test(planted, directory_that_is_none_is_refused);
	add_case(suite, planted);
}

int main(void)
{
	Suite *suite = suite_create("health_page");
	SRunner *runner;
	int failed;

	add_pages(suite);
	add_files(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
