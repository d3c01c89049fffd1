/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/settle.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "tests/soak/card_log.h"
#include "tests/soak/counters.h"
#include "tests/soak/far_end.h"

/* What a card overran by itself, headroom knows by the clock only: each time it may be so
 * much off. A card that is stopped, since the program begins anew, is looked at just before:
 * so much later it has stopped. A thread may be held up in between on a busy machine. */
#define BY_THE_CLOCK_NS (10 * HR_NS_PER_MS)
#define STOP_NS (2 * HR_NS_PER_MS)
#define BUSY_NS (200 * HR_NS_PER_MS)
/* What a recording card holds, or as much as the program's buffer. */
#define CARD_NS (200 * HR_NS_PER_MS)

/* What the counters say of the opening, and what is seen to be lost. */
struct sums {
	uint64_t supplied, delivered, thrown;
	uint64_t dropped, silence, xruns, device_xruns, late_us;
	unsigned int cause;
};

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static struct sums read_counters(struct soak_opening *o)
{
	struct sums sums = {
		.dropped = (uint64_t)soak_counter(o->ctl, o->playback, "Frames Dropped"),
		.silence = (uint64_t)soak_counter(o->ctl, o->playback, "Frames Silence"),
		.xruns = (uint64_t)soak_counter(o->ctl, o->playback, "Xruns"),
		.device_xruns = (uint64_t)soak_counter(o->ctl, o->playback, "Device Xruns"),
		.late_us = (uint64_t)soak_counter(o->ctl, o->playback, "Wakeup Late Max"),
		.cause = (unsigned int)soak_counter(o->ctl, o->playback, "Xrun Cause"),
	};

	soak_counters_reset(o->ctl, o->playback);
	return sums;
}

/* The tail is what the program left behind, unless it is long enough for something to be
 * lost in it: then it accounts for what was dropped beyond what was missing before. It
 * cannot leave more behind than there is room for. */
static void throw_away(struct sums *sums, uint64_t missing, uint64_t tail, uint64_t enough,
		       uint64_t most)
{
	sums->thrown = tail;
	if (tail >= enough && sums->dropped > missing && sums->dropped - missing <= tail)
		sums->thrown -= sums->dropped - missing;
	if (sums->thrown > most)
		sums->thrown = most;
}

static uint64_t settle_playback(struct soak_opening *o, struct sums *sums)
{
	struct soak_far *far = &o->shared->far[o->stream / 2];
	struct soak_account *account = &o->shared->accounts[o->stream];
	uint64_t end = soak_card_log_read(o->log).end, silence, last;

	if (!soak_far_wait(far, o->total_before + end))
		soak_die("the card has played %llu frames that nobody heard",
			 (unsigned long long)(o->total_before + end - soak_get(&far->total)));
	silence = soak_get(&far->silence) - o->silence_before;
	/* What was thrown away before was not heard either. */
	last = soak_get(&far->last) < o->first ? o->first - 1 : soak_get(&far->last);
	sums->supplied = o->next - o->first;
	sums->delivered = soak_get(&far->heard) - o->heard_before;
	soak_add(&account->silence_heard, silence);
	soak_set(&account->damaged, soak_get(&far->damaged));
	if (!o->setup.drains)
		throw_away(sums, last + 1 - o->first - sums->delivered, o->next - 1 - last, 1,
			   o->setup.buffer);
	return distance(silence, sums->silence);
}

/* Frames that passed in those moments are lost by the restart, not before. */
static void throw_away_at_restarts(const struct soak_opening *o, struct sums *sums,
				   uint64_t missing)
{
	uint64_t stop_ns = o->options->busy ? BUSY_NS : STOP_NS;
	uint64_t most = hr_ns_to_frames(o->restarts * stop_ns, o->setup.rate);

	if (missing > sums->dropped && missing - sums->dropped <= most)
		sums->thrown += missing - sums->dropped;
}

static uint64_t settle_capture(struct soak_opening *o, struct sums *sums)
{
	struct soak_card_log log = soak_card_log_read(o->log);
	uint64_t depth = (uint64_t)o->setup.depth_ms * o->setup.rate / 1000 + o->setup.buffer;
	uint64_t missing = o->expected - log.begin - log.stood - o->moved;
	uint64_t card = hr_ns_to_frames(CARD_NS, o->setup.rate);

	sums->supplied = log.stop - log.begin - log.stood;
	sums->delivered = o->moved;
	throw_away(sums, missing, log.stop - o->expected, depth,
		   depth + (card > o->setup.buffer ? card : o->setup.buffer));
	throw_away_at_restarts(o, sums, missing);
	soak_add(&o->shared->accounts[o->stream].damaged, o->damaged);
	return 0;
}

static uint64_t difference(const struct soak_opening *o, const struct sums *sums)
{
	uint64_t off = distance(sums->supplied,
				sums->delivered + sums->dropped + sums->thrown);
	uint64_t clock_ns = o->options->busy ? BUSY_NS : BY_THE_CLOCK_NS;
	uint64_t by_the_clock = o->playback ? 0 :
		hr_ns_to_frames(sums->device_xruns * clock_ns, o->setup.rate);

	return off > by_the_clock ? off : 0;
}

/* Where a thread is late as well, it may find that the program has gone on already: then
 * the stream goes on, too, and what is told of is the card. */
static bool is_noticed(const struct soak_opening *o, const struct sums *sums)
{
	bool lost = sums->dropped || sums->silence;

	if (o->options->busy)
		return lost || sums->xruns || sums->device_xruns;
	return o->setup.tolerant ? lost : sums->xruns > 0;
}

/* For whoever looks for the reason. */
static void explain(const struct soak_opening *o, const struct sums *sums)
{
	const struct soak_setup *setup = &o->setup;

	fprintf(stderr, "soak: opening %" PRIu64 " of stream %d: supplied %" PRIu64
		", delivered %" PRIu64 ", dropped %" PRIu64 ", thrown %" PRIu64
		", silence %" PRIu64 ", xruns %" PRIu64 ", of the card %" PRIu64
		"; %u Hz, period %u, buffer %u, depth %u ms, provoked %u ms%s%s%s\n",
		soak_get(&o->shared->accounts[o->stream].openings) + 1, o->stream,
		sums->supplied, sums->delivered, sums->dropped, sums->thrown, sums->silence,
		sums->xruns, sums->device_xruns, setup->rate, setup->period, setup->buffer,
		setup->depth_ms, setup->provoke_ms, setup->tolerant ? ", tolerant" : "",
		setup->by_mmap ? ", mmap" : "", setup->drains ? ", drained" : "");
}

static void settle_losses(struct soak_opening *o, const struct sums *sums)
{
	struct soak_account *account = &o->shared->accounts[o->stream];
	uint64_t lost = sums->dropped + sums->silence;
	uint64_t xruns = sums->xruns > sums->device_xruns ? sums->xruns : sums->device_xruns;
	/* Who is to blame is said with an xrun only. */
	bool has_cause = xruns && sums->cause < SOAK_CAUSES;

	if (o->provoked) {
		if (!is_noticed(o, sums)) {
			soak_add(&account->unnoticed, 1);
			explain(o, sums);
		}
		if (has_cause)
			soak_add(&account->causes[sums->cause], 1);
		return;
	}
	soak_add(&account->unprovoked_xruns, xruns);
	soak_add(&account->unprovoked_frames, lost);
	if (has_cause)
		soak_add(&account->unprovoked_causes[sums->cause], 1);
}

void soak_settle(struct soak_opening *o)
{
	struct soak_account *account = &o->shared->accounts[o->stream];
	struct sums sums = read_counters(o);
	uint64_t off = o->playback ? settle_playback(o, &sums) : settle_capture(o, &sums);

	if (o->setup.is_live) {
		soak_set(&account->supplied, 0);
		soak_set(&account->delivered, 0);
	}
	soak_add(&account->supplied, sums.supplied);
	soak_add(&account->delivered, sums.delivered);
	soak_add(&account->dropped, sums.dropped);
	soak_add(&account->thrown, sums.thrown);
	soak_add(&account->silence, sums.silence);
	off += difference(o, &sums);
	if (off || (!o->options->busy && !o->provoked &&
		    (sums.dropped || sums.silence || sums.xruns || sums.device_xruns)))
		explain(o, &sums);
	soak_add(&account->difference, off);
	soak_add(&account->openings, 1);
	soak_add(&account->xruns, sums.xruns);
	soak_add(&account->device_xruns, sums.device_xruns);
	soak_raise(&account->late_us, sums.late_us);
	settle_losses(o, &sums);
}
