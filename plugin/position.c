/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/position.h"

#include "core/clock.h"

#define COLLISIONS_MAX 4
#define DRIFT 64		/* a card is off its rate by less than one in so many */
#define QUANTUM_NS (HR_NS_PER_S / 4096)	/* 0.24 ms: finer than any period's use */

void hr_position_publish(struct hr_position *p, uint64_t pos, uint64_t time_ns,
			 uint64_t limit, int64_t extra)
{
	/* relaxed: only this thread writes seq. */
	uint32_t seq = atomic_load_explicit(&p->seq, memory_order_relaxed);

	/* Each store below is a release: who sees it, by the acquire loads in
	 * read_once(), sees the odd count stored before it and tries again. */
	atomic_store_explicit(&p->seq, seq + 1, memory_order_relaxed);
	atomic_store_explicit(&p->time_ns, time_ns, memory_order_release);
	atomic_store_explicit(&p->limit, limit, memory_order_release);
	atomic_store_explicit(&p->extra, extra, memory_order_release);
	/* seq_cst: the program's wake-up depends on it, see wake.h. */
	atomic_store_explicit(&p->pos, pos, memory_order_seq_cst);
	/* release, pairs with the first load of seq in read_once(): a reader that
	 * begins with this count sees all of the reading. */
	atomic_store_explicit(&p->seq, seq + 2, memory_order_release);
}

struct reading {
	uint64_t pos, time_ns, limit;
	int64_t extra;
};

static int read_once(const struct hr_position *p, struct reading *r)
{
	/* acquire, pairs with the last store in hr_position_publish(). */
	uint32_t seq = atomic_load_explicit(&p->seq, memory_order_acquire);

	/* acquire each: keeps the second look at seq behind them. */
	r->pos = atomic_load_explicit(&p->pos, memory_order_acquire);
	r->time_ns = atomic_load_explicit(&p->time_ns, memory_order_acquire);
	r->limit = atomic_load_explicit(&p->limit, memory_order_acquire);
	r->extra = atomic_load_explicit(&p->extra, memory_order_acquire);
	/* relaxed: ordered by the acquires before it. */
	return !(seq & 1) &&
	       atomic_load_explicit(&p->seq, memory_order_relaxed) == seq;
}

uint64_t hr_position_now(const struct hr_position *p, uint32_t rate, uint64_t *now_ns,
			 int64_t *extrap)
{
	struct reading r;
	uint64_t pos, passed_ns;
	int tries;

	*now_ns = 0;
	for (tries = 0; tries < COLLISIONS_MAX; tries++)
		if (read_once(p, &r))
			break;
	if (extrap)
		*extrap = tries < COLLISIONS_MAX ? r.extra : hr_position_extra(p);
	if (tries == COLLISIONS_MAX)
		return hr_position_last(p);
	if (r.limit <= r.pos)
		return r.pos;
	*now_ns = hr_now_ns();
	if (*now_ns <= r.time_ns)
		return r.pos;
	passed_ns = (*now_ns - r.time_ns) / QUANTUM_NS * QUANTUM_NS;
	pos = r.pos + hr_ns_to_frames(passed_ns, rate);
	return pos < r.limit ? pos : r.limit;
}

uint64_t hr_position_last(const struct hr_position *p)
{
	/* seq_cst: see hr_position_publish(). */
	return atomic_load_explicit(&p->pos, memory_order_seq_cst);
}

/* The frames from the last reading to position end; the last one need not be over. */
static uint64_t frames_left(const struct hr_position *p, uint64_t end)
{
	/* relaxed: see end_ns(). */
	uint64_t pos = atomic_load_explicit(&p->pos, memory_order_relaxed);

	return end > pos ? end - pos - 1 : 0;
}

/* relaxed: between two readings it is off by as much as they differ. */
static uint64_t end_ns(const struct hr_position *p, uint32_t rate, uint64_t left)
{
	return atomic_load_explicit(&p->time_ns, memory_order_relaxed) +
	       hr_frames_to_ns(left, rate);
}

uint64_t hr_position_end_ns(const struct hr_position *p, uint32_t rate, uint64_t end)
{
	uint64_t left = frames_left(p, end);

	return end_ns(p, rate, left - left / DRIFT);
}

uint64_t hr_position_late_end_ns(const struct hr_position *p, uint32_t rate, uint64_t end)
{
	uint64_t left = frames_left(p, end) + 1;

	return end_ns(p, rate, left + left / DRIFT);
}

int64_t hr_position_extra(const struct hr_position *p)
{
	/* relaxed: a value by itself. */
	return atomic_load_explicit(&p->extra, memory_order_relaxed);
}

uint64_t hr_position_time(const struct hr_position *p)
{
	/* relaxed: a value by itself. */
	return atomic_load_explicit(&p->time_ns, memory_order_relaxed);
}
