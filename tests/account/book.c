/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/balance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for n of bytes each. */
static void *grow(void *old, size_t n, size_t *room, size_t bytes)
{
	void *larger;

	if (n <= *room)
		return old;
	*room = 2 * n + 64;
	larger = realloc(old, *room * bytes);
	if (!larger)
		abort();
	return larger;
}

void book_begin(struct book *book)
{
	book->pos = book->reach = book->gone_back = 0;
	book->has_forwarded = book->is_empty = book->was_reset = false;
	book->reset_at = book->n_resets = 0;
	book->n_pieces = book->n_numbers = 0;
}

void book_finish(struct book *book)
{
	free(book->pieces);
	free(book->numbers);
	*book = (struct book){ 0 };
}

void book_go_on(struct book *book, uint64_t n)
{
	book->pos += n;
	book->reach = max64(book->reach, book->pos);
}

void book_write(struct book *book, uint64_t n, uint32_t number)
{
	book->pieces = grow(book->pieces, book->n_pieces + 1, &book->pieces_room,
			    sizeof(*book->pieces));
	book->pieces[book->n_pieces++] = (struct piece){ book->pos, n, number };
	book_go_on(book, n);
}

bool book_read(struct book *book, uint64_t ahead, uint32_t number)
{
	uint64_t pos = book->pos + ahead;

	book->numbers = grow(book->numbers, pos + 1, &book->numbers_room,
			     sizeof(*book->numbers));
	while (book->n_numbers < pos)
		book->numbers[book->n_numbers++] = SKIPPED;
	if (book->n_numbers == pos) {
		book->numbers[book->n_numbers++] = number;
		return true;
	}
	if (book->numbers[pos] == SKIPPED)
		book->numbers[pos] = number;
	return book->numbers[pos] == number;
}

void book_go_back(struct book *book, uint64_t n)
{
	book->pos -= n;
	book->gone_back += n;
}

void book_go_forward(struct book *book, uint64_t n, bool playback)
{
	book->has_forwarded = true;
	if (playback)
		book_write(book, n, 0);
	else
		book_go_on(book, n);
}

void book_reset(struct book *book)
{
	book->was_reset = true;
	book->reset_at = book->pos;
	book->resets[book->n_resets++ % STEPS_MAX] = book->pos;
	/* It may have looked further than it has read. */
	book->n_numbers = min64(book->n_numbers, book->pos);
}

bool off(const struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->why, f->bytes, format, args);
	va_end(args);
	return false;
}

bool within(const struct finding *f, const char *what, uint64_t is, uint64_t least,
	    uint64_t most)
{
	if (is >= least && is <= most)
		return true;
	if (least == most)
		return off(f, "%s: %lld counted, %lld are", what, LL(is), LL(least));
	return off(f, "%s: %lld counted, %lld to %lld are", what, LL(is), LL(least), LL(most));
}

bool book_balance(const struct book *book, const struct book_facts *facts, bool playback,
		  char *why, size_t why_bytes)
{
	struct finding f = { why, why_bytes };

	if (facts->log.gap)
		return off(&f, "the card had a gap of %lld frames", LL(facts->log.gap));
	return playback ? balance_playback(book, facts, &f) : balance_capture(book, facts, &f);
}
