/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a page looks like, for the files that implement it: page_open.c makes
 * and unmakes pages, page_attach.c looks at those of other processes, health_page.c
 * reads and writes their values.
 */
#ifndef HR_CORE_PAGE_INTERNAL_H
#define HR_CORE_PAGE_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/backpressure.h"
#include "core/episodes.h"
#include "core/health_page.h"
#include "core/page_file.h"

#define HR_PAGE_LINE 64			/* bytes */

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
	       "memory shared by processes needs lock-free atomics");

/* An entry of the log of episodes. [keeper] */
struct hr_episode_entry {
	_Alignas(8) _Atomic uint64_t mark;	/* see episodes.c */
	_Alignas(8) _Atomic uint64_t begin_ns;
	_Alignas(8) _Atomic uint64_t wall_ns;
	_Alignas(8) _Atomic uint64_t length_ns;
	_Alignas(8) _Atomic uint64_t frames;
	_Alignas(8) _Atomic uint64_t what;/* kind, cause, fill, going on, a check of all */
};

/* Entry n, counted from the last reset, is in n % HR_EPISODES_KEPT. [keeper] */
struct hr_episode_log {
	_Alignas(HR_PAGE_LINE) _Atomic uint32_t reset_applied;
	_Alignas(8) _Atomic uint64_t n_episodes;	/* since then */
	_Alignas(HR_PAGE_LINE) struct hr_episode_entry entries[HR_EPISODES_KEPT];
};

/* What a page's file begins with; the health monitor follows it. The same in
 * 32-bit and 64-bit processes. */
struct hr_page_shared {
	/* struct hr_page_stamp */
	_Alignas(HR_PAGE_LINE) _Atomic uint32_t magic;
	_Atomic uint32_t version;
	_Atomic uint32_t bytes;
	_Atomic uint32_t n_stats;
	/* Written by anybody who owns the page. */
	_Atomic uint32_t thresholds;	/* trigger << 16 | clear */
	/* Written by hr_page_open(): those of the configuration; 0 = never opened. */
	_Atomic uint32_t configured;
	_Atomic uint32_t on_card;	/* hr_page_set_card_thresholds(); 0 = none */

	/* [keeper] */
	_Alignas(HR_PAGE_LINE) _Atomic uint32_t reset_applied;
	_Alignas(8) _Atomic uint64_t stats[HR_STAT_COUNT];

	struct hr_episode_log log;
};

_Static_assert(sizeof(struct hr_page_shared) % HR_PAGE_LINE == 0,
	       "the monitor begins a line");
_Static_assert(offsetof(struct hr_page_shared, thresholds) ==
		       sizeof(struct hr_page_stamp) &&
	       offsetof(struct hr_page_shared, stats) == HR_PAGE_LINE + 8 &&
	       sizeof(struct hr_episode_entry) == 48 &&
	       sizeof(struct hr_episode_log) == HR_PAGE_LINE + 48 * HR_EPISODES_KEPT,
	       "processes of all kinds see one layout");

enum hr_page_kind {
	HR_PAGE_OPENED,
	HR_PAGE_PRIVATE,
	HR_PAGE_ATTACHED,		/* a copy in private memory */
};

struct hr_page {
	struct hr_page_shared *shared;
	struct hr_health *health;	/* in the same mapping */
	size_t mapped_bytes;
	size_t used_bytes;		/* of these, by the stream that opened it */
	uint32_t window_max;		/* samples there is room for */
	uint32_t slot;
	enum hr_page_kind kind;
	int fd;				/* -1 when private, or in a forked child */
	int companion_fd;		/* opened: hr_page_set_companion() */
	uid_t owner;			/* attached: where to find it again */
	char file_name[NAME_MAX + 1];
	struct hr_page *next;		/* of the opened pages, in page_fork.c */
};

static inline struct hr_health *hr_page_health_in(struct hr_page_shared *shared)
{
	return (struct hr_health *)(shared + 1);
}

static inline uint32_t hr_page_pack(uint32_t trigger, uint32_t clear)
{
	return trigger << 16 | clear;
}

/** Whether a packed pair is valid thresholds. */
static inline bool hr_page_pair_valid(uint32_t pair)
{
	return hr_bp_thresholds_valid(pair >> 16, pair & 0xffff);
}

/** The stamp of the pages of this version. */
struct hr_page_stamp hr_page_this_stamp(void);

/** A page around a mapping of bytes of a file, or of memory for fd -1; NULL without
 * memory. fd is only taken over with success. */
struct hr_page *hr_page_new(enum hr_page_kind kind, int fd, size_t bytes);

/** Undo hr_page_new(), but for the descriptor. */
void hr_page_free(struct hr_page *page);

/** Map the beginning of an attached page's file for writing, to carry a setting
 * there; NULL with *errp set to -errno. hr_page_unmap_shared() is owed. */
struct hr_page_shared *hr_page_map_shared(const struct hr_page *page, int *errp);
void hr_page_unmap_shared(struct hr_page_shared *shared);

/** From now on a forked child lets go of the page, by which it would hold the slot
 * after its parent's end. Any thread. */
void hr_page_fork_add(struct hr_page *page);

/** No longer; does nothing for a page that was not added. Any thread. */
void hr_page_fork_remove(struct hr_page *page);

/** Carry out a reset that was asked for in the log of episodes, and of what the health
 * monitor counts as lost. [keeper] */
void hr_page_empty_episodes(struct hr_page *page);

/** What a process that died has left going on is over, however long it lasted. [keeper] */
void hr_page_stop_episode(struct hr_page *page);

/** Whether a value is marked [c] in enum hr_stat. */
bool hr_page_stat_is_counter(enum hr_stat stat);

#endif
