/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The pool's bitmap (core/bitmap.h) between threads that take and give places, the last of
 * them through a cache of its own (core/pool_cache.[ch]) in one of two runs.
 *
 *   take_from_word(), take()      hr_bitmap_take_from_word(), hr_bitmap_take()
 *   give()                        hr_bitmap_give()
 *   fill(), spill()               hr_bitmap_take_some(), hr_bitmap_give_some(), by
 *                                 hr_pool_cache_fill(), hr_pool_cache_spill()
 *   cache_acquire(), _release()   hr_pool_cache_acquire(), hr_pool_cache_release() with
 *                                 _take_other(), _put_down()
 *
 * Checked: a place is nobody else's while it is taken, and what its former owner did is
 * over; threads that together look for no more places than there are always find one; in
 * the end all places are in the set again. The vacant places of a pool that grows are a
 * bitmap like this one.
 *
 * Abstracted: a weak compare-and-exchange that fails for no reason is one that is made
 * again. Words have two places at most.
 *
 * Sizes: 1: two threads, two words of a place each. 2: three threads, a word of two places
 * and one of one. Each takes and gives twice.
 * With a cache there are two threads, and of three all but one take but once. (A look by
 * acquire only passes, too: why hr_bitmap_take() has seq_cst takes more threads to show.)
 */
#define the_taking_swap_acquires_nothing MUTANT(1)
#define the_giving_swap_releases_nothing MUTANT(2)
#define a_place_is_taken_by_a_store MUTANT(3)
#define a_place_is_given_by_a_store MUTANT(4)	/* size 2 */
#define a_place_is_given_while_it_is_in_use MUTANT(5)
#define a_search_begins_with_the_second_word MUTANT(6)
#define the_cache_is_shared_by_two_threads MUTANT(7)
#define a_cache_gives_without_a_release MUTANT(8)
#define a_cache_takes_without_an_acquire MUTANT(9)
#define a_cache_is_closed_with_the_warmest_left_in_it MUTANT(10)

#define WORDS 2
#define THREADS (SIZE + 1)
#define ALL(w) ((w) == 0 -> 2 * SIZE - 1 : 1)
#define WARMEST WORDS		/* 1 + the place, 0: none */
#define OTHERS (WORDS + 1)
#define LOCATIONS (WORDS + 2)
#define PLACES (2 * WORDS)
#define PLAINS PLACES
#define KEPT 16
#include "memory.pml"

#if THREADS > 2
#define absent(thread) stay_away(thread)
#else
#define absent(thread) skip
#endif

#define lowest(bits) ((bits) & 1 -> 0 : 1)
#define bit(place) (1 << (place) % 2)

bool with_cache;		/* which may hold what others look for */
byte n_users;
bool taken[PLACES];

inline own()
{
	atomic {
		assert(!taken[place]);
		taken[place] = true;
		touch(place)
	}
}

inline disown()
{
	atomic {
		touch(place);
		taken[place] = false
	}
}

/* found: whether it had a place. */
inline take_from_word(w)
{
	load(w, SEQ_CST, old);
	do
	:: old && !found ->
		place = 2 * (w) + lowest(old);
		if
		:: a_place_is_taken_by_a_store ->
			found = true;
			store(w, old & ~bit(place), SEQ_CST)
		:: else ->
			compare_exchange(w, old, old & ~bit(place),
				OR_IF(the_taking_swap_acquires_nothing, RELEASE, SEQ_CST),
				OR_IF(the_taking_swap_acquires_nothing, RELAXED, SEQ_CST), found)
		fi
	:: else -> break
	od;
	old = 0
}

inline take()
{
	found = false;
	w = OR_IF(a_search_begins_with_the_second_word, 1, 0);
	do
	:: !found && w < WORDS -> take_from_word(w); w++
	:: else -> break
	od;
	w = 0
}

inline give()
{
	load(place / 2, RELAXED, old);
	found = false;
	do
	:: !found ->
		assert(!(old & bit(place)));
		if
		:: a_place_is_given_by_a_store ->
			found = true;
			store(place / 2, old | bit(place), SEQ_CST)
		:: else ->
			compare_exchange(place / 2, old, old | bit(place),
				OR_IF(the_giving_swap_releases_nothing, ACQUIRE, SEQ_CST),
				RELAXED, found)
		fi
	:: else -> break
	od;
	found = false;
	old = 0
}

proctype direct()
{
	byte me = _pid - 1, pick, old, place, w, rounds = (n_users > 2 && _pid > 1 -> 1 : 2);
	bool found;

	do
	:: rounds ->
		rounds--;
		take();
		assert(found || with_cache);
		if
		:: found ->
			own();
			if
			:: !a_place_is_given_while_it_is_in_use -> disown(); give()
			:: else -> give(); disown()
			fi
		:: else
		fi;
		place = 0
	:: else -> break
	od;
	leave();
	n_users--
}

/* --- through a cache --- */

byte word;			/* the cache's; and of others how many */
byte n_others;

inline spill()
{
	load(OTHERS, RELAXED, v);
	store(OTHERS, 0, RELAXED);
	n_others = 0;
	if
	:: v -> modify(word, last_value(word) | v,
		       OR_IF(a_cache_gives_without_a_release, ACQUIRE, SEQ_CST))
	:: else
	fi;
	v = 0
}

/* Up to two of one word. */
inline fill()
{
	found = false;
	w = 0;
	do
	:: !found && w < WORDS ->
		load(w, SEQ_CST, old);
		do
		:: old && !found ->
			v = old;
			compare_exchange(w, old, 0,
				OR_IF(a_cache_takes_without_an_acquire, RELEASE, SEQ_CST),
				OR_IF(a_cache_takes_without_an_acquire, RELAXED, SEQ_CST), found)
		:: else -> break
		od;
		if
		:: found ->
			store(OTHERS, v, RELAXED);
			word = w;
			n_others = (v == 3 -> 2 : 1)
		:: else -> w++
		fi
	:: else -> break
	od;
	w = 0;
	v = 0;
	old = 0
}

/* found: whether there is one. */
inline cache_acquire()
{
	load(WARMEST, RELAXED, v);
	found = v > 0;
	if
	:: found ->
		place = v - 1;
		store(WARMEST, 0, RELAXED)
	:: else ->
		load(OTHERS, RELAXED, v);
		found = v > 0;
		if
		:: !found -> fill()
		:: else
		fi;
		if
		:: found ->
			load(OTHERS, RELAXED, v);
			place = 2 * word + lowest(v);
			store(OTHERS, v & ~bit(place), RELAXED);
			n_others--
		:: else
		fi
	fi;
	v = 0
}

/* As long as the others are of one word and there is room, they stay. */
inline put_down()
{
	if
	:: (old - 1) / 2 != word || n_others == 2 ->
		spill();
		word = (old - 1) / 2
	:: else
	fi;
	load(OTHERS, RELAXED, v);
	store(OTHERS, v | bit(old - 1), RELAXED);
	n_others++;
	v = 0
}

inline cache_release()
{
	load(WARMEST, RELAXED, old);
	if
	:: old -> put_down()
	:: else
	fi;
	store(WARMEST, place + 1, RELAXED);
	old = 0;
	place = 0
}

inline close()
{
	spill();
	load(WARMEST, RELAXED, v);
	if
	:: v && !a_cache_is_closed_with_the_warmest_left_in_it ->
		place = v - 1;
		give()
	:: else
	fi;
	v = 0;
	place = 0
}

proctype cached()
{
	byte me = _pid - 1, pick, old, v, place, second, w, rounds = 2;
	bool found, both;

	do
	:: rounds ->
		rounds--;
		cache_acquire();
		if
		:: found ->
			own();
			/* A second one, perhaps: given back after the first. */
			second = place;
			both = false;
			if
			:: cache_acquire();
			   if
			   :: found -> own(); both = true
			   :: else
			   fi
			:: true
			fi;
			if
			:: both -> disown(); cache_release()
			:: else
			fi;
			place = second;
			disown();
			cache_release();
			second = 0;
			both = false
		:: else
		fi
	:: else -> break
	od;
	if
	:: !the_cache_is_shared_by_two_threads -> close()
	:: else
	fi;
	leave();
	n_users--
}

init {
	byte i;

	atomic {
		choose_mutant();
		for (i : 0 .. WORDS - 1) {
			initial(i, ALL(i))
		}
		if
		:: n_users = THREADS
		:: with_cache = true; n_users = 2; absent(2)
		fi;
		for (i : 1 .. n_users) {
			if
			:: with_cache && (i == 2 || the_cache_is_shared_by_two_threads) ->
				run cached()
			:: else -> run direct()
			fi
		}
	}
	n_users == 0;
	assert(the_cache_is_shared_by_two_threads ||
	       last_value(0) == ALL(0) && last_value(1) == ALL(1))
}
