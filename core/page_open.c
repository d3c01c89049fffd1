/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/backpressure.h"
#include "core/health_page.h"
#include "core/page_file.h"
#include "core/page_internal.h"

#define PAGE_MAGIC 0x48445231u	/* "HDR1" */

/* Counts up with every change to struct hr_page_shared, enum hr_stat or struct
 * hr_health, or to what the numbers in the log of episodes mean. */
#define PAGE_VERSION 3u

#define TOUCH_STEP 4096		/* the smallest page of any machine */

static uint32_t page_bytes(uint32_t window)
{
	return (uint32_t)sizeof(struct hr_page_shared) + (uint32_t)hr_health_bytes(window);
}

struct hr_page_stamp hr_page_this_stamp(void)
{
	return (struct hr_page_stamp) {
		.magic = PAGE_MAGIC,
		.version = PAGE_VERSION,
		.bytes = page_bytes(HR_HEALTH_WINDOW_MAX),
		.n_stats = HR_STAT_COUNT,
	};
}

/* What a stream that has ended was like is worth showing. */
static bool is_kept_when_closed(enum hr_stat stat)
{
	return stat == HR_STAT_RATE || stat == HR_STAT_CHANNELS ||
	       stat == HR_STAT_PERIOD || stat == HR_STAT_BUFFER;
}

static bool config_valid(const struct hr_page_config *config)
{
	char file_name[NAME_MAX + 1];

	return hr_page_file_name(file_name, config->name, config->direction, 0) == 0 &&
	       (config->perm & ~(mode_t)0777) == 0 && (config->perm & 0600) == 0600 &&
	       hr_bp_thresholds_valid(config->trigger, config->clear) &&
	       config->window >= HR_HEALTH_WINDOW_MIN &&
	       config->window <= HR_HEALTH_WINDOW_MAX;
}

struct hr_page *hr_page_new(enum hr_page_kind kind, int fd, size_t bytes)
{
	/* Private memory is shared as well, with our forked children: as
	 * copy-on-write it would be copied by the I/O thread's next store. */
	int flags = kind == HR_PAGE_ATTACHED ? MAP_PRIVATE | MAP_ANONYMOUS :
		    fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	struct hr_page *page = calloc(1, sizeof(*page));
	void *map;

	if (!page)
		return NULL;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags,
		   (flags & MAP_ANONYMOUS) ? -1 : fd, 0);
	if (map == MAP_FAILED) {
		free(page);
		return NULL;
	}
	page->shared = map;
	page->health = hr_page_health_in(map);
	page->mapped_bytes = bytes;
	page->window_max = HR_HEALTH_WINDOW_MAX;
	page->kind = kind;
	page->fd = fd;
	page->companion_fd = -1;
	return page;
}

void hr_page_free(struct hr_page *page)
{
	munmap(page->shared, page->mapped_bytes);
	free(page);
}

/* Have all that the streaming threads will store to mapped for writing: to read
 * it, or MAP_POPULATE, leaves the fault of the first store to them. A word is
 * exchanged for itself, since somebody may ask for a reset at the same time. */
static void touch(struct hr_page *page, uint32_t used_bytes)
{
	for (uint32_t offset = 0; offset < used_bytes; offset += TOUCH_STEP) {
		_Atomic uint32_t *word =
			(_Atomic uint32_t *)((char *)page->shared + offset);
		uint32_t value = atomic_load_explicit(word, memory_order_relaxed);

		/* relaxed: nothing is told by it. */
		while (!atomic_compare_exchange_weak_explicit(word, &value, value,
							      memory_order_relaxed,
							      memory_order_relaxed))
			;
	}
	/* Kept from being swapped out, where the limits allow. */
	mlock(page->shared, used_bytes);
}

/* Write what tells a page from other files, when all else is in place. */
static void put_stamp(struct hr_page_shared *shared)
{
	struct hr_page_stamp stamp = hr_page_this_stamp();

	atomic_store_explicit(&shared->version, stamp.version, memory_order_relaxed);
	atomic_store_explicit(&shared->bytes, stamp.bytes, memory_order_relaxed);
	atomic_store_explicit(&shared->n_stats, stamp.n_stats, memory_order_relaxed);
	/* release, pairs with the pread() in page_file.c: without a magic number
	 * the page counts as not there. */
	atomic_store_explicit(&shared->magic, stamp.magic, memory_order_release);
}

/* Thresholds that somebody has set since the former stream was opened, or for the
 * first one to come, outlast it; but not a change of the configuration. */
static void begin_thresholds(struct hr_page *page, const struct hr_page_config *config)
{
	struct hr_page_shared *shared = page->shared;
	uint32_t wanted = hr_page_pack(config->trigger, config->clear);
	/* relaxed: each is a value by itself, and only [setup] writes `configured`. */
	uint32_t found = atomic_load_explicit(&shared->thresholds, memory_order_relaxed);
	uint32_t configured = atomic_load_explicit(&shared->configured,
						   memory_order_relaxed);

	if (!hr_page_pair_valid(found) || (configured && configured != wanted))
		atomic_store_explicit(&shared->thresholds, wanted, memory_order_relaxed);
	atomic_store_explicit(&shared->configured, wanted, memory_order_relaxed);
}

static void begin_stream(struct hr_page *page, const struct hr_page_config *config,
			 uint64_t now_ns)
{
	hr_page_apply_reset(page);
	hr_page_stop_episode(page);
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++) {
		if (!hr_page_stat_is_counter(stat))
			hr_page_set(page, stat, 0);
	}
	begin_thresholds(page, config);
	hr_health_open(page->health, config->window, now_ns);
	hr_page_set(page, HR_STAT_PROCESS, (uint64_t)getpid());
	hr_page_set(page, HR_STAT_STATE, HR_STATE_OPEN);
	touch(page, page_bytes(config->window));
}

static void end_stream(struct hr_page *page, uint64_t now_ns)
{
	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++) {
		if (!hr_page_stat_is_counter(stat) && !is_kept_when_closed(stat))
			hr_page_set(page, stat, 0);
	}
	hr_health_close(page->health, now_ns);
}

/* Take a slot and map its page. */
static int open_slot(struct hr_page **pagep, int dir_fd, uint32_t slot,
		     const struct hr_page_config *config)
{
	struct hr_page_access access = {
		.perm = config->perm & 0644,
		.gid = config->gid,
	};
	struct hr_page_stamp stamp = hr_page_this_stamp();
	char file_name[NAME_MAX + 1];
	struct hr_page *page;
	bool is_new;
	int fd;

	hr_page_file_name(file_name, config->name, config->direction, slot);
	fd = hr_page_file_take(dir_fd, file_name, &access, &stamp,
			       page_bytes(config->window), &is_new);
	if (fd < 0)
		return fd;

	page = hr_page_new(HR_PAGE_OPENED, fd, stamp.bytes);
	if (!page) {
		if (is_new)
			unlinkat(dir_fd, file_name, 0);
		hr_page_file_release(fd);
		return -ENOMEM;
	}
	page->slot = slot;
	*pagep = page;
	return 0;
}

int hr_page_open(struct hr_page **pagep, const struct hr_page_config *config,
		 uint64_t now_ns)
{
	struct hr_page_access access = { .perm = config->perm, .gid = config->gid };
	struct hr_page *page = NULL;
	int err = -EBUSY;
	int dir_fd;

	if (!config_valid(config))
		return -EINVAL;
	dir_fd = hr_page_dir_open(HR_PAGE_OWN, &access);
	if (dir_fd < 0)
		return dir_fd;
	for (uint32_t slot = 0; slot < HR_PAGE_SLOTS && err == -EBUSY; slot++)
		err = open_slot(&page, dir_fd, slot, config);
	close(dir_fd);
	if (err < 0)
		return err;

	page->used_bytes = page_bytes(config->window);
	hr_page_fork_add(page);
	begin_stream(page, config, now_ns);
	put_stamp(page->shared);
	*pagep = page;
	return 0;
}

int hr_page_open_private(struct hr_page **pagep,
			 const struct hr_page_config *config, uint64_t now_ns)
{
	struct hr_page *page;

	if (!config_valid(config))
		return -EINVAL;
	page = hr_page_new(HR_PAGE_PRIVATE, -1, page_bytes(config->window));
	if (!page)
		return -ENOMEM;
	page->window_max = config->window;
	begin_stream(page, config, now_ns);
	*pagep = page;
	return 0;
}

int hr_page_make(uid_t owner, const char *name, enum hr_direction direction,
		 uint32_t trigger, uint32_t clear)
{
	struct hr_page_access access = { .perm = 0600, .gid = (gid_t)-1 };
	struct hr_page_stamp stamp = hr_page_this_stamp();
	struct {
		struct hr_page_stamp stamp;
		uint32_t thresholds;
	} contents = { stamp, hr_page_pack(trigger, clear) };
	char file_name[NAME_MAX + 1];
	int dir_fd, err;

	if (hr_page_file_name(file_name, name, direction, 0) < 0 ||
	    !hr_bp_thresholds_valid(trigger, clear))
		return -EINVAL;
	if (owner != HR_PAGE_OWN && owner != geteuid())
		return -EPERM;
	dir_fd = hr_page_dir_open(owner, &access);
	if (dir_fd < 0)
		return dir_fd;
	err = hr_page_file_put(dir_fd, file_name, &stamp, &contents, sizeof(contents));
	close(dir_fd);
	return err;
}

void hr_page_close(struct hr_page *page, uint64_t now_ns)
{
	if (!page)
		return;
	if (page->kind != HR_PAGE_ATTACHED)
		end_stream(page, now_ns);
	hr_page_fork_remove(page);
	if (page->kind == HR_PAGE_OPENED)
		hr_page_file_release(page->fd);
	else if (page->kind == HR_PAGE_ATTACHED)
		close(page->fd);
	hr_page_free(page);
}

void hr_page_abandon(struct hr_page *page)
{
	if (!page)
		return;
	hr_page_fork_remove(page);
	/* Only this copy of the descriptor: to unlock would unlock the parent's. */
	if (page->fd >= 0)
		close(page->fd);
	hr_page_free(page);
}
