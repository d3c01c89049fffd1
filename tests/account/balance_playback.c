/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/balance.h"

/* What was heard, position by position. */
struct hearing {
	uint64_t pos;			/* the program's frames that were heard */
	uint64_t silence;		/* invented, at least, */
	uint64_t silence_most;		/* and at most: the rest may be of a forward */
	uint64_t late, late_most;	/* frames written where others were heard */
	uint64_t left_out;		/* the card broke off with these, */
	uint64_t left_out_most;		/* of so many at most */
	bool is_back;			/* the card was away, and nothing was heard since */
	uint64_t unlistened;		/* frames left out meanwhile */
	uint64_t forgotten;		/* frames that a reset may have taken back */
	uint64_t again, again_most;	/* heard once more, by jumps of the card */
	size_t piece;			/* the last one that a frame was of */
	uint64_t pending;		/* silence since the last frame */
};

static bool covers(const struct piece *piece, uint64_t pos)
{
	return pos >= piece->pos && pos < piece->pos + piece->n;
}

/* The piece that a number is of; those of forwards have none. */
static const struct piece *find_piece(const struct book *book, size_t near, uint32_t number)
{
	for (size_t i = 0; i < book->n_pieces; i++) {
		size_t at = (near + i) % book->n_pieces;
		const struct piece *piece = &book->pieces[at];

		if (piece->number && number >= piece->number &&
		    number - piece->number < piece->n)
			return piece;
	}
	return NULL;
}

static bool is_forwarded(const struct book *book, uint64_t pos)
{
	for (size_t i = 0; i < book->n_pieces; i++)
		if (!book->pieces[i].number && covers(&book->pieces[i], pos))
			return true;
	return false;
}

/* Those that were written there later than the one that was heard. A forward over frames
 * that cannot be taken back writes nothing. */
static void count_late(const struct book *book, struct hearing *h,
		       const struct piece *heard, uint64_t pos)
{
	if (!book->gone_back)
		return;
	for (const struct piece *p = heard + 1; p < book->pieces + book->n_pieces; p++) {
		h->late += covers(p, pos) && p->number;
		h->late_most += covers(p, pos);
	}
}

static bool has_reset_between(const struct book *book, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < book->n_resets; i++)
		if (from < book->resets[i] && to >= book->resets[i])
			return true;
	return false;
}

/* The silence before this position: some of it may be the program's own. */
static bool settle_silence(const struct book *book, struct hearing *h, uint64_t pos,
			   const struct finding *f)
{
	uint64_t own = 0, passed = pos - h->pos;

	for (uint64_t i = h->pos; i < pos && book->has_forwarded; i++)
		own += is_forwarded(book, i);
	if (own > h->pending)
		own = h->pending;
	if (has_reset_between(book, h->pos, pos))
		h->forgotten += passed - own;
	else if (h->is_back)
		h->unlistened += passed - own;
	else
		h->left_out += passed - own;
	if (h->left_out > h->left_out_most)
		return off(f, "frames %lld..%lld of the program were left out", LL(h->pos),
			   LL(pos) - 1);
	if (book->gone_back)
		h->late_most += passed * book->n_pieces;
	h->silence += h->pending - own;
	h->silence_most += h->pending;
	h->pending = 0;
	h->pos = pos;
	return true;
}

static bool hear(const struct book *book, struct hearing *h, uint32_t number,
		 const struct finding *f)
{
	const struct piece *piece;
	uint64_t pos;

	if (!number) {
		h->pending++;
		return true;
	}
	piece = find_piece(book, h->piece, number);
	if (!piece)
		return off(f, "number %lu was heard, which was not taken since prepare, "
			   "after %lld frames", (unsigned long)number, LL(h->pos));
	h->piece = (size_t)(piece - book->pieces);
	pos = piece->pos + (number - piece->number);
	if (pos < h->pos && h->again++ < h->again_most)
		return true;
	if (pos < h->pos)
		return off(f, "frame %lld of the program was heard after frame %lld",
			   LL(pos), LL(h->pos) - 1);
	if ((pos > h->pos || h->pending) && !settle_silence(book, h, pos, f))
		return false;
	count_late(book, h, piece, pos);
	h->pos = pos + 1;
	h->is_back = false;
	return true;
}

static bool hear_all(const struct book *book, const struct book_facts *facts,
		     struct hearing *h, const struct finding *f)
{
	const struct card_log *log = &facts->log;
	uint64_t forwarded = 0, end = 0, from;
	unsigned int card = log->began_away ? 0 : log->before, span = 0;

	for (size_t i = 0; i < facts->n_heard; i++) {
		for (; i == end && span < log->n_spans; span++) {
			h->is_back = h->is_back || log->spans[span].card != card;
			card = log->spans[span].card;
			end += log->spans[span].to - log->spans[span].from;
		}
		if (!hear(book, h, facts->heard[i], f))
			return false;
	}
	/* Of one that is back, nothing may have been heard yet. */
	for (; span < log->n_spans; span++)
		h->is_back = h->is_back || log->spans[span].card != card;
	from = is_forwarded(book, h->pos) ? h->pos : max64(h->pos, book->reset_at);
	while (book->has_forwarded && forwarded < h->pending &&
	       is_forwarded(book, from + forwarded))
		forwarded++;
	h->silence += h->pending - forwarded;
	h->silence_most += h->pending;
	if (book->gone_back)
		h->late_most += forwarded * book->n_pieces;
	/* As if it was heard: the difference is silence. */
	if (forwarded)
		h->pos = from + forwarded;
	return true;
}

/* Frames that the program has written beyond what was heard, of all versions but one. */
static uint64_t rewritten_unheard(const struct book *book, uint64_t from)
{
	uint64_t written = 0, end = from;

	for (size_t i = 0; i < book->n_pieces; i++) {
		const struct piece *p = &book->pieces[i];
		uint64_t to = p->pos + p->n, begin = max64(p->pos, from);

		if (to > begin)
			written += to - begin;
		end = max64(end, to);
	}
	return written - (end - from);
}

static bool balance_dropped(const struct book *book, const struct book_facts *facts,
			    const struct hearing *h, const struct finding *f)
{
	uint64_t unheard = book->pos > h->pos ? book->pos - h->pos : 0, unheard_most = unheard;
	uint64_t late = h->late + h->left_out + h->unlistened;
	uint64_t late_most = h->late_most + h->left_out_most + h->unlistened +
			     facts->log.vanishes * facts->by_step;
	uint64_t doubtful = facts->log.doubtful + facts->log.jumped + facts->log.backed;
	bool was_away = facts->log.vanishes || facts->log.began_away;

	/* All that was before a reset may have been taken back, or not. */
	if (h->pos < book->reset_at)
		doubtful += book->reset_at - h->pos;
	late_most += h->forgotten + facts->log.backed + facts->by_failure;
	/* What breaks off a drain in the last period is taken for its end; and it may have gone
	 * on for as long as nobody looked. */
	if (facts->was_drained)
		doubtful += min64(facts->log.broken, facts->by_period +
						     facts->log.last_xrun_lost);
	doubtful = min64(doubtful, late + unheard);
	if (book->gone_back) {
		late_most += rewritten_unheard(book, h->pos);
		/* Frames that it wanted back, but that the card had. */
		unheard_most = book->reach > h->pos ? book->reach - h->pos : 0;
	}
	switch (facts->end) {
	case END_HEARD:
		if (unheard && !facts->log.broken && !was_away && !facts->log.jumped &&
		    !book->was_reset)
			return off(f, "the drain has ended, %lld frames were not heard",
				   LL(unheard));
		return within(f, "dropped", facts->more.dropped, late + unheard - doubtful,
			      late_most + (was_away ? unheard_most : 0));
	case END_OWN:
		return within(f, "dropped", facts->more.dropped,
			      late - min64(late, doubtful),
			      late_most + (facts->log.ended_away || h->is_back ?
					   unheard_most : 0));
	case END_LOST:
		return within(f, "dropped", facts->more.dropped, late + unheard - doubtful,
			      late_most + unheard_most + facts->by_slowness);
	case END_FAULT:
		return within(f, "dropped", facts->more.dropped, late + unheard - doubtful,
			      late_most + unheard_most + facts->by_step);
	case END_EITHER:
		return within(f, "dropped", facts->more.dropped,
			      late - min64(late, doubtful), late_most + unheard_most + facts->by_step);
	}
	return false;
}

bool balance_playback(const struct book *book, const struct book_facts *facts,
		      const struct finding *f)
{
	const struct counters *more = &facts->more;
	struct hearing h = {
		.left_out_most = facts->log.broken + facts->log.jumped,
		.again_most = facts->log.backed,
	};
	uint64_t went = 0, left, given;

	for (unsigned int i = 0; i < facts->log.n_spans; i++)
		went += facts->log.spans[i].to - facts->log.spans[i].from;
	if (!hear_all(book, facts, &h, f))
		return false;
	if (went != facts->n_heard)
		return off(f, "the card went for %lld frames and heard %lld", LL(went),
			   LL(facts->n_heard));
	/* What of it was silence by a forward, and broke off, nobody can tell. */
	if (book->has_forwarded && facts->log.broken)
		h.silence = 0;
	left = facts->log.broken + facts->log.left + facts->log.vanished;
	given = facts->n_heard + facts->log.jumped + left;
	given -= min64(given, facts->log.backed);
	/* Silence may be what is left out, or repeated. */
	h.silence -= min64(h.silence, facts->log.backed);
	h.silence_most += facts->log.jumped;
	if (h.unlistened > facts->away_most + facts->log.vanishes * facts->by_step)
		return off(f, "%lld frames were left out while the card was away, for %lld",
			   LL(h.unlistened), LL(facts->away_most));
	return within(f, "silence", more->silence, h.silence,
		      h.silence_most + left) &&
	       within(f, "frames and silence", more->frames + more->silence, given,
		      given + book->gone_back + (book->was_reset ? book->reset_at : 0)) &&
	       within(f, "frames", more->frames, 0, book->reach) &&
	       balance_dropped(book, facts, &h, f);
}
