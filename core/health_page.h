/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The page: the health of one stream in a file that other processes can map.
 *
 * Pages live in a directory of the user's own, /dev/shm/headroom-UID, or where
 * the environment variable HEADROOM_DIR says (ignored in setuid programs). A page
 * is named after the stream: NAME.playback.0 is the first playback stream of that
 * name, NAME.playback.1 a second one at the same time. The number is the slot. A
 * slot belongs to whoever holds the kernel's lock on the file (F_OFD_SETLK), so
 * it is free again the moment its process dies, however it dies. The file stays,
 * and the next stream in the slot goes on counting. A page that has to be made
 * anew is another file: a reader whose page is not live attaches again now and
 * then.
 *
 * Owner and mode of directory and page are checked: only the owner can write to a
 * page, and a reader believes the user whose directory it was told to look in, and
 * root. A reader never maps a page, since its owner could shorten it under the
 * mapping (SIGBUS): it copies it.
 *
 * Who wants to know of changes at once watches the directory with inotify
 * (hr_page_watch()): hr_page_announce() shows there, and so does the end of a
 * stream, even if its process is killed.
 *
 * All shared members are address-free atomics. Nothing read from a page is ever
 * used as an index, a length or a pointer without being bounded by what the
 * reader itself has copied.
 *
 * Who may call is given per function:
 *   [keeper]  the one thread that writes values at the time: the I/O thread while
 *             it runs, the program's thread otherwise
 *   [any]     any thread of any process
 *   [setup]   no other call on this page in progress in this process
 */
#ifndef HR_CORE_HEALTH_PAGE_H
#define HR_CORE_HEALTH_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/health.h"

#define HR_PAGE_SLOTS 64u	/* streams of one name and direction at one time */
#define HR_PAGE_NAME_MAX 63u	/* bytes of a stream's name */
#define HR_PAGE_OWN ((uid_t)-1)	/* owner: us, or whoever HEADROOM_DIR belongs to */

enum hr_direction {
	HR_PLAYBACK,
	HR_CAPTURE,
};

enum hr_state {
	HR_STATE_CLOSED,
	HR_STATE_OPEN,
	HR_STATE_SETUP,
	HR_STATE_PREPARED,
	HR_STATE_RUNNING,
	HR_STATE_XRUN,
	HR_STATE_DRAINING,
	HR_STATE_PAUSED,
	HR_STATE_SUSPENDED,
	HR_STATE_DISCONNECTED,
};

/* Who was late, the last time. */
enum hr_cause {
	HR_CAUSE_NONE,
	HR_CAUSE_PROGRAM,
	HR_CAUSE_SCHEDULER,
	HR_CAUSE_DEVICE,
};

/* Values beside the health monitor's. [c] counters: they go on over close and
 * open, and a reset zeroes them; the others say what is now. */
enum hr_stat {
	HR_STAT_STATE,			/* enum hr_state */
	HR_STAT_PROCESS,		/* pid, 0 = none */
	HR_STAT_REALTIME,		/* priority of the I/O thread, 0 = none */
	HR_STAT_RATE,			/* Hz */
	HR_STAT_CHANNELS,
	HR_STAT_PERIOD,			/* frames */
	HR_STAT_BUFFER,			/* frames */
	HR_STAT_FILL,			/* % of the ring */
	HR_STAT_FILL_MAX,		/* % [c] */
	HR_STAT_PRESSURE,		/* % of the way to loss */
	HR_STAT_PRESSURE_RAISED,	/* 0 or 1 */
	HR_STAT_PRESSURE_SINCE_NS,	/* CLOCK_MONOTONIC; valid while raised */
	HR_STAT_PRESSURE_COUNT,		/* [c] */
	HR_STAT_PRESSURE_NS,		/* ended episodes [c] */
	HR_STAT_PUSHED,			/* chunks [c] */
	HR_STAT_POPPED,			/* chunks [c] */
	HR_STAT_FRAMES,			/* moved to or from the device [c] */
	HR_STAT_DEVICE_XRUNS,		/* times; a gap may have several [c] */
	HR_STAT_XRUN_CAUSE,		/* enum hr_cause [c] */
	HR_STAT_LATE_MAX_NS,		/* I/O thread woke late [c] */
	HR_STAT_RATE_MEASURED,		/* frames/s of the device's clock */
	HR_STAT_POOL_HITS,		/* [c] */
	HR_STAT_POOL_MISSES,		/* [c] */
	HR_STAT_POOL_SIZE,		/* chunks */
	HR_STAT_COUNT			/* number of the above */
};

struct hr_page;

struct hr_page_config {
	const char *name;		/* 1..HR_PAGE_NAME_MAX bytes, any characters */
	enum hr_direction direction;
	mode_t perm;			/* of the file, e.g. 0600 or 0640: the owner's
					 * read and write bits are needed; of the
					 * others' only the read bits count */
	gid_t gid;			/* group of the file; (gid_t)-1 leaves it */
	uint32_t trigger, clear;	/* percent */
	uint32_t window;		/* latency samples */
};

/**
 * Take the first free slot of the name and direction: make or take over its
 * page and lock it. [setup]
 *
 * Counters of a former stream in the slot go on, and so do its trigger and clear as
 * they were last set, unless other ones are configured now than it was opened with:
 * the last word counts. The health monitor is opened at now_ns, state
 * is HR_STATE_OPEN and process the caller's. A page of another version or of the
 * wrong size is made anew. Directory and file must belong to the caller and be
 * writable by nobody else; no symbolic link is followed and no hard link
 * accepted. All memory the stream will write to is there when this returns.
 * Returns 0, -EINVAL for a bad config, -EBUSY when all slots are taken, -EPERM
 * for a directory or page that is not ours alone, or the -errno of the system
 * call that failed. *pagep is written only on success.
 */
int hr_page_open(struct hr_page **pagep, const struct hr_page_config *config,
		 uint64_t now_ns);

/** The same in private memory, for when hr_page_open() fails: all calls below
 * work on it, nobody else sees it. Slot 0. Returns 0, -EINVAL, -ENOMEM. [setup] */
int hr_page_open_private(struct hr_page **pagep,
			 const struct hr_page_config *config, uint64_t now_ns);

/**
 * Look at the page of a slot, which belongs to the user owner, or HR_PAGE_OWN: take a
 * copy of it. [setup]
 *
 * Returns 0, -ENOENT when there never was one (or it is being made just now),
 * -EINVAL for a bad name or slot, -EPROTO for a page of another version, size or
 * magic, -EPERM for one that belongs to somebody else or is writable by others, or
 * -errno.
 */
int hr_page_attach(struct hr_page **pagep, uid_t owner, const char *name,
		   enum hr_direction direction, uint32_t slot);

/**
 * Copy an attached page anew: the values, all of one moment, and if asked for the
 * latency samples. Nothing to do for the other kinds. [setup]
 *
 * Returns 0, -EPROTO if it is no page any more (cut off, overwritten), or -errno; its
 * values are then undefined, but safe to read.
 */
int hr_page_refresh(struct hr_page *page, bool with_samples);

/** Whether an attached page's file is not in its place any more: removed, replaced, or
 * moved away with its directory. Attach again. [any] */
bool hr_page_is_removed(const struct hr_page *page);

/** Make the page of slot 0 for a stream of owner's to come, with these thresholds as
 * if somebody had set them. Returns 0, -EEXIST if there is one by now, -EINVAL, -EPERM
 * if owner is somebody else, or as hr_page_open(). [setup] */
int hr_page_make(uid_t owner, const char *name, enum hr_direction direction,
		 uint32_t trigger, uint32_t clear);

/** Have a descriptor of inotify become readable when pages of that owner change.
 * Returns the watch; -ENOENT if there is no directory yet, or -errno. [any] */
int hr_page_watch(uid_t owner, int inotify_fd);

/** Tell those who watch that something has changed. A system call that may wait: not
 * for the streaming threads. [any] */
void hr_page_announce(const struct hr_page *page);

/** Let go of the page. One that was opened: state Closed, process 0, health closed at
 * now_ns, and the slot is given back. NULL is allowed. [setup] */
void hr_page_close(struct hr_page *page, uint64_t now_ns);

/** In a forked child: unmap without touching what belongs to the parent. The lock
 * stays the parent's. NULL is allowed. [setup] */
void hr_page_abandon(struct hr_page *page);

uint32_t hr_page_slot(const struct hr_page *page);

/** Whether a process has the slot now: asks the kernel's lock. [any] */
bool hr_page_is_live(const struct hr_page *page);

/** The health monitor in the page, and the most samples it may hold. [any] */
struct hr_health *hr_page_health(struct hr_page *page);
const struct hr_health *hr_page_health_const(const struct hr_page *page);
uint32_t hr_page_window_max(const struct hr_page *page);

/** Set, raise to at least, add to a value. Wait-free. [keeper] */
void hr_page_set(struct hr_page *page, enum hr_stat stat, uint64_t value);
void hr_page_raise(struct hr_page *page, enum hr_stat stat, uint64_t value);
void hr_page_add(struct hr_page *page, enum hr_stat stat, uint64_t value);

/** One value, as it was last written; counters read 0 from a reset on. A value
 * of another process: check it before you believe it. [any] */
uint64_t hr_page_get(const struct hr_page *page, enum hr_stat stat);

/** Carry out a reset that was asked for, if there is one: zero the values
 * marked [c]. True if there was one. Call it once a step. Wait-free. [keeper] */
bool hr_page_apply_reset(struct hr_page *page);

/** Ask for a reset of these counters and the health monitor's. The page of another
 * process is mapped for the moment, so only its owner may; the copy of an attached
 * page is as old as before. Returns 0, -EPERM if it is not ours, or -errno. [any] */
int hr_page_reset(struct hr_page *page);

/** Pressure thresholds in percent; always 1 <= clear < trigger <= 100 whatever
 * the page says. [any] */
void hr_page_get_thresholds(const struct hr_page *page, uint32_t *trigger,
			    uint32_t *clear);

/** Store thresholds; both in one atomic, so no reader sees half.
 * Returns 0, -EINVAL unless 1 <= clear < trigger <= 100, or as hr_page_reset().
 * [any] */
int hr_page_set_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear);

/** Store one of them and keep the other, whatever it is by then. Returns 1, 0 if
 * it was the same before, or as hr_page_set_thresholds(). [any] */
int hr_page_set_trigger(struct hr_page *page, uint32_t trigger);
int hr_page_set_clear(struct hr_page *page, uint32_t clear);

/** The thresholds that the elements of a card show for this slot, as its streams know:
 * whatever else is found there was set by somebody. False if there are none. They
 * outlast the stream. [any], one at a time */
bool hr_page_get_card_thresholds(const struct hr_page *page, uint32_t *trigger,
				 uint32_t *clear);
void hr_page_set_card_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear);

/** In a forked child this descriptor is replaced by one of /dev/null, when it lets go of
 * the page: what it stands for then ends with the parent. -1: none. [setup] */
void hr_page_set_companion(struct hr_page *page, int fd);

#endif
