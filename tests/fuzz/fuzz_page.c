/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The bytes of an input as the page of another process: whatever is in it, a reader shows
 * nothing that cannot be, who sets something leaves a page that is right as far as it
 * goes, and a stream that takes the page over counts on.
 *
 * An input: flags, the time, perhaps a place, and the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/episodes.h"
#include "core/page_internal.h"
#include "plugin/elements.h"
#include "plugin/snapshot.h"
#include "tests/fuzz/fuzz.h"

#define PAGE_FILE "x.playback.0"
#define PLACE_MAX 8192		/* beyond the first samples */

/* The flags. */
#define OTHER_STAMP 1u		/* the bytes begin with one */
#define OTHER_SIZE 2u		/* the file ends with the bytes */
#define LIVES 4u		/* a process seems to have it */
#define GROWS_BAD 8u		/* it was a good page when it was attached */
#define IS_SET 16u		/* and then a setting is carried there */
#define IS_TAKEN_OVER 32u
#define AT_PLACE 64u		/* the bytes go where a number says: the rest stays good */

static const struct hr_page_config config = {
	.name = "x", .direction = HR_PLAYBACK, .perm = 0600, .gid = (gid_t)-1,
	.trigger = 90, .clear = 70, .window = 64,
};

static void check_thresholds(const struct hr_page *page)
{
	uint32_t trigger, clear;

	hr_page_get_thresholds(page, &trigger, &clear);
	DEMAND(clear >= 1 && clear < trigger && trigger <= 100);
}

static void check_elements(const struct hr_snapshot *snapshot)
{
	for (size_t i = 0; i < hr_n_elements; i++) {
		int64_t value = hr_element_value(&hr_elements[i], snapshot);

		DEMAND(value >= hr_elements[i].min && value <= hr_elements[i].max);
	}
}

static void check_episodes(const struct hr_page *page)
{
	struct hr_episode episodes[HR_EPISODES_KEPT];
	uint32_t n = hr_page_get_episodes(page, episodes);

	DEMAND(n <= HR_EPISODES_KEPT);
	for (uint32_t i = 0; i < n; i++) {
		DEMAND(episodes[i].kind <= HR_EPISODE_REWIND);
		DEMAND(episodes[i].cause <= HR_CAUSE_DEVICE);
		DEMAND(episodes[i].fill <= 100);
		DEMAND(hr_episode_kind_name(episodes[i].kind));
		DEMAND(hr_cause_name(episodes[i].cause));
	}
}

static void check_shown(const struct hr_page *page, uint64_t now_ns)
{
	struct hr_snapshot snapshot;

	DEMAND(hr_snapshot_take(&snapshot, page, true, now_ns) == 0);
	check_elements(&snapshot);
	DEMAND(hr_snapshot_take(&snapshot, page, false, now_ns) == 0);
	check_elements(&snapshot);
	DEMAND(hr_snapshot_take_ended(&snapshot, page, now_ns) == 0);
	check_elements(&snapshot);
	check_thresholds(page);
	check_episodes(page);
}

/* Locked as by a stream if flags say so, until it is closed. */
static int write_file(uint8_t flags, size_t place, const uint8_t *bytes, size_t n)
{
	struct hr_page_stamp stamp = hr_page_this_stamp();
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	size_t stamp_bytes = flags & OTHER_STAMP ? 0 : sizeof(stamp);
	size_t begin = flags & AT_PLACE ? place : stamp_bytes;
	int fd = open(in_directory(PAGE_FILE), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	DEMAND(fd >= 0);
	DEMAND(pwrite(fd, &stamp, stamp_bytes, 0) == (ssize_t)stamp_bytes);
	DEMAND(pwrite(fd, bytes, n, (off_t)begin) == (ssize_t)n);
	DEMAND(ftruncate(fd, flags & OTHER_SIZE ? (off_t)(begin + n) : (off_t)stamp.bytes) == 0);
	if (flags & LIVES)
		DEMAND(fcntl(fd, F_OFD_SETLK, &lock) == 0);
	return fd;
}

static struct hr_page *attach(void)
{
	struct hr_page *page = NULL;
	int err = hr_page_attach(&page, HR_PAGE_OWN, "x", HR_PLAYBACK, 0);

	DEMAND(err == 0 || err == -EPROTO || err == -ENOENT);
	DEMAND(!page == (err < 0));
	return page;
}

/* A stream that has left some values. */
static struct hr_page *attach_good(void)
{
	const struct hr_episode episode = {
		.kind = HR_EPISODE_DROP, .cause = HR_CAUSE_PROGRAM, .fill = 100,
		.going_on = true, .begin_ns = 2, .frames = 3,
	};
	struct hr_page *page;

	DEMAND(hr_page_open(&page, &config, 1) == 0);
	hr_health_chunk(hr_page_health(page), 480, 5, 6);
	hr_page_begin_episode(page, &episode);
	hr_page_grow_episode(page, 4, 5);
	hr_page_begin_episode(page, &episode);
	hr_page_close(page, 7);
	page = attach();
	DEMAND(page);
	return page;
}

static void set_all(struct hr_page *page, uint64_t now_ns)
{
	int err = hr_page_set_trigger(page, 80);

	DEMAND(err >= 0 || err == -EINVAL || err == -EPROTO || err == -ENOENT);
	err = hr_page_set_clear(page, 60);
	DEMAND(err >= 0 || err == -EINVAL || err == -EPROTO || err == -ENOENT);
	err = hr_page_reset(page);
	DEMAND(err == 0 || err == -EPROTO || err == -ENOENT);
	/* One that is made up may say that the next reset is carried out already; but then the
	 * one after it is not. */
	if (hr_page_refresh(page, true) == 0 && err == 0 && hr_page_get(page, HR_STAT_FRAMES))
		err = hr_page_reset(page);
	if (hr_page_refresh(page, true) == 0 && err == 0)
		DEMAND(hr_page_get(page, HR_STAT_FRAMES) == 0);
	check_shown(page, now_ns);
}

/* What is found is made anew if it is no page, and believed within its bounds if it is. */
static void take_over(uint64_t now_ns)
{
	struct hr_page *page;

	DEMAND(hr_page_open(&page, &config, now_ns) == 0);
	DEMAND(hr_page_slot(page) <= 1);	/* the first may be held */
	for (int i = 0; i < 70; i++)
		hr_health_chunk(hr_page_health(page), 480, now_ns + i, now_ns + i);
	hr_health_drop(hr_page_health(page), 3);
	hr_page_raise(page, HR_STAT_FILL_MAX, 50);
	hr_page_add(page, HR_STAT_FRAMES, 480);
	check_shown(page, now_ns);
	DEMAND(hr_page_reset(page) == 0);
	hr_page_apply_reset(page);
	DEMAND(hr_page_get(page, HR_STAT_FRAMES) == 0);
	check_shown(page, now_ns);
	hr_page_close(page, now_ns);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	make_directory();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t flags = take_u8(&input);
	uint64_t now_ns = take_extreme(&input);
	struct hr_page *page = flags & GROWS_BAD ? attach_good() : NULL;
	size_t place = flags & AT_PLACE ? take_u16(&input) % PLACE_MAX : 0;
	int fd = write_file(flags, place, input.bytes, input.left);

	if (page)
		(void)hr_page_refresh(page, true);
	else
		page = attach();
	if (page) {
		check_shown(page, now_ns);
		if (flags & IS_SET)
			set_all(page, now_ns);
	}
	if (flags & IS_TAKEN_OVER)
		take_over(now_ns);
	hr_page_close(page, 0);
	close(fd);
	clear_directory();
	return 0;
}
