/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Pages as their streams see them; and that others see the same. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/page_fixture.h"

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

START_TEST(slot_is_free_after_its_process_was_killed)
{
	pid_t child = fork_holder();
	struct hr_page *reader = attach_page(0);
	struct hr_page *page = open_page();

	ck_assert_uint_eq(hr_page_slot(page), 1);
	ck_assert(hr_page_is_live(reader));
	ck_assert_uint_eq(get_now(reader, HR_STAT_PROCESS), (uint64_t)child);
	ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_RUNNING);
	hr_page_close(page, 101 * S);

	kill_child(child);
	ck_assert(!hr_page_is_live(reader));

	page = open_page();
	ck_assert_uint_eq(hr_page_slot(page), 0);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 77);
	ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_OPEN);
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

	ck_assert_int_eq(read(start_fd, &byte, 1), 1);
	ck_assert_int_eq(hr_page_open(&page, &normal, 100 * S), 0);
	slot = hr_page_slot(page);
	ck_assert_int_eq(write(slot_fd, &slot, sizeof(slot)), sizeof(slot));
	ck_assert_int_eq(read(stop_fd, &byte, 1), 1);
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
	ck_assert_uint_eq(get_now(reader, HR_STAT_STATE), HR_STATE_OPEN);
	ck_assert_uint_eq(get_now(reader, HR_STAT_PROCESS), (uint64_t)getpid());
	hr_page_add(page, HR_STAT_FRAMES, 1);
	hr_page_close(page, 101 * S);
	hr_page_close(reader, 0);
}
END_TEST

/* _i: without, and then nothing is replaced. */
START_TEST(companion_of_a_page_ends_with_the_parent)
{
	struct hr_page *page = open_page();
	int life[2], held[2];
	struct pollfd end;
	pid_t child;

	ck_assert_int_eq(pipe(life) | pipe(held), 0);
	hr_page_set_companion(page, _i ? -1 : held[1]);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* Its number is taken still. */
		ck_assert_int_ge(fcntl(held[1], F_GETFD), 0);
		close(life[1]);
		receive_byte(life[0]);
		_exit(0);
	}
	close(held[1]);
	end = (struct pollfd) { .fd = held[0] };
	ck_assert_int_eq(poll(&end, 1, _i ? 100 : 5000), !_i);
	send_byte(life[1]);
	wait_for(child);
	close(held[0]);
	close_both(life);
	hr_page_close(page, 101 * S);
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
	kill_child(child);
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
		ck_assert_uint_eq(get_now(reader, stat),
				  is_counter(stat) || is_kept(stat) ? 10u + stat : 0);
	ck_assert_uint_eq(snapshot_of(reader).frames_dropped, 3);
	ck_assert_uint_eq(snapshot_of(reader).uptime_ns, 2 * S);

	page = open_page();
	for (enum hr_stat stat = HR_STAT_REALTIME; stat < HR_STAT_COUNT; stat++)
		ck_assert_uint_eq(get_now(reader, stat),
				  is_counter(stat) ? 10u + stat : 0);
	hr_page_add(page, HR_STAT_FRAMES, 1);
	ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), 11u + HR_STAT_FRAMES);
	ck_assert_uint_eq(snapshot_of(reader).frames_dropped, 3);
	hr_page_close(page, 103 * S);
	hr_page_close(reader, 0);
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

/* Cut short it would be somebody else's. */
START_TEST(directory_with_too_long_a_path_is_none)
{
	char path[PATH_MAX + 2];

	memset(path, '/', sizeof(path));
	memcpy(path + sizeof(path) - 2, "x", sizeof("x"));
	ck_assert_int_eq(setenv("HEADROOM_DIR", path, 1), 0);
	assert_open_fails(-ENOENT);
	assert_attach_fails(-ENOENT);
}
END_TEST

START_TEST(abandoned_page_is_nobodys_and_harms_none)	/* _i: private or not */
{
	struct hr_page *page = open_either(_i), *other;

	if (!_i) {
		/* The slot is free: the lock went with the only descriptor. */
		hr_page_abandon(page);
		other = open_page();
		ck_assert_uint_eq(hr_page_slot(other), 0);
		hr_page_close(other, 101 * S);
	} else {
		hr_page_abandon(page);
	}
	hr_page_abandon(NULL);
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
		ck_assert_int_eq(hr_page_attach(&reader, HR_PAGE_OWN, odd_names[i],
						HR_PLAYBACK, 0), 0);
		ck_assert_uint_eq(get_now(reader, HR_STAT_FRAMES), i);
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

/* ---- memory ---- */

START_TEST(file_size_limit_is_an_error_and_no_signal)
{
	const struct rlimit limit = { .rlim_cur = 10000, .rlim_max = RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_open_fails(-EFBIG);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(full_file_system_is_an_error_and_leaves_no_file)
{
	struct hr_page_config large = normal;
	struct hr_page *page = NULL;

	if (!is_root())
		return;
	mount_small("size=64k,mode=700");
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

static void add_values(Suite *suite)
{
	TCase *values = add_case(suite, "values");

	tcase_add_loop_test(values, new_page_is_open_and_otherwise_zero, 0, 2);
	tcase_add_loop_test(values, values_are_set_raised_and_added_to, 0, 2);
	tcase_add_loop_test(values, reset_zeroes_counters_and_nothing_else, 0, 2);
	tcase_add_loop_test(values, bad_configs_are_refused, 0, 2);
	tcase_add_test(values, private_page_is_in_no_file);
	tcase_add_test(values, counters_go_on_and_the_rest_begins_anew);
	tcase_add_test(values, threads_see_no_half_value_and_nothing_from_before_a_reset);
}

int main(void)
{
	Suite *suite = suite_create("health_page");
	TCase *slots = add_case(suite, "slots");
	TCase *files = add_case(suite, "files");

	tcase_add_test(slots, two_streams_of_a_name_get_slots_0_and_1);
	tcase_add_test(slots, directions_and_names_have_slots_of_their_own);
	tcase_add_test(slots, slot_is_free_after_close);
	tcase_add_test(slots, slot_is_free_after_its_process_was_killed);
	tcase_add_test(slots, all_slots_taken_is_busy);
	tcase_add_test(slots, readers_take_no_slot_away);
	tcase_add_test(slots, streams_that_open_at_once_get_different_slots);
	tcase_add_test(slots, child_that_abandons_a_page_leaves_it_to_the_parent);
	tcase_add_loop_test(slots, companion_of_a_page_ends_with_the_parent, 0, 2);
	tcase_add_test(slots, close_frees_the_slot_though_a_child_has_the_descriptor);
	add_values(suite);

	tcase_add_test(files, page_has_exactly_the_permissions_asked_for);
	tcase_add_test(files, made_directory_lets_in_whom_the_page_does);
	tcase_add_test(files, page_belongs_to_the_group_asked_for);
	tcase_add_test(files, directory_with_too_long_a_path_is_none);
	tcase_add_loop_test(files, abandoned_page_is_nobodys_and_harms_none, 0, 2);
	tcase_add_test(files, any_name_makes_one_plain_file_of_its_own);
	tcase_add_test(files, file_size_limit_is_an_error_and_no_signal);
	tcase_add_test(files, full_file_system_is_an_error_and_leaves_no_file);
	if (!HAVE_SANITIZER)	/* its shadow memory faults instead */
		tcase_add_loop_test(files, streaming_takes_no_page_fault, 0, 2);
	return run_suite(suite);
}
