/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The position that the I/O thread tells the program (plugin/position.c).
 *
 *   publish()     hr_position_publish()
 *   read_once()   read_once()
 *
 * Checked: what a reader believes is of one publishing, and none older than what it has
 * believed or, by hr_position_last(), seen.
 *
 * Abstracted: time_ns, limit and extra are two words here; a reader that collides gives up.
 *
 * Sizes: publishings, less one.
 */
#define the_count_is_not_odd_meanwhile MUTANT(1)
#define a_word_is_stored_relaxed MUTANT(2)
#define a_word_is_loaded_relaxed MUTANT(3)
#define the_last_count_is_stored_relaxed MUTANT(4)
#define the_first_count_is_loaded_relaxed MUTANT(5)
#define an_odd_count_is_believed MUTANT(6)
#define the_count_is_not_compared MUTANT(7)

#define PUBLISHINGS (SIZE + 1)

#define THREADS 2
#define SEQ 0
#define TIME 1
#define LIMIT 2
#define POS 3
#define LOCATIONS 4
#define PLAINS 1
#define KEPT 12
#include "memory.pml"

#define WORD OR_IF(a_word_is_stored_relaxed, RELAXED, RELEASE)

proctype io()
{
	byte me = 0, pick, n;

	do
	:: n < PUBLISHINGS ->
		n++;
		if
		:: !the_count_is_not_odd_meanwhile -> store(SEQ, 2 * n - 1, RELAXED)
		:: else
		fi;
		store(TIME, n, WORD);
		store(LIMIT, n, WORD);
		store(POS, n, OR_IF(a_word_is_stored_relaxed, RELAXED, SEQ_CST));
		store(SEQ, 2 * n, OR_IF(the_last_count_is_stored_relaxed, RELAXED, RELEASE))
	:: else -> break
	od;
	leave()
}

#define READ OR_IF(a_word_is_loaded_relaxed, RELAXED, ACQUIRE)

/* found: whether it is to be believed. */
inline read_once()
{
	load(SEQ, OR_IF(the_first_count_is_loaded_relaxed, RELAXED, ACQUIRE), seq);
	load(POS, READ, pos);
	load(TIME, READ, time);
	load(LIMIT, READ, limit);
	load(SEQ, RELAXED, again);
	found = (!(seq & 1) || an_odd_count_is_believed) &&
		(again == seq || the_count_is_not_compared)
}

proctype program()
{
	byte me = 1, pick, seq, pos, time, limit, again, least, looks = 2;
	bool found;

	do
	:: looks ->
		looks--;
		if
		:: load(POS, SEQ_CST, pos);
		   assert(pos >= least);
		   least = pos
		:: true
		fi;
		read_once();
		if
		:: found ->
			assert(time == pos && limit == pos && pos == seq / 2);
			assert(pos >= least);
			least = pos
		:: else
		fi;
		seq = 0;
		pos = 0;
		time = 0;
		limit = 0;
		again = 0;
		found = false
	:: else -> break
	od;
	leave()
}

init {
	atomic {
		choose_mutant();
		run io();
		run program()
	}
}
