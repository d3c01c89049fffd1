/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdatomic.h>

#include "core/backpressure.h"
#include "core/health_page.h"
#include "core/page_internal.h"

bool hr_page_stat_is_counter(enum hr_stat stat)
{
	switch (stat) {
	case HR_STAT_FILL_MAX:
	case HR_STAT_PRESSURE_COUNT:
	case HR_STAT_PRESSURE_NS:
	case HR_STAT_PUSHED:
	case HR_STAT_POPPED:
	case HR_STAT_FRAMES:
	case HR_STAT_DEVICE_XRUNS:
	case HR_STAT_XRUN_CAUSE:
	case HR_STAT_LATE_MAX_NS:
	case HR_STAT_POOL_HITS:
	case HR_STAT_POOL_MISSES:
		return true;
	case HR_STAT_STATE:
	case HR_STAT_PROCESS:
	case HR_STAT_REALTIME:
	case HR_STAT_RATE:
	case HR_STAT_CHANNELS:
	case HR_STAT_PERIOD:
	case HR_STAT_BUFFER:
	case HR_STAT_FILL:
	case HR_STAT_PRESSURE:
	case HR_STAT_PRESSURE_RAISED:
	case HR_STAT_PRESSURE_SINCE_NS:
	case HR_STAT_RATE_MEASURED:
	case HR_STAT_POOL_SIZE:
	case HR_STAT_COUNT:
		break;
	}
	return false;
}

/* Relaxed, here and below: each value is published by itself, and [keeper] is
 * the only one to write it, so that load and store need no lock. */
void hr_page_set(struct hr_page *page, enum hr_stat stat, uint64_t value)
{
	atomic_store_explicit(&page->shared->stats[stat], value, memory_order_relaxed);
}

static uint64_t get_own(const struct hr_page *page, enum hr_stat stat)
{
	return atomic_load_explicit(&page->shared->stats[stat], memory_order_relaxed);
}

void hr_page_raise(struct hr_page *page, enum hr_stat stat, uint64_t value)
{
	if (get_own(page, stat) < value)
		hr_page_set(page, stat, value);
}

void hr_page_add(struct hr_page *page, enum hr_stat stat, uint64_t value)
{
	hr_page_set(page, stat, get_own(page, stat) + value);
}

uint64_t hr_page_get(const struct hr_page *page, enum hr_stat stat)
{
	/* acquire, pairs with the store in hr_page_apply_reset(): a reader that
	 * sees the reset carried out must not see a counter from before it. */
	uint32_t applied = atomic_load_explicit(&page->shared->reset_applied,
						memory_order_acquire);

	if (hr_page_stat_is_counter(stat) && applied != hr_health_reset_count(page->health))
		return 0;
	return get_own(page, stat);
}

bool hr_page_apply_reset(struct hr_page *page)
{
	uint32_t reset = hr_health_reset_count(page->health);

	/* relaxed: only [keeper] writes it. */
	if (atomic_load_explicit(&page->shared->reset_applied, memory_order_relaxed) ==
	    reset)
		return false;

	for (enum hr_stat stat = 0; stat < HR_STAT_COUNT; stat++) {
		if (hr_page_stat_is_counter(stat))
			hr_page_set(page, stat, 0);
	}
	hr_page_empty_episodes(page);
	/* release, pairs with the load in hr_page_get(): the zeros are visible
	 * before the reset counts as carried out. */
	atomic_store_explicit(&page->shared->reset_applied, reset, memory_order_release);
	return true;
}

/* What the stream itself looks at; NULL with *errp set. end_writing() is owed. */
static struct hr_page_shared *begin_writing(struct hr_page *page, int *errp)
{
	return page->kind == HR_PAGE_ATTACHED ? hr_page_map_shared(page, errp) :
						page->shared;
}

static void end_writing(const struct hr_page *page, struct hr_page_shared *shared)
{
	if (page->kind == HR_PAGE_ATTACHED)
		hr_page_unmap_shared(shared);
}

int hr_page_reset(struct hr_page *page)
{
	int err = 0;
	struct hr_page_shared *shared = begin_writing(page, &err);

	if (!shared)
		return err;
	hr_health_reset(hr_page_health_in(shared));
	end_writing(page, shared);
	return 0;
}

/* Exchange the bits of mask in the pair. Relaxed throughout: the pair is the whole
 * message, and the exchange is for others who do the same at the same time. */
static int change_thresholds(_Atomic uint32_t *thresholds, uint32_t mask, uint32_t bits)
{
	uint32_t before = atomic_load_explicit(thresholds, memory_order_relaxed);
	uint32_t after;

	do {
		after = hr_page_pair_valid(before) ? before :
			hr_page_pack(HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT);
		after = (after & ~mask) | bits;
		if (!hr_page_pair_valid(after))
			return -EINVAL;
	} while (!atomic_compare_exchange_weak_explicit(thresholds, &before, after,
							memory_order_relaxed,
							memory_order_relaxed));
	return after != before;
}

static int set_thresholds(struct hr_page *page, uint32_t mask, uint32_t bits)
{
	int err = 0;
	struct hr_page_shared *shared = begin_writing(page, &err);

	if (!shared)
		return err;
	err = change_thresholds(&shared->thresholds, mask, bits);
	end_writing(page, shared);
	return err;
}

int hr_page_set_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear)
{
	int err;

	if (!hr_bp_thresholds_valid(trigger, clear))
		return -EINVAL;
	err = set_thresholds(page, UINT32_MAX, hr_page_pack(trigger, clear));
	return err < 0 ? err : 0;
}

int hr_page_set_trigger(struct hr_page *page, uint32_t trigger)
{
	if (trigger > 100)
		return -EINVAL;
	return set_thresholds(page, 0xffff0000, hr_page_pack(trigger, 0));
}

int hr_page_set_clear(struct hr_page *page, uint32_t clear)
{
	if (clear > 100)
		return -EINVAL;
	return set_thresholds(page, 0xffff, hr_page_pack(0, clear));
}

bool hr_page_get_card_thresholds(const struct hr_page *page, uint32_t *trigger,
				 uint32_t *clear)
{
	/* relaxed: the pair is the whole message. */
	uint32_t pair = atomic_load_explicit(&page->shared->on_card, memory_order_relaxed);

	*trigger = pair >> 16;
	*clear = pair & 0xffff;
	return pair != 0;
}

void hr_page_set_card_thresholds(struct hr_page *page, uint32_t trigger, uint32_t clear)
{
	/* relaxed: as above. */
	atomic_store_explicit(&page->shared->on_card, hr_page_pack(trigger, clear),
			      memory_order_relaxed);
}

void hr_page_set_companion(struct hr_page *page, int fd)
{
	page->companion_fd = fd;
}

void hr_page_get_thresholds(const struct hr_page *page, uint32_t *trigger,
			    uint32_t *clear)
{
	/* relaxed: as above. */
	uint32_t both = atomic_load_explicit(&page->shared->thresholds,
					     memory_order_relaxed);

	if (!hr_page_pair_valid(both))
		both = hr_page_pack(HR_BP_TRIGGER_DEFAULT, HR_BP_CLEAR_DEFAULT);
	*trigger = both >> 16;
	*clear = both & 0xffff;
}

uint32_t hr_page_slot(const struct hr_page *page)
{
	return page->slot;
}

void hr_page_announce(const struct hr_page *page)
{
	if (page->fd >= 0)
		hr_page_file_touch(page->fd);
}

bool hr_page_is_live(const struct hr_page *page)
{
	/* Our own lock does not stand in our own way: the kernel would say free. */
	return page->kind != HR_PAGE_ATTACHED || hr_page_file_is_locked(page->fd);
}

struct hr_health *hr_page_health(struct hr_page *page)
{
	return page->health;
}

const struct hr_health *hr_page_health_const(const struct hr_page *page)
{
	return page->health;
}

uint32_t hr_page_window_max(const struct hr_page *page)
{
	return page->window_max;
}

