/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The account of a stream from one prepare to the next: what the program has written or
 * read, frame by frame, against what the card has heard or supplied and what headroom
 * has counted.
 *
 * Playback. Each frame carries a number that no other has. Where the program goes back
 * and writes again, a position has several. What is heard is, position by position
 * and none left out, one of them, with silence in between:
 *
 *   silence heard = Frames Silence (what of it is still in the card was not)
 *   heard + still in the card = Frames + Frames Silence
 *   written = heard + taken back + Frames Dropped + thrown away by the program
 *
 * of which the last is only what it throws away itself, by drop, prepare or close.
 * Frames written where the card had others already count as dropped.
 *
 * Capture. Each frame carries its number in the world. Those that are read lie in the
 * spans in which the card went, each after the one before:
 *
 *   supplied = Frames + discarded + lost in the card
 *   Frames Dropped = discarded + lost in the card + lost unread
 *   Frames = read + lost unread + thrown away by the program
 *
 * A card that was away (on_device_loss reconnect). Playback: frames may be left out where
 * it came back, and nowhere else; no more than time has passed for. They are counted as
 * dropped, and so may be what it had heard since it was looked at last. Capture:
 *
 *   Frames Silence + dropped meanwhile = the time that it was away, and since the last look
 *   Frames + Frames Silence = read + lost unread + thrown away by the program
 *
 * and what is read as silence is what is counted so; the first frame of each card's world
 * looks like it.
 *
 * What is lost in the card is known to headroom by the clock, and not at all if the card
 * has overrun when the program throws the stream away.
 */
#ifndef TESTS_ACCOUNT_BOOK_H
#define TESTS_ACCOUNT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/account/card.h"

/* How the stream ended. */
enum book_end {
	END_OWN,		/* the program threw away what was left */
	END_LOST,		/* in an xrun, or a drain that failed */
	END_FAULT,		/* as lost, but the card did not tell where it was */
	END_HEARD,		/* drained */
	END_EITHER,		/* a fault may have come first, or not */
};

struct piece {
	uint64_t pos, n;
	uint32_t number;	/* of the first; 0: silence, by a forward */
};

struct book {
	uint64_t pos;		/* the program's, since prepare */
	uint64_t reach;		/* the furthest that it has been */
	uint64_t gone_back;	/* frames, in all */
	uint64_t resets[STEPS_MAX];	/* where it was at each snd_pcm_reset(), */
	unsigned int n_resets;
	uint64_t reset_at;	/* and at the last */
	bool has_forwarded, was_reset;
	bool is_empty;		/* capture: it has read all there is */
	/* Playback: in the order in which they were written. */
	struct piece *pieces;
	size_t n_pieces, pieces_room;
	/* Capture: by position. */
	uint32_t *numbers;
	size_t n_numbers, numbers_room;
};

/* What is known besides. */
struct book_facts {
	enum book_end end;
	struct counters more;
	struct card_log log;
	const uint32_t *heard;	/* playback */
	size_t n_heard;
	uint32_t silence;	/* capture: what a frame of it is read as */
	uint64_t by_clock;	/* frames by which a count by the clock may be off */
	uint64_t by_standstill;	/* by which that may be too much: it may have stood */
	uint64_t by_slowness;	/* by which a card has gone on since it said where it was */
	uint64_t by_step;	/* by which a card that tells nothing has gone on, at most */
	uint64_t by_period;	/* as much is taken for the end of a drain, if it breaks off there */
	uint64_t by_failure;	/* the same, if a call may have failed that asks it */
	bool was_drained;	/* and that did not fail, by what it said */
	bool lied;		/* it said that it was suspended, and was not */
	uint64_t away_most;	/* frames that have passed while there was no card, */
	uint64_t away_least;	/* and at least; 0 if that is not known */
};

void book_begin(struct book *book);
void book_finish(struct book *book);

/** The program has written n frames, whose numbers go on from that of the first. */
void book_write(struct book *book, uint64_t n, uint32_t number);

/** It reads a frame, so far beyond its position. False: another one than it read there
 * before. */
bool book_read(struct book *book, uint64_t ahead, uint32_t number);

/** It goes on by frames that it has read; goes back, or forward. */
void book_go_on(struct book *book, uint64_t n);
void book_go_back(struct book *book, uint64_t n);
void book_go_forward(struct book *book, uint64_t n, bool playback);

/** It lets go of what waits, wherever the card is in that. */
void book_reset(struct book *book);

/** Whether all comes out even; if not, why. Of a log that has overflown nothing is known. */
bool book_balance(const struct book *book, const struct book_facts *facts, bool playback,
		  char *why, size_t why_bytes);

#endif
