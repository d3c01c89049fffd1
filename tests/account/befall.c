/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>

#include "tests/account/episodes.h"
#include "tests/account/program.h"
#include "tests/differential/world.h"

static uint64_t draw_soon(const struct program *p, struct rng *rng)
{
	return world_now_ns() + rng_below(rng, 4 * frames_ns(p, p->buffer));
}

static uint64_t draw_while(const struct program *p, struct rng *rng)
{
	if (rng_chance(rng, 30))
		return 1 + rng_below(rng, 2000 * MS);
	return 1 + rng_below(rng, 2 * frames_ns(p, p->buffer));
}

static void fault_at(struct program *p, uint64_t ns)
{
	if (!p->may_fault || p->fault_ns < ns)
		p->fault_ns = ns;
	if (!p->may_fault || ns < p->first_fault_ns)
		p->first_fault_ns = ns;
	p->may_fault = true;
}

/* Or for good. It may be back before anybody has looked; it is another one then. */
static uint64_t lose_for_a_while(struct program *p, uint64_t at_ns, struct rng *rng)
{
	uint64_t end_ns = at_ns + draw_while(p, rng) + rng_below(rng, 3000 * MS);

	CARD_SET(&p->card, losses, ++p->card.words.losses, at_ns);
	if (rng_chance(rng, 80))
		CARD_SET(&p->card, lost, 0, end_ns);
	return end_ns;
}

static void fail_word(struct program *p, size_t at, uint32_t word, uint64_t ns)
{
	card_set(&p->card, offsetof(struct clocked_words, fails) +
		 p->failing * sizeof(struct clocked_fail) + at, word, ns);
}

/* All kinds of errors, where a call is made while the stream runs; where the program is told
 * of it, one that is no other state. */
static uint32_t draw_error(const struct program *p, struct rng *rng)
{
	static const int errors[] = { EAGAIN, EINTR, EIO, EPIPE, ESTRPIPE, ENODEV };

	switch ((enum clocked_call)p->failing) {
	case CLOCKED_CALL_TRANSFER:
	case CLOCKED_CALL_DELAY:
		/* Without knowing that the card is there all the time. */
		return (uint32_t)errors[rng_below(rng, p->plan->reconnects ? 5 : 6)];
	case CLOCKED_CALL_DRAIN:
		return (uint32_t)errors[rng_below(rng, 3)];
	default:
		return EIO;
	}
}

static void fail_a_call(struct program *p, uint64_t at_ns, uint64_t end_ns, struct rng *rng)
{
	static const enum clocked_call calls[] = {
		CLOCKED_CALL_POINTER, CLOCKED_CALL_TRANSFER, CLOCKED_CALL_TRANSFER,
		CLOCKED_CALL_DELAY, CLOCKED_CALL_DELAY, CLOCKED_CALL_DESCRIPTORS,
		CLOCKED_CALL_REVENTS, CLOCKED_CALL_PREPARE, CLOCKED_CALL_START,
		CLOCKED_CALL_PAUSE, CLOCKED_CALL_DRAIN,
	};
	uint32_t error, times = 1 + (uint32_t)rng_below(rng, 4);

	/* Those that failed before would do so anew. */
	fail_word(p, offsetof(struct clocked_fail, times), 0, at_ns);
	p->failing = calls[rng_below(rng, sizeof(calls) / sizeof(*calls))];
	error = draw_error(p, rng);
	fail_word(p, offsetof(struct clocked_fail, error), error, at_ns);
	fail_word(p, offsetof(struct clocked_fail, skip), (uint32_t)rng_below(rng, 10), at_ns);
	fail_word(p, offsetof(struct clocked_fail, times), times, at_ns);
	CARD_SET(&p->card, fails_set, ++p->card.words.fails_set, at_ns);
	fail_word(p, offsetof(struct clocked_fail, times), 0, end_ns);
	CARD_SET(&p->card, fails_set, ++p->card.words.fails_set, end_ns);
	p->fails += times;
	p->loses_its_place = p->loses_its_place || p->failing == CLOCKED_CALL_POINTER;
	p->fails_to_tell = p->fails_to_tell || p->failing == CLOCKED_CALL_POINTER ||
			   p->failing == CLOCKED_CALL_DELAY;
	p->refuses = p->refuses || p->failing == CLOCKED_CALL_START ||
		     p->failing == CLOCKED_CALL_DRAIN;
	p->has_lied = p->has_lied || error == ESTRPIPE;
	if (error == ESTRPIPE || error == ENODEV) {
		fault_at(p, at_ns);
		fault_at(p, end_ns);
	}
}

static void jump(struct program *p, uint64_t at_ns, struct rng *rng)
{
	int32_t frames = 1 + (int32_t)rng_below(rng, p->buffer / 2);

	CARD_SET(&p->card, jump, (uint32_t)(rng_chance(rng, 50) ? frames : -frames), at_ns);
	CARD_SET(&p->card, jumps, ++p->card.words.jumps, at_ns);
	p->has_jumped = true;
}

void program_befall(struct program *p, enum step_kind kind, struct rng *rng)
{
	uint64_t at_ns = draw_soon(p, rng), end_ns = at_ns + draw_while(p, rng);
	struct clocked_words *words = &p->card.words;
	const char *what = "";

	switch (kind) {
	case STEP_HOLD:
		what = "no processor";
		world_hold_others(at_ns, end_ns);
		break;
	case STEP_SUSPEND:
		what = "suspend";
		words->resume_errno = rng_chance(rng, 30) ? ENOSYS : 0;
		(void)CLOCKED_COMMAND(p->card.command_fd, resume_errno, words->resume_errno);
		CARD_SET(&p->card, suspends, ++words->suspends, at_ns);
		fault_at(p, at_ns);
		break;
	case STEP_STILL:
		what = "still";
		p->is_unsteady = true;
		CARD_SET(&p->card, still, 1, at_ns);
		CARD_SET(&p->card, still, 0, end_ns);
		break;
	case STEP_SLOW:
		what = "slow";
		words->slow_us = 1 + (uint32_t)rng_below(rng, rng_chance(rng, 50) ? 100 : 3000);
		CARD_SET(&p->card, slow_us, words->slow_us, at_ns);
		CARD_SET(&p->card, slow_us, 0, end_ns);
		p->slow_us = words->slow_us > p->slow_us ? words->slow_us : p->slow_us;
		break;
	case STEP_XRUN:
		what = "xrun";
		CARD_SET(&p->card, xruns, ++words->xruns, at_ns);
		break;
	case STEP_STORM:
		what = "storm";
		CARD_SET(&p->card, xrun_every, 1 + (uint32_t)rng_below(rng, 4 * p->buffer), at_ns);
		CARD_SET(&p->card, xrun_every, 0, end_ns);
		break;
	case STEP_BURST:
		what = "burst";
		p->is_unsteady = true;
		CARD_SET(&p->card, burst, 1 + (uint32_t)rng_below(rng, p->buffer), at_ns);
		CARD_SET(&p->card, burst, 0, end_ns);
		break;
	case STEP_SHORT:
		what = "short";
		p->is_unsteady = true;
		CARD_SET(&p->card, most, 1 + (uint32_t)rng_below(rng, p->period), at_ns);
		CARD_SET(&p->card, most, 0, end_ns);
		break;
	case STEP_WAKE:
		what = "wake";
		CARD_SET(&p->card, wakes, 1 + (uint32_t)rng_below(rng, 3), at_ns);
		CARD_SET(&p->card, wakes, CLOCKED_WAKES_WELL, end_ns);
		break;
	case STEP_KEEP:
		what = "keep";
		CARD_SET(&p->card, keeps, 1, at_ns);
		break;
	case STEP_FAIL:
		what = "fail";
		fail_a_call(p, at_ns, end_ns, rng);
		break;
	case STEP_JUMP:
		what = "jump";
		jump(p, at_ns, rng);
		break;
	default:
		what = "lose";
		CARD_SET(&p->card, lost, 1, at_ns);
		if (p->plan->reconnects) {
			end_ns = lose_for_a_while(p, at_ns, rng);
		} else {
			fault_at(p, at_ns);
			p->fault_ns = UINT64_MAX;
		}
		break;
	}
	p->is_disturbed = true;
	p->befell |= kind == STEP_HOLD ? BEFELL_HOLD : kind == STEP_SLOW ? BEFELL_SLOW :
		     kind == STEP_WAKE || kind == STEP_BURST || kind == STEP_STILL ||
		     kind == STEP_FAIL ?
		     BEFELL_MUTE : BEFELL_CARD;
	if (end_ns > p->end_ns)
		p->end_ns = end_ns;
	program_note(p, 0, "(%s at %.3f to %.3f)", what, (double)at_ns / 1e6,
		     (double)end_ns / 1e6);
}
