/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "core/episodes.h"

#include <stdatomic.h>
#include "core/page_internal.h"

#define INDEX_MASK (HR_EPISODES_KEPT - 1)

_Static_assert((HR_EPISODES_KEPT & INDEX_MASK) == 0, "an index is masked");

/* Parts of an entry's `what`. */
#define KIND_SHIFT 0
#define CAUSE_SHIFT 8
#define FILL_SHIFT 16
#define PART_MASK 0xffu
#define GOING_ON (1u << 24)
#define CHECK_SHIFT 32

/* An entry's values, without what tells that they are whole. */
struct values {
	uint64_t begin_ns, wall_ns, length_ns, frames;
	uint32_t what;
};

static uint32_t pack(const struct hr_episode *episode)
{
	return (uint32_t)episode->kind << KIND_SHIFT |
	       (uint32_t)episode->cause << CAUSE_SHIFT |
	       episode->fill << FILL_SHIFT | (episode->going_on ? GOING_ON : 0);
}

/* Of an entry's number and values. Another process reads a copy of the page, which the
 * kernel makes in no promised order: there the mark alone says nothing. */
static uint32_t check_of(uint64_t number, const struct values *values)
{
	const uint64_t words[] = { number, values->begin_ns, values->wall_ns,
				   values->length_ns, values->frames, values->what };
	uint64_t sum = 0;

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
	}
	return (uint32_t)sum;
}

/* What [keeper] itself has written. relaxed: nobody else writes it, or it does no harm. */
static uint64_t own(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/* release, pairs with the loads in read_entry(): who sees the value sees the mark that
 * was set before it. */
static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_release);
}

/* A mark: the number of the entry, counted from 1, so that no entry of a fresh page has
 * it, and how often it was written: odd while it is being written. */
#define NUMBER_SHIFT 32
#define WRITES_MASK UINT32_MAX

static uint64_t mark_of(uint64_t number, uint64_t writes)
{
	return (number + 1) << NUMBER_SHIFT | (writes & WRITES_MASK);
}

static struct values own_values(const struct hr_episode_entry *entry)
{
	return (struct values){
		.begin_ns = own(&entry->begin_ns),
		.wall_ns = own(&entry->wall_ns),
		.length_ns = own(&entry->length_ns),
		.frames = own(&entry->frames),
		.what = (uint32_t)own(&entry->what),
	};
}

static void write_entry(struct hr_episode_entry *entry, uint64_t number,
			const struct values *values)
{
	uint64_t writes = (own(&entry->mark) + 1) | 1;

	/* relaxed: each value that follows is a release, so that no reader sees it
	 * without this mark. */
	atomic_store_explicit(&entry->mark, mark_of(number, writes), memory_order_relaxed);
	set(&entry->begin_ns, values->begin_ns);
	set(&entry->wall_ns, values->wall_ns);
	set(&entry->length_ns, values->length_ns);
	set(&entry->frames, values->frames);
	set(&entry->what, (uint64_t)check_of(number, values) << CHECK_SHIFT | values->what);
	/* release, pairs with the first load in read_entry(): who sees the mark sees all
	 * that was written before it. */
	atomic_store_explicit(&entry->mark, mark_of(number, writes + 1),
			      memory_order_release);
}

/* Begin anew if the counters of losses have since. */
static void follow_reset(struct hr_page *page)
{
	struct hr_episode_log *log = &page->shared->log;
	uint32_t reset = hr_health_losses_reset(page->health);

	/* relaxed: only [keeper] writes it. */
	if (atomic_load_explicit(&log->reset_applied, memory_order_relaxed) == reset)
		return;
	/* relaxed: the entries need not go; the store below orders it. */
	atomic_store_explicit(&log->n_episodes, 0, memory_order_relaxed);
	/* release, pairs with the load in hr_page_count_episodes(): 0 is visible before
	 * the log counts as emptied. */
	atomic_store_explicit(&log->reset_applied, reset, memory_order_release);
}

void hr_page_empty_episodes(struct hr_page *page)
{
	hr_health_settle_losses(page->health);
	follow_reset(page);
}

/* The one that is going on, with its number; NULL if there is none. */
static struct hr_episode_entry *present(struct hr_page *page, uint64_t *number)
{
	struct hr_episode_log *log = &page->shared->log;
	struct hr_episode_entry *entry;

	follow_reset(page);
	*number = own(&log->n_episodes) - 1;
	/* Of 0 episodes it would be the last of a reset before. */
	if (*number == UINT64_MAX)
		return NULL;
	entry = &log->entries[*number & INDEX_MASK];
	return (own(&entry->what) & GOING_ON) ? entry : NULL;
}

/* Change the one that is going on. False if there is none. */
static bool change(struct hr_page *page, uint64_t frames, uint64_t now_ns, uint32_t clear)
{
	uint64_t number;
	struct hr_episode_entry *entry = present(page, &number);
	struct values values;

	if (!entry)
		return false;
	values = own_values(entry);
	values.frames += frames;
	if (now_ns > values.begin_ns)
		values.length_ns = now_ns - values.begin_ns;
	values.what &= ~clear;
	write_entry(entry, number, &values);
	return true;
}

bool hr_page_grow_episode(struct hr_page *page, uint64_t frames, uint64_t now_ns)
{
	return change(page, frames, now_ns, 0);
}

void hr_page_end_episode(struct hr_page *page, uint64_t now_ns)
{
	(void)change(page, 0, now_ns, GOING_ON);
}

void hr_page_stop_episode(struct hr_page *page)
{
	hr_page_end_episode(page, 0);
}

void hr_page_begin_episode(struct hr_page *page, const struct hr_episode *episode)
{
	struct hr_episode_log *log = &page->shared->log;
	const struct values values = {
		.begin_ns = episode->begin_ns,
		.wall_ns = episode->wall_ns,
		.length_ns = episode->length_ns,
		.frames = episode->frames,
		.what = pack(episode),
	};
	uint64_t number;

	hr_health_settle_losses(page->health);
	hr_page_end_episode(page, episode->begin_ns);
	follow_reset(page);
	number = own(&log->n_episodes);
	write_entry(&log->entries[number & INDEX_MASK], number, &values);
	/* release, pairs with the load in hr_page_count_episodes(): what is counted was
	 * written. */
	atomic_store_explicit(&log->n_episodes, number + 1, memory_order_release);
}

/* From here on everything is read as if a stranger had written it. */

uint64_t hr_page_count_episodes(const struct hr_page *page)
{
	const struct hr_episode_log *log = &page->shared->log;
	/* acquire, pairs with the store in follow_reset(): a reader that sees the reset
	 * carried out must not count what was before it. */
	uint32_t reset = atomic_load_explicit(&log->reset_applied, memory_order_acquire);

	if (reset != hr_health_reset_count(page->health))
		return 0;
	/* acquire, pairs with the store in hr_page_begin_episode(). */
	return atomic_load_explicit(&log->n_episodes, memory_order_acquire);
}

/* acquire, pairs with set(): and the mark is not looked at again before. */
static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_acquire);
}

static uint32_t part(uint32_t what, unsigned int shift)
{
	return what >> shift & PART_MASK;
}

/* Everything within its bounds. False if it is none that we know. */
static bool unpack(struct hr_episode *episode, const struct values *values)
{
	uint32_t kind = part(values->what, KIND_SHIFT);
	uint32_t cause = part(values->what, CAUSE_SHIFT);
	uint32_t fill = part(values->what, FILL_SHIFT);

	if (kind > HR_EPISODE_REWIND)
		return false;
	*episode = (struct hr_episode){
		.kind = (enum hr_episode_kind)kind,
		.cause = cause > HR_CAUSE_DEVICE ? HR_CAUSE_NONE : (enum hr_cause)cause,
		.fill = fill > 100 ? 100 : fill,
		.going_on = (values->what & GOING_ON) != 0,
		.begin_ns = values->begin_ns,
		.wall_ns = values->wall_ns,
		.length_ns = values->length_ns,
		.frames = values->frames,
	};
	return true;
}

/* False if it is not that one, or is being written. */
static bool read_entry(struct hr_episode *episode, const struct hr_episode_entry *entry,
		       uint64_t number)
{
	/* acquire, pairs with the last store in write_entry(). */
	uint64_t mark = atomic_load_explicit(&entry->mark, memory_order_acquire);
	struct values values;
	uint64_t what;

	if (mark != mark_of(number, mark) || mark & 1)
		return false;
	values.begin_ns = get(&entry->begin_ns);
	values.wall_ns = get(&entry->wall_ns);
	values.length_ns = get(&entry->length_ns);
	values.frames = get(&entry->frames);
	what = get(&entry->what);
	values.what = (uint32_t)what;
	/* relaxed: the loads above keep it behind them. Any value written meanwhile
	 * brought its mark along, see set(). */
	if (atomic_load_explicit(&entry->mark, memory_order_relaxed) != mark ||
	    what >> CHECK_SHIFT != check_of(number, &values))
		return false;
	return unpack(episode, &values);
}

uint32_t hr_page_get_episodes(const struct hr_page *page,
			      struct hr_episode episodes[HR_EPISODES_KEPT])
{
	const struct hr_episode_log *log = &page->shared->log;
	uint64_t end = hr_page_count_episodes(page);
	uint64_t number = end > HR_EPISODES_KEPT ? end - HR_EPISODES_KEPT : 0;
	uint32_t n = 0;

	for (; number < end; number++) {
		if (read_entry(&episodes[n], &log->entries[number & INDEX_MASK], number))
			n++;
	}
	return n;
}

const char *hr_cause_name(enum hr_cause cause)
{
	switch (cause) {
	case HR_CAUSE_PROGRAM:
		return "program";
	case HR_CAUSE_SCHEDULER:
		return "scheduler";
	case HR_CAUSE_DEVICE:
		return "device";
	case HR_CAUSE_NONE:
		break;
	}
	return "-";
}

const char *hr_episode_kind_name(enum hr_episode_kind kind)
{
	switch (kind) {
	case HR_EPISODE_XRUN:
		return "xrun";
	case HR_EPISODE_SILENCE:
		return "silence";
	case HR_EPISODE_DROP:
		return "dropped";
	case HR_EPISODE_DEVICE:
		return "card xrun";
	case HR_EPISODE_LOST:
		return "card lost";
	case HR_EPISODE_AWAY:
		return "card away";
	case HR_EPISODE_REWIND:
		return "rewind";
	}
	return "-";
}
