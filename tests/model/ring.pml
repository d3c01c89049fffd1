/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The ring (core/ring_inline.h, core/ring.c): a producer, a consumer that reads some chunks
 * and clears others away, and a bystander who asks for the fill.
 *
 *   push()          hr_ring_push()
 *   make_room()     hr_ring_look_for_room()
 *   pop()           hr_ring_pop() with hr_ring_at(); hr_ring_clear() is no more than
 *                   that, some times over
 *   bystander()     hr_ring_fill()
 *
 * Checked: each chunk arrives once and in order, its payload as written and touched by one
 * side at a time; nobody waits for ever; the fill is never negative. The producer takes
 * its CAPACITY + 2 buffers in turn and asks nobody: that by then they were given back is
 * what hr_ring_pop() says of `popped`, and what core/stream.c counts on.
 *
 * Abstracted: who waits for room or for a chunk looks again when there is something new
 * to see. Positions begin at 0; `refused` and the threshold announce nothing.
 *
 * Sizes: the capacity.
 */
#define the_slot_is_stored_relaxed MUTANT(1)
#define the_slot_is_loaded_relaxed MUTANT(2)
#define popped_is_stored_relaxed MUTANT(3)
#define popped_is_loaded_relaxed_for_room MUTANT(4)
#define a_chunk_is_pushed_before_it_is_written MUTANT(5)
#define a_chunk_is_written_again_too_early MUTANT(6)
#define the_slot_is_stored_before_the_count MUTANT(7)
#define popped_is_loaded_relaxed_for_the_fill MUTANT(8)
#define the_fill_begins_with_pushed MUTANT(9)
#define there_is_room_for_one_too_many MUTANT(10)
#define slots_bear_no_mark_of_the_round MUTANT(11)
#define the_producer_clears_the_ring MUTANT(12)
#define popped_is_stored_before_the_slot_is_read MUTANT(13)

#define CAPACITY SIZE
#define CHUNKS (CAPACITY + 2)
#define PUSHES (2 * CAPACITY + 2)

#define THREADS 3
#define POPPED CAPACITY
#define PUSHED (CAPACITY + 1)
#define LOCATIONS (CAPACITY + 2)
#define PLAINS CHUNKS
#define KEPT (PUSHES + 2)
/* The bystander looks at no slot, and at no chunk. */
#define reads(t, l) (t != 2 || l >= CAPACITY)
#define touches(t) (t != 2)
#include "memory.pml"

#define mark(position) (slots_bear_no_mark_of_the_round -> 0 : ((position) / CAPACITY) % 2)

byte payload[CHUNKS];

inline write_payload(at)
{
	touch(at);
	payload[at] = pushed
}

inline make_room()
{
	load(POPPED, OR_IF(popped_is_loaded_relaxed_for_room, RELAXED, ACQUIRE), v);
	room_end = v + CAPACITY + OR_IF(there_is_room_for_one_too_many, 1, 0)
}

inline store_slot(at)
{
	store(pushed % CAPACITY, 2 * (at) + mark(pushed),
	      OR_IF(the_slot_is_stored_relaxed, RELAXED, RELEASE))
}

inline push(at)
{
	if
	:: the_slot_is_stored_before_the_count -> store_slot(at)
	:: else
	fi;
	store(PUSHED, pushed + 1, RELAXED);
	if
	:: !the_slot_is_stored_before_the_count -> store_slot(at)
	:: else
	fi
}

/* slot: what is there; popped: counted up if it was a new chunk. */
inline pop()
{
	load(popped % CAPACITY, OR_IF(the_slot_is_loaded_relaxed, RELAXED, ACQUIRE), slot);
	if
	:: slot % 2 == mark(popped) ->
		popped++;
		store(POPPED, popped, OR_IF(popped_is_stored_relaxed, RELAXED, RELEASE));
		if
		:: popped_is_stored_before_the_slot_is_read ->
			load((popped - 1) % CAPACITY, ACQUIRE, slot)
		:: else
		fi
	:: else
	fi
}

proctype producer()
{
	byte me = 0, pick, v, slot, popped, room_end = CAPACITY, pushed;
	byte at;

	do
	:: pushed < PUSHES ->
		at = pushed % (CHUNKS - OR_IF(a_chunk_is_written_again_too_early, 1, 0));
		if
		:: !a_chunk_is_pushed_before_it_is_written -> write_payload(at)
		:: else
		fi;
		do
		:: pushed != room_end -> break
		:: pushed == room_end ->
			make_room();
			if
			:: pushed == room_end && the_producer_clears_the_ring ->
				load(POPPED, RELAXED, popped);
				pop()
			:: pushed == room_end && !the_producer_clears_the_ring ->
				has_news(POPPED)
			:: pushed != room_end
			fi
		od;
		push(at);
		if
		:: a_chunk_is_pushed_before_it_is_written -> write_payload(at)
		:: else
		fi;
		pushed++
	:: else -> break
	od;
	leave()
}

proctype consumer()
{
	byte me = 1, pick, slot, popped;
	byte before;

	do
	:: popped < PUSHES ->
		before = popped;
		pop();
		if
		:: popped == before -> has_news(popped % CAPACITY)
		:: popped != before ->
			assert(slot / 2 == before % (CHUNKS -
			       OR_IF(a_chunk_is_written_again_too_early, 1, 0)));
			if
			:: touch(slot / 2);
			   assert(payload[slot / 2] == before)
			:: skip		/* cleared away */
			fi
		fi
	:: else -> break
	od;
	leave()
}

proctype bystander()
{
	byte me = 2, pick, pushed, popped;

	if
	:: the_fill_begins_with_pushed ->
		load(PUSHED, RELAXED, pushed);
		load(POPPED, ACQUIRE, popped)
	:: else ->
		load(POPPED, OR_IF(popped_is_loaded_relaxed_for_the_fill, RELAXED, ACQUIRE),
		     popped);
		load(PUSHED, RELAXED, pushed)
	fi;
	assert(pushed >= popped);
	leave()
}

init {
	byte i;

	atomic {
		choose_mutant();
		for (i : 0 .. CAPACITY - 1) {
			initial(i, 1 - mark(i))
		}
		i = 0;
		run producer();
		run consumer();
		run bystander()
	}
}
