/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/io_blame.h"

#include <sys/resource.h>
#include "plugin/io_thread.h"

/* A device that has not moved for so many periods, and this more, stands still. */
#define STANDS_PERIODS 2
#define STANDS_NS (10 * HR_NS_PER_MS)

static uint64_t frames_moved(const struct hr_io *io)
{
	return io->direction == HR_PLAYBACK ? io->handed - io->queued :
	       hr_stream_write_pos(io->stream) + io->discarded;
}

/* Whether the program can write or read as much as it wants to be told of. */
static bool is_told(const struct hr_io *io)
{
	/* relaxed: a setting by itself. */
	uint64_t need = atomic_load_explicit(&io->avail_min, memory_order_relaxed);
	uint64_t pos = hr_position_last(&io->position);

	if (io->direction == HR_PLAYBACK)
		return pos + io->buffer >= io->seen_appl + need;
	return pos >= io->seen_appl + need;
}

static void mark_device(struct hr_io *io, struct hr_blame_mark *mark)
{
	uint64_t moved = frames_moved(io);

	/* One that has nothing to play has no reason to move. */
	if (moved != mark->moved || (io->direction == HR_PLAYBACK && !io->queued))
		mark->moved_ns = io->now_ns;
	mark->moved = moved;
	mark->queued = io->queued;
	mark->looked_ns = io->now_ns;
}

static void mark_program(struct hr_io *io, struct hr_blame_mark *mark)
{
	if (!is_told(io))
		mark->told_ns = HR_NEVER_NS;
	else if (mark->told_ns == HR_NEVER_NS || mark->appl != io->seen_appl)
		mark->told_ns = io->now_ns;
	mark->appl = io->seen_appl;
	mark->waited = io->direction == HR_PLAYBACK &&
		       hr_stream_write_pos(io->stream) > io->taken;
}

void hr_blame_mark(struct hr_io *io, const struct hr_plan *plan)
{
	struct hr_blame_mark *mark = &io->mark;

	mark_device(io, mark);
	mark_program(io, mark);
	mark->deadline_ns = plan->deadline_ns;
	mark->polls = plan->poll_device;
	mark->woke_ns = 0;
	mark->was_stopped = false;
}

/* How often this thread was taken from its processor. */
static long kept_now(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : usage.ru_nivcsw;
}

void hr_blame_begin(struct hr_io *io)
{
	io->mark = (struct hr_blame_mark){
		.period_ns = hr_io_period_ns(io),
		.moved_ns = io->now_ns,
		.told_ns = HR_NEVER_NS,
		.deadline_ns = HR_NEVER_NS,
		.kept = kept_now(),
	};
	mark_device(io, &io->mark);
	mark_program(io, &io->mark);
}

void hr_blame_rewound(struct hr_io *io)
{
	mark_device(io, &io->mark);
}

/* When the device should be at the end of a period that leaves it with as much room as it
 * wakes us for. One that is not, is less than a period later. */
static uint64_t device_due_ns(const struct hr_io *io)
{
	const struct hr_blame_mark *mark = &io->mark;
	const struct hr_slave *slave = io->slave;
	uint64_t room = mark->queued < slave->buffer ? slave->buffer - mark->queued : 0;
	uint64_t need = room < slave->avail_min ? slave->avail_min - room : 0;
	uint64_t beyond = (mark->moved + need) % slave->period;

	if (beyond)
		need += slave->period - beyond;
	return mark->looked_ns + hr_frames_to_ns(need, io->rate);
}

/* When the thread was to be woken. By a device only if that did: else it was in time if it
 * was by the clock. */
static uint64_t due_ns(const struct hr_io *io)
{
	const struct hr_blame_mark *mark = &io->mark;
	uint64_t ns = HR_NEVER_NS;

	if (io->direction == HR_PLAYBACK && mark->polls && io->device_woke)
		ns = device_due_ns(io);
	return ns < mark->deadline_ns ? ns : mark->deadline_ns;
}

/* Since when the device had to wake the thread, which was woken in time by the clock, a
 * period later or more. */
static uint64_t mute_ns(const struct hr_io *io)
{
	const struct hr_blame_mark *mark = &io->mark;
	uint64_t since_ns = io->direction == HR_PLAYBACK ? device_due_ns(io) :
			    mark->looked_ns + mark->period_ns;

	if (!mark->polls || io->device_woke ||
	    mark->woke_ns <= hr_later_ns(since_ns, mark->period_ns) ||
	    mark->woke_ns > hr_later_ns(mark->deadline_ns, mark->period_ns))
		return HR_NEVER_NS;
	return since_ns;
}

static uint64_t stood_ns(const struct hr_io *io)
{
	const struct hr_blame_mark *mark = &io->mark;

	return mark->looked_ns - mark->moved_ns >
	       STANDS_PERIODS * mark->period_ns + STANDS_NS ? mark->moved_ns : mute_ns(io);
}

void hr_blame_woken(struct hr_io *io, uint64_t now_ns)
{
	struct hr_blame_mark *mark = &io->mark;

	mark->woke_ns = now_ns;
	/* It is no later than that in most steps, and need not know more. */
	if (now_ns - mark->looked_ns <= mark->period_ns + mark->period_ns / 4 ||
	    !hr_io_is_active(io) || now_ns <= hr_later_ns(due_ns(io), mark->period_ns))
		return;
	mark->was_stopped = hr_reporter_was_stopped(io->reporter);
	mark->kept = kept_now();
}

static struct hr_facts facts_now(struct hr_io *io)
{
	struct hr_blame_mark *mark = &io->mark;
	struct hr_facts facts = {
		.period_ns = mark->period_ns,
		.told_ns = mark->told_ns,
		.due_ns = due_ns(io),
		.woke_ns = mark->woke_ns ? mark->woke_ns : io->now_ns,
		.now_ns = hr_now_ns(),
		.stood_ns = stood_ns(io),
		.waited = mark->waited,
	};

	/* In a call of the device, or was it stopped there, or kept from going on? */
	if (facts.now_ns > hr_later_ns(facts.woke_ns, facts.period_ns)) {
		mark->was_stopped |= hr_reporter_was_stopped(io->reporter);
		facts.was_kept = kept_now() > mark->kept;
	}
	facts.was_stopped = mark->was_stopped;
	return facts;
}

uint64_t hr_blame_end_ns(const struct hr_io *io)
{
	uint64_t left = io->direction == HR_PLAYBACK ? io->mark.queued : io->slave->buffer;

	return io->mark.looked_ns + hr_frames_to_ns(left, io->rate);
}

enum hr_cause hr_blame_for_xrun(struct hr_io *io, bool waits)
{
	struct hr_facts facts = facts_now(io);

	facts.waits = waits;
	facts.too_soon = facts.now_ns + facts.period_ns < hr_blame_end_ns(io);
	facts.was_away = io->direction == HR_CAPTURE;
	return hr_blame(&facts);
}

enum hr_cause hr_blame_for_stop(struct hr_io *io)
{
	struct hr_facts facts = facts_now(io);

	return hr_blame(&facts);
}

enum hr_cause hr_blame_for_full_ring(struct hr_io *io, uint64_t came, uint64_t room)
{
	struct hr_facts facts = facts_now(io);
	uint64_t passed_ns = facts.now_ns - io->mark.looked_ns;
	uint64_t usual = hr_ns_to_frames(passed_ns + 2 * facts.period_ns, io->rate);

	facts.too_soon = came > usual && room >= usual;
	return hr_blame(&facts);
}
