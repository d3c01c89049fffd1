/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A set of places, numbered from 0, with a bit each: set while the place is in
 * the set. Lock-free for any number of threads; internal to the pool.
 *
 * Taking a place makes the taker its only owner, who sees all that the former
 * owner did up to giving it.
 *
 * Who may call is given per function:
 *   [any]    any thread, any number at once
 *   [setup]  no other call in progress
 */
#ifndef HR_CORE_BITMAP_H
#define HR_CORE_BITMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HR_BITMAP_WORD_PLACES 64u

/* Otherwise libatomic would take a lock behind our back. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "bitmap words must be lock-free");

struct hr_bitmap {
	_Atomic uint64_t *words;	/* the caller's memory */
	uint32_t n_words;
};

/** Words that hold n_places. [any] */
static inline uint32_t hr_bitmap_words(uint32_t n_places)
{
	return (n_places + HR_BITMAP_WORD_PLACES - 1) / HR_BITMAP_WORD_PLACES;
}

/** Make the set of all places below n_places, in hr_bitmap_words(n_places)
 * words. [setup] */
static inline void hr_bitmap_init(struct hr_bitmap *map, _Atomic uint64_t *words,
				  uint32_t n_places)
{
	map->words = words;
	map->n_words = hr_bitmap_words(n_places);
	for (uint32_t w = 0; w < map->n_words; w++) {
		uint32_t n = n_places - w * HR_BITMAP_WORD_PLACES;

		atomic_init(&words[w],
			    n < HR_BITMAP_WORD_PLACES ? (1ull << n) - 1 : UINT64_MAX);
	}
}

/* Take the lowest place of one word. False if at one instant it had none. [any] */
static inline bool hr_bitmap_take_from_word(_Atomic uint64_t *word, uint32_t *bit)
{
	/* seq_cst, here and on the failed swap: see hr_bitmap_take(). */
	uint64_t old = atomic_load_explicit(word, memory_order_seq_cst);

	while (old) {
		*bit = (uint32_t)__builtin_ctzll(old);
		/* acquire, pairs with the swap in hr_bitmap_give() (swaps in
		 * between continue its release sequence): the former owner's last
		 * access to the place comes before our first. seq_cst for
		 * hr_bitmap_take(). */
		if (atomic_compare_exchange_weak_explicit(word, &old,
							  old & ~(1ull << *bit),
							  memory_order_seq_cst,
							  memory_order_seq_cst))
			return true;
	}
	return false;
}

/**
 * Take the lowest place. False if none was found. [any]
 *
 * Threads that together never hold or look for more places than there are always
 * find one, though each looks at one word after the other while places come and
 * go: whoever goes on to the second word has seen the first with all its places
 * held. So those who are beyond the first word, looking or holding, are then no
 * more than there are places beyond it; and so on up to the last word, where a
 * thread that looks must find a place, because it does not hold one yet.
 *
 * "Then" takes one order of all looks, takes and gives in all words: that is
 * why they are seq_cst. (On x86 that costs nothing over acquire and release, on
 * arm64 next to nothing.) It also takes that all begin with the first word.
 */
static inline bool hr_bitmap_take(struct hr_bitmap *map, uint32_t *place)
{
	uint32_t bit;

	for (uint32_t w = 0; w < map->n_words; w++) {
		if (hr_bitmap_take_from_word(&map->words[w], &bit)) {
			*place = w * HR_BITMAP_WORD_PLACES + bit;
			return true;
		}
	}
	return false;
}

/** Give a place. False if it is in the set already. [any] */
static inline bool hr_bitmap_give(struct hr_bitmap *map, uint32_t place)
{
	_Atomic uint64_t *word = &map->words[place / HR_BITMAP_WORD_PLACES];
	uint64_t bit = 1ull << place % HR_BITMAP_WORD_PLACES;
	/* relaxed: a guess, which the swap verifies. */
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);

	do {
		if (old & bit)
			return false;
		/* release, pairs with the swap in hr_bitmap_take_from_word(): our
		 * last access to the place comes before the next owner's first.
		 * seq_cst for hr_bitmap_take(). relaxed on failure: a guess again. */
	} while (!atomic_compare_exchange_weak_explicit(word, &old, old | bit,
							memory_order_seq_cst,
							memory_order_relaxed));
	return true;
}

/**
 * Take up to n of the lowest places of one word, at once: their bits in *bits, the
 * word's number in *word. False if none was found. [any]
 *
 * Orders as hr_bitmap_take(), and begins like it with the first word.
 */
static inline bool hr_bitmap_take_some(struct hr_bitmap *map, uint32_t n,
				       uint64_t *bits, uint32_t *word)
{
	for (uint32_t w = 0; w < map->n_words; w++) {
		/* seq_cst, here and on the failed swap: see hr_bitmap_take(). */
		uint64_t old = atomic_load_explicit(&map->words[w], memory_order_seq_cst);
		uint64_t left;

		while (old) {
			left = n < HR_BITMAP_WORD_PLACES ? old : 0;
			for (uint32_t i = 0; left && i < n; i++)
				left &= left - 1;
			/* acquire, pairs with the operations in hr_bitmap_give() and
			 * _give_some(), and seq_cst, as in take_from_word(). */
			if (atomic_compare_exchange_weak_explicit(&map->words[w], &old, left,
								  memory_order_seq_cst,
								  memory_order_seq_cst)) {
				*bits = old & ~left;
				*word = w;
				return true;
			}
		}
	}
	return false;
}

/** Give places of one word, by their bits. What is in the set already stays there.
 * [any] */
static inline void hr_bitmap_give_some(struct hr_bitmap *map, uint64_t bits,
				       uint32_t word)
{
	/* release, pairs with the swaps that take, and seq_cst, as in
	 * hr_bitmap_give(). */
	atomic_fetch_or_explicit(&map->words[word], bits, memory_order_seq_cst);
}

/** Places in one word. In the sums of ever wider fields (Warren, Hacker's Delight, 5-1): where
 * the processor need not have an instruction for it, compilers call a function. [any] */
static inline uint32_t hr_bitmap_weight(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) +
	       (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

/** Places in the set, for statistics: out of date when it returns. [any] */
static inline uint32_t hr_bitmap_count(const struct hr_bitmap *map)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < map->n_words; w++)
		/* relaxed: a number, it announces nothing. */
		n += hr_bitmap_weight(
			atomic_load_explicit(&map->words[w], memory_order_relaxed));
	return n;
}

#endif
