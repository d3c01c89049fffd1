/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/balance.h"

/* What was read of the spans in which the card went. */
struct reading {
	uint64_t supplied;
	uint64_t passed;		/* frames supplied up to the last that was read */
	uint64_t between;		/* frames of the world in between, when it stood */
	uint64_t read;
	uint64_t silent;		/* read, too, but not of the world */
	uint64_t worlds;		/* that began: their first frame is like silence */
};

/* Go on to the span that a number is in. False if there is none. */
static bool find_span(const struct card_log *log, uint32_t number, unsigned int *span,
		      uint64_t *before, unsigned int not_of)
{
	for (; *span < log->n_spans; (*span)++) {
		const struct card_span *s = &log->spans[*span];

		if (s->card != not_of && number >= s->from && number < s->to)
			return true;
		*before += s->to - s->from;
	}
	return false;
}

static void note_spans(const struct card_log *log, struct reading *r)
{
	for (unsigned int i = 0; i < log->n_spans; i++) {
		const struct card_span *s = &log->spans[i];

		r->supplied += s->to - s->from;
		r->worlds += s->from == 0;
		if (i > 0 && s->card == s[-1].card)
			r->between += s->from - s[-1].to;
	}
}

static bool read_all(const struct book *book, const struct book_facts *facts,
		     struct reading *r, const struct finding *f)
{
	const struct card_log *log = &facts->log;
	bool was_away = log->vanishes || log->began_away || log->jumped;
	uint64_t before = 0, next = 0;	/* supplied in the spans before; world frame */
	unsigned int span = 0, of = 0, not_of = 0;

	note_spans(log, r);
	/* Silence of a jump is supplied, too; what it went back by is not. */
	r->supplied += log->jumped;
	r->supplied -= min64(r->supplied, log->backed);
	for (size_t i = 0; i < book->n_numbers; i++) {
		uint32_t number = book->numbers[i];

		if (number == SKIPPED)
			continue;
		if (was_away && number == facts->silence) {
			/* One may be the first of the next world. */
			not_of = r->silent++ && next && !log->jumped ? of : not_of;
			continue;
		}
		if (span < log->n_spans && log->spans[span].card == of && number < next &&
		    !was_away)
			return off(f, "world frame %lu was read as frame %lld, after %lld",
				   (unsigned long)number, LL(i), LL(next) - 1);
		/* The world of the next card begins anew. */
		if (was_away && number < next)
			not_of = of;
		if (!find_span(log, number, &span, &before, not_of))
			return off(f, "world frame %lu was read as frame %lld, after %lld, when "
				   "the card did not go", (unsigned long)number, LL(i),
				   LL(next) - 1);
		of = log->spans[span].card;
		not_of = 0;
		next = (uint64_t)number + 1;
		r->passed = before + next - log->spans[span].from;
		r->read++;
	}
	return true;
}

/* Silence is what nobody recorded while the card was away. */
static bool balance_silence(const struct book *book, const struct book_facts *facts,
			    const struct reading *r, uint64_t unread, const struct finding *f)
{
	uint64_t silence = facts->more.silence, skipped = book->reach - min64(book->reach,
									r->read + r->silent);

	if (!facts->log.vanishes && !facts->log.began_away)
		return within(f, "silence", silence, 0, 0);
	return within(f, "silence", silence,
		      r->silent - min64(r->silent, r->worlds + facts->log.jumped),
		      r->silent + r->worlds + unread + skipped);
}

bool balance_capture(const struct book *book, const struct book_facts *facts,
		     const struct finding *f)
{
	const struct card_log *log = &facts->log;
	uint64_t frames = facts->more.frames, given = frames + facts->more.silence;
	uint64_t unread, in_card, discarded, clock, clock_most, skipped, away, away_most;
	struct reading r = { 0 };

	if (!read_all(book, facts, &r, f))
		return false;
	in_card = log->xrun_lost + log->left + log->vanished;
	clock = (log->xruns + log->restarts) * facts->by_clock;
	/* Nobody looks at what is suspended. */
	if (facts->lied)
		clock += log->xrun_lost;
	if (book->n_numbers > given)
		return off(f, "%lld frames were read, %lld counted", LL(book->n_numbers),
			   LL(given));
	if (frames + in_card > r.supplied)
		return off(f, "frames: %lld counted, %lld lost in the card, %lld supplied",
			   LL(frames), LL(in_card), LL(r.supplied));
	discarded = r.supplied - frames - in_card;
	skipped = book->reach - min64(book->reach, r.read + r.silent);
	unread = given > book->pos ? given - book->pos : 0;
	if (r.passed > r.read + skipped + discarded + log->xrun_lost + log->vanished +
		       (r.silent ? r.worlds : 0) + log->backed +
		       (book->was_reset ? unread : 0))
		return off(f, "%lld frames were read up to %lld, %lld dropped",
			   LL(r.read), LL(r.passed), LL(discarded + log->xrun_lost));
	if (book->is_empty && unread && !book->was_reset)
		return off(f, "nothing was left to read, %lld frames were not", LL(unread));
	if (!balance_silence(book, facts, &r, unread, f))
		return false;
	discarded += log->xrun_lost;
	if (facts->more.device_xruns < log->xruns + log->vanishes)
		clock += log->last_xrun_lost;
	/* A card that is begun anew is not asked before how long it stood. */
	clock_most = log->xruns || log->restarts ? clock + r.between + facts->by_standstill : clock;
	clock_most += facts->by_failure;
	clock = min64(clock, discarded);
	/* What it let go of by a reset is not lost. */
	if (book->was_reset)
		clock += unread;
	away = facts->away_least - min64(facts->away_least, facts->more.silence);
	away_most = facts->away_most + log->vanished + log->vanishes *
		    (facts->by_clock + facts->by_standstill);
	away_most -= min64(away_most, facts->more.silence);
	/* From the last look on, before what was lost in an xrun at the same time. */
	discarded += away;
	clock_most += away_most > away ? away_most - away : 0;
	clock += log->vanishes * 2;
	switch (facts->end) {
	case END_HEARD:
	case END_OWN:
		return within(f, "dropped", facts->more.dropped, discarded - min64(clock, discarded),
			      discarded + clock_most);
	case END_LOST:
		discarded += unread + log->left;
		return within(f, "dropped", facts->more.dropped, discarded - min64(clock, discarded),
			      discarded + clock_most);
	case END_FAULT:
		clock += min64(log->left, facts->by_clock);
		discarded += unread + log->left;
		return within(f, "dropped", facts->more.dropped, discarded - min64(clock, discarded),
			      discarded + clock_most + facts->by_step);
	case END_EITHER:
		return within(f, "dropped", facts->more.dropped, discarded - min64(clock, discarded),
			      discarded + unread + log->left + clock_most + facts->by_step);
	}
	return false;
}
